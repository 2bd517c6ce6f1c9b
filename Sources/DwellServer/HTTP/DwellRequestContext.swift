package import Hummingbird

/// What every route gets beside the request.
package struct DwellRequestContext: RequestContext {
    package var coreContext: CoreRequestContextStorage

    package init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
    }
}
