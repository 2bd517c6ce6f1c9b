import Foundation
import Yams

/// What an old service's tables and columns are called: the usual names, changed by a YAML file.
package struct ColumnMapping: Sendable {
    /// A table, or a file.
    package struct Table: Sendable {
        /// What the mapping calls it, such as `users`.
        let name: String
        /// What it may be called there; of several the first that there is. Empty for a file.
        var candidates: [String]
        let isRequired: Bool
        var columns: [Column]
    }

    /// A column.
    package struct Column: Sendable {
        /// What the mapping calls it, such as `first_name`.
        let name: String
        /// What it may be called there; of several the first that there is.
        var candidates: [String]
        let isRequired: Bool

        init(_ name: String, _ candidates: [String], isRequired: Bool = false) {
            self.name = name
            self.candidates = candidates
            self.isRequired = isRequired
        }
    }

    private static let tableKey = "table"

    package private(set) var tables: [Table]

    /// The usual names.
    package init(_ tables: [Table]) {
        self.tables = tables
    }

    /// The usual names, and those of a file in their place.
    /// - Throws: ``InvalidField`` that names the file's first key that is wrong
    package init(_ standard: ColumnMapping, file path: String?) throws(InvalidField) {
        self = standard
        guard let path else { return }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw InvalidField("--mapping", expected: "a file that can be read, not \(path)")
        }
        guard let node = try? Yams.compose(yaml: String(decoding: data, as: UTF8.self)), let mapping = node.mapping
        else {
            throw InvalidField("--mapping", expected: "YAML as --print-mapping prints it; \(path) is not")
        }
        for (key, value) in mapping { try change(key.string ?? "a key", value, in: path) }
    }

    /// The table that the mapping calls by a name.
    func table(_ name: String) -> Table {
        guard let table = tables.first(where: { $0.name == name }) else { preconditionFailure("no table \(name)") }
        return table
    }

    /// As YAML, to be changed and given back.
    package var text: String {
        """
        # What the old tables and columns are called. Of several names the first that there is is taken.
        # [] means that there is none; a line that is left out keeps the names below.

        """ + tables.map(Self.text).joined()
    }

    private static func text(_ table: Table) -> String {
        let lines =
            (table.candidates.isEmpty ? [] : [(tableKey, table.candidates, table.isRequired)])
            + table.columns.map { ($0.name, $0.candidates, $0.isRequired) }
        return "\(table.name):\n"
            + lines.map { "  \($0.0): [\($0.1.joined(separator: ", "))]\($0.2 ? "  # required" : "")\n" }.joined()
    }

    private mutating func change(_ name: String, _ node: Node, in path: String) throws(InvalidField) {
        guard let index = tables.firstIndex(where: { $0.name == name }) else {
            let known = tables.map(\.name).joined(separator: ", ")
            throw InvalidField("\(name) in \(path)", expected: "one of \(known)")
        }
        guard let mapping = node.mapping else {
            throw InvalidField("\(name) in \(path)", expected: "lines of names, as --print-mapping prints them")
        }
        for (key, value) in mapping {
            let names = try Self.names(value, of: "\(name).\(key.string ?? "a key") in \(path)")
            if key.string == Self.tableKey, !tables[index].candidates.isEmpty {
                tables[index].candidates = names
            } else if let column = tables[index].columns.firstIndex(where: { $0.name == key.string }) {
                tables[index].columns[column].candidates = names
            } else {
                let known = tables[index].columns.map(\.name).joined(separator: ", ")
                throw InvalidField("\(name).\(key.string ?? "a key") in \(path)", expected: "one of \(known)")
            }
        }
    }

    private static func names(_ node: Node, of field: String) throws(InvalidField) -> [String] {
        if let sequence = node.sequence {
            let names = sequence.compactMap(\.scalar?.string)
            if names.count == sequence.count { return names }
        } else if let scalar = node.scalar {
            return node.null == nil ? [scalar.string] : []
        }
        throw InvalidField(field, expected: "a name, or a list of names")
    }
}
