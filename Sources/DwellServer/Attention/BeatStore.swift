import DwellAPI
import Foundation

/// Stores beats inside one transaction.
struct BeatStore {
    private let settings: BeatSettings
    private let sessions: SessionQueries
    private let segments: SegmentQueries
    private(set) var contents: ContentQueries
    private var dirty: Set<ViewerDay> = []

    private struct ViewerDay: Hashable {
        let viewer: Int64
        let day: Int64
    }

    init(connection: any DatabaseConnection, settings: BeatSettings) {
        self.settings = settings
        sessions = SessionQueries(connection: connection)
        segments = SegmentQueries(connection: connection)
        contents = ContentQueries(connection: connection, known: settings.contents)
    }

    /// Stores a beat.
    mutating func store(_ beat: Beat) throws -> BeatOutcome {
        let entry: Entry
        switch beat.source {
        case .token(let viewer, let id):
            guard let found = try sessions.entry(viewer: viewer, id: id) else { return .unknownEntry }
            if let (removal, time) = found.removal { return .deviceRemoved(removal, at: time) }
            entry = found.entry
        case .account(let viewer, let id):
            guard let found = try sessions.entry(viewer: viewer, id: id) else { return .unknownEntry }
            entry = found.entry
        case .device(let viewer, let device, let id):
            entry = try self.entry(viewer: viewer, device: device, named: id, beat: beat)
        }
        try store(beat.content, of: entry, arrival: beat.arrival)
        return .stored(entry)
    }

    /// Makes an entry for a video, or for time on the platform, as if its first beat came now.
    ///
    /// The earlier entry, if it is this viewer's, is brought up to date and closed first.
    mutating func enter(
        viewer: Int64, device: UUID, video: String?, closing earlier: Int64?, at time: Timestamp
    ) throws -> Entry {
        if let earlier, let entry = try sessions.entry(viewer: viewer, id: earlier)?.entry, entry.closedAt == nil {
            if let latest = try sessions.session(of: entry, at: time)?.session, time <= latest.boundary {
                try storeSign(at: time, of: entry, pageID: nil, videoID: entry.videoID)
            }
            try sessions.close(entry, at: time)
        }
        let videoID = try video.map { try contents.number(of: $0, kind: .video) }
        let entry = try sessions.enter(viewer: viewer, device: device, videoID: videoID, at: time)
        try storeSign(at: time, of: entry, pageID: nil, videoID: videoID)
        return entry
    }

    /// The entry that an account's beat belongs to.
    private func entry(viewer: Int64, device: UUID, named id: Int64?, beat: Beat) throws -> Entry {
        if let id, let named = try sessions.entry(viewer: viewer, id: id)?.entry { return named }
        if let latest = try sessions.latestEntry(viewer: viewer, device: device) { return latest }
        // Before the login it may have been somebody else who sat there.
        let earliest = max(beat.arrival - settings.bridge, try sessions.login(of: device) ?? beat.arrival)
        let start = min(max(beat.earliestClaim ?? beat.arrival, earliest), beat.arrival)
        return try sessions.enter(viewer: viewer, device: device, videoID: nil, at: start)
    }

    private mutating func store(_ content: Beat.Content, of entry: Entry, arrival: Timestamp) throws {
        switch content {
        case .presence(let page):
            let number = try page.map { try contents.number(of: $0, kind: .page) }
            try storeSign(at: arrival, of: entry, pageID: number, videoID: nil)
        case .playback:
            try storeSign(at: arrival, of: entry, pageID: nil, videoID: entry.videoID)
        case .claims(let claims, let sentAt, let interval):
            for claim in claims {
                let segment = Credit.segment(
                    for: claim, sentAt: sentAt, arrival: arrival, earliest: entry.startedAt, interval: interval)
                let page = try segment.page.map { try contents.number(of: $0, kind: .page) }
                let video = try segment.video.map { try contents.number(of: $0, kind: .video) }
                try store(segment, of: entry, pageID: page, videoID: video, arrival: arrival)
            }
        }
    }

