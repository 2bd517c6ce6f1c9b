import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct APILimitsTests {
    private let clock = TestClock(Timestamp(at: "2026-03-02T12:00:00Z"))

    @Test func `a key has its quota at once, and then as many as come back`() {
        let limits = APILimits(quota: 60, clock: clock.clock)
        let key = UUID()
        let taken = (0..<60).map { _ in limits.take(key) }
        #expect(taken.allSatisfy { $0.isAllowed })
        #expect(taken.map(\.remaining) == Array((0..<60).reversed()))
        #expect(limits.take(key) == APILimits.State(isAllowed: false, remaining: 0, full: 60, next: 1))
        clock.advance(by: 1500)
        #expect(limits.take(key).isAllowed)
        #expect(!limits.take(key).isAllowed)
        clock.advance(by: 60_000)
        #expect(limits.take(key).remaining == 59)
    }

    @Test func `keys do not share a quota`() {
        let limits = APILimits(quota: 1, clock: clock.clock)
        #expect(limits.take(UUID()).isAllowed)
        let key = UUID()
        #expect(limits.take(key).isAllowed)
        #expect(limits.take(key).next == 60)
    }

    @Test(arguments: [1, 7, 59, 600, 5500, APILimits.most])
    func `a key gets its quota in a minute, and hardly more`(_ quota: Int) {
        let limits = APILimits(quota: quota, clock: clock.clock)
        let key = UUID()
        for _ in 0..<quota { #expect(limits.take(key).isAllowed) }
        var count = 0
        for _ in 0..<600 {
            clock.advance(by: 100)
            while limits.take(key).isAllowed { count += 1 }
        }
        #expect(count >= quota)
        #expect(count <= quota + quota / 10 + 1)
    }
}
