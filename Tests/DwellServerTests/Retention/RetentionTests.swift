import Foundation
import Synchronization
import Testing

@testable import DwellAPI
@testable import DwellServer

/// Folding takes the segments and leaves every figure as it was.
@Suite struct RetentionTests {
    private static let day: Int64 = 86_400_000

    @Test(arguments: ["UTC", "America/New_York", "Asia/Tokyo"], 0..<4 as Range<UInt64>)
    func `every figure of old and new ranges is the same before and after`(zone: String, seed: UInt64) async throws {
        let store = try await TestStore(timeZone: zone)
        var generator = SeededGenerator(seed: seed)
        try await store.live(days: 80, &generator)
        try await store.statistics.aggregate()
        let before = try await Figures(store)
        let sessions = before.sessions.count
        var evidenceBefore: [Int64: SessionEvidence] = [:]
        for session in before.sessions {
            evidenceBefore[session.id] = try await store.reports.evidence(session: session.id)
        }

        let outcome = try await store.fold(keeping: 60)
        #expect(outcome.sessions > 10 && outcome.sessions < sessions)
        #expect(outcome.segments > 20)
        #expect(try await Figures(store) == before)
        // Nothing is left to fold, or to compute.
        #expect(try await store.fold(keeping: 60).sessions == 0)
        let recomputed = try await store.statistics.recompute { _, _ in }
        #expect(recomputed.changed == 0)
        #expect(recomputed.folded > 5)
        #expect(try await Figures(store) == before)

        // Folded are whole sessions that were over before a midnight, and no others.
        let limit = store.settings.days.range(of: store.settings.days.day(of: store.clock.now) - 60).lowerBound
        for session in before.sessions {
            let isOld = session.sessionEndTime + Session.silence < limit
            let evidence = try #require(try await store.reports.evidence(session: session.id))
            #expect((evidence.foldedTime != nil) == isOld)
            #expect(evidence.session == session)
            if isOld {
                #expect(evidence.segments.isEmpty)
            } else {
                #expect(evidence == evidenceBefore[session.id])
            }
        }
    }

