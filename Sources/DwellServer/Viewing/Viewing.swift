import DwellAPI
import Foundation

/// A player that plays. Its beats renew it; without them it ends by itself.
struct Viewing: Equatable {
    let player: PlayerKey
    /// Names it to people who want to watch elsewhere.
    let id: UUID
    /// The segment that told of it last: an older one, told late, does not end it. `nil` until one has.
    var n: Int64?
    let startedAt: Timestamp
    var endsAt: Timestamp
    /// When another player took its place; it is kept until this one was told.
    var takenAt: Timestamp?
}

/// Names a player among all.
struct PlayerKey: Hashable, Comparable {
    let tab: TabKey
    let video: String

    /// The order of their rows.
    static func < (left: PlayerKey, right: PlayerKey) -> Bool {
        (left.tab, left.video) < (right.tab, right.video)
    }
}

/// The players of one account, of which so many may play at once.
struct ViewingRoom {
    let limit: Int
    /// What is no longer as it was given.
    private(set) var changed: Set<PlayerKey> = []
    private var viewings: [PlayerKey: Viewing]

    init(limit: Int, _ viewings: [Viewing]) {
        self.limit = limit
        self.viewings = Dictionary(uniqueKeysWithValues: viewings.map { ($0.player, $0) })
    }

    /// How it is with a player now; `nil` when it does not play.
    subscript(player: PlayerKey) -> Viewing? { viewings[player] }

    /// What plays, the one that has played longest first.
    var playing: [Viewing] {
        viewings.values.filter { $0.takenAt == nil }.sorted { ($0.startedAt, $0.player) < ($1.startedAt, $1.player) }
    }

    /// Lets a player play, or go on, until it is heard of again.
    /// - Parameter n: The segment that tells of it
    /// - Returns: Why it must stop; `nil` when it may play
    mutating func play(
        _ player: PlayerKey, n: Int64, at time: Timestamp, until end: Timestamp
    ) -> StoppedPlayer.Reason? {
        removeEnded(at: time)
        if let viewing = viewings[player] {
            // One that goes on is not counted: a lower limit stops nobody.
            guard viewing.takenAt == nil else { return .taken }
            if n < viewing.n ?? 0 { return nil }
        } else if playing.count >= limit {
            return .limit
        }
        start(player, n: n, at: time, until: end)
        return nil
    }

    /// Ends what a player plays.
    /// - Parameter n: The segment that tells of it
    mutating func stop(_ player: PlayerKey, n: Int64) {
        if let last = viewings[player]?.n, n >= last { remove(player) }
    }

    /// Lets a player play in place of others.
    /// - Parameter instead: What shall stop; when it is `nil`, and there is no room, what has played longest does
    /// - Returns: Whether there is room for it now
    mutating func take(_ player: PlayerKey, instead: UUID?, at time: Timestamp, until end: Timestamp) -> Bool {
        removeEnded(at: time)
        let others = playing.filter { $0.player != player }
        let stopping =
            if let instead { others.filter { $0.id == instead } } else {
                Array(others.prefix(max(0, others.count - limit + 1)))
            }
        for viewing in stopping {
            viewings[viewing.player]?.takenAt = time
            changed.insert(viewing.player)
        }
        guard others.count - stopping.count < limit else { return false }
        if viewings[player]?.takenAt != nil { viewings[player] = nil }
        start(player, n: nil, at: time, until: end)
        return true
    }

    private mutating func start(_ player: PlayerKey, n: Int64?, at time: Timestamp, until end: Timestamp) {
        var viewing = viewings[player] ?? Viewing(player: player, id: UUID(), startedAt: time, endsAt: end)
        (viewing.n, viewing.endsAt) = (n, end)
        viewings[player] = viewing
        changed.insert(player)
    }

    private mutating func remove(_ player: PlayerKey) {
        viewings[player] = nil
        changed.insert(player)
    }

    /// What has ended must go before another takes its place: a beat of it that is late would make it one too many.
    private mutating func removeEnded(at time: Timestamp) {
        for viewing in viewings.values where viewing.endsAt <= time { remove(viewing.player) }
    }
}
