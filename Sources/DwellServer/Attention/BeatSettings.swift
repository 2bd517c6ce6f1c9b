/// How beats become segments.
package struct BeatSettings: Sendable {
    /// How often a client is asked to beat, in milliseconds.
    package let interval: Int64
    /// How many videos an account may play at once that has no limit of its own; `nil` asks nobody.
    package let viewingLimit: Int?
    /// Cuts the days that statistics are kept by.
    package let days: LocalDays
    /// Numbers of pages and videos that are known.
    package let contents: ContentNumbers

    /// The longest gap that two bodyless beats bridge, in milliseconds.
    package var bridge: Int64 { interval + interval / 2 }

    /// How often a client that plays a video is asked to beat at least, in milliseconds: one that is gone must not hold its
    /// place for long.
    package var playerInterval: Int64 { viewingLimit == nil ? interval : min(interval, 30_000) }

    package init(
        interval: Int64, days: LocalDays, contents: ContentNumbers = ContentNumbers(), viewingLimit: Int? = nil
    ) {
        self.interval = interval
        self.viewingLimit = viewingLimit
        self.days = days
        self.contents = contents
    }
}
