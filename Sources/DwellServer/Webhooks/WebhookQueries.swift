import DwellAPI
import Foundation

/// What is asked of, and told to, the webhook table.
struct WebhookQueries {
    let connection: any DatabaseConnection

    /// Every endpoint, the oldest first.
    func all() throws -> [Webhook] {
        try connection.rows("SELECT * FROM webhook ORDER BY created_at, id").map(Webhook.init(row:))
    }

    func webhook(_ id: UUID) throws -> Webhook? {
        try connection.row("SELECT * FROM webhook WHERE id = $1", [id]).map(Webhook.init(row:))
    }

    /// The endpoints in use that ask for events of a type.
    func listening(to type: WebhookEventType) throws -> [UUID] {
        try connection.rows(Self.inUse, []).compactMap { row in
            let events: String = try row["events"]
            return events.split(separator: " ").contains(Substring(type.rawValue)) ? try row["id"] : nil
        }
    }

    private static let inUse = SQLStatement("SELECT id, events FROM webhook WHERE disabled_at IS NULL")

    func insert(_ webhook: Webhook) throws {
        try connection.execute(
            "INSERT INTO webhook (id, url, events, secret, created_at) VALUES ($1, $2, $3, $4, $5)",
            [
                webhook.id, webhook.url, webhook.events.map(\.rawValue).sorted().joined(separator: " "),
                webhook.secret.text, webhook.createdAt,
            ])
    }

    /// Removes an endpoint, and its log with it.
    func remove(_ id: UUID) throws {
        try connection.execute("DELETE FROM webhook WHERE id = $1", [id])
    }

    /// Takes an endpoint out of use, or into it again.
    /// - Parameter time: Since when; `nil` is in use
    func disable(_ id: UUID, since time: Timestamp?) throws {
        try connection.execute("UPDATE webhook SET disabled_at = $2 WHERE id = $1", [id, time])
    }

    /// Notes how the last try went.
    /// - Parameter refusal: Why it failed; `nil` when it did not
    func note(_ id: UUID, _ refusal: String?, at time: Timestamp) throws {
        if let refusal {
            try connection.execute(
                "UPDATE webhook SET refused_at = $2, refusal = $3 WHERE id = $1", [id, time, refusal])
        } else {
            try connection.execute("UPDATE webhook SET delivered_at = $2 WHERE id = $1", [id, time])
        }
    }

    /// Every endpoint as operators see it, the oldest first.
    func records() throws -> [WebhookRecord] {
        try connection.rows(
            """
            SELECT webhook.*,
                (SELECT count(*) FROM webhook_delivery AS one
                    WHERE one.webhook_id = webhook.id AND one.next_at IS NOT NULL) AS waiting,
                (SELECT count(*) FROM webhook_delivery AS one
                    WHERE one.webhook_id = webhook.id AND one.state = 'failed') AS failed
            FROM webhook ORDER BY created_at, id
            """
        ).map(WebhookRecord.init(row:))
    }
}

extension Webhook {
    fileprivate init(row: Row) throws {
        guard let secret = WebhookSecret(try row["secret"]) else {
            throw DatabaseError.failure("a webhook without a secret")
        }
        self.init(
            id: try row["id"], url: try row["url"], events: Set(try Self.events(try row["events"])), secret: secret,
            createdAt: try row["created_at"], disabledAt: try row["disabled_at"])
    }

    fileprivate static func events(_ text: String) throws -> [WebhookEventType] {
        text.split(separator: " ").compactMap { WebhookEventType(rawValue: String($0)) }
    }
}

extension WebhookRecord {
    fileprivate init(row: Row) throws {
        self.init(
            id: try row["id"], url: try row["url"], events: try Webhook.events(try row["events"]),
            createdTime: try row["created_at"], disabledTime: try row["disabled_at"], waiting: try row["waiting"],
            failed: try row["failed"], deliveredTime: try row["delivered_at"], refusedTime: try row["refused_at"],
            refusal: try row["refusal"])
    }
}
