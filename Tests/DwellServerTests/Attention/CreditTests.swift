import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct CreditTests {
    private let arrival = Timestamp(at: "2026-03-02T12:00:00Z")
    private let year: Int64 = 31_536_000_000

    @Test(arguments: [-31_536_000_000, 0, 31_536_000_000] as [Int64])
    func `a client clock that is off by a year changes nothing`(offset: Int64) {
        let sentAt = arrival.milliseconds + offset
        let claim = claim(from: sentAt - 60_000, to: sentAt - 10_000)
        let segment = Credit.segment(for: claim, sentAt: sentAt, arrival: arrival)
        #expect(segment.start == arrival - 60_000)
        #expect(segment.end == arrival - 10_000)
    }

    @Test func `what lies before the session is refused`() {
        let segment = credited(claim(from: -100_000, to: -20_000), sessionStart: arrival - 50_000)
        #expect(segment.end - segment.start == 30_000)
        #expect(segment.refusal == Refusal(milliseconds: 50_000, reason: .beforeSession))
    }

    @Test func `what has not happened yet is refused`() {
        let segment = credited(claim(from: -1000, to: 36_000_000), sessionStart: arrival - 50_000)
        #expect(segment.end == arrival + Credit.tolerance)
        #expect(segment.refusal == Refusal(milliseconds: 36_000_000 - Credit.tolerance, reason: .future))
    }

    @Test func `a segment that lies outside altogether is credited nothing`() {
        let early = credited(claim(from: -100_000, to: -90_000), sessionStart: arrival - 50_000)
        #expect(early.end == early.start)
        #expect(early.refusal == Refusal(milliseconds: 10_000, reason: .beforeSession))
        let late = credited(claim(from: 50_000, to: 60_000), sessionStart: arrival - 50_000)
        #expect(late.end == late.start)
        #expect(late.refusal == Refusal(milliseconds: 10_000, reason: .future))
    }

    @Test func `media time can't outrun the wall clock and the speed`() {
        var claim = claim(from: -10_000, to: 0)
        claim.video = "v"
        claim.mediaFrom = 5000
        claim.mediaTo = 3_600_000
        claim.rate = 2
        let segment = credited(claim, sessionStart: arrival - 50_000)
        #expect(segment.media == MediaRange(from: 5000, to: 5000 + 20_000 + Credit.tolerance))
        #expect(segment.refusal?.reason == .media)
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `credit and refusal together are the claim, and credit never leaves the session`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let from = Int64.random(in: -200_000...200_000, using: &generator)
        let length = Int64.random(in: 0...300_000, using: &generator)
        let start = arrival - Int64.random(in: 0...100_000, using: &generator)
        let segment = credited(claim(from: from, to: from + length), sessionStart: start)
        #expect(segment.end - segment.start + (segment.refusal?.milliseconds ?? 0) == length)
        #expect(segment.start >= start)
        #expect(segment.end <= arrival + Credit.tolerance)
        #expect(segment.end >= segment.start)
    }

    private func claim(from: Int64, to: Int64) -> SegmentClaim {
        SegmentClaim(tab: "t", n: 0, from: from, to: to, attention: .active)
    }

    private func credited(_ claim: SegmentClaim, sessionStart: Timestamp) -> Segment {
        Credit.clip(
            Credit.segment(for: claim, sentAt: 0, arrival: arrival), sessionStart: sessionStart, arrival: arrival)
    }
}
