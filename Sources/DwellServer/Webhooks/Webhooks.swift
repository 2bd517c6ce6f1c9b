package import DwellAPI
package import Foundation
import NIOCore

/// Adds endpoints, lists them, and lets deliveries begin anew.
package struct Webhooks: Sendable {
    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// Every endpoint, the oldest first, and how it has gone lately.
    package func list() async throws -> [WebhookRecord] {
        try await database.read { try WebhookQueries(connection: $0).records() }
    }

    /// Adds an endpoint. It is told of what happens from now on; of sessions, of those that end from now on.
    /// - Throws: ``InvalidField`` named `url` or `events`
    package func add(
        url: String, events: [String], by asker: WebhookAsker = WebhookAsker()
    ) async throws -> NewWebhook {
        let url = try WebhookRules.check(url: url)
        let events = try WebhookRules.check(events: events)
        let now = clock.now()
        let webhook = Webhook(id: UUID(), url: url, events: events, secret: WebhookSecret(), createdAt: now)
        let record = try await database.write { connection in
            let queries = WebhookQueries(connection: connection)
            guard try queries.all().count < WebhookRules.limit else {
                throw InvalidField("url", expected: "one of at most \(WebhookRules.limit): remove another first")
            }
            try Self.beginTelling(of: events, at: now, connection)
            try queries.insert(webhook)
            try Self.note(.webhookAddition, webhook, by: asker, at: now, connection)
            return try queries.records().first { $0.id == webhook.id.lowercase }
        }
        guard let record else { throw DatabaseError.failure("a webhook that is not there") }
        return NewWebhook(webhook: record, secret: webhook.secret.text)
    }

    /// Removes an endpoint, what waits for it, and its log.
    /// - Throws: ``WebhookError/notFound``
    package func remove(_ id: UUID, by asker: WebhookAsker = WebhookAsker()) async throws {
        let now = clock.now()
        try await database.write { connection in
            let queries = WebhookQueries(connection: connection)
            guard let webhook = try queries.webhook(id) else { throw WebhookError.notFound }
            try queries.remove(id)
            try Self.note(.webhookRemoval, webhook, by: asker, at: now, connection)
        }
    }

    /// Takes an endpoint into use again that answered 410. What was given up stays so, until it is replayed.
    /// - Throws: ``WebhookError/notFound``
    package func enable(_ id: UUID) async throws {
        let now = clock.now()
        try await database.write { connection in
            let queries = WebhookQueries(connection: connection)
            guard let webhook = try queries.webhook(id) else { throw WebhookError.notFound }
            guard webhook.disabledAt != nil else { return }
            try Self.beginTelling(of: webhook.events, at: now, connection)
            try queries.disable(id, since: nil)
            try Self.note(.webhookEnabling, webhook, by: WebhookAsker(), at: now, connection)
        }
    }

    /// Sends an event that tells nothing, now, and past the log.
    /// - Throws: ``WebhookError/notFound``
    package func test(_ id: UUID, _ send: WebhookCourier.Send) async throws -> WebhookAnswer {
        guard let webhook = try await database.read({ try WebhookQueries(connection: $0).webhook(id) }) else {
            throw WebhookError.notFound
        }
        let now = clock.now()
        let body = String(buffer: try JSONBody.encode(WebhookEvent(WebhookPing(), at: now)))
        return try await send(WebhookRequest(body, event: UUID(), to: webhook, at: now))
    }

    /// A page of the log, the latest delivery first.
    /// - Parameters:
    ///   - id: Only to this endpoint
    ///   - last: Where the page before ended
    ///   - limit: The most deliveries of the page
    /// - Throws: ``WebhookError/notFound``
    package func deliveries(
        to id: UUID? = nil, after last: LatestCursor = .start, limit: Int
    ) async throws -> WebhookDeliveryPage {
        try await database.read { connection in
            if let id, try WebhookQueries(connection: connection).webhook(id) == nil { throw WebhookError.notFound }
            // One more than asked for tells whether there is a next page.
            let found = try WebhookDeliveryQueries(connection: connection)
                .page(to: id, after: last, limit: limit + 1)
            let page = Array(found.prefix(limit))
            return WebhookDeliveryPage(
                deliveries: page, nextCursor: found.count > page.count ? page.last?.cursor.text : nil)
        }
    }

    /// Sends a delivery again, with all its tries before it and under the same id.
    /// - Throws: ``WebhookError``
    package func replay(_ id: UUID, by asker: WebhookAsker = WebhookAsker()) async throws {
        let now = clock.now()
        try await database.write { connection in
            let deliveries = WebhookDeliveryQueries(connection: connection)
            guard let owner = try deliveries.webhook(of: id),
                let webhook = try WebhookQueries(connection: connection).webhook(owner)
            else { throw WebhookError.notFound }
            guard webhook.disabledAt == nil else { throw WebhookError.disabled }
            guard try deliveries.replay(id, at: now) else { throw WebhookError.notFound }
            try Self.note(
                .webhookReplay, webhook, by: asker, at: now, detail: ["delivery": id.lowercase], connection)
        }
    }

    /// Sends everything again that was given up.
    /// - Parameter time: Of what was written from then on
    /// - Returns: How many deliveries
    package func replayFailed(since time: Timestamp) async throws -> Int {
        let now = clock.now()
        return try await database.write { connection in
            var count = 0
            for webhook in try WebhookQueries(connection: connection).all() where webhook.disabledAt == nil {
                let replayed = try WebhookDeliveryQueries(connection: connection)
                    .replayFailed(since: time, to: webhook.id, at: now)
                count += replayed
                guard replayed > 0 else { continue }
                try Self.note(
                    .webhookReplay, webhook, by: WebhookAsker(), at: now, detail: ["deliveries": "\(replayed)"],
                    connection)
            }
            return count
        }
    }

    /// Forgets what is past its time.
    func removeOld() async throws {
        let limit = clock.now() - WebhookRules.kept
        try await database.write { try WebhookDeliveryQueries(connection: $0).removeOld(before: limit) }
    }

    /// Sessions that are over by now are nobody's news.
    private static func beginTelling(
        of events: Set<WebhookEventType>, at time: Timestamp, _ connection: any DatabaseConnection
    ) throws {
        guard events.contains(.sessionEnded), try !WebhookOutbox(connection: connection).isAskedFor(.sessionEnded)
        else { return }
        try EndedSessionQueries(connection: connection).begin(at: time)
    }

    /// Notes in the audit log what was done with an endpoint.
    static func note(
        _ event: AuditEvent, _ webhook: Webhook, by asker: WebhookAsker, at time: Timestamp,
        detail: [String: String] = [:], _ connection: any DatabaseConnection
    ) throws {
        let more = ["webhook": webhook.id.lowercase].merging(asker.name) { first, _ in first }
        try AuditLog.write(
            AuditEntry(
                event, by: asker.actor, at: time, subject: webhook.host, address: asker.address,
                detail: detail.merging(more) { first, _ in first }), connection)
    }
}

/// Who does something with an endpoint, for the audit log; by itself, whoever runs commands.
package struct WebhookAsker: Sendable {
    var actor = AuditActor.operator
    /// Where the request came from.
    var address: ClientAddress?
    /// Such as the key's, where it was one.
    var name: [String: String] = [:]

    package init() {}

    init(key: APIKey, from address: ClientAddress?) {
        name = ["key": key.name]
        self.address = address
    }

    init(operator name: String, from address: ClientAddress?) {
        self.name = ["operator": name]
        self.address = address
    }

    /// The server itself.
    static var system: WebhookAsker {
        var asker = WebhookAsker()
        asker.actor = .system
        return asker
    }
}

/// Why something about a webhook can't be done.
package enum WebhookError: Error, Equatable {
    /// No such endpoint or delivery.
    case notFound
    /// The endpoint answered 410.
    case disabled
}
