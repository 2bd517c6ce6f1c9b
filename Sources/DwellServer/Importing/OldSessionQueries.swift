import DwellAPI
import Foundation

/// What is asked of, and told to, the store about sessions of old services.
struct OldSessionQueries {
    let connection: any DatabaseConnection

    /// A session that was imported before.
    struct Known {
        let entry: Int64
        let start: Timestamp
        let end: Timestamp
    }

    /// The guest with an email, if there is one.
    func guest(email: String) throws -> Int64? {
        try connection.row("SELECT id FROM viewer WHERE email = $1", [email])?["id"]
    }

    func find(_ session: OldSession, of viewer: Int64) throws -> Known? {
        try connection.row(
            "SELECT entry_id, started_at, ended_at FROM segment WHERE viewer_id = $1 AND tab = $2",
            [viewer, session.tab]
        ).map { Known(entry: try $0["entry_id"], start: try $0["started_at"], end: try $0["ended_at"]) }
    }

    /// Makes an entry with one session and one segment. Nobody said why it ended.
    func insert(_ session: OldSession, of viewer: Int64, videoID: Int64?) throws {
        let number = try connection.nextNumber(of: .session)
        try connection.execute(
            """
            INSERT INTO session (viewer_id, id, entry_id, device_id, video_id, started_at, last_seen_at, seen_slot)
            VALUES ($1, $2, $2, $3, $4, $5, $6, $7)
            """,
            [
                viewer, number, session.device, videoID, session.start, session.end,
                session.end.milliseconds / Session.slotLength,
            ])
        try GateVisitorQueries(connection: connection).note(viewer, through: .standard, at: session.start)
        try connection.execute(
            """
            INSERT INTO segment (
                viewer_id, entry_id, tab, n, session_id, started_at, ended_at, attention, video_id, unsure_ms,
                first_beat_at, last_beat_at
            ) VALUES ($1, $2, $3, 0, $2, $4, $5, $6, $7, $8, $5, $5)
            """,
            [
                viewer, number, session.tab, session.start, session.end, Attention.active, videoID,
                OldSessionRules.unsure,
            ])
    }

    /// Moves the end of a session that went on after it was imported.
    func extend(_ known: Known, as session: OldSession, of viewer: Int64) throws {
        try connection.execute(
            """
            UPDATE segment SET ended_at = $4, last_beat_at = $4
            WHERE viewer_id = $1 AND entry_id = $2 AND tab = $3 AND ended_at < $4
            """, [viewer, known.entry, session.tab, session.end])
        try connection.execute(
            """
            UPDATE session SET last_seen_at = $3, seen_slot = $4
            WHERE viewer_id = $1 AND id = $2 AND last_seen_at < $3
            """, [viewer, known.entry, session.end, session.end.milliseconds / Session.slotLength])
    }
}
