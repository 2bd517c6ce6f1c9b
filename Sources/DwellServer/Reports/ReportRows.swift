package import DwellAPI

/// What one person did in all.
package struct ViewerTotal: Sendable, Codable, Equatable {
    package let email: String
    @Nullable package var username: String?
    package let sessions: Int
    /// Sum over sessions, each from its first to its last sign of life, in milliseconds.
    package let elapsedMs: Int64
    /// The largest possible error of `elapsedMs`, in milliseconds.
    package let elapsedErrorMs: Int64
    /// Union over everything the person had open, in milliseconds.
    package let visibleMs: Int64
    /// The largest possible error of `visibleMs`, in milliseconds.
    package let visibleErrorMs: Int64
    /// Union of what was active, in milliseconds.
    package let engagedMs: Int64
    /// The largest possible error of `engagedMs`, in milliseconds.
    package let engagedErrorMs: Int64
    /// Sum over tabs, each counted by itself, in milliseconds: what adding up would have said.
    package let rawMs: Int64
}

/// What one day brought.
package struct DayTotal: Sendable, Codable, Equatable {
    /// The day in the configured time zone, such as `2026-11-21`.
    package let day: String
    /// How many people were seen.
    package let viewers: Int
    /// Sum over the people, each counted once at a time, in milliseconds.
    package let visibleMs: Int64
    /// The largest possible error of `visibleMs`, in milliseconds.
    package let visibleErrorMs: Int64
    /// Of that, what was active, in milliseconds.
    package let engagedMs: Int64
    /// The largest possible error of `engagedMs`, in milliseconds.
    package let engagedErrorMs: Int64
    /// Sum over tabs, each counted by itself, in milliseconds: what adding up would have said.
    package let rawMs: Int64
}

/// What one video brought.
package struct VideoTotal: Sendable, Codable, Equatable {
    package let video: String
    /// How many people were seen.
    package let viewers: Int
    /// Sum over people and days, in milliseconds.
    package let visibleMs: Int64
    /// The largest possible error of `visibleMs`, in milliseconds.
    package let visibleErrorMs: Int64
    /// Of that, what was active, in milliseconds.
    package let engagedMs: Int64
    /// The largest possible error of `engagedMs`, in milliseconds.
    package let engagedErrorMs: Int64
    /// Sum over tabs, each counted by itself, in milliseconds: what adding up would have said.
    package let rawMs: Int64
}

extension DayTotal {
    init(_ day: ContentDay) {
        self.init(
            day: day.day, viewers: day.viewers, visibleMs: day.total.visibleMs,
            visibleErrorMs: day.total.visibleErrorMs, engagedMs: day.total.engagedMs,
            engagedErrorMs: day.total.engagedErrorMs, rawMs: day.total.rawMs)
    }

    /// The same as a content's day has it.
    var asContentDay: ContentDay {
        ContentDay(
            day: day, viewers: viewers,
            total: ContentMeasures(
                visibleMs: visibleMs, visibleErrorMs: visibleErrorMs, engagedMs: engagedMs,
                engagedErrorMs: engagedErrorMs, rawMs: rawMs))
    }
}

extension VideoTotal {
    init(_ rank: ContentRank) {
        self.init(
            video: rank.name, viewers: rank.viewers, visibleMs: rank.total.visibleMs,
            visibleErrorMs: rank.total.visibleErrorMs, engagedMs: rank.total.engagedMs,
            engagedErrorMs: rank.total.engagedErrorMs, rawMs: rank.total.rawMs)
    }
}
