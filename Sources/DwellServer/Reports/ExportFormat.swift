import Foundation

/// How an export is written.
enum ExportFormat: String, CaseIterable {
    case csv, ndjson

    /// The body's type.
    var mediaType: String {
        switch self {
        case .csv: "text/csv"
        case .ndjson: "application/x-ndjson"
        }
    }

    /// What stands before the rows.
    func head<Row: ReportRow>(of row: Row.Type) -> String {
        switch self {
        case .csv: CSVText.head(of: row)
        case .ndjson: ""
        }
    }

    /// A line for each row.
    func lines(of rows: [some ReportRow]) throws -> String {
        switch self {
        case .csv: return CSVText.lines(of: rows)
        case .ndjson:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
            return try rows.reduce(into: "") { $0 += String(decoding: try encoder.encode($1), as: UTF8.self) + "\n" }
        }
    }

    /// The format that an `Accept` header likes best; the first one where it likes both alike.
    /// - Parameter accept: As RFC 9110 has it; `nil` comes back when it refuses both
    init?(accept: String) {
        let ranges = accept.split(separator: ",").map(AcceptedTypes.init)
        let liked = [Self.ndjson, .csv].map { format in
            // The range that says most about a type decides.
            (format, ranges.filter { $0.covers(format.mediaType) }.max { $0.name.count < $1.name.count }?.quality ?? 0)
        }
        guard let best = liked.max(by: { $0.1 <= $1.1 ? $0.1 < $1.1 : false }), best.1 > 0 else { return nil }
        self = best.0
    }
}

/// A part of an `Accept` header.
private struct AcceptedTypes {
    let name: String
    let quality: Double

    init(_ text: Substring) {
        let parts = text.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        name = parts.first ?? ""
        let weight = parts.dropFirst().first { $0.hasPrefix("q=") }
        quality = weight.flatMap { Double($0.dropFirst(2)) } ?? 1
    }

    func covers(_ type: String) -> Bool {
        name == type || name == "*/*" || name.hasSuffix("/*") && type.hasPrefix(name.dropLast())
    }
}
