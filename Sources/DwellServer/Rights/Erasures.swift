package import DwellAPI
import Foundation
package import Logging
import ServiceLifecycle

/// Erases people: everything that is known of them, in every table, and their part of every total.
///
/// The first transaction takes the name away, ends what they have open, and excludes them; from then on nobody meets
/// them, in no total either. What is left without a name goes in steps, each small enough that beats never wait long, and
/// each noted in the receipt with what it did: whoever goes on after a crash goes on where it ended.
package struct Erasures: Sendable {
    /// How many rows go at a time.
    private static let stepSize = 500
    /// How long the last step waits for what other nodes had in hand, in milliseconds: beats of a login that they remember,
    /// and refusals that wait to be written.
    private static let settling: Int64 = 2000

    private let database: any Database
    private let statistics: Statistics
    private let days: LocalDays
    private let clock: WallClock
    private let logger: Logger

    package init(
        database: any Database, statistics: Statistics, days: LocalDays, clock: WallClock, logger: Logger
    ) {
        self.database = database
        self.statistics = statistics
        self.days = days
        self.clock = clock
        self.logger = logger
    }

    /// Begins to erase a person: no name of theirs is left, and nothing that they have lets anybody in. Asking again
    /// before it is completed gives the same receipt.
    /// - Parameter event: What the audit log calls it
    /// - Throws: ``UnknownPerson``
    package func begin(
        _ person: PersonName, by asker: Asker, as event: AuditEvent = .erasure
    ) async throws -> ErasureReceipt {
        let now = clock.now()
        let receipt: ErasureReceipt = try await database.write { connection in
            try Self.lock(connection)
            let queries = ErasureQueries(connection: connection)
            let viewers = try Self.viewers(of: person, queries)
            if viewers.isEmpty {
                guard let begun = try queries.begun(person) else { throw UnknownPerson() }
                return try queries.required(begun)
            }
            let receipt = ErasureReceipt(
                id: UUID().lowercase, askedTime: now, askedBy: asker.text, removed: [:], completedTime: nil)
            try queries.insert(receipt)
            let names = ErasedNames(connection: connection, time: now)
            let found = try viewers.map { ($0, try names.names(of: $0, among: viewers)) }
            for (viewer, own) in found { try queries.begin(viewer, own, in: receipt.id) }
            for (viewer, own) in found {
                try queries.count(try names.remove(viewer, own.emails), in: receipt.id)
                if try ExclusionQueries(connection: connection).exclude(viewer, reason: "erased", at: now) {
                    try Exclusions.recount(viewer, isCounted: false, connection)
                }
            }
            try AuditLog.write(
                AuditEntry(event, by: .operator, at: now, detail: ["by": asker.text, "receipt": receipt.id]),
                connection)
            return try queries.required(receipt.id)
        }
        try await Totals(database: database, days: days).refresh()
        return receipt
    }

    /// In the order in which all who need several of these take them.
    private static func lock(_ connection: any DatabaseConnection) throws {
        for lock in [SQLLock.erasures, .statistics, .audience] { try connection.lock(lock) }
    }

    /// Who is meant and is not being erased: somebody who came again meanwhile is somebody new.
    private static func viewers(of person: PersonName, _ queries: ErasureQueries) throws -> [Int64] {
        do {
            return try person.viewers(queries.connection).filter { try queries.erasing($0) == nil }
        } catch is UnknownPerson {
            return []
        }
    }

    /// Whether something was begun and not completed.
    package func isWaiting() async throws -> Bool {
        try await database.read { try ErasureQueries(connection: $0).next() != nil }
    }

    /// Completes what was begun.
    /// - Parameter progress: Called with how many rows are gone
    package func complete(progress: @Sendable (Int) -> Void = { _ in }) async throws {
        var gone = 0
        while let next = try await database.read({ try ErasureQueries(connection: $0).next() }) {
            guard let viewer = next.viewer else {
                try await forgetContents(next.erasure)
                continue
            }
            while case let removed = try await step(viewer), removed > 0 {
                gone += removed
                progress(gone)
            }
            let wait = next.askedAt + Self.settling - clock.now()
            // A clock that differs from the one that the receipt was written by must not hold it up.
            try await Self.pause(.milliseconds(max(0, min(wait, Self.settling))))
            try await end(viewer)
        }
    }

    /// Removes some rows of a viewer; then the database is the others' for as long.
    /// - Returns: How many; 0 when there are no more
    private func step(_ viewer: Int64) async throws -> Int {
        let began = ContinuousClock.now
        let removed = try await database.write { connection in
            try connection.lock(.erasures)
            return try Self.remove(viewer, connection)
        }
        guard removed > 0 else { return 0 }
        try await Self.pause(began.duration(to: .now))
        return removed
    }

    private static func pause(_ time: Duration) async throws {
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: time) }
    }

    private static func remove(_ viewer: Int64, _ connection: any DatabaseConnection) throws -> Int {
        let queries = ErasureQueries(connection: connection)
        guard let erasing = try queries.erasing(viewer) else { return 0 }
        let removed = try ErasedRows(connection: connection, erasing: erasing).remove(limit: stepSize)
        try queries.count(removed, in: erasing.erasure)
        return removed.values.reduce(0, +)
    }

    /// Removes what came meanwhile, and the viewer.
    private func end(_ viewer: Int64) async throws {
        try await database.write { connection in
            try Self.lock(connection)
            while try Self.remove(viewer, connection) > 0 {}
            let queries = ErasureQueries(connection: connection)
            guard let erasing = try queries.erasing(viewer) else { return }
            try queries.count(
                try ErasedRows(connection: connection, erasing: erasing).removeViewer(), in: erasing.erasure)
        }
    }

    /// Takes the names of pages and videos away that nobody else has seen: they may tell of whom they were made for. Then
    /// the receipt is complete.
    private func forgetContents(_ erasure: String) async throws {
        try await statistics.aggregate()
        // Looking takes as long as many people are here, so no beat waits for it.
        let unseen = try await database.read { [days] connection in
            try ErasedContents(connection: connection, days: days).unseen(by: erasure)
        }
        for start in stride(from: 0, to: unseen.count, by: Self.stepSize) {
            try await forget(unseen[start..<min(start + Self.stepSize, unseen.count)], erasure)
        }
        let now = clock.now()
        let isCompleted = try await database.write { connection in
            try Self.lock(connection)
            return try ErasureQueries(connection: connection).complete(erasure, at: now)
        }
        if isCompleted { logger.notice("a person was erased", metadata: ["receipt": "\(erasure)"]) }
    }

    private func forget(_ contents: ArraySlice<Int64>, _ erasure: String) async throws {
        let now = clock.now()
        try await database.write { [days] connection in
            try Self.lock(connection)
            let removed = try ErasedContents(connection: connection, days: days).forget(contents)
            if removed > 0 { try Announcements.announce(.content, "", at: now, connection) }
            try ErasureQueries(connection: connection).count(["content": removed], in: erasure)
        }
    }

    /// A receipt; `nil` when there is none of that id.
    package func receipt(_ id: String) async throws -> ErasureReceipt? {
        try await database.read { try ErasureQueries(connection: $0).receipt(id) }
    }

    /// A page of receipts, the latest first.
    /// - Parameter last: Where the page before ended
    package func receipts(after last: LatestCursor = .start, limit: Int) async throws -> ErasurePage {
        // One more than asked for tells whether there is a next page.
        let found = try await database.read { try ErasureQueries(connection: $0).page(after: last, limit: limit + 1) }
        let page = found.prefix(limit)
        return ErasurePage(
            erasures: Array(page),
            nextCursor: found.count > page.count
                ? page.last.map { LatestCursor(at: $0.askedTime, id: $0.id).text } : nil)
    }
}
