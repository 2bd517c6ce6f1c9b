package import DwellAPI
package import Foundation

/// Reads back who spent how long on what.
package struct Reports: Sendable {
    /// Whom, and which days, a report is about; everything when empty.
    package struct Scope: Sendable {
        package var email: String?
        package var username: String?
        /// A device of an account; its figures are made of segments, see ``Reports/overview(_:from:through:of:)``.
        package var device: UUID?
        /// The first day and the last, both included.
        package var firstDay: Int64?
        package var lastDay: Int64?

        package init(email: String? = nil, username: String? = nil, firstDay: Int64? = nil, lastDay: Int64? = nil) {
            self.email = email
            self.username = username
            self.firstDay = firstDay
            self.lastDay = lastDay
        }

        /// Whether it is about everybody: what they add up to is kept, see ``Totals``.
        var isOfAll: Bool { email == nil && username == nil && device == nil }
    }

    let database: any Database
    let days: LocalDays
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
        return try await database.read { [days] connection in
            let queries = ReportQueries(connection: connection)
            // One more than asked for tells whether there is a next page.
            let found = try SessionListQueries(connection: connection, days: days).sessions(
                filter, limit: filter.limit + 1)
            let page = found.prefix(filter.limit)
            let whole = page.filter { $0.kept == nil }
            let folds = try queries.folds(of: whole.map { ($0.viewer.id, $0.id) })
            let records = page.compactMap { listed in
                (listed.kept ?? folds[listed.id]?.totals(lastSeenAt: listed.lastSeenAt)).map {
                    listed.record($0, now: now)
                }
            }
            let last = found.count > page.count ? page.last : nil
            return SessionPage(
                sessions: records,
                nextCursor: last.map { SessionCursor(startedAt: $0.startedAt, id: $0.id).text })
        }
    }

    /// A page of segments, those of the newest session first, and where the next page begins.
    /// - Parameter filter: Which sessions, and which of their segments: a page or a video that it names is theirs too
    func segments(_ filter: SessionFilter) async throws -> (segments: [ExportedSegment], next: SessionCursor?) {
        try await database.read { [days] connection in
            let found = try SessionListQueries(connection: connection, days: days).sessions(
                filter, limit: filter.limit + 1)
            let page = Array(found.prefix(filter.limit))
            let segments = try EvidenceQueries(connection: connection).segments(of: page)
            let last = found.count > page.count ? page.last : nil
            return (
                page.flatMap { session in
                    (segments[session.id] ?? []).filter { filter.isMet(by: $0) }.map {
                        ExportedSegment(sessionId: session.id, viewer: session.viewer, segment: $0)
                    }
                }, last.map { SessionCursor(startedAt: $0.startedAt, id: $0.id) }
            )
        }
    }

    /// A session and everything that its figures rest on; `nil` when there is none of that number.
    package func evidence(session id: Int64) async throws -> SessionEvidence? {
        let now = clock.now()
        return try await database.read { connection in
            let queries = ReportQueries(connection: connection)
            guard let listed = try queries.session(id) else { return nil }
            let evidence = EvidenceQueries(connection: connection)
            let devices = try evidence.devices(of: listed)
            if let kept = listed.kept {
                // One that is being folded at this moment is as good as folded.
                return SessionEvidence(
                    session: listed.record(kept, now: now), segments: [], gaps: [], refused: kept.refused,
                    devices: devices, foldedTime: listed.foldedAt ?? now)
            }
            guard let fold = try queries.folds(of: [(listed.viewer.id, id)])[id] else { return nil }
            let totals = fold.totals(lastSeenAt: listed.lastSeenAt)
            return SessionEvidence(
                session: listed.record(totals, now: now), segments: try evidence.segments(of: [listed])[id] ?? [],
                visible: fold.time.visible, refused: totals.refused, devices: devices)
        }
    }

    /// Who is here now, those who came last first.
    /// - Parameters:
    ///   - interval: The heartbeat interval, in milliseconds: who was heard of within two of them is here
    ///   - video: Only those who watch the video of this number
    ///   - cursor: Where the page before ended
    ///   - limit: The most sessions of the page
    package func live(
        interval: Int64, video: Int64? = nil, after cursor: SessionCursor? = nil, limit: Int = SessionFilter.pageLimit
    ) async throws -> LivePage {
        let time = clock.now() - 2 * interval
        return try await database.read { connection in
            let (viewers, found) = try LiveQueries(connection: connection, time: time, video: video).page(
                after: cursor, limit: limit + 1)
            let page = Array(found.prefix(limit))
            let last = found.count > page.count ? page.last : nil
            return LivePage(
                viewers: viewers, sessions: page,
                nextCursor: last.map { SessionCursor(startedAt: $0.since, id: $0.id).text })
        }
    }

    /// How many people are here now.
    /// - Parameter interval: The heartbeat interval, in milliseconds
    func liveViewers(interval: Int64) async throws -> Int {
        let time = clock.now() - 2 * interval
        return try await database.read { try LiveQueries(connection: $0, time: time, video: nil).viewerCount() }
    }

    /// What a page or a video brought; `nil` when nobody ever saw it. Statistics must have been computed before.
    package func content(_ kind: ContentKind, _ name: String, _ scope: Scope) async throws -> ContentTotals? {
        try await database.read { connection in
            let queries = ReportQueries(connection: connection)
            guard let id = try queries.content(kind, name) else { return nil }
            let (viewers, days) = try queries.content(id, scope)
            return ContentTotals(
                kind: kind, name: name, viewers: viewers,
                total: days.reduce(into: ContentMeasures()) { $0 += $1.total }, days: days)
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
