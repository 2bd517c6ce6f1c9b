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

    /// Opens the session that follows one which fell silent. That one's boundary is fixed from now on: late beats must
    /// not stretch it over the next.
    func open(at start: Timestamp, after session: Session) throws -> Session {
        try connection.execute(
            "UPDATE session SET closed_at = $3 WHERE viewer_id = $1 AND id = $2 AND closed_at IS NULL",
            [session.viewer, session.id, session.boundary])
        return try open(
            viewer: session.viewer, device: session.device, videoID: session.videoID, continues: session.id, at: start)
    }

    /// The session for a moment that lies after one session and before the next: the next, begun earlier, when the
    /// moment is within its reach, or a new one between the two.
    func open(at start: Timestamp, between earlier: Session, and next: Session) throws -> Session {
        if next.startedAt - start <= Session.silence {
            try connection.execute(
                "UPDATE session SET started_at = $3 WHERE viewer_id = $1 AND id = $2",
                [next.viewer, next.id, start])
            return next.started(at: start)
        }
        try connection.execute(
            "UPDATE session SET continues_id = NULL WHERE viewer_id = $1 AND id = $2", [next.viewer, next.id])
        let between = try open(at: start, after: earlier)
        try connection.execute(
            "UPDATE session SET continues_id = $3 WHERE viewer_id = $1 AND id = $2",
            [next.viewer, next.id, between.id])
        return between
    }

    /// When a device logged in.
    func login(of device: UUID) throws -> Timestamp? {
        try connection.row("SELECT last_logged_in_at FROM device WHERE id = $1", [device])?["last_logged_in_at"]
    }

    /// Moves the last sign of life forward, never back.
    func touch(_ session: Session, at time: Timestamp) throws {
        try connection.execute(
            """
            UPDATE session SET last_seen_at = $3
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
