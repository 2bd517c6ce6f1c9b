import DwellAPI
import Foundation
import Hummingbird
import NIOCore

/// The route that everything else lives on.
struct HeartbeatRoutes {
    let gate: Gate
    let logins: Logins
    let writer: BeatWriter
    let settings: BeatSettings
    let clock: WallClock
    let cookies: CookieMaker
    /// The host by which people reach the server, when a proxy asks it under another.
    let publicHost: String?

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post("/api/session-heartbeat", use: beat)
    }

    private func beat(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let arrival = clock.now()
        let source = try await source(of: request)
        let content = try content(of: try await request.bodyBytes(), request: request)
        guard let session = try await writer.store(Beat(source: source, arrival: arrival, content: content)) else {
            throw PublicError.noSession
        }
        var response = try Response.json(BeatReply(interval: settings.interval))
        for cookie in renewed(session, from: source) { response.setCookie(cookie) }
        return response
    }

    /// Whose beat it is. The door that was entered last decides: a login clears the gate's cookie.
    private func source(of request: Request) async throws -> Beat.Source {
        if let cookie = request.cookie(.sessionRecord), let named = gate.session(cookie: cookie) {
            return .session(viewer: named.viewer, id: named.session)
        }
        guard let token = request.cookie(.token) else { throw PublicError.noSession }
        let login = try await logins.login(token: token)
        let session = request.cookie(.watchSession).flatMap { Int64($0) }
        return .device(viewer: login.viewer, device: login.device, session: session)
    }

    private func content(of bytes: ByteBuffer, request: Request) throws -> Beat.Content {
        guard bytes.readableBytes > 0 else { return .presence(page: page(of: request)) }
        let body = try JSONBody.decode(BeatBody.self, from: bytes)
        try BeatRules.check(body)
        return .claims(body)
    }

    /// A session that fell silent was followed by another: the cookie must name that one from now on.
    private func renewed(_ session: Session, from source: Beat.Source) -> [Cookie] {
        switch source {
        case .session(_, let id) where id != session.id:
            [cookies.sessionRecord(gate.sessionCookie(for: session))]
        case .device(_, _, let id) where id != session.id: cookies.watch(session)
        default: []
        }
    }

    /// The page that a bodyless beat comes from, as far as the browser tells.
    private func page(of request: Request) -> String? {
        guard let referer = request.headers[.referer].flatMap(URLComponents.init(string:)), let host = referer.host,
            [publicHost, request.head.authority?.split(separator: ":").first.map(String.init)].contains(host),
            referer.percentEncodedPath.utf8.count <= 2048
        else { return nil }
        // As it stands in the address: that is what scripts call the page too.
        return referer.percentEncodedPath.isEmpty ? "/" : referer.percentEncodedPath
    }
}
