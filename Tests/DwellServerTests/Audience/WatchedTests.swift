import DwellAPI
import Testing

@testable import DwellServer

/// What counts of what a person played.
@Suite struct WatchedTests {
    private static let terms = Watched.Terms(duration: 600_000, completeAt: 0.9, creditRate: 2)

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `it is what looking at each moment gives, in any order`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let terms = Self.anyTerms(&random)
        let runs = Self.runs(&random)
        let watched = Watched(runs, terms: terms)
        let counted = Self.countedMomentByMoment(runs, terms)
        #expect(watched.coverage == Coverage(counted.map(\.media)))
        #expect(watched.completedAt == Self.completedAt(counted, terms))
        #expect(Watched(runs.shuffled(using: &random), terms: terms) == watched)
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `nobody watches more than the clock and the credit rate allow, or more of a video than there is`(seed: UInt64)
    {
        var random = SeededGenerator(seed: seed)
        let terms = Self.anyTerms(&random)
        let runs = Self.runs(&random)
        let watched = Watched(runs, terms: terms)
        let time = Set(runs.flatMap { $0.interval.lowerBound.milliseconds..<$0.interval.upperBound.milliseconds }).count
        #expect(Double(watched.coverage.watched) <= Double(time) * terms.creditRate)
        #expect(watched.coverage.clipped(to: terms.duration).covered <= terms.duration ?? .max)
        let media = Coverage(runs.map(\.media))
        #expect(watched.coverage + media == media + watched.coverage)
        #expect(Coverage(watched.coverage.ranges() + media.ranges()).covered == media.covered)
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `folding sessions away, in any order, changes nothing`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let terms = Self.anyTerms(&random)
        var runs = Self.runs(&random)
        let whole = Watched(runs, terms: terms)
        // Sessions that ended before, as far as there are any.
        let limit = Timestamp(milliseconds: .random(in: 0...160, using: &random))
        let old = Set(runs.map(\.session)).filter { session in
            runs.allSatisfy { $0.session != session || $0.interval.upperBound < limit }
        }
        var folded: Watched.Folded?
        for session in old.sorted().shuffled(using: &random) {
            folded = Watched.fold(session, of: runs, onto: folded, before: limit, terms: terms)
            runs.removeAll { $0.session == session }
            #expect(Watched(runs, folded: folded, terms: terms) == whole)
        }
    }

    @Test func `played at the speed it was made for, all of it counts`() {
        let watched = Watched([Self.run(0, at: 0, for: 600_000, media: 0..<600_000)], terms: Self.terms)
        #expect(watched.coverage.ranges() == [0..<600_000])
        #expect(watched.completedAt == Timestamp(milliseconds: 600_000))
    }

    @Test func `played sixteen times as fast, what the credit rate allows counts`() {
        let once = Watched([Self.run(0, at: 0, for: 37_500, media: 0..<600_000)], terms: Self.terms)
        #expect(once.coverage.ranges() == [0..<75_000])
        #expect(once.completedAt == nil)
        // Cut into pieces it is no more.
        let pieces = (0..<60).map { n in
            Self.run(n, at: Int64(n) * 625, for: 625, media: Int64(n) * 10_000..<Int64(n + 1) * 10_000)
        }
        #expect(Watched(pieces, terms: Self.terms).coverage.covered == 75_000)
    }

    @Test func `seeking to and fro earns nothing`() {
        let seeks = (0..<500).map { n in
            Self.run(n, at: Int64(n) * 100, for: 100, media: Int64(n) * 1200..<Int64(n) * 1200 + 100)
        }
        let watched = Watched(seeks, terms: Self.terms)
        #expect(watched.coverage.covered == 50_000)
        #expect(watched.completedAt == nil)
    }

    @Test func `many players at once are worth one`() {
        let players = (0..<30).map { n in
            Self.run(n, tab: "t\(n)", at: 0, for: 20_000, media: Int64(n) * 20_000..<Int64(n + 1) * 20_000)
        }
        #expect(Watched(players, terms: Self.terms).coverage.ranges() == [0..<20_000])
    }

    @Test func `a tab that takes over a moment early loses nothing`() {
        let runs = [
            Self.run(0, at: 0, for: 10_000, media: 0..<10_000),
            Self.run(1, tab: "u", at: 9960, for: 10_000, media: 10_000..<20_000),
        ]
        #expect(Watched(runs, terms: Self.terms).coverage.ranges() == [0..<20_000])
    }

