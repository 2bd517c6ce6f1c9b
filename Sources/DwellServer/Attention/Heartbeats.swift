import DwellAPI
import Foundation
import NIOCore

/// What heartbeats mean, and what is answered. Whoever uses this brings the bytes of a request and carries the answer
/// back.
struct Heartbeats: Sendable {
    let tokens: EntryTokens
    let settings: BeatSettings
    let clock: WallClock
    /// The host by which people reach the server, when a proxy asks it under another.
    let publicHost: String?

    /// Reads what a request says.
    /// - Parameters:
    ///   - body: All of it; an empty one says that the page is open and visible
    ///   - arrival: When the request came
    ///   - bearer: The token of its `Authorization: Bearer` header
    ///   - referer: The page, by its `Referer`
    ///   - host: Its `Host`
    /// - Throws: ``BodyError`` or ``InvalidField`` when nothing of it can be stored
    func message(
        _ body: ByteBuffer, arrival: Timestamp, bearer: String?, referer: String?, host: String?
    ) throws -> HeartbeatMessage {
        guard body.readableBytes > 0 else {
            return HeartbeatMessage(
                arrival: arrival, content: .presence(page: page(referer, host: host)), pause: settings.interval,
                token: bearer, hasBody: false)
        }
        let received =
            try body.withUnsafeReadableBytes(BeatReader.read) ?? JSONBody.decode(ReceivedBeat.self, from: body)
        let (valid, refused) = try received.sorted(describe: JSONBody.field)
        let pause = BeatPace.pause(
            after: valid, interval: settings.interval, playerInterval: settings.playerInterval)
        return HeartbeatMessage(
            arrival: arrival,
            content: .claims(valid, sentAt: received.sentAt, interval: received.interval ?? pause), pause: pause,
            token: received.token ?? bearer, hasBody: true, count: received.segments.count, refused: refused)
    }

    /// What a browser's cookies say of whose beats it sends; `nil` when they say nothing. The door that was entered last
    /// decides: a login clears the gate's cookie.
    /// - Parameters:
    ///   - record: The gate's cookie
    ///   - login: The login's
    ///   - watchSession: The number of the login's entry
    func door(record: String?, login: String?, watchSession: String?) -> HeartbeatDoor? {
        if let named = record.flatMap({ tokens.entry(of: $0) }) {
            return .entry(.token(viewer: named.viewer, entry: named.entry))
        }
        return login.map { .login(token: $0, entry: watchSession.flatMap { Int64($0) }) }
    }

    /// Finds out whose beat it is. A token names what the beat's segments began under; without one, cookies decide.
    /// - Parameter cookies: What the browser's cookies say
    /// - Throws: What is answered instead: nothing is to be stored
    func heartbeat(_ message: HeartbeatMessage, cookies: Result<Beat.Source?, any Error>) throws -> Heartbeat {
        let heartbeat: Heartbeat
        if let token = message.token {
            guard let named = tokens.entry(of: token) else { throw LoginError.invalid }
            // A login that has ended ends no session that a token names by itself.
            heartbeat = Heartbeat(
                message: message, source: .token(viewer: named.viewer, entry: named.entry), isByToken: true,
                successor: (try? cookies.get()).flatMap { Self.successor($0, of: named) })
        } else {
            guard let source = try cookies.get() else { throw PublicError.noSession }
            heartbeat = Heartbeat(message: message, source: source, isByToken: false)
        }
        if message.isWhollyRefused { throw PublicError(refused: message.refused, of: message.count) }
        return heartbeat
    }

    /// Where the browser's cookies say that it has gone since it was given a token.
    private static func successor(_ source: Beat.Source, of named: SignedToken.Content) -> Beat.Source? {
        switch source {
        case .token(let viewer, let entry) where (viewer, entry) != (named.viewer, named.entry): source
        case .login(let login, let entry)
        where login.viewer != named.viewer || entry.map { $0 != named.entry } ?? false: source
        default: nil
        }
    }

