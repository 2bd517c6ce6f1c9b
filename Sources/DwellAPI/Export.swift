/// A line of `GET /api/v1/export/segments?format=ndjson`: a segment, and whose it is.
public struct ExportedSegment: Sendable, Codable, Equatable {
    /// The number of its session.
    public var sessionId: Int64
    public var viewer: ViewerRecord
    public var segment: SegmentRecord

    public init(sessionId: Int64, viewer: ViewerRecord, segment: SegmentRecord) {
        self.sessionId = sessionId
        self.viewer = viewer
        self.segment = segment
    }
}

/// A line of `GET /api/v1/export/statistics?format=ndjson`: what one person spent on one day, as of the last computation
/// of statistics.
public struct ExportedStatistic: Sendable, Codable, Equatable {
    /// The day in the configured time zone, such as `2026-11-21`.
    public var day: String
    public var viewer: ViewerRecord
    /// On a page or on a video; `null` is the whole day, in which what was open at the same time counts once.
    @Nullable public var kind: ContentKind?
    /// The page's path, or the video's name; `null` for the whole day.
    @Nullable public var name: String?
    public var total: ContentMeasures

    public init(day: String, viewer: ViewerRecord, kind: ContentKind?, name: String?, total: ContentMeasures) {
        self.day = day
        self.viewer = viewer
        self.kind = kind
        self.name = name
        self.total = total
    }
}
