import DwellAPI

/// A row that reports and exports print: as an object for programs, as cells for people and for CSV.
protocol ReportRow: Encodable {
    static var columns: [ReportColumn] { get }
    var cells: [ReportCell] { get }
}

/// A column's heading.
struct ReportColumn {
    let name: String
    /// For people.
    let title: String
}

/// A cell's value.
enum ReportCell {
    case text(String)
    case number(Int64)
    /// Milliseconds; people read them as hours, minutes and seconds.
    case duration(Int64)
    /// A part of a whole, from 0 to 1; people read it in percent.
    case part(Double)
    /// The largest possible error of the duration before it, in milliseconds.
    case error(Int64)
    case time(Timestamp)

    var isRight: Bool {
        switch self {
        case .number, .duration, .part: true
        case .text, .time, .error: false
        }
    }

    /// For programs.
    var plain: String {
        switch self {
        case .text(let text): text
        case .number(let number), .duration(let number), .error(let number): "\(number)"
        case .part(let part): "\(part)"
        case .time(let time): time.description
        }
    }
}

/// CSV by RFC 4180; a cell that a spreadsheet would take for a formula is defanged with an apostrophe.
enum CSVText {
    /// The line of headings.
    static func head<Row: ReportRow>(of row: Row.Type) -> String {
        line(Row.columns.map { .text($0.name) })
    }

    /// A line for each row.
    static func lines(of rows: some Sequence<some ReportRow>) -> String {
        rows.reduce(into: "") { $0 += line($1.cells) }
    }

    private static func line(_ cells: [ReportCell]) -> String {
        cells.map { quoted($0.plain) }.joined(separator: ",") + "\r\n"
    }

    private static func quoted(_ text: String) -> String {
        // Bytes, not characters: a line end of two scalars is one character.
        let safe = text.utf8.first.map { "=+-@\t\r\n".utf8.contains($0) } == true ? "'" + text : text
        guard safe.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return safe }
        return "\"" + safe.replacing("\"", with: "\"\"") + "\""
    }
}
