import DwellAPI
import Foundation

/// Stores beats inside one transaction, with as few statements as the database allows.
struct BeatStore {
    private let settings: BeatSettings
    private let sessions: SessionQueries
    private let retention: RetentionQueries
    private var placer: SegmentPlacer
    private(set) var contents: ContentQueries

    /// A beat whose entry is known.
    private struct Known {
        let beat: Beat
        let entry: Entry

        /// What its segments are called.
        var segmentKeys: [SegmentKey] {
            guard case .claims(let claims, _, _) = beat.content else { return [] }
            return claims.map { SegmentKey(tab: TabKey(entry: entry.key, tab: $0.tab), n: $0.n) }
        }
    }

    init(connection: any DatabaseConnection, settings: BeatSettings) {
        self.settings = settings
        sessions = SessionQueries(connection: connection)
        retention = RetentionQueries(connection: connection)
        placer = SegmentPlacer(connection: connection, days: settings.days)
        contents = ContentQueries(connection: connection, known: settings.contents)
    }

    /// What was refused of them that had not been refused before.
    var refused: RefusedTime { placer.refused }

    /// Stores beats.
    /// - Returns: What became of each, in their order
    mutating func store(_ beats: [Beat]) throws -> [BeatOutcome] {
        // Accounts before entries: in that order everybody locks them.
        let admission = try settings.viewingLimit.flatMap {
            try ViewingAdmission(of: beats, sessions.connection, limit: $0)
        }
        let entries = try sessions.entries(beats.compactMap(\.source.key))
        var outcomes = try beats.map { try outcome(of: $0, entries) }
        if var admission {
            let told = zip(beats, outcomes).map { (beat: $0, entry: $1.entry) }
            for (index, refusal) in try admission.refusals(of: told, interval: settings.interval) {
                outcomes[index].viewing = refusal
            }
        }
        // In the order of the rows: neighbours lie on the same pages of the database.
        try place(
            zip(beats, outcomes).compactMap { beat, outcome in
                outcome.entry.map { Known(beat: beat, entry: $0) }
            }.sorted { $0.entry.key < $1.entry.key })
        return outcomes
    }

    /// Makes an entry for a video, or for time on the platform, as if its first beat came now.
    ///
    /// The earlier entry, if it is this viewer's, is brought up to date and closed first.
    mutating func enter(_ login: Login, video: String?, closing earlier: Int64?, at time: Timestamp) throws -> Entry {
        if let earlier, let entry = try sessions.entry(viewer: login.viewer, id: earlier), entry.closedAt == nil {
            if let latest = try sessions.latest([entry.key])[entry.key], time <= latest.boundary {
                try place([Known(beat: .playback(of: entry, at: time), entry: entry)])
            }
            try sessions.close(entry, at: time)
            if let latest = try sessions.latest([entry.key])[entry.key] {
                try EndedSessionQueries(connection: sessions.connection)
                    .mark([SessionKey(viewer: entry.viewer, id: latest.id)])
            }
        }
        let videoID = try video.map { try contents.number(of: $0, kind: .video) }
        let entry = try sessions.enter(login, videoID: videoID, at: time)
        try place([Known(beat: .playback(of: entry, at: time), entry: entry)])
        return entry
    }

    /// Whether a beat can be stored, and under which entry.
    private mutating func outcome(of beat: Beat, _ entries: [EntryKey: FoundEntry]) throws -> BeatOutcome {
        let found = beat.source.key.flatMap { entries[$0] }
        switch beat.source {
        case .token:
            guard let found else { return .unknownEntry }
            if let (removal, time) = found.removal { return .deviceRemoved(removal, at: time) }
            if let time = found.revokedAt { return .revoked(at: time) }
            return .stored(found.entry)
        case .account:
            return found.map { .stored($0.entry) } ?? .unknownEntry
        case .login(let login, _):
            if let found, found.removal == nil { return .stored(found.entry) }
            return .stored(try entry(of: login, beat: beat))
        }
    }

    /// The entry of an account's beat that names none.
    private mutating func entry(of login: Login, beat: Beat) throws -> Entry {
        if let latest = try sessions.latestEntry(of: login) { return latest }
        // Before the login it may have been somebody else who sat there.
        let earliest = max(beat.arrival - settings.bridge, try sessions.start(of: login) ?? beat.arrival)
        let start = min(max(beat.earliestClaim ?? beat.arrival, earliest), beat.arrival)
        placer.noteStart(of: start, viewer: login.viewer)
        return try sessions.enter(login, videoID: nil, at: start)
    }

