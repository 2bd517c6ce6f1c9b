import DwellAPI
import Foundation

/// Moves the right to play from one player of an account to another.
struct Viewings: Sendable {
    let database: any Database
    let settings: BeatSettings
    let clock: WallClock
    /// How many videos an account may play at once that has no limit of its own.
    let limit: Int

    /// Lets a player play in place of another.
    /// - Parameter instead: What shall stop; when it is `nil`, and there is no room, what has played longest does
    /// - Throws: ``ViewingError/limitReached(_:)`` when there is no room nevertheless; what was to stop does
    func take(_ player: PlayerKey, instead: UUID?) async throws {
        let now = clock.now()
        let refusal = try await database.write { [settings, limit] connection in
            let viewer = player.tab.entry.viewer
            var admission = try ViewingAdmission(of: [viewer], connection, limit: limit)
            let stopped = admission.take(player, instead: instead, at: now, until: now + 2 * settings.playerInterval)
            try admission.finish()
            return try admission.refusal(stopped, of: viewer, at: now)
        }
        if let refusal { throw ViewingError.limitReached(refusal) }
    }

    /// Forgets players that were not heard of again.
    func removeEnded() async throws {
        let now = clock.now()
        try await database.write { try ViewingQueries(connection: $0).removeEnded(at: now) }
    }
}

/// Why a player may not play.
enum ViewingError: Error, Equatable {
    /// The account plays as many videos as it may.
    case limitReached(ViewingRefusal)
}
