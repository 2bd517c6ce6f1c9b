import Foundation
import SwiftCSV

/// The records of the heartbeat blueprint, as NocoDB exports them: a CSV file with a header.
package struct RecordFile: Sendable {
    /// The largest file, in bytes: its whole text is in memory.
    package static let sizeLimit = 512 * 1024 * 1024

    /// The usual names of the columns.
    package static let mapping = ColumnMapping([
        ColumnMapping.Table(
            name: "records", candidates: [], isRequired: true,
            columns: [
                .init("id", ["Id", "ID", "id", "ncRecordId"]),
                .init("email", ["emailOfAccessor", "Email Of Accessor", "email_of_accessor"], isRequired: true),
                .init("start", ["sessionStartTime", "Session Start Time", "session_start_time"], isRequired: true),
                .init("end", ["sessionEndTime", "Session End Time", "session_end_time"], isRequired: true),
            ])
    ])

    /// A record as it stands in the file.
    package struct Record: Sendable, Equatable {
        /// Where it stands; the header is row 1.
        package let row: Int
        package let id: String?
        package let email: String
        package let start: String
        package let end: String
    }

    package let records: [Record]

    /// Reads a file.
    /// - Throws: ``InvalidField`` when it can't be read, is no CSV, or lacks a column
    package init(path: String, mapping: ColumnMapping) throws(InvalidField) {
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        guard size <= Self.sizeLimit else {
            throw InvalidField("the file", expected: "at most 512 MiB; export \(path) in parts")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw InvalidField("the file", expected: "one that can be read; \(path) can't")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw InvalidField("the file", expected: "in UTF-8; \(path) is not")
        }
        try self.init(text: text, mapping: mapping)
    }

    /// Reads the text of a file.
    /// - Throws: ``InvalidField`` when it is no CSV, or lacks a column
    package init(text: String, mapping: ColumnMapping) throws(InvalidField) {
        let reader = Reader()
        do {
            let file = try CSV<Unread>(string: text, delimiter: Self.delimiter(of: text))
            reader.columns = try Self.places(mapping.table("records"), in: file.header)
            try file.enumerateAsArray(startAt: 1, rowLimit: nil) { reader.add($0) }
        } catch let error as InvalidField {
            throw error
        } catch {
            throw InvalidField(
                "the file", expected: "CSV; after row \(reader.row) there is a quotation mark where none may be")
        }
        records = reader.records
    }

    /// NocoDB offers four; SwiftCSV finds three by itself.
    private static func delimiter(of text: String) -> CSVDelimiter {
        let first = text.prefix { !$0.isNewline }
        return first.contains("|") && !first.contains(where: { ",;\t".contains($0) })
            ? "|" : CSVDelimiter.guessed(string: String(first))
    }

    /// Where each column stands.
    private static func places(
        _ table: ColumnMapping.Table, in header: [String]
    ) throws(InvalidField) -> [String: Int] {
        var places: [String: Int] = [:]
        for column in table.columns {
            places[column.name] = column.candidates.lazy.compactMap { header.firstIndex(of: $0) }.first
            guard places[column.name] != nil || !column.isRequired else {
                throw InvalidField(
                    "records.\(column.name)",
                    expected: """
                        the name of a column of the file; it has \(header.joined(separator: ", ")), see --mapping
                        """)
            }
        }
        return places
    }

    /// Takes rows as SwiftCSV reads them.
    private final class Reader {
        var columns: [String: Int] = [:]
        var records: [Record] = []
        var row = 1

        func add(_ fields: [String]) {
            row += 1
            guard fields.contains(where: { !$0.isEmpty }) else { return }
            records.append(
                Record(
                    row: row, id: field("id", fields)?.nonEmpty, email: field("email", fields) ?? "",
                    start: field("start", fields) ?? "", end: field("end", fields) ?? ""))
        }

        private func field(_ name: String, _ fields: [String]) -> String? {
            columns[name].flatMap { $0 < fields.count ? fields[$0] : nil }
        }
    }

    /// Keeps SwiftCSV from holding every row in memory: they are read one at a time.
    private struct Unread: CSVView {
        var rows: [[String]] { [] }
        var columns: [String: [String]]? { nil }

        init(header: [String], text: String, delimiter: CSVDelimiter, loadColumns: Bool, rowLimit: Int?) {}

        func serialize(header: [String], delimiter: CSVDelimiter) -> String { "" }
    }
}
