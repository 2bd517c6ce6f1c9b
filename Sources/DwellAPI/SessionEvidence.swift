/// The answer to `GET /api/v1/sessions/N`: a session, and everything that its figures rest on.
public struct SessionEvidence: Sendable, Codable, Equatable {
    public var session: SessionRecord
    /// In the order of their starts.
    public var segments: [SegmentRecord]
    /// Between the session's start and its last sign of life, wherever nothing was visible.
    public var gaps: [GapRecord]
    /// Claimed and not credited, over all segments.
    public var refused: RefusedRecord
    /// The devices that the beats came from; none for a guest.
    public var devices: [DeviceRecord]
    /// When the segments were folded: only the session's figures and what was refused are left, `segments` and `gaps` are
    /// empty. `null` while they are kept.
    @Nullable public var foldedTime: Timestamp?

    public init(
        session: SessionRecord, segments: [SegmentRecord], gaps: [GapRecord], refused: RefusedRecord,
        devices: [DeviceRecord], foldedTime: Timestamp?
    ) {
        self.session = session
        self.segments = segments
        self.gaps = gaps
        self.refused = refused
        self.devices = devices
        self.foldedTime = foldedTime
    }
}

/// One uninterrupted stretch of attention, as credited.
public struct SegmentRecord: Sendable, Codable, Equatable {
    /// Names the tab. A name that begins with a colon is the server's own, for a script that sends beats without a body.
    public var tab: String
    /// Counts the tab's segments.
    public var n: Int64
    public var start: Timestamp
    public var end: Timestamp
    /// From start to end, in milliseconds.
    public var lengthMs: Int64
    /// How much longer it may have lasted, in milliseconds.
    public var unsureMs: Int64
    public var attention: Attention
    /// Why it ended; `null` while it is open, and for ever when no beat said.
    @Nullable public var ended: SegmentEnd?
    @Nullable public var page: String?
    @Nullable public var video: String?
    /// Media time at its start, in milliseconds.
    @Nullable public var mediaFromMs: Int64?
    /// Media time at its end, in milliseconds.
    @Nullable public var mediaToMs: Int64?
    /// The speed of playback.
    @Nullable public var rate: Double?
    public var refused: RefusedRecord
    /// How many beats told of it, repeated ones included.
    public var beats: Int
    /// When the first of them arrived.
    public var firstBeatTime: Timestamp
    /// When the last of them arrived.
    public var lastBeatTime: Timestamp

    public init(
        tab: String, n: Int64, start: Timestamp, end: Timestamp, unsureMs: Int64, attention: Attention,
        ended: SegmentEnd?, page: String?, video: String?, mediaFromMs: Int64?, mediaToMs: Int64?, rate: Double?,
        refused: RefusedRecord, beats: Int, firstBeatTime: Timestamp, lastBeatTime: Timestamp
    ) {
        self.tab = tab
        self.n = n
        self.start = start
        self.end = end
        self.lengthMs = end - start
        self.unsureMs = unsureMs
        self.attention = attention
        self.ended = ended
        self.page = page
        self.video = video
        self.mediaFromMs = mediaFromMs
        self.mediaToMs = mediaToMs
        self.rate = rate
        self.refused = refused
        self.beats = beats
        self.firstBeatTime = firstBeatTime
        self.lastBeatTime = lastBeatTime
    }
}

/// Claimed time that was not credited, in milliseconds.
public struct RefusedRecord: Sendable, Codable, Equatable {
    /// It lies before the session began.
    public var beforeSessionMs: Int64
    /// It had not happened yet.
    public var futureMs: Int64
    /// Media time that the wall clock and the speed do not allow.
    public var mediaMs: Int64

    public init(beforeSessionMs: Int64 = 0, futureMs: Int64 = 0, mediaMs: Int64 = 0) {
        self.beforeSessionMs = beforeSessionMs
        self.futureMs = futureMs
        self.mediaMs = mediaMs
    }
}

/// A stretch of a session in which nothing was visible.
public struct GapRecord: Sendable, Codable, Equatable {
    public var start: Timestamp
    public var end: Timestamp
    /// From start to end, in milliseconds.
    public var lengthMs: Int64
    public var reason: GapReason

    public init(start: Timestamp, end: Timestamp, reason: GapReason) {
        self.start = start
        self.end = end
        self.lengthMs = end - start
        self.reason = reason
    }
}

/// Why nothing was visible for a while.
public enum GapReason: String, Sendable, Codable, CaseIterable {
    /// The session had begun, and no page had told of itself yet.
    case entered
    /// The tab went behind another, or the window was minimized.
    case hidden
    /// The page was left or closed; another one came later.
    case left
    /// The browser froze the page.
    case frozen
    /// The device slept, or the page stood still.
    case asleep
    /// The page ended without a word: a crash, or a device that was switched off.
    case lost
    /// A player that was heard in the background stopped.
    case player
    /// No beat came for too long and none said why.
    case silent
    /// Nothing was missed: beats of the same tab were not equally long under way.
    case transit
}
