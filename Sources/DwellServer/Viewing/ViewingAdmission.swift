import DwellAPI
import Foundation

/// The one way to play. Whoever lets players play does it here inside a transaction, with their accounts' rows locked:
/// whatever races, what an account plays is counted and added to by one transaction at a time.
struct ViewingAdmission {
    private let queries: ViewingQueries
    private var rooms: [Int64: ViewingRoom]

    /// - Parameters:
    ///   - viewers: Whose players are meant; their accounts' rows are locked
    ///   - limit: How many videos an account may play at once that has no limit of its own
    init(of viewers: Set<Int64>, _ connection: any DatabaseConnection, limit: Int) throws {
        queries = ViewingQueries(connection: connection)
        let limits = try queries.limits(of: viewers.sorted())
        guard !limits.isEmpty else {
            rooms = [:]
            return
        }
        let viewings = Dictionary(
            grouping: try queries.viewings(of: limits.keys.sorted()), by: \.player.tab.entry.viewer)
        rooms = Dictionary(
            uniqueKeysWithValues: limits.map { viewer, own in
                (viewer, ViewingRoom(limit: own ?? limit, viewings[viewer] ?? []))
            })
    }

    /// Notes what a beat tells of its players.
    /// - Parameters:
    ///   - players: Each with the last segment that tells of it
    ///   - end: Until when they play if nothing is heard of them
    /// - Returns: Those that must stop
    mutating func note(
        _ players: [PlayerKey: SegmentClaim], of viewer: Int64, at time: Timestamp, until end: Timestamp
    ) -> [StoppedPlayer] {
        // What stops makes room for what begins.
        for (player, claim) in players where claim.end != nil { rooms[viewer]?.stop(player, n: claim.n) }
        return players.sorted { $0.key < $1.key }.filter { $0.value.end == nil }.compactMap { player, claim in
            rooms[viewer]?.play(player, n: claim.n, at: time, until: end).map {
                StoppedPlayer(tab: player.tab.tab, video: player.video, reason: $0)
            }
        }
    }

    /// Lets a player play in place of another.
    /// - Returns: Those that must stop: itself, when there was no room
    mutating func take(
        _ player: PlayerKey, instead: UUID?, at time: Timestamp, until end: Timestamp
    ) -> [StoppedPlayer] {
        let isIn = rooms[player.tab.entry.viewer]?.take(player, instead: instead, at: time, until: end)
        return isIn ?? true ? [] : [StoppedPlayer(tab: player.tab.tab, video: player.video, reason: .limit)]
    }

    /// Writes what changed.
    func finish() throws {
        let changed = rooms.values.flatMap { room in room.changed.map { (player: $0, viewing: room[$0]) } }
        try queries.save(changed.compactMap(\.viewing).sorted { $0.player < $1.player })
        try queries.remove(changed.filter { $0.viewing == nil }.map(\.player).sorted())
    }

    /// What is answered when players must stop, once everything is written.
    /// - Returns: `nil` when none must
    func refusal(_ stopped: [StoppedPlayer], of viewer: Int64, at time: Timestamp) throws -> ViewingRefusal? {
        guard !stopped.isEmpty, let limit = rooms[viewer]?.limit else { return nil }
        return ViewingRefusal(
            limit: limit, stopped: stopped, playing: try queries.playing(by: viewer, at: time))
    }
}

extension ViewingAdmission {
    /// For the players that beats tell of.
    /// - Returns: `nil` when they tell of none: then the database is not asked
    init?(of beats: [Beat], _ connection: any DatabaseConnection, limit: Int) throws {
        let viewers = Set(beats.filter(\.tellsOfPlayers).map(\.source.viewer))
        if viewers.isEmpty { return nil }
        try self.init(of: viewers, connection, limit: limit)
    }

    /// Notes what beats tell of their players.
    /// - Parameters:
    ///   - beats: Each with the entry that it is stored under
    ///   - interval: The longest that a client can be away and still play, in milliseconds
    /// - Returns: What is answered to those of whose players some must stop, by their places
    mutating func refusals(
        of beats: [(beat: Beat, entry: Entry?)], interval: Int64
    ) throws -> [Int: ViewingRefusal] {
        var stopped: [Int: [StoppedPlayer]] = [:]
        for (index, (beat, entry)) in beats.enumerated() {
            guard let news = entry.flatMap({ PlayerNews(beat, entry: $0, interval: interval) }) else { continue }
            stopped[index] = note(news.players, of: beat.source.viewer, at: beat.arrival, until: news.end)
        }
        try finish()
        var refusals: [Int: ViewingRefusal] = [:]
        for (index, stopped) in stopped {
            let beat = beats[index].beat
            refusals[index] = try refusal(stopped, of: beat.source.viewer, at: beat.arrival)
        }
        return refusals
    }
}

extension Beat {
    fileprivate var tellsOfPlayers: Bool {
        guard case .claims(let claims, _, _) = content else { return false }
        return claims.contains { $0.video != nil }
    }
}

/// What a beat tells of players.
private struct PlayerNews {
    /// When they end if nothing is heard of them: after twice the time that is to pass until the next beat.
    let end: Timestamp
    /// Each with the last segment that tells of it: it plays if that is open.
    let players: [PlayerKey: SegmentClaim]

    /// - Returns: `nil` when there are none
    init?(_ beat: Beat, entry: Entry, interval: Int64) {
        guard case .claims(let claims, _, let pause) = beat.content, beat.tellsOfPlayers else { return nil }
        var players: [PlayerKey: SegmentClaim] = [:]
        for claim in claims {
            guard let video = claim.video else { continue }
            let player = PlayerKey(tab: TabKey(entry: entry.key, tab: claim.tab), video: video)
            if players[player].map({ $0.n < claim.n }) ?? true { players[player] = claim }
        }
        end = beat.arrival + 2 * min(pause, interval)
        self.players = players
    }
}
