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
    /// - Returns: The session that it ended in, which differs from the one it named when that had fallen silent;
    ///   `nil` when it names none that exists
    mutating func store(_ beat: Beat) throws -> Session? {
        guard let named = try session(of: beat) else { return nil }
        switch beat.content {
        case .presence(let page):
            let number = try page.map { try contents.number(of: $0, kind: .page) }
            return try storeSign(at: beat.arrival, from: named, pageID: number, videoID: nil)
        case .playback:
            return try storeSign(at: beat.arrival, from: named, pageID: nil, videoID: named.videoID)
        case .claims(let body):
            return try storeClaims(body, arrival: beat.arrival, from: named)
        }
    }

    /// Opens a session for a video, or for time on the platform, as if its first beat came now.
    ///
    /// The earlier session, if it is this viewer's, is brought up to date and closed first.
    mutating func openSession(
        viewer: Int64, device: UUID, video: String?, earlier: Int64?, at time: Timestamp
    ) throws -> Session {
        if let earlier, let named = try sessions.session(viewer: viewer, id: earlier), named.closedAt == nil {
            if time <= named.boundary {
                _ = try storeSign(at: time, from: named, pageID: nil, videoID: named.videoID)
            }
            try sessions.close(named)
        }
        let videoID = try video.map { try contents.number(of: $0, kind: .video) }
        let session = try sessions.open(
            viewer: viewer, device: device, videoID: videoID,
            continues: try earlier.flatMap { try tail(of: $0, viewer) },
            at: time)
        return try storeSign(at: time, from: session, pageID: nil, videoID: videoID)
    }

    /// The last session of the chain that a session is part of; `nil` when the viewer has no such session.
    private func tail(of id: Int64, _ viewer: Int64) throws -> Int64? {
        guard var last = try sessions.session(viewer: viewer, id: id) else { return nil }
        while let next = try sessions.successor(of: last) { last = next }
        return last.id
    }

    /// The session that a beat names. An account's beat that names none gets its device's session, or a new one.
    private func session(of beat: Beat) throws -> Session? {
        switch beat.source {
        case .session(let viewer, let id):
            return try sessions.session(viewer: viewer, id: id)
        case .device(let viewer, let device, let id):
            if let id, let session = try sessions.session(viewer: viewer, id: id) { return session }
            if let session = try sessions.latestSession(viewer: viewer, device: device) { return session }
            // Before the login it may have been somebody else who sat there.
            let earliest = max(beat.arrival - settings.bridge, try sessions.login(of: device) ?? beat.arrival)
            let start = min(max(beat.earliestClaim ?? beat.arrival, earliest), beat.arrival)
            return try sessions.open(viewer: viewer, device: device, videoID: nil, continues: nil, at: start)
        }
    }

    private mutating func storeSign(
        at time: Timestamp, from named: Session, pageID: Int64?, videoID: Int64?
    ) throws -> Session {
        let session = try self.session(at: time, from: named)
        // One stream a page: two tabs that take turns must not cut each other's time into pieces.
        let tab = pageID.map { ":\($0)" } ?? ":"
        var segment = Segment(tab: tab, n: 0, start: time, end: time, attention: .active)
        if let latest = try segments.latest(tab: tab, in: session) {
            // A clock that was set back loses no beat and gives no time.
            let reaches = time <= latest.end + settings.bridge
            segment.n = reaches ? latest.n : latest.n + 1
            if reaches { segment.start = latest.start }
            segment.end = reaches ? max(latest.end, time) : time
        }
        try store(segment, in: session, pageID: pageID, videoID: videoID, arrival: time)
        try sessions.touch(session, at: segment.end)
        return session
    }

    private mutating func storeClaims(
        _ body: BeatBody, arrival: Timestamp, from named: Session
    ) throws -> Session {
        var latest = named
        let claimed = body.segments
            .map { Credit.segment(for: $0, sentAt: body.sentAt, arrival: arrival) }
            .sorted { $0.start < $1.start }
        for segment in claimed {
            let session = try self.session(at: min(segment.start, arrival), from: latest)
            let credited = Credit.clip(segment, sessionStart: session.startedAt, arrival: arrival)
            let page = try credited.page.map { try contents.number(of: $0, kind: .page) }
            let video = try credited.video.map { try contents.number(of: $0, kind: .video) }
            try store(credited, in: session, pageID: page, videoID: video, arrival: arrival)
            try sessions.touch(session, at: credited.end)
            if session.id >= latest.id {
                latest = session
                latest.lastSeenAt = max(session.lastSeenAt, credited.end)
            }
        }
        return latest
    }

    private mutating func store(
        _ segment: Segment, in session: Session, pageID: Int64?, videoID: Int64?, arrival: Timestamp
    ) throws {
        let row = try segments.store(segment, in: session, pageID: pageID, videoID: videoID)
        guard !row.isEmpty else { return }
        // A claim that moved the start of a longer row moved its end as well: where to, no one remembers, but it was
        // not after this beat's arrival.
        let touched = row.upperBound > segment.end ? row.lowerBound..<max(row.upperBound, arrival) : row
        for day in settings.days.days(touching: touched) {
            guard dirty.insert(ViewerDay(viewer: session.viewer, day: day)).inserted else { continue }
            try segments.markDirty(viewer: session.viewer, day: day)
        }
    }

    /// The session of the chain that a moment belongs to: `session` itself, one before it when the moment is older,
    /// or one after it when it is past the silence. What no session reaches opens one of its own.
    private func session(at time: Timestamp, from session: Session) throws -> Session {
        var session = session
        while time < session.startedAt, let id = session.continues,
            let earlier = try sessions.session(viewer: session.viewer, id: id)
        {
            if time > earlier.boundary { return try sessions.open(at: time, between: earlier, and: session) }
            session = earlier
        }
        while time > session.boundary {
            guard let next = try sessions.successor(of: session) else {
                return try sessions.open(at: time, after: session)
            }
            if time < next.startedAt { return try sessions.open(at: time, between: session, and: next) }
            session = next
        }
        return session
    }
}

extension Beat {
    /// The earliest start that the beat claims, in server time.
    fileprivate var earliestClaim: Timestamp? {
        guard case .claims(let body) = content, let first = body.segments.map(\.from).min() else { return nil }
        return arrival - (body.sentAt - first)
    }
}
