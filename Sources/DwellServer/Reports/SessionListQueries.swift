import DwellAPI

/// Finds sessions, the newest first.
struct SessionListQueries {
    /// How many sessions are looked into together, where most may be of no use.
    private static let batchSize = 200

    let connection: any DatabaseConnection
    let days: LocalDays
    /// A content that more people see in a day is found fast enough by going through all sessions of the day.
    var dailyViewers = 1000

    /// A page or a video that was seen.
    private struct Content {
        let kind: ContentKind
        let id: Int64
    }

    /// The newest sessions that a filter lets through.
    func sessions(_ filter: SessionFilter, limit: Int) throws -> [ListedSession] {
        let queries = ReportQueries(connection: connection)
        var contents: [Content] = []
        for (kind, name) in [(ContentKind.page, filter.page), (.video, filter.video)] {
            guard let name else { continue }
            guard let id = try queries.content(kind, name) else { return [] }
            contents.append(Content(kind: kind, id: id))
        }
        if let viewers = try queries.viewers(of: filter) {
            let found = try viewers.flatMap { viewer in
                var conditions = Self.conditions(filter, contents)
                conditions.add("session.viewer_id = ?", viewer)
                return try newest(conditions, limit: limit)
            }
            return Self.newest(found, limit: limit)
        }
        guard let rarest = contents.first else { return try newest(Self.conditions(filter, contents), limit: limit) }
        return try sessions(filter, contents, seen: rarest.id, limit: limit)
    }

    /// Looks day by day for the sessions of those who saw a content, or whose day is not computed yet.
    ///
    /// A session is found by the day on which the content was seen. With a cursor, and where many saw it, that is taken to be
    /// the day after the session began at the latest.
    private func sessions(
        _ filter: SessionFilter, _ contents: [Content], seen content: Int64, limit: Int
    ) throws -> [ListedSession] {
        // What began before midnight began on the day before.
        let last = [filter.cursor?.startedAt, filter.to.map { $0 - 1 }].compactMap(\.self).min()
            .map { days.day(of: $0) + 1 }
        let first = filter.from.map { days.day(of: $0) } ?? .min
        var waiting: [Int64: Timestamp] = [:]
        // A day into which sessions of the day before may have gone on that are not looked for yet.
        var crossed: Range<Timestamp>?
        var found: [ListedSession] = []
        var day = try newestDay(of: content, before: last.map { $0 + 1 } ?? .max)
        while let current = day, current >= first, found.count < limit {
            let window = days.range(of: current)
            let isOfFew = try viewerCount(of: content, on: current) < dailyViewers
            if let later = crossed, isOfFew || later.lowerBound != window.upperBound {
                waiting.merge(try candidates(filter, throughMidnightTo: later)) { start, _ in start }
            }
            crossed = nil
            if isOfFew {
                waiting.merge(try candidates(filter, seen: content, on: current, window)) { start, _ in start }
                // Whatever an earlier day brings began before this one.
                let certain = waiting.filter { $0.value >= window.lowerBound }
                found += try listed(certain, contents, limit: limit - found.count)
            } else {
                found += try newest(
                    Self.conditions(filter.ofThoseBegun(in: window), contents), limit: limit - found.count)
                crossed = window
            }
            waiting = waiting.filter { $0.value < window.lowerBound }
            day = try newestDay(of: content, before: current)
        }
        guard found.count < limit else { return found }
        if let later = crossed { waiting.merge(try candidates(filter, throughMidnightTo: later)) { start, _ in start } }
        return found + (try listed(waiting, contents, limit: limit - found.count))
    }

    /// Sessions of the day before that went on into a day, with their starts.
    private func candidates(
        _ filter: SessionFilter, throughMidnightTo window: Range<Timestamp>
    ) throws -> [Int64: Timestamp] {
        let before = days.range(of: days.day(of: window.lowerBound - 1))
        var conditions = Self.conditions(filter.ofThoseBegun(in: before), [])
        conditions.add("session.last_seen_at >= ?", window.lowerBound)
        return try starts("SELECT id, started_at FROM session WHERE \(conditions.sql)", conditions)
    }

    private func starts(_ sql: String, _ conditions: Conditions) throws -> [Int64: Timestamp] {
        let rows = try connection.rows(sql, conditions.arguments)
        return try Dictionary(uniqueKeysWithValues: rows.map { (try $0["id"], try $0["started_at"]) })
    }

