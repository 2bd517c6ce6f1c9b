import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

/// What everybody's days add up to is what counting the seconds of all segments gives, whatever happened since.
@Suite struct TotalsTests {
    @Test(arguments: ["America/New_York", "Asia/Tokyo"], 0..<2 as Range<UInt64>)
    func `figures of any days equal counting, after late beats, recompute, folding, exclusion and erasure`(
        zone: String, seed: UInt64
    ) async throws {
        var generator = SeededGenerator(seed: seed)
        let store = try await TestStore(timeZone: zone)
        let start = store.clock.now
        let visits = (0..<90).map { _ in Visit(&generator) }
        let late = visits.filter { _ in Int.random(in: 0..<10, using: &generator) == 0 }
        try await store.withWriter { writer in
            var guests: [Guest] = []
            for number in 0..<Visit.people {
                guests.append(try await Guest(store, writer, email: "guest\(number)@example.com"))
            }
            for (n, visit) in visits.enumerated() {
                // Some are told of only in the end: days that were computed get more.
                if n == 70 { try await store.statistics.aggregate() }
                let claim = visit.claim(n)
                try await guests[visit.person].claim(
                    [claim], sentAt: Visit.length, arrival: start + Visit.length)
            }
            for (n, visit) in late.enumerated() {
                try await guests[visit.person].claim(
                    [visit.claim(n + 200)], sentAt: Visit.length, arrival: start + Visit.length)
            }
        }
        store.clock.set(start + Visit.length)
        try await store.statistics.aggregate()
        let counted = try await Counted(store)
        #expect(counted.seconds.count > 1000)
        try await Self.expect(store, toBe: counted, &generator)

        // When nothing is wrong nothing changes; what is wrong is found.
        let kept = try await Self.kept(store)
        #expect(try await store.statistics.recompute { _, _ in }.totals == 0)
        #expect(try await Self.kept(store) == kept)
        try await store.database.write { connection in
            try connection.execute("UPDATE span_total SET viewers = viewers + 1, engaged_ms = 0 WHERE length = 1")
            try connection.execute("DELETE FROM span_total WHERE length = 32")
        }
        #expect(try await store.statistics.recompute { _, _ in }.totals > 0)
        #expect(try await Self.kept(store) == kept)

        #expect(try await store.retention(keeping: 30).run().sessions > 5)
        #expect(try await store.statistics.recompute { _, _ in }.totals == 0)
        #expect(try await Self.kept(store) == kept)
        try await Self.expect(store, toBe: counted, &generator)

        let one = PersonName.viewer(counted.viewers[1])
        _ = try await store.exclusions.exclude(one, reason: "a bot", by: .commandLine)
        try await Self.expect(store, toBe: counted.without(counted.viewers[1]), &generator)
        #expect(try await store.exclusions.include(one, by: .commandLine))
        #expect(try await Self.kept(store) == kept)

        let gone = counted.viewers[0]
        try await store.database.write { connection in
            try connection.lock(.statistics)
            try Totals.markStale(daysOf: gone, connection)
            try connection.execute("DELETE FROM daily_statistic WHERE viewer_id = $1", [gone])
            try connection.execute("DELETE FROM segment WHERE viewer_id = $1", [gone])
            try connection.execute("DELETE FROM session WHERE viewer_id = $1", [gone])
        }
        // Nothing is dirty: the marks alone say what is to be done.
        try await store.statistics.aggregate()
        try await Self.expect(store, toBe: counted.without(gone), &generator)
    }

    @Test func `a session counts on the day that it began, whether or not a beat followed`() async throws {
        let store = try await TestStore(timeZone: "Asia/Tokyo")
        _ = try await store.gate.enter(email: "ada@example.com")
        try await store.statistics.aggregate()
        let today = store.settings.days.day(of: store.clock.now)
        let overview = try await store.reports.overview(Reports.Scope(), from: today, through: today)
        #expect(overview == Overview(people: 0, sessions: 1))
    }

    @Test func `a mark that came while a total was computed stays`() async throws {
        let store = try await TestStore()
        let span = ContentSpan(span: .day(7), content: DayFold.everything)
        try await store.database.write { connection in
            let queries = TotalQueries(connection: connection)
            try queries.markStale([span])
            let mark = try #require(try queries.stale(limit: 9).first?.mark)
            try queries.markStale([span])
            #expect(try queries.release(span, mark: mark) == false)
            #expect(try queries.stale(limit: 9).map(\.0) == [span])
        }
        try await store.statistics.aggregate()
        #expect(try await store.rows("SELECT * FROM stale_span") == [])
    }

