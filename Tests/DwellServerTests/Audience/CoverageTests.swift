import Testing

@testable import DwellServer

@Suite struct CoverageTests {
    @Test(arguments: 0..<200 as Range<UInt64>)
    func `it is what counting moment by moment gives, in any order and however put together`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let ranges = Self.ranges(&random)
        let coverage = Coverage(ranges)
        var plays: [Int64: Int64] = [:]
        for moment in ranges.joined() { plays[moment, default: 0] += 1 }
        #expect(coverage.covered == Int64(plays.count))
        #expect(coverage.watched == plays.values.reduce(0, +))
        for least in 1...3 as ClosedRange<Int64> {
            #expect(
                Set(coverage.ranges(playedAtLeast: least).joined()) == Set(plays.filter { $0.value >= least }.keys))
        }
        #expect(Coverage(ranges.shuffled(using: &random)) == coverage)
        let cut = Int.random(in: 0...ranges.count, using: &random)
        #expect(Coverage(ranges[..<cut]) + Coverage(ranges[cut...]) == coverage)
        #expect(try Coverage(data: coverage.data) == coverage)
        // The same once more adds plays and covers nothing more.
        #expect((coverage + coverage).covered == coverage.covered)
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `clipped it lies within the video and is the same there`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let ranges = Self.ranges(&random)
        let duration = Int64.random(in: 1...120, using: &random)
        #expect(
            Coverage(ranges).clipped(to: duration) == Coverage(ranges.map { $0.clamped(to: 0..<duration) }))
        #expect(Coverage(ranges).clipped(to: nil) == Coverage(ranges))
    }

    @Test func `parts are as few as can be`() {
        let coverage = Coverage([0..<10, 20..<30, 10..<20, 5..<7])
        #expect(coverage.parts.map(\.range) == [0..<5, 5..<7, 7..<30])
        #expect(coverage.parts.map(\.plays) == [1, 2, 1])
        #expect(coverage.ranges() == [0..<30])
        #expect(Coverage([3..<3]).isEmpty)
    }

    @Test func `data that ends early is refused`() {
        let data = Coverage([0..<1000, 2000..<300_000_000]).data
        for length in 0..<data.count {
            #expect(throws: DatabaseError.self) { try Coverage(data: data.prefix(length)) }
        }
    }

    private static func ranges(_ random: inout SeededGenerator) -> [Range<Int64>] {
        (0..<Int.random(in: 0...12, using: &random)).map { _ in
            let start = Int64.random(in: 0...100, using: &random)
            return start..<start + .random(in: 0...40, using: &random)
        }
    }
}

@Suite struct CurveTests {
    @Test(arguments: 0..<100 as Range<UInt64>)
    func `a bucket is seen by whoever watched at least half of it`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let buckets = Buckets(duration: .random(in: 1...30_000, using: &random))
        let ranges = Coverage(
            (0..<5).map { _ in
                let start = Int64.random(in: 0...30_000, using: &random)
                return start..<start + .random(in: 0...9000, using: &random)
            }
        ).ranges()
        let seen = (0..<buckets.count).filter { bucket in
            let whole = buckets.range(of: bucket)
            return 2 * whole.filter { moment in ranges.contains { $0.contains(moment) } }.count >= whole.count
        }
        #expect(buckets.seen(in: ranges) == seen)
    }

    @Test(arguments: [1, 999, 1000, 1001, 999_999, 1_000_000, 1_000_001, 10_800_000, 315_576_000_000] as [Int64])
    func `buckets are whole seconds, at most a thousand, and the whole video`(duration: Int64) {
        let buckets = Buckets(duration: duration)
        #expect(buckets.length % 1000 == 0)
        #expect((1...1000).contains(buckets.count))
        #expect(duration > 1_000_000 || buckets.length == 1000)
        #expect(buckets.range(of: buckets.count - 1).upperBound == duration)
        #expect(buckets.seen(in: [0..<duration]) == Array(0..<buckets.count))
    }

    @Test func `people who leave and people who come again are found where they do`() throws {
        let buckets = Buckets(duration: 8000)
        var curve = Curve(buckets)
        for range in [0..<8000, 0..<8000, 0..<5000, 0..<5000, 0..<5000, 0..<2000] as [Range<Int64>] {
            curve.count(Coverage([range]), buckets, by: 1)
        }
        curve.count(Coverage([1000..<3000, 1000..<2000, 2000..<3000, 6000..<7000, 6000..<7000]), buckets, by: 1)
        curve.count(Coverage([6000..<7000, 6000..<7000]), buckets, by: 1)
        #expect(curve.viewers == [6, 7, 6, 5, 5, 2, 4, 2])
        #expect(curve.again == [0, 1, 1, 0, 0, 0, 2, 0])
        #expect(curve.drops(atMost: 3).map(\.bucket) == [5, 7, 2])
        #expect(curve.drops(atMost: 3).map(\.viewers) == [3, 2, 1])
        #expect(curve.peaks(atMost: 3).map(\.bucket) == [6, 1])
        #expect(try Curve(data: curve.data) == curve)
        #expect(Curve(nil).drops(atMost: 3).isEmpty && Curve(nil).peaks(atMost: 3).isEmpty)
    }
}