    /// Sessions in which a content may have been seen on a day, with their starts.
    private func candidates(
        _ filter: SessionFilter, seen content: Int64, on day: Int64, _ window: Range<Timestamp>
    ) throws -> [Int64: Timestamp] {
        var conditions = Self.conditions(filter, [])
        conditions.add(
            """
            session.viewer_id IN (
                SELECT viewer_id FROM daily_statistic WHERE content_id = ? AND day = ?
                UNION SELECT viewer_id FROM dirty_day WHERE day = ?)
            """, content, day, day)
        let (start, end) = (
            conditions.placeholders(in: "?", window.lowerBound), conditions.placeholders(in: "?", window.upperBound)
        )
        // Those that began on the day, which are most, are told from an index alone.
        return try starts(
            """
            SELECT id, started_at FROM session
            WHERE \(conditions.sql) AND session.started_at >= \(start) AND session.started_at < \(end)
            UNION ALL SELECT id, started_at FROM session
            WHERE \(conditions.sql) AND session.started_at < \(start) AND session.last_seen_at >= \(start)
            """, conditions)
    }

    /// The newest of some sessions in which contents were seen; a few are looked at at a time.
    private func listed(
        _ candidates: [Int64: Timestamp], _ contents: [Content], limit: Int
    ) throws -> [ListedSession] {
        var rest = candidates.sorted { ($0.value, $0.key) > ($1.value, $1.key) }[...]
        var found: [ListedSession] = []
        while !rest.isEmpty, found.count < limit {
            var conditions = Self.conditions(SessionFilter(), contents)
            let some = rest.prefix(Self.batchSize).map { conditions.placeholders(in: "?", $0.key) }
            rest = rest.dropFirst(Self.batchSize)
            found += try listed(
                "SELECT * FROM session WHERE session.id IN (\(some.joined(separator: ", "))) AND \(conditions.sql)",
                conditions)
        }
        return Array(found.prefix(limit))
    }

    private func newestDay(of content: Int64, before day: Int64) throws -> Int64? {
        try connection.row(
            """
            SELECT max(day) AS day FROM (
                SELECT max(day) AS day FROM daily_statistic WHERE content_id = $1 AND day < $2
                UNION ALL SELECT max(day) AS day FROM dirty_day WHERE day < $2
            ) AS newest
            """, [content, day])?["day"]
    }

    private func viewerCount(of content: Int64, on day: Int64) throws -> Int {
        try connection.row(
            """
            SELECT count(*) AS count FROM (
                SELECT 1 FROM daily_statistic WHERE content_id = $1 AND day = $2 LIMIT $3
            ) AS found
            """, [content, day, dailyViewers])?["count"] ?? 0
    }

    private func newest(_ conditions: Conditions, limit: Int) throws -> [ListedSession] {
        var conditions = conditions
        let limit = conditions.placeholders(in: "?", limit)
        return try listed(
            """
            SELECT * FROM session WHERE \(conditions.sql)
            ORDER BY started_at DESC, id DESC LIMIT \(limit)
            """, conditions)
    }

    private func listed(_ found: String, _ conditions: Conditions) throws -> [ListedSession] {
        try connection.rows(ListedSession.query(found), conditions.arguments).map(ListedSession.init(row:))
    }

    private static func newest(_ sessions: [ListedSession], limit: Int) -> [ListedSession] {
        Array(sessions.sorted { ($0.startedAt, $0.id) > ($1.startedAt, $1.id) }.prefix(limit))
    }

    private static func conditions(_ filter: SessionFilter, _ contents: [Content]) -> Conditions {
        var conditions = Conditions()
        if let from = filter.from { conditions.add("session.started_at >= ?", from) }
        if let to = filter.to { conditions.add("session.started_at < ?", to) }
        if let cursor = filter.cursor {
            conditions.add("(session.started_at, session.id) < (?, ?)", cursor.startedAt, cursor.id)
        }
        for content in contents {
            switch content.kind {
            case .page: conditions.add(seen("page_id"), content.id)
            case .video: conditions.add("(session.video_id = ? OR \(seen("video_id")))", content.id, content.id)
            }
        }
        return conditions
    }

    /// Counts, because a database may answer whether there is any by going through all segments there are.
    private static func seen(_ column: String) -> String {
        """
        (SELECT count(*) FROM segment
            WHERE segment.viewer_id = session.viewer_id AND segment.session_id = session.id AND segment.\(column) = ?) > 0
        """
    }
}

extension SessionFilter {
    /// The same, but of sessions that began in a time. Each end has one bound: of several SQLite goes by any.
    fileprivate func ofThoseBegun(in time: Range<Timestamp>) -> SessionFilter {
        var filter = self
        filter.from = max(from ?? time.lowerBound, time.lowerBound)
        let end = min(to ?? time.upperBound, time.upperBound)
        if let cursor, cursor.startedAt < end { filter.to = nil } else { (filter.to, filter.cursor) = (end, nil) }
        return filter
    }
}
