import DwellAPI
import Hummingbird

extension DashboardRoutes {
    /// What a number of days brought.
    var overviewPages: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/dashboard/overview") { request, _ in try await behindDoor(request, overview) }
    }

    private func overview(_ request: Request, reader: Operator) async throws -> Response {
        let today = days.day(of: clock.now())
        let filter = try OverviewFilter(request.parameters, dates: .throughIncluded, today: today)
        let found = try await reports.comparison(filter.scope, filter.days, of: filter.content)
        let device: (device: Device, username: String)? =
            if let id = filter.scope.device { try await devices.device(id) } else { nil }
        return try pages.page(
            .overview, title: "Overview", for: reader,
            OverviewPage(filter, found, device: device, today: today))
    }
}
