import DwellAPI

/// Which spans there is anything of.
struct SpanQueries {
    let connection: any DatabaseConnection

    /// Every span that there is anything of, or that something is kept of. It goes from one to the next, past all the people
    /// of each.
    func all() throws -> Set<ContentSpan> {
        var found: Set<ContentSpan> = []
        for content in try contents() {
            var day = Int64.min
            while let next = try first(Self.nextDay, [content, day]) {
                found.insert(ContentSpan(span: .day(next), content: content))
                day = next
            }
            for row in try connection.rows(Self.kept, [content]) {
                guard let length = Span.Length(rawValue: try row["length"]) else { continue }
                found.insert(ContentSpan(span: Span(length: length, number: try row["number"]), content: content))
            }
        }
        var time = Int64.min
        while let start = try first(Self.nextStart, [time]) {
            found.formUnion(Self.days(around: Timestamp(milliseconds: start)))
            time = (start / Self.day + 1) * Self.day
        }
        return found.union(found.map(\.block))
    }

    private static let nextDay = SQLStatement(
        "SELECT min(day) AS first FROM daily_statistic WHERE content_id = $1 AND day > $2")
    private static let nextStart = SQLStatement("SELECT min(started_at) AS first FROM session WHERE started_at >= $1")
    private static let kept = SQLStatement("SELECT length, number FROM span_total WHERE content_id = $1")

    private func first(_ statement: SQLStatement, _ arguments: [Int64]) throws -> Int64? {
        guard let row = try connection.rows(statement, arguments).first else { return nil }
        return try row["first"]
    }

    private func contents() throws -> [Int64] {
        try connection.rows("SELECT id FROM content ORDER BY id").map { try $0["id"] }
    }

    /// The days of a viewer, and those on which their sessions began.
    func days(of viewer: Int64) throws -> Set<ContentSpan> {
        var found: Set<ContentSpan> = []
        try connection.forEachRow("SELECT started_at FROM session WHERE viewer_id = $1", [viewer]) { row in
            found.formUnion(Self.days(around: try row["started_at"]))
        }
        try connection.forEachRow("SELECT day, content_id FROM daily_statistic WHERE viewer_id = $1", [viewer]) {
            found.insert(ContentSpan(span: .day(try $0["day"]), content: try $0["content_id"]))
        }
        return found
    }

    private static let day: Int64 = 86_400_000

    /// The days that a time lies in: in London, and those beside it, for elsewhere they begin earlier or later.
    private static func days(around time: Timestamp) -> [ContentSpan] {
        let day = time.milliseconds / day
        return (day - 1...day + 1).map { ContentSpan(span: .day($0), content: DayFold.everything) }
    }
}
