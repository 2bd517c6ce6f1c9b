import DwellAPI

/// What is asked of, and told to, the tables of statistics.
struct StatisticQueries {
    let connection: any DatabaseConnection

    /// Takes dirty days: they stay dirty until ``release(_:takenBy:)``.
    /// - Parameters:
    ///   - last: Those after this one are taken, in the order of viewers and days
    ///   - taker: A number that nobody else has
    func takeDirty(after last: ViewerDay?, limit: Int, taker: Int64) throws -> [ViewerDay] {
        let lock = connection.dialect == .postgres ? "FOR UPDATE" : ""
        return try connection.rows(
            """
            UPDATE dirty_day SET taker = $4 WHERE (viewer_id, day) IN (
                SELECT viewer_id, day FROM dirty_day WHERE (viewer_id, day) > ($1, $2)
                ORDER BY viewer_id, day LIMIT $3 \(lock)
            )
            RETURNING viewer_id, day
            """, [last?.viewer ?? .min, last?.day ?? .min, limit, taker]
        ).map { ViewerDay(viewer: try $0["viewer_id"], day: try $0["day"]) }.sorted()
    }

    /// Takes a day off the list of dirty ones.
    /// - Returns: Whether it was still taken by this taker: no beat made it dirty again, nobody else took it
    func release(_ day: ViewerDay, takenBy taker: Int64) throws -> Bool {
        try connection.execute(Self.release, [day.viewer, day.day, taker]) == 1
    }

    private static let release = SQLStatement(
        "DELETE FROM dirty_day WHERE viewer_id = $1 AND day = $2 AND taker = $3")

    /// The parts of a viewer's segments that lie in a window.
    func pieces(of viewer: Int64, in window: Range<Timestamp>) throws -> [DayFold.Piece] {
        try connection.values(Self.pieces, [viewer, window.lowerBound, window.upperBound]) {
            try DayFold.Piece(values: &$0, within: window)
        }
    }

    private static let pieces = SQLStatement(
        """
        SELECT \(DayFold.Piece.columns)
        FROM session JOIN segment
            ON segment.viewer_id = session.viewer_id AND segment.session_id = session.id
        WHERE session.viewer_id = $1 AND session.started_at < $3 AND session.last_seen_at >= $2
            AND segment.started_at < $3 AND (segment.ended_at > $2 OR segment.started_at >= $2)
        """)

    /// What is known of a viewer's day.
    func totals(viewer: Int64, day: Int64) throws -> [DayFold.Total] {
        try connection.rows(
            """
            SELECT content_id, visible_ms, engaged_ms, raw_ms, visible_error_ms, engaged_error_ms
            FROM daily_statistic
            WHERE viewer_id = $1 AND day = $2 ORDER BY content_id
            """, [viewer, day]
        ).map { row in
            DayFold.Total(
                content: try row["content_id"], visible: try row["visible_ms"], engaged: try row["engaged_ms"],
                raw: try row["raw_ms"], visibleError: try row["visible_error_ms"],
                engagedError: try row["engaged_error_ms"])
        }
    }

    /// Replaces what is known of a viewer's day.
    /// - Returns: Every content that has or had a part in it
    func replace(viewer: Int64, day: Int64, with totals: [DayFold.Total]) throws -> Set<Int64> {
        var contents: Set<Int64> = Set(totals.map(\.content))
        for row in try connection.rows(Self.forget, [viewer, day]) { contents.insert(try row["content_id"]) }
        for total in totals {
            try connection.execute(
                Self.keep,
                [
                    viewer, day, total.content, total.visible, total.engaged, total.raw, total.visibleError,
                    total.engagedError,
                ])
        }
        return contents
    }

    private static let forget = SQLStatement(
        "DELETE FROM daily_statistic WHERE viewer_id = $1 AND day = $2 RETURNING content_id")
    private static let keep = SQLStatement(
        """
        INSERT INTO daily_statistic (
            viewer_id, day, content_id, visible_ms, engaged_ms, raw_ms, visible_error_ms, engaged_error_ms
        ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """)

    func removeAll() throws {
        try connection.execute("DELETE FROM daily_statistic")
    }

    /// Marks every day that has a segment.
    func markAllDirty(_ days: LocalDays) throws {
        try connection.execute("DELETE FROM dirty_day")
        let queries = SegmentQueries(connection: connection)
        var marked: Set<ViewerDay> = []
        try connection.forEachRow(
            "SELECT viewer_id, started_at, ended_at FROM segment", []
        ) { row in
            let viewer: Int64 = try row["viewer_id"]
            let start: Timestamp = try row["started_at"]
            let end: Timestamp = try row["ended_at"]
            for day in days.days(touching: start..<end) {
                marked.insert(ViewerDay(viewer: viewer, day: day))
            }
            guard marked.count >= 10_000 else { return }
            try queries.markDirty(marked.sorted())
            marked = []
        }
        try queries.markDirty(marked.sorted())
    }

    /// The viewers after a given one, by number.
    func viewers(after number: Int64, limit: Int) throws -> [Int64] {
        try connection.rows(
            "SELECT id FROM viewer WHERE id > $1 ORDER BY id LIMIT $2", [number, limit]
        ).map { try $0["id"] }
    }

    func viewerCount() throws -> Int {
        try connection.row("SELECT count(*) AS count FROM viewer")?["count"] ?? 0
    }

    /// Every day that a viewer has a segment in, or a statistic of.
    func days(of viewer: Int64, _ days: LocalDays) throws -> Set<Int64> {
        var found: Set<Int64> = []
        try connection.forEachRow(
            "SELECT started_at, ended_at FROM segment WHERE viewer_id = $1", [viewer]
        ) { row in
            let start: Timestamp = try row["started_at"]
            found.formUnion(days.days(touching: start..<(try row["ended_at"])))
        }
        try connection.forEachRow(
            "SELECT DISTINCT day FROM daily_statistic WHERE viewer_id = $1", [viewer]
        ) { found.insert(try $0["day"]) }
        return found
    }

    /// Takes a (viewer, day) pair off the list of dirty ones.
    func markClean(viewer: Int64, day: Int64) throws {
        try connection.execute(Self.clean, [viewer, day])
    }

    private static let clean = SQLStatement("DELETE FROM dirty_day WHERE viewer_id = $1 AND day = $2")

    /// The time zone that days are cut in, once a server has noted it.
    func timeZone() throws -> String? {
        try NoteQueries(connection: connection).text(of: .timeZone)
    }

    /// Notes the time zone that days are cut in.
    /// - Returns: The one noted before, if any
    func exchangeTimeZone(_ zone: String) throws -> String? {
        let previous = try timeZone()
        try NoteQueries(connection: connection).set(.timeZone, to: zone)
        return previous
    }

    func accountCount() throws -> Int {
        try connection.row("SELECT count(*) AS count FROM account")?["count"] ?? 0
    }
}
