import DwellAPI
import Foundation

/// What reports ask.
struct ReportQueries {
    let connection: any DatabaseConnection

    /// The numbers of the viewers that names mean: one email may be a guest's and an account's. `nil` when no name is
    /// given.
    func viewers(email: String?, username: String?) throws -> [Int64]? {
        var found: Set<Int64>?
        if let email {
            found = try numbers(
                "SELECT id FROM viewer WHERE email = $1 UNION SELECT viewer_id AS id FROM account WHERE email = $1",
                email)
        }
        if let username {
            let named = try numbers(
                "SELECT viewer_id AS id FROM account WHERE username_key = $1", AccountRules.key(of: username))
            found = found?.intersection(named) ?? named
        }
        return found?.sorted()
    }

    /// The numbers of the viewers whom a list is about; `nil` when it is about everybody.
    func viewers(of filter: SessionFilter) throws -> [Int64]? {
        try filter.viewers ?? viewers(email: filter.email, username: filter.username)
    }

    private func numbers(_ sql: String, _ name: String) throws -> Set<Int64> {
        Set(try connection.rows(sql, [name]).map { try $0["id"] })
    }

    /// A session by its number.
    func session(_ id: Int64) throws -> ListedSession? {
        try connection.row(ListedSession.query("SELECT * FROM session WHERE id = $1"), [id]).map(
            ListedSession.init(row:))
    }

    /// The number of a page or a video.
    func content(_ kind: ContentKind, _ name: String) throws -> Int64? {
        try connection.row("SELECT id FROM content WHERE kind = $1 AND name = $2", [kind.rawValue, name])?["id"]
    }

    /// Sessions' segments, folded, by the sessions' numbers.
    func folds(of sessions: [(viewer: Int64, id: Int64)]) throws -> [Int64: SessionFold] {
        guard !sessions.isEmpty else { return [:] }
        let rows =
            switch connection.dialect {
            case .sqlite:
                try sessions.flatMap { try connection.rows(Self.detail, [$0.viewer, $0.id]) }
            case .postgres:
                try connection.rows(
                    Self.manyDetails,
                    [SQLValue.integers(sessions.map(\.viewer)), SQLValue.integers(sessions.map(\.id))])
            }
        let found = try Dictionary(grouping: rows) { try $0["session_id"] as Int64 }
        return try Dictionary(uniqueKeysWithValues: sessions.map { ($0.id, try SessionFold(found[$0.id] ?? [])) })
    }

    private static let oneDetail = """
        SELECT \(SessionFold.columns), segment.session_id FROM segment
        WHERE segment.viewer_id = $1 AND segment.session_id = $2
        """
    private static let detail = SQLStatement(oneDetail)
    private static let manyDetails = SQLStatement(SQLDialect.forEachKey(oneDetail, ["bigint", "bigint"]))

    /// - Parameters:
    ///   - scope: Whom, and which days
    ///   - from: Sessions count that began at this time or later
    ///   - to: Sessions count that began before this time
    func totals(_ scope: Reports.Scope, from: Timestamp?, to: Timestamp?) throws -> [ViewerTotal] {
        var conditions = try conditions(scope, on: "viewer.id")
        var counted = "TRUE"
        if let from { counted += conditions.placeholders(in: " AND session.started_at >= ?", from) }
        if let to { counted += conditions.placeholders(in: " AND session.started_at < ?", to) }
        return try connection.rows(
            """
            SELECT coalesce(viewer.email, account.email) AS email, account.username,
                (SELECT count(*) FROM session WHERE session.viewer_id = viewer.id AND \(counted)) AS sessions,
                (SELECT CAST(coalesce(sum(last_seen_at - started_at), 0) AS BIGINT) FROM session
                    WHERE session.viewer_id = viewer.id AND \(counted)) AS elapsed,
                CAST(coalesce(sum(daily_statistic.visible_ms), 0) AS BIGINT) AS visible,
                CAST(coalesce(sum(daily_statistic.engaged_ms), 0) AS BIGINT) AS engaged,
                CAST(coalesce(sum(daily_statistic.raw_ms), 0) AS BIGINT) AS raw,
                CAST(coalesce(sum(daily_statistic.visible_error_ms), 0) AS BIGINT) AS visible_error,
                CAST(coalesce(sum(daily_statistic.engaged_error_ms), 0) AS BIGINT) AS engaged_error
            FROM viewer LEFT JOIN account ON account.viewer_id = viewer.id
                LEFT JOIN daily_statistic ON daily_statistic.viewer_id = viewer.id
                    AND daily_statistic.content_id = 0 AND \(conditions.days)
            WHERE \(conditions.sql)
            GROUP BY viewer.id, viewer.email, account.email, account.username
            ORDER BY engaged DESC, email
            """, conditions.arguments
        ).compactMap { row in
            let sessions: Int = try row["sessions"]
            let error: Int64 = try row["engaged_error"]
            let total = ViewerTotal(
                email: try row["email"], username: try row["username"], sessions: sessions,
                elapsedMs: try row["elapsed"], elapsedErrorMs: Int64(sessions) * DayFold.resolution + error,
                visibleMs: try row["visible"], visibleErrorMs: try row["visible_error"],
                engagedMs: try row["engaged"], engagedErrorMs: error, rawMs: try row["raw"])
            return total.sessions > 0 || total.visibleMs > 0 ? total : nil
        }
    }

