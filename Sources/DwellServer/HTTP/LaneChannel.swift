import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// Connections of HTTP/1.1 on which a handler sees every request before the router does.
struct LaneChannel: ServerChildChannel {
    /// How much is read at once, in bytes: it grows while more comes.
    private static let readSizes = AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 1024, maximum: 65_536)

    private let base: HTTP1Channel
    private let lane: HeartbeatLane.Parts

    /// - Parameters:
    ///   - responder: The router
    ///   - lane: What the handlers of all connections share
    init(responder: @escaping HTTPChannelHandler.Responder, lane: HeartbeatLane.Parts) {
        base = HTTP1Channel(responder: responder)
        self.lane = lane
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { [lane] value in
            // A connection keeps what it reads into: one that idles should not keep more than a beat needs.
            try channel.syncOptions?.setOption(.recvAllocator, value: Self.readSizes)
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let encoder = try pipeline.context(handlerType: HTTPResponseEncoder.self)
            // The base does not see the lane's requests, and would take a connection for idle that has no others.
            try pipeline.addHandlers(
                [PatienceHandler(), HeartbeatLane(lane, exit: encoder)],
                position: .after(decoder))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}

extension HTTPServerBuilder {
    /// Serves HTTP/1.1, heartbeats by the lane and everything else by the router.
    static func http1(lane: HeartbeatLane.Parts) -> HTTPServerBuilder {
        HTTPServerBuilder { LaneChannel(responder: $0, lane: lane) }
    }
}
