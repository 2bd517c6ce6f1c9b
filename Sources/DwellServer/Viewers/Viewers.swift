package import DwellAPI

/// Finds people, and tells what they did.
package struct Viewers: Sendable {
    /// How many names one look goes through in search of a page's people: some have two that begin alike.
    private static let names = 3

    private let database: any Database
    private let days: LocalDays

    package init(database: any Database, days: LocalDays) {
        self.database = database
        self.days = days
    }

    /// A page of people: the newest first, or those whose email or username begins somehow, in the
    /// order of these.
    /// - Parameters:
    ///   - text: How it begins; empty for everybody
    ///   - cursor: Where the page before ended
    ///   - limit: The most people of the page
    /// - Throws: ``InvalidField`` named `q` or `cursor`
    package func list(_ text: String, after cursor: ViewerCursor? = nil, limit: Int) async throws -> ViewerPage {
        let search = try ViewerSearch(text)
        // A cursor of another list would begin anywhere.
        guard cursor.map({ ($0.name == nil) == (search == nil) }) ?? true else {
            throw InvalidField("cursor", expected: "the nextCursor of the page before, with the same q")
        }
        return try await database.read { connection in
            let queries = ViewerQueries(connection: connection)
            let (ids, next) =
                if let search { try Self.found(search, after: cursor, limit: limit, queries) } else {
                    try Self.newest(before: cursor?.id ?? .max, limit: limit, queries)
                }
            return ViewerPage(viewers: try queries.summaries(of: ids), nextCursor: next?.text)
        }
    }

    private static func newest(
        before id: Int64, limit: Int, _ queries: ViewerQueries
    ) throws -> (ids: [Int64], next: ViewerCursor?) {
        // One more than asked for tells whether there is a next page.
        let found = try queries.newest(before: id, limit: limit + 1)
        let page = Array(found.prefix(limit))
        return (page, found.count > page.count ? page.last.map { ViewerCursor(id: $0) } : nil)
    }

    /// Pages may have fewer people than asked for, and still a next one.
    private static func found(
        _ search: ViewerSearch, after cursor: ViewerCursor?, limit: Int, _ queries: ViewerQueries
    ) throws -> (ids: [Int64], next: ViewerCursor?) {
        let count = limit * names
        let found = try queries.names(search, after: cursor, limit: count + 1)
        var page: [Int64] = []
        for (index, name) in found.prefix(count).enumerated() where !name.isAgain {
            page.append(name.id)
            guard page.count == limit else { continue }
            let isLast = found[(index + 1)...].allSatisfy(\.isAgain) && found.count <= count
            return (page, isLast ? nil : ViewerCursor(name: name.name, id: name.id))
        }
        let next = found.count > count ? found.prefix(count).last : nil
        return (page, next.map { ViewerCursor(name: $0.name, id: $0.id) })
    }

    /// The numbers of the people that names mean: one email may be a guest's and an account's.
    func numbers(email: String?, username: String?) async throws -> [Int64] {
        try await database.read {
            try ReportQueries(connection: $0).viewers(email: email, username: username) ?? []
        }
    }

    /// What people's time comes to, in the order of the numbers; those that are nobody's are left out.
    func summaries(of ids: [Int64]) async throws -> [ViewerSummary] {
        try await database.read { try ViewerQueries(connection: $0).summaries(of: ids) }
    }

    /// A person's days, those of the days asked for; `nil` when there is nobody of this number.
    package func days(of id: Int64, _ range: ClosedRange<Int64>) async throws -> ViewerDays? {
        try await database.read { connection in
            let queries = ViewerQueries(connection: connection)
            guard let viewer = try queries.viewer(id) else { return nil }
            return ViewerDays(viewer: viewer, days: Self.totals(try queries.days(of: [id], range)))
        }
    }

    /// The days of people, together.
    func days(of ids: [Int64], _ range: ClosedRange<Int64>) async throws -> [ViewerDayTotal] {
        try await database.read { Self.totals(try ViewerQueries(connection: $0).days(of: ids, range)) }
    }

    private static func totals(_ days: [Int64: ContentMeasures]) -> [ViewerDayTotal] {
        days.sorted { $0.key < $1.key }.map { ViewerDayTotal(day: LocalDays.date(of: $0.key), total: $0.value) }
    }

    /// The days nearest to one on which any of some people was seen.
    func neighbours(of day: Int64, _ ids: [Int64]) async throws -> (before: Int64?, after: Int64?) {
        let found = try await database.read { connection in
            try ids.map { try ViewerQueries(connection: connection).neighbours(of: day, $0) }
        }
        return (found.compactMap(\.before).max(), found.compactMap(\.after).min())
    }

    /// A person's day; `nil` when there is nobody of this number.
    ///
    /// Its total is what the day's statistic is, once that is computed.
    package func timeline(of id: Int64, day: Int64) async throws -> ViewerTimeline? {
        let window = days.range(of: day)
        return try await database.read { connection in
            guard let viewer = try ViewerQueries(connection: connection).viewer(id) else { return nil }
            let queries = TimelineQueries(connection: connection)
            let parts = try queries.parts(of: id, in: window)
            let folded = try queries.foldedSessions(of: id, in: window)
            // What is folded is in the statistic alone; it was computed before.
            let kept =
                folded == 0 ? nil : try ViewerQueries(connection: connection).days(of: [id], day...day)[day]
            return ViewerTimeline(
                viewer: viewer, day: LocalDays.date(of: day), start: window.lowerBound, end: window.upperBound,
                total: kept ?? ContentMeasures(DayFold(parts.map(\.piece)).total), foldedSessions: folded,
                segments: parts.map(\.segment))
        }
    }
}

extension ContentMeasures {
    fileprivate init(_ total: DayFold.Total) {
        self.init(
            visibleMs: total.visible, visibleErrorMs: total.visibleError, engagedMs: total.engaged,
            engagedErrorMs: total.engagedError, rawMs: total.raw)
    }
}
