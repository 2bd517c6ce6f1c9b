import DwellAPI
import FoundationEssentials
package import Logging

/// Daily statistics: derived from segments, never accumulated.
///
/// Storing a segment marks its viewer's days dirty; aggregation computes dirty days anew. So it may run at any time,
/// any number of times, and late beats count on the day they happened.
package struct Statistics: Sendable {
    /// How many days one transaction computes: few enough that beats never wait long behind it.
    private static let batchSize = 100

    private let database: any Database
    private let days: LocalDays
    private let logger: Logger

    /// - Parameters:
    ///   - database: Where segments and statistics are
    ///   - days: Cuts the days
    ///   - logger: Told what was computed
    package init(database: any Database, days: LocalDays, logger: Logger) {
        self.database = database
        self.days = days
        self.logger = logger
    }

    /// Computes every dirty day.
    /// - Returns: How many (viewer, day) pairs were computed
    @discardableResult
    package func aggregate() async throws -> Int {
        var total = 0
        while true {
            let count = try await database.write { [days] connection in
                let queries = StatisticQueries(connection: connection)
                let dirty = try queries.takeDirty(limit: Self.batchSize)
                for pair in dirty {
                    let segments = try queries.segments(viewer: pair.viewer, in: days.range(of: pair.day))
                    try queries.replace(viewer: pair.viewer, day: pair.day, with: DayFold(segments).totals)
                }
                return dirty.count
            }
            total += count
            if count < Self.batchSize { break }
        }
        if total > 0 { logger.info("statistics computed", metadata: ["days": "\(total)"]) }
        return total
    }

    /// How many accounts there are: the number that the cron trigger answers.
    package func accountCount() async throws -> Int {
        try await database.read { try StatisticQueries(connection: $0).accountCount() }
    }

    /// Makes every day dirty when the statistics were cut in another time zone than the configured one.
    package func adoptTimeZone() async throws {
        let zone = days.timeZone.identifier
        let changed = try await database.write { [days] connection in
            let queries = StatisticQueries(connection: connection)
            let previous = try queries.exchangeTimeZone(zone)
            guard let previous, previous != zone else { return false }
            try queries.removeAll()
            try queries.markAllDirty(days)
            return true
        }
        if changed {
            logger.notice("time zone changed, statistics will be computed anew", metadata: ["zone": "\(zone)"])
        }
    }
}
