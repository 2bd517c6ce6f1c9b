import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct CreditTests {
    private let arrival = Timestamp(at: "2026-03-02T12:00:00Z")

    @Test(arguments: [-31_536_000_000, 0, 31_536_000_000] as [Int64])
    func `a client clock that is off by a year changes nothing`(offset: Int64) {
        let sentAt = arrival.milliseconds + offset
        let segment = Credit.segment(
            for: claim(from: sentAt - 60_000, to: sentAt - 10_000), sentAt: sentAt, arrival: arrival,
            earliest: arrival - 100_000, interval: 5000)
        #expect(segment.start == arrival - 60_000)
        #expect(segment.end == arrival - 10_000)
    }

    @Test func `what lies before the session is refused`() {
        let segment = credited(claim(from: -100_000, to: -20_000), since: 50_000)
        #expect(segment.length == 30_000)
        #expect(segment.refused == RefusedTime(beforeSession: 50_000))
    }

    @Test func `what has not happened yet is refused`() {
        let segment = credited(claim(from: -1000, to: 36_000_000), since: 50_000)
        #expect(segment.end == arrival)
        #expect(segment.refused == RefusedTime(future: 36_000_000))
    }

    @Test func `a segment that lies outside altogether is credited nothing`() {
        let early = credited(claim(from: -100_000, to: -90_000), since: 50_000)
        #expect(early.length == 0)
        #expect(early.refused == RefusedTime(beforeSession: 10_000))
        let late = credited(claim(from: 50_000, to: 60_000), since: 50_000)
        #expect(late.length == 0)
        #expect(late.refused == RefusedTime(future: 10_000))
    }

    @Test func `media time can't outrun the wall clock and the speed`() {
        let segment = credited(media(from: -10_000, to: 0, media: 5000...3_600_000, rate: 2), since: 50_000)
        #expect(segment.media == MediaRange(from: 5000, to: 25_000))
        #expect(segment.refused == RefusedTime(media: 3_600_000 - 25_000))
    }

    @Test func `media time is measured against what was credited, not against what was claimed`() {
        let segment = credited(media(from: -3_600_000, to: 0, media: 0...3_600_000, rate: nil), since: 10_000)
        #expect(segment.media == MediaRange(from: 0, to: 10_000))
        #expect(segment.rate == 1)
    }

    @Test func `an open segment may have gone on until the next beat, a closed one is sure`() {
        #expect(credited(claim(from: -10, to: 0), since: 100, interval: 30_000).unsure == 30_000)
        #expect(credited(claim(from: -10, to: 0, end: .hidden), since: 100, interval: 30_000).unsure == 0)
        #expect(credited(claim(from: -10, to: 0, end: .asleep), since: 100).unsure == 2000)
        #expect(credited(claim(from: -10, to: 0, end: .lost), since: 100).unsure == 65_000)
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `credit and refusal together are the claim, and credit never leaves the session`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let from = Int64.random(in: -200_000...200_000, using: &generator)
        let length = Int64.random(in: 0...300_000, using: &generator)
        let since = Int64.random(in: 0...100_000, using: &generator)
        let rate = Double.random(in: 0.1...16, using: &generator)
        let run = Int64.random(in: 0...10_000_000, using: &generator)
        let segment = credited(media(from: from, to: from + length, media: 7...7 + run, rate: rate), since: since)
        #expect(segment.length + segment.refused.beforeSession + segment.refused.future == length)
        #expect(segment.start >= arrival - since)
        #expect(segment.end <= arrival)
        #expect(segment.length >= 0)
        let credited = segment.media.map { $0.to - $0.from } ?? 0
        #expect(credited + segment.refused.media == run)
        #expect(Double(credited) <= Double(segment.length) * rate)
    }

    private func claim(from: Int64, to: Int64, end: SegmentEnd? = nil) -> SegmentClaim {
        SegmentClaim(tab: "t", n: 0, from: from, to: to, attention: .active, end: end)
    }

    private func media(from: Int64, to: Int64, media: ClosedRange<Int64>, rate: Double?) -> SegmentClaim {
        SegmentClaim(
            tab: "t", n: 0, from: from, to: to, attention: .active, video: "v", mediaFrom: media.lowerBound,
            mediaTo: media.upperBound, rate: rate)
    }

    private func credited(_ claim: SegmentClaim, since: Int64, interval: Int64 = 180_000) -> Segment {
        Credit.segment(for: claim, sentAt: 0, arrival: arrival, earliest: arrival - since, interval: interval)
    }
}
