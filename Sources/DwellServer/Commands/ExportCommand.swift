import ArgumentParser
import DwellAPI
import Foundation

/// `dwell export`
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write everything that was kept to standard output.",
        discussion: """
            It may run beside the server. However much there is, it takes no more memory. Sessions and segments come \
            the newest first, statistics by day, after they were brought up to date.
            """)

    @OptionGroup var store: StoreOptions

    @Argument(help: "sessions, segments or statistics.")
    var kind: ExportKind

    @Option(help: "csv or ndjson, which is one JSON object a line.")
    var format: ExportFormat = .csv

    @Option(help: "Only the person with this email.")
    var email: String?

    @Option(help: "Only the account with this username.")
    var username: String?

    @Option(help: "Only what was seen of this page, by its path.")
    var page: String?

    @Option(help: "Only what was seen of this video.")
    var video: String?

    @Option(
        help: "From this day on, such as 2026-11-21. Sessions and segments take a time as well: their session's start.")
    var from: String?

    @Option(help: "Up to, and without, this day. Sessions and segments take a time as well.")
    var to: String?

    func run() async throws {
        let open = try await store.open()
        let filter = try filter(open.days)
        if kind == .statistics {
            try await Statistics(database: open.database, days: open.days, logger: open.logger).aggregate()
        }
        let exports = Exports(database: open.database, days: open.days, clock: .system)
        let span = try await exports.span(of: kind).map { span in
            let first = filter.from.map { open.days.day(of: $0) } ?? span.lowerBound
            let last = filter.to.map { open.days.day(of: $0 - 1) } ?? span.upperBound
            return max(first, span.lowerBound)...max(first, min(last, span.upperBound), span.lowerBound)
        }
        let bar = ProgressBar(of: "days")
        defer { bar.end() }
        var page = try await exports.open(kind, filter, as: format)
        while true {
            // Nothing of the store is held meanwhile: whoever reads may take his time.
            try FileHandle.standardOutput.write(contentsOf: Data(page.text.utf8))
            if let span, let day = page.day {
                let done = kind == .statistics ? day - span.lowerBound : span.upperBound - day
                bar.show(Int(min(max(done, 0), Int64(span.count))), of: span.count)
            }
            guard let next = page.next else { break }
            page = try await next()
        }
        bar.end()
        try open.database.close()
    }

    private func filter(_ days: LocalDays) throws -> SessionFilter {
        var filter = SessionFilter()
        filter.email = try email.map { try EmailAddress.normalize($0) }
        filter.username = username
        filter.page = page
        filter.video = video
        filter.from = try from.map { try days.start($0, field: "--from", of: kind) }
        filter.to = try to.map { try days.start($0, field: "--to", of: kind) }
        try filter.check(for: kind)
        return filter
    }
}

extension ExportKind: ExpressibleByArgument {}
extension ExportFormat: ExpressibleByArgument {}
