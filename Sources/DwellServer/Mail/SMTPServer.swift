import Foundation

/// A mail server, and who sends by it.
package struct SMTPServer: Sendable, Equatable {
    /// Such as `smtp://mail.example.com:587`; nobody's name and password are in it.
    let url: String
    let user: String?
    let password: String?
    /// Whether it is on this machine: only then may mails go there in the clear.
    let isLocal: Bool

    /// - Parameter text: `smtp://` or `smtps://`, user and password where they are needed, host, and port where it is not
    ///   587 or 465; `nil` comes back for anything else
    package init?(_ text: String) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme, let port = Self.ports[scheme],
            let host = parts.host, !host.isEmpty, ["", "/"].contains(parts.path), parts.query == nil,
            parts.fragment == nil, (1...65_535).contains(parts.port ?? port), parts.user?.isEmpty != true,
            (parts.user == nil) == (parts.password == nil)
        else { return nil }
        url = "\(scheme)://\(host):\(parts.port ?? port)"
        user = parts.user
        password = parts.password
        isLocal = ["localhost", "127.0.0.1", "[::1]"].contains(host)
    }

    private static let ports = ["smtp": 587, "smtps": 465]
}
