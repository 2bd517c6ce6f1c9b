package import DwellAPI

/// A run of an entry's segments with no more than 30 silent minutes between them.
package struct Session: Sendable, Equatable {
    /// How long a session outlives its last sign of life, in milliseconds.
    package static let silence: Int64 = 30 * 60 * 1000
    /// The spans by which sessions are found that were heard of lately, in milliseconds.
    package static let slotLength: Int64 = 300_000

    package let id: Int64
    package let startedAt: Timestamp
    /// The last sign of life.
    package let lastSeenAt: Timestamp

    /// The last moment at which attention still belongs to this session; what comes later opens the next one.
    package var boundary: Timestamp { lastSeenAt + Session.silence }

    /// The span that the last sign of life is in, counted since 1970.
    var seenSlot: Int64 { lastSeenAt.milliseconds / Session.slotLength }

    /// The same session, heard of at another time.
    func seen(at time: Timestamp) -> Session { Session(id: id, startedAt: startedAt, lastSeenAt: time) }
}

/// Which of an entry's segments make a session together. It depends on nothing but when they happened: not on the
/// order in which they became known.
package struct SessionGrouping {
    /// A segment, as far as grouping goes.
    package struct Member: Sendable, Equatable {
        package let tab: String
        package let n: Int64
        package let start: Timestamp
        package let end: Timestamp
        /// The session that it is in so far.
        package let session: Int64
    }

    /// A session that should be.
    package struct Group: Sendable, Equatable {
        /// The session that it goes on with; `nil` for a new one.
        package var id: Int64?
        package var start: Timestamp
        package var end: Timestamp
        package var members: [Member]
    }

    /// In the order of time.
    package private(set) var groups: [Group] = []

    /// - Parameters:
    ///   - members: In any order
    ///   - entry: The entry, when its first session is among those looked at: its moment is a sign of life
    package init(_ members: [Member], first entry: Entry?) {
        if let entry {
            groups.append(Group(id: entry.id, start: entry.startedAt, end: entry.startedAt, members: []))
        }
        for member in members.sorted(by: { ($0.start, $0.tab, $0.n) < ($1.start, $1.tab, $1.n) }) {
            if let last = groups.indices.last, member.start <= groups[last].end + Session.silence {
                groups[last].end = max(groups[last].end, member.end)
                groups[last].members.append(member)
            } else {
                groups.append(Group(start: member.start, end: member.end, members: [member]))
            }
        }
        var taken = Set(groups.compactMap(\.id))
        for index in groups.indices where groups[index].id == nil {
            groups[index].id = groups[index].members.map(\.session).filter { !taken.contains($0) }.min()
            if let id = groups[index].id { taken.insert(id) }
        }
    }
}
