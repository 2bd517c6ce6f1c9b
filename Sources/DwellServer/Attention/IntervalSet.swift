package import DwellAPI

/// A set of points in time, kept as intervals that neither touch nor overlap, in order.
///
/// Adding is idempotent and order-free: the same intervals give the same set however they arrive.
package struct IntervalSet: Sendable, Equatable {
    /// The intervals: half-open, disjoint, ascending, none empty.
    package private(set) var intervals: [Range<Timestamp>] = []

    /// The empty set.
    package init() {}

    /// The union of some intervals. Linear when they come sorted by start.
    /// - Parameter intervals: In any order; they may overlap
    package init(_ intervals: some Sequence<Range<Timestamp>>) {
        for interval in intervals { insert(interval) }
    }

    /// Adds an interval.
    /// - Parameter interval: An empty one changes nothing
    package mutating func insert(_ interval: Range<Timestamp>) {
        guard !interval.isEmpty else { return }
        let first = firstIndex { $0.upperBound >= interval.lowerBound }
        var merged = interval
        var end = first
        while end < intervals.endIndex, intervals[end].lowerBound <= merged.upperBound {
            let lower = min(merged.lowerBound, intervals[end].lowerBound)
            let upper = max(merged.upperBound, intervals[end].upperBound)
            merged = lower..<upper
            end += 1
        }
        intervals.replaceSubrange(first..<end, with: CollectionOfOne(merged))
    }

    /// The total length of the intervals, in milliseconds.
    package var milliseconds: Int64 {
        intervals.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
    }

    /// What of a window the set does not cover, in order.
    package func gaps(in window: Range<Timestamp>) -> [Range<Timestamp>] {
        var gaps: [Range<Timestamp>] = []
        var reached = window.lowerBound
        for interval in intervals where interval.upperBound > reached {
            guard interval.lowerBound < window.upperBound else { break }
            if interval.lowerBound > reached { gaps.append(reached..<interval.lowerBound) }
            reached = interval.upperBound
        }
        if reached < window.upperBound { gaps.append(reached..<window.upperBound) }
        return gaps
    }

    /// The first interval for which `isBeyond` holds; it must hold for every later one as well.
    private func firstIndex(where isBeyond: (Range<Timestamp>) -> Bool) -> Int {
        var low = intervals.startIndex
        var high = intervals.endIndex
        // Most intervals arrive in order: look at the end before searching.
        if let last = intervals.last, !isBeyond(last) { return high }
        while low < high {
            let middle = (low + high) / 2
            if isBeyond(intervals[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
