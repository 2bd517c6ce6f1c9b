import Foundation

/// What people are searched for by: the beginning of an email or a username.
struct ViewerSearch: Equatable {
    /// The longest text that can be the beginning of anything.
    private static let longest = 254

    /// As emails are stored.
    let email: String
    /// As usernames are compared.
    let username: String

    /// - Parameter text: What was typed; `nil` comes back when that is nothing
    /// - Throws: ``InvalidField`` named `q`
    init?(_ text: String) throws(InvalidField) {
        let typed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !typed.isEmpty else { return nil }
        guard typed.count <= Self.longest, AccountRules.isPlain(typed) else {
            throw InvalidField(
                "q", expected: "the beginning of an email or a username, \(Self.longest) characters at most")
        }
        email = typed.lowercased()
        username = AccountRules.key(of: typed)
    }

    /// What is behind everything that begins like this: names are compared byte by byte.
    static func end(of beginning: String) -> String { beginning + "\u{10FFFF}" }
}
