import ArgumentParser
import DwellAPI
import Foundation

/// How a report is printed.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv

    /// The whole report.
    func text<Element: ReportRow>(of rows: [Element]) throws -> String {
        switch self {
        case .table: Self.table(rows)
        case .csv: CSVText.head(of: Element.self) + CSVText.lines(of: rows)
        case .json: try Self.json(rows)
        }
    }

    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .withoutEscapingSlashes, .sortedKeys]
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }

    private static func table<Element: ReportRow>(_ rows: [Element]) -> String {
        guard !rows.isEmpty else { return "Nothing yet.\n" }
        let titles = Element.columns.map(\.title)
        let cells = rows.map(\.cells)
        let widths = titles.indices.map { column in
            max(titles[column].count, cells.map { $0[column].readable.count }.max() ?? 0)
        }
        let head = titles.indices.map { column in
            pad(titles[column], to: widths[column], right: cells[0][column].isRight)
        }
        let body = cells.map { row in
            row.indices.map { pad(row[$0].readable, to: widths[$0], right: row[$0].isRight) }
        }
        let rule = widths.map { String(repeating: "-", count: $0) }
        return ([head, rule] + body).map { line($0) }.joined()
    }

    private static func line(_ cells: [String]) -> String {
        var line = cells.joined(separator: "  ")
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }

    private static func pad(_ text: String, to width: Int, right: Bool) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return right ? space + text : text + space
    }
}

extension ReportCell {
    /// For people. Control characters and those that turn the direction of text are taken out: what visitors typed must
    /// not move the cursor, or make other cells look different.
    var readable: String {
        switch self {
        case .text(let text):
            text.filter {
                !$0.unicodeScalars.contains { $0.properties.generalCategory == .control || $0.properties.isBidiControl }
            }
        case .number(let number): "\(number)"
        case .duration(let milliseconds): Self.clock(seconds: (milliseconds + 500) / 1000)
        // Down, so that only the whole is 100 %.
        case .part(let part): "\(Int(part * 100)) %"
        case .error(let milliseconds):
            // Up to the next second: an error must not be made to look smaller.
            "±"
                + Duration.seconds((milliseconds + 999) / 1000).formatted(
                    .units(allowed: [.days, .hours, .minutes, .seconds], width: .narrow))
        case .time(let time): String(time.description.prefix(19)).replacing("T", with: " ")
        }
    }

    /// Such as `0:06:52`. `Duration.formatted` would write the same, and more slowly; a page of a year has thousands.
    private static func clock(seconds: Int64) -> String {
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let hours = seconds / 3600
        return "\(hours < 1000 ? "\(hours)" : hours.formatted()):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }
}
