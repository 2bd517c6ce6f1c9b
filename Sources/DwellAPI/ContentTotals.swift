/// The answer to `GET /api/v1/contents`: what one page or one video brought, as of the last computation of statistics.
public struct ContentTotals: Sendable, Codable, Equatable {
    public var kind: ContentKind
    /// The page's path, or the video's name.
    public var name: String
    /// How many people saw it.
    public var viewers: Int
    /// Over people and days.
    public var total: ContentMeasures
    /// The days on which it was seen, the first one first.
    public var days: [ContentDay]

    public init(kind: ContentKind, name: String, viewers: Int, total: ContentMeasures, days: [ContentDay]) {
        self.kind = kind
        self.name = name
        self.viewers = viewers
        self.total = total
        self.days = days
    }
}

/// What can be looked at.
public enum ContentKind: String, Sendable, Codable, CaseIterable {
    case page
    case video
}

/// What one day brought of a content.
public struct ContentDay: Sendable, Codable, Equatable {
    /// The day in the configured time zone, such as `2026-11-21`.
    public var day: String
    /// How many people saw it.
    public var viewers: Int
    /// Over these people.
    public var total: ContentMeasures

    public init(day: String, viewers: Int, total: ContentMeasures) {
        self.day = day
        self.viewers = viewers
        self.total = total
    }
}

/// Time spent on a content, in milliseconds, each person counted once at a time.
public struct ContentMeasures: Sendable, Codable, Hashable {
    public var visibleMs: Int64
    /// The largest possible error of `visibleMs`.
    public var visibleErrorMs: Int64
    /// Of `visibleMs`, what was active.
    public var engagedMs: Int64
    /// The largest possible error of `engagedMs`.
    public var engagedErrorMs: Int64
    /// Sum over tabs, each counted by itself: what adding up would have said.
    public var rawMs: Int64

    public init(
        visibleMs: Int64 = 0, visibleErrorMs: Int64 = 0, engagedMs: Int64 = 0, engagedErrorMs: Int64 = 0,
        rawMs: Int64 = 0
    ) {
        self.visibleMs = visibleMs
        self.visibleErrorMs = visibleErrorMs
        self.engagedMs = engagedMs
        self.engagedErrorMs = engagedErrorMs
        self.rawMs = rawMs
    }

    public static func += (sum: inout ContentMeasures, part: ContentMeasures) {
        sum.visibleMs += part.visibleMs
        sum.visibleErrorMs += part.visibleErrorMs
        sum.engagedMs += part.engagedMs
        sum.engagedErrorMs += part.engagedErrorMs
        sum.rawMs += part.rawMs
    }
}
