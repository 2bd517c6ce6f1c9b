import ArgumentParser
import DwellAPI
import Foundation
import NIOPosix

/// `dwell webhook`
struct WebhookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhook", abstract: "Who is told of what happens.",
        discussion: "Events: \(WebhookEventType.offered.map(\.rawValue).joined(separator: ", ")).",
        subcommands: [
            Add.self, List.self, Remove.self, Enable.self, Test.self, WebhookLogCommand.self,
            WebhookReplayCommand.self,
        ])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an endpoint. Its secret is shown once.",
            discussion: "It is told of what happens from now on.")

        @OptionGroup var store: StoreOptions

        @Argument(help: "Such as https://example.com/hook; http:// only on this machine.")
        var url: String

        @Option(help: "What it is told of; repeat it for more.")
        var event: [String]

        func run() async throws {
            let open = try await store.open(orMake: true)
            let added = try await WebhookCommand.webhooks(open).add(url: url, events: event)
            print("Added \(added.webhook.id). Its secret can't be shown again; deliveries are signed with it:")
            print(added.secret)
            try open.database.close()
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Every endpoint, the oldest first, and how it has gone lately.")

        @OptionGroup var store: StoreOptions

        @Option(help: "table for people; json or csv for programs.")
        var format: ReportFormat = .table

        func run() async throws {
            let open = try await store.open()
            let text = try format.text(of: try await WebhookCommand.webhooks(open).list())
            FileHandle.standardOutput.write(Data(text.utf8))
            try open.database.close()
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove an endpoint, what waits for it, and its log.")

        @OptionGroup var webhook: WebhookOptions

        func run() async throws {
            try await webhook.run { webhooks, id in
                try await webhooks.remove(id)
                print("\(webhook.id) is removed.")
            }
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take an endpoint into use again that answered 410.")

        @OptionGroup var webhook: WebhookOptions

        func run() async throws {
            try await webhook.run { webhooks, id in
                try await webhooks.enable(id)
                print("\(webhook.id) is in use. What was given up: `dwell webhook replay --failed`.")
            }
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send an endpoint an event of type ping, now, and tell what it answers.")

        @OptionGroup var webhook: WebhookOptions

        func run() async throws {
            try await webhook.run { webhooks, id in
                let answer = try await webhooks.test(id, WebhookClient(pool: .singleton).post)
                if let refusal = answer.refusal {
                    throw InvalidField("the endpoint", expected: "to answer 200 to 299: \(refusal)")
                }
                print("It answered \(answer.status ?? 0).")
            }
        }
    }

    static func webhooks(_ open: OpenStore) -> Webhooks {
        Webhooks(database: open.database, clock: .system)
    }
}

/// Which endpoint a command is about.
struct WebhookOptions: ParsableArguments {
    @OptionGroup var store: StoreOptions

    @Argument(help: "The endpoint's id, as `dwell webhook list` shows it.")
    var id: String

    /// Runs `body` with the endpoint's id.
    /// - Throws: ``InvalidField`` when there is no such endpoint
    func run(_ body: (Webhooks, UUID) async throws -> Void) async throws {
        let unknown = InvalidField("id", expected: "one that `dwell webhook list` shows, not \(id)")
        guard let number = UUID(uuidString: id) else { throw unknown }
        let open = try await store.open()
        do {
            try await body(WebhookCommand.webhooks(open), number)
        } catch WebhookError.notFound {
            throw unknown
        }
        try open.database.close()
    }
}

extension WebhookRecord: ReportRow {
    static var columns: [ReportColumn] {
        [
            ReportColumn(name: "id", title: "id"),
            ReportColumn(name: "url", title: "url"),
            ReportColumn(name: "events", title: "events"),
            ReportColumn(name: "disabledTime", title: "out of use (UTC)"),
            ReportColumn(name: "waiting", title: "waiting"),
            ReportColumn(name: "failed", title: "given up"),
            ReportColumn(name: "deliveredTime", title: "took the last (UTC)"),
            ReportColumn(name: "refusedTime", title: "refused last (UTC)"),
            ReportColumn(name: "refusal", title: "why"),
        ]
    }

    var cells: [ReportCell] {
        [
            .text(id), .text(url), .text(events.map(\.rawValue).joined(separator: " ")),
            disabledTime.map { .time($0) } ?? .text(""), .number(Int64(waiting)), .number(Int64(failed)),
            deliveredTime.map { .time($0) } ?? .text(""), refusedTime.map { .time($0) } ?? .text(""),
            .text(refusal ?? ""),
        ]
    }
}
