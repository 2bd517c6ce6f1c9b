import DwellAPI
import Hummingbird

/// Watch-time sessions, as the Express service's clients know them.
struct WatchTimeRoutes {
    let watchTime: WatchTime
    let logins: Logins
    let tokens: EntryTokens
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
        let video = request.parameters.first { $0.name == "videoId" }.flatMap { $0.value.isEmpty ? nil : $0.value }
        let entry = try await watchTime.start(login, video: video, earlier: Self.named(by: request))
        var response = try Response.json(
            SessionInitReply(
                sessionId: "\(entry.id)", token: tokens.token(viewer: entry.viewer, entry: entry.id)))
        // From here on beats belong to this entry, whatever gate the visitor came through before.
        for cookie in cookies.watch(entry) + [cookies.clear(.sessionRecord)] { response.setCookie(cookie) }
        return response
    }

    private func log(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let login = try await logins.login(token: request.cookie(.token))
        guard let id = Self.named(by: request) else { throw PublicError.badRequest }
        guard try await watchTime.log(login, entry: id) else { throw PublicError.notFound }
        return Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: .init(string: "Success")))
    }

    /// The entry that both cookies together name.
    private static func named(by request: Request) -> Int64? {
        guard let id = request.cookie(.watchSession).flatMap({ Int64($0) }),
            request.cookie(.watchStart).flatMap({ Int64($0) }) != nil
        else { return nil }
        return id
    }
}

extension CookieMaker {
    private static let year = 365 * 86_400

    /// The two cookies that name an account's entry.
    func watch(_ entry: Entry) -> [Cookie] {
        [
            make(.watchSession, "\(entry.id)", maxAge: Self.year),
            make(.watchStart, "\(entry.startedAt.milliseconds)", maxAge: Self.year),
        ]
    }
}
