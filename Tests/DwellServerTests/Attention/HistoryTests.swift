import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

/// What must hold whatever happened, over generated histories of several tabs whose beats are late, repeated, cut in
/// pieces and out of order.
@Suite struct HistoryTests {
    @Test(arguments: 0..<40 as Range<UInt64>)
    func `in any order the same beats give the same sessions and segments`(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let history = History(&generator)
        let inOrder = try await Outcome(of: history.deliveries)
        let shuffled = try await Outcome(of: history.deliveries.shuffled(using: &generator))
        let backwards = try await Outcome(of: history.deliveries.reversed())
        #expect(shuffled == inOrder)
        #expect(backwards == inOrder)
    }

    @Test(.enabled(if: TestDatabase.isPostgres), arguments: 0..<5 as Range<UInt64>)
    func `tables that are split by viewer give the same sessions and segments`(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let history = History(&generator)
        let whole = try await Outcome(of: history.deliveries)
        #expect(try await Outcome(of: history.deliveries.shuffled(using: &generator), isSplit: true) == whole)
    }

    @Test(arguments: 0..<25 as Range<UInt64>)
    func `however often the same beats come, they give the same segments`(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let history = History(&generator)
        let once = try await Outcome(of: history.deliveries)
        let often = try await Outcome(of: (history.deliveries + history.deliveries).shuffled(using: &generator))
        #expect(often.withoutCounts == once.withoutCounts)
    }

    @Test(arguments: 0..<25 as Range<UInt64>)
    func `however a beat is cut into several, they give the same segments`(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let history = History(&generator)
        let whole = try await Outcome(of: history.deliveries)
        let pieces = history.deliveries.flatMap { delivery in
            delivery.claims.map { Delivery(claims: [$0], sentAt: delivery.sentAt, arrival: delivery.arrival) }
        }
        #expect(try await Outcome(of: pieces) == whole)
    }

    @Test(arguments: 0..<25 as Range<UInt64>)
    func `sessions are the runs of segments with no more than 30 silent minutes between them`(seed: UInt64)
        async throws
    {
        var generator = SeededGenerator(seed: seed)
        let outcome = try await Outcome(of: History(&generator).deliveries.shuffled(using: &generator))
        var reached = History.start
        var expected: [Range<Timestamp>] = [reached..<reached]
        for segment in outcome.segments.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            let last = expected.count - 1
            if segment.range.lowerBound - reached > Session.silence {
                expected.append(segment.range)
                reached = segment.range.upperBound
            } else {
                reached = max(reached, segment.range.upperBound)
                expected[last] = expected[last].lowerBound..<reached
            }
        }
        #expect(outcome.sessions == expected)
        for segment in outcome.segments {
            #expect(segment.session.lowerBound <= segment.range.lowerBound)
            #expect(segment.session.upperBound >= segment.range.upperBound)
        }
    }

    @Test(arguments: 0..<25 as Range<UInt64>)
    func `no segment is longer than what was claimed of it, or than the clock allows`(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let history = History(&generator)
        let outcome = try await Outcome(of: history.deliveries.shuffled(using: &generator))
        let last = history.deliveries.map(\.arrival).max() ?? History.start
        for segment in outcome.segments {
            let claims = history.deliveries.flatMap(\.claims).filter { "\($0.tab) \($0.n)" == segment.name }
            let longest = claims.map { $0.to - $0.from }.max() ?? 0
            #expect(segment.range.upperBound - segment.range.lowerBound <= longest)
            #expect(segment.range.lowerBound >= History.start)
            #expect(segment.range.upperBound <= last)
            let most = Double(segment.range.upperBound - segment.range.lowerBound) * (segment.rate ?? 1)
            #expect(Double(segment.media.map { $0.to - $0.from } ?? 0) <= most)
        }
    }

    @Test(arguments: ["America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"], 0..<6 as Range<UInt64>)
    func `statistics equal counting second by second, no day is longer than it is, and recompute changes nothing`(
        zone: String, seed: UInt64
    ) async throws {
        var generator = SeededGenerator(seed: seed)
        // The clocks change on 2026-03-08 in New York and on 2026-04-05 on Lord Howe Island.
        let day = zone.hasPrefix("Australia") ? "2026-04-04T02:00:00Z" : "2026-03-07T12:00:00Z"
        let store = try await TestStore(timeZone: zone)
        store.clock.set(Timestamp(at: day))
        let claims = (0..<60).map { n in
            let from = Int64.random(in: 0...200_000, using: &generator) * 1000
            let length = Int64.random(in: 0...20_000, using: &generator) * 1000
            return Guest.segment(
                n, from: from, to: from + length, attention: n % 3 == 0 ? .idle : .active, tab: "t\(n % 4)")
        }.shuffled(using: &generator)
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let start = store.clock.now
            for (index, claim) in claims.enumerated() {
                try await guest.claim([claim], sentAt: 230_000_000, arrival: start + 230_000_000)
                // Aggregation may come at any time.
                if index % 7 == 0 { try await store.statistics.aggregate() }
            }
        }
        try await store.statistics.aggregate()
        let totals = try await store.days()
        #expect(totals == (try await store.daysCountedBySeconds()))
        for (day, total) in totals {
            let range = store.settings.days.range(of: day)
            #expect(total.engaged <= total.visible)
            #expect(total.visible <= range.upperBound - range.lowerBound)
            #expect(total.raw >= total.visible)
        }
        let rows = try await store.rows("SELECT * FROM daily_statistic ORDER BY viewer_id, day, content_id")
        let result = try await store.statistics.recompute { _, _ in }
        #expect(result.days >= totals.count)
        #expect(result.changed == 0)
        #expect(try await store.rows("SELECT * FROM daily_statistic ORDER BY viewer_id, day, content_id") == rows)
    }
}