    @Test func `one goes on where one was last, and from the beginning after the end`() {
        let first = Self.run(0, at: 0, for: 10_000, media: 100_000..<110_000)
        let second = Self.run(1, at: 20_000, for: 10_000, media: 0..<10_000)
        #expect(Watched([second, first], terms: Self.terms).resume == 10_000)
        #expect(Watched([first], terms: Self.terms).resume == 110_000)
        for last in [
            Self.run(2, at: 40_000, for: 5000, media: 500_000..<505_000, isEnd: true),
            Self.run(2, at: 40_000, for: 5000, media: 594_900..<599_900),
        ] {
            #expect(Watched([first, last], terms: Self.terms).resume == 0)
        }
        #expect(Watched([], terms: Self.terms) == Watched([], terms: Self.terms))
        #expect(Watched([], terms: Self.terms).watchedAt == nil)
    }

    @Test func `of what players say of a video's length the longest holds`() {
        var runs = [
            Self.run(0, at: 0, for: 10, media: 0..<10, duration: 700), Self.run(1, at: 20, for: 10, media: 0..<10),
        ]
        #expect(Watched(runs, terms: Self.terms).duration == 700)
        runs.append(Self.run(2, at: 30, for: 10, media: 0..<10, duration: 600))
        #expect(Watched(runs, terms: Self.terms).duration == 700)
    }

    private static func run(
        _ n: Int, tab: String = "t", session: Int64 = 1, at start: Int64, for length: Int64, media: Range<Int64>,
        duration: Int64? = nil, isEnd: Bool = false
    ) -> Watched.Run {
        Watched.Run(
            entry: 1, tab: tab, n: Int64(n), session: session,
            interval: Timestamp(milliseconds: start)..<Timestamp(milliseconds: start + length), media: media,
            duration: duration, isEnd: isEnd)
    }

    private static func anyTerms(_ random: inout SeededGenerator) -> Watched.Terms {
        Watched.Terms(
            duration: [nil, 50, 80].randomElement(using: &random) ?? nil,
            completeAt: .random(in: 0.05...1, using: &random),
            creditRate: [1, 1.5, 2, 16].randomElement(using: &random) ?? 1)
    }

    /// Few values each, so that runs touch, overlap and are equal.
    private static func runs(_ random: inout SeededGenerator) -> [Watched.Run] {
        (0..<Int.random(in: 0...9, using: &random)).map { n in
            let media = Int64.random(in: 0...70, using: &random)
            return run(
                n, tab: ["t", "u"].randomElement(using: &random) ?? "t", session: .random(in: 1...4, using: &random),
                at: .random(in: 0...100, using: &random), for: .random(in: 0...40, using: &random),
                media: media..<media + .random(in: 0...60, using: &random),
                duration: [nil, 50, 80].randomElement(using: &random) ?? nil, isEnd: Bool.random(using: &random))
        }
    }

    private struct Counted {
        let end: Timestamp
        let media: Range<Int64>
    }

    /// Gives each moment to one run, one moment after the other.
    private static func countedMomentByMoment(_ runs: [Watched.Run], _ terms: Watched.Terms) -> [Counted] {
        var taken: Set<Int64> = []
        let inOrder = runs.sorted {
            ($0.interval.lowerBound, $0.tab, $0.n) < ($1.interval.lowerBound, $1.tab, $1.n)
        }
        return inOrder.map { run in
            let own = Set(run.interval.lowerBound.milliseconds..<run.interval.upperBound.milliseconds)
                .subtracting(taken)
            taken.formUnion(own)
            let most = run.media.lowerBound + Int64(Double(own.count) * terms.creditRate)
            return Counted(
                end: run.interval.upperBound, media: run.media.lowerBound..<min(run.media.upperBound, most))
        }
    }

    private static func completedAt(_ counted: [Counted], _ terms: Watched.Terms) -> Timestamp? {
        guard let duration = terms.duration else { return nil }
        return counted.map(\.end).sorted().first { end in
            let moments = Set(counted.filter { $0.end <= end }.flatMap { Array($0.media.clamped(to: 0..<duration)) })
            return Double(moments.count) >= (Double(duration) * terms.completeAt).rounded(.up)
        }
    }
}