    private mutating func place(_ beats: [Known]) throws {
        let folded = try retention.foldedBefore()
        let told = try beats.map { (beat: $0, sign: try sign(in: $0, folded)) }
        try placer.load(
            entries: Set(beats.map(\.entry.key)).sorted(), segments: beats.flatMap(\.segmentKeys),
            tabs: told.compactMap(\.sign?.key))
        for (beat, sign) in told {
            if let sign {
                try placer.place(sign.segment(after: placer.newest(of: sign.key), settings))
            }
            for credited in try claimed(by: beat, folded) { try placer.place(credited) }
        }
        try placer.finish()
    }

    /// What a beat without segments says.
    private mutating func sign(in known: Known, _ folded: Timestamp?) throws -> Sign? {
        // A clock that was set back, even before the entry, loses no beat and gives no time.
        let time = max(known.beat.arrival, known.entry.earliest(folded))
        switch known.beat.content {
        case .presence(let page):
            let number = try page.map { try contents.number(of: $0, kind: .page) }
            return Sign(entry: known.entry, time: time, pageID: number, videoID: nil)
        case .playback:
            return Sign(entry: known.entry, time: time, pageID: nil, videoID: known.entry.videoID)
        case .claims: return nil
        }
    }

    /// The segments that a beat tells of, as credited.
    private mutating func claimed(by known: Known, _ folded: Timestamp?) throws -> [CreditedSegment] {
        guard case .claims(let claims, let sentAt, let interval) = known.beat.content else { return [] }
        return try claims.map { claim in
            let segment = Credit.segment(
                for: claim, sentAt: sentAt, arrival: known.beat.arrival, earliest: known.entry.earliest(folded),
                interval: interval)
            return CreditedSegment(
                entry: known.entry, segment: segment,
                pageID: try segment.page.map { try contents.number(of: $0, kind: .page) },
                videoID: try segment.video.map { try contents.number(of: $0, kind: .video) },
                arrival: known.beat.arrival)
        }
    }
}

/// A beat of an old script that says nothing but that it is there.
private struct Sign {
    let entry: Entry
    let time: Timestamp
    let pageID: Int64?
    let videoID: Int64?

    /// One stream a page: two tabs that take turns must not cut each other's time into pieces.
    var key: TabKey { TabKey(entry: entry.key, tab: pageID.map { ":\($0)" } ?? ":") }

    /// The stream's latest segment, extended to this beat, or the next one.
    func segment(after latest: StoredSegment?, _ settings: BeatSettings) -> CreditedSegment {
        var segment = Segment(
            tab: key.tab, n: 0, start: time, end: time, attention: .active, unsure: settings.interval)
        if let latest {
            let reaches = time <= latest.end + settings.bridge
            segment.n = reaches ? latest.key.n : latest.key.n + 1
            if reaches { segment.start = latest.start }
            segment.end = reaches ? max(latest.end, time) : time
        }
        return CreditedSegment(entry: entry, segment: segment, pageID: pageID, videoID: videoID, arrival: time)
    }
}

extension Entry {
    /// Nothing that happened before is credited: before the entry, or in days that are folded.
    fileprivate func earliest(_ folded: Timestamp?) -> Timestamp { max(startedAt, folded ?? startedAt) }
}

extension Beat.Source {
    /// The entry that it names.
    fileprivate var key: EntryKey? {
        switch self {
        case .token(let viewer, let entry), .account(let viewer, let entry): EntryKey(viewer: viewer, entry: entry)
        case .login(let login, let entry): entry.map { EntryKey(viewer: login.viewer, entry: $0) }
        }
    }
}

extension Beat {
    fileprivate static func playback(of entry: Entry, at time: Timestamp) -> Beat {
        Beat(source: .account(viewer: entry.viewer, entry: entry.id), arrival: time, content: .playback)
    }

    /// The earliest start that the beat claims, in server time.
    fileprivate var earliestClaim: Timestamp? {
        guard case .claims(let claims, let sentAt, _) = content, let first = claims.map(\.from).min() else {
            return nil
        }
        return arrival - (sentAt - first)
    }
}
