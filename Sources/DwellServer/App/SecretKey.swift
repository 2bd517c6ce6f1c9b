package import Crypto
package import Foundation

/// The server's secret. Every use has a key of its own, derived from it. The secret that it replaced may still be
/// known: what that one signed stays good.
package struct SecretKey: Sendable {
    /// What a derived key is for; a signature of one purpose is worthless for another.
    package enum Purpose: String {
        case login = "dwell login token"
        case session = "dwell session cookie"
        case access = "dwell access cookie"
        case setup = "dwell setup code"
    }

    /// The shortest secret that is accepted, in bytes.
    package static let minimumLength = 32

    /// What a setting begins with that is not the secret as it is.
    private static let codedPrefix = "base64:"

    /// The newest first.
    let secrets: [Data]

    /// - Parameters:
    ///   - secret: At least 32 bytes
    ///   - previous: The one that it replaced
    package init(_ secret: Data, previous: Data? = nil) {
        secrets = [secret] + (previous.map { [$0] } ?? [])
    }

    /// - Parameter text: Any text of at least 32 bytes, or `base64:` and what a key file holds; `nil` comes back for
    ///   anything else
    package init?(setting text: String) {
        if text.hasPrefix(Self.codedPrefix) {
            self.init(file: String(text.dropFirst(Self.codedPrefix.count)))
        } else {
            guard text.utf8.count >= Self.minimumLength else { return nil }
            self.init(Data(text.utf8))
        }
    }

    /// - Parameter text: One secret in base64, or two with white space between them, the newest first; `nil` comes back
    ///   for anything else
    init?(file text: String) {
        let parts = text.split(whereSeparator: \.isWhitespace)
        let secrets = parts.compactMap { Data(base64Encoded: String($0)) }.filter { $0.count >= Self.minimumLength }
        guard secrets.count == parts.count, let first = secrets.first, secrets.count <= 2 else { return nil }
        self.init(first, previous: secrets.dropFirst().first)
    }

    /// A secret that nobody knows, before this one; what was before this one is forgotten.
    func rotated() -> SecretKey {
        SecretKey(Self.random(), previous: secrets[0])
    }

    static func random() -> Data {
        SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
    }

    /// The secrets as a key file has them, with something between them.
    func coded(separator: String) -> String {
        secrets.map { $0.base64EncodedString() }.joined(separator: separator)
    }

    /// The secrets as a setting has them.
    var setting: String { Self.codedPrefix + coded(separator: " ") }

    /// The keys for a purpose, HKDF with SHA-256: the first signs, all may have signed.
    /// - Parameter name: Tells what the purpose is applied to, where there is more than one
    package func derived(for purpose: Purpose, named name: String? = nil) -> [SymmetricKey] {
        secrets.map { Self.derive(from: $0, purpose.rawValue + (name.map { " \($0)" } ?? ""), length: 32) }
    }

    /// The keys for a purpose, each with a name that tells nothing about it.
    func named(for purpose: Purpose) -> [(name: String, key: SymmetricKey)] {
        zip(secrets, derived(for: purpose)).map { secret, key in
            let name = Self.derive(from: secret, "dwell key name", length: 8).withUnsafeBytes { $0.hexadecimal }
            return (name, key)
        }
    }

    private static func derive(from secret: Data, _ info: String, length: Int) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret), info: Data(info.utf8), outputByteCount: length)
    }
}
