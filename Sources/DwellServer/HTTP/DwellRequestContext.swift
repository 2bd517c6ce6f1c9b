package import Hummingbird

/// What every route gets beside the request.
package struct DwellRequestContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Whether the request comes from a page on an origin that the operator listed.
    var isFromListedOrigin = false

    package init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
    }
}
