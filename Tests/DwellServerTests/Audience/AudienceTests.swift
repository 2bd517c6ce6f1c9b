import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

/// What people watched, from their beats to the curve.
@Suite struct AudienceTests {
    @Test(arguments: 0..<8 as Range<UInt64>)
    func `the curve equals counting people one by one, and computing it anew changes nothing`(seed: UInt64) async throws
    {
        let store = try await TestStore()
        var random = SeededGenerator(seed: seed)
        try await store.watch(people: 12, rounds: 3, &random) { try await store.audience.fold() }
        for name in ["film", "clip"] {
            let audience = try #require(try await store.videos.audience(of: name))
            #expect(audience == (try await store.countedOneByOne(name, audience)))
            #expect(audience.video.viewers > 3 && !audience.counting)
        }
        let before = try await store.audienceRows()
        let result = try await store.audience.recompute()
        #expect(result.pairs > 12 && result.changed == 0)
        #expect(result.videos == 2 && result.changedVideos == 0)
        #expect(try await store.audienceRows() == before)
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `whenever it is folded, the same comes out`(seed: UInt64) async throws {
        var rows: [[String]] = []
        for isOften in [true, false] {
            let store = try await TestStore()
            var random = SeededGenerator(seed: seed)
            try await store.watch(people: 6, rounds: 4, &random) { if isOften { try await store.audience.fold() } }
            try await store.audience.fold()
            rows.append(try await store.audienceRows(withRounds: false))
        }
        #expect(rows[0] == rows[1])
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `folding old segments leaves what was watched, the curve and completions as they were`(
        seed: UInt64
    ) async throws {
        let store = try await TestStore()
        var random = SeededGenerator(seed: seed)
        // A third of the days is old in the end.
        for _ in 0..<9 {
            try await store.watch(people: 4, rounds: 2, &random) {}
            store.clock.advance(by: 10 * 86_400_000)
        }
        try await store.audience.fold()
        let before = try await store.audienceRows()
        let retention = Retention(
            database: store.database, statistics: store.statistics, audience: store.audience, days: store.settings.days,
            keptDays: 60, clock: store.clock.clock, logger: TestStore.silent)
        #expect(try await retention.run(for: .seconds(3600)).segments > 10)
        let gone = try await store.rows("SELECT viewer_id FROM folded_coverage")
        #expect(!gone.isEmpty)
        let result = try await store.audience.recompute()
        #expect(result.changed == 0 && result.changedVideos == 0)
        #expect(try await store.audienceRows() == before)
        // Also when everything is counted anew.
        _ = try await store.audience.set("film") { $0.completeAt = 0.5 }
        try await store.audience.fold()
        _ = try await store.audience.set("film") { $0.completeAt = nil }
        try await store.audience.fold()
        #expect(try await store.audienceRows(withRounds: false) == Self.withoutRounds(before))
    }

    @Test func `what was tampered with is found and put right`() async throws {
        for statement in [
            "UPDATE coverage SET resume_ms = resume_ms + 5 WHERE viewer_id = 1",
            "UPDATE video SET viewers = viewers + 1",
            "UPDATE told_duration SET viewers = viewers + 1",
            "DELETE FROM coverage WHERE viewer_id = 2",
        ] {
            let store = try await TestStore()
            var random = SeededGenerator(seed: 1)
            try await store.watch(people: 3, rounds: 2, &random) {}
            try await store.audience.fold()
            let before = try await store.audienceRows(withRounds: false)
            try await store.database.write { _ = try $0.execute(statement) }
            let result = try await store.audience.recompute()
            #expect(result.changed + result.changedVideos > 0, "\(statement)")
            #expect(try await store.audienceRows(withRounds: false) == before, "\(statement)")
            let again = try await store.audience.recompute()
            #expect(again.changed == 0 && again.changedVideos == 0, "\(statement)")
        }
    }

    @Test func `a pair that a beat came to while it was folded is folded again`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            // Its length is known: nothing but marks makes anybody be folded.
            try await guest.watch("film", 0..<5000)
            try await store.audience.fold()
            try await guest.watch("film", 5000..<10_000)
            let between = InterruptedDatabase(store.database) { try await guest.watch("film", 10_000..<20_000) }
            try await Audience(database: between, logger: TestStore.silent).fold()
        }
        try await store.audience.fold()
        let viewers = try #require(try await store.videos.viewers(of: "film")).viewers
        #expect(viewers.map(\.progress.coveredMs) == [20_000])
    }

