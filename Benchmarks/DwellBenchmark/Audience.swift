import ArgumentParser
import DwellAPI
import DwellServer
import Foundation
import Logging

/// `dwell-benchmark audience URL --viewers N`: people who watched one video, in an empty store, and what it costs to fold
/// and to read them. Prints its figures as JSON.
struct AudienceOfOne: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "audience")

    @OptionGroup var store: StoreArgument

    @Option var viewers: Int64

    @Option(help: "How long the video is, in seconds.")
    var length: Int64 = 10_800

    /// In milliseconds, but for the rate.
    private struct Figures: Encodable {
        /// People folded in a second, when all of them are marked.
        let folded: Double
        /// Reading the curve with everything that is said of the video: half of the times, and 99 of 100.
        let curve: [Double]
        /// A page of 50 people.
        let page: [Double]
        /// Folding a beat of one more of them.
        let beat: [Double]
        /// Where one of them goes on.
        let progress: [Double]
    }

    func run() async throws {
        let database = try await store.open()
        try await fill(database)
        let logger = Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }
        let (audience, videos) = (Audience(database: database, logger: logger), Videos(database: database))
        let began = ContinuousClock.now
        let folded = try await audience.fold()
        let rate = Double(folded) / (began.duration(to: .now) / .seconds(1))
        let name = "video-1"
        guard try await videos.audience(of: name)?.video.viewers == viewers else {
            throw ValidationError("not everybody was counted")
        }
        let viewers = viewers
        let figures = Figures(
            folded: rate,
            curve: try await times(500) { _ in _ = try await videos.audience(of: name) },
            page: try await times(200) { number in
                _ = try await videos.viewers(of: name, after: number * 7919 % viewers, limit: 50)
            },
            beat: try await times(200) { number in
                let viewer = 1 + number * 7919 % viewers
                try await database.write { connection in
                    try connection.execute(
                        "INSERT INTO dirty_video (viewer_id, video_id, mark) VALUES ($1, $2, 0)",
                        [viewer, Contents.firstVideo])
                }
                guard try await audience.fold() == 1 else { throw ValidationError("one was not folded") }
            },
            progress: try await times(500) { number in
                _ = try await videos.progress(of: name, viewer: 1 + number * 7919 % viewers)
            })
        print(String(decoding: try JSONEncoder().encode(figures), as: UTF8.self))
        try database.close()
    }

    /// How long calls take, in milliseconds: half of them, and 99 of 100.
    private func times(_ count: Int64, _ body: (Int64) async throws -> Void) async throws -> [Double] {
        var times: [Double] = []
        for number in 0..<count {
            let began = ContinuousClock.now
            try await body(number)
            times.append(began.duration(to: .now) / .milliseconds(1))
        }
        times.sort()
        return [times[times.count / 2], times[times.count * 99 / 100]]
    }

    /// Each of them watched from the beginning up to somewhere, and a part of it again.
    private func fill(_ database: any Database) async throws {
        let now = WallClock.system.now()
        try await database.write { try Contents(connection: $0).fill() }
        try await Viewers.fill(1..<viewers + 1, database, now: now)
        let video = Contents.firstVideo
        let start = now - 86_400_000 - 2 * length * 1000
        let again = "n * 104729 % length / 2"
        try await insert(
            1..<viewers + 1, into: database,
            """
            \(series) INSERT INTO session (viewer_id, id, entry_id, started_at, last_seen_at, seen_slot)
            SELECT n, n, n, CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT) FROM series
            """,
            [start, start + 2 * length * 1000, (start + 2 * length * 1000).milliseconds / Session.slotLength])
        for (number, from, to) in [(0, "0", "1 + n * 7919 % length"), (1, again, "\(again) + 60")] {
            try await insert(
                1..<viewers + 1, into: database,
                """
                \(series), shape (number, start, length) AS (
                    SELECT CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($7 AS BIGINT)
                ), run (n, number, begin, place, till, length) AS (
                    SELECT n, number, start + number * length * 1000, (\(from)) * 1000, (\(to)) * 1000, length * 1000
                    FROM series CROSS JOIN shape
                )
                INSERT INTO segment (
                    viewer_id, entry_id, tab, n, session_id, started_at, ended_at, attention, video_id, media_from_ms,
                    media_to_ms, rate, end_reason, unsure_ms, beats, first_beat_at, last_beat_at, media_duration_ms)
                SELECT n, n, CAST($3 AS TEXT), number, n, begin, begin + till - place, 'active', CAST($6 AS BIGINT), place,
                    till, 1.0, 'paused', 0, 1, begin, begin + till - place, length
                FROM run
                """, [LiveSessions.tab, number, start, video, length])
        }
        try await insert(
            1..<viewers + 1, into: database,
            "\(series) INSERT INTO dirty_video (viewer_id, video_id, mark) SELECT n, CAST($3 AS BIGINT), 0 FROM series",
            [video])
    }
}
