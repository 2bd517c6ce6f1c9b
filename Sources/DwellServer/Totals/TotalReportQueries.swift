import DwellAPI
import Foundation

/// What reports ask of the totals of everybody.
struct TotalReportQueries {
    let connection: any DatabaseConnection

    /// The days on which a content was seen, the first one first.
    func days(of content: Int64, _ scope: Reports.Scope) throws -> [ContentDay] {
        try connection.rows(
            Self.days, [content, scope.firstDay ?? .min, scope.lastDay ?? .max]
        ).map { row in
            ContentDay(
                day: LocalDays.date(of: try row["number"]), viewers: try row["viewers"],
                total: try ContentMeasures(row: row))
        }
    }

    private static let days = SQLStatement(
        """
        SELECT number, viewers, visible_ms AS visible, visible_error_ms AS visible_error, engaged_ms AS engaged,
            engaged_error_ms AS engaged_error, raw_ms AS raw
        FROM span_total
        WHERE content_id = $1 AND length = 1 AND number >= $2 AND number <= $3 AND viewers > 0 ORDER BY number
        """)

    /// How many sessions began.
    func sessions(_ days: ClosedRange<Int64>) throws -> Int {
        try connection.row(
            """
            SELECT CAST(coalesce(sum(sessions), 0) AS BIGINT) AS count FROM span_total
            WHERE content_id = 0 AND length = 1 AND number >= $1 AND number <= $2
            """, [days.lowerBound, days.upperBound])?["count"] ?? 0
    }

    /// How many people saw a content.
    func viewers(of content: Int64, _ scope: Reports.Scope) throws -> Int {
        guard let days = try days(scope) else { return 0 }
        return try viewers(of: content, SpanCover(days))
    }

    private func viewers(of content: Int64, _ cover: SpanCover) throws -> Int {
        let queries = TotalQueries(connection: connection)
        var set = try ViewerSet()
        for (length, numbers) in cover.parts {
            try set.formUnion(try queries.kept(of: content, length, numbers))
        }
        return set.count
    }

    /// The pages, or the videos, the most engaging first.
    /// - Parameter limit: How many; all without one
    func ranks(_ kind: ContentKind, _ scope: Reports.Scope, limit: Int? = nil) throws -> [ContentRank] {
        guard let days = try days(scope) else { return [] }
        let cover = SpanCover(days)
        let bounds = cover.parts.flatMap { [$0.numbers.lowerBound, $0.numbers.upperBound] }
        return try connection.rows(Self.ranks, bounds + [kind.rawValue, limit ?? .max]).map { row in
            ContentRank(
                name: try row["name"], viewers: try viewers(of: try row["id"], cover),
                total: try ContentMeasures(row: row))
        }
    }

    private static let ranks = SQLStatement(
        """
        SELECT content.id, content.name, spans.visible, spans.visible_error, spans.engaged, spans.engaged_error, spans.raw
        FROM (
            SELECT content_id, \(TotalQueries.sums) FROM (
                SELECT * FROM span_total WHERE length = 1 AND number >= $1 AND number < $2
                UNION ALL SELECT * FROM span_total WHERE length = 32 AND number >= $3 AND number < $4
                UNION ALL SELECT * FROM span_total WHERE length = 1 AND number >= $5 AND number < $6
            ) AS span GROUP BY content_id
        ) AS spans JOIN content ON content.id = spans.content_id
        WHERE content.kind = $7 ORDER BY spans.engaged DESC, content.name LIMIT $8
        """)

    /// The days that are asked about, as far as there are any.
    private func days(_ scope: Reports.Scope) throws -> ClosedRange<Int64>? {
        if let first = scope.firstDay, let last = scope.lastDay { return first <= last ? first...last : nil }
        guard
            let row = try connection.row(
                """
                SELECT min(number) AS first, max(number) AS last FROM span_total
                WHERE content_id = 0 AND length = 1 AND number >= $1 AND number <= $2
                """, [scope.firstDay ?? .min, scope.lastDay ?? .max]),
            let first: Int64 = try row["first"], let last: Int64 = try row["last"]
        else { return nil }
        return first...last
    }
}
