import DwellAPI

/// A session by its place among its viewer's.
struct SessionKey: Hashable, Comparable, Sendable {
    let viewer: Int64
    let id: Int64

    static func < (left: SessionKey, right: SessionKey) -> Bool {
        (left.viewer, left.id) < (right.viewer, right.id)
    }
}

/// What is asked, and noted, about sessions that ended.
///
/// A session that beats tell of in time is found by when it was heard of last: all up to a moment were looked at, and each
/// passes that moment once. What comes late happens behind it, and is marked.
struct EndedSessionQueries {
    /// What a beat tells of that is older is marked, in milliseconds. Half the silence after which a session is over: no
    /// transaction lasts so long that what it did not mark could be behind the moment by the time it is there.
    static let lateness = Session.silence / 2

    let connection: any DatabaseConnection

    /// Up to when sessions were looked at.
    func through() throws -> Timestamp? {
        try NoteQueries(connection: connection).text(of: .endedThrough).flatMap(Int64.init)
            .map(Timestamp.init(milliseconds:))
    }

    func setThrough(_ time: Timestamp) throws {
        try NoteQueries(connection: connection).set(.endedThrough, to: "\(time.milliseconds)")
    }

    /// Leaves everything that is over by now untold.
    func begin(at time: Timestamp) throws {
        try setThrough(time - Session.silence - 1)
        try connection.execute("DELETE FROM session_to_tell")
    }

    /// The first span of time after a moment, and up to another, in which a session was heard of last.
    func nextSlot(after time: Timestamp, through limit: Timestamp) throws -> Int64? {
        try connection.row(
            """
            SELECT min(seen_slot) AS slot FROM session
            WHERE folded_at IS NULL AND seen_slot >= $1 AND seen_slot <= $2
            """, [time.milliseconds / Session.slotLength, limit.milliseconds / Session.slotLength])?["slot"]
    }

    /// Sessions that were heard of last after a moment, and up to another, and when that was; the first ones first.
    func sessions(
        after time: Timestamp, through end: Timestamp, limit: Int
    ) throws -> [(session: SessionKey, seenAt: Timestamp)] {
        try connection.rows(
            """
            SELECT viewer_id, id, last_seen_at FROM session
            WHERE folded_at IS NULL AND seen_slot >= $1 AND seen_slot <= $2 AND last_seen_at > $3 AND last_seen_at <= $4
            ORDER BY last_seen_at LIMIT $5
            """,
            [
                time.milliseconds / Session.slotLength, end.milliseconds / Session.slotLength, time, end, limit,
            ]
        ).map { (SessionKey(viewer: try $0["viewer_id"], id: try $0["id"]), try $0["last_seen_at"]) }
    }

    /// Lets sessions be looked at whose end is not found by time, where anybody asks for it.
    func mark(_ sessions: Set<SessionKey>) throws {
        guard !sessions.isEmpty, try WebhookOutbox(connection: connection).isAskedFor(.sessionEnded) else { return }
        // Whoever tells takes a mark away only as he met it.
        let mark = Int64.random(in: .min ... .max)
        for session in sessions.sorted() {
            try connection.execute(
                """
                INSERT INTO session_to_tell (viewer_id, session_id, mark) VALUES ($1, $2, $3)
                ON CONFLICT (viewer_id, session_id) DO UPDATE SET mark = excluded.mark
                """, [session.viewer, session.id, mark])
        }
    }

    func marks(limit: Int) throws -> [(session: SessionKey, mark: Int64)] {
        try connection.rows(
            "SELECT viewer_id, session_id, mark FROM session_to_tell ORDER BY viewer_id, session_id LIMIT $1", [limit]
        ).map { (SessionKey(viewer: try $0["viewer_id"], id: try $0["session_id"]), try $0["mark"]) }
    }

    func remove(_ mark: (session: SessionKey, mark: Int64)) throws {
        try connection.execute(
            "DELETE FROM session_to_tell WHERE viewer_id = $1 AND session_id = $2 AND mark = $3",
            [mark.session.viewer, mark.session.id, mark.mark])
    }

    /// A session as the API tells it; `nil` when it is no more, or its viewer is.
    func record(_ session: SessionKey, now: Timestamp) throws -> SessionRecord? {
        let listed = try connection.row(
            ListedSession.query("SELECT * FROM session WHERE viewer_id = $1 AND id = $2"), [session.viewer, session.id]
        ).map(ListedSession.init(row:))
        guard let listed else { return nil }
        let totals =
            try listed.kept
            ?? ReportQueries(connection: connection).folds(of: [(session.viewer, session.id)])[session.id]?
            .totals(lastSeenAt: listed.lastSeenAt)
        return totals.map { listed.record($0, now: now) }
    }

    /// Notes what is told of a session.
    /// - Returns: Whether that was not told before
    func note(_ record: SessionRecord, at time: Timestamp) throws -> Bool {
        try connection.execute(
            """
            INSERT INTO told_session (viewer_id, session_id, figures, told_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (viewer_id, session_id) DO UPDATE SET figures = excluded.figures, told_at = excluded.told_at
            WHERE told_session.figures <> excluded.figures
            """, [record.viewer.id, record.id, record.figures, time]) == 1
    }
}

extension SessionRecord {
    /// When it was, and how long, in one text.
    fileprivate var figures: String {
        [
            sessionStartTime.milliseconds, sessionEndTime.milliseconds, elapsedErrorMs, visibleMs, visibleErrorMs,
            engagedMs, engagedErrorMs,
        ].map { "\($0)" }.joined(separator: " ")
    }
}
