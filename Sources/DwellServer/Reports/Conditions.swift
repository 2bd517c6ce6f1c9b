import DwellAPI
import Foundation

/// Conditions joined by AND, with their values as bound parameters.
struct Conditions {
    private(set) var arguments: [any SQLConvertible] = []
    private var parts: [String] = []
    /// The condition on `daily_statistic.day`.
    private(set) var days = "TRUE"

    init() {}

    /// What reports go by. Whoever asks about everybody does not mean those who are excluded; who asks about somebody does.
    init(_ scope: Reports.Scope, viewers: [Int64]?, on column: String) {
        if viewers == nil { parts.append("\(column) NOT IN \(ExclusionQueries.all)") }
        if let viewers {
            let list = viewers.map { placeholders(in: "?", $0) }.joined(separator: ", ")
            parts.append(viewers.isEmpty ? "FALSE" : "\(column) IN (\(list))")
        }
        if let first = scope.firstDay { days += placeholders(in: " AND daily_statistic.day >= ?", first) }
        if let last = scope.lastDay { days += placeholders(in: " AND daily_statistic.day <= ?", last) }
    }

    var sql: String { parts.isEmpty ? "TRUE" : parts.joined(separator: " AND ") }

    /// Adds a condition; each `?` in it takes the next value.
    mutating func add(_ condition: String, _ values: any SQLConvertible...) {
        parts.append(numbered(condition, values))
    }

    /// Numbers the `?` of a condition that stands elsewhere in the statement.
    mutating func placeholders(in condition: String, _ values: any SQLConvertible...) -> String {
        numbered(condition, values)
    }

    private mutating func numbered(_ condition: String, _ values: [any SQLConvertible]) -> String {
        var numbered = condition
        for value in values {
            arguments.append(value)
            if let place = numbered.range(of: "?") { numbered.replaceSubrange(place, with: "$\(arguments.count)") }
        }
        return numbered
    }
}