    @Test func `what was refused is remembered, and when the segments went`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let now = store.clock.now.milliseconds
            store.clock.advance(by: 60_000)
            try await guest.claim([Guest.segment(0, from: now - 5000, to: now + 90_000)], sentAt: now + 60_000)
        }
        let before = try #require(try await store.reports.evidence(session: 1))
        #expect(before.refused == RefusedRecord(beforeSessionMs: 5000, futureMs: 30_000))
        store.clock.advance(by: 70 * Self.day)
        _ = try await store.fold(keeping: 60)
        let after = try #require(try await store.reports.evidence(session: 1))
        #expect(after.refused == before.refused)
        #expect(after.foldedTime == store.clock.now)
        #expect(after.segments == [] && after.gaps == [])
    }

    @Test func `without old sessions nothing is folded, and nothing refused`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let start = store.clock.now.milliseconds
            store.clock.advance(by: 59 * Self.day)
            #expect(try await store.fold(keeping: 60) == Retention.Outcome())
            // As a queue that was kept for very long.
            try await guest.claim(
                [Guest.segment(0, from: start, to: start + 1000)], sentAt: store.clock.now.milliseconds)
        }
        #expect(try await store.sessions().map(\.visibleMs) == [1000])
    }

    @Test func `a late claim that reaches into folded days is cut, and noted as refused`() async throws {
        let store = try await TestStore()
        let start = store.clock.now.milliseconds
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            store.clock.advance(by: 600_000)
            let told = Guest.segment(0, from: start, to: start + 600_000, page: "/a")
            try await guest.claim([told], sentAt: start + 600_000)
            store.clock.set(Timestamp(milliseconds: start) + 70 * Self.day)
            _ = try await store.fold(keeping: 60)
            let before = try await Figures(store)

            let limit = store.settings.days.range(of: store.settings.days.day(of: store.clock.now) - 60).lowerBound
            let reaching = limit.milliseconds
            try await guest.claim(
                [
                    told, Guest.segment(1, from: start + 700_000, to: start + 900_000, page: "/b"),
                    Guest.segment(2, from: reaching - 5000, to: reaching + 8000, tab: "u", page: "/c"),
                ], sentAt: store.clock.now.milliseconds)
            try await store.statistics.aggregate()
            let after = try await Figures(store)
            // The old session and the old day are as they were.
            #expect(after.sessions.filter { $0.id == 1 } == before.sessions)
            #expect(after.days.filter { $0.day == "2026-03-02" } == before.days)
            let late = try #require(after.sessions.first { $0.id != 1 })
            #expect(late.sessionStartTime == limit)
            #expect(late.visibleMs == 8000)
            let refused = try #require(try await store.reports.evidence(session: late.id)).refused
            #expect(refused.beforeSessionMs == 600_000 + 200_000 + 5000)
        }
        #expect(try await store.statistics.recompute { _, _ in }.changed == 0)
    }

    @Test func `a clock that was set back behind what is folded takes no figure apart`() async throws {
        let store = try await TestStore()
        let start = store.clock.now
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.beat(page: "/a")
            store.clock.advance(by: 60_000)
            try await guest.beat(page: "/a")
            store.clock.set(start + 70 * Self.day)
            _ = try await store.fold(keeping: 60)
            let before = try await Figures(store)
            store.clock.set(start + 120_000)
            #expect(try await guest.beat(page: "/a") == .stored(guest.entry))
            try await store.statistics.aggregate()
            store.clock.set(start + 70 * Self.day)
            #expect(try await Figures(store).sessions.first { $0.id == 1 } == before.sessions[0])
        }
        #expect(try await store.statistics.recompute { _, _ in }.changed == 0)
    }

    @Test func `a day that waits to be computed is computed before its segments go`() async throws {
        let store = try await TestStore()
        var generator = SeededGenerator(seed: 1)
        try await store.live(days: 70, &generator)
        let outcome = try await store.fold(keeping: 60)
        #expect(outcome.sessions > 0)
        #expect(try await store.rows("SELECT * FROM dirty_day") == [])
        let recomputed = try await store.statistics.recompute { _, _ in }
        #expect(recomputed.changed == 0)
        let computed = Set(try await store.reports.days(Reports.Scope()).map(\.day))
        let lived = try await store.sessions().filter { $0.visibleMs > 0 }.map {
            LocalDays.date(of: store.settings.days.day(of: $0.sessionStartTime))
        }
        #expect(computed.isSuperset(of: lived))
    }

    @Test func `a mark on a folded day is taken off, and the day stays`() async throws {
        let store = try await TestStore()
        var generator = SeededGenerator(seed: 2)
        try await store.live(days: 70, &generator)
        _ = try await store.fold(keeping: 60)
        let before = try await Figures(store)
        try await store.database.write { connection in
            try connection.execute(
                "INSERT INTO dirty_day (viewer_id, day) SELECT DISTINCT viewer_id, day FROM daily_statistic")
        }
        try await store.statistics.aggregate()
        #expect(try await Figures(store) == before)
        #expect(try await store.rows("SELECT * FROM dirty_day") == [])
    }

    @Test func `a session of very many segments is folded in many steps, and right all the time`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let start = store.clock.now.milliseconds
            store.clock.advance(by: 3_000_000)
            for part in 0..<4 {
                let claims = (part * 500..<(part + 1) * 500).map { n in
                    Guest.segment(n, from: start + Int64(n) * 1000, to: start + Int64(n) * 1000 + 700)
                }
                try await guest.claim(claims, sentAt: start + 3_000_000)
            }
        }
        let before = try await store.sessions()
        store.clock.advance(by: 70 * Self.day)
        // Between any two steps every reader sees the same.
        let watched = WatchedDatabase(store.database)
        let seen = Mutex<Set<String>>([])
        watched.afterWrite.withLock { afterWrite in
            afterWrite = {
                let evidence = try await store.reports.evidence(session: 1)
                let count = try await store.rows("SELECT n FROM segment").count
                seen.withLock { _ = $0.insert("\(count > 0) \(String(describing: evidence?.session.visibleMs))") }
            }
        }
        let outcome = try await store.fold(keeping: 60, in: watched)
        #expect(outcome.sessions == 1)
        #expect(outcome.segments == 2000)
        #expect(outcome.steps > 3)
        #expect(seen.withLock { $0 } == ["true Optional(1400000)", "false Optional(1400000)"])
        #expect(try await store.sessions().map(\.visibleMs) == before.map(\.visibleMs))
    }

    @Test func `what was interrupted goes on, from any step`() async throws {
        let store = try await TestStore()
        var generator = SeededGenerator(seed: 3)
        try await store.live(days: 75, &generator)
        try await store.statistics.aggregate()
        let before = try await Figures(store)
        let watched = WatchedDatabase(store.database)
        let writes = Mutex(0)
        watched.afterWrite.withLock { afterWrite in
            afterWrite = {
                let count = writes.withLock { writes in
                    writes += 1
                    return writes
                }
                if count % 2 == 0 { throw CancellationError() }
            }
        }
        var interruptions = 0
        while try await store.rows("SELECT id FROM session WHERE folded_at IS NOT NULL").isEmpty {
            do { _ = try await store.fold(keeping: 60, in: watched) } catch is CancellationError { interruptions += 1 }
            #expect(try await Figures(store) == before)
            try #require(interruptions < 100)
        }
        #expect(interruptions > 0)
        _ = try await store.fold(keeping: 60)
        #expect(try await Figures(store) == before)
    }

    @Test func `two nodes that fold at once fold each session once`() async throws {
        let store = try await TestStore()
        var generator = SeededGenerator(seed: 4)
        try await store.live(days: 80, &generator)
        try await store.statistics.aggregate()
        let before = try await Figures(store)
        let segments = try await store.rows("SELECT n FROM segment").count
        async let one = store.fold(keeping: 60)
        async let other = store.fold(keeping: 60)
        let outcomes = try await [one, other]
        let left = try await store.rows("SELECT n FROM segment").count
        #expect(outcomes.reduce(0) { $0 + $1.segments } == segments - left)
        #expect(try await Figures(store) == before)
    }

    @Test func `beats go on while segments are folded`() async throws {
        let store = try await TestStore()
        var generator = SeededGenerator(seed: 5)
        try await store.live(days: 80, &generator)
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer, email: "now@example.com")
            try await withThrowingTaskGroup(of: Int.self) { group in
                group.addTask {
                    var beats = 0
                    while !Task.isCancelled {
                        let outcome = try await guest.beat(page: "/now")
                        #expect(outcome == .stored(guest.entry))
                        beats += 1
                    }
                    return beats
                }
                let outcome = try await store.fold(keeping: 60)
                group.cancelAll()
                let beats = try await group.next() ?? 0
                #expect(beats > 0)
                #expect(outcome.sessions > 10)
                print("\(beats) beats beside \(outcome.steps) steps, the longest of \(outcome.longestStep)")
            }
        }
    }

    @Test func `what is folded stays folded when segments are to be kept longer`() async throws {
        let store = try await TestStore()
        var generator = SeededGenerator(seed: 6)
        try await store.live(days: 80, &generator)
        _ = try await store.fold(keeping: 60)
        let noted = try await store.rows("SELECT value FROM setting WHERE name = 'folded_before'")
        #expect(try await store.fold(keeping: 400).sessions == 0)
        #expect(try await store.rows("SELECT value FROM setting WHERE name = 'folded_before'") == noted)
    }

    @Test func `folded days can't be cut in another time zone`() async throws {
        let store = try await TestStore()
        try await store.statistics.adoptTimeZone()
        var generator = SeededGenerator(seed: 7)
        try await store.live(days: 70, &generator)
        _ = try await store.fold(keeping: 60)
        let before = try await Figures(store)
        let days = LocalDays(timeZone: try #require(TimeZone(identifier: "Asia/Tokyo")))
        let moved = Statistics(database: store.database, days: days, logger: TestStore.silent)
        await #expect(throws: Statistics.FoldedInAnotherZone(zone: "GMT")) { try await moved.adoptTimeZone() }
        try await store.statistics.adoptTimeZone()
        #expect(try await Figures(store) == before)
    }

    @Test func `an old session is imported only into days that are not folded`() async throws {
        let store = try await TestStore()
        var generator = SeededGenerator(seed: 8)
        try await store.live(days: 70, &generator)
        _ = try await store.fold(keeping: 60)
        let before = try await Figures(store)
        let old = store.clock.now - 69 * Self.day
        let recent = store.clock.now - 3 * Self.day
        for isDryRun in [true, false] {
            let sessions = OldSessions(database: store.database, days: store.settings.days, isDryRun: isDryRun)
            let fates = try await sessions.store(
                [old, recent].map { start in
                    OldSession(tab: ":old:\(start)", person: .guest("new@example.com"), start: start, end: start + 1000)
                })
            #expect(fates == [.skipped("of days whose segments are folded"), .imported])
        }
        #expect(try await Figures(store).sessions.filter { $0.viewer.email != "new@example.com" } == before.sessions)
    }

    @Test func `a copy has the totals, the notes and the end of what is folded`() async throws {
        let (source, target) = (try await TestStore(), try await TestStore())
        var generator = SeededGenerator(seed: 9)
        try await source.live(days: 70, &generator)
        try await source.statistics.adoptTimeZone()
        _ = try await source.fold(keeping: 60)
        let copy = StoreCopy(from: source.database, to: target.database, clock: source.clock.clock)
        #expect(try await copy.run().report.isSame)
        target.clock.set(source.clock.now)
        #expect(try await Figures(target) == Figures(source))
        let evidence = try await target.reports.evidence(session: 1)
        #expect(evidence?.foldedTime == source.clock.now)
        #expect(try await target.statistics.recompute { _, _ in }.changed == 0)
    }
}

