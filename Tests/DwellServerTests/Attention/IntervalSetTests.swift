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
