import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct IntervalSetTests {
    @Test(arguments: 0..<200 as Range<UInt64>)
    func `holds exactly the milliseconds that some interval holds`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let intervals = Self.intervals(&generator)
        let set = IntervalSet(intervals)
        let brute = Set(intervals.flatMap { ($0.lowerBound.milliseconds..<$0.upperBound.milliseconds) })
        #expect(set.milliseconds == Int64(brute.count))
        #expect(Set(set.intervals.flatMap { $0.lowerBound.milliseconds..<$0.upperBound.milliseconds }) == brute)
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `is the same in any order and however often intervals are added`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let intervals = Self.intervals(&generator)
        let shuffled = (intervals + intervals).shuffled(using: &generator)
        #expect(IntervalSet(shuffled) == IntervalSet(intervals))
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `keeps its intervals apart and in order`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let set = IntervalSet(Self.intervals(&generator))
        for (earlier, later) in zip(set.intervals, set.intervals.dropFirst()) {
            #expect(earlier.upperBound < later.lowerBound)
        }
        #expect(set.intervals.allSatisfy { !$0.isEmpty })
    }

    @Test func `an empty interval adds nothing`() {
        let moment = Timestamp(milliseconds: 5)
        #expect(IntervalSet([moment..<moment]) == IntervalSet())
    }

    private static func intervals(_ generator: inout SeededGenerator) -> [Range<Timestamp>] {
        (0..<Int.random(in: 0...12, using: &generator)).map { _ in interval(&generator) }
    }

    private static func interval(_ generator: inout SeededGenerator) -> Range<Timestamp> {
        let start = Int64.random(in: 0...200, using: &generator)
        let length = Int64.random(in: 0...60, using: &generator)
        return Timestamp(milliseconds: start)..<Timestamp(milliseconds: start + length)
    }
}

extension IntervalSetTests {
    @Test(arguments: 0..<50 as Range<UInt64>)
    func `its gaps in a window are all that it does not cover`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let set = IntervalSet(
            (0..<8).map { _ in
                let start = Timestamp(milliseconds: Int64.random(in: 0...100, using: &generator))
                return start..<(start + Int64.random(in: 0...15, using: &generator))
            })
        let from = Timestamp(milliseconds: Int64.random(in: -10...60, using: &generator))
        let window = from..<(from + Int64.random(in: 0...80, using: &generator))
        let gaps = set.gaps(in: window)
        for time in stride(from: -20, to: 200, by: 1).map({ Timestamp(milliseconds: $0) }) {
            let isCovered = set.intervals.contains { $0.contains(time) }
            #expect(gaps.contains { $0.contains(time) } == (window.contains(time) && !isCovered))
        }
    }
}
