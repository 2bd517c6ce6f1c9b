import DwellAPI
import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1

/// Answers heartbeats where their bytes arrive: on the connection's event loop, without a task.
///
/// It stands behind the decoder, and one is made for each connection. A request that it can decide at once it stores
/// and answers itself; every other one it hands on to the router as it came, so that the rare and the odd have one
/// place, ``HeartbeatRoutes``. While the store has a heartbeat, what comes after it on the connection waits.
final class HeartbeatLane: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// What all connections share.
    struct Parts: Sendable {
        let heartbeats: Heartbeats
        let logins: Logins
        let writer: BeatWriter
        let bytes: HeartbeatBytes
        let ownOrigin: OwnOrigin
        /// Pages there get answers with other headers.
        let allowedOrigins: Set<String>
        let metrics: Metrics
        let logger: Logger
    }

    private enum State {
        /// No heartbeat is in the lane.
        case free
        /// A heartbeat's body is being read.
        case reading(Reading)
        /// The store has a heartbeat.
        case waiting(closes: Bool)
        /// An answer waits for a client that reads too slowly.
        case blocked
        /// The last answer was written.
        case closed
    }

    private struct Reading {
        let request: HTTPRequestHead
        let head: HeartbeatHead
        let arrival: Timestamp
    }

    /// What came while the store had a heartbeat.
    private enum Held {
        case part(HTTPServerRequestPart)
        case event(Any)
        case error(any Error)
    }

    /// The most bytes that a body may have here. A larger one takes its time to be read, in which all connections of
    /// the event loop would wait.
    static let bodyLimit = 8192

    private let parts: Parts
    /// Where answers leave: behind the encoder, for they are bytes already.
    private let exit: ChannelHandlerContext
    private var context: ChannelHandlerContext?
    private var state = State.free
    /// As much of the body as was read.
    private var body = ByteBuffer()
    private var held = CircularBuffer<Held>(initialCapacity: 1)
    private var isReadHeld = false
    /// How many requests the router has not answered yet.
    private var routed = 0
    /// Whether one of them is still on its way to it.
    private var isRouting = false

    /// - Parameters:
    ///   - parts: What all connections share
    ///   - exit: The encoder's place
    init(_ parts: Parts, exit: ChannelHandlerContext) {
        self.parts = parts
        self.exit = exit
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    // MARK: What comes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        switch state {
        case .free: receive(part, context)
        case .reading(let reading): receive(part, of: reading, context)
        case .waiting, .blocked: held.append(.part(part))
        case .closed: break
        }
    }

    private func receive(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        // Behind a request that the router has not answered, answers would overtake.
        guard case .head(let request) = part, routed == 0, let head = takes(request) else {
            route(part, context)
            return
        }
        if head.expectsContinue { write(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")) }
        state = .reading(Reading(request: request, head: head, arrival: parts.heartbeats.clock.now()))
    }

    /// - Returns: `nil` for what goes the ordinary way
    private func takes(_ request: HTTPRequestHead) -> HeartbeatHead? {
        guard let head = HeartbeatHead(request, bodyLimit: Self.bodyLimit),
            parts.ownOrigin.isNamed(by: head.origin, site: head.site, host: head.host),
            head.origin.map({ !parts.allowedOrigins.contains($0) }) ?? true
        else { return nil }
        return head
    }

    private func receive(_ part: HTTPServerRequestPart, of reading: Reading, _ context: ChannelHandlerContext) {
        switch part {
        case .body(var bytes):
            body.writeBuffer(&bytes)
            if body.readableBytes > Self.bodyLimit { route(reading, context) }
        case .head, .end:
            if case .end = part, store(reading, context) {
                body = ByteBuffer()
            } else {
                route(reading, context)
                route(part, context)
            }
        }
    }

    // MARK: The ordinary way

    private func route(_ reading: Reading, _ context: ChannelHandlerContext) {
        state = .free
        route(.head(reading.request), context)
        if body.readableBytes > 0 { route(.body(body), context) }
        body = ByteBuffer()
    }

    private func route(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        var part = part
        switch part {
        case .head(var request):
            routed += 1
            isRouting = true
            if !request.isKeepAlive {
                // The router hears this word alone, and no version.
                request.headers.replaceOrAdd(name: "Connection", value: "close")
                part = .head(request)
            }
        case .body: break
        case .end: isRouting = false
        }
        context.fireChannelRead(wrapInboundOut(part))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // To what can't be parsed the router answers although it has no request.
        if case .end = unwrapOutboundIn(data) { routed = max(0, routed - 1) }
        context.write(data, promise: promise)
    }

    // MARK: The lane

    /// Stores a heartbeat, or answers what is wrong with it.
    /// - Returns: Whether this could be decided here
    private func store(_ reading: Reading, _ context: ChannelHandlerContext) -> Bool {
        let head = reading.head
        let heartbeats = parts.heartbeats
        do {
            let message = try heartbeats.message(
                body, arrival: reading.arrival, bearer: head.authorization?.bearerToken, referer: head.referer,
                host: head.host)
            let door = heartbeats.door(
                record: head.cookie(CookieName.sessionRecord.rawValue), login: head.cookie(CookieName.token.rawValue),
                watchSession: head.cookie(CookieName.watchSession.rawValue))
            var source: Beat.Source?
            switch door {
            case nil: break
            case .entry(let named): source = named
            case .login(let token, let entry):
                guard let login = parts.logins.rememberedLogin(token: token) else { return false }
                source = .login(login, entry: entry)
            }
            let heartbeat = try heartbeats.heartbeat(message, cookies: .success(source))
            guard heartbeat.successor == nil else { return false }
            state = .waiting(closes: head.closes)
            let lane = NIOLoopBound(self, eventLoop: context.eventLoop)
            parts.writer.store(heartbeat.beat, on: context.eventLoop) { outcome in
                lane.value.answer(heartbeat, after: outcome)
            }
        } catch {
            answer(bytes(of: error), closes: head.closes)
        }
        return true
    }

    private func answer(_ heartbeat: Heartbeat, after outcome: Result<BeatOutcome, any Error>) {
        // The client may be gone by now.
        guard let context, case .waiting(let closes) = state else { return }
        do {
            let outcome = try outcome.get()
            let entry = try parts.heartbeats.entry(of: heartbeat, after: outcome)
            parts.metrics.beats.add(to: .stored)
            let reply = parts.heartbeats.answer(to: heartbeat, entry: entry, viewing: outcome.viewing)
            answer(parts.bytes.bytes(of: reply), closes: closes)
        } catch {
            answer(bytes(of: error), closes: closes)
        }
        goOn(context)
    }

    private func bytes(of error: any Error) -> ByteBuffer {
        let shown = PublicError(error)
        parts.metrics.beats.add(to: Metrics.BeatOutcome(shown))
        shown.log(error, of: .post, path: HeartbeatRoutes.path, to: parts.logger)
        return parts.bytes.bytes(of: shown)
    }

    private func answer(_ bytes: ByteBuffer, closes: Bool) {
        guard let context else { return }
        state = .free
        write(bytes)
        if closes {
            state = .closed
            context.close(mode: .output, promise: nil)
        } else if !context.channel.isWritable {
            state = .blocked
        }
    }

    private func write(_ bytes: ByteBuffer) {
        exit.writeAndFlush(NIOAny(IOData.byteBuffer(bytes)), promise: nil)
    }

    // MARK: What had to wait

    /// Takes up what came meanwhile, until there is the next heartbeat to wait for.
    private func goOn(_ context: ChannelHandlerContext) {
        var isRouted = false
        loop: while !held.isEmpty {
            switch state {
            case .waiting, .blocked: break loop
            case .free, .reading, .closed: break
            }
            isRouted = true
            switch held.removeFirst() {
            case .part(let part): channelRead(context: context, data: wrapInboundOut(part))
            case .event(let event): userInboundEventTriggered(context: context, event: event)
            case .error(let error): errorCaught(context: context, error: error)
            }
        }
        if isRouted { context.fireChannelReadComplete() }
        if isReadHeld, held.isEmpty {
            isReadHeld = false
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if case .blocked = state, context.channel.isWritable {
            state = .free
            goOn(context)
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        state = .closed
        held.removeAll()
        context.fireChannelInactive()
    }

    /// A client that sends on without waiting for answers is not read any further.
    func read(context: ChannelHandlerContext) {
        if held.isEmpty { context.read() } else { isReadHeld = true }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch (event, state) {
        case (IdleStateHandler.IdleStateEvent.read, .waiting): break
        case (IdleStateHandler.IdleStateEvent.read, _):
            // A request that was read to its end is being answered.
            if routed == 0 || isRouting { context.close(promise: nil) }
        // The end of what the client sends, or of the server: first the answer.
        case (_, .waiting), (_, .blocked): held.append(.event(event))
        case (_, .reading(let reading)):
            route(reading, context)
            context.fireUserInboundEventTriggered(event)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .waiting, .blocked: held.append(.error(error))
        case .reading(let reading):
            route(reading, context)
            context.fireErrorCaught(error)
        case .free, .closed: context.fireErrorCaught(error)
        }
    }
}
