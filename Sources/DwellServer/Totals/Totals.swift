import DwellAPI

/// What everybody's days add up to, of each page, each video and everything: what reports over all people are read from.
///
/// Derived from daily statistics and sessions, never accumulated: whoever changes these marks the days in the same
/// transaction, and marked days are computed anew; after them the blocks that they lie in. So a crash leaves marks, and
/// nothing wrong that is not marked.
struct Totals: Sendable {
    /// How many are computed at a time: few enough that beats do not wait while they are kept.
    private static let batchSize = 100

    let database: any Database
    let days: LocalDays

    /// Computes what is marked.
    /// - Returns: How many totals were not as they are now
    @discardableResult
    func refresh() async throws -> Int {
        var changed = 0
        while true {
            let found = try await database.read { [days] connection in
                let queries = TotalQueries(connection: connection)
                return try queries.stale(limit: Self.batchSize).map { stale, mark in
                    let computed = try Self.computed(stale, days, queries)
                    return Computed(
                        span: stale, mark: mark, total: computed, isChanged: try queries.total(of: stale) != computed)
                }
            }
            guard !found.isEmpty else { return changed }
            changed += try await keep(found)
        }
    }

    private struct Computed: Sendable {
        let span: ContentSpan
        let mark: Int64
        let total: SpanTotal
        let isChanged: Bool
    }

    private static func computed(_ stale: ContentSpan, _ days: LocalDays, _ queries: TotalQueries) throws -> SpanTotal {
        switch stale.span.length {
        case .day:
            let day = stale.span.number
            return try queries.computed(
                day, of: stale.content, in: stale.content == DayFold.everything ? days.range(of: day) : nil)
        case .block: return try queries.computed(block: stale.span, of: stale.content)
        }
    }

    /// Keeps what was not marked again since it was computed.
    private func keep(_ found: [Computed]) async throws -> Int {
        try await database.write { connection in
            try connection.lock(.statistics)
            let queries = TotalQueries(connection: connection)
            var blocks: Set<ContentSpan> = []
            let changed = try found.count { computed in
                guard try queries.release(computed.span, mark: computed.mark), computed.isChanged else { return false }
                try queries.keep(computed.total, of: computed.span)
                if computed.span.span.length == .day { blocks.insert(computed.span.block) }
                return true
            }
            try queries.markStale(blocks)
            return changed
        }
    }

    /// Computes all of it anew.
    /// - Returns: How many totals were not as they are now
    func recompute() async throws -> Int {
        let all = try await database.read { try TotalQueries(connection: $0).all().sorted() }
        for start in stride(from: 0, to: all.count, by: Self.batchSize) {
            let batch = all[start..<min(start + Self.batchSize, all.count)]
            try await database.write { connection in
                try connection.lock(.statistics)
                try TotalQueries(connection: connection).markStale(batch)
            }
        }
        return try await refresh()
    }

    /// Marks everything that a viewer may be counted in: for who leaves the store, or is not to be counted any more, or
    /// again. It is called while his statistics and sessions are there, inside the transaction that changes it, which holds
    /// ``SQLLock/statistics``.
    static func markStale(daysOf viewer: Int64, _ connection: any DatabaseConnection) throws {
        let queries = TotalQueries(connection: connection)
        try queries.markStale(try queries.days(of: viewer))
    }
}
