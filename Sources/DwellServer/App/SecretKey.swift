package import Crypto
package import Foundation

/// The server's one secret. Every use has a key of its own, derived from it.
package struct SecretKey: Sendable {
    /// What a derived key is for; a signature of one purpose is worthless for another.
    package enum Purpose: String {
        case login = "dwell login token"
        case session = "dwell session cookie"
        case access = "dwell access cookie"
    }

    /// The shortest secret that is accepted, in bytes.
    package static let minimumLength = 32

    private let key: SymmetricKey

    /// - Parameter secret: At least 32 bytes
    package init(_ secret: Data) {
        key = SymmetricKey(data: secret)
    }

    /// - Parameter text: Any text of at least 32 bytes, or `base64:` and what a key file holds; `nil` comes back for
    ///   anything else
    package init?(setting text: String) {
        let prefix = "base64:"
        let coded = text.dropFirst(prefix.count).trimmingCharacters(in: .whitespacesAndNewlines)
        let secret = text.hasPrefix(prefix) ? Data(base64Encoded: coded) : Data(text.utf8)
        guard let secret, secret.count >= Self.minimumLength else { return nil }
        self.init(secret)
    }

    /// The key for a purpose: HKDF with SHA-256.
    package func derived(for purpose: Purpose) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: Data(purpose.rawValue.utf8), outputByteCount: 32)
    }

    /// The secret kept in a file beside an embedded database, made when there is none.
    /// - Parameter path: The file, which only its owner may read
    package static func kept(at path: String) throws -> SecretKey {
        if let kept = FileManager.default.contents(atPath: path) {
            guard
                let secret = Data(
                    base64Encoded: String(decoding: kept, as: UTF8.self).trimmingCharacters(in: .newlines)),
                secret.count >= minimumLength
            else {
                throw InvalidField(
                    "DWELL_SECRET_KEY",
                    expected: "set, or \(path) be the file that Dwell wrote there: 32 bytes in base64")
            }
            return SecretKey(secret)
        }
        let secret = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
        // Made with O_EXCL and its final rights: no moment in which others can read it, no other writer's key lost.
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard file >= 0 else {
            throw Setting.databaseURL.refusal(
                expected: "where Dwell may write: \(path) can't be made, \(String(cString: strerror(errno)))")
        }
        let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        try handle.write(contentsOf: Data((secret.base64EncodedString() + "\n").utf8))
        try handle.synchronize()
        return SecretKey(secret)
    }
}
