import Foundation
import Hummingbird

/// Refuses what other sites make a browser ask for: every route behind it may change something.
struct CrossSiteMiddleware: RouterMiddleware {
    typealias Context = DwellRequestContext

    /// How people reach the server, when a proxy asks it under another name.
    let publicURL: URL?

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let isOwn = request.headers[.secFetchSite] != "cross-site" && isOwn(request.headers[.origin], request)
        guard isOwn || context.isFromListedOrigin else { throw PublicError.crossSite }
        return try await next(request, context)
    }

    /// Browsers name the page's origin with every request that may change something; other clients need not.
    private func isOwn(_ origin: String?, _ request: Request) -> Bool {
        guard let origin else { return true }
        let own = [publicURL?.authority, request.head.authority?.lowercased()]
        return URL(string: origin)?.authority.map { own.contains($0) } ?? false
    }
}

/// Headers that every answer carries.
struct SecurityHeadersMiddleware: RouterMiddleware {
    typealias Context = DwellRequestContext

    /// Whether people reach the server by https.
    let isSecure: Bool

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.referrerPolicy] = "same-origin"
        // A browser sends its exact model and versions only when asked; device names are made of them.
        response.headers[.acceptClientHints] =
            "Sec-CH-UA-Model, Sec-CH-UA-Platform-Version, Sec-CH-UA-Full-Version-List"
        if isSecure { response.headers[.strictTransportSecurity] = "max-age=31536000" }
        return response
    }
}

extension URL {
    /// Host, and port where one is written, as in a request's `Host`.
    var authority: String? {
        host().map { host in port.map { "\(host):\($0)" } ?? host }?.lowercased()
    }
}
