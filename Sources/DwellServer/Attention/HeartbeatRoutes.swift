import DwellAPI
import Hummingbird

/// The route that everything else lives on. ``HeartbeatLane`` answers most heartbeats before they come here.
struct HeartbeatRoutes {
    static let path = "/api/session-heartbeat"

    let heartbeats: Heartbeats
    let logins: Logins
    let writer: BeatWriter
    let cookies: CookieMaker
    let metrics: Metrics

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post(RouterPath(Self.path), use: beat)
    }

    private func beat(_ request: Request, context: DwellRequestContext) async throws -> Response {
        do {
            let response = try await answer(request)
            metrics.beats.add(to: .stored)
            return response
        } catch {
            metrics.beats.add(to: Metrics.BeatOutcome(PublicError(error)))
            throw error
        }
    }

    private func answer(_ request: Request) async throws -> Response {
        let arrival = heartbeats.clock.now()
        let message = try heartbeats.message(
            try await request.bodyBytes(), arrival: arrival, bearer: request.bearerToken,
            referer: request.headers[.referer], host: request.head.authority)
        let heartbeat = try heartbeats.heartbeat(message, cookies: await source(ofCookiesIn: request))
        let entry = try heartbeats.entry(of: heartbeat, after: try await writer.store(heartbeat.beat))
        var successor: Entry?
        if let question = heartbeat.question { successor = try await writer.store(question).entry }
        let answer = heartbeats.answer(to: heartbeat, entry: entry, successor: successor)
        var response = Response.json(answer.body)
        for cookie in answer.entryToName.map(cookies.watch) ?? [] { response.setCookie(cookie) }
        return response
    }

    private func source(ofCookiesIn request: Request) async -> Result<Beat.Source?, any Error> {
        let door = heartbeats.door(
            record: request.cookie(.sessionRecord), login: request.cookie(.token),
            watchSession: request.cookie(.watchSession))
        switch door {
        case nil: return .success(nil)
        case .entry(let source): return .success(source)
        case .login(let token, let entry):
            do {
                return .success(.login(try await logins.login(token: token), entry: entry))
            } catch {
                return .failure(error)
            }
        }
    }
}
