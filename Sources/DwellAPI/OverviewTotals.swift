/// The answer to `GET /api/v1/overview`: what a number of days brought, beside as many days before, as of the last
/// computation of statistics.
public struct OverviewTotals: Sendable, Codable, Equatable {
    public var now: PeriodTotals
    public var before: PeriodTotals
    /// Of now, the days on which anybody was seen, the first one first.
    public var days: [ContentDay]
    /// Of now, the pages that brought most, the most engaging first; `null` where one page or video is asked about.
    @Nullable public var pages: [RankedContent]?
    @Nullable public var videos: [RankedContent]?

    public init(
        now: PeriodTotals, before: PeriodTotals, days: [ContentDay], pages: [RankedContent]?, videos: [RankedContent]?
    ) {
        self.now = now
        self.before = before
        self.days = days
        self.pages = pages
        self.videos = videos
    }
}

/// What a number of days brought.
public struct PeriodTotals: Sendable, Codable, Equatable {
    /// The first day in the configured time zone, such as `2026-11-21`.
    public var from: String
    /// The day after the last one.
    public var to: String
    /// How many people were seen.
    public var viewers: Int
    /// How many sessions began; `null` where one page or video is asked about.
    @Nullable public var sessions: Int?
    /// Over people and days.
    public var total: ContentMeasures
    /// How many sessions of a device the figures lack, because their segments are folded.
    public var foldedSessions: Int

    public init(
        from: String, to: String, viewers: Int, sessions: Int?, total: ContentMeasures, foldedSessions: Int
    ) {
        self.from = from
        self.to = to
        self.viewers = viewers
        self.sessions = sessions
        self.total = total
        self.foldedSessions = foldedSessions
    }
}

/// A page or a video among those that brought most.
public struct RankedContent: Sendable, Codable, Hashable {
    /// The page's path, or the video's name.
    public var name: String
    /// How many people saw it.
    public var viewers: Int
    /// Over people and days.
    public var total: ContentMeasures

    public init(name: String, viewers: Int, total: ContentMeasures) {
        self.name = name
        self.viewers = viewers
        self.total = total
    }
}
