/// What two stores hold, table by table.
package struct CopyReport: Sendable {
    /// Rows, and a checksum over them.
    package struct Sum: Sendable, Equatable {
        package let rows: Int
        package let digest: String
    }

    /// What both stores have under one name.
    package struct Pair<Value: Sendable & Equatable>: Sendable {
        package let name: String
        package let source: Value
        package let target: Value

        /// Whether they have the same.
        package var isSame: Bool { source == target }
    }

    /// Every table.
    package internal(set) var tables: [Pair<Sum>] = []
    /// The number that each sequence gave last.
    package internal(set) var sequences: [Pair<Int64>] = []

    /// Whether both stores hold the same.
    package var isSame: Bool { tables.allSatisfy(\.isSame) && sequences.allSatisfy(\.isSame) }

    /// For people.
    package var text: String {
        let width = tables.map(\.name.count).max() ?? 0
        let lines = tables.map { table in
            let name = table.name.padding(toWidth: width)
            let rows = "\(table.source.rows)".leading(toWidth: 9)
            let start = table.source.digest.prefix(16)
            return "\(name)  \(rows)  \(table.isSame ? "\(start)…" : Self.difference(table))"
        }
        let numbers = sequences.map { pair in
            pair.isSame ? "\(pair.name) \(pair.source)" : "\(pair.name) \(pair.source), not \(pair.target)"
        }
        return """
            \("table".padding(toWidth: width))       rows  SHA-256 over them
            \(lines.joined(separator: "\n"))
            Numbers given last: \(numbers.joined(separator: ", ")).

            """
    }

    private static func difference(_ table: Pair<Sum>) -> String {
        table.source.rows == table.target.rows
            ? "DIFFERENT ROWS in the target" : "DIFFERENT: \(table.target.rows) rows in the target"
    }
}

extension String {
    /// With spaces after it.
    fileprivate func padding(toWidth width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }

    /// With spaces before it.
    fileprivate func leading(toWidth width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}
