import DwellAPI

/// What is asked of, and told to, the store about segments that are folded.
struct RetentionQueries {
    let connection: any DatabaseConnection

    /// The end of the days that are folded: nothing that happened before is credited any more. `nil` when no segment was
    /// ever folded.
    ///
    /// Whoever stores segments asks inside his transaction; in PostgreSQL after his first write, see ``isSettled()``.
    func foldedBefore() throws -> Timestamp? {
        guard let row = try connection.rows(Self.noted, [NoteQueries.Note.foldedBefore.rawValue]).first else {
            return nil
        }
        return Int64(try row["value"] as String).map(Timestamp.init(milliseconds:))
    }

    private static let noted = SQLStatement("SELECT value FROM setting WHERE name = $1")

    func noteFoldedBefore(_ time: Timestamp) throws {
        try NoteQueries(connection: connection).set(.foldedBefore, to: "\(time.milliseconds)")
    }

    /// Whether every transaction has ended that may have begun before ``foldedBefore()`` was noted, and so may have
    /// stored what lies before it.
    func isSettled() throws -> Bool {
        switch connection.dialect {
        case .sqlite: true
        case .postgres:
            try connection.row(
                """
                SELECT 1 AS one FROM setting
                WHERE name = $1 AND age(xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)
                """, [NoteQueries.Note.foldedBefore.rawValue]) != nil
        }
    }

    /// Sessions whose segments are there, and that were over before a time, those that ended first before the others.
    /// - Parameter session: Where to go on
    func sessions(endedBefore time: Timestamp, after session: OldDetail?, limit: Int) throws -> [OldDetail] {
        try connection.rows(
            """
            SELECT seen_slot, viewer_id, id, started_at, last_seen_at, visible_ms IS NOT NULL AS has_totals FROM session
            WHERE folded_at IS NULL AND (seen_slot, viewer_id, id) > ($1, $2, $3) AND seen_slot <= $4
                AND last_seen_at < $5
            ORDER BY seen_slot, viewer_id, id LIMIT $6
            """,
            [
                session?.slot ?? -1, session?.viewer ?? 0, session?.id ?? 0,
                time.milliseconds / Session.slotLength, time, limit,
            ]
        ).map(OldDetail.init(row:))
    }

    /// Whether any of a viewer's days waits to be computed.
    func isDirty(viewer: Int64, days: ClosedRange<Int64>) throws -> Bool {
        try connection.row(
            "SELECT 1 AS one FROM dirty_day WHERE viewer_id = $1 AND day >= $2 AND day <= $3 LIMIT 1",
            [viewer, days.lowerBound, days.upperBound]) != nil
    }

    /// Whether segments of a viewer are gone that were needed to compute a stretch of time anew.
    func isFolded(viewer: Int64, within window: Range<Timestamp>) throws -> Bool {
        try connection.row(
            """
            SELECT 1 AS one FROM session
            WHERE viewer_id = $1 AND started_at < $3 AND last_seen_at >= $2 AND visible_ms IS NOT NULL LIMIT 1
            """, [viewer, window.lowerBound, window.upperBound]) != nil
    }

    /// Keeps a session's totals on its row; what is there already stays.
    func keep(_ totals: SessionTotals, of session: OldDetail) throws {
        try connection.execute(
            """
            UPDATE session SET
                elapsed_error_ms = $3, visible_ms = $4, visible_error_ms = $5, engaged_ms = $6, engaged_error_ms = $7,
                refused_before_ms = $8, refused_future_ms = $9, refused_media_ms = $10
            WHERE viewer_id = $1 AND id = $2 AND visible_ms IS NULL
            """,
            [
                session.viewer, session.id, totals.elapsedError, totals.visible, totals.visibleError, totals.engaged,
                totals.engagedError, totals.refused.beforeSessionMs, totals.refused.futureMs, totals.refused.mediaMs,
            ])
    }

    /// Removes segments of a session.
    /// - Returns: How many; fewer than the limit were the last
    func removeSegments(of session: OldDetail, limit: Int) throws -> Int {
        let keys = try connection.rows(Self.keys, [session.viewer, session.id, limit])
        switch connection.dialect {
        case .sqlite:
            for key in keys {
                try connection.execute(
                    Self.removeOne, [session.viewer] + key.values)
            }
        case .postgres:
            try connection.execute(
                """
                DELETE FROM segment USING unnest($2::bigint[], $3::text[], $4::bigint[]) AS gone (entry_id, tab, n)
                WHERE segment.viewer_id = $1 AND segment.entry_id = gone.entry_id AND segment.tab = gone.tab
                    AND segment.n = gone.n
                """,
                [
                    session.viewer, SQLValue.integers(try keys.map { try $0["entry_id"] }),
                    SQLValue.texts(try keys.map { try $0["tab"] }), SQLValue.integers(try keys.map { try $0["n"] }),
                ])
        }
        return keys.count
    }

    private static let keys = SQLStatement(
        "SELECT entry_id, tab, n FROM segment WHERE viewer_id = $1 AND session_id = $2 LIMIT $3")
    private static let removeOne = SQLStatement(
        "DELETE FROM segment WHERE viewer_id = $1 AND entry_id = $2 AND tab = $3 AND n = $4")

    /// Notes that no segment of a session is left.
    func noteFolded(_ session: OldDetail, at time: Timestamp) throws {
        try connection.execute(
            "UPDATE session SET folded_at = $3 WHERE viewer_id = $1 AND id = $2 AND folded_at IS NULL",
            [session.viewer, session.id, time])
    }
}

/// A session that is old enough to be folded.
struct OldDetail {
    /// The span of time that it ended in.
    let slot: Int64
    let viewer: Int64
    let id: Int64
    let startedAt: Timestamp
    let lastSeenAt: Timestamp
    /// Whether the totals are on its row, and some of its segments may be gone.
    let hasTotals: Bool

    fileprivate init(row: Row) throws {
        slot = try row["seen_slot"]
        viewer = try row["viewer_id"]
        id = try row["id"]
        startedAt = try row["started_at"]
        lastSeenAt = try row["last_seen_at"]
        hasTotals = try row["has_totals"]
    }
}
