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
                let stale = try queries.stale(limit: Self.batchSize)
                let computed = try Self.computed(stale.map(\.0), days, queries)
                let kept = try queries.kept(stale.map(\.0))
                return stale.indices.map { index in
                    Computed(
                        span: stale[index].0, mark: stale[index].mark, total: computed[index],
                        isChanged: kept[index] != computed[index])
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

    /// What spans come to, days before blocks.
    private static func computed(
        _ stale: [ContentSpan], _ days: LocalDays, _ queries: TotalQueries
    ) throws -> [SpanTotal] {
        let single = stale.prefix { $0.span.length == .day }
        var totals = try queries.computed(days: Array(single))
        for (index, day) in single.enumerated() where day.content == DayFold.everything {
            totals[index].sessions = try queries.sessions(in: days.range(of: day.span.number))
        }
        // Of days that wait no block is right: it is marked again when they are kept.
        return try totals
            + stale.dropFirst(single.count).map { try queries.computed(block: $0.span, of: $0.content) }
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
        let all = try await database.read { try SpanQueries(connection: $0).all().sorted() }
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
    /// again. It is called while their statistics and sessions are there, inside the transaction that changes it, which holds
    /// ``SQLLock/statistics``.
    static func markStale(daysOf viewer: Int64, _ connection: any DatabaseConnection) throws {
        try TotalQueries(connection: connection).markStale(try SpanQueries(connection: connection).days(of: viewer))
    }
}
