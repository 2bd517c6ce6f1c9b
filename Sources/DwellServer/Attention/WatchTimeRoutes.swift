import DwellAPI
import Hummingbird

/// Watch-time sessions, as the Express service's clients know them.
struct WatchTimeRoutes {
    let watchTime: WatchTime
    let logins: Logins
    let cookies: CookieMaker

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/session/init", use: start)
            .post("/session/init", use: start)
            .get("/session/log", use: log)
            .post("/session/log", use: log)
    }

    private func start(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let login = try await logins.login(token: request.cookie(.token))
        let video = request.uri.queryParameters["videoId"].flatMap { $0.isEmpty ? nil : String($0) }
        let session = try await watchTime.start(login, video: video, earlier: Self.named(by: request))
        var response = try Response.json(SessionInitReply(sessionId: "\(session.id)"))
        // From here on beats belong to this session, whatever gate the visitor came through before.
        for cookie in cookies.watch(session) + [cookies.clear(.sessionRecord)] { response.setCookie(cookie) }
        return response
    }

    private func log(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let login = try await logins.login(token: request.cookie(.token))
        guard let id = Self.named(by: request) else { throw PublicError.badRequest }
        guard let session = try await watchTime.log(login, session: id) else { throw PublicError.notFound }
        var response = Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: .init(string: "Success")))
        if session.id != id { for cookie in cookies.watch(session) { response.setCookie(cookie) } }
        return response
    }

    /// The session that both cookies together name.
    private static func named(by request: Request) -> Int64? {
        guard let id = request.cookie(.watchSession).flatMap({ Int64($0) }),
            request.cookie(.watchStart).flatMap({ Int64($0) }) != nil
        else { return nil }
        return id
    }
}

extension CookieMaker {
    /// The two cookies that name a watch-time session.
    func watch(_ session: Session) -> [Cookie] {
        [
            make(.watchSession, "\(session.id)", maxAge: Logins.lifetime),
            make(.watchStart, "\(session.startedAt.milliseconds)", maxAge: Logins.lifetime),
        ]
    }
}
