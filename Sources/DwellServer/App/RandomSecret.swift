import Crypto
import Foundation

/// 256 random bits as text, of which the database keeps only the hash. So many need no slow one, and looking up a hash
/// tells nothing about the secret by its time.
package struct RandomSecret: Sendable, Equatable {
    /// 64 hexadecimal digits.
    package let text: String

    /// Makes one that nobody knows.
    package init() {
        text = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }.hexadecimal
    }

    /// One that was made before.
    /// - Parameter text: As a client sent it; `nil` comes back for what can't be one
    package init?(_ text: String) {
        guard text.utf8.count == 64, text.allSatisfy(\.isHexDigit) else { return nil }
        self.text = text
    }

    /// What the database keeps.
    var hash: String { Self.hash(of: text) }

    /// The SHA-256 of a text, in hexadecimal digits.
    static func hash(of text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).hexadecimal
    }
}