/// A beat on its way.
private struct Delivery: Sendable {
    let claims: [SegmentClaim]
    let sentAt: Int64
    let arrival: Timestamp
}

/// What several tabs of one visitor did in a few hours, and how their beats travelled.
private struct History {
    static let start = Timestamp(at: "2026-03-02T12:00:00Z")

    private(set) var deliveries: [Delivery] = []

    init(_ generator: inout SeededGenerator) {
        for tab in ["a", "b", "c"] {
            // Each tab's clock is off by something of its own.
            let offset = Int64.random(in: -31_536_000_000...31_536_000_000, using: &generator)
            for n in 0..<Int.random(in: 1...6, using: &generator) {
                // Multiples of ten minutes, so that gaps of exactly thirty occur; sometimes before the session.
                let from = Int64.random(in: -1...36, using: &generator) * 600_000
                let length = Int64.random(in: 1...90, using: &generator) * 10_000
                add(
                    tab: tab, n: n, from: from, length: length, offset: offset,
                    withMedia: n % 2 == 1, &generator)
            }
        }
    }

    /// A segment is told of a few times while it grows and once when it is over; beats may be minutes under way.
    private mutating func add(
        tab: String, n: Int, from: Int64, length: Int64, offset: Int64, withMedia: Bool,
        _ generator: inout SeededGenerator
    ) {
        let lengths = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
            Int64.random(in: 0...length, using: &generator)
        }
        for part in lengths + [length] {
            var claim = Guest.segment(
                n, from: from + offset, to: from + part + offset,
                attention: n % 3 == 0 ? .idle : .active, tab: tab, page: "/\(n)",
                end: part == length ? .hidden : nil)
            if withMedia {
                claim.video = "v"
                claim.rate = 2
                claim.mediaFrom = Int64.random(in: 0...3, using: &generator) * 1_000_000
                claim.mediaDuration = Int64.random(in: 0...2, using: &generator) * 1000 + 3_600_000
                claim.mediaTo = (claim.mediaFrom ?? 0) + part * Int64.random(in: 0...4, using: &generator)
            }
            let sentAt = from + part + Int64.random(in: 0...5_000, using: &generator)
            let delay = ([0, 20, 300, 40_000, 600_000] as [Int64]).randomElement(using: &generator) ?? 0
            deliveries.append(
                Delivery(
                    claims: [claim], sentAt: sentAt + offset, arrival: Self.start + max(Int64(0), sentAt + delay)))
        }
        // Some beats carry two segments.
        if deliveries.count > 1, Bool.random(using: &generator) {
            let last = deliveries.removeLast()
            let shifted = last.claims.map { claim in
                var other = claim
                other.n += 100
                return other
            }
            deliveries.append(Delivery(claims: last.claims + shifted, sentAt: last.sentAt, arrival: last.arrival))
        }
    }
}