    /// The entry that a heartbeat was stored under.
    /// - Throws: What is answered instead
    func entry(of heartbeat: Heartbeat, after outcome: BeatOutcome) throws -> Entry {
        switch outcome {
        case .stored(let entry, _):
            if !heartbeat.message.refused.isEmpty {
                throw PublicError(refused: heartbeat.message.refused, of: heartbeat.message.count)
            }
            return entry
        // A token that names nothing any more will never work again; a cookie may be replaced by another.
        case .unknownEntry: throw heartbeat.isByToken ? LoginError.invalid : PublicError.noSession
        case .deviceRemoved(let removal, let time): throw LoginError.deviceRemoved(removal, at: time)
        case .revoked(let time): throw GateError.revoked(at: time)
        }
    }

    /// The answer to a heartbeat that was stored.
    /// - Parameters:
    ///   - heartbeat: The heartbeat
    ///   - entry: What it was stored under
    ///   - viewing: Which of its players must stop
    ///   - successor: The entry of ``Heartbeat/question``
    func answer(
        to heartbeat: Heartbeat, entry: Entry, viewing: ViewingRefusal? = nil, successor: Entry? = nil
    ) -> HeartbeatAnswer {
        let message = heartbeat.message
        // The door that was entered last decides whose what follows is.
        let current = successor ?? entry
        // A script that sends no body reads no answer.
        let isKnown = !message.hasBody || (heartbeat.isByToken && current == entry)
        let reply = BeatReply(
            interval: message.pause, time: message.arrival.milliseconds,
            token: isKnown ? nil : tokens.token(viewer: current.viewer, entry: current.id), viewing: viewing)
        guard case .login(_, let named) = heartbeat.successor ?? heartbeat.source, named != current.id else {
            return HeartbeatAnswer(reply: reply)
        }
        return HeartbeatAnswer(reply: reply, entryToName: current)
    }

    /// The page that a bodyless beat comes from, as far as the browser tells.
    private func page(_ referer: String?, host: String?) -> String? {
        guard let referer = referer.flatMap(URLComponents.init(string:)), let named = referer.host,
            [publicHost, host?.split(separator: ":").first.map(String.init)].contains(named),
            referer.percentEncodedPath.utf8.count <= 2048
        else { return nil }
        // As it stands in the address: that is what scripts call the page too.
        return referer.percentEncodedPath.isEmpty ? "/" : referer.percentEncodedPath
    }
}

/// What a heartbeat's request says.
struct HeartbeatMessage: Sendable {
    let arrival: Timestamp
    /// What can be stored of it.
    let content: Beat.Content
    /// How long its client waits before the next, in milliseconds.
    let pause: Int64
    /// Names the entry that it belongs to.
    let token: String?
    let hasBody: Bool
    /// How many segments it brought.
    var count = 0
    /// What can't be stored.
    var refused: [InvalidField] = []

    var isWhollyRefused: Bool { !refused.isEmpty && refused.count == count }
}

/// What a browser's cookies say of whose beats it sends.
enum HeartbeatDoor {
    /// An entry, named by a cookie that the server signed.
    case entry(Beat.Source)
    /// A login, to be looked up, and the entry of its session.
    case login(token: String, entry: Int64?)
}

/// A heartbeat of which is known whose it is.
struct Heartbeat: Sendable {
    let message: HeartbeatMessage
    let source: Beat.Source
    /// Whether a token said so, rather than a cookie.
    let isByToken: Bool
    /// Where the browser's cookies say that it has gone since.
    var successor: Beat.Source?

    /// What is to be stored.
    var beat: Beat { Beat(source: source, arrival: message.arrival, content: message.content) }

    /// Asks for the successor's entry, when there is one.
    var question: Beat? {
        successor.map {
            Beat(
                source: $0, arrival: message.arrival,
                content: .claims([], sentAt: message.arrival.milliseconds, interval: message.pause))
        }
    }
}

/// What is answered to a heartbeat that was stored.
struct HeartbeatAnswer: Sendable {
    let reply: BeatReply
    /// The entry that the browser's cookies shall name from now on.
    var entryToName: Entry?

    /// The reply as JSON. By hand, as every beat gets one; no character in it needs an escape, unless players must stop.
    var body: ByteBuffer {
        guard reply.viewing == nil else {
            // Texts and numbers can always be encoded.
            return (try? JSONBody.encode(reply)) ?? ByteBuffer()
        }
        let token = reply.token.map { ",\"token\":\"\($0)\"" } ?? ""
        return ByteBuffer(
            string: "{\"interval\":\(reply.interval),\"success\":\(reply.success),\"time\":\(reply.time)\(token)}")
    }
}
