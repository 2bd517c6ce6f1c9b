/// How beats become segments.
package struct BeatSettings: Sendable {
    /// How often a client is asked to beat, in milliseconds.
    package let interval: Int64
    /// Cuts the days that statistics are kept by.
    package let days: LocalDays
    /// Numbers of pages and videos that are known.
    package let contents: ContentNumbers

    /// The longest gap that two bodyless beats bridge, in milliseconds.
    package var bridge: Int64 { interval + interval / 2 }

    package init(interval: Int64, days: LocalDays, contents: ContentNumbers = ContentNumbers()) {
        self.interval = interval
        self.days = days
        self.contents = contents
    }
}
