import DwellAPI

/// A segment as credited, and where it comes from.
struct CreditedSegment {
    let entry: Entry
    let segment: Segment
    /// The numbers of its page and its video.
    let pageID: Int64?
    let videoID: Int64?
    /// When the beat came that told of it.
    let arrival: Timestamp

    /// Names it among all.
    var key: SegmentKey {
        SegmentKey(tab: TabKey(entry: entry.key, tab: segment.tab), n: segment.n)
    }
}

/// Puts segments where they belong: into the session that was going on, or one of its own after 30 silent minutes.
///
/// Nearly all extend the session that is going on; those go to the database together. The others are looked at one by
/// one.
struct SegmentPlacer {
    private let sessions: SessionQueries
    private let segments: SegmentQueries
    private let days: LocalDays
    private var dirty: Set<ViewerDay> = []
    /// The latest sessions of entries, as far as they are known.
    private var latest: [EntryKey: Session] = [:]

    init(connection: any DatabaseConnection, days: LocalDays) {
        sessions = SessionQueries(connection: connection)
        segments = SegmentQueries(connection: connection)
        self.days = days
    }

    /// Remembers what was read of an entry in the same transaction.
    mutating func remember(_ found: FoundEntry) {
        latest[found.entry.key] = found.latest
    }

    /// Stores segments, of each entry those of one beat at most.
    mutating func place(_ claimed: [CreditedSegment]) throws {
        let surroundings = try surroundings(of: claimed)
        var names: Set<SegmentKey> = []
        var plain: [PlacedSegment] = []
        var others: [CreditedSegment] = []
        for (credited, surrounding) in zip(claimed, surroundings) {
            if surrounding.takes(credited.segment), names.insert(credited.key).inserted {
                plain.append(PlacedSegment(credited: credited, session: surrounding.session))
            } else {
                others.append(credited)
            }
        }
        try placeTogether(plain)
        for credited in others { try place(credited) }
    }

    /// Notes every day that has to be computed anew.
    mutating func markDirtyDays() throws {
        try segments.markDirty(dirty.sorted())
        dirty = []
    }

    private mutating func placeTogether(_ placed: [PlacedSegment]) throws {
        let rows = try segments.store(placed)
        var disturbed: [(PlacedSegment, StoredSegment)] = []
        var seen: [Int64: SeenSession] = [:]
        for (placed, row) in zip(placed, rows) {
            noteDays(of: placed.credited, row: row)
            if row.disturbs(placed) {
                disturbed.append((placed, row))
            } else if row.end > placed.session.lastSeenAt {
                let session = placed.session
                let end = max(seen[session.id]?.at ?? row.end, row.end)
                seen[session.id] = SeenSession(entry: placed.credited.entry.key, before: session, at: end)
            }
        }
        try touch(seen.values.sorted { $0.entry < $1.entry })
        for (placed, row) in disturbed { try regroup(placed, row: row) }
    }

    private mutating func touch(_ seen: [SeenSession]) throws {
        try sessions.touch(seen)
        for seen in seen {
            guard let known = latest[seen.entry], known.id == seen.before.id, known.lastSeenAt < seen.at else {
                continue
            }
            latest[seen.entry] = known.seen(at: seen.at)
        }
    }

    private func surroundings(of claimed: [CreditedSegment]) throws -> [SessionSurrounding] {
        let known = claimed.map { credited -> SessionSurrounding? in
            guard let latest = latest[credited.entry.key], latest.startedAt <= credited.segment.start else {
                return nil
            }
            return SessionSurrounding(session: latest, next: nil)
        }
        let unknown = zip(claimed, known).filter { $1 == nil }.map { ($0.0.entry, $0.0.segment.start) }
        var asked = try sessions.surroundings(of: unknown)[...]
        return known.compactMap { $0 ?? asked.popFirst() }
    }

    private mutating func place(_ credited: CreditedSegment) throws {
        latest[credited.entry.key] = nil
        let surrounding = try sessions.surroundings(of: [(credited.entry, credited.segment.start)])[0]
        var session = surrounding.session
        if !surrounding.reaches(credited.segment) && !surrounding.joinsNext(credited.segment) {
            session = try sessions.open(
                credited.entry, from: credited.segment.start, to: credited.segment.end)
        }
        let placed = PlacedSegment(credited: credited, session: session)
        let row = try segments.store([placed])[0]
        noteDays(of: credited, row: row)
        if surrounding.joinsNext(credited.segment) || row.disturbs(placed) {
            try regroup(placed, row: row)
        } else if row.end > session.lastSeenAt {
            try touch([SeenSession(entry: credited.entry.key, before: session, at: row.end)])
        }
    }

    /// Groups the sessions around a segment anew.
    private mutating func regroup(_ placed: PlacedSegment, row: StoredSegment) throws {
        let entry = placed.credited.entry
        latest[entry.key] = nil
        let start = min(row.start, placed.session.startedAt)
        let end = max(row.end, placed.credited.segment.end, placed.session.lastSeenAt)
        let found = try sessions.sessions(of: entry, within: start..<end, and: row.session)
        let members = try found.flatMap { try segments.members(of: $0, of: entry) }
        let first = found.contains { $0.id == entry.id } ? entry : nil
        var kept: Set<Int64> = []
        for group in SessionGrouping(members, first: first).groups {
            let id = try group.id ?? sessions.open(entry, from: group.start, to: group.end).id
            kept.insert(id)
            try sessions.update(Session(id: id, startedAt: group.start, lastSeenAt: group.end), of: entry)
            for member in group.members where member.session != id {
                try segments.move(member, to: id, of: entry)
            }
        }
        for session in found where !kept.contains(session.id) { try sessions.remove(session.id, of: entry) }
    }

    private mutating func noteDays(of credited: CreditedSegment, row: StoredSegment) {
        // Where a row was before it moved, no one remembers, but it was not after this beat's arrival.
        let end = row.end > credited.segment.end ? max(row.end, credited.arrival) : row.end
        for day in days.days(touching: row.start..<end) {
            dirty.insert(ViewerDay(viewer: credited.entry.viewer, day: day))
        }
    }
}

/// What an entry's sessions are like around the start of a segment.
struct SessionSurrounding {
    /// The one that began last before it, or with it.
    let session: Session
    /// The start of the one after.
    let next: Timestamp?

    /// Whether a segment simply goes on with the session.
    func takes(_ segment: Segment) -> Bool { reaches(segment) && !joinsNext(segment) }

    func reaches(_ segment: Segment) -> Bool { segment.start <= session.boundary }

    /// Whether the silence between a segment and the next session is too short for two.
    func joinsNext(_ segment: Segment) -> Bool { next.map { $0 <= segment.end + Session.silence } ?? false }
}

extension StoredSegment {
    /// Whether the row shows that sessions are not grouped as they should be.
    fileprivate func disturbs(_ placed: PlacedSegment) -> Bool {
        // A beat that was quicker than the one before it moves the row back; nobody noted where its end was.
        let mayHaveMoved =
            beats > 1 && start == placed.credited.segment.start && end < placed.session.lastSeenAt
        return mayHaveMoved || session != placed.session.id
    }
}
