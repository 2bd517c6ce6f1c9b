import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct BeatRulesTests {
    @Test func `a beat of 500 sound segments is accepted`() throws {
        let claims = (0..<500).map { Guest.segment($0, from: 0, to: 10) }
        try BeatRules.check(BeatBody(sentAt: 10, segments: claims))
    }

    @Test func `the first field that is wrong is named by its path`() {
        var claims = [Guest.segment(0, from: 0, to: 1), Guest.segment(1, from: 5, to: 1)]
        #expect(refused(claims) == "segments[1].from")
        claims[0].tab = "a b"
        #expect(refused(claims) == "segments[0].tab")
    }

    @Test(arguments: [Int64.min, Int64.max])
    func `a clock at the end of all numbers is refused, not added to`(sentAt: Int64) {
        #expect(refused([], sentAt: sentAt) == "sentAt")
        #expect(refused([Guest.segment(0, from: sentAt, to: sentAt)], sentAt: 0) == "segments[0].from")
    }

    @Test(arguments: [0, -1, 16.5, Double.nan, .infinity])
    func `a speed that no player has is refused`(rate: Double) {
        var claim = Guest.segment(0, from: 0, to: 1)
        claim.rate = rate
        #expect(refused([claim]) == "segments[0].rate")
    }

    @Test func `media times come in pairs and forwards`() {
        var claim = Guest.segment(0, from: 0, to: 1)
        claim.mediaFrom = 1
        #expect(refused([claim]) == "segments[0].mediaTo")
        claim.mediaTo = 0
        #expect(refused([claim]) == "segments[0].mediaFrom")
        claim.mediaFrom = nil
        #expect(refused([claim]) == "segments[0].mediaFrom")
    }

    private func refused(_ claims: [SegmentClaim], sentAt: Int64 = 10) -> String? {
        do {
            try BeatRules.check(BeatBody(sentAt: sentAt, segments: claims))
            return nil
        } catch {
            return error.field
        }
    }
}
