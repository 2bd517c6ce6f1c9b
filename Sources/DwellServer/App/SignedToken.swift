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

    /// Sign; prepared once, as that takes as long as signing. The first makes tokens, all may have made them.
    private let signers: [HMAC<SHA256>]

    /// - Parameter keys: Derived for this one use, the newest first
    package init(keys: [SymmetricKey]) {
        precondition(!keys.isEmpty, "a token needs a key")
        signers = keys.map { HMAC(key: $0) }
    }

    /// The token as text: base64url of three big-endian numbers and the first half of their HMAC-SHA-256.
    package func value(of content: Content) -> String {
        var bytes = Data(capacity: Self.contentLength + Self.signatureLength)
        for number in [content.viewer, content.entry, content.expiresAt.milliseconds] {
            withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.append(contentsOf: Self.code(of: bytes, signers[0]).prefix(Self.signatureLength))
        return Base64URL.text(of: bytes)
    }

    /// What a value says, if this server signed it and it has not expired.
    package func content(of value: some StringProtocol, now: Timestamp) -> Content? {
        withUnsafeTemporaryAllocation(byteCount: Self.contentLength + Self.signatureLength, alignment: 8) { bytes in
            guard Base64URL.read(value.utf8, into: bytes) else { return nil }
            let signed = UnsafeRawBufferPointer(rebasing: bytes[..<Self.contentLength])
            let signature = bytes[Self.contentLength...]
            guard signers.contains(where: { Self.isEqual(signature, Self.code(of: signed, $0)) }) else { return nil }
            func number(_ index: Int) -> Int64 {
                Int64(bigEndian: signed.load(fromByteOffset: index * 8, as: Int64.self))
            }
            let content = Content(
                viewer: number(0), entry: number(1), expiresAt: Timestamp(milliseconds: number(2)))
            return now < content.expiresAt ? content : nil
        }
    }

    private static func code(of bytes: some DataProtocol, _ signer: HMAC<SHA256>) -> HMAC<SHA256>.MAC {
        var signer = signer
        signer.update(data: bytes)
        return signer.finalize()
    }

    /// Compares in a time that does not tell where the first difference is.
    private static func isEqual(_ signature: Slice<UnsafeMutableRawBufferPointer>, _ code: HMAC<SHA256>.MAC) -> Bool {
        zip(signature, code).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

/// Base64 in the alphabet of URLs, without padding. By hand, as every beat has a token.
private enum Base64URL {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    /// What each character stands for; 64 for all that are none of the alphabet's.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 64, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    static func text(of bytes: Data) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(alphabet[Int(bits >> count & 63)])
            }
        }
        if count > 0 { text.append(alphabet[Int(bits << (6 - count) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads a text into bytes.
    /// - Returns: Whether it stands for exactly as many, and is the one way of writing them
    static func read(_ text: some Collection<UInt8>, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
        var bits: UInt32 = 0
        var count: UInt32 = 0
        var filled = 0
        for character in text {
            let value = values[Int(character)]
            guard value < 64 else { return false }
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 8 else { continue }
            guard filled < bytes.count else { return false }
            count -= 8
            bytes[filled] = UInt8(truncatingIfNeeded: bits >> count)
            filled += 1
        }
        return filled == bytes.count && count < 6 && bits & (1 << count - 1) == 0
    }
}
