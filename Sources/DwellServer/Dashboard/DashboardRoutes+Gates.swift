import DwellAPI
import Foundation
import Hummingbird

extension DashboardRoutes {
    /// Gates, and who came through them.
    var gatePages: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/dashboard/gates") { request, _ in try await behindDoor(request, gates) }
            .get("/dashboard/gate") { request, _ in try await behindDoor(request, gate) }
    }

    /// What owners do with visitors.
    var gateForms: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post("/dashboard/gate/revoke") { request, _ in
                try await change(request) { _ = try await visitors.revoke($0.email, at: $0.place, by: $1.name) }
            }
            .post("/dashboard/gate/admit") { request, _ in
                try await change(request) { _ = try await visitors.admit($0.email, at: $0.place, by: $1.name) }
            }
    }

    private func gates(_ request: Request, reader: Operator) async throws -> Response {
        try request.refuseParameters()
        let counts = try await visitors.counts(of: configuration.gates.map(\.name))
        return try pages.page(
            .gates, title: "Gates", for: reader, GatesPage(configuration.gates, counts: counts, days: days))
    }

    private func gate(_ request: Request, reader: Operator) async throws -> Response {
        var (gate, cursor) = (String?.none, LatestCursor.start)
        for (name, value) in request.parameters {
            switch name {
            case "name": gate = value
            case "cursor":
                guard let given = LatestCursor(value) else {
                    throw InvalidField("cursor", expected: "one that the page before gave")
                }
                cursor = given
            default: throw InvalidField(name, expected: "name or cursor")
            }
        }
        guard let gate else { throw InvalidField("name", expected: "given: the name of a gate") }
        guard let rules = configuration.gates.first(where: { $0.name == gate }) else { throw PublicError.notFound }
        let (found, next) = try await visitors.page(of: gate, after: cursor, limit: Self.listLimit)
        return try pages.page(
            .gate, title: "Gate \(gate)", for: reader,
            GatePage(rules, found, from: cursor, next: next, canChange: reader.role == .owner, days: days))
    }

    /// Does what an owner's form asks for, and shows the page again that it is on.
    private func change(
        _ request: Request, _ change: (VisitorForm, Operator) async throws -> Void
    ) async throws -> Response {
        try await behindDoor(request) { request, reader in
            try Self.require(.owner, reader)
            let form = try await VisitorForm(request)
            guard configuration.gates.contains(where: { $0.name == form.gate }) else { throw PublicError.notFound }
            try await change(form, reader)
            let cursor = form.cursor.flatMap(LatestCursor.init).map { "&cursor=\($0.text)" } ?? ""
            return Response.redirect(to: "/dashboard/gate?name=\(ShownPerson.coded(form.gate))\(cursor)")
                .with(.noPage)
        }
    }

    /// What the buttons beside visitors send.
    private struct VisitorForm: Decodable {
        /// The gate whose page it is.
        var gate: String
        var email: String
        /// Whether every gate is meant.
        var everywhere: String?
        /// The page of visitors that is shown.
        var cursor: String?

        var place: String? { everywhere == nil ? gate : nil }

        init(_ request: Request) async throws {
            self = try await request.form(VisitorForm.self)
        }
    }
}
