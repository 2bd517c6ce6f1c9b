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
        let outcome = try await writer.store(heartbeat.beat)
        let entry = try heartbeats.entry(of: heartbeat, after: outcome)
        var successor: Entry?
        if let question = heartbeat.question { successor = try await writer.store(question).entry }
        let answer = heartbeats.answer(
            to: heartbeat, entry: entry, viewing: outcome.viewing, successor: successor)
        var response = Response.json(answer.body)
        for cookie in answer.entryToName.map(cookies.watch) ?? [] { response.setCookie(cookie) }
        return response
    }

    /// The entry that a request is about which is no heartbeat, but says whose it is as heartbeats do.
    /// - Parameter token: The one in its body
    func entry(token: String?, of request: Request) async throws -> Entry {
        let arrival = heartbeats.clock.now()
        let pause = heartbeats.settings.interval
        let message = HeartbeatMessage(
            arrival: arrival, content: .claims([], sentAt: arrival.milliseconds, interval: pause), pause: pause,
            token: token ?? request.bearerToken, hasBody: true)
        let heartbeat = try heartbeats.heartbeat(message, cookies: await source(ofCookiesIn: request))
        return try heartbeats.entry(of: heartbeat, after: try await writer.store(heartbeat.beat))
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
