package import Hummingbird
package import NIOCore

/// What every route gets beside the request.
package struct DwellRequestContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Where the connection comes from: the client, or a proxy.
    package let peer: SocketAddress?
    /// Whether the request comes from a page on an origin that the operator listed.
    var isFromListedOrigin = false
    /// Where the client is, as far as trusted proxies tell.
    var address: ClientAddress?
    /// What the answer has to say beside itself.
    let answerFields = AnswerFields()

    package init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = source.channel.remoteAddress
    }
}
