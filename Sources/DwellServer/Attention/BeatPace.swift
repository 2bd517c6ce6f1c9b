package import DwellAPI

/// How soon a client should beat again: often while a stretch of attention is young, so that a short one is known to
/// the second even when its end is never told, and seldom later.
package enum BeatPace {
    /// The first pauses, in milliseconds; after them the configured interval holds.
    private static let steps: [Int64] = [5000, 15_000, 30_000, 60_000]

    /// The pause before the next beat, in milliseconds.
    /// - Parameters:
    ///   - claims: What the beat claims
    ///   - interval: The configured interval, in milliseconds
    package static func pause(after claims: [SegmentClaim], interval: Int64) -> Int64 {
        let open = claims.filter { $0.end == nil }
        guard let age = open.map({ $0.to - $0.from }).max() else { return interval }
        guard open.contains(where: { $0.attention == .active }) else { return 2 * interval }
        var reached: Int64 = 0
        for step in steps where step < interval {
            if age < reached + step { return step }
            reached += step
        }
        return interval
    }
}
