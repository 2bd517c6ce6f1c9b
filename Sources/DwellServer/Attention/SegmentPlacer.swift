import DwellAPI

/// Puts segments where they belong: into the session that was going on, or one of its own after 30 silent minutes.
///
/// What concerns a batch is read first; segments are then merged and sessions moved forward in memory, and what changed
/// is written at the end. That is right as long as a segment simply goes on with its entry's latest session, as nearly
/// all do. The others are looked at one by one, in the database.
struct SegmentPlacer {
    private let sessions: SessionQueries
    private let segments: SegmentQueries
    private let days: LocalDays
    private var dirty: Set<ViewerDay> = []
    private var watched: Set<ViewerVideo> = []
    /// Sessions that may have ended before they were heard of.
    private var late: Set<SessionKey> = []
    /// The latest sessions of entries, as far as they are known, as they will be.
    private var latest: [EntryKey: Session] = [:]
    /// Segments that were met.
    private var known: [SegmentKey: MetSegment] = [:]
    /// The newest of the server's own tabs.
    private var newest: [TabKey: Int64] = [:]
    /// What the database does not know yet.
    private var changed: [SegmentKey] = []
    private var seen: [Int64: SeenSession] = [:]
    /// What was refused that had not been refused before.
    private(set) var refused = RefusedTime()

    private struct MetSegment {
        /// As it will be.
        var segment: StoredSegment
        /// As its row says; `nil` while it has none.
        var row: StoredSegment?
        var isChanged: Bool
    }

    init(connection: any DatabaseConnection, days: LocalDays) {
        sessions = SessionQueries(connection: connection)
        segments = SegmentQueries(connection: connection)
        self.days = days
    }

    /// Reads what segments will be merged with.
    /// - Parameters:
    ///   - entries: Whose they are; they are locked
    ///   - keys: What segments are called
    ///   - tabs: The server's own tabs, of which the newest segment is needed
    mutating func load(entries: [EntryKey], segments keys: [SegmentKey], tabs: [TabKey]) throws {
        latest.merge(try sessions.latest(entries)) { $1 }
        for segment in try segments.segments(Set(keys).sorted()) { meet(segment) }
        for segment in try segments.latest(Set(tabs).sorted()) {
            meet(segment)
            newest[segment.key.tab] = segment.key.n
        }
    }

    /// The newest segment of one of the server's own tabs.
    func newest(of tab: TabKey) -> StoredSegment? {
        newest[tab].flatMap { known[SegmentKey(tab: tab, n: $0)]?.segment }
    }

    private mutating func meet(_ segment: StoredSegment) {
        known[segment.key] = MetSegment(segment: segment, row: segment, isChanged: false)
    }

    /// Takes a segment, whose name was among those loaded.
    mutating func place(_ credited: CreditedSegment) throws {
        let entry = credited.entry.key
        let old = known[credited.key]?.segment
        guard let session = latest[entry], session.takes(credited.segment),
            let segment = merged(old, with: credited, in: session)
        else { return try placeInDatabase(credited) }
        note(segment, after: old)
        noteIfLate(session.id, endedAt: segment.end, credited)
        if segment.end > session.lastSeenAt {
            latest[entry] = session.seen(at: segment.end)
            let before = seen[session.id]?.before ?? session
            seen[session.id] = SeenSession(entry: entry, before: before, at: segment.end)
        }
    }

    /// Notes that the sessions of a day must be counted anew.
    mutating func noteStart(of session: Timestamp, viewer: Int64) {
        dirty.insert(ViewerDay(viewer: viewer, day: days.day(of: session)))
    }

    /// Writes what changed, and notes everything that has to be computed anew.
    mutating func finish() throws {
        try flush()
        try segments.markDirty(dirty.sorted())
        try segments.markWatched(watched.sorted())
        try EndedSessionQueries(connection: segments.connection).mark(late)
        (dirty, watched, late) = ([], [], [])
    }

    private mutating func noteIfLate(_ session: Int64, endedAt end: Timestamp, _ credited: CreditedSegment) {
        guard credited.arrival - end >= EndedSessionQueries.lateness else { return }
        late.insert(SessionKey(viewer: credited.entry.viewer, id: session))
    }

    /// A segment as it will be; `nil` when its session may not stay as it is.
    private func merged(
        _ old: StoredSegment?, with credited: CreditedSegment, in session: Session
    ) -> StoredSegment? {
        let told = StoredSegment(credited, in: session.id)
        guard let old else { return told }
        let merged = old.merged(with: told)
        // A beat that was quicker than the one before it moves the segment back, and may open a gap behind it.
        return old.session == session.id && merged.end >= old.end ? merged : nil
    }