    @Test func `what was told again, or is no video, is not folded`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let claim = try await guest.watch("film", 0..<10_000)
            try await store.audience.fold()
            try await guest.claim([claim], sentAt: claim.to)
            try await guest.claim(
                [Guest.segment(50, from: claim.from, to: claim.to, page: "/a")], sentAt: claim.to)
            #expect(try await store.audience.isWaiting() == false)
        }
    }

    @Test func `what most players say is how long a video is, unless the operator does`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            for (index, duration) in ([100_000, 90_000, 100_000, 1000, 1000] as [Int64]).enumerated() {
                let guest = try await Guest(store, writer, email: "v\(index)@example.com")
                try await guest.watch("film", 0..<80_000, of: duration)
            }
            try await store.audience.fold()
            // Of equally many the longest.
            #expect(try await store.duration("film") == 100_000)
            let guest = try await Guest(store, writer, email: "forger@example.com")
            try await guest.watch("film", 0..<1000, of: 1000)
            try await store.audience.fold()
            #expect(try await store.duration("film") == 1000)
            #expect(try #require(try await store.videos.audience(of: "film")).video.completions == 6)
            let set = try await store.audience.set("film") { $0.duration = 100_000 }
            #expect(set.duration == 100_000)
            #expect(try #require(try await store.videos.audience(of: "film")).counting)
            try await store.audience.fold()
            let audience = try #require(try await store.videos.audience(of: "film"))
            #expect(audience.video.durationMs == 100_000 && !audience.counting)
            #expect(audience.video.completions == 0)
            _ = try await store.audience.set("film") { $0.completeAt = 0.8 }
            try await store.audience.fold()
            #expect(try #require(try await store.videos.audience(of: "film")).video.completions == 5)
        }
    }

    @Test func `without a length there are ranges, and neither parts nor a curve`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.watch("stream", 5000..<15_000, of: nil)
        }
        try await store.audience.fold()
        let audience = try #require(try await store.videos.audience(of: "stream"))
        #expect(audience.video.viewers == 1 && audience.video.watchedMs == 10_000)
        #expect(audience.curve.isEmpty && audience.bucketMs == nil && audience.video.coverage == nil)
        let progress = try await store.videos.progress(of: "stream", viewer: 1)
        #expect(progress.ranges == [MediaSpan(fromMs: 5000, toMs: 15_000)])
        #expect(progress.coverage == nil && progress.completedAt == nil && progress.resumeMs == 15_000)
    }

    @Test func `progress is told before it is folded, and of what never was watched`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.watch("film", 0..<30_000)
            #expect(try await store.videos.progress(of: "film", viewer: 1).resumeMs == 30_000)
            #expect(try await store.videos.progress(of: "film", viewer: 2).watchedAt == nil)
            #expect(try await store.videos.progress(of: "nothing", viewer: 1).ranges == [])
        }
    }

    @Test func `another credit rate counts everything anew`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.watch("film", 0..<80_000, rate: 8)
        }
        // Before a server has noted a rate the standard holds.
        try await Audience.noted(in: store.database, logger: TestStore.silent).fold()
        #expect(try #require(try await store.videos.audience(of: "film")).video.watchedMs == 20_000)
        for (rate, watched) in [(4, 40_000), (1, 10_000), (2, 20_000)] as [(Double, Int64)] {
            let audience = Audience(database: store.database, creditRate: rate, logger: TestStore.silent)
            try await audience.adoptCreditRate()
            try await Audience.noted(in: store.database, logger: TestStore.silent).fold()
            #expect(try #require(try await store.videos.audience(of: "film")).video.watchedMs == watched)
            #expect(try await audience.recompute().changed == 0)
        }
    }

    @Test func `viewers are read page by page, and those are live who watch now`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            for index in 0..<5 {
                let guest = try await Guest(store, writer, email: "v\(index)@example.com")
                try await guest.watch(index == 4 ? "clip" : "film", 0..<10_000)
            }
        }
        try await store.audience.fold()
        var emails: [String] = []
        var last: Int64? = 0
        while let after = last {
            let page = try #require(try await store.videos.viewers(of: "film", after: after, limit: 3))
            emails += page.viewers.map(\.viewer.email)
            last = page.nextCursor.flatMap(VideoCursor.number)
        }
        #expect(emails == (0..<4).map { "v\($0)@example.com" })
        let one = try await store.videos.viewers(of: "film", email: "v2@example.com")
        #expect(one?.viewers.map(\.viewer.email) == ["v2@example.com"])
        #expect(try await store.videos.viewers(of: "film", email: "v4@example.com")?.viewers == [])
        #expect(try await store.videos.viewers(of: "nothing") == nil)
        let video = try await store.videos.number(of: "film")
        let live = try await store.reports.live(interval: 180_000, video: video, limit: 3)
        #expect(live.viewers == 4 && live.sessions.count == 3)
        let rest = try await store.reports.live(
            interval: 180_000, video: video, after: live.nextCursor.flatMap { SessionCursor($0) })
        #expect(rest.sessions.count == 1 && rest.sessions[0].video == "film")
    }

    fileprivate static func withoutRounds(_ rows: [String]) -> [String] {
        rows.map { $0.replacing(/\ round \d+/, with: "") }
    }
}

