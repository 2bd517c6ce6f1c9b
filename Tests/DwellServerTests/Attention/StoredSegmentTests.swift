import DwellAPI
import Testing

@testable import DwellServer

/// What several tellings of one segment say together.
@Suite struct StoredSegmentTests {
    private static let key = SegmentKey(tab: TabKey(entry: EntryKey(viewer: 1, entry: 1), tab: "t"), n: 0)

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `the order of tellings, and how they are put together, changes nothing`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let (one, two, three) = (Self.any(&random), Self.any(&random), Self.any(&random))
        #expect(one.merged(with: two) == two.merged(with: one))
        #expect(one.merged(with: two).merged(with: three) == one.merged(with: two.merged(with: three)))
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `telling the same again adds a beat and nothing else`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let one = Self.any(&random)
        let both = Self.any(&random).merged(with: one)
        var again = both.merged(with: one)
        #expect(again.beats == both.beats + 1)
        again.beats = both.beats
        #expect(again == both)
    }

    @Test func `a quicker telling moves the segment back without making it longer`() {
        let slow = Self.segment(from: 5000, to: 65_000)
        let quick = Self.segment(from: 1000, to: 61_000)
        let both = slow.merged(with: quick)
        #expect(both.start == Timestamp(milliseconds: 1000))
        #expect(both.length == 60_000)
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `however far apart the media of tellings lies, together they are no more than the clock and the speed allow`(
        seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        let arrival = Timestamp(milliseconds: 100_000)
        var merged: StoredSegment?
        for _ in 0..<6 {
            let from = Int64.random(in: 0...50_000, using: &random)
            let media = Int64.random(in: 0...10_000_000, using: &random)
            let claim = SegmentClaim(
                tab: "t", n: 0, from: from, to: from + .random(in: 0...50_000, using: &random), attention: .active,
                video: "v", mediaFrom: media, mediaTo: media + .random(in: 0...10_000_000, using: &random),
                rate: Self.pick([nil, 0.5, 1, 2, 16], &random))
            let credited = Credit.segment(
                for: claim, sentAt: arrival.milliseconds, arrival: arrival, earliest: Timestamp(milliseconds: 0),
                interval: 5000)
            let told = StoredSegment(
                CreditedSegment(
                    entry: Entry(
                        viewer: 1, id: 1, startedAt: Timestamp(milliseconds: 0), device: nil, login: 0, videoID: nil,
                        closedAt: nil), segment: credited, pageID: nil, videoID: 1, arrival: arrival), in: 1)
            merged = merged?.merged(with: told) ?? told
        }
        let segment = try #require(merged)
        let media = try #require(segment.media)
        #expect(Double(media.to - media.from) <= Double(segment.length) * (segment.rate ?? 1))
    }

    @Test func `the longest telling says how sure the end is, of equally long ones the surest`() {
        let open = Self.segment(from: 0, to: 20_000, unsure: 30_000)
        #expect(open.merged(with: Self.segment(from: 0, to: 25_000, unsure: 0)).unsure == 0)
        #expect(open.merged(with: Self.segment(from: 0, to: 15_000, unsure: 0)).unsure == 30_000)
        #expect(open.merged(with: Self.segment(from: 0, to: 20_000, unsure: 2000)).unsure == 2000)
    }

    @Test func `a segment that goes on is a growth, whatever it is of`() {
        var row = Self.segment(from: 0, to: 20_000, unsure: 30_000)
        for media in [nil, MediaRange(from: 1000, to: 21_000)] {
            row.media = media
            var told = Self.segment(from: 0, to: 25_000, unsure: 2000)
            told.media = media.map { MediaRange(from: $0.from, to: $0.to + 5000) }
            #expect(SegmentChange(row: row, segment: row.merged(with: told)).extent == .growth)
        }
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `nothing but what grows is another in a segment that does`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let row = Self.any(&random)
        let segment = row.merged(with: Self.any(&random))
        let hasOtherContents = (row.pageID, row.videoID) != (segment.pageID, segment.videoID)
        let stays: [Bool] = [
            row.start == segment.start, row.firstBeat == segment.firstBeat, row.attention == segment.attention,
            row.rate == segment.rate, row.ending == segment.ending, row.mediaDuration == segment.mediaDuration,
            row.refused == segment.refused, row.media?.from == segment.media?.from,
        ]
        let grows = stays.allSatisfy(\.self)
        let extent: SegmentChange.Extent = hasOtherContents ? .contents : grows ? .growth : .measures
        #expect(SegmentChange(row: row, segment: segment).extent == extent)
    }

    private static func segment(from: Int64, to: Int64, unsure: Int64 = 0) -> StoredSegment {
        StoredSegment(
            key: key, session: 1, start: Timestamp(milliseconds: from), end: Timestamp(milliseconds: to),
            attention: .active, unsure: unsure, refused: RefusedTime(), beats: 1,
            firstBeat: Timestamp(milliseconds: to), lastBeat: Timestamp(milliseconds: to))
    }

    /// One of few values each, so that equal ones meet.
    private static func any(_ random: inout SeededGenerator) -> StoredSegment {
        let from = Int64.random(in: 0...3, using: &random)
        let media = Int64.random(in: 0...3, using: &random)
        var segment = segment(
            from: from, to: from + .random(in: 0...3, using: &random), unsure: .random(in: 0...2, using: &random))
        segment.attention = pick(Attention.allCases, &random)
        segment.pageID = pick([nil, 1, 2], &random)
        segment.videoID = pick([nil, 1, 2], &random)
        segment.media = pick([nil, MediaRange(from: media, to: media + .random(in: 0...3, using: &random))], &random)
        segment.rate = pick([nil, 1, 2], &random)
        segment.mediaDuration = pick([nil, 5, 6], &random)
        segment.ending = pick([nil] + SegmentEnd.allCases, &random)
        segment.refused.future = .random(in: 0...2, using: &random)
        segment.firstBeat = Timestamp(milliseconds: .random(in: 0...3, using: &random))
        segment.lastBeat = segment.firstBeat + .random(in: 0...3, using: &random)
        return segment
    }

    private static func pick<Value>(_ values: [Value], _ random: inout SeededGenerator) -> Value {
        values[Int.random(in: values.indices, using: &random)]
    }
}
