import DwellAPI

/// A segment as credited, and where it comes from.
struct CreditedSegment {
    let entry: Entry
    let segment: Segment
    /// The numbers of its page and its video.
    let pageID: Int64?
    let videoID: Int64?
    /// When the beat came that told of it.
    let arrival: Timestamp

    /// Names it among all.
    var key: SegmentKey {
        SegmentKey(tab: TabKey(entry: entry.key, tab: segment.tab), n: segment.n)
    }
}

/// A segment as the store keeps it: everything that beats have told of it so far.
struct StoredSegment: Sendable, Equatable {
    let key: SegmentKey
    /// The session that it is in.
    var session: Int64
    var start: Timestamp
    var end: Timestamp
    var attention: Attention
    var pageID: Int64?
    var videoID: Int64?
    var media: MediaRange?
    var mediaDuration: Int64?
    var rate: Double?
    var ending: SegmentEnd?
    var unsure: Int64
    var refused: RefusedTime
    /// How many beats told of it, and when the first and the last of them came.
    var beats: Int
    var firstBeat: Timestamp
    var lastBeat: Timestamp

    var length: Int64 { end - start }
}

/// A segment that says another thing than its row.
struct SegmentChange {
    /// How much of the row is another. SQLite checks every column that it is told to set, and writes it to its index, even
    /// when it stays as it is.
    enum Extent {
        /// The segment goes on, as nearly all do.
        case growth
        /// Anything but its page and its video, which is in an index.
        case measures
        case contents
    }

    let row: StoredSegment
    let segment: StoredSegment

    var extent: Extent {
        if row.pageID != segment.pageID || row.videoID != segment.videoID { return .contents }
        var grown = row
        (grown.end, grown.unsure, grown.lastBeat) = (segment.end, segment.unsure, segment.lastBeat)
        grown.beats = segment.beats
        if let to = segment.media?.to { grown.media?.to = to }
        return grown == segment ? .growth : .measures
    }
}

extension StoredSegment {
    /// What one beat tells.
    init(_ credited: CreditedSegment, in session: Int64) {
        let segment = credited.segment
        self.init(
            key: credited.key, session: session, start: segment.start, end: segment.end,
            attention: segment.attention, pageID: credited.pageID, videoID: credited.videoID, media: segment.media,
            mediaDuration: segment.mediaDuration, rate: segment.rate, ending: segment.ending, unsure: segment.unsure,
            refused: segment.refused, beats: 1,
            firstBeat: credited.arrival, lastBeat: credited.arrival)
    }

    /// What two tellings of the same segment say together: the earliest start and the greatest length hold, and the
    /// longest says how sure the end is. Whatever order and however often the same claims come, the result is the same
    /// but for the number of beats, and a claim that took longer on its way the second time is no longer for it.
    func merged(with other: StoredSegment) -> StoredSegment {
        var merged = self
        merged.start = min(start, other.start)
        merged.end = merged.start + max(length, other.length)
        if other.attention == .active { merged.attention = .active }
        merged.pageID = least(pageID, other.pageID)
        merged.videoID = least(videoID, other.videoID)
        merged.media = media.map { $0.merged(with: other.media) } ?? other.media
        merged.mediaDuration = greatest(mediaDuration, other.mediaDuration)
        merged.rate = greatest(rate, other.rate)
        merged.ending = least(ending?.rawValue, other.ending?.rawValue).flatMap(SegmentEnd.init(rawValue:))
        if other.length > length || other.length == length && other.unsure < unsure { merged.unsure = other.unsure }
        merged.refused = RefusedTime(
            beforeSession: max(refused.beforeSession, other.refused.beforeSession),
            future: max(refused.future, other.refused.future), media: max(refused.media, other.refused.media))
        merged.beats = beats + other.beats
        merged.firstBeat = min(firstBeat, other.firstBeat)
        merged.lastBeat = max(lastBeat, other.lastBeat)
        return merged
    }
}

extension MediaRange {
    /// The earliest start and the greatest length.
    fileprivate func merged(with other: MediaRange?) -> MediaRange {
        guard let other else { return self }
        let start = min(from, other.from)
        return MediaRange(from: start, to: start + max(to - from, other.to - other.from))
    }
}

/// The smaller of two values, as far as there are any.
private func least<Value: Comparable>(_ left: Value?, _ right: Value?) -> Value? {
    guard let left, let right else { return left ?? right }
    return min(left, right)
}

/// The greater of two values, as far as there are any.
private func greatest<Value: Comparable>(_ left: Value?, _ right: Value?) -> Value? {
    guard let left, let right else { return left ?? right }
    return max(left, right)
}
