import ArgumentParser
import DwellAPI
import Foundation

/// `dwell webhook deliveries`
struct WebhookLogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries", abstract: "The log of deliveries, the latest first; it is kept for 30 days.")

    @OptionGroup var store: StoreOptions

    @Option(help: "Only to the endpoint of this id.")
    var webhook: String?

    @Option(help: "How many at most.")
    var limit = 50

    @Option(help: "table for people; json or csv for programs.")
    var format: ReportFormat = .table

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit must be 1 to 10000, not \(limit)") }
    }

    func run() async throws {
        let unknown = InvalidField("--webhook", expected: "an id that `dwell webhook list` shows")
        let id = try webhook.map { text in
            guard let id = UUID(uuidString: text) else { throw unknown }
            return id
        }
        let open = try await store.open()
        do {
            let page = try await WebhookCommand.webhooks(open).deliveries(to: id, limit: limit)
            FileHandle.standardOutput.write(Data(try format.text(of: page.deliveries).utf8))
        } catch WebhookError.notFound {
            throw unknown
        }
        try open.database.close()
    }
}

/// `dwell webhook replay`
struct WebhookReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Send a delivery again, under the same id; or all that were given up.",
        discussion: "The server sends it, at once when it runs.")

    @OptionGroup var store: StoreOptions

    @Argument(help: "The delivery's id, as `dwell webhook deliveries` shows it.")
    var id: String?

    @Flag(help: "Everything that was given up, in place of one.")
    var failed = false

    @Option(help: "With --failed, from when on: a number of m, h or d, such as 7d, or a date such as 2026-11-21.")
    var since = "30d"

    func validate() throws {
        guard (id == nil) == failed else { throw ValidationError("Name a delivery, or give --failed") }
    }

    func run() async throws {
        let open = try await store.open()
        let webhooks = WebhookCommand.webhooks(open)
        if let id {
            do {
                guard let id = UUID(uuidString: id) else { throw WebhookError.notFound }
                try await webhooks.replay(id)
            } catch WebhookError.notFound {
                throw InvalidField("id", expected: "one that `dwell webhook deliveries` shows, not \(id)")
            } catch WebhookError.disabled {
                throw InvalidField("id", expected: "of an endpoint in use: see `dwell webhook enable`")
            }
            print("\(id) is sent again.")
        } else {
            let count = try await webhooks.replayFailed(since: try AuditCommand.start(since, open.days))
            print("Sent again: \(count).")
        }
        try open.database.close()
    }
}

extension WebhookDelivery: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "id", title: "id"),
            ReportColumn(name: "type", title: "event"),
            ReportColumn(name: "state", title: "state"),
            ReportColumn(name: "attempts", title: "tries"),
            ReportColumn(name: "madeTime", title: "written (UTC)"),
            ReportColumn(name: "triedTime", title: "tried (UTC)"),
            ReportColumn(name: "nextTime", title: "next (UTC)"),
            ReportColumn(name: "status", title: "answer"),
            ReportColumn(name: "error", title: "why not"),
            ReportColumn(name: "webhookId", title: "endpoint"),
            ReportColumn(name: "eventId", title: "webhook-id"),
        ]
    }

    var cells: [ReportCell] {
        [
            .text(id), .text(type.rawValue), .text(state.rawValue), .number(Int64(attempts)), .time(madeTime),
            triedTime.map { .time($0) } ?? .text(""), nextTime.map { .time($0) } ?? .text(""),
            .text(status.map { "\($0)" } ?? ""), .text(error ?? ""), .text(webhookId), .text(eventId),
        ]
    }
}