    /// Extends the segment of an old script that says nothing but that it is there, or begins the next.
    private mutating func storeSign(at time: Timestamp, of entry: Entry, pageID: Int64?, videoID: Int64?) throws {
        // One stream a page: two tabs that take turns must not cut each other's time into pieces.
        let tab = pageID.map { ":\($0)" } ?? ":"
        // A clock that was set back, even before the entry, loses no beat and gives no time.
        let time = max(time, entry.startedAt)
        var segment = Segment(
            tab: tab, n: 0, start: time, end: time, attention: .active, unsure: settings.interval)
        if let latest = try segments.latest(tab: tab, of: entry) {
            let reaches = time <= latest.end + settings.bridge
            segment.n = reaches ? latest.n : latest.n + 1
            if reaches { segment.start = latest.start }
            segment.end = reaches ? max(latest.end, time) : time
        }
        try store(segment, of: entry, pageID: pageID, videoID: videoID, arrival: time)
    }

    /// Puts a segment where it belongs: into the session that was going on, or one of its own after 30 silent minutes.
    private mutating func store(
        _ segment: Segment, of entry: Entry, pageID: Int64?, videoID: Int64?, arrival: Timestamp
    ) throws {
        guard let found = try sessions.session(of: entry, at: segment.start) else {
            throw DatabaseError.failure("entry \(entry.id) has no session")
        }
        var session = found.session
        let isReached = segment.start <= session.boundary
        let joinsNext = found.next.map { $0 <= segment.end + Session.silence } ?? false
        if !isReached && !joinsNext {
            session = try sessions.open(entry, from: segment.start, to: segment.end)
        }
        let row = try segments.store(
            segment, in: session, of: entry, pageID: pageID, videoID: videoID, arrival: arrival)
        // A beat that was quicker than the one before it moves the row back; nobody noted where its end was.
        let mayHaveMoved = row.beats > 1 && row.start == segment.start && row.end < session.lastSeenAt
        if joinsNext || mayHaveMoved || row.session != session.id {
            let end = max(row.end, segment.end, session.lastSeenAt)
            try regroup(entry, around: min(row.start, session.startedAt)..<end, and: row.session)
        } else {
            try sessions.touch(session, of: entry, at: row.end)
        }
        try markDirty(segment, row: row, viewer: entry.viewer, arrival: arrival)
    }

    /// Groups the segments of an entry's sessions anew.
    /// - Parameters:
    ///   - entry: Whose
    ///   - window: Where something changed
    ///   - id: A session that is looked at wherever it is
    private func regroup(_ entry: Entry, around window: Range<Timestamp>, and id: Int64) throws {
        let found = try sessions.sessions(of: entry, within: window, and: id)
        let members = try found.flatMap { try segments.members(of: $0, of: entry) }
        let first = found.contains { $0.id == entry.id } ? entry : nil
        let grouping = SessionGrouping(members, first: first)
        var kept: Set<Int64> = []
        for group in grouping.groups {
            let id = try group.id ?? sessions.open(entry, from: group.start, to: group.end).id
            kept.insert(id)
            try sessions.update(Session(id: id, startedAt: group.start, lastSeenAt: group.end), of: entry)
            for member in group.members where member.session != id {
                try segments.move(member, to: id, of: entry)
            }
        }
        for session in found where !kept.contains(session.id) { try sessions.remove(session.id, of: entry) }
    }

    private mutating func markDirty(
        _ segment: Segment, row: SegmentQueries.Stored, viewer: Int64, arrival: Timestamp
    ) throws {
        // Where a row was before it moved, no one remembers, but it was not after this beat's arrival.
        let end = row.end > segment.end ? max(row.end, arrival) : row.end
        for day in settings.days.days(touching: row.start..<end) {
            guard dirty.insert(ViewerDay(viewer: viewer, day: day)).inserted else { continue }
            try segments.markDirty(viewer: viewer, day: day)
        }
    }
}

extension Beat {
    /// The earliest start that the beat claims, in server time.
    fileprivate var earliestClaim: Timestamp? {
        guard case .claims(let claims, let sentAt, _) = content, let first = claims.map(\.from).min() else {
            return nil
        }
        return arrival - (sentAt - first)
    }
}
