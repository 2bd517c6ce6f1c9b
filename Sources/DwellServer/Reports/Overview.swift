package import DwellAPI
import Foundation

/// What a number of days brought, as of the last computation of statistics.
package struct Overview: Sendable, Equatable {
    /// How many people were seen.
    package var people = 0
    /// How many sessions began; `nil` where only one page or video is asked about.
    package var sessions: Int?
    /// Each day on which somebody was seen, the first one first.
    package var days: [ContentDay] = []
    /// How many sessions of a device the figures lack, because their segments are folded.
    package var foldedSessions = 0

    package var total: ContentMeasures { days.reduce(into: ContentMeasures()) { $0 += $1.total } }
}

/// What a number of days brought, beside as many days before.
package struct ComparedOverview: Sendable, Equatable {
    package let days: ClosedRange<Int64>
    package let now: Overview
    package let before: Overview
    /// The pages that brought most; `nil` where only one page or video is asked about.
    package let pages: [ContentRank]?
    package let videos: [ContentRank]?
}

extension Reports {
    /// How many pages and videos are ranked.
    private static let rankLimit = 10

    /// What days brought, beside as many days before.
    package func comparison(
        _ scope: Scope, _ days: ClosedRange<Int64>, of content: (kind: ContentKind, name: String)? = nil
    ) async throws -> ComparedOverview {
        let (first, last) = (days.lowerBound, days.upperBound)
        // Beside each other: each is a reader of its own.
        async let now = overview(scope, from: first, through: last, of: content)
        async let before = overview(scope, from: first - Int64(days.count), through: first - 1, of: content)
        async let pages = content == nil ? top(.page, scope.of(days), limit: Self.rankLimit) : nil
        async let videos = content == nil ? top(.video, scope.of(days), limit: Self.rankLimit) : nil
        return try await ComparedOverview(days: days, now: now, before: before, pages: pages, videos: videos)
    }

    /// What a number of days brought, over all or on one page or video.
    ///
    /// That of everybody, and of a person, is kept. Of a device nothing is: its figures are made of the segments of
    /// its sessions.
    /// - Parameters:
    ///   - scope: Whom
    ///   - first: The first day
    ///   - last: The last day
    ///   - content: A page or a video
    /// - Returns: Nothing but zeros for a content that nobody ever saw
    package func overview(
        _ scope: Scope, from first: Int64, through last: Int64, of content: (kind: ContentKind, name: String)? = nil
    ) async throws -> Overview {
        let scope = scope.of(first...last)
        if scope.device != nil { return try await use(scope).overview(of: content) }
        if let content {
            let found = try await self.content(content.kind, content.name, scope)
            return Overview(people: found?.viewers ?? 0, days: found?.days ?? [])
        }
        let time = days.range(of: first).lowerBound..<days.range(of: last).upperBound
        return try await database.read { connection in
            let queries = OverviewQueries(connection: connection)
            let totals = TotalReportQueries(connection: connection)
            return Overview(
                people: scope.isOfAll
                    ? try totals.viewers(of: DayFold.everything, scope) : try queries.people(scope),
                sessions: scope.isOfAll ? try totals.sessions(first...last) : try queries.sessions(scope, in: time),
                days: try ReportQueries(connection: connection).days(scope).reversed().map(\.asContentDay))
        }
    }

    /// The pages, or the videos, that brought most, the most engaging first.
    package func top(_ kind: ContentKind, _ scope: Scope, limit: Int) async throws -> [ContentRank] {
        if scope.device != nil { return try await use(scope).ranks(kind, limit: limit) }
        return try await database.read { connection in
            scope.isOfAll
                ? try TotalReportQueries(connection: connection).ranks(kind, scope, limit: limit)
                : try OverviewQueries(connection: connection).top(kind, scope, limit: limit)
        }
    }

    /// How a device was used.
    private func use(_ scope: Scope) async throws -> DeviceUse {
        try await database.read { [days] connection in
            try DeviceUseQueries(connection: connection, days: days).use(scope)
        }
    }
}

extension Reports.Scope {
    /// The same of some days.
    func of(_ days: ClosedRange<Int64>) -> Reports.Scope {
        var scope = self
        scope.firstDay = days.lowerBound
        scope.lastDay = days.upperBound
        return scope
    }
}

/// A page or a video among those that brought most.
package struct ContentRank: Sendable, Equatable {
    package let name: String
    /// How many people saw it.
    package let viewers: Int
    package let total: ContentMeasures
}

extension OverviewTotals {
    init(_ found: ComparedOverview) {
        let (first, last) = (found.days.lowerBound, found.days.upperBound)
        self.init(
            now: PeriodTotals(found.now, found.days),
            before: PeriodTotals(found.before, first - (last - first + 1)...first - 1), days: found.now.days,
            pages: found.pages.map { $0.map(RankedContent.init) },
            videos: found.videos.map { $0.map(RankedContent.init) })
    }
}

extension PeriodTotals {
    fileprivate init(_ overview: Overview, _ days: ClosedRange<Int64>) {
        self.init(
            from: LocalDays.date(of: days.lowerBound), to: LocalDays.date(of: days.upperBound + 1),
            viewers: overview.people, sessions: overview.sessions, total: overview.total,
            foldedSessions: overview.foldedSessions)
    }
}

extension RankedContent {
    fileprivate init(_ rank: ContentRank) {
        self.init(name: rank.name, viewers: rank.viewers, total: rank.total)
    }
}
