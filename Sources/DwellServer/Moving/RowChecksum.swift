import Crypto
import Foundation

/// A checksum over rows, the same for the same rows in the same order, whichever database they come from.
///
/// SHA-256 over a text of each row: its columns in the order of their names, each with its name, its type and its
/// length, so that no two rows have one text. Floating-point numbers are taken by their bits.
package struct RowChecksum {
    /// How many rows were added.
    package private(set) var count = 0
    private var hash = SHA256()
    private var columns: [String] = []
    /// The columns' places, in the order of their names.
    private var order: [Int] = []

    package init() {}

    /// Adds the next row.
    package mutating func add(_ row: Row) {
        if row.columns != columns {
            columns = row.columns
            order = columns.indices.sorted { columns[$0] < columns[$1] }
        }
        var text: [UInt8] = []
        for index in order {
            text += columns[index].utf8
            text.append(UInt8(ascii: "="))
            text += Self.canonical(row.values[index])
            text.append(UInt8(ascii: ";"))
        }
        text.append(UInt8(ascii: "\n"))
        hash.update(data: text)
        count += 1
    }

    /// What the rows so far come to, in hexadecimal.
    package var digest: String {
        hash.finalize().hexadecimal
    }

    private static func canonical(_ value: SQLValue) -> [UInt8] {
        switch value {
        case .null: Array("null".utf8)
        case .integer(let number): Array("i\(number)".utf8)
        case .real(let number): Array("r\(number.bitPattern)".utf8)
        case .text(let text): Array("t\(text.utf8.count):".utf8) + Array(text.utf8)
        case .blob(let data): Array("b\(data.count):".utf8) + Array(data)
        case .integers, .reals, .texts: preconditionFailure("no column holds an array")
        }
    }
}
