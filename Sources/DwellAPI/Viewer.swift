/// The answer to `GET /api/v1/viewers`: a page of people.
public struct ViewerPage: Sendable, Codable, Equatable {
    public var viewers: [ViewerSummary]
    /// Give it back as `cursor` for the next page; `null` on the last.
    @Nullable public var nextCursor: String?

    public init(viewers: [ViewerSummary], nextCursor: String?) {
        self.viewers = viewers
        self.nextCursor = nextCursor
    }
}

/// A person, and what all of their time comes to, as of the last computation of statistics.
public struct ViewerSummary: Sendable, Codable, Equatable {
    public var viewer: ViewerRecord
    /// When they entered, or registered, first.
    public var createdTime: Timestamp
    /// Their last sign of life; `null` when they never looked at anything.
    @Nullable public var lastSeenTime: Timestamp?
    public var sessions: Int
    /// First to last sign of life, over all sessions, in milliseconds.
    public var elapsedMs: Int64
    /// The largest possible error of `elapsedMs`.
    public var elapsedErrorMs: Int64
    /// Over all days.
    public var total: ContentMeasures

    public init(
        viewer: ViewerRecord, createdTime: Timestamp, lastSeenTime: Timestamp?, sessions: Int, elapsedMs: Int64,
        elapsedErrorMs: Int64, total: ContentMeasures
    ) {
        self.viewer = viewer
        self.createdTime = createdTime
        self.lastSeenTime = lastSeenTime
        self.sessions = sessions
        self.elapsedMs = elapsedMs
        self.elapsedErrorMs = elapsedErrorMs
        self.total = total
    }
}

/// The answer to `GET /api/v1/viewers/ID`: one person.
public struct ViewerDetail: Sendable, Codable, Equatable {
    public var summary: ViewerSummary
    /// What they are logged in on, the latest login first.
    public var devices: [DeviceRecord]
    /// What they watched, the latest first, 200 videos at most.
    public var videos: [VideoProgress]

    public init(summary: ViewerSummary, devices: [DeviceRecord], videos: [VideoProgress]) {
        self.summary = summary
        self.devices = devices
        self.videos = videos
    }
}

/// The answer to `GET /api/v1/viewers/ID/days`: what each day brought of one person, as of the last computation of
/// statistics.
public struct ViewerDays: Sendable, Codable, Equatable {
    public var viewer: ViewerRecord
    /// Over the days.
    public var total: ContentMeasures
    /// The days on which they were seen, the first one first.
    public var days: [ViewerDayTotal]

    public init(viewer: ViewerRecord, days: [ViewerDayTotal]) {
        self.viewer = viewer
        self.total = days.reduce(into: ContentMeasures()) { $0 += $1.total }
        self.days = days
    }
}

/// What one day brought of one person.
public struct ViewerDayTotal: Sendable, Codable, Equatable {
    /// The day in the configured time zone, such as `2026-11-21`.
    public var day: String
    public var total: ContentMeasures

    public init(day: String, total: ContentMeasures) {
        self.day = day
        self.total = total
    }
}

/// The answer to `GET /api/v1/viewers/ID/timeline`: one person's day, across sessions, tabs and devices.
public struct ViewerTimeline: Sendable, Codable, Equatable {
    public var viewer: ViewerRecord
    /// The day in the configured time zone, such as `2026-11-21`.
    public var day: String
    /// The day's midnight. From it to the next there are 23 or 25 hours twice a year.
    public var start: Timestamp
    /// The next midnight.
    public var end: Timestamp
    /// Each moment counted once, in however many tabs it was seen.
    public var total: ContentMeasures
    /// How many sessions of the day were folded: their segments are gone, and still count in `total`.
    public var foldedSessions: Int
    /// What of each segment lies in the day, in the order of their starts.
    public var segments: [TimelineSegment]

    public init(
        viewer: ViewerRecord, day: String, start: Timestamp, end: Timestamp, total: ContentMeasures,
        foldedSessions: Int, segments: [TimelineSegment]
    ) {
        self.viewer = viewer
        self.day = day
        self.start = start
        self.end = end
        self.total = total
        self.foldedSessions = foldedSessions
        self.segments = segments
    }
}

/// The part of a segment that lies in a day.
public struct TimelineSegment: Sendable, Codable, Equatable {
    public var sessionId: Int64
    /// The device's UUID, for accounts.
    @Nullable public var deviceId: String?
    public var tab: String
    public var n: Int64
    /// When it began, or the day's midnight if that was before.
    public var start: Timestamp
    /// When it ended, or the next midnight if that was after.
    public var end: Timestamp
    public var lengthMs: Int64
    public var attention: Attention
    @Nullable public var page: String?
    @Nullable public var video: String?

    public init(
        sessionId: Int64, deviceId: String?, tab: String, n: Int64, start: Timestamp, end: Timestamp,
        attention: Attention, page: String?, video: String?
    ) {
        self.sessionId = sessionId
        self.deviceId = deviceId
        self.tab = tab
        self.n = n
        self.start = start
        self.end = end
        self.lengthMs = end - start
        self.attention = attention
        self.page = page
        self.video = video
    }
}
