import DwellAPI
import Foundation

/// A delivery whose turn it is.
struct TakenDelivery: Sendable {
    let id: UUID
    let event: UUID
    let body: String
    /// How often it was tried, this time included.
    let attempts: Int
    let webhook: Webhook
}

/// What is asked of, and told to, the table of deliveries.
struct WebhookDeliveryQueries {
    let connection: any DatabaseConnection

    private static let columns = """
        id, webhook_id, event_id, type, state, attempts, made_at, tried_at, next_at, status, error
        """

    /// Writes an event for an endpoint.
    /// - Parameter viewer: Whom it tells of
    func insert(
        _ body: String, _ type: WebhookEventType, event: UUID, to webhook: UUID, about viewer: Int64?,
        at time: Timestamp
    ) throws {
        try connection.execute(
            """
            INSERT INTO webhook_delivery (
                id, webhook_id, event_id, viewer_id, type, body, state, attempts, made_at, next_at
            ) VALUES ($1, $2, $3, $4, $5, $6, 'waiting', 0, $7, $7)
            """, [UUID(), webhook, event, viewer, type, body, time])
    }

    /// The endpoints that something is due for.
    func due(at time: Timestamp) throws -> [UUID] {
        try connection.rows(
            """
            SELECT id FROM webhook
            WHERE (SELECT min(next_at) FROM webhook_delivery
                WHERE webhook_id = webhook.id AND next_at IS NOT NULL) <= $1
            """, [time]
        ).map { try $0["id"] }
    }

    /// The delivery to an endpoint whose turn it is; nobody else gets it before `next`. When nodes look at the same moment,
    /// one gets it.
    func take(to webhook: UUID, at time: Timestamp, until next: Timestamp) throws -> TakenDelivery? {
        guard let webhook = try WebhookQueries(connection: connection).webhook(webhook), webhook.disabledAt == nil
        else { return nil }
        return try connection.row(
            """
            UPDATE webhook_delivery SET attempts = attempts + 1, tried_at = $2, next_at = $3
            WHERE id = (
                SELECT id FROM webhook_delivery WHERE webhook_id = $1 AND next_at <= $2 ORDER BY next_at, id LIMIT 1
            ) AND next_at <= $2
            RETURNING id, event_id, body, attempts
            """, [webhook.id, time, next]
        ).map { row in
            TakenDelivery(
                id: try row["id"], event: try row["event_id"], body: try row["body"], attempts: try row["attempts"],
                webhook: webhook)
        }
    }

    /// Notes what came of a try, unless the delivery is another's by now.
    /// - Parameter next: When it is tried again; `nil` when it is not
    func finish(
        _ delivery: TakenDelivery, _ state: WebhookDeliveryState, _ answer: WebhookAnswer, next: Timestamp?
    ) throws {
        try connection.execute(
            """
            UPDATE webhook_delivery SET state = $3, status = $4, error = $5, next_at = $6
            WHERE id = $1 AND attempts = $2 AND state = 'waiting'
            """, [delivery.id, delivery.attempts, state, answer.status, answer.refusal, next])
    }

    /// Gives up everything that waits for an endpoint.
    func giveUp(to webhook: UUID, because reason: String) throws {
        try connection.execute(
            """
            UPDATE webhook_delivery SET state = 'failed', next_at = NULL, error = $2
            WHERE webhook_id = $1 AND next_at IS NOT NULL
            """, [webhook, reason])
    }

    /// Lets a delivery begin anew.
    /// - Returns: Whether there is one of this id
    func replay(_ id: UUID, at time: Timestamp) throws -> Bool {
        try connection.execute("\(Self.anew) WHERE id = $2", [time, id]) == 1
    }

    /// Lets everything begin anew that was given up.
    /// - Parameters:
    ///   - time: Of what was tried from then on; what it tells of may be older
    ///   - webhook: Only to this endpoint
    /// - Returns: How many there were
    func replayFailed(since time: Timestamp, to webhook: UUID, at now: Timestamp) throws -> Int {
        try connection.execute(
            "\(Self.anew) WHERE webhook_id = $2 AND state = 'failed' AND coalesce(tried_at, made_at) >= $3",
            [now, webhook, time])
    }

    private static let anew = """
        UPDATE webhook_delivery SET state = 'waiting', attempts = 0, next_at = $1, status = NULL, error = NULL
        """

    /// Whose delivery it is.
    func webhook(of id: UUID) throws -> UUID? {
        try connection.row("SELECT webhook_id FROM webhook_delivery WHERE id = $1", [id])?["webhook_id"]
    }

    /// Deliveries, the latest first.
    /// - Parameters:
    ///   - webhook: Only to this endpoint
    ///   - last: Where the page before ended
    func page(to webhook: UUID?, after last: LatestCursor, limit: Int) throws -> [WebhookDelivery] {
        try connection.rows(
            """
            SELECT \(Self.columns) FROM webhook_delivery
            WHERE made_at <= $2 AND (made_at < $2 OR id > $3)\(webhook == nil ? "" : " AND webhook_id = $4")
            ORDER BY made_at DESC, id LIMIT $1
            """, [limit, last.at, last.id] + (webhook.map { [$0] } ?? [])
        ).map(WebhookDelivery.init(row:))
    }

    /// Forgets what is on its way no more, and what was told of sessions.
    func removeOld(before time: Timestamp) throws {
        try connection.execute(
            """
            DELETE FROM webhook_delivery
            WHERE made_at < $1 AND coalesce(tried_at, made_at) < $1 AND next_at IS NULL
            """, [time])
        try connection.execute("DELETE FROM told_session WHERE told_at < $1", [time])
    }
}

extension WebhookDelivery {
    fileprivate init(row: Row) throws {
        self.init(
            id: try row["id"], webhookId: try row["webhook_id"], eventId: try row["event_id"], type: try row["type"],
            state: try row["state"], attempts: try row["attempts"], madeTime: try row["made_at"],
            triedTime: try row["tried_at"], nextTime: try row["next_at"], status: try row["status"],
            error: try row["error"])
    }

    /// Its place in the log.
    var cursor: LatestCursor { LatestCursor(at: madeTime, id: id) }
}
