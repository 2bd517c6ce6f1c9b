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
            attention: claim.attention ?? .active, page: claim.page, video: claim.video, media: media,
            rate: claim.rate, refusal: nil)
    }

    /// Keeps a segment within its session: what lies before the session's start or after the beat's arrival is
    /// refused, and noted.
    package static func clip(_ segment: Segment, sessionStart: Timestamp, arrival: Timestamp) -> Segment {
        let latest = max(arrival + tolerance, sessionStart)
        var clipped = segment
        clipped.start = min(max(segment.start, sessionStart), latest)
        clipped.end = min(max(segment.end, sessionStart), latest)
        let early = min(segment.end, clipped.start) - min(segment.start, clipped.start)
        let late = (segment.end - segment.start) - (clipped.end - clipped.start) - early
        if early > 0 || late > 0 {
            clipped.refusal = Refusal(
                milliseconds: early + late, reason: early >= late ? .beforeSession : .future)
        }
        return clipped
    }
}
