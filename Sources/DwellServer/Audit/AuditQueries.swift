package import DwellAPI
import Foundation

/// What is asked of, and told to, the audit table.
struct AuditQueries {
    let connection: any DatabaseConnection

    func insert(_ entry: AuditEntry) throws {
        let detail = String(decoding: try JSONEncoder.sorted.encode(entry.detail), as: UTF8.self)
        try connection.execute(
            """
            INSERT INTO audit (
                id, at, event, outcome, actor, account_id, viewer_id, subject, address, device_id, detail
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            [
                entry.id, entry.at, entry.event, entry.outcome, entry.actor, entry.account, entry.viewer,
                entry.subject, entry.address, entry.device, detail,
            ])
    }

    /// The lines of a time, the latest first.
    /// - Parameters:
    ///   - time: From then on
    ///   - event: Only these
    ///   - account: Only those about this account
    ///   - subject: Or about whoever was called this
    func entries(since time: Timestamp, event: AuditEvent?, account: UUID?, subject: String?) throws -> [AuditRecord] {
        var conditions = ["at >= $1"]
        var arguments: [any SQLConvertible] = [time]
        func add(_ value: any SQLConvertible) -> String {
            arguments.append(value)
            return "$\(arguments.count)"
        }
        if let event { conditions.append("event = \(add(event))") }
        let who =
            (account.map { ["account_id = \(add($0))"] } ?? []) + (subject.map { ["subject = \(add($0))"] } ?? [])
        if !who.isEmpty { conditions.append("(\(who.joined(separator: " OR ")))") }
        return try connection.rows(
            "SELECT * FROM audit WHERE \(conditions.joined(separator: " AND ")) ORDER BY at DESC, id", arguments
        ).map(AuditRecord.init(row:))
    }

    /// The latest lines.
    /// - Parameter last: The line that the page before ended with
    func page(after last: LatestCursor, limit: Int) throws -> [AuditRecord] {
        try connection.rows(
            "SELECT * FROM audit WHERE at <= $2 AND (at < $2 OR id > $3) ORDER BY at DESC, id LIMIT $1",
            [limit, last.at, last.id]
        ).map(AuditRecord.init(row:))
    }

    /// Lines about a person, the first one first: by the number, the account's UUID and the email. An operator or a key may
    /// be called as the person is.
    func lines(viewer: Int64, account: String?, email: String) throws -> [AuditRecord] {
        try connection.rows(
            """
            SELECT * FROM audit WHERE viewer_id = $1
            UNION SELECT * FROM audit WHERE account_id = $2
            UNION SELECT * FROM audit WHERE subject = $3 AND \(Self.isOfPerson)
            ORDER BY at, id
            """, [viewer, account, email]
        ).map(AuditRecord.init(row:))
    }

    /// The condition on lines whose subject is no operator and no key.
    static let isOfPerson = "event NOT LIKE 'operator-%' AND event NOT LIKE 'key-%' AND event <> 'api-key'"

    func removeOld(before time: Timestamp) throws {
        try connection.execute("DELETE FROM audit WHERE at < $1", [time])
    }
}

extension JSONEncoder {
    fileprivate static var sorted: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}

/// A line of the audit log, as it is read.
package struct AuditRecord: Sendable, Encodable {
    /// Its place in the log.
    let cursor: LatestCursor
    package let at: Timestamp
    package let event: String
    package let outcome: String
    package let actor: String
    /// The account's UUID.
    @Nullable package var accountId: String?
    /// The number of a guest.
    @Nullable package var viewerId: Int64?
    /// The username, the email or the key's name at the time.
    @Nullable package var subject: String?
    @Nullable package var address: String?
    @Nullable package var deviceId: String?
    package let detail: [String: String]

    private enum CodingKeys: String, CodingKey {
        case at, event, outcome, actor, accountId, viewerId, subject, address, deviceId, detail
    }

    fileprivate init(row: Row) throws {
        at = try row["at"]
        cursor = LatestCursor(at: at, id: try row["id"])
        event = try row["event"]
        outcome = try row["outcome"]
        actor = try row["actor"]
        accountId = try row["account_id"]
        viewerId = try row["viewer_id"]
        subject = try row["subject"]
        address = try row["address"]
        deviceId = try row["device_id"]
        detail = try JSONDecoder().decode([String: String].self, from: Data((try row["detail"] as String).utf8))
    }
}
