import DwellAPI
import Foundation
package import Logging
internal import ServiceLifecycle
import Synchronization

/// What every node must know at once, so that it may remember the rest: a device that was removed.
///
/// An announcement is a row, written in the transaction that it tells of, so it can't be lost. The database says that
/// there is news; whether or not it does, the rows are read twice a second.
package final class Announcements: Service {
    /// What changed.
    package enum Topic: String, Sendable, SQLConvertible {
        /// A device was removed; the key is its UUID.
        case device
        /// A visitor was kept out of a gate, or let in again; the key is the email.
        case visitor
        /// Pages or videos have lost their names.
        case content
    }

    /// How often rows are read at least.
    private static let pause = Duration.milliseconds(500)
    /// How long ago the last reading may be while what is remembered holds.
    private static let patience = Duration.milliseconds(1000)
    /// How far back each reading looks, in milliseconds: transactions end in another order than they began.
    private static let window: Int64 = 60_000

    private let database: any Database
    private let clock: WallClock
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var handlers: [@Sendable (Topic, String) -> Void] = []
        var known: Set<UUID> = []
        var readAt: ContinuousClock.Instant?
    }

    package init(database: any Database, clock: WallClock, logger: Logger) {
        self.database = database
        self.clock = clock
        self.logger = logger
    }

    /// Tells all nodes, once the transaction is committed.
    static func announce(
        _ topic: Topic, _ key: String, at time: Timestamp, _ connection: any DatabaseConnection
    ) throws {
        try connection.execute(
            "INSERT INTO announcement (id, topic, key, made_at) VALUES ($1, $2, $3, $4)",
            [UUID(), topic, key, time])
        try connection.notify()
    }

    /// Tells this node at once; the others hear of the row.
    func tellHere(_ topic: Topic, _ key: String) {
        for handler in state.withLock({ $0.handlers }) { handler(topic, key) }
    }

    /// Calls a handler with every announcement from now on. It must be quick.
    func onNews(_ handler: @escaping @Sendable (Topic, String) -> Void) {
        state.withLock { $0.handlers.append(handler) }
    }

    /// Whether all that was announced up to a moment ago is known here.
    var isCurrent: Bool {
        guard let readAt = state.withLock({ $0.readAt }) else { return false }
        return readAt.duration(to: .now) < Self.patience
    }

    /// Reads until a graceful stop.
    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            var isAway = false
            while !Task.isCancelled {
                do {
                    try await read()
                    isAway = false
                    try await database.waitForNews(Self.pause)
                } catch is CancellationError {
                    return
                } catch {
                    // What is remembered does not hold meanwhile: everybody asks the database, and hears that it is away.
                    if !isAway { logger.error("announcements not read", metadata: ["cause": "\(error)"]) }
                    isAway = true
                    try? await Task.sleep(for: Self.pause)
                }
            }
        }
    }

    /// Forgets announcements that every node has read.
    func removeOld() async throws {
        let limit = clock.now() - 10 * Self.window
        try await database.write { try $0.execute("DELETE FROM announcement WHERE made_at < $1", [limit]) }
    }

    private func read() async throws {
        let began = ContinuousClock.now
        let since = clock.now() - Self.window
        let rows = try await database.read { connection in
            try connection.rows("SELECT id, topic, key FROM announcement WHERE made_at > $1", [since])
        }
        let found = try rows.map { row in
            (id: try row["id"] as UUID, topic: try row["topic"] as Topic, key: try row["key"] as String)
        }
        let (handlers, fresh) = state.withLock { state in
            let fresh = found.filter { !state.known.contains($0.id) }
            state.known = Set(found.map(\.id))
            return (state.handlers, fresh)
        }
        for news in fresh { for handler in handlers { handler(news.topic, news.key) } }
        state.withLock { $0.readAt = began }
    }
}
