import DwellAPI
import Foundation
import Hummingbird

extension DashboardRoutes {
    /// The forms at the door.
    var doors: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/dashboard/sign-in") { request, _ in try await door(request) }
            .get("/dashboard/setup") { request, _ in try await door(request) }
    }

    /// What the forms at the door send.
    var doorForms: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post("/dashboard/sign-in", use: signIn)
            .post("/dashboard/setup", use: setUp)
            .post("/dashboard/sign-out", use: signOut)
    }

    /// The form that there is at this time, whichever was asked for.
    private func door(_ request: Request) async throws -> Response {
        guard try await operators.isSetUp() else { return try pages.door(.setup) }
        var door = DashboardDoor.signIn
        door.next = request.uri.queryParameters["next"].flatMap { Self.target(String($0)) }
        return try pages.door(door)
    }

    private func signIn(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let form = try await DoorForm(request)
        var door = DashboardDoor.signIn
        door.next = form.next.flatMap { Self.target($0) }
        return try await letIn(form, by: door) {
            try await operators.signIn(name: form.name, password: form.password, from: context.address)
        }
    }

    private func setUp(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let form = try await DoorForm(request)
        return try await letIn(form, by: .setup) {
            try await operators.setUp(
                code: form.code ?? "", right: code, name: form.name, password: form.password, from: context.address)
        }
    }

    private func letIn(
        _ form: DoorForm, by door: DashboardDoor, _ enter: () async throws -> RandomSecret
    ) async throws -> Response {
        do {
            let secret = try await enter()
            var response = Response.redirect(to: door.next ?? "/dashboard").with(.noPage)
            response.setCookie(cookies.signIn(secret.text, maxAge: Int(Operators.lifetime / 1000)))
            return response
        } catch {
            let shown = PublicError(error)
            guard shown.status.kind == .clientError else { throw error }
            return try pages.door(door.refused(shown.message, name: form.name), status: shown.status)
                .with(shown.headers)
        }
    }

    private func signOut(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await operators.signOut(request.cookie(.signIn), from: context.address)
        var response = Response.redirect(to: "/dashboard/sign-in").with(.noPage)
        response.setCookie(cookies.signIn("", maxAge: 0))
        return response
    }

    /// Where to go on; nowhere but to a page of the dashboard.
    private static func target(_ path: String) -> String? {
        (try? LocalPath.check(path)).flatMap { $0 == "/dashboard" || $0.hasPrefix("/dashboard/") ? $0 : nil }
    }

    /// What the forms at the door send.
    private struct DoorForm: Decodable {
        var name: String
        var password: String
        var code: String?
        var next: String?

        init(_ request: Request) async throws {
            self = try await request.form(DoorForm.self)
        }
    }
}

extension CookieMaker {
    /// The cookie of an operator, for the dashboard alone.
    fileprivate func signIn(_ value: String, maxAge: Int) -> Cookie {
        make(.signIn, value, maxAge: maxAge, sameSite: .strict, path: "/dashboard")
    }
}
