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
    /// Speed of playback.
    package var rate: Double?
    /// What the client claimed and the server did not credit.
    package var refusal: Refusal?
}

/// A run of media time, in milliseconds.
package struct MediaRange: Sendable, Equatable {
    package var from: Int64
    package var to: Int64
}

/// Claimed time that was not credited.
package struct Refusal: Sendable, Equatable {
    /// How much, in milliseconds; above 0.
    package var milliseconds: Int64
    package var reason: Reason

    /// Why time was refused. Where several apply, the one that took the most.
    package enum Reason: String, Sendable {
        /// It lies before the session began.
        case beforeSession = "before_session"
        /// It has not happened yet.
        case future
        /// More media time went by than the wall clock and the speed allow.
        case media
    }
}
