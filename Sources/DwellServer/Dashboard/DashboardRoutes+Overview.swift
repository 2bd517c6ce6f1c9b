import DwellAPI
import Hummingbird

extension DashboardRoutes {
    /// How many pages and videos are ranked.
    private static let rankLimit = 10

    /// What a number of days brought.
    var overviewPages: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/dashboard/overview") { request, _ in try await behindDoor(request, overview) }
    }

    private func overview(_ request: Request, reader: Operator) async throws -> Response {
        let filter = try OverviewFilter(request.parameters)
        let last = days.day(of: clock.now())
        let first = last - filter.length + 1
        var scope = filter.scope
        scope.firstDay = first
        scope.lastDay = last
        let whole = filter.content == nil ? scope : nil
        // Beside each other: each goes through all that the days hold.
        async let now = reports.overview(filter.scope, from: first, through: last, of: filter.content)
        async let before = reports.overview(
            filter.scope, from: first - filter.length, through: first - 1, of: filter.content)
        async let topPages = top(.page, whole)
        async let topVideos = top(.video, whole)
        let page = OverviewPage(
            filter, days: first...last, now: try await now, before: try await before, pages: try await topPages,
            videos: try await topVideos)
        return try pages.page(.overview, title: "Overview", for: reader, page)
    }

    /// - Returns: `nil` where only one page or video is asked about
    private func top(_ kind: ContentKind, _ scope: Reports.Scope?) async throws -> [ContentRank]? {
        guard let scope else { return nil }
        return try await reports.top(kind, scope, limit: Self.rankLimit)
    }
}
