import DwellAPI
import Foundation
import Hummingbird
import NIOCore

/// The route that everything else lives on.
struct HeartbeatRoutes {
    let tokens: EntryTokens
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
        let bytes = try await request.bodyBytes()
        let received = bytes.readableBytes > 0 ? try JSONBody.decode(ReceivedBeat.self, from: bytes) : nil
        let (content, pause, refused) = try content(of: received, request: request)
        let origin = try await origin(of: request, token: received?.token ?? request.bearerToken)
        let count = received?.segments.count ?? 0
        if !refused.isEmpty && refused.count == count { throw PublicError.refused(refused, of: count) }
        let entry = try await store(
            Beat(source: origin.source, arrival: arrival, content: content),
            // A token that names nothing any more will never work again; a cookie may be replaced by another.
            orElse: origin.isByToken ? LoginError.invalid : PublicError.noSession)
        if !refused.isEmpty { throw PublicError.refused(refused, of: count) }
        // The door that was entered last decides whose what follows is.
        var current = entry
        if let successor = origin.successor {
            let asking = Beat.Content.claims([], sentAt: arrival.milliseconds, interval: pause)
            let outcome = try await writer.store(Beat(source: successor, arrival: arrival, content: asking))
            current = outcome.entry ?? entry
        }
        // A script that sends no body reads no answer.
        let isKnown = received == nil || (origin.isByToken && current == entry)
        var response = try Response.json(
            BeatReply(
                interval: pause, time: arrival.milliseconds,
                token: isKnown ? nil : tokens.token(viewer: current.viewer, entry: current.id)))
        if case .device(_, _, let named) = origin.successor ?? origin.source, named != current.id {
            for cookie in cookies.watch(current) { response.setCookie(cookie) }
        }
        return response
    }

    private func store(_ beat: Beat, orElse refusal: any Error) async throws -> Entry {
        switch try await writer.store(beat) {
        case .stored(let entry): return entry
        case .unknownEntry: throw refusal
        case .deviceRemoved(let removal, let time): throw LoginError.deviceRemoved(removal, at: time)
        }
    }

    /// What a beat says, how long its client waits before the next, and what of it can't be stored.
    private func content(
        of received: ReceivedBeat?, request: Request
    ) throws(InvalidField) -> (Beat.Content, pause: Int64, refused: [InvalidField]) {
        guard let received else { return (.presence(page: page(of: request)), settings.interval, []) }
        let (valid, refused) = try received.sorted(describe: JSONBody.field)
        let pause = BeatPace.pause(after: valid, interval: settings.interval)
        return (
            .claims(valid, sentAt: received.sentAt, interval: received.interval ?? pause), pause, refused
        )
    }

    /// Where a beat comes from.
    private struct Origin {
        let source: Beat.Source
        /// Whether a token said so, rather than a cookie.
        let isByToken: Bool
        /// Where the browser's cookies say that it has gone since.
        var successor: Beat.Source?
    }

    /// Whose beat it is. A token names what the beat's segments began under; without one, cookies decide.
    private func origin(of request: Request, token: String?) async throws -> Origin {
        guard let token else {
            guard let source = try await source(ofCookiesIn: request) else { throw PublicError.noSession }
            return Origin(source: source, isByToken: false)
        }
        guard let named = tokens.entry(of: token) else { throw LoginError.invalid }
        var origin = Origin(source: .token(viewer: named.viewer, entry: named.entry), isByToken: true)
        // A login that has ended ends no session that a token names by itself.
        switch try? await source(ofCookiesIn: request) {
        case .token(let viewer, let entry) where (viewer, entry) != (named.viewer, named.entry):
            origin.successor = .token(viewer: viewer, entry: entry)
        case .device(let viewer, let device, let entry)
        where viewer != named.viewer || entry.map { $0 != named.entry } ?? false:
            origin.successor = .device(viewer: viewer, device: device, entry: entry)
        default: break
        }
        return origin
    }

    /// The door that was entered last decides: a login clears the gate's cookie.
    private func source(ofCookiesIn request: Request) async throws -> Beat.Source? {
        if let named = request.cookie(.sessionRecord).flatMap({ tokens.entry(of: $0) }) {
            return .token(viewer: named.viewer, entry: named.entry)
        }
        guard let token = request.cookie(.token) else { return nil }
        let login = try await logins.login(token: token)
        let entry = request.cookie(.watchSession).flatMap { Int64($0) }
        return .device(viewer: login.viewer, device: login.device, entry: entry)
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

extension PublicError {
    /// A beat of which some segments can't be stored.
    fileprivate static func refused(_ fields: [InvalidField], of count: Int) -> PublicError {
        var error = PublicError(fields[0])
        error.stored = count - fields.count
        error.refused = fields.map { RefusedField(field: $0.field, expected: $0.expected) }
        return error
    }
}
