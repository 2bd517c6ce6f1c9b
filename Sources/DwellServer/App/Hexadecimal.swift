import Foundation

extension Sequence<UInt8> {
    /// The bytes as hexadecimal digits, in lower case.
    var hexadecimal: String {
        map { String(format: "%02x", $0) }.joined()
    }
}
