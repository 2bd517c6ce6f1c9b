import NIOCore
import NIOHTTP1

/// Tells when a connection has stood idle for too long, or a client takes too long for a request: one that sends a byte now
/// and then is as slow as one that sends none. It stands behind the decoder, so half a head is nothing.
final class PatienceHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private static let time = TimeAmount.seconds(75)

    /// When the last request came to its end, or this one began.
    private var since = NIODeadline.now()
    private var timer: Scheduled<Void>?

    func handlerAdded(context: ChannelHandlerContext) {
        wait(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head, .end: since = .now()
        case .body: break
        }
        context.fireChannelRead(data)
    }

    private func wait(_ context: ChannelHandlerContext) {
        let place = NIOLoopBound(context, eventLoop: context.eventLoop)
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: since + Self.time) {
            handler.value.look(place.value)
        }
    }

    private func look(_ context: ChannelHandlerContext) {
        if NIODeadline.now() >= since + Self.time {
            since = .now()
            context.fireUserInboundEventTriggered(IdleStateHandler.IdleStateEvent.read)
        }
        // The event may have closed the connection.
        if context.channel.isActive { wait(context) }
    }
}
