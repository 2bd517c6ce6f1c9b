/// Names an entry among all.
struct EntryKey: Hashable, Comparable {
    let viewer: Int64
    let entry: Int64

    /// The order of their rows.
    static func < (left: EntryKey, right: EntryKey) -> Bool {
        (left.viewer, left.entry) < (right.viewer, right.entry)
    }
}

/// Names a tab among all.
struct TabKey: Hashable, Comparable {
    let entry: EntryKey
    let tab: String

    static func < (left: TabKey, right: TabKey) -> Bool {
        (left.entry, left.tab) < (right.entry, right.tab)
    }
}

/// Names a segment among all.
struct SegmentKey: Hashable, Comparable {
    let tab: TabKey
    let n: Int64

    /// Whether its tab is one of the server's own: see ``Segment/tab``.
    var isServers: Bool { tab.tab.utf8.first == UInt8(ascii: ":") }

    static func < (left: SegmentKey, right: SegmentKey) -> Bool {
        (left.tab, left.n) < (right.tab, right.n)
    }
}

/// A day of one viewer.
struct ViewerDay: Hashable, Comparable {
    let viewer: Int64
    let day: Int64

    /// The order of their rows; who locks several locks them in this order.
    static func < (left: ViewerDay, right: ViewerDay) -> Bool {
        (left.viewer, left.day) < (right.viewer, right.day)
    }
}

/// What one viewer watched of one video.
package struct ViewerVideo: Hashable, Comparable, Sendable {
    let viewer: Int64
    let video: Int64

    /// The order of their rows; who locks several locks them in this order.
    package static func < (left: ViewerVideo, right: ViewerVideo) -> Bool {
        (left.viewer, left.video) < (right.viewer, right.video)
    }
}

extension Entry {
    var key: EntryKey { EntryKey(viewer: viewer, entry: id) }
}
