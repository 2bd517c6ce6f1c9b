import DwellAPI

/// What is asked of, and told to, the tables of statistics.
struct StatisticQueries {
    let connection: any DatabaseConnection

    /// Takes dirty (viewer, day) pairs off the list; the caller computes them in the same transaction.
    func takeDirty(limit: Int) throws -> [(viewer: Int64, day: Int64)] {
        let pairs = try connection.rows(
            "SELECT viewer_id, day FROM dirty_day ORDER BY viewer_id, day LIMIT $1", [limit]
        ).map { (viewer: try $0["viewer_id"] as Int64, day: try $0["day"] as Int64) }
        for pair in pairs {
            try connection.execute(
                "DELETE FROM dirty_day WHERE viewer_id = $1 AND day = $2", [pair.viewer, pair.day])
        }
        return pairs
    }

    /// The parts of a viewer's segments that lie in a window.
    func segments(viewer: Int64, in window: Range<Timestamp>) throws -> [DayFold.Piece] {
        try connection.rows(
            """
            SELECT segment.started_at, segment.ended_at, segment.attention, segment.page_id, segment.video_id
            FROM session JOIN segment
                ON segment.viewer_id = session.viewer_id AND segment.session_id = session.id
            WHERE session.viewer_id = $1 AND session.started_at < $3 AND session.last_seen_at > $2
                AND segment.started_at < $3 AND segment.ended_at > $2
            """, [viewer, window.lowerBound, window.upperBound]
        ).map { row in
            let start: Timestamp = try row["started_at"]
            let end: Timestamp = try row["ended_at"]
            let contents: [Int64?] = [try row["page_id"], try row["video_id"]]
            return DayFold.Piece(
                interval: (start..<end).clamped(to: window), attention: try row["attention"],
                contents: contents.compactMap(\.self))
        }
    }

    /// Replaces what is known of a viewer's day.
    func replace(viewer: Int64, day: Int64, with totals: [DayFold.Total]) throws {
        try connection.execute(
            "DELETE FROM daily_statistic WHERE viewer_id = $1 AND day = $2", [viewer, day])
        for total in totals {
            try connection.execute(
                """
                INSERT INTO daily_statistic (viewer_id, day, content_id, visible_ms, engaged_ms)
                VALUES ($1, $2, $3, $4, $5)
                """, [viewer, day, total.content, total.visible, total.engaged])
        }
    }

    func removeAll() throws {
        try connection.execute("DELETE FROM daily_statistic")
    }

    /// Marks every day that has a segment.
    func markAllDirty(_ days: LocalDays) throws {
        try connection.execute("DELETE FROM dirty_day")
        let queries = SegmentQueries(connection: connection)
        var marked = (viewer: Int64.min, day: Int64.min)
        try connection.forEachRow(
            "SELECT viewer_id, started_at, ended_at FROM segment WHERE ended_at > started_at", []
        ) { row in
            let viewer: Int64 = try row["viewer_id"]
            let start: Timestamp = try row["started_at"]
            let end: Timestamp = try row["ended_at"]
            for day in days.days(touching: start..<end) where marked != (viewer, day) {
                try queries.markDirty(viewer: viewer, day: day)
                marked = (viewer, day)
            }
        }
    }

    /// The time zone that days are cut in, once a server has noted it.
    func timeZone() throws -> String? {
        try connection.row("SELECT value FROM setting WHERE name = 'time_zone'")?["value"]
    }

    /// Notes the time zone that days are cut in.
    /// - Returns: The one noted before, if any
    func exchangeTimeZone(_ zone: String) throws -> String? {
        let previous = try timeZone()
        try connection.execute(
            """
            INSERT INTO setting (name, value) VALUES ('time_zone', $1)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
            """, [zone])
        return previous
    }

    func accountCount() throws -> Int {
        try connection.row("SELECT count(*) AS count FROM account")?["count"] ?? 0
    }
}
