import ArgumentParser
import DwellAPI
import DwellServer
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// `dwell-benchmark open-loop PORT --tokens FILE --rate N`: beats at a constant rate, however slow the answers are.
///
/// A beat's latency counts from the moment at which it was due, not from the one at which its connection was free to
/// send it: a server that stands still for a second can't hide the beats that had to wait meanwhile.
///
/// Prints JSON: the number of beats, and their latencies in milliseconds.
struct OpenLoop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "open-loop")

    @Argument var port: Int

    @Option(help: "A file with one token of a session a line.")
    var tokens: String

    @Option(help: "Beats a second, over all connections.")
    var rate: Int

    @Option var connections = 256
    @Option var seconds = 10

    /// What is printed. Latencies are milliseconds.
    private struct Result: Encodable {
        let requests: Int
        let p50: Double
        let p99: Double
        let max: Double
    }

    func run() async throws {
        let lines = try String(contentsOfFile: tokens, encoding: .utf8).split(separator: "\n").map(String.init)
        // One thread: the load must leave the machine to the server.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let count = max(1, rate * seconds / connections)
        let began = WallClock.system.now() - LiveSessions.age
        let all = try (0..<connections).map { index in
            // A session has its connection, as a browser does.
            let own = stride(from: index % lines.count, to: lines.count, by: connections).map { lines[$0] }
            let latencies = loop.makePromise(of: [Int64].self)
            let channel = ClientBootstrap(group: group)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(
                            OpenLoopSender(tokens: own, began: began, count: count, latencies: latencies))
                    }
                }
                .connect(host: "127.0.0.1", port: port)
            return (channel: try channel.wait(), latencies: latencies.futureResult)
        }
        let start = NIODeadline.now() + .milliseconds(100)
        let pause = 1_000_000_000 / Int64(rate)
        for (index, connection) in all.enumerated() {
            connection.channel.pipeline.fireUserInboundEventTriggered(
                Timetable(
                    first: start + .nanoseconds(Int64(index) * pause),
                    pause: .nanoseconds(Int64(connections) * pause)))
        }
        let sorted = try await EventLoopFuture.whenAllSucceed(all.map(\.latencies), on: loop).get()
            .flatMap(\.self).sorted()
        func percentile(_ part: Double) -> Double {
            Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]) / 1_000_000
        }
        let result = Result(
            requests: sorted.count, p50: percentile(0.5), p99: percentile(0.99), max: percentile(1))
        print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
        try await group.shutdownGracefully()
    }
}

/// When a connection's beats are due.
private struct Timetable: Sendable {
    let first: NIODeadline
    let pause: TimeAmount
}

/// Sends a connection's beats, each when it is due or, when the answer before it is late, right after that.
private final class OpenLoopSender: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// Why a measurement is worth nothing.
    private enum Failure: Error {
        case status(HTTPResponseStatus)
        case closed
    }

    private let tokens: [String]
    private let began: Timestamp
    private let count: Int
    private let promise: EventLoopPromise<[Int64]>
    private var due = NIODeadline.now()
    private var pause = TimeAmount.zero
    /// In nanoseconds.
    private var latencies: [Int64] = []

    init(tokens: [String], began: Timestamp, count: Int, latencies: EventLoopPromise<[Int64]>) {
        self.tokens = tokens
        self.began = began
        self.count = count
        promise = latencies
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let timetable = event as? Timetable else { return context.fireUserInboundEventTriggered(event) }
        (due, pause) = (timetable.first, timetable.pause)
        waitAndSend(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head) where head.status != .ok: fail(Failure.status(head.status), context)
        case .end:
            latencies.append((NIODeadline.now() - due).nanoseconds)
            guard latencies.count < count else {
                promise.succeed(latencies)
                return context.close(promise: nil)
            }
            due = due + pause
            waitAndSend(context)
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(Failure.closed)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(error, context)
    }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        promise.fail(error)
        context.close(promise: nil)
    }

    private func waitAndSend(_ context: ChannelHandlerContext) {
        guard due > .now() else { return send(context) }
        context.eventLoop.assumeIsolated().scheduleTask(deadline: due) { self.send(context) }
    }

    private func send(_ context: ChannelHandlerContext) {
        let token = tokens[latencies.count % tokens.count]
        let body = ByteBuffer(string: beatBody(token: token, from: began, to: WallClock.system.now()))
        let head = HTTPRequestHead(
            version: .http1_1, method: .POST, uri: "/api/session-heartbeat",
            headers: [
                "host": "localhost", "content-type": "text/plain;charset=UTF-8",
                "content-length": "\(body.readableBytes)",
            ])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

/// The body that dwell.js sends while a page is looked at: its one open segment. `heartbeat.lua` sends the same.
private func beatBody(token: String, from: Timestamp, to: Timestamp) -> String {
    """
    {"v":1,"sentAt":\(to.milliseconds),"token":"\(token)","segments":[{"tab":"\(LiveSessions.tab)","n":0,\
    "from":\(from.milliseconds),"to":\(to.milliseconds),"attention":"active","page":"/page-1"}]}
    """
}
