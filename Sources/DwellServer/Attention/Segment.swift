package import DwellAPI

/// One uninterrupted stretch of attention, in server time, as credited.
package struct Segment: Sendable, Equatable {
    /// Names the tab. Clients' names are letters, digits, `_` and `-`; the server's own begin with a colon.
    package var tab: String
    /// Counts the tab's segments.
    package var n: Int64
    package var start: Timestamp
    /// Never before `start`.
    package var end: Timestamp
    package var attention: Attention
    package var page: String?
    package var video: String?
    package var media: MediaRange?
    /// How long the whole video is, as far as its player knew, in milliseconds.
    package var mediaDuration: Int64?
    /// Speed of playback.
    package var rate: Double?
    /// Why it ended; `nil` while it is open, and for ever when nobody said.
    package var ending: SegmentEnd?
    /// How much longer than credited it may have lasted, in milliseconds.
    package var unsure: Int64
    /// What the client claimed and the server did not credit.
    package var refused = RefusedTime()

    /// How long it is, in milliseconds.
    package var length: Int64 { end - start }
}

/// A run of media time, in milliseconds.
package struct MediaRange: Sendable, Equatable {
    package var from: Int64
    package var to: Int64
}

/// Claimed time that was not credited, by reason, in milliseconds.
package struct RefusedTime: Sendable, Equatable {
    /// It lies before the session began.
    package var beforeSession: Int64 = 0
    /// It had not happened yet.
    package var future: Int64 = 0
    /// Media time: more went by than the wall clock and the speed allow.
    package var media: Int64 = 0

    /// Adds what is refused now and was not before.
    mutating func add(_ now: RefusedTime, after before: RefusedTime) {
        beforeSession += now.beforeSession - before.beforeSession
        future += now.future - before.future
        media += now.media - before.media
    }
}
