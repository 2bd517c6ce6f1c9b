package import DwellAPI

/// From what a client claims to what the server credits. The client's clock matters only relative to itself.
package enum Credit {
    /// How far past its arrival a beat may reach, in milliseconds: clocks tick in steps, and networks reorder.
    package static let tolerance: Int64 = 1000

    /// A claim in server time, with nothing clipped yet.
    /// - Parameters:
    ///   - claim: A valid claim, see ``BeatRules``
    ///   - sentAt: The client's clock when the beat left, in milliseconds
    ///   - arrival: When the beat arrived
    package static func segment(for claim: SegmentClaim, sentAt: Int64, arrival: Timestamp) -> Segment {
        var media: MediaRange?
        if let from = claim.mediaFrom, let to = claim.mediaTo { media = MediaRange(from: from, to: to) }
        return Segment(
            tab: claim.tab, n: claim.n,
            start: arrival - (sentAt - claim.from), end: arrival - (sentAt - claim.to),
            attention: claim.attention, page: claim.page, video: claim.video, media: media,
            rate: claim.rate, refusal: nil)
    }

    /// Keeps a segment within its session, and its media time within the wall clock: what lies before the session's
    /// start, after the beat's arrival or past what can have been watched is refused, and noted.
    package static func clip(_ segment: Segment, sessionStart: Timestamp, arrival: Timestamp) -> Segment {
        let latest = max(arrival + tolerance, sessionStart)
        var clipped = segment
        clipped.start = min(max(segment.start, sessionStart), latest)
        clipped.end = min(max(segment.end, sessionStart), latest)
        let early = min(segment.end, clipped.start) - min(segment.start, clipped.start)
        let late = (segment.end - segment.start) - (clipped.end - clipped.start) - early
        let skipped = cutMedia(of: &clipped)
        let refused: [(milliseconds: Int64, reason: Refusal.Reason)] = [
            (early, .beforeSession), (late, .future), (skipped, .media),
        ]
        if let most = refused.max(by: { $0.milliseconds < $1.milliseconds }), most.milliseconds > 0 {
            clipped.refusal = Refusal(milliseconds: early + late + skipped, reason: most.reason)
        }
        return clipped
    }

    /// Nobody watches more of a video than its speed and the wall clock allow.
    /// - Returns: How much media time was cut off, in milliseconds
    private static func cutMedia(of segment: inout Segment) -> Int64 {
        guard let media = segment.media else { return 0 }
        let watched = Double(segment.end - segment.start) * (segment.rate ?? 1)
        let latest = media.from + Int64(watched.rounded(.up)) + tolerance
        guard media.to > latest else { return 0 }
        segment.media?.to = latest
        return media.to - latest
    }
}
