import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct BeatPaceTests {
    @Test(
        arguments: [
            (0, 5), (4, 5), (5, 15), (19, 15), (20, 30), (49, 30), (50, 60), (109, 60), (110, 180), (36_000, 180),
        ] as [(Int64, Int64)])
    func `a young segment is asked about often, an old one seldom`(age: Int64, pause: Int64) {
        #expect(BeatPace.pause(after: [open(seconds: age)], interval: 180_000) == pause * 1000)
    }

    @Test func `no pause is longer than the configured one, unless nobody does anything`() {
        #expect(BeatPace.pause(after: [open(seconds: 30)], interval: 20_000) == 20_000)
        #expect(BeatPace.pause(after: [open(seconds: 0)], interval: 1000) == 1000)
        #expect(BeatPace.pause(after: [open(seconds: 0, .idle)], interval: 180_000) == 360_000)
    }

    @Test func `closed segments do not count, the youngest open one does`() {
        let closed = Guest.segment(0, from: 0, to: 1, end: .hidden)
        #expect(BeatPace.pause(after: [closed], interval: 180_000) == 180_000)
        let both = [open(seconds: 10), open(seconds: 60, .idle), closed]
        #expect(BeatPace.pause(after: both, interval: 180_000) == 15_000)
    }

    @Test func `while a video plays another interval may hold`() {
        let pages = [open(seconds: 600), open(seconds: 600, .idle)]
        let player = open(seconds: 600, video: "v")
        #expect(BeatPace.pause(after: pages, interval: 180_000, playerInterval: 30_000) == 180_000)
        #expect(BeatPace.pause(after: pages + [player], interval: 180_000, playerInterval: 30_000) == 30_000)
        let young = open(seconds: 1, video: "v")
        #expect(BeatPace.pause(after: pages + [young], interval: 180_000, playerInterval: 30_000) == 5000)
    }

    private func open(seconds: Int64, _ attention: Attention = .active, video: String? = nil) -> SegmentClaim {
        Guest.segment(0, from: 0, to: seconds * 1000, attention: attention, video: video)
    }
}