/// What is stored after a history.
private struct Outcome: Equatable {
    struct StoredSegment: Equatable {
        let name: String
        let range: Range<Timestamp>
        let session: Range<Timestamp>
        let media: MediaRange?
        let rate: Double?
        /// Everything else that its row says, but for the session's number.
        var rest: String
        var beats: Int
    }

    private(set) var sessions: [Range<Timestamp>] = []
    private(set) var segments: [StoredSegment] = []

    init(of deliveries: [Delivery], isSplit: Bool = false) async throws {
        let store = try await TestStore(isSplit: isSplit)
        store.clock.set(History.start)
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            for delivery in deliveries {
                try await guest.claim(delivery.claims, sentAt: delivery.sentAt, arrival: delivery.arrival)
            }
        }
        (sessions, segments) = try await store.database.read { connection in
            let sessions = try connection.rows("SELECT * FROM session ORDER BY started_at").map { row in
                let start: Timestamp = try row["started_at"]
                return (id: try row["id"] as Int64, range: start..<(try row["last_seen_at"]))
            }
            let ranges = Dictionary(uniqueKeysWithValues: sessions.map { ($0.id, $0.range) })
            let segments = try connection.rows(
                """
                SELECT segment.*, content.name AS page FROM segment LEFT JOIN content ON content.id = page_id
                ORDER BY tab, n
                """
            ).map { try StoredSegment(row: $0, sessions: ranges) }
            return (sessions.map(\.range), segments)
        }
    }

    /// The same, however many beats there were.
    var withoutCounts: Outcome {
        var outcome = self
        for index in outcome.segments.indices { outcome.segments[index].beats = 0 }
        return outcome
    }
}

extension Outcome.StoredSegment {
    fileprivate init(row: Row, sessions: [Int64: Range<Timestamp>]) throws {
        let start: Timestamp = try row["started_at"]
        let from: Int64? = try row["media_from_ms"]
        let to: Int64? = try row["media_to_ms"]
        name = "\(try row["tab"] as String) \(try row["n"] as Int64)"
        range = start..<(try row["ended_at"])
        session = try #require(sessions[try row["session_id"]])
        media = from.flatMap { from in to.map { MediaRange(from: from, to: $0) } }
        rate = try row["rate"]
        beats = try row["beats"]
        rest = try [
            "attention", "page", "end_reason", "unsure_ms", "refused_before_ms", "refused_future_ms",
            "refused_media_ms", "media_duration_ms", "first_beat_at", "last_beat_at",
        ].map { column in
            let index = try #require(row.columns.firstIndex(of: column))
            return "\(column) \(row.values[index])"
        }.joined(separator: ", ")
    }
}

/// A person's day, in milliseconds.
private struct DayMeasures: Equatable {
    var visible: Int64 = 0
    var engaged: Int64 = 0
    var raw: Int64 = 0
}

extension TestStore {
    fileprivate func days() async throws -> [Int64: DayMeasures] {
        try await database.read { connection in
            let rows = try connection.rows("SELECT * FROM daily_statistic WHERE content_id = 0")
            return Dictionary(
                uniqueKeysWithValues: try rows.map { row in
                    let measures = DayMeasures(
                        visible: try row["visible_ms"], engaged: try row["engaged_ms"], raw: try row["raw_ms"])
                    return (try row["day"], measures)
                })
        }
    }

    /// The same, by counting: every segment is made of whole seconds.
    fileprivate func daysCountedBySeconds() async throws -> [Int64: DayMeasures] {
        let segments = try await database.read { connection in
            try connection.rows("SELECT tab, attention, started_at, ended_at FROM segment").map { row in
                (
                    tab: try row["tab"] as String, attention: try row["attention"] as Attention,
                    start: try row["started_at"] as Timestamp, end: try row["ended_at"] as Timestamp
                )
            }
        }
        var seconds: [Int64: (tabs: Set<String>, active: Bool)] = [:]
        for segment in segments {
            for second in stride(from: segment.start.milliseconds, to: segment.end.milliseconds, by: 1000) {
                seconds[second, default: ([], false)].tabs.insert(segment.tab)
                if segment.attention == .active { seconds[second]?.active = true }
            }
        }
        return seconds.reduce(into: [:]) { days, second in
            let day = settings.days.day(of: Timestamp(milliseconds: second.key))
            days[day, default: DayMeasures()].visible += 1000
            days[day, default: DayMeasures()].engaged += second.value.active ? 1000 : 0
            days[day, default: DayMeasures()].raw += Int64(second.value.tabs.count) * 1000
        }
    }
}
