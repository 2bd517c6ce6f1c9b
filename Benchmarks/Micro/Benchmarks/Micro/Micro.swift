import Benchmark
import DwellAPI
import DwellServer
import Foundation

/// The functions that every beat, or every day, goes through. Their cost is measured against a loop of plain arithmetic
/// in the same breath, so that a figure of one machine means something on another.
let benchmarks: @Sendable () -> Void = {
    // A busy machine makes some measures worse, none better; twice as much is no noise.
    Benchmark.defaultConfiguration = .init(
        metrics: [cost], warmupIterations: 1, maxDuration: .seconds(5), maxIterations: 10,
        thresholds: [cost: BenchmarkThresholds(relative: [.p90: 100])])

    let start = Timestamp(milliseconds: 1_795_248_694_298)

    // A day of a person with two tabs: every other interval meets the one before.
    let day = (0..<200).map { number in
        let from = start + Int64(number / 2) * 100_000 + Int64(number % 2) * 30_000
        return from..<from + 60_000
    }
    measure("intervals-in-order", calls: 10) { blackHole(IntervalSet(day)) }
    let shuffled = (0..<200).map { day[$0 * 77 % 200] }
    measure("intervals-in-disorder", calls: 10) { blackHole(IntervalSet(shuffled)) }

    let claim = SegmentClaim(
        tab: "k3f9q2w8", n: 4, from: 1_795_248_600_000, to: 1_795_248_660_000, attention: .active, page: "/portfolio",
        video: "lesson", mediaFrom: 12_000, mediaTo: 90_000, rate: 1.25)
    measure("credit", calls: 1000) {
        blackHole(
            Credit.segment(
                for: claim, sentAt: claim.to, arrival: start, earliest: start - 600_000, interval: 180_000))
    }

    let tokens = EntryTokens(
        secret: SecretKey(Data(repeating: 1, count: SecretKey.minimumLength)), clock: WallClock { start })
    let token = tokens.token(viewer: 1, entry: 2)
    measure("token", calls: 20) { blackHole(tokens.entry(of: token)) }

    for count in [1, 10] {
        let segments = (0..<count).map { number in
            SegmentClaim(
                tab: "k3f9q2w8", n: Int64(number), from: claim.from, to: claim.to, attention: .active,
                page: "/portfolio")
        }
        let body = BeatBody(sentAt: claim.to, token: token, segments: segments)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        guard let bytes = try? encoder.encode(body) else { preconditionFailure("a beat can be encoded") }
        measure("beat-of-\(count)", calls: 50) { blackHole(bytes.withUnsafeBytes(BeatReader.read)) }
        measure("beat-of-\(count)-by-decoder", calls: 5) {
            blackHole(try? JSONDecoder().decode(ReceivedBeat.self, from: bytes))
        }
    }
}

/// What a call takes, in millionths of the time that ``reference()`` takes.
private let cost = BenchmarkMetric.custom("cost", polarity: .prefersSmaller, useScalingFactor: false)

/// Registers a benchmark of a call.
/// - Parameters:
///   - calls: How many are timed together: what takes long enough for the clock
private func measure(_ name: String, calls: Int, _ call: @escaping () -> Void) {
    Benchmark(name) { benchmark in
        // The shortest of many is what it takes when nothing comes between.
        var (shortest, unit) = (Int.max, Int.max)
        for _ in 0..<300 {
            unit = min(unit, time(of: reference))
            shortest = min(shortest, time(of: { for _ in 0..<calls { call() } }))
        }
        benchmark.measurement(cost, shortest * 1_000_000 / (unit * calls))
    }
}

/// How long the thread was at work on something, in nanoseconds: what other processes take does not count.
private func time(of body: () -> Void) -> Int {
    func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
    let start = now()
    body()
    return now() - start
}

/// Arithmetic that takes some microseconds and no memory.
private func reference() {
    var state: UInt64 = 88_172_645_463_325_252
    for _ in 0..<10_000 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
    }
    blackHole(state)
}
