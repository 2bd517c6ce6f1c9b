import DwellAPI
import DwellServer

/// The rows that every benchmark's store has: pages, videos, and background jobs that keep still.
struct Contents {
    static let pages: Int64 = 100
    static let videos: Int64 = 100
    /// The number of the first page; the videos follow the pages.
    static let firstPage: Int64 = 1
    static let firstVideo = firstPage + pages

    let connection: any DatabaseConnection

    /// Makes what is not there yet.
    func fill() throws {
        for (kind, first, count) in [("page", Self.firstPage, Self.pages), ("video", Self.firstVideo, Self.videos)] {
            try connection.execute(
                """
                \(series) INSERT INTO content (id, kind, name)
                SELECT n, CAST($3 AS TEXT), CASE WHEN $3 = 'page' THEN '/page-' ELSE 'video-' END || (n - $1 + 1)
                FROM series WHERE TRUE ON CONFLICT DO NOTHING
                """, [first, first + count - 1, kind])
        }
        try SequenceQueries(connection: connection).set(.content, to: Self.firstVideo + Self.videos - 1)
        // Statistics are computed when a benchmark asks for them, not while another measures.
        let tomorrow = WallClock.system.now() + 86_400_000
        try connection.execute(
            "INSERT INTO job (name, due_at) VALUES ('statistics', $1) ON CONFLICT (name) DO UPDATE SET due_at = $1",
            [tomorrow])
    }
}

/// The numbers from `$1` to `$2`, as `n`.
let series = """
    WITH RECURSIVE series (n) AS (
        SELECT CAST($1 AS BIGINT) UNION ALL SELECT n + 1 FROM series WHERE n < CAST($2 AS BIGINT)
    )
    """

/// Makes rows of running numbers, some in each transaction.
/// - Parameters:
///   - numbers: All of the numbers
///   - statement: Begins with ``series``; its parameters after `$1` and `$2` are `arguments`
func insert(
    _ numbers: Range<Int64>, into database: any Database, _ statement: String,
    _ arguments: [any SQLConvertible & Sendable]
) async throws {
    // What PostgreSQL does within the time that it is given for a statement.
    let size: Int64 = 50_000
    for first in stride(from: numbers.lowerBound, to: numbers.upperBound, by: Int64.Stride(size)) {
        let last = min(first + size, numbers.upperBound) - 1
        try await database.write { try $0.execute(statement, [first, last] + arguments) }
    }
}