extension Guest {
    /// Plays a part of a video, which takes as long as it is; the clock goes on meanwhile.
    /// - Parameter duration: How long the player says that the whole video is
    @discardableResult
    fileprivate func watch(
        _ video: String, _ media: Range<Int64>, of duration: Int64? = 120_000, rate: Double = 1, tab: String = "film"
    ) async throws -> SegmentClaim {
        let start = store.clock.now.milliseconds
        let length = Int64(Double(media.upperBound - media.lowerBound) / rate)
        store.clock.advance(by: length)
        var claim = Guest.segment(Int(start % 1_000_000_000), from: start, to: start + length, tab: tab)
        (claim.video, claim.mediaFrom, claim.mediaTo) = (video, media.lowerBound, media.upperBound)
        (claim.mediaDuration, claim.rate) = (duration, rate)
        try await self.claim([claim], sentAt: start + length)
        return claim
    }
}

extension TestStore {
    fileprivate func duration(_ name: String) async throws -> Int64? {
        try await videos.audience(of: name)?.video.durationMs
    }

    /// People play parts of two videos, at several speeds, some in two tabs at once, some again.
    fileprivate func watch(
        people: Int, rounds: Int, _ random: inout SeededGenerator, then fold: () async throws -> Void
    ) async throws {
        let writer = BeatWriter(database: database, settings: settings, logger: Self.silent)
        // Drawn before: a generator can't be shared.
        var plays: [(person: Int, video: String, media: Range<Int64>, rate: Double, pause: Int64)] = []
        for _ in 0..<rounds {
            for person in 0..<people {
                let video = ["film", "clip"].randomElement(using: &random) ?? "film"
                let places: [Int64] = [0, 0, .random(in: 0...110_000, using: &random)]
                let start = places.randomElement(using: &random) ?? 0
                let length = Int64.random(in: 1...120_000, using: &random)
                plays.append(
                    (
                        person, video, start..<start + length, [0.5, 1, 1, 2, 16].randomElement(using: &random) ?? 1,
                        .random(in: -60_000...4_000_000, using: &random)
                    ))
            }
        }
        let history = plays
        try await run(writer) {
            for play in history {
                let guest = try await Guest(self, writer, email: "p\(play.person)@example.com")
                try await guest.watch(
                    play.video, play.media, of: play.video == "film" ? 120_000 : 45_500, rate: play.rate)
                clock.advance(by: play.pause)
                try await fold()
            }
        }
        // Past every claim, so that the next entries come after.
        clock.advance(by: 120_000)
    }

