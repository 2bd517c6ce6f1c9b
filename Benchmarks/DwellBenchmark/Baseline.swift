import ArgumentParser
import Hummingbird
import NIOCore
import NIOHTTP1
import NIOPosix

/// Servers that answer heartbeats and do less than Dwell does. Each says where it is and runs until it is ended.
struct Baseline: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baseline", subcommands: [NoOp.self, Discard.self, OneUpdate.self])

    /// `dwell-benchmark baseline no-op`: a Hummingbird route that does nothing.
    struct NoOp: AsyncParsableCommand {
        func run() async throws {
            try await serve { true }
        }
    }

    /// `dwell-benchmark baseline one-update URL`: a row moved by each request.
    struct OneUpdate: AsyncParsableCommand {
        @Argument var url: String

        func run() async throws {
            let store = try UpdateStore(url: url)
            try await serve {
                try await store.update()
                return true
            }
        }
    }

    /// `dwell-benchmark baseline discard`: SwiftNIO alone, which reads requests to their end and forgets them.
    struct Discard: AsyncParsableCommand {
        func run() async throws {
            let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
            let channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 1024)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                        try channel.pipeline.syncOperations.addHandler(DiscardHandler())
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            announce(port: channel.localAddress?.port ?? 0)
            try await channel.closeFuture.get()
        }
    }

    /// Answers heartbeats with what `body` says of each.
    private static func serve(_ body: @escaping @Sendable () async throws -> Bool) async throws {
        let router = Router()
        router.post("/api/session-heartbeat") { _, _ in "{\"success\":\(try await body())}" }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { announce(port: $0.localAddress?.port ?? 0) })
        try await application.runService()
    }
}

/// Answers each request when it is over, without a look at it.
private final class DiscardHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private static let answer = ByteBuffer(string: "{\"success\":true}")
    private static let head = HTTPResponseHead(
        version: .http1_1, status: .ok,
        headers: ["content-type": "application/json; charset=utf-8", "content-length": "\(answer.readableBytes)"])

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        context.write(wrapOutboundOut(.head(Self.head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(Self.answer))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
