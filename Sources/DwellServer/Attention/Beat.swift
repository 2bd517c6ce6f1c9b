package import DwellAPI

/// A sign of life that arrived.
package struct Beat: Sendable {
    package let source: Source
    package let arrival: Timestamp
    package let content: Content

    /// Whose beat it is. It was checked before: by a signature, or a login.
    package enum Source: Sendable, Equatable {
        /// The entry that a token or the gate's cookie names; its login, if it has one, must still be good.
        case token(viewer: Int64, entry: Int64)
        /// An account's entry.
        case account(viewer: Int64, entry: Int64)
        /// A login, and the entry that its cookie names. Without one, or when the viewer has none of that number whose
        /// own login is good, the login's latest entry is meant, or a new one.
        case login(Login, entry: Int64?)

        /// Whose beat it is, in a word.
        var viewer: Int64 {
            switch self {
            case .token(let viewer, _), .account(let viewer, _): viewer
            case .login(let login, _): login.viewer
            }
        }
    }

    /// What it says.
    package enum Content: Sendable {
        /// An empty body: the page is open and visible. The page is known when the browser named it.
        case presence(page: String?)
        /// The video of the entry is being watched.
        case playback
        /// Segments, valid by ``BeatRules``.
        case claims([SegmentClaim], sentAt: Int64, interval: Int64)
    }

    /// How many segments it stores.
    var segmentCount: Int {
        guard case .claims(let claims, _, _) = content else { return 1 }
        return max(1, claims.count)
    }

    package init(source: Source, arrival: Timestamp, content: Content) {
        self.source = source
        self.arrival = arrival
        self.content = content
    }
}

/// What became of a beat.
package enum BeatOutcome: Sendable, Equatable {
    /// It is on disk, under this entry. Players that it told of may have to stop.
    case stored(Entry, viewing: ViewingRefusal? = nil)
    /// It names no entry that exists; nothing was stored.
    case unknownEntry
    /// The device that it comes from was removed, or logged in anew; nothing was stored.
    case deviceRemoved(Device.Removal, at: Timestamp)
    /// The operator ended the guest's passes; nothing was stored.
    case revoked(at: Timestamp)

    /// The entry that it was stored under.
    package var entry: Entry? {
        guard case .stored(let entry, _) = self else { return nil }
        return entry
    }

    /// Which of its players must stop; `nil` when none must.
    var viewing: ViewingRefusal? {
        get {
            guard case .stored(_, let viewing) = self else { return nil }
            return viewing
        }
        set {
            if let entry { self = .stored(entry, viewing: newValue) }
        }
    }
}
