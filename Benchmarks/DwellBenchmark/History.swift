import ArgumentParser
import DwellAPI
import DwellServer
import Foundation
import Logging

/// `dwell-benchmark fill-history URL`: sessions of days gone by, in an empty store. The same options make the same
/// rows, counted from today.
struct FillHistory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "fill-history")

    @OptionGroup var store: StoreArgument

    @Option var viewers: Int64

    @Option(help: "Sessions of each viewer, each on a day of its own.")
    var sessions: Int64 = 1

    @Option(help: "Segments of each session.")
    var segments: Int64 = 5

    @Option(help: "Beats that told of each segment.")
    var beats: Int64 = 5

    @Option(help: "How many days the sessions are spread over, up to yesterday.")
    var days: Int64 = 365

    @Flag(help: "Leave the statistics to be computed, instead of making them too.")
    var dirty = false

    func validate() throws {
        guard (1...days).contains(sessions) else { throw ValidationError("--sessions must be 1 to --days") }
        guard (1...100).contains(segments) else { throw ValidationError("--segments must be 1 to 100") }
    }

    func run() async throws {
        let database = try await store.open()
        let isEmpty = try await database.read { try $0.row("SELECT 1 AS one FROM viewer LIMIT 1") == nil }
        guard isEmpty else { throw ValidationError("the store must be empty") }
        try await database.write { try Contents(connection: $0).fill() }
        // Numbers in the order of the rows are quick to add to any index; the others are made at the end, sorted.
        let again = try await database.write { try Indices(connection: $0).drop() }
        try await Viewers.fill(1..<viewers + 1, database, now: WallClock.system.now())
        try await fillSessions(database)
        if dirty { try await markDirty(database) } else { try await fillStatistics(database) }
        for statement in again { try await database.write { _ = try $0.execute(statement) } }
        if !dirty { try await addUp(database) }
        try await database.write { [viewers, sessions] connection in
            try SequenceQueries(connection: connection).set(.viewer, to: viewers)
            try SequenceQueries(connection: connection).set(.session, to: viewers * sessions)
        }
        try database.close()
    }

    private var shape: [any SQLConvertible & Sendable] {
        [WallClock.system.now().milliseconds / 86_400_000, sessions, days, segments, beats]
    }

    /// The sessions from `$1` to `$2`, counted from 0, as `begun`: with their viewers' places from 0, their starts, and
    /// the options.
    private static let begun = """
        \(series), shape (today, sessions, days, segments, beats) AS (
            SELECT CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT), CAST($7 AS BIGINT)
        ), placed AS (
            SELECT n AS session, n / sessions AS viewer,
                today - 1 - (n / sessions * 7 + n % sessions * (days / sessions)) % days AS day, segments, beats
            FROM shape CROSS JOIN series
        ), begun AS (
            SELECT session, viewer, day, day * 86400000 + viewer % 1000 * 30000 AS start, segments, beats FROM placed
        )
        """

    private func fillSessions(_ database: any Database) async throws {
        try await insert(
            0..<viewers * sessions, into: database,
            """
            \(Self.begun) INSERT INTO session (viewer_id, id, entry_id, started_at, last_seen_at, seen_slot)
            SELECT 1 + viewer, 1 + session, 1 + session, start, start + segments * 75000,
                (start + segments * 75000) / CAST($8 AS BIGINT)
            FROM begun
            """, shape + [Session.slotLength])
        try await insert(
            0..<viewers * sessions, into: database,
            """
            \(Self.begun), numbers (number) AS (
                SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number < CAST($6 AS BIGINT) - 1
            )
            INSERT INTO segment (
                viewer_id, entry_id, tab, n, session_id, started_at, ended_at, attention, page_id, video_id,
                media_from_ms, media_to_ms, rate, end_reason, unsure_ms, beats, first_beat_at, last_beat_at)
            SELECT 1 + viewer, 1 + session, CAST($8 AS TEXT), number, 1 + session, start + number * 75000,
                start + number * 75000 + 60000, 'active', \(Self.page),
                CASE number % 2 WHEN 1 THEN \(Self.video) END, CASE number % 2 WHEN 1 THEN 0 END,
                CASE number % 2 WHEN 1 THEN 60000 END, CASE number % 2 WHEN 1 THEN 1.0 END, 'hidden', 0, beats,
                start + number * 75000, start + number * 75000 + 60000
            FROM begun CROSS JOIN numbers
            """, shape + [LiveSessions.tab])
    }

    /// What the segments add up to: on everything, on the one page and on the one video of each session.
    private func fillStatistics(_ database: any Database) async throws {
        try await insert(
            0..<viewers * sessions, into: database,
            """
            \(Self.begun), kind (number) AS (SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2),
            seen AS (
                SELECT viewer, day,
                    CASE number WHEN 0 THEN 0 WHEN 1 THEN \(Self.page) ELSE \(Self.video) END AS content,
                    CASE number WHEN 2 THEN segments / 2 ELSE segments END * 60000 AS time
                FROM begun CROSS JOIN kind
            )
            INSERT INTO daily_statistic (
                viewer_id, day, content_id, visible_ms, engaged_ms, raw_ms, visible_error_ms, engaged_error_ms)
            SELECT 1 + viewer, day, content, time, time, time, 1000, 1000 FROM seen WHERE time > 0
            """, shape)
    }

    /// What everybody's days come to, and who watched which part of the first video.
    private func addUp(_ database: any Database) async throws {
        let today = WallClock.system.now().milliseconds / 86_400_000
        try await insert(
            0..<days * (1 + Contents.pages + Contents.videos), into: database,
            """
            \(series) INSERT INTO stale_span (length, number, content_id, mark)
            SELECT 1, CAST($3 AS BIGINT) + n % CAST($4 AS BIGINT), n / CAST($4 AS BIGINT), 0 FROM series
            """, [today - days, days])
        try await insert(
            1..<viewers + 1, into: database,
            """
            \(series) INSERT INTO dirty_video (viewer_id, video_id, mark) SELECT n, CAST($3 AS BIGINT), 0 FROM series
            WHERE (n - 1) * CAST($4 AS BIGINT) % \(Contents.videos) = 0
            """, [Contents.firstVideo, sessions])
        let logger = Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }
        try await Statistics(database: database, days: LocalDays(timeZone: .gmt), logger: logger).aggregate()
        try await Audience(database: database, logger: logger).fold()
    }

    private func markDirty(_ database: any Database) async throws {
        try await insert(
            0..<viewers * sessions, into: database,
            "\(Self.begun) INSERT INTO dirty_day (viewer_id, day) SELECT 1 + viewer, day FROM begun", shape)
    }

    private static let page = "\(Contents.firstPage) + session % \(Contents.pages)"
    private static let video = "\(Contents.firstVideo) + session % \(Contents.videos)"
}

/// SQLite's indices beside the tables' keys. PostgreSQL keeps its own: it is given too little time to make one of so
/// many rows.
struct Indices {
    let connection: any DatabaseConnection

    /// Drops them.
    /// - Returns: The statements that make them again, and those that say what SQLite had been told of them
    func drop() throws -> [String] {
        guard connection.dialect == .sqlite else { return [] }
        let indices = try connection.rows(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        let told = try connection.rows(
            """
            SELECT format('INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (%Q, %Q, %Q)', tbl, idx, stat) AS sql
            FROM sqlite_stat1 JOIN sqlite_master ON name = idx AND type = 'index' WHERE sql IS NOT NULL
            """)
        for index in indices { try connection.execute("DROP INDEX \(try index["name"] as String)") }
        return try (indices + told).map { try $0["sql"] }
    }
}
