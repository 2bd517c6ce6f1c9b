/// The answer to `GET /api/v1/live`: who is here now, those who came last first.
public struct LivePage: Sendable, Codable {
    /// How many people are here, on all pages of the list together.
    public var viewers: Int
    public var sessions: [LiveSession]
    /// Give it back as `cursor` for the next page; `null` on the last.
    @Nullable public var nextCursor: String?

    public init(viewers: Int, sessions: [LiveSession], nextCursor: String?) {
        self.viewers = viewers
        self.sessions = sessions
        self.nextCursor = nextCursor
    }
}

/// A session that a beat told of within the last two heartbeat intervals.
public struct LiveSession: Sendable, Codable, Equatable {
    public var id: Int64
    public var viewer: ViewerRecord
    /// When the session began.
    public var since: Timestamp
    /// The last sign of life.
    public var lastSeenTime: Timestamp
    /// The page that was seen last.
    @Nullable public var page: String?
    /// The video that was played last.
    @Nullable public var video: String?

    public init(
        id: Int64, viewer: ViewerRecord, since: Timestamp, lastSeenTime: Timestamp, page: String?, video: String?
    ) {
        self.id = id
        self.viewer = viewer
        self.since = since
        self.lastSeenTime = lastSeenTime
        self.page = page
        self.video = video
    }
}