    /// Everything that is derived of what was watched, but for the totals' and rows' rounds where they do not matter.
    fileprivate func audienceRows(withRounds: Bool = true) async throws -> [String] {
        func hexadecimal(_ column: String) -> String {
            database.dialect == .postgres ? "encode(\(column), 'hex')" : "hex(\(column))"
        }
        let coverage = try await rows(
            """
            SELECT viewer_id, video_id, \(hexadecimal("parts")) AS parts, resume_ms, watched_at, duration_ms, completed_at,
                \(withRounds ? "' round ' || round" : "''") AS round
            FROM coverage ORDER BY viewer_id, video_id
            """)
        let videos = try await rows(
            """
            SELECT id, duration_ms, viewers, completions, covered_ms, watched_ms, \(hexadecimal("curve")) AS curve,
                \(withRounds ? "' round ' || round" : "''") AS round FROM video ORDER BY id
            """)
        let told = try await rows("SELECT * FROM told_duration ORDER BY video_id, duration_ms")
        return coverage + videos + told
    }

    /// A video's audience, counted from the segments: person by person, second by second.
    fileprivate func countedOneByOne(_ name: String, _ like: VideoAudience) async throws -> VideoAudience {
        let segments = try await database.read { connection in
            try connection.rows(
                """
                SELECT viewer_id, started_at, ended_at, media_from_ms, media_to_ms, tab, n, entry_id FROM segment
                JOIN content ON content.id = segment.video_id WHERE content.name = '\(name)'
                ORDER BY started_at, entry_id, tab, n
                """
            ).map { row in
                (
                    viewer: try row["viewer_id"] as Int64, start: try row["started_at"] as Int64,
                    end: try row["ended_at"] as Int64, from: try row["media_from_ms"] as Int64,
                    to: try row["media_to_ms"] as Int64
                )
            }
        }
        var counted = like
        let duration = try #require(like.video.durationMs)
        let bucket = try #require(like.bucketMs)
        counted.curve = like.curve.map { _ in 0 }
        counted.again = counted.curve
        var (covered, watched, viewers, completions): (Int64, Int64, Int64, Int64) = (0, 0, 0, 0)
        for runs in Dictionary(grouping: segments, by: \.viewer).values {
            var (reached, plays) = (Int64.min, [Int64](repeating: 0, count: Int(duration)))
            for run in runs {
                let own = max(0, run.end - max(run.start, reached))
                reached = max(reached, run.end)
                for moment in run.from..<min(run.to, run.from + own * 2, max(run.from, duration)) {
                    plays[Int(moment)] += 1
                }
            }
            let seen = Int64(plays.count { $0 > 0 })
            guard seen > 0 else { continue }
            viewers += 1
            covered += seen
            watched += plays.reduce(0, +)
            completions += seen * 10 >= duration * 9 ? 1 : 0
            for index in counted.curve.indices {
                let part = plays[Int(Int64(index) * bucket)..<Int(min(Int64(index + 1) * bucket, duration))]
                counted.curve[index] += 2 * part.count { $0 > 0 } >= part.count ? 1 : 0
                counted.again[index] += 2 * part.count { $0 > 1 } >= part.count ? 1 : 0
            }
        }
        counted.video.viewers = viewers
        counted.video.completions = completions
        counted.video.watchedMs = watched
        counted.video.coverage = Double(covered) / Double(duration * viewers)
        counted.video.starts = counted.curve.first
        counted.video.finishes = counted.curve.last
        return counted
    }
}
