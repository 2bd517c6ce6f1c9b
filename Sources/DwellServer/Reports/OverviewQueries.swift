import DwellAPI

/// What the overview asks beside the days. Everything comes from statistics but the number of sessions.
struct OverviewQueries {
    let connection: any DatabaseConnection

    /// How many people were seen.
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
        guard let viewers else { return try sessions(in: time) }
        var conditions = Conditions(Reports.Scope(), viewers: viewers, on: "session.viewer_id")
        conditions.add("session.started_at >= ? AND session.started_at < ?", time.lowerBound, time.upperBound)
        return try connection.row(
            "SELECT count(*) AS count FROM session WHERE \(conditions.sql)", conditions.arguments)?["count"] ?? 0
    }

    /// How many of everybody's began. Those of the excluded are few: they are taken away, and an index counts the others.
    private func sessions(in time: Range<Timestamp>) throws -> Int {
        try connection.row(
            """
            SELECT (SELECT count(*) FROM session WHERE started_at >= $1 AND started_at < $2)
                - (SELECT count(*) FROM session
                    WHERE viewer_id IN \(ExclusionQueries.all) AND started_at >= $1 AND started_at < $2) AS count
            """, [time.lowerBound, time.upperBound])?["count"] ?? 0
    }

    /// The pages, or the videos, that brought most, the most engaging first.
    func top(_ kind: ContentKind, _ scope: Reports.Scope, limit: Int) throws -> [ContentRank] {
        var conditions = try conditions(scope)
        let kind = conditions.placeholders(in: "?", kind.rawValue)
        let limit = conditions.placeholders(in: "?", limit)
        let statement =
            scope.email == nil && scope.username == nil
            ? Self.topOfAll(conditions, kind: kind, limit: limit) : Self.topOfFew(conditions, kind: kind, limit: limit)
        return try connection.rows(statement, conditions.arguments).map { row in
            ContentRank(
                name: try row["name"], viewers: try row["viewers"], engagedMs: try row["engaged"],
                engagedErrorMs: try row["engaged_error"])
        }.filter { $0.viewers > 0 }
    }

    /// Looks at the days of each content, one after the other, and counts the people of the best alone.
    private static func topOfAll(_ conditions: Conditions, kind: String, limit: String) -> String {
        func part(_ value: String, of content: String) -> String {
            """
            (SELECT \(value) FROM daily_statistic
                WHERE daily_statistic.content_id = \(content).id AND \(conditions.days) AND \(conditions.sql))
            """
        }
        return """
            SELECT best.name, best.engaged, \(part("count(DISTINCT viewer_id)", of: "best")) AS viewers,
                \(part("CAST(coalesce(sum(engaged_error_ms), 0) AS BIGINT)", of: "best")) AS engaged_error
            FROM (
                SELECT content.id, content.name,
                    \(part("CAST(coalesce(sum(engaged_ms), -1) AS BIGINT)", of: "content")) AS engaged
                FROM content WHERE content.kind = \(kind) ORDER BY engaged DESC, content.name LIMIT \(limit)
            ) AS best ORDER BY best.engaged DESC, best.name
            """
    }

    /// Looks at the days of the people who are asked about.
    private static func topOfFew(_ conditions: Conditions, kind: String, limit: String) -> String {
        """
        SELECT content.name, count(DISTINCT daily_statistic.viewer_id) AS viewers,
            CAST(sum(daily_statistic.engaged_ms) AS BIGINT) AS engaged,
            CAST(sum(daily_statistic.engaged_error_ms) AS BIGINT) AS engaged_error
        FROM daily_statistic JOIN content ON content.id = daily_statistic.content_id AND content.kind = \(kind)
        WHERE \(conditions.days) AND \(conditions.sql)
        GROUP BY content.name ORDER BY engaged DESC, content.name LIMIT \(limit)
        """
    }

    private func conditions(_ scope: Reports.Scope) throws -> Conditions {
        let viewers = try ReportQueries(connection: connection).viewers(email: scope.email, username: scope.username)
        return Conditions(scope, viewers: viewers, on: "daily_statistic.viewer_id")
    }
}

/// A page or a video among those that brought most, in milliseconds.
package struct ContentRank: Sendable, Equatable {
    package let name: String
    package let viewers: Int
    package let engagedMs: Int64
    package let engagedErrorMs: Int64
}
