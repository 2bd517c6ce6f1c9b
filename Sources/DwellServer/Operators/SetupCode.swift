import Crypto
import Foundation

/// What makes whoever starts the server its first operator: printed at the start while there is none, worth nothing
/// once there is one. It follows from the server's secret, so that every node prints and knows the same.
package struct SetupCode: Sendable {
    /// 32 hexadecimal digits.
    package let text: String

    package init(secret: SecretKey) {
        text = secret.derived(for: .setup)[0].withUnsafeBytes { Data($0.prefix(16)) }.hexadecimal
    }

    /// Whether a text is the code. By their hashes: how long it takes tells nothing about the code.
    func matches(_ other: String) -> Bool {
        RandomSecret.hash(of: text) == RandomSecret.hash(of: other.trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
