import Hummingbird

extension DashboardRoutes {
    /// Sessions, and what each rests on.
    var sessionPages: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/dashboard/sessions") { request, _ in try await behindDoor(request, sessions) }
            .get("/dashboard/sessions/{id}") { request, context in
                let id = try? context.parameters.require("id", as: Int64.self)
                return try await behindDoor(request) { try await evidence(of: id, $0, $1) }
            }
    }

    private func sessions(_ request: Request, reader: Operator) async throws -> Response {
        var filter = SessionFilter()
        filter.limit = Self.listLimit
        for (name, value) in request.parameters {
            switch name {
            case "cursor": filter.cursor = try Self.cursor(value)
            default: throw InvalidField(name, expected: "cursor")
            }
        }
        let page = try await reports.sessions(filter)
        return try pages.page(
            .sessions, title: "Sessions", for: reader, SessionList(page, on: "/dashboard/sessions", days: days))
    }

    private func evidence(of id: Int64?, _ request: Request, _ reader: Operator) async throws -> Response {
        guard let id, let evidence = try await reports.evidence(session: id) else { throw PublicError.notFound }
        return try pages.page(
            .evidence, title: "Session \(id)", for: reader, EvidencePage(evidence, days: days))
    }
}