    @Test func `a device has what its sessions' segments come to, and says what is folded`() async throws {
        let store = try await TestStore()
        let (viewer, device) = try await store.addAccount()
        let login = Login(account: UUID(), device: device, number: 0, viewer: viewer)
        let start = store.clock.now
        try await store.withWriter { writer in
            for (n, (from, attention)) in [(0, Attention.active), (40, .idle)].enumerated() {
                let now = start + Int64(from) * 86_400_000
                store.clock.set(now + 60_000)
                _ = try await writer.store(
                    Beat(
                        source: .login(login, entry: nil), arrival: now + 60_000,
                        content: .claims(
                            [
                                Guest.segment(
                                    n, from: 30_000, to: 60_000, attention: attention, page: "/a", video: "v")
                            ], sentAt: 60_000, interval: 15_000)))
            }
        }
        try await store.statistics.aggregate()
        let today = store.settings.days.day(of: store.clock.now)
        for scope in [Reports.Scope(), Reports.Scope(username: "beryl")] {
            var same = scope
            same.device = device
            for content in [nil, (ContentKind.page, "/a"), (.video, "v"), (.video, "other")] {
                let days = today - 60...today
                let all = try await store.reports.comparison(scope, days, of: content)
                let its = try await store.reports.comparison(same, days, of: content)
                #expect(its.now.days == all.now.days && its.now.people == all.now.people)
                #expect(its.now.sessions == all.now.sessions)
                #expect(its.pages == all.pages && its.videos == all.videos)
            }
        }
        var others = Reports.Scope(username: "nobody")
        others.device = device
        #expect(try await store.reports.overview(others, from: today - 60, through: today) == Overview(sessions: 0))
        #expect(try await store.retention(keeping: 30).run().sessions == 1)
        var scope = Reports.Scope()
        scope.device = device
        let folded = try await store.reports.overview(scope, from: today - 60, through: today)
        #expect(folded.foldedSessions == 1 && folded.sessions == 2 && folded.days.count == 1)
    }

    @Test func `days are put together from each day once`() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<500 {
            let first = Int64.random(in: -100...21_000, using: &generator)
            let days = first...first + Int64.random(in: 0...400, using: &generator)
            let parts = SpanCover(days).parts.flatMap { length, numbers in
                numbers.flatMap { Array(Span(length: length, number: $0).days) }
            }
            #expect(parts == Array(days))
        }
    }

    @Test func `a set of viewers is read as it was kept, and what is none is refused`() throws {
        var set = try ViewerSet()
        try set.insert(listed: "")
        try set.insert(listed: "1,70000,4294967295,1")
        var other = try ViewerSet()
        try other.insert(listed: "2,70000")
        try other.formUnion([set.kept])
        #expect(set.count == 3 && other.count == 4)
        #expect(throws: DatabaseError.self) { try Self.unite(Data("nothing".utf8)) }
        #expect(throws: DatabaseError.self) { try Self.list("4294967296") }
    }

    @Test func `sets of many days hold whoever any of them holds, each once`() throws {
        var generator = SeededGenerator(seed: 4)
        var (kept, all): ([Data], Set<UInt32>) = ([], [])
        // Few and many, near each other and far apart: what a set is made of differs.
        for count in [0, 1, 300, 5000, 60_000, 2, 70_000] {
            let numbers = (0..<count).map { _ in UInt32.random(in: 0..<200_000, using: &generator) }
            var set = try ViewerSet()
            try set.insert(listed: numbers.map(String.init).joined(separator: ","))
            kept.append(set.kept)
            all.formUnion(numbers)
        }
        var united = try ViewerSet()
        try united.formUnion(kept)
        var listed = try ViewerSet()
        try listed.insert(listed: all.map(String.init).joined(separator: ","))
        #expect(united.count == all.count)
        #expect(united.kept == listed.kept)
    }

    private static func unite(_ data: Data) throws {
        var set = try ViewerSet()
        try set.formUnion([data])
    }

    private static func list(_ list: String) throws {
        var set = try ViewerSet()
        try set.insert(listed: list)
    }

    private static func kept(_ store: TestStore) async throws -> [[String]] {
        var all: [[String]] = []
        for table in ["span_total", "span_viewers", "stale_span"] {
            all.append(try await store.rows("SELECT * FROM \(table) ORDER BY content_id, length, number"))
        }
        return all
    }

    /// Looks at days of all lengths, of everything, of a page and of a video.
    private static func expect(
        _ store: TestStore, toBe counted: Counted, _ generator: inout SeededGenerator
    ) async throws {
        let first = store.settings.days.day(of: Timestamp(at: "2026-03-02T12:00:00Z"))
        for length in [0, 1, 6, 27, 40, 110] as [Int64] {
            let start = Int64.random(in: first - 3...first + 100, using: &generator)
            let days = length == 110 ? first - 3...first + 110 : start...start + length
            for content in [nil, (ContentKind.page, "/a"), (.video, "v")] as [(kind: ContentKind, name: String)?] {
                let found = try await store.reports.comparison(Reports.Scope(), days, of: content)
                let name = content?.name
                #expect(found.now.people == counted.people(days, of: name))
                #expect(found.now.total.visibleMs == counted.milliseconds(days, of: name))
                #expect(
                    found.now.days.map { [$0.day: $0.viewers] }
                        == counted.days(days, of: name).map { [LocalDays.date(of: $0.day): $0.people] })
                guard content == nil else { continue }
                #expect(found.now.sessions == counted.sessions(days))
                let ranks = try #require(found.pages) + #require(found.videos)
                for rank in ranks {
                    #expect(rank.viewers == counted.people(days, of: rank.name))
                    #expect(rank.total.visibleMs == counted.milliseconds(days, of: rank.name))
                }
                #expect(Set(ranks.map(\.name)) == counted.names(days))
                var scope = Reports.Scope()
                scope.firstDay = days.lowerBound
                scope.lastDay = days.upperBound
                #expect(try await store.reports.days(scope).reversed().map(\.asContentDay) == found.now.days)
                #expect(try await store.reports.videos(scope) == found.videos?.map(VideoTotal.init))
            }
        }
    }
}

