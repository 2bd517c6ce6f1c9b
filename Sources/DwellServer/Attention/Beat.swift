package import DwellAPI
package import Foundation

/// A sign of life that arrived.
package struct Beat: Sendable {
    package let source: Source
    package let arrival: Timestamp
    package let content: Content

    /// Whose beat it is. It was checked before: by a signature, or a login.
    package enum Source: Sendable {
        /// A session by its number; there is no answer when the viewer has none of that number.
        case session(viewer: Int64, id: Int64)
        /// An account's device, and the session that its cookie names. Without one, the device's open session is
        /// meant, or a new one.
        case device(viewer: Int64, device: UUID, session: Int64?)
    }

    /// What it says.
    package enum Content: Sendable {
        /// An empty body: the page is open and visible. The page is known when the browser named it.
        case presence(page: String?)
        /// The video of the session is being watched.
        case playback
        /// Segments, valid by ``BeatRules``.
        case claims(BeatBody)
    }

    /// How many segments it stores.
    var segmentCount: Int {
        guard case .claims(let body) = content else { return 1 }
        return max(1, body.segments.count)
    }

    package init(source: Source, arrival: Timestamp, content: Content) {
        self.source = source
        self.arrival = arrival
        self.content = content
    }
}
