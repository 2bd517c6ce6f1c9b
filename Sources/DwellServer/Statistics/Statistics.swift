import DwellAPI
import FoundationEssentials
package import Logging

/// Daily statistics: derived from segments, never accumulated.
///
/// Storing a segment marks its viewer's days dirty; aggregation computes dirty days anew. So it may run at any time,
/// any number of times, and late beats count on the day they happened.
package struct Statistics: Sendable {
    /// How many days are computed at a time: enough that commits do not count, and few enough that beats never wait long
    /// behind them.
    private static let batchSize = 1000
    /// How many are where beats wait for each.
    private static let heldSize = 100

    private let database: any Database
    private let days: LocalDays
    private let rightOfWay: RightOfWay
    private let logger: Logger

    /// - Parameters:
    ///   - database: Where segments and statistics are
    ///   - days: Cuts the days
    ///   - rightOfWay: Has beats go first
    ///   - logger: Told what was computed
    package init(database: any Database, days: LocalDays, rightOfWay: RightOfWay = .free, logger: Logger) {
        self.database = database
        self.days = days
        self.rightOfWay = rightOfWay
        self.logger = logger
    }

    /// Computes every dirty day, once.
    ///
    /// A batch is taken, computed from a snapshot, so that beats go on being stored meanwhile, and kept if no beat came
    /// between; a day that one did stays dirty. While one batch is computed, the one before it is kept and the one after
    /// it taken.
    /// - Returns: How many (viewer, day) pairs were computed
    @discardableResult
    package func aggregate() async throws -> Int {
        let taker = Int64.random(in: 1 ... .max)
        var total = 0
        var computed: Computed = []
        var taken = try await exchange([], after: nil, taker: taker).taken
        while !taken.isEmpty || !computed.isEmpty {
            let start = ContinuousClock.now
            let (batch, done) = (taken, computed)
            async let next = compute(batch)
            let last = batch.last ?? done.last?.0
            let (kept, others) = try await exchange(done, after: last, taker: taker)
            (computed, taken) = (try await next, others)
            total += kept
            try await rightOfWay.pause(after: start.duration(to: .now))
        }
        if total > 0 { logger.info("statistics computed", metadata: ["days": "\(total)"]) }
        return total
    }

    /// What days come to; `nil` for one that can't be computed any more.
    private typealias Computed = [(ViewerDay, [DayFold.Total]?)]

    /// Keeps what was computed, and takes the days after another one, in one transaction.
    private func exchange(
        _ computed: Computed, after last: ViewerDay?, taker: Int64
    ) async throws -> (kept: Int, taken: [ViewerDay]) {
        try await database.write { connection in
            try connection.lock(.statistics)
            let queries = StatisticQueries(connection: connection)
            let kept = try Self.keep(computed, taker: taker, queries)
            return (kept, try queries.takeDirty(after: last, limit: Self.batchSize, taker: taker))
        }
    }

    /// Keeps what was computed, of the days that nothing happened to meanwhile.
    /// - Returns: How many these are
    private static func keep(_ computed: Computed, taker: Int64, _ queries: StatisticQueries) throws -> Int {
        try computed.count { day, totals in
            guard try queries.release(day, takenBy: taker) else { return false }
            if let totals { try queries.replace(viewer: day.viewer, day: day.day, with: totals) }
            return true
        }
    }

    /// Computes days from one snapshot.
    private func compute(_ taken: [ViewerDay]) async throws -> Computed {
        try await database.read { [days] connection in
            let queries = StatisticQueries(connection: connection)
            let folded = try RetentionQueries(connection: connection).foldedBefore()
            return try taken.map { day in
                let window = days.range(of: day.day)
                if try Self.isFolded(viewer: day.viewer, window, before: folded, connection) { return (day, nil) }
                return (day, DayFold(try queries.pieces(of: day.viewer, in: window)).totals)
            }
        }
    }

    /// What computing everything anew found.
    package struct Recomputation: Sendable, Equatable {
        /// How many (viewer, day) pairs there are.
        package var days = 0
        /// How many of them were not as their segments say, and are now.
        package var changed = 0
        /// How many more were left as they are, because segments of them are folded.
        package var folded = 0
    }

    /// Computes every day of every viewer anew. When nothing is wrong and nothing dirty, it changes nothing.
    /// - Parameter progress: Called after each viewer with how many are done, and how many there are
    package func recompute(progress: @Sendable (_ done: Int, _ of: Int) -> Void) async throws -> Recomputation {
        let count = try await database.read { try StatisticQueries(connection: $0).viewerCount() }
        var result = Recomputation()
        var done = 0
        var last: Int64 = 0
        while true {
            let viewers = try await database.read { [last] connection in
                try StatisticQueries(connection: connection).viewers(after: last, limit: Self.batchSize)
            }
            guard let end = viewers.last else { return result }
            for viewer in viewers {
                let part = try await recompute(viewer)
                result.days += part.days
                result.changed += part.changed
                result.folded += part.folded
                done += 1
                progress(done, max(count, done))
            }
            last = end
        }
    }

    /// Computes every day of one viewer anew, a few in each transaction.
    private func recompute(_ viewer: Int64) async throws -> Recomputation {
        let all = try await database.read { [days] connection in
            try StatisticQueries(connection: connection).days(of: viewer, days).sorted()
        }
        var result = Recomputation()
        for start in stride(from: 0, to: all.count, by: Self.heldSize) {
            let batch = all[start..<min(start + Self.heldSize, all.count)]
            let part = try await database.write { [days] connection in
                try connection.lock(.statistics)
                return try Self.recompute(viewer, batch, days, connection)
            }
            result.days += part.days
            result.changed += part.changed
            result.folded += part.folded
        }
        return result
    }

    private static func recompute(
        _ viewer: Int64, _ batch: some Sequence<Int64>, _ days: LocalDays, _ connection: any DatabaseConnection
    ) throws -> Recomputation {
        let queries = StatisticQueries(connection: connection)
        let folded = try RetentionQueries(connection: connection).foldedBefore()
        var result = Recomputation()
        for day in batch {
            let window = days.range(of: day)
            try queries.markClean(viewer: viewer, day: day)
            if try isFolded(viewer: viewer, window, before: folded, connection) {
                result.folded += 1
                continue
            }
            result.days += 1
            let totals = DayFold(try queries.pieces(of: viewer, in: window)).totals
            guard try queries.totals(viewer: viewer, day: day) != totals else { continue }
            try queries.replace(viewer: viewer, day: day, with: totals)
            result.changed += 1
        }
        return result
    }

    /// Whether a viewer's day can't be computed any more.
    private static func isFolded(
        viewer: Int64, _ window: Range<Timestamp>, before folded: Timestamp?, _ connection: any DatabaseConnection
    ) throws -> Bool {
        guard let folded, window.lowerBound < folded else { return false }
        return try RetentionQueries(connection: connection).isFolded(viewer: viewer, within: window)
    }

    /// How many accounts there are: the number that the cron trigger answers.
    package func accountCount() async throws -> Int {
        try await database.read { try StatisticQueries(connection: $0).accountCount() }
    }

    /// Days that can't be cut anew: their segments are folded.
    package struct FoldedInAnotherZone: Error, Equatable {
        /// The time zone that they were cut in.
        package let zone: String
    }

    /// Makes every day dirty when the statistics were cut in another time zone than the configured one.
    /// - Throws: ``FoldedInAnotherZone``
    package func adoptTimeZone() async throws {
        let zone = days.timeZone.identifier
        let changed = try await database.write { [days] connection in
            try connection.lock(.statistics)
            let queries = StatisticQueries(connection: connection)
            let previous = try queries.exchangeTimeZone(zone)
            guard let previous, previous != zone else { return false }
            guard try RetentionQueries(connection: connection).foldedBefore() == nil else {
                throw FoldedInAnotherZone(zone: previous)
            }
            try queries.removeAll()
            try queries.markAllDirty(days)
            return true
        }
        if changed {
            logger.notice("time zone changed, statistics will be computed anew", metadata: ["zone": "\(zone)"])
        }
    }
}