/// A stretch of somebody's time on something, in whole seconds.
private struct Visit: Sendable {
    static let people = 5
    static let length: Int64 = 110 * 86_400_000

    let person: Int
    let from: Int64
    let to: Int64
    let page: String?
    let video: String?

    init(_ generator: inout SeededGenerator) {
        person = Int.random(in: 0..<Self.people, using: &generator)
        from = Int64.random(in: 1...9_000_000, using: &generator) * 1000
        to = from + Int64.random(in: 1...90, using: &generator) * 1000
        page = ["/a", "/b", nil].randomElement(using: &generator) ?? nil
        video = page == nil ? "v" : nil
    }

    func claim(_ n: Int) -> SegmentClaim {
        Guest.segment(n, from: from, to: to, tab: "t\(n % 3)", page: page, video: video)
    }
}

/// The seconds of all segments.
private struct Counted {
    struct Second: Hashable {
        let viewer: Int64
        let day: Int64
        /// `nil` for everything.
        let name: String?
        let second: Int64
    }

    var seconds: Set<Second> = []
    var viewers: [Int64] = []
    var starts: [(viewer: Int64, day: Int64)] = []

    init(_ store: TestStore) async throws {
        let days = store.settings.days
        let segments = try await store.database.read { connection in
            try connection.rows(
                """
                SELECT viewer_id, started_at, ended_at, name FROM segment
                    LEFT JOIN content ON content.id IN (page_id, video_id)
                """
            ).map { row in
                (
                    viewer: try row["viewer_id"] as Int64, from: try row["started_at"] as Timestamp,
                    to: try row["ended_at"] as Timestamp, name: try row["name"] as String?
                )
            }
        }
        for segment in segments {
            for time in stride(from: segment.from.milliseconds, to: segment.to.milliseconds, by: 1000) {
                let day = days.day(of: Timestamp(milliseconds: time))
                for name in [nil, segment.name] {
                    seconds.insert(Second(viewer: segment.viewer, day: day, name: name, second: time))
                }
            }
        }
        viewers = Set(segments.map(\.viewer)).sorted()
        starts = try await store.database.read { connection in
            try connection.rows("SELECT viewer_id, started_at FROM session").map {
                (viewer: try $0["viewer_id"], day: days.day(of: try $0["started_at"]))
            }
        }
    }

    func without(_ viewer: Int64) -> Counted {
        var others = self
        others.seconds = seconds.filter { $0.viewer != viewer }
        others.starts = starts.filter { $0.viewer != viewer }
        return others
    }

    private func seconds(_ days: ClosedRange<Int64>, of name: String?) -> Set<Second> {
        seconds.filter { days.contains($0.day) && $0.name == name }
    }

    func people(_ days: ClosedRange<Int64>, of name: String?) -> Int {
        Set(seconds(days, of: name).map(\.viewer)).count
    }

    func milliseconds(_ days: ClosedRange<Int64>, of name: String?) -> Int64 {
        Int64(seconds(days, of: name).count) * 1000
    }

    func days(_ days: ClosedRange<Int64>, of name: String?) -> [(day: Int64, people: Int)] {
        Dictionary(grouping: seconds(days, of: name), by: \.day)
            .map { (day: $0, people: Set($1.map(\.viewer)).count) }.sorted { $0.day < $1.day }
    }

    func sessions(_ days: ClosedRange<Int64>) -> Int { starts.count { days.contains($0.day) } }

    func names(_ days: ClosedRange<Int64>) -> Set<String> {
        Set(seconds.filter { days.contains($0.day) }.compactMap(\.name))
    }
}

extension TestStore {
    fileprivate func retention(keeping days: Int64) -> Retention {
        Retention(
            database: database, statistics: statistics, audience: audience, days: settings.days, keptDays: days,
            clock: clock.clock, logger: TestStore.silent)
    }
}
