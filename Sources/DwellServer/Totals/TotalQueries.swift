import DwellAPI
import Foundation

/// What is asked of, and told to, the totals of everybody.
struct TotalQueries {
    let connection: any DatabaseConnection

    // MARK: Marks

    /// Notes that spans must be computed anew. Whoever computes takes a mark away only as he met it.
    func markStale(_ spans: some Sequence<ContentSpan>) throws {
        let spans = spans.sorted()
        guard !spans.isEmpty else { return }
        let mark = Int64.random(in: .min ... .max)
        switch connection.dialect {
        case .sqlite:
            for stale in spans {
                try connection.execute(
                    Self.markOne, [stale.span.length.rawValue, stale.span.number, stale.content, mark])
            }
        case .postgres:
            try connection.execute(
                Self.markMany,
                [
                    SQLValue.integers(spans.map(\.span.length.rawValue)), SQLValue.integers(spans.map(\.span.number)),
                    SQLValue.integers(spans.map(\.content)), mark,
                ])
        }
    }

    private static let markOne = SQLStatement(
        """
        INSERT INTO stale_span (length, number, content_id, mark) VALUES ($1, $2, $3, $4)
        ON CONFLICT (length, number, content_id) DO UPDATE SET mark = excluded.mark
        """)
    private static let markMany = SQLStatement(
        """
        INSERT INTO stale_span (length, number, content_id, mark)
        SELECT *, $4::bigint FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
        ON CONFLICT (length, number, content_id) DO UPDATE SET mark = excluded.mark
        """)

    /// Spans that must be computed anew, days before blocks, each with its mark.
    func stale(limit: Int) throws -> [(ContentSpan, mark: Int64)] {
        try connection.rows(
            "SELECT length, number, content_id, mark FROM stale_span ORDER BY length, number, content_id LIMIT $1",
            [limit]
        ).map { row in
            guard let length = Span.Length(rawValue: try row["length"]) else {
                throw DatabaseError.failure("a span of an unknown length")
            }
            return (
                ContentSpan(span: Span(length: length, number: try row["number"]), content: try row["content_id"]),
                mark: try row["mark"]
            )
        }
    }

    /// Takes a mark away.
    /// - Returns: Whether it was there as it was met
    func release(_ stale: ContentSpan, mark: Int64) throws -> Bool {
        try connection.execute(
            Self.release, [stale.span.length.rawValue, stale.span.number, stale.content, mark]) == 1
    }

    private static let release = SQLStatement(
        "DELETE FROM stale_span WHERE length = $1 AND number = $2 AND content_id = $3 AND mark = $4")

    // MARK: Computing

    /// What contents come to on days, but for sessions.
    /// - Parameter spans: Days
    func computed(days spans: [ContentSpan]) throws -> [SpanTotal] {
        let keys = spans.map { [$0.content, $0.span.number] }
        return try rows(Self.sumsOfOneDay, Self.sumsOfManyDays, keys).map { row in
            guard let row else { return SpanTotal() }
            var set = try ViewerSet()
            try set.insert(listed: try row["list"] ?? "")
            var total = SpanTotal(measures: try ContentMeasures(row: row), viewers: set.count)
            if total.viewers > 0 { total.numbers = set.kept }
            return total
        }
    }

    /// How many sessions began in a time.
    func sessions(in time: Range<Timestamp>) throws -> Int {
        try connection.rows(Self.sessions, [time.lowerBound, time.upperBound]).first?["count"] ?? 0
    }

    /// The first row that a statement has for each key.
    /// - Parameters:
    ///   - one: Asks for one key
    ///   - many: Asks for many, see ``SQLDialect/forEachKey(_:_:)``
    private func rows(_ one: SQLStatement, _ many: SQLStatement, _ keys: [[Int64]]) throws -> [Row?] {
        guard let parts = keys.first?.indices else { return [] }
        switch connection.dialect {
        case .sqlite: return try keys.map { try connection.rows(one, $0).first }
        case .postgres:
            var found: [Row?] = Array(repeating: nil, count: keys.count)
            let columns = parts.map { part in SQLValue.integers(keys.map { $0[part] }) }
            for row in try connection.rows(many, columns) { found[try row["number"] - 1] = row }
            return found
        }
    }

    private static let sumsOfOneDay = SQLStatement(sumsOfDay(list: "group_concat(viewer_id, ',')"))
    private static let sumsOfManyDays = SQLStatement(
        SQLDialect.forEachKey(sumsOfDay(list: "string_agg(CAST(viewer_id AS TEXT), ',')"), ["bigint", "bigint"]))

    /// As a list in one row the numbers come ten times as fast as in a row each.
    private static func sumsOfDay(list: String) -> String {
        """
        SELECT \(sums), \(list) AS list FROM daily_statistic
        WHERE content_id = $1 AND day = $2 AND viewer_id NOT IN \(ExclusionQueries.all)
        """
    }

    private static let sessions = SQLStatement(
        """
        SELECT count(*) AS count FROM session
        WHERE started_at >= $1 AND started_at < $2 AND viewer_id NOT IN \(ExclusionQueries.all)
        """)

