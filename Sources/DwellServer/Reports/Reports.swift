package import DwellAPI

/// Reads back who spent how long on what.
package struct Reports: Sendable {
    /// Whom, and which days, a report is about; everything when empty.
    package struct Scope: Sendable {
        package var email: String?
        package var username: String?
        /// The first day and the last, both included.
        package var firstDay: Int64?
        package var lastDay: Int64?

        package init(email: String? = nil, username: String? = nil, firstDay: Int64? = nil, lastDay: Int64? = nil) {
            self.email = email
            self.username = username
            self.firstDay = firstDay
            self.lastDay = lastDay
        }
    }

    private let database: any Database
    private let days: LocalDays
    private let clock: WallClock

    /// - Parameters:
    ///   - database: What to read
    ///   - days: The time zone's days
    ///   - clock: Decides which sessions are still open
    package init(database: any Database, days: LocalDays, clock: WallClock) {
        self.database = database
        self.days = days
        self.clock = clock
    }

    /// A page of sessions, the newest first, each with its measures.
    package func sessions(_ filter: SessionFilter) async throws -> SessionPage {
        let now = clock.now()
        return try await database.read { connection in
            let queries = ReportQueries(connection: connection)
            // One more than asked for tells whether there is a next page.
            let found = try queries.sessions(filter, limit: filter.limit + 1)
            let page = found.prefix(filter.limit)
            let records = try page.map { listed in
                listed.record(try queries.fold(listed), now: now)
            }
            let last = found.count > page.count ? page.last : nil
            return SessionPage(
                sessions: records,
                nextCursor: last.map { SessionCursor(startedAt: $0.startedAt, id: $0.id).text })
        }
    }

    /// A session and everything that its figures rest on; `nil` when there is none of that number.
    package func evidence(session id: Int64) async throws -> SessionEvidence? {
        let now = clock.now()
        return try await database.read { connection in
            let queries = ReportQueries(connection: connection)
            guard let listed = try queries.session(id) else { return nil }
            let fold = try queries.fold(listed)
            let evidence = EvidenceQueries(connection: connection)
            return SessionEvidence(
                session: listed.record(fold, now: now), segments: try evidence.segments(of: listed),
                visible: fold.time.visible, devices: try evidence.devices(of: listed))
        }
    }

    /// What each person did in all, the most engaged first. Statistics must have been computed before.
    package func totals(_ scope: Scope) async throws -> [ViewerTotal] {
        let from = scope.firstDay.map { days.range(of: $0).lowerBound }
        let to = scope.lastDay.map { days.range(of: $0).upperBound }
        return try await database.read { try ReportQueries(connection: $0).totals(scope, from: from, to: to) }
    }

    /// What each day brought, the latest first. Statistics must have been computed before.
    package func days(_ scope: Scope) async throws -> [DayTotal] {
        try await database.read { try ReportQueries(connection: $0).days(scope) }
    }

    /// What each video brought, the most engaging first. Statistics must have been computed before.
    package func videos(_ scope: Scope) async throws -> [VideoTotal] {
        try await database.read { try ReportQueries(connection: $0).videos(scope) }
    }
}
