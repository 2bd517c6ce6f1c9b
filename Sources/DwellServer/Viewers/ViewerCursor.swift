import Foundation

/// A place in a list of people: behind a person, and in a list that goes by names, behind the name that was found.
package struct ViewerCursor: Sendable, Equatable {
    /// The email, or the username's key; `nil` in a list that goes by numbers.
    let name: String?
    let id: Int64

    init(name: String? = nil, id: Int64) {
        self.name = name
        self.id = id
    }

    /// The cursor that a page ended with.
    /// - Parameter text: As ``text`` gave it; `nil` comes back for anything else
    package init?(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 1)
        guard let first = parts.first, let id = Int64(first, radix: 36) else { return nil }
        var name: String?
        if parts.count == 2 {
            guard let bytes = Self.bytes(parts[1]), let decoded = String(validating: bytes, as: UTF8.self) else {
                return nil
            }
            name = decoded
        }
        self.init(name: name, id: id)
        guard text == self.text else { return nil }
    }

    /// The form for URLs; what it holds is nobody's business.
    package var text: String {
        String(id, radix: 36) + (name.map { "-" + $0.utf8.hexadecimal } ?? "")
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        guard text.utf8.count.isMultiple(of: 2) else { return nil }
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.utf8.count else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