    /// What a content comes to in a block, by the totals of its days.
    func computed(block: Span, of content: Int64) throws -> SpanTotal {
        let (first, last) = (block.days.lowerBound, block.days.upperBound)
        guard let row = try connection.rows(Self.sumsOfBlock, [content, first, last]).first else {
            return SpanTotal()
        }
        var total = SpanTotal(sessions: try row["sessions"], measures: try ContentMeasures(row: row))
        var set = try ViewerSet()
        try set.formUnion(try kept(of: content, .day, first..<last + 1))
        total.viewers = set.count
        if total.viewers > 0 { total.numbers = set.kept }
        return total
    }

    private static let sumsOfBlock = SQLStatement(
        """
        SELECT \(sums), CAST(coalesce(sum(sessions), 0) AS BIGINT) AS sessions FROM span_total
        WHERE content_id = $1 AND length = 1 AND number >= $2 AND number <= $3
        """)

    /// Sets of viewers, of spans of a length by their numbers.
    func kept(of content: Int64, _ length: Span.Length, _ numbers: Range<Int64>) throws -> [Data] {
        guard !numbers.isEmpty else { return [] }
        return try connection.rows(
            Self.kept, [content, length.rawValue, numbers.lowerBound, numbers.upperBound]
        ).map { try $0["numbers"] }
    }

    private static let kept = SQLStatement(
        "SELECT numbers FROM span_viewers WHERE content_id = $1 AND length = $2 AND number >= $3 AND number < $4")

    // MARK: Keeping

    /// What is kept of spans.
    func kept(_ spans: [ContentSpan]) throws -> [SpanTotal] {
        let keys = spans.map { [$0.span.length.rawValue, $0.span.number, $0.content] }
        return try rows(Self.one, Self.many, keys).map { row in
            guard let row else { return SpanTotal() }
            return SpanTotal(
                sessions: try row["sessions"], measures: try ContentMeasures(row: row), viewers: try row["viewers"],
                numbers: try row["numbers"] ?? Data())
        }
    }

    private static let oneKept = """
        SELECT sessions, viewers, visible_ms AS visible, visible_error_ms AS visible_error, engaged_ms AS engaged,
            engaged_error_ms AS engaged_error, raw_ms AS raw,
            (SELECT numbers FROM span_viewers WHERE span_viewers.content_id = span_total.content_id
                AND span_viewers.length = span_total.length AND span_viewers.number = span_total.number) AS numbers
        FROM span_total WHERE length = $1 AND number = $2 AND content_id = $3
        """
    private static let one = SQLStatement(oneKept)
    private static let many = SQLStatement(SQLDialect.forEachKey(oneKept, ["bigint", "bigint", "bigint"]))

    /// Replaces what is kept of a span.
    func keep(_ total: SpanTotal, of kept: ContentSpan) throws {
        let key: [any SQLConvertible] = [kept.span.length.rawValue, kept.span.number, kept.content]
        if total.isEmpty { try connection.execute(Self.forget, key) }
        if total.viewers == 0 { try connection.execute(Self.forgetViewers, key) }
        guard !total.isEmpty else { return }
        let measures = total.measures
        try connection.execute(
            Self.keep,
            key + [
                total.viewers, total.sessions, measures.visibleMs, measures.visibleErrorMs, measures.engagedMs,
                measures.engagedErrorMs, measures.rawMs,
            ])
        if total.viewers > 0 { try connection.execute(Self.keepViewers, key + [total.numbers]) }
    }

    private static let forget = SQLStatement(
        "DELETE FROM span_total WHERE length = $1 AND number = $2 AND content_id = $3")
    private static let forgetViewers = SQLStatement(
        "DELETE FROM span_viewers WHERE length = $1 AND number = $2 AND content_id = $3")
    private static let keep = SQLStatement(
        """
        INSERT INTO span_total (
            length, number, content_id, viewers, sessions, visible_ms, visible_error_ms, engaged_ms, engaged_error_ms,
            raw_ms
        ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (length, number, content_id) DO UPDATE SET
            viewers = excluded.viewers, sessions = excluded.sessions, visible_ms = excluded.visible_ms,
            visible_error_ms = excluded.visible_error_ms, engaged_ms = excluded.engaged_ms,
            engaged_error_ms = excluded.engaged_error_ms, raw_ms = excluded.raw_ms
        """)
    private static let keepViewers = SQLStatement(
        """
        INSERT INTO span_viewers (length, number, content_id, numbers) VALUES ($1, $2, $3, $4)
        ON CONFLICT (content_id, length, number) DO UPDATE SET numbers = excluded.numbers
        """)

    /// Forgets all of it, marks too.
    func removeAll() throws {
        for table in ["span_total", "span_viewers", "stale_span"] { try connection.execute("DELETE FROM \(table)") }
    }

    /// The sums of rows that have measures, `0` for none. PostgreSQL's are wider than what they add up.
    static let sums = [
        ("visible_ms", "visible"), ("visible_error_ms", "visible_error"), ("engaged_ms", "engaged"),
        ("engaged_error_ms", "engaged_error"), ("raw_ms", "raw"),
    ].map { "CAST(coalesce(sum(\($0)), 0) AS BIGINT) AS \($1)" }.joined(separator: ", ")
}

extension ContentMeasures {
    /// - Parameter row: With columns as ``TotalQueries/sums`` names them
    init(row: Row) throws {
        self.init(
            visibleMs: try row["visible"], visibleErrorMs: try row["visible_error"], engagedMs: try row["engaged"],
            engagedErrorMs: try row["engaged_error"], rawMs: try row["raw"])
    }
}
