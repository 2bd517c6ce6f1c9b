import DwellAPI
import Foundation

/// What is asked of, and told to, the session table.
struct SessionQueries {
    let connection: any DatabaseConnection

    private static let columns =
        "viewer_id, id, started_at, last_seen_at, closed_at, device_id, video_id, continues_id"

    /// A viewer's session by its number.
    func session(viewer: Int64, id: Int64) throws -> Session? {
        try connection.row(
            "SELECT \(Self.columns) FROM session WHERE viewer_id = $1 AND id = $2", [viewer, id]
        ).map(Session.init(row:))
    }

    /// The session that took over when the given one fell silent.
    func successor(of session: Session) throws -> Session? {
        try connection.row(
            "SELECT \(Self.columns) FROM session WHERE viewer_id = $1 AND continues_id = $2",
            [session.viewer, session.id]
        ).map(Session.init(row:))
    }

    /// The latest session of a viewer's device that has not been closed by name.
    func latestSession(viewer: Int64, device: UUID) throws -> Session? {
        try connection.row(
            """
            SELECT \(Self.columns) FROM session
            WHERE viewer_id = $1 AND device_id = $2 AND closed_at IS NULL
            ORDER BY id DESC LIMIT 1
            """, [viewer, device]
        ).map(Session.init(row:))
    }

    /// Opens a session.
    func open(
        viewer: Int64, device: UUID?, videoID: Int64?, continues: Int64?, at start: Timestamp
    ) throws -> Session {
        let id = try connection.nextNumber(of: .session)
        try connection.execute(
            """
            INSERT INTO session (viewer_id, id, device_id, video_id, continues_id, started_at, last_seen_at)
            VALUES ($1, $2, $3, $4, $5, $6, $6)
            """, [viewer, id, device, videoID, continues, start])
        return Session(
            viewer: viewer, id: id, startedAt: start, lastSeenAt: start, closedAt: nil, device: device,
            videoID: videoID, continues: continues)
    }

    /// Moves the last sign of life forward, never back.
    func touch(_ session: Session, at time: Timestamp) throws {
        try connection.execute(
            """
            UPDATE session
            SET last_seen_at = $3, closed_at = CASE WHEN closed_at < $3 THEN $3 ELSE closed_at END
            WHERE viewer_id = $1 AND id = $2 AND last_seen_at < $3
            """, [session.viewer, session.id, time])
    }

    /// Closes a session by name, at its last sign of life.
    func close(_ session: Session) throws {
        try connection.execute(
            """
            UPDATE session SET closed_at = last_seen_at
            WHERE viewer_id = $1 AND id = $2 AND closed_at IS NULL
            """, [session.viewer, session.id])
    }
}

extension Session {
    fileprivate init(row: Row) throws {
        self.init(
            viewer: try row["viewer_id"], id: try row["id"], startedAt: try row["started_at"],
            lastSeenAt: try row["last_seen_at"], closedAt: try row["closed_at"], device: try row["device_id"],
            videoID: try row["video_id"], continues: try row["continues_id"])
    }
}
