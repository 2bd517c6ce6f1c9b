import Synchronization

/// Counts, from any thread, in the time of one addition.
final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    var count: Int { value.load(ordering: .relaxed) }

    func add(_ number: Int = 1) {
        value.wrappingAdd(number, ordering: .relaxed)
    }
}

/// What is counted by kind.
typealias CountedKind = CaseIterable & Hashable & RawRepresentable<String> & Sendable

/// A counter for each kind there is.
struct Counters<Kind: CountedKind>: Sendable {
    private let counters = Dictionary(uniqueKeysWithValues: Kind.allCases.map { ($0, Counter()) })

    func add(_ number: Int = 1, to kind: Kind) {
        counters[kind]?.add(number)
    }

    /// The counts, in the order of the kinds.
    var counts: [(kind: String, count: Int)] {
        Kind.allCases.map { ($0.rawValue, counters[$0]?.count ?? 0) }
    }
}

/// How often something took how long.
struct Histogram: Sendable {
    private let bounds: [Duration]
    /// How often it took no longer than each bound but longer than the one before; last, longer than all.
    private let buckets: [Counter]
    private let nanoseconds = Counter()

    /// - Parameter bounds: From the shortest to the longest
    init(bounds: [Duration]) {
        self.bounds = bounds
        buckets = (0...bounds.count).map { _ in Counter() }
    }

    func add(_ time: Duration) {
        buckets[bounds.firstIndex { time <= $0 } ?? bounds.count].add()
        nanoseconds.add(Int(time / .nanoseconds(1)))
    }

    /// How often it took no longer than each bound, and in all.
    var counts: (atMost: [(bound: Duration, count: Int)], all: Int) {
        var sum = 0
        let sums = buckets.map { bucket in
            sum += bucket.count
            return sum
        }
        return (Array(zip(bounds, sums)), sum)
    }

    /// How long it took altogether, in seconds.
    var seconds: Double { Double(nanoseconds.count) / 1e9 }
}
