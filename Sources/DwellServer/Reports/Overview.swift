package import DwellAPI

/// What a number of days brought, as of the last computation of statistics.
package struct Overview: Sendable, Equatable {
    /// How many people were seen.
    package let people: Int
    /// How many sessions began; `nil` where only one page or video is asked about.
    package let sessions: Int?
    /// Each day on which somebody was seen, the first one first.
    package let days: [ContentDay]
    package let total: ContentMeasures
}

extension Reports {
    /// What a number of days brought, over all or on one page or video.
    /// - Parameters:
    ///   - scope: Whom
    ///   - first: The first day
    ///   - last: The last day
    ///   - content: A page or a video
    /// - Returns: Nothing but zeros for a content that nobody ever saw
    package func overview(
        _ scope: Scope, from first: Int64, through last: Int64, of content: (kind: ContentKind, name: String)? = nil
    ) async throws -> Overview {
        var scope = scope
        scope.firstDay = first
        scope.lastDay = last
        if let content {
            let found = try await self.content(content.kind, content.name, scope)
            return Overview(
                people: found?.viewers ?? 0, sessions: nil, days: found?.days ?? [], total: found?.total ?? .init())
        }
        let time = days.range(of: first).lowerBound..<days.range(of: last).upperBound
        return try await database.read { [scope] connection in
            let queries = OverviewQueries(connection: connection)
            let days = try ReportQueries(connection: connection).days(scope).reversed().map { day in
                ContentDay(
                    day: day.day, viewers: day.viewers,
                    total: ContentMeasures(
                        visibleMs: day.visibleMs, visibleErrorMs: day.visibleErrorMs, engagedMs: day.engagedMs,
                        engagedErrorMs: day.engagedErrorMs, rawMs: day.rawMs))
            }
            return Overview(
                people: try queries.people(scope), sessions: try queries.sessions(scope, in: time), days: days,
                total: days.reduce(into: ContentMeasures()) { $0 += $1.total })
        }
    }

    /// The pages, or the videos, that brought most, the most engaging first.
    package func top(_ kind: ContentKind, _ scope: Scope, limit: Int) async throws -> [ContentRank] {
        try await database.read { try OverviewQueries(connection: $0).top(kind, scope, limit: limit) }
    }
}
