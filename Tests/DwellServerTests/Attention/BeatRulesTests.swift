import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct BeatRulesTests {
    @Test func `a beat of 500 sound segments is accepted`() throws {
        try BeatRules.check(v: 1, sentAt: 10, interval: nil, segmentCount: 500)
        for n in 0..<500 { try BeatRules.check(Guest.segment(n, from: 0, to: 10), at: "segments[\(n)]", sentAt: 10) }
    }

    @Test(
        arguments: [
            (2, 10, nil, 0, "v"), (1, 10, 999, 0, "interval"), (1, 10, 86_400_001, 0, "interval"),
            (1, 10, nil, 501, "segments"),
        ] as [(Int64, Int64, Int64?, Int, String)])
    func `what a beat says of itself is checked before its segments`(
        v: Int64, sentAt: Int64, interval: Int64?, count: Int, field: String
    ) {
        do {
            try BeatRules.check(v: v, sentAt: sentAt, interval: interval, segmentCount: count)
            Issue.record("\(field) was taken")
        } catch {
            #expect(error.field == field)
        }
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
            try BeatRules.check(v: 1, sentAt: sentAt, interval: nil, segmentCount: claims.count)
            for (index, claim) in claims.enumerated() {
                try BeatRules.check(claim, at: "segments[\(index)]", sentAt: sentAt)
            }
            return nil
        } catch {
            return error.field
        }
    }
}
