import Foundation
import Hummingbird

/// The dashboard: pages for operators, made by the server. Each group of pages has a file of its own.
struct DashboardRoutes {
    let database: any Database
    let operators: Operators
    let code: SetupCode
    let reports: Reports
    let viewers: Viewers
    let videos: Videos
    let devices: Devices
    let accounts: AccountAdministration
    let exclusions: Exclusions
    let erasures: Erasures
    let visitors: GateVisitors
    let pages: DashboardPages
    let cookies: CookieMaker
    let days: LocalDays
    let clock: WallClock
    let configuration: ServerConfiguration
    let webhooks: Webhooks

    /// How many sessions, videos, people, or lines of the audit log, a page lists.
    static let listLimit = 50

    /// What may be asked for from anywhere. It changes nothing.
    var shown: RouteCollection<DwellRequestContext> {
        let all = RouteCollection(context: DwellRequestContext.self)
        for pages in [
            nowPages, overviewPages, peoplePages, sessionPages, videoPages, gatePages, serverPages, doors,
        ] { all.addRoutes(pages) }
        return all.get("/dashboard/**") { request, _ in
            try await behindDoor(request) { _, _ in throw PublicError.notFound }
        }
    }

    /// What is asked for by the dashboard's own pages alone.
    var endpoints: RouteCollection<DwellRequestContext> {
        let all = RouteCollection(context: DwellRequestContext.self)
        for forms in [doorForms, gateForms] { all.addRoutes(forms) }
        return all
    }

    /// Shows a page to operators, and the door to everybody else.
    func behindDoor(
        _ request: Request, _ page: (Request, Operator) async throws -> Response
    ) async throws -> Response {
        guard let reader = try await operators.operator(by: request.cookie(.signIn)) else {
            return Response.redirect(to: "/dashboard/sign-in?next=\(ShownPerson.coded(request.uri.string))")
                .with(.noPage)
        }
        do {
            return try await page(request, reader)
        } catch {
            let shown = PublicError(error)
            guard shown.status.kind == .clientError else { throw error }
            return try pages.failure(shown, for: reader)
        }
    }

    /// What a viewer may not see is not there.
    static func require(_ role: Operator.Role, _ reader: Operator) throws {
        guard reader.role == role else { throw PublicError.notFound }
    }

    /// Where a list goes on that has no other parameter.
    static func place(in request: Request) throws(InvalidField) -> LatestCursor {
        var cursor = LatestCursor.start
        for (name, value) in request.parameters {
            guard name == "cursor", let given = LatestCursor(value) else {
                throw InvalidField(name, expected: "cursor, one that the page before gave")
            }
            cursor = given
        }
        return cursor
    }

    static func cursor(_ text: String) throws(InvalidField) -> SessionCursor {
        guard let cursor = SessionCursor(text) else {
            throw InvalidField("cursor", expected: "one that the page before gave")
        }
        return cursor
    }
}
