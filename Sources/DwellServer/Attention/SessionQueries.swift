import DwellAPI
import Foundation

/// What is asked of, and told to, the session table.
struct SessionQueries {
    let connection: any DatabaseConnection

    private static let entry =
        """
        SELECT session.viewer_id, session.id, session.started_at, session.device_id, session.video_id,
            session.closed_at, device.removed_at, device.removal
        FROM session LEFT JOIN device ON device.id = session.device_id
        """

    /// An entry by its number, and what ended its device, if anything did.
    func entry(viewer: Int64, id: Int64) throws -> (entry: Entry, removal: (Device.Removal, at: Timestamp)?)? {
        try connection.row(
            """
            \(Self.entry) WHERE session.viewer_id = $1 AND session.id = $2 AND session.entry_id = session.id
            """, [viewer, id]
        ).map { row in
            let removal: Device.Removal? = try row["removal"]
            let time: Timestamp? = try row["removed_at"]
            return (try Entry(row: row), removal.flatMap { removal in time.map { (removal, at: $0) } })
        }
    }

    /// The latest entry of a viewer's device that no other has taken the place of.
    func latestEntry(viewer: Int64, device: UUID) throws -> Entry? {
        try connection.row(
            """
            \(Self.entry)
            WHERE session.viewer_id = $1 AND session.device_id = $2 AND session.entry_id = session.id
                AND session.closed_at IS NULL
            ORDER BY session.id DESC LIMIT 1
            """, [viewer, device]
        ).map(Entry.init(row:))
    }

    /// Makes an entry, and its first session with it.
    func enter(viewer: Int64, device: UUID?, videoID: Int64?, at time: Timestamp) throws -> Entry {
        let id = try connection.nextNumber(of: .session)
        let entry = Entry(
            viewer: viewer, id: id, startedAt: time, device: device, videoID: videoID, closedAt: nil)
        try insert(Session(id: id, startedAt: time, lastSeenAt: time), of: entry)
        return entry
    }

    /// Notes that another entry has taken the place of this one.
    func close(_ entry: Entry, at time: Timestamp) throws {
        try connection.execute(
            "UPDATE session SET closed_at = $3 WHERE viewer_id = $1 AND id = $2 AND closed_at IS NULL",
            [entry.viewer, entry.id, time])
    }

    /// The session of an entry that began last before a moment, or at it, and the start of the next one.
    func session(of entry: Entry, at time: Timestamp) throws -> (session: Session, next: Timestamp?)? {
        try connection.row(
            """
            SELECT id, started_at, last_seen_at, (
                SELECT min(started_at) FROM session AS later
                WHERE later.viewer_id = $1 AND later.entry_id = $2 AND later.started_at > session.started_at
            ) AS next_started_at
            FROM session
            WHERE viewer_id = $1 AND entry_id = $2 AND started_at <= $3
            ORDER BY started_at DESC, id LIMIT 1
            """, [entry.viewer, entry.id, time]
        ).map { (try Session(row: $0), try $0["next_started_at"]) }
    }

    /// The sessions of an entry that a window of time reaches, and the one of a given number.
    func sessions(of entry: Entry, within window: Range<Timestamp>, and id: Int64) throws -> [Session] {
        try connection.rows(
            """
            SELECT id, started_at, last_seen_at FROM session
            WHERE viewer_id = $1 AND entry_id = $2 AND (started_at <= $4 AND last_seen_at >= $3 OR id = $5)
            ORDER BY started_at, id
            """,
            [
                entry.viewer, entry.id, window.lowerBound - Session.silence, window.upperBound + Session.silence, id,
            ]
        ).map(Session.init(row:))
    }

    /// Opens the next session of an entry.
    func open(_ entry: Entry, from start: Timestamp, to end: Timestamp) throws -> Session {
        let session = Session(
            id: try connection.nextNumber(of: .session), startedAt: start, lastSeenAt: end)
        try insert(session, of: entry)
        return session
    }

    /// Moves the last sign of life forward, never back.
    func touch(_ session: Session, of entry: Entry, at time: Timestamp) throws {
        guard time > session.lastSeenAt else { return }
        try connection.execute(
            """
            UPDATE session SET last_seen_at = $3
            WHERE viewer_id = $1 AND id = $2 AND last_seen_at < $3
            """, [entry.viewer, session.id, time])
    }

    /// Says anew when a session was.
    func update(_ session: Session, of entry: Entry) throws {
        try connection.execute(
            "UPDATE session SET started_at = $3, last_seen_at = $4 WHERE viewer_id = $1 AND id = $2",
            [entry.viewer, session.id, session.startedAt, session.lastSeenAt])
    }

    /// Removes a session that has no segments left.
    func remove(_ id: Int64, of entry: Entry) throws {
        try connection.execute(
            "DELETE FROM session WHERE viewer_id = $1 AND id = $2", [entry.viewer, id])
    }

    /// When a device logged in.
    func login(of device: UUID) throws -> Timestamp? {
        try connection.row("SELECT last_logged_in_at FROM device WHERE id = $1", [device])?["last_logged_in_at"]
    }

    private func insert(_ session: Session, of entry: Entry) throws {
        try connection.execute(
            """
            INSERT INTO session (viewer_id, id, entry_id, device_id, video_id, started_at, last_seen_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                entry.viewer, session.id, entry.id, entry.device, entry.videoID, session.startedAt,
                session.lastSeenAt,
            ])
    }
}

extension Entry {
    fileprivate init(row: Row) throws {
        self.init(
            viewer: try row["viewer_id"], id: try row["id"], startedAt: try row["started_at"],
            device: try row["device_id"], videoID: try row["video_id"], closedAt: try row["closed_at"])
    }
}

extension Session {
    fileprivate init(row: Row) throws {
        self.init(id: try row["id"], startedAt: try row["started_at"], lastSeenAt: try row["last_seen_at"])
    }
}
