import ArgumentParser
import DwellAPI
import Foundation

/// What every report can be asked.
struct ReportOptions: ParsableArguments {
    @OptionGroup var store: StoreOptions

    @Option(help: "Only the person with this email.", transform: ReportOptions.email)
    var email: String?

    @Option(help: "Only the account with this username.")
    var username: String?

    @Option(help: "From this day on, such as 2026-11-21. Sessions take a time as well.")
    var from: String?

    @Option(help: "Up to, and without, this day. Sessions take a time as well.")
    var to: String?

    @Option(help: "table for people; json or csv for programs.")
    var format: ReportFormat = .table

    /// The times that `--from` and `--to` mean.
    struct Range {
        let from: Timestamp?
        let to: Timestamp?
        /// The days that they lie in; `to` itself is not included.
        let firstDay: Int64?
        let lastDay: Int64?
    }

    /// Brings statistics up to date, asks, and prints the answer.
    func print<Element: ReportRow>(_ ask: (Reports, Range) async throws -> [Element]) async throws {
        let open = try await store.open()
        let statistics = Statistics(database: open.database, days: open.days, logger: open.logger)
        try await statistics.aggregate()
        let reports = Reports(database: open.database, days: open.days, clock: .system)
        let rows = try await ask(reports, try range(open.days))
        FileHandle.standardOutput.write(Data(try format.text(of: rows).utf8))
        try open.database.close()
    }

    /// The person and the days that were asked for.
    func scope(_ range: Range) -> Reports.Scope {
        Reports.Scope(email: email, username: username, firstDay: range.firstDay, lastDay: range.lastDay)
    }

    private func range(_ days: LocalDays) throws -> Range {
        let from = try from.map { try days.time($0, field: "--from") }
        let to = try to.map { try days.time($0, field: "--to") }
        if let from, let to, from >= to { throw InvalidField("--to", expected: "after --from") }
        return Range(
            from: from, to: to, firstDay: from.map { days.day(of: $0) }, lastDay: to.map { days.day(of: $0 - 1) })
    }

    private static func email(_ text: String) throws -> String {
        do { return try EmailAddress.normalize(text) } catch { throw ValidationError("--\(error)") }
    }
}
