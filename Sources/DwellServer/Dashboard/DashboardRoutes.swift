import DwellAPI
import Foundation
import Hummingbird
import NIOCore
import ServiceLifecycle

/// The dashboard: pages for operators, made by the server.
struct DashboardRoutes {
    let database: any Database
    let operators: Operators
    let code: SetupCode
    let reports: Reports
    let videos: Videos
    let devices: Devices
    let accounts: AccountAdministration
    let pages: DashboardPages
    let cookies: CookieMaker
    let days: LocalDays
    let clock: WallClock
    let configuration: ServerConfiguration

    /// How often it is looked who is here.
    private static let look = Duration.seconds(2)
    /// How many pages and videos are ranked.
    private static let rankLimit = 10
    /// How many sessions, videos, people, or lines of the audit log, a page lists.
    private static let listLimit = 50
    /// How many days of a person are drawn.
    private static let personDays: Int64 = 90

    /// What may be asked for from anywhere. It changes nothing.
    var shown: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/dashboard") { request, _ in try await behindDoor(request, now) }
            .get("/dashboard/live") { request, _ in try await live(request) }
            .get("/dashboard/overview") { request, _ in try await behindDoor(request, overview) }
            .get("/dashboard/sessions") { request, _ in try await behindDoor(request, sessions) }
            .get("/dashboard/sessions/{id}") { request, context in
                let id = try? context.parameters.require("id", as: Int64.self)
                return try await behindDoor(request) { try await evidence(of: id, $0, $1) }
            }
            .get("/dashboard/person") { request, _ in try await behindDoor(request, person) }
            .get("/dashboard/videos") { request, _ in try await behindDoor(request, list) }
            .get("/dashboard/video") { request, _ in try await behindDoor(request, video) }
            .get("/dashboard/devices") { request, _ in try await behindDoor(request, deviceList) }
            .get("/dashboard/audit") { request, _ in try await behindDoor(request, audit) }
            .get("/dashboard/settings") { request, _ in try await behindDoor(request, settings) }
            .get("/dashboard/sign-in") { request, _ in try await door(request) }
            .get("/dashboard/setup") { request, _ in try await door(request) }
    }

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post("/dashboard/sign-in", use: signIn)
            .post("/dashboard/setup", use: setUp)
            .post("/dashboard/sign-out", use: signOut)
    }

    // MARK: Pages

    private func now(_ request: Request, reader: Operator) async throws -> Response {
        try pages.page(.now, title: "Now", for: reader, try await nowPage())
    }

    private func nowPage() async throws -> NowPage {
        NowPage(try await reports.live(interval: configuration.heartbeatInterval), days: days, now: clock.now())
    }

    /// Tells who is here for as long as somebody looks, and is signed in.
    private func live(_ request: Request) async throws -> Response {
        let cookie = request.cookie(.signIn)
        guard try await operators.operator(by: cookie) != nil else { throw PublicError.unauthorized }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream"],
            body: ResponseBody { writer in
                var told = ""
                repeat {
                    guard try await operators.operator(by: cookie) != nil else { break }
                    let html = try pages.people(try await nowPage())
                    // A line that says nothing finds out whether anybody still listens.
                    try await writer.write(ByteBuffer(string: html == told ? ":\n\n" : Self.event(html)))
                    told = html
                } while await Self.pause()
                try await writer.finish(nil)
            }
        ).with(.noPage)
    }

    private static func event(_ text: String) -> String {
        text.split(separator: "\n").map { "data: \($0)\n" }.joined() + "\n"
    }

    /// - Returns: Whether the time went by without a stop of the server, or of the connection
    private static func pause() async -> Bool {
        do {
            try await cancelWhenGracefulShutdown { try await Task.sleep(for: look) }
            return !Task.isCancelled
        } catch {
            return false
        }
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
            list: SessionList(try await reports.sessions(filter), on: "/dashboard/person?\(path)", days: days), days)
        return try pages.page(.person, title: page.name, for: reader, page)
    }

    private func list(_ request: Request, reader: Operator) async throws -> Response {
        var last: Int64 = 0
        for (name, value) in request.parameters {
            guard name == "cursor", let given = VideoCursor.number(value) else {
                throw InvalidField(name, expected: "cursor, one that the page before gave")
            }
            last = given
        }
        let page = try await videos.list(after: last, limit: Self.listLimit)
        return try pages.page(.videos, title: "Videos", for: reader, VideoList(page))
    }

    private func video(_ request: Request, reader: Operator) async throws -> Response {
        var video: String?
        var last: Int64 = 0
        for (name, value) in request.parameters {
            switch name {
            case "name": video = value
            case "cursor":
                guard let given = VideoCursor.number(value) else {
                    throw InvalidField("cursor", expected: "one that the page before gave")
                }
                last = given
            default: throw InvalidField(name, expected: "name or cursor")
            }
        }
        guard let video else { throw InvalidField("name", expected: "given: the name of a video") }
        guard let audience = try await videos.audience(of: video),
            let viewers = try await videos.viewers(of: video, after: last, limit: Self.listLimit)
        else { throw PublicError.notFound }
        return try pages.page(
            .audience, title: video, for: reader, AudiencePage(audience, viewers: viewers, days: days))
    }

    private func deviceList(_ request: Request, reader: Operator) async throws -> Response {
        let (found, next) = try await devices.page(after: try Self.place(in: request), limit: Self.listLimit)
        return try pages.page(
            .devices, title: "Devices", for: reader, DevicesPage(found, next: next, days: days))
    }

    private func audit(_ request: Request, reader: Operator) async throws -> Response {
        try Self.require(.owner, reader)
        let cursor = try Self.place(in: request)
        let (records, next) = try await AuditLog.page(in: database, after: cursor, limit: Self.listLimit)
        return try pages.page(
            .audit, title: "Audit", for: reader, AuditPage(records, next: next, days: days))
    }

    private func settings(_ request: Request, reader: Operator) async throws -> Response {
        try Self.require(.owner, reader)
        return try pages.page(
            .settings, title: "Settings", for: reader,
            SettingsPage(configuration, operators: try await operators.list()))
    }

    /// What a viewer may not see is not there.
    private static func require(_ role: Operator.Role, _ reader: Operator) throws {
        guard reader.role == role else { throw PublicError.notFound }
    }

    /// Where a list goes on that has no other parameter.
    private static func place(in request: Request) throws(InvalidField) -> LatestCursor {
        var cursor = LatestCursor.start
        for (name, value) in request.parameters {
            guard name == "cursor", let given = LatestCursor(value) else {
                throw InvalidField(name, expected: "cursor, one that the page before gave")
            }
            cursor = given
        }
        return cursor
    }

    private static func cursor(_ text: String) throws(InvalidField) -> SessionCursor {
        guard let cursor = SessionCursor(text) else {
            throw InvalidField("cursor", expected: "one that the page before gave")
        }
        return cursor
    }

    // MARK: The door

    /// Shows a page to operators, and the door to everybody else.
    private func behindDoor(
        _ request: Request, _ page: (Request, Operator) async throws -> Response
    ) async throws -> Response {
        guard let reader = try await operators.operator(by: request.cookie(.signIn)) else {
            return Response.redirect(to: "/dashboard/sign-in?next=\(ShownPerson.coded(request.uri.string))")
                .with(.noPage)
        }
        return try await page(request, reader)
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
            guard request.mediaType == "application/x-www-form-urlencoded" else {
                throw BodyError.unsupported("application/x-www-form-urlencoded")
            }
            self = try await request.form(DoorForm.self)
        }
    }
}

extension Request {
    /// The parameters of the query, in their order.
    fileprivate var parameters: [(name: String, value: String)] {
        uri.queryParameters.map { (String($0.key), String($0.value)) }
    }
}

extension CookieMaker {
    /// The cookie of an operator, for the dashboard alone.
    fileprivate func signIn(_ value: String, maxAge: Int) -> Cookie {
        make(.signIn, value, maxAge: maxAge, sameSite: .strict, path: "/dashboard")
    }
}
