import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct StatisticsTests {
    @Test func `two tabs at once count once, and each page for itself`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let now = store.clock.now.milliseconds
            store.clock.advance(by: 600_000)
            try await guest.claim(
                [
                    Guest.segment(0, from: now, to: now + 300_000, tab: "a", page: "/one"),
                    Guest.segment(0, from: now + 100_000, to: now + 400_000, attention: .idle, tab: "b", page: "/two"),
                ], sentAt: now + 600_000)
        }
        try await store.statistics.aggregate()
        let rows = try await store.database.read { connection in
            try connection.rows(
                """
                SELECT content.name, visible_ms, engaged_ms FROM daily_statistic
                JOIN content ON content.id = content_id ORDER BY content.name
                """
            ).map { "\(try $0["name"] as String) \(try $0["visible_ms"] as Int) \(try $0["engaged_ms"] as Int)" }
        }
        #expect(rows == [" 400000 300000", "/one 300000 300000", "/two 300000 0"])
    }

    @Test func `a night is cut at local midnight`() async throws {
        let store = try await TestStore(timeZone: "Europe/Berlin")
        store.clock.set(Timestamp(at: "2026-03-02T22:50:00Z"))
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let start = store.clock.now.milliseconds
            store.clock.advance(by: 1_500_000)
            try await guest.claim(
                [Guest.segment(0, from: start, to: start + 1_500_000)], sentAt: start + 1_500_000)
        }
        try await store.statistics.aggregate()
        let days = try await store.reports.days(Reports.Scope())
        #expect(days.map(\.day) == ["2026-03-03", "2026-03-02"])
        #expect(days.map(\.visibleMs) == [900_000, 600_000])
    }

    @Test func `a segment that grows over midnight after its day was computed is computed anew on both days`()
        async throws
    {
        let store = try await TestStore()
        store.clock.set(Timestamp(at: "2026-03-02T23:50:00Z"))
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let start = store.clock.now.milliseconds
            for (from, to) in [(0, 300_000), (1_200_000, 1_500_000), (0, 1_500_000)] as [(Int64, Int64)] {
                store.clock.set(Timestamp(milliseconds: start + to))
                try await guest.claim([Guest.segment(0, from: start + from, to: start + to)], sentAt: start + to)
                try await store.statistics.aggregate()
            }
        }
        #expect(try await Self.computed(store) == Self.bruteForce(try await Self.segments(store), store.settings.days))
    }

    @Test(arguments: 0..<15 as Range<UInt64>)
    func `statistics equal a brute-force fold, and computing them again changes nothing`(seed: UInt64) async throws {
        let store = try await TestStore(timeZone: "America/New_York")
        var generator = SeededGenerator(seed: seed)
        let start = store.clock.now
        var claims: [SegmentClaim] = []
        for n in 0..<30 {
            // Whole seconds, so that the brute force may count seconds.
            let from = Int64.random(in: 0...90_000, using: &generator) * 1000
            let length = Int64.random(in: 0...4000, using: &generator) * 1000
            claims.append(Guest.segment(n, from: from, to: from + length, tab: "t\(n % 3)"))
        }
        claims.sort { $0.from < $1.from }
        let history = claims
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            for claim in history {
                store.clock.set(start + claim.to)
                try await guest.claim([claim], sentAt: claim.to)
            }
        }
        try await store.statistics.aggregate()
        let first = try await store.rows("SELECT * FROM daily_statistic ORDER BY viewer_id, day, content_id")
        #expect(try await Self.computed(store) == Self.bruteForce(try await Self.segments(store), store.settings.days))
        try await store.database.write { connection in
            try connection.execute(
                "INSERT INTO dirty_day (viewer_id, day) SELECT DISTINCT viewer_id, day FROM daily_statistic")
        }
        try await store.statistics.aggregate()
        #expect(try await store.rows("SELECT * FROM daily_statistic ORDER BY viewer_id, day, content_id") == first)
    }

    @Test func `a day that a beat made dirty while it was computed stays dirty`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.beat()
            let taken = try await store.take(by: 1)
            #expect(taken.count == 1)
            store.clock.advance(by: 60_000)
            try await guest.beat()
            #expect(try await store.release(taken, by: 1) == [false])
            #expect(try await store.take(by: 2) == taken)
        }
    }

    @Test func `of two that compute a day the last to take it keeps it`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.beat()
        }
        let taken = try await store.take(by: 1)
        #expect(try await store.take(by: 2) == taken)
        #expect(try await store.release(taken, by: 1) == [false])
        #expect(try await store.release(taken, by: 2) == [true])
        #expect(try await store.take(by: 3) == [])
    }

    @Test func `what somebody took and never computed is computed the next time`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.beat()
        }
        _ = try await store.take(by: 1)
        #expect(try await store.statistics.aggregate() == 1)
        #expect(try await store.statistics.aggregate() == 0)
    }

    @Test func `another time zone cuts every day anew`() async throws {
        let store = try await TestStore(timeZone: "UTC")
        store.clock.set(Timestamp(at: "2026-03-02T23:30:00Z"))
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.beat()
            store.clock.advance(by: 60_000)
            try await guest.beat()
        }
        try await store.statistics.adoptTimeZone()
        try await store.statistics.aggregate()
        #expect(try await store.reports.days(Reports.Scope()).map(\.day) == ["2026-03-02"])

        let days = LocalDays(timeZone: try #require(TimeZone(identifier: "Asia/Tokyo")))
        let moved = Statistics(database: store.database, days: days, logger: TestStore.silent)
        try await moved.adoptTimeZone()
        try await moved.aggregate()
        #expect(try await store.reports.days(Reports.Scope()).map(\.day) == ["2026-03-03"])
    }

    private static func segments(_ store: TestStore) async throws -> [Range<Timestamp>] {
        try await store.database.read { connection in
            try connection.rows("SELECT started_at, ended_at FROM segment").map { row in
                let start: Timestamp = try row["started_at"]
                return start..<(try row["ended_at"])
            }
        }
    }

    private static func computed(_ store: TestStore) async throws -> [Int64: Int64] {
        try await store.database.read { connection in
            let rows = try connection.rows("SELECT day, visible_ms FROM daily_statistic WHERE content_id = 0")
            return Dictionary(uniqueKeysWithValues: try rows.map { (try $0["day"], try $0["visible_ms"]) })
        }
    }

    /// Counts seconds one by one.
    private static func bruteForce(_ segments: [Range<Timestamp>], _ days: LocalDays) -> [Int64: Int64] {
        let seconds = Set(
            segments.flatMap { segment in
                stride(from: segment.lowerBound.milliseconds, to: segment.upperBound.milliseconds, by: 1000)
            })
        return seconds.reduce(into: [:]) { totals, second in
            totals[days.day(of: Timestamp(milliseconds: second)), default: 0] += 1000
        }
    }
}

extension TestStore {
    fileprivate func take(by taker: Int64) async throws -> [ViewerDay] {
        try await database.write {
            try StatisticQueries(connection: $0).takeDirty(after: nil, limit: 10, taker: taker)
        }
    }

    fileprivate func release(_ days: [ViewerDay], by taker: Int64) async throws -> [Bool] {
        try await database.write { connection in
            try days.map { try StatisticQueries(connection: connection).release($0, takenBy: taker) }
        }
    }
}
