package import DwellAPI

/// From what a client claims to what the server credits. The client's clock matters only relative to itself.
package enum Credit {
    /// What a claim is worth.
    /// - Parameters:
    ///   - claim: A valid claim, see ``BeatRules``
    ///   - sentAt: The client's clock when the beat left, in milliseconds
    ///   - arrival: When the beat arrived
    ///   - earliest: When the entry began that the beat belongs to, or the end of what is folded if that is later
    ///   - interval: How long the client will wait before its next beat, in milliseconds
    /// - Returns: A segment within the session and before the arrival, its media time within the wall clock; what was
    ///   cut off is noted
    package static func segment(
        for claim: SegmentClaim, sentAt: Int64, arrival: Timestamp, earliest: Timestamp, interval: Int64
    ) -> Segment {
        let from = arrival - (sentAt - claim.from)
        let to = arrival - (sentAt - claim.to)
        let latest = max(arrival, earliest)
        let start = min(max(from, earliest), latest)
        let end = min(max(to, earliest), latest)
        var refused = RefusedTime()
        refused.beforeSession = min(to, start) - min(from, start)
        refused.future = max(to, end) - max(from, end)
        var media: MediaRange?
        if let first = claim.mediaFrom, let last = claim.mediaTo {
            let watched = Int64(Double(end - start) * (claim.rate ?? 1))
            media = MediaRange(from: first, to: min(last, first + watched))
            refused.media = max(0, last - first - watched)
        }
        return Segment(
            tab: claim.tab, n: claim.n, start: start, end: end, attention: claim.attention, page: claim.page,
            video: claim.video, media: media,
            mediaDuration: media == nil ? nil : claim.mediaDuration, rate: claim.rate ?? (media == nil ? nil : 1),
            ending: claim.end,
            unsure: unsure(claim.end, interval: interval), refused: refused)
    }

    /// How much longer a claim may have lasted than its client knew.
    private static func unsure(_ ending: SegmentEnd?, interval: Int64) -> Int64 {
        switch ending {
        // Nobody would have told before the next beat.
        case nil: interval
        // The clock is looked at once a second, before and after the gap.
        case .asleep: 2000
        // The page writes to the browser's storage every five seconds, a browser that is killed may not have brought it
        // to the disk for a minute.
        case .lost: 65_000
        case .hidden, .left, .page, .attention, .frozen, .session, .paused, .sought, .rate, .ended, .stalled: 0
        }
    }
}
