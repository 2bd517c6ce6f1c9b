import DwellAPI

/// What the overview of a person asks beside the days. Everything comes from statistics but the number of sessions.
struct OverviewQueries {
    let connection: any DatabaseConnection

    /// How many people were seen: one email may be a guest's and an account's.
    func people(_ scope: Reports.Scope) throws -> Int {
        let conditions = try conditions(scope)
        return try connection.row(
            """
            SELECT count(DISTINCT daily_statistic.viewer_id) AS people FROM daily_statistic
            WHERE daily_statistic.content_id = 0 AND \(conditions.days) AND \(conditions.sql)
            """, conditions.arguments)?["people"] ?? 0
    }

    /// How many sessions began in a time.
    func sessions(_ scope: Reports.Scope, in time: Range<Timestamp>) throws -> Int {
        let viewers = try ReportQueries(connection: connection).viewers(email: scope.email, username: scope.username)
        var conditions = Conditions(Reports.Scope(), viewers: viewers, on: "session.viewer_id")
        conditions.add("session.started_at >= ? AND session.started_at < ?", time.lowerBound, time.upperBound)
        return try connection.row(
            "SELECT count(*) AS count FROM session WHERE \(conditions.sql)", conditions.arguments)?["count"] ?? 0
    }

    /// The pages, or the videos, that brought most, the most engaging first.
    func top(_ kind: ContentKind, _ scope: Reports.Scope, limit: Int) throws -> [ContentRank] {
        var conditions = try conditions(scope)
        let kind = conditions.placeholders(in: "?", kind.rawValue)
        let limit = conditions.placeholders(in: "?", limit)
        return try connection.rows(
            """
            SELECT content.name, count(DISTINCT daily_statistic.viewer_id) AS viewers, \(TotalQueries.sums)
            FROM daily_statistic JOIN content ON content.id = daily_statistic.content_id AND content.kind = \(kind)
            WHERE \(conditions.days) AND \(conditions.sql)
            GROUP BY content.name ORDER BY engaged DESC, content.name LIMIT \(limit)
            """, conditions.arguments
        ).map { row in
            ContentRank(name: try row["name"], viewers: try row["viewers"], total: try ContentMeasures(row: row))
        }
    }

    private func conditions(_ scope: Reports.Scope) throws -> Conditions {
        let viewers = try ReportQueries(connection: connection).viewers(email: scope.email, username: scope.username)
        return Conditions(scope, viewers: viewers, on: "daily_statistic.viewer_id")
    }
}
