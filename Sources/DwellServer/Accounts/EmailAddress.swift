import Foundation

/// Email addresses, as far as a server can judge them without sending a mail.
package enum EmailAddress {
    /// The form in which an address is stored and compared: trimmed, in lower case.
    /// - Throws: ``InvalidField`` named `email` for what can't be an address
    package static func normalize(_ text: String) throws(InvalidField) -> String {
        let address = text.trimmingCharacters(in: .whitespacesAndNewlines).lowercased()
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        // RFC 5321: 64 octets before the @, 254 in all.
        guard parts.count == 2, (1...64).contains(parts[0].utf8.count), address.utf8.count <= 254,
            isLocalPart(parts[0]), isDomain(parts[1])
        else { throw InvalidField("email", expected: "an email address, such as ada@example.com") }
        return address
    }

    private static func isLocalPart(_ text: Substring) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            scalar.value > 0x20 && scalar.value != 0x7F && !"()<>[]:;\\,\"".unicodeScalars.contains(scalar)
                && !scalar.properties.isWhitespace
        }
    }

    private static func isDomain(_ text: Substring) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" }
            }
    }
}
