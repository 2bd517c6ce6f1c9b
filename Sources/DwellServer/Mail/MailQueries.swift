import DwellAPI
import Foundation

/// A mail that waits to be sent.
struct QueuedMail: Sendable {
    let id: UUID
    let kind: Letter.Kind
    /// An address.
    let recipient: String
    /// All of it, as it is sent.
    let message: String
    /// How many times it was tried, this time included.
    let attempts: Int
    /// When it is worth nothing any more.
    let expiresAt: Timestamp
    /// The gate that it holds a code for.
    var gate: String?
}

/// What is asked of, and told to, the mail table.
struct MailQueries {
    let connection: any DatabaseConnection

    func count() throws -> Int {
        try connection.row("SELECT count(*) AS number FROM mail")?["number"] ?? 0
    }

    func insert(_ mail: QueuedMail, at time: Timestamp) throws {
        try connection.execute(
            """
            INSERT INTO mail (id, kind, recipient, message, attempts, queued_at, next_at, expires_at, gate)
            VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)
            """, [mail.id, mail.kind, mail.recipient, mail.message, mail.attempts, time, mail.expiresAt, mail.gate])
    }

    func isAnyDue(at time: Timestamp) throws -> Bool {
        try connection.row("SELECT 1 AS one FROM mail WHERE next_at <= $1 LIMIT 1", [time]) != nil
    }

    /// The mail whose turn it is; nobody else gets it before `next`. When nodes look at the same moment, one gets it.
    func take(at time: Timestamp, until next: Timestamp) throws -> QueuedMail? {
        try connection.row(
            """
            UPDATE mail SET attempts = attempts + 1, next_at = $2
            WHERE id = (SELECT id FROM mail WHERE next_at <= $1 ORDER BY next_at, id LIMIT 1) AND next_at <= $1
            RETURNING id, kind, recipient, message, attempts, expires_at, gate
            """, [time, next]
        ).map { row in
            QueuedMail(
                id: try row["id"], kind: try row["kind"], recipient: try row["recipient"],
                message: try row["message"], attempts: try row["attempts"], expiresAt: try row["expires_at"],
                gate: try row["gate"])
        }
    }

    func postpone(_ id: UUID, until time: Timestamp) throws {
        try connection.execute("UPDATE mail SET next_at = $2 WHERE id = $1", [id, time])
    }

    func remove(_ id: UUID) throws {
        try connection.execute("DELETE FROM mail WHERE id = $1", [id])
    }
}