/// Everything that reports say.
private struct Figures: Equatable {
    let sessions: [SessionRecord]
    let totals: [ViewerTotal]
    let days: [DayTotal]
    let videos: [VideoTotal]
    let months: [[DayTotal]]
    let contents: [ContentTotals?]

    init(_ store: TestStore) async throws {
        let reports = store.reports
        sessions = try await store.sessions()
        totals = try await reports.totals(Reports.Scope())
        days = try await reports.days(Reports.Scope())
        videos = try await reports.videos(Reports.Scope())
        let first = store.settings.days.day(of: Timestamp(at: "2026-03-02T12:00:00Z"))
        var months: [[DayTotal]] = []
        for start in stride(from: first, to: first + 90, by: 10) {
            months.append(try await reports.days(Reports.Scope(firstDay: start, lastDay: start + 29)))
        }
        self.months = months
        contents = [
            try await reports.content(.page, "/1", Reports.Scope()),
            try await reports.content(.video, "v", Reports.Scope(email: "ada@example.com")),
        ]
    }
}

extension TestStore {
    /// Two guests come back every few days: several tabs, some over midnight, some with a video, one claim too long.
    fileprivate func live(days: Int64, _ generator: inout SeededGenerator) async throws {
        let start = clock.now
        for email in ["ada@example.com", "zoe@example.com"] {
            var at: Int64 = 0
            while at < days * 86_400_000 {
                clock.set(start + at)
                let now = clock.now.milliseconds
                let claims = (0..<Int.random(in: 1...6, using: &generator)).map { n in
                    var claim = Guest.segment(
                        n, from: now + Int64.random(in: -20...3000, using: &generator) * 1000,
                        to: now + Int64.random(in: 3000...9000, using: &generator) * 1000,
                        attention: n % 3 == 0 ? .idle : .active, tab: "t\(n % 2)", page: "/\(n)",
                        end: n % 2 == 0 ? .hidden : nil)
                    if n % 3 == 1 { (claim.video, claim.mediaFrom, claim.mediaTo) = ("v", 0, 5000) }
                    return claim
                }
                try await withWriter { writer in
                    let guest = try await Guest(self, writer, email: email)
                    clock.advance(by: 7_000_000)
                    try await guest.claim(claims, sentAt: clock.now.milliseconds)
                    try await guest.beat(page: "/old")
                }
                at += Int64.random(in: 1...5 * 86_400, using: &generator) * 1000
            }
        }
        clock.set(start + days * 86_400_000)
    }

    fileprivate func fold(keeping days: Int64, in database: (any Database)? = nil) async throws -> Retention.Outcome {
        try await Retention(
            database: database ?? self.database, statistics: statistics, audience: audience, days: settings.days,
            keptDays: days,
            clock: clock.clock, logger: TestStore.silent
        ).run(for: .seconds(3600))
    }
}

/// A database on which something happens after each write.
private final class WatchedDatabase: DatabaseWrapper {
    let afterWrite = Mutex<@Sendable () async throws -> Void>({})
    let base: any Database

    init(_ base: any Database) { self.base = base }

    func write<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        let value = try await base.write(body)
        try await afterWrite.withLock { $0 }()
        return value
    }
}
