import Hummingbird

extension DashboardRoutes {
    /// How many days of a person are drawn.
    private static let personDays: Int64 = 90

    /// People.
    var peoplePages: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/dashboard/person") { request, _ in try await behindDoor(request, person) }
    }

    private func person(_ request: Request, reader: Operator) async throws -> Response {
        var filter = SessionFilter()
        filter.limit = Self.listLimit
        for (name, value) in request.parameters {
            switch name {
            case "email": filter.email = try EmailAddress.normalize(value)
            case "username": filter.username = value
            case "cursor": filter.cursor = try Self.cursor(value)
            default: throw InvalidField(name, expected: "email, username or cursor")
            }
        }
        guard filter.email != nil || filter.username != nil else {
            throw InvalidField("email", expected: "given, or username")
        }
        let scope = Reports.Scope(email: filter.email, username: filter.username)
        let totals = try await reports.totals(scope)
        guard let first = totals.first else { throw PublicError.notFound }
        let last = days.day(of: clock.now())
        let range = last - Self.personDays + 1...last
        let devices =
            if let username = first.username { try await accounts.account(username).devices } else { [Device]() }
        let path =
            filter.username.map { "username=\(ShownPerson.coded($0))" }
            ?? "email=\(ShownPerson.coded(filter.email ?? ""))"
        let page = PersonPage(
            totals, overview: try await reports.overview(scope, from: range.lowerBound, through: range.upperBound),
            days: range,
            videos: try await videos.watched(email: filter.email, username: filter.username, limit: Self.listLimit),
            devices: devices,
            list: SessionList(try await reports.sessions(filter), on: "/dashboard/person?\(path)", days: days),
            rights: PersonRights(
                filter, name: filter.username ?? filter.email ?? "",
                excluded: try await exclusions.list(.named(email: filter.email, username: filter.username)),
                for: reader, days), days)
        return try pages.page(.person, title: page.name, for: reader, page)
    }
}