    /// What each day brought, the latest first.
    func days(_ scope: Reports.Scope) throws -> [DayTotal] {
        guard !scope.isOfAll else {
            return try TotalReportQueries(connection: connection).days(of: DayFold.everything, scope).reversed()
                .map(DayTotal.init)
        }
        let conditions = try conditions(scope, on: "daily_statistic.viewer_id")
        return try connection.rows(
            """
            SELECT daily_statistic.day, count(*) AS viewers, \(TotalQueries.sums)
            FROM daily_statistic
            WHERE daily_statistic.content_id = 0 AND \(conditions.days) AND \(conditions.sql)
            GROUP BY daily_statistic.day ORDER BY daily_statistic.day DESC
            """, conditions.arguments
        ).map { row in
            DayTotal(
                ContentDay(
                    day: LocalDays.date(of: try row["day"]), viewers: try row["viewers"],
                    total: try ContentMeasures(row: row)))
        }
    }

    func videos(_ scope: Reports.Scope) throws -> [VideoTotal] {
        guard !scope.isOfAll else {
            return try TotalReportQueries(connection: connection).ranks(.video, scope).map(VideoTotal.init)
        }
        let conditions = try conditions(scope, on: "daily_statistic.viewer_id")
        return try connection.rows(
            """
            SELECT content.name, count(DISTINCT daily_statistic.viewer_id) AS viewers,
                \(TotalQueries.sums)
            FROM daily_statistic JOIN content ON content.id = daily_statistic.content_id AND content.kind = 'video'
            WHERE \(conditions.days) AND \(conditions.sql)
            GROUP BY content.name ORDER BY engaged DESC, content.name
            """, conditions.arguments
        ).map { row in
            VideoTotal(
                ContentRank(name: try row["name"], viewers: try row["viewers"], total: try ContentMeasures(row: row)))
        }
    }

    /// How many people saw a content, and what each day brought, the first one first.
    func content(_ id: Int64, _ scope: Reports.Scope) throws -> (viewers: Int, days: [ContentDay]) {
        guard !scope.isOfAll else {
            let totals = TotalReportQueries(connection: connection)
            return (try totals.viewers(of: id, scope), try totals.days(of: id, scope))
        }
        var conditions = try conditions(scope, on: "daily_statistic.viewer_id")
        conditions.add("daily_statistic.content_id = ?", id)
        let rows = "FROM daily_statistic WHERE \(conditions.sql) AND \(conditions.days)"
        let viewers: Int? = try connection.row(
            "SELECT count(DISTINCT viewer_id) AS viewers \(rows)", conditions.arguments)?["viewers"]
        let days = try connection.rows(
            "SELECT day, count(*) AS viewers, \(TotalQueries.sums) \(rows) GROUP BY day ORDER BY day",
            conditions.arguments
        ).map { row in
            ContentDay(
                day: LocalDays.date(of: try row["day"]), viewers: try row["viewers"],
                total: try ContentMeasures(row: row))
        }
        return (viewers ?? 0, days)
    }

    private func conditions(_ scope: Reports.Scope, on viewer: String) throws -> Conditions {
        let viewers = try viewers(email: scope.email, username: scope.username)
        return Conditions(scope, viewers: viewers, on: viewer)
    }
}
