package import DwellAPI
import Foundation

/// What a new account's fields must be like.
package enum AccountRules {
    /// Checks a registration.
    /// - Returns: The same with surrounding spaces removed and the email in its normal form
    /// - Throws: ``InvalidField`` for the first field that is not as it must be
    package static func check(_ body: RegisterBody) throws(InvalidField) -> RegisterBody {
        var checked = body
        checked.username = trimmed(body.username)
        checked.firstName = trimmed(body.firstName)
        checked.lastName = trimmed(body.lastName)
        try require(
            (1...64).contains(checked.username.count) && !checked.username.contains(where: \.isWhitespace)
                && isPlain(checked.username),
            "username", "1 to 64 characters without spaces")
        try require(isName(checked.firstName), "first_name", "1 to 100 characters")
        try require(isName(checked.lastName), "last_name", "1 to 100 characters")
        checked.email = try EmailAddress.normalize(body.email)
        try PasswordRules.check(body.password, as: "password")
        checked.phoneNumber = try optional(
            body.phoneNumber, "phone_number", "at most 32 digits, spaces and + - ( ) . /"
        ) {
            $0.count <= 32 && $0.contains(where: \.isNumber) && $0.allSatisfy { "0123456789 +-()./".contains($0) }
        }
        checked.gender = try optional(body.gender, "gender", "at most 32 characters") { $0.count <= 32 && isPlain($0) }
        checked.countryCode = try optional(body.countryCode, "country_code", "two letters, such as DE") {
            $0.count == 2 && $0.allSatisfy { $0.isASCII && $0.isLetter }
        }?.uppercased()
        return checked
    }

    /// The form in which two usernames are the same.
    package static func key(of username: String) -> String {
        trimmed(username).precomposedStringWithCompatibilityMapping.lowercased()
    }

    /// An absent or empty value is no value.
    private static func optional(
        _ value: String?, _ field: String, _ expected: String, _ holds: (String) -> Bool
    ) throws(InvalidField) -> String? {
        let value = trimmed(value ?? "")
        guard !value.isEmpty else { return nil }
        try require(holds(value), field, expected)
        return value
    }

    private static func require(_ holds: Bool, _ field: String, _ expected: String) throws(InvalidField) {
        if !holds { throw InvalidField(field, expected: expected) }
    }

    private static func isName(_ text: String) -> Bool {
        (1...100).contains(text.count) && isPlain(text)
    }

    /// Whether a text has no control characters.
    static func isPlain(_ text: String) -> Bool {
        !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    private static func trimmed(_ text: String) -> String {
        text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
