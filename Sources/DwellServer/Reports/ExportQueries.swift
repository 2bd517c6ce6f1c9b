import DwellAPI

/// What exports ask, beside what lists ask.
struct ExportQueries {
    /// How many days of viewers one page of statistics has.
    private static let pageSize = 500

    let connection: any DatabaseConnection
    let days: LocalDays

    /// Statistics of viewers' days, by day and viewer.
    /// - Parameters:
    ///   - filter: Whom, on what, and which days: its times are midnights
    ///   - last: Where the page before ended
    func statistics(
        _ filter: SessionFilter, after last: ViewerDay?
    ) throws -> (rows: [ExportedStatistic], next: ViewerDay?) {
        let queries = ReportQueries(connection: connection)
        let content = filter.page.map { (ContentKind.page, $0) } ?? filter.video.map { (.video, $0) }
        var wanted: Int64?
        if let (kind, name) = content {
            wanted = try queries.content(kind, name)
            if wanted == nil { return ([], nil) }
        }
        let viewers = try queries.viewers(of: filter)
        var conditions = Conditions()
        // Every day of a viewer has a row that stands for everything. The sign keeps the database from going through
        // everybody's days in search of one viewer's.
        let column = viewers == nil ? "content_id" : "+content_id"
        conditions.add("\(column) = ?", wanted ?? 0)
        if viewers == nil { conditions.add("viewer_id NOT IN \(ExclusionQueries.all)") }
        if let viewers {
            let list = viewers.map { conditions.placeholders(in: "?", $0) }.joined(separator: ", ")
            conditions.add(viewers.isEmpty ? "FALSE" : "viewer_id IN (\(list))")
        }
        if let from = filter.from { conditions.add("day >= ?", days.day(of: from)) }
        if let to = filter.to { conditions.add("day <= ?", days.day(of: to - 1)) }
        if let last { conditions.add("(day, viewer_id) > (?, ?)", last.day, last.viewer) }
        // One more than a page has tells whether there is a next one.
        let found = try connection.rows(
            """
            SELECT day, viewer_id FROM daily_statistic WHERE \(conditions.sql)
            ORDER BY day, viewer_id LIMIT \(Self.pageSize + 1)
            """, conditions.arguments
        ).map { ViewerDay(viewer: try $0["viewer_id"], day: try $0["day"]) }
        let page = Array(found.prefix(Self.pageSize))
        return (try statistics(of: page, content: wanted), found.count > page.count ? page.last : nil)
    }

    /// What is known of viewers' days: of a content, or of all of them.
    private func statistics(of page: [ViewerDay], content: Int64?) throws -> [ExportedStatistic] {
        let rows =
            switch connection.dialect {
            case .sqlite: try page.flatMap { try connection.rows(Self.ofOneDay, [$0.viewer, $0.day, content]) }
            case .postgres:
                try connection.rows(
                    Self.ofManyDays,
                    [
                        SQLValue.integers(page.map(\.viewer)), SQLValue.integers(page.map(\.day)),
                        SQLValue.integers(page.map { _ in content }),
                    ])
            }
        return try rows.map(ExportedStatistic.init(row:))
    }

    /// The order keeps PostgreSQL from going through everybody's days at once.
    private static let oneDay = """
        SELECT daily_statistic.day, daily_statistic.viewer_id, viewer.kind AS viewer_kind,
            coalesce(viewer.email, account.email) AS email, account.username, content.kind, content.name,
            daily_statistic.visible_ms, daily_statistic.visible_error_ms, daily_statistic.engaged_ms,
            daily_statistic.engaged_error_ms, daily_statistic.raw_ms
        FROM daily_statistic JOIN viewer ON viewer.id = daily_statistic.viewer_id
            LEFT JOIN account ON account.viewer_id = viewer.id
            JOIN content ON content.id = daily_statistic.content_id
        WHERE daily_statistic.viewer_id = $1 AND daily_statistic.day = $2
            AND daily_statistic.content_id = coalesce($3, daily_statistic.content_id)
        ORDER BY daily_statistic.content_id
        """
    private static let ofOneDay = SQLStatement(oneDay)
    private static let ofManyDays = SQLStatement(SQLDialect.forEachKey(oneDay, ["bigint", "bigint", "bigint"]))

    /// The days of the first session and of the last.
    func sessionDays() throws -> ClosedRange<Int64>? {
        let first = try connection.row("SELECT started_at FROM session ORDER BY started_at, id LIMIT 1")
        let last = try connection.row("SELECT started_at FROM session ORDER BY started_at DESC, id DESC LIMIT 1")
        guard let first, let last else { return nil }
        return days.day(of: try first["started_at"])...days.day(of: try last["started_at"])
    }

    /// The first day and the last that have statistics.
    func statisticDays() throws -> ClosedRange<Int64>? {
        let rows = try connection.rows(
            """
            SELECT (SELECT min(day) FROM daily_statistic WHERE content_id = 0) AS first,
                (SELECT max(day) FROM daily_statistic WHERE content_id = 0) AS last
            """)
        return try rows.first.flatMap { row in
            let (first, last): (Int64?, Int64?) = (try row["first"], try row["last"])
            return first.flatMap { first in last.map { first...$0 } }
        }
    }
}

extension ExportedStatistic {
    fileprivate init(row: Row) throws {
        let kind = ContentKind(rawValue: try row["kind"])
        self.init(
            day: LocalDays.date(of: try row["day"]),
            viewer: ViewerRecord(
                id: try row["viewer_id"], kind: try row["viewer_kind"], email: try row["email"],
                username: try row["username"]),
            kind: kind, name: kind == nil ? nil : try row["name"],
            total: ContentMeasures(
                visibleMs: try row["visible_ms"], visibleErrorMs: try row["visible_error_ms"],
                engagedMs: try row["engaged_ms"], engagedErrorMs: try row["engaged_error_ms"],
                rawMs: try row["raw_ms"]))
    }
}
