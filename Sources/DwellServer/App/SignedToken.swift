package import Crypto
package import DwellAPI
import Foundation

/// Names a viewer and an entry, and can't be forged: a few numbers and their HMAC.
package struct SignedToken: Sendable {
    /// What a token says.
    package struct Content: Sendable, Equatable {
        package let viewer: Int64
        /// The session that the visitor, or the login, began with.
        package let entry: Int64
        /// The end of the token, whatever the browser keeps.
        package let expiresAt: Timestamp
    }

    private static let signatureLength = 16
    private static let contentLength = 24

    private let key: SymmetricKey

    /// - Parameter key: Derived for this one use
    package init(key: SymmetricKey) {
        self.key = key
    }

    /// The token as text: base64url of three big-endian numbers and the first half of their HMAC-SHA-256.
    package func value(of content: Content) -> String {
        var bytes = Data(capacity: Self.contentLength + Self.signatureLength)
        for number in [content.viewer, content.entry, content.expiresAt.milliseconds] {
            withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.append(signature(of: bytes))
        return String(decoding: Self.exchanging(bytes.base64EncodedData().dropLast(2), Self.toURL), as: UTF8.self)
    }

    /// What a value says, if this server signed it and it has not expired.
    package func content(of value: String, now: Timestamp) -> Content? {
        // 40 bytes are 54 characters, of which base64 wants 56.
        guard value.utf8.count == 54,
            let bytes = Data(base64Encoded: Self.exchanging(Data(value.utf8), Self.fromURL) + Data("==".utf8)),
            bytes.count == Self.contentLength + Self.signatureLength
        else { return nil }
        let signed = bytes.prefix(Self.contentLength)
        let expected = signature(of: signed)
        let difference = zip(bytes.suffix(Self.signatureLength), expected).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
        guard difference == 0 else { return nil }
        let numbers = signed.withUnsafeBytes { raw in
            (0..<3).map { Int64(bigEndian: raw.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
        }
        let content = Content(
            viewer: numbers[0], entry: numbers[1], expiresAt: Timestamp(milliseconds: numbers[2]))
        return now < content.expiresAt ? content : nil
    }

    private static let toURL: [UInt8: UInt8] = [
        UInt8(ascii: "+"): UInt8(ascii: "-"), UInt8(ascii: "/"): UInt8(ascii: "_"),
    ]
    private static let fromURL = Dictionary(uniqueKeysWithValues: toURL.map { ($1, $0) })

    /// Base64 in the alphabet of URLs, or back. By bytes: every beat has a token.
    private static func exchanging(_ text: Data, _ alphabet: [UInt8: UInt8]) -> Data {
        Data(text.map { alphabet[$0] ?? $0 })
    }

    private func signature(of bytes: Data) -> Data {
        Data(HMAC<SHA256>.authenticationCode(for: bytes, using: key).prefix(Self.signatureLength))
    }
}
