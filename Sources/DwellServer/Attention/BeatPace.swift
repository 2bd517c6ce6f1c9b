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
    ///   - playerInterval: The one while a video plays, where it is another
    package static func pause(
        after claims: [SegmentClaim], interval: Int64, playerInterval: Int64? = nil
    ) -> Int64 {
        claims.filter { $0.end == nil }.map { claim in
            pause(after: claim, interval: claim.video.flatMap { _ in playerInterval } ?? interval)
        }.min() ?? interval
    }

    private static func pause(after open: SegmentClaim, interval: Int64) -> Int64 {
        guard open.attention == .active else { return 2 * interval }
        var reached: Int64 = 0
        for step in steps where step < interval {
            if open.to - open.from < reached + step { return step }
            reached += step
        }
        return interval
    }
}
