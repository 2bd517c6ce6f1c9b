import Hummingbird

/// Refuses what other sites make a browser ask for: every route behind it may change something.
struct CrossSiteMiddleware: RouterMiddleware {
    typealias Context = DwellRequestContext

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.headers[.secFetchSite] != "cross-site" else { throw PublicError.crossSite }
        return try await next(request, context)
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
