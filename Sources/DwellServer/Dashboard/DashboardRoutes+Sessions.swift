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
        let asked = try AskedSessions(request.parameters)
        let page = try await reports.sessions(try asked.filter(days, limit: Self.listLimit))
        let list = SessionList(
            page, on: asked.path, reason: asked.isEmpty ? "No session yet." : "No session is like this.", days: days)
        return try pages.page(.sessions, title: "Sessions", for: reader, SessionsPage(asked, list))
    }

    private func evidence(of id: Int64?, _ request: Request, _ reader: Operator) async throws -> Response {
        guard let id, let evidence = try await reports.evidence(session: id) else { throw PublicError.notFound }
        return try pages.page(
            .evidence, title: "Session \(id)", for: reader, EvidencePage(evidence, days: days))
    }
}