    private mutating func note(_ segment: StoredSegment, after old: StoredSegment?) {
        let (key, tab) = (segment.key, segment.key.tab)
        refused.add(segment.refused, after: old?.refused ?? RefusedTime())
        let met = known[key]
        if met?.isChanged != true { changed.append(key) }
        known[key] = MetSegment(segment: segment, row: met?.row, isChanged: true)
        if key.isServers { newest[tab] = max(newest[tab] ?? 0, key.n) }
        let end = max(old?.end ?? segment.end, segment.end)
        for day in days.days(touching: segment.start..<end) {
            dirty.insert(ViewerDay(viewer: tab.entry.viewer, day: day))
        }
        guard old.map({ !segment.isWatched(like: $0) }) ?? true else { return }
        for video in [old, segment].compactMap({ $0?.watchedVideo }) {
            watched.insert(ViewerVideo(viewer: tab.entry.viewer, video: video))
        }
    }

    private mutating func flush() throws {
        // Neighbours lie on the same pages of the database, and all who lock rows lock them in this order.
        let met = changed.sorted().compactMap { known[$0] }
        try segments.insert(met.filter { $0.row == nil }.map(\.segment))
        try segments.update(met.compactMap { met in met.row.map { SegmentChange(row: $0, segment: met.segment) } })
        try sessions.touch(seen.values.sorted { $0.entry < $1.entry })
        for met in met {
            known[met.segment.key] = MetSegment(segment: met.segment, row: met.segment, isChanged: false)
        }
        (changed, seen) = ([], [:])
    }

    private mutating func placeInDatabase(_ credited: CreditedSegment) throws {
        try flush()
        latest[credited.entry.key] = nil
        let surrounding = try sessions.surrounding(of: credited.entry, at: credited.segment.start)
        var session = surrounding.session
        if !session.reaches(credited.segment) && !surrounding.joinsNext(credited.segment) {
            session = try sessions.open(
                credited.entry, from: credited.segment.start, to: credited.segment.end)
        }
        let old = known[credited.key]?.segment
        let told = StoredSegment(credited, in: session.id)
        let segment = old?.merged(with: told) ?? told
        note(segment, after: old)
        try flush()
        let movedBack = old.map { segment.end < $0.end } ?? false
        if surrounding.joinsNext(credited.segment) || segment.session != session.id || movedBack {
            try regroup(credited, segment, session)
        } else {
            noteIfLate(session.id, endedAt: segment.end, credited)
            guard segment.end > session.lastSeenAt else { return }
            try sessions.touch([SeenSession(entry: credited.entry.key, before: session, at: segment.end)])
        }
    }

    /// Groups the sessions around a segment anew.
    private mutating func regroup(
        _ credited: CreditedSegment, _ segment: StoredSegment, _ session: Session
    ) throws {
        let entry = credited.entry
        let start = min(segment.start, session.startedAt)
        let end = max(segment.end, credited.segment.end, session.lastSeenAt)
        let found = try sessions.sessions(of: entry, within: start..<end, and: segment.session)
        let members = try found.flatMap { try segments.members(of: $0, of: entry) }
        let first = found.contains { $0.id == entry.id } ? entry : nil
        var kept: Set<Int64> = []
        for session in found { noteStart(of: session.startedAt, viewer: entry.viewer) }
        for group in SessionGrouping(members, first: first).groups {
            let id = try group.id ?? sessions.open(entry, from: group.start, to: group.end).id
            kept.insert(id)
            noteStart(of: group.start, viewer: entry.viewer)
            try sessions.update(Session(id: id, startedAt: group.start, lastSeenAt: group.end), of: entry)
            noteIfLate(id, endedAt: group.end, credited)
            for member in group.members where member.session != id {
                try segments.move(member, to: id, of: entry)
                let key = SegmentKey(tab: TabKey(entry: entry.key, tab: member.tab), n: member.n)
                known[key]?.segment.session = id
                known[key]?.row?.session = id
            }
        }
        for session in found where !kept.contains(session.id) { try sessions.remove(session.id, of: entry) }
    }
}

/// What an entry's sessions are like around the start of a segment.
struct SessionSurrounding {
    /// The one that began last before it, or with it.
    let session: Session
    /// The start of the one after.
    let next: Timestamp?

    /// Whether the silence between a segment and the next session is too short for two.
    func joinsNext(_ segment: Segment) -> Bool { next.map { $0 <= segment.end + Session.silence } ?? false }
}

extension StoredSegment {
    /// The video that a part of was watched in it.
    fileprivate var watchedVideo: Int64? { media == nil ? nil : videoID }

    /// Whether the same part of the same video was watched at the same time.
    fileprivate func isWatched(like other: StoredSegment) -> Bool {
        watchedVideo == other.watchedVideo && media == other.media && mediaDuration == other.mediaDuration
            && start == other.start && end == other.end && ending == other.ending
    }
}

extension Session {
    /// Whether a segment simply goes on with the session, if it is its entry's latest.
    fileprivate func takes(_ segment: Segment) -> Bool { startedAt <= segment.start && reaches(segment) }

    fileprivate func reaches(_ segment: Segment) -> Bool { segment.start <= boundary }
}
