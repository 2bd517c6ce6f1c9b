package import DwellAPI
import Foundation
package import Logging
internal import ServiceLifecycle
import Synchronization

/// Notes who got in, who did not, and what operators did.
///
/// What succeeds is written in the transaction that does it. Refusals change nothing, so they have none: they are written
/// together, once a second, and a flood of guesses is no flood of transactions.
package final class AuditLog: Service {
    /// How many refusals wait at most.
    private static let waitingLimit = 1000
    /// How often what was left out is counted in a line, in milliseconds.
    private static let countEvery: Int64 = 60_000

    private struct State {
        var waiting: [AuditEntry] = []
        var leftOut = 0
        var countedAt: Timestamp?
    }

    private let database: any Database
    private let clock: WallClock
    /// How long lines are kept, in milliseconds.
    private let kept: Int64
    private let logger: Logger
    private let state = Mutex(State())

    package init(database: any Database, clock: WallClock, kept: Int64, logger: Logger) {
        self.database = database
        self.clock = clock
        self.kept = kept
        self.logger = logger
    }

    /// Notes what happened, in the transaction in which it happens.
    static func write(_ entry: AuditEntry, _ connection: any DatabaseConnection) throws {
        try AuditQueries(connection: connection).insert(entry)
    }

    /// Notes a refusal, in a moment.
    func note(_ entry: AuditEntry) {
        state.withLock { state in
            if state.waiting.count < Self.waitingLimit { state.waiting.append(entry) } else { state.leftOut += 1 }
        }
    }

    /// Counts a refusal that is like the one before.
    func leaveOut() {
        state.withLock { $0.leftOut += 1 }
    }

    /// Writes until a graceful stop, and then what is left.
    package func run() async throws {
        var isAway = false
        while await second() {
            do {
                try await writeWaiting()
                isAway = false
            } catch {
                if !isAway { logger.error("audit log not written", metadata: ["cause": "\(error)"]) }
                isAway = true
            }
        }
        try? await writeWaiting(isLast: true)
    }

    /// Writes the refusals that wait.
    /// - Parameter isLast: Whether what was left out is counted at once
    func writeWaiting(isLast: Bool = false) async throws {
        let now = clock.now()
        let (entries, leftOut) = state.withLock { state in
            let isTime = isLast || state.countedAt.map { now - $0 >= Self.countEvery } ?? true
            let count = isTime ? state.leftOut : 0
            let entries = state.waiting
            if count > 0 {
                state.leftOut = 0
                state.countedAt = now
            }
            state.waiting = []
            return (entries, count)
        }
        guard !entries.isEmpty || leftOut > 0 else { return }
        do {
            try await database.write { connection in
                for entry in entries { try Self.write(entry, connection) }
                guard leftOut > 0 else { return }
                try Self.write(
                    AuditEntry(.leftOut, .denied, by: .system, at: now, detail: ["count": "\(leftOut)"]), connection)
            }
        } catch {
            // They wait for the store to come back, as many as there is room for.
            state.withLock { state in
                let room = max(0, Self.waitingLimit - state.waiting.count)
                state.waiting.insert(contentsOf: entries.prefix(room), at: 0)
                state.leftOut += leftOut + max(0, entries.count - room)
            }
            throw error
        }
    }

    /// The lines of a time, the latest first.
    /// - Parameters:
    ///   - time: From then on
    ///   - event: Only these
    ///   - user: Only those about the account of this username, or whoever was called so
    package static func entries(
        in database: any Database, since time: Timestamp, event: AuditEvent? = nil, user: String? = nil
    ) async throws -> [AuditRecord] {
        try await database.read { connection in
            let account = try user.flatMap { try AccountQueries(connection: connection).account(username: $0)?.id }
            return try AuditQueries(connection: connection)
                .entries(since: time, event: event, account: account, subject: user)
        }
    }

    /// A page of lines, the latest first.
    /// - Parameters:
    ///   - last: Where the page before ended
    ///   - limit: The most lines of the page
    package static func page(
        in database: any Database, after last: LatestCursor, limit: Int
    ) async throws -> (records: [AuditRecord], next: LatestCursor?) {
        // One more than asked for tells whether there is a next page.
        let found = try await database.read { try AuditQueries(connection: $0).page(after: last, limit: limit + 1) }
        let page = Array(found.prefix(limit))
        return (page, found.count > page.count ? page.last?.cursor : nil)
    }

    /// Forgets lines that are past their time.
    func removeOld() async throws {
        let limit = clock.now() - kept
        try await database.write { try AuditQueries(connection: $0).removeOld(before: limit) }
    }

    /// - Returns: Whether it went by without a stop
    private func second() async -> Bool {
        do {
            try await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
            return !Task.isCancelled
        } catch {
            return false
        }
    }
}
