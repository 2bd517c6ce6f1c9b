import Foundation
import Hummingbird

/// Finds out where a request comes from.
struct ClientMiddleware: RouterMiddleware {
    typealias Context = DwellRequestContext

    let proxies: TrustedProxies

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.address = proxies.client(of: context.peer, forwarded: request.headers[.forwardedFor])
        return try await next(request, context)
    }
}

/// Refuses what other sites make a browser ask for: every route behind it may change something.
struct CrossSiteMiddleware: RouterMiddleware {
    typealias Context = DwellRequestContext

    let ownOrigin: OwnOrigin

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let isOwn = ownOrigin.isNamed(
            by: request.headers[.origin], site: request.headers[.secFetchSite], host: request.head.authority)
        guard isOwn || context.isFromListedOrigin else { throw PublicError.crossSite }
        return try await next(request, context)
    }
}

/// The origin of the server's own pages.
struct OwnOrigin: Sendable {
    /// Host and port by which people reach the server, when a proxy asks it under another name.
    private let authority: String?

    init(publicURL: URL?) {
        authority = publicURL?.authority
    }

    /// Whether a request comes from a page of this server. Browsers name the page's origin with every request that may
    /// change something; other clients need not.
    /// - Parameters:
    ///   - origin: The request's `Origin`
    ///   - site: Its `Sec-Fetch-Site`
    ///   - host: Its `Host`
    func isNamed(by origin: String?, site: String?, host: String?) -> Bool {
        guard site != "cross-site" else { return false }
        guard let origin else { return true }
        let own = [authority, host?.lowercased()]
        return (Self.plainAuthority(of: origin) ?? URL(string: origin)?.authority).map { own.contains($0) } ?? false
    }

    /// What ``URL/authority`` says of an origin as browsers write nearly all of them, without the cost of a parser.
    private static func plainAuthority(of origin: String) -> String? {
        guard let scheme = ["https://", "http://"].first(where: origin.hasPrefix) else { return nil }
        let authority = origin.utf8.dropFirst(scheme.utf8.count)
        let host = authority.prefix { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        let port = authority[host.endIndex...]
        let isPort =
            port.first == UInt8(ascii: ":") && (2...6).contains(port.count)
            && port.dropFirst().first != UInt8(ascii: "0")
            && port.dropFirst().allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return !host.isEmpty && (port.isEmpty || isPort) ? String(authority) : nil
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
        for field in fields { response.headers[field.name] = field.value }
        return response
    }

    /// The headers.
    var fields: HTTPFields {
        var fields: HTTPFields = [
            .xContentTypeOptions: "nosniff",
            .referrerPolicy: "same-origin",
            // A browser sends its exact model and versions only when asked; device names are made of them.
            .acceptClientHints: "Sec-CH-UA-Model, Sec-CH-UA-Platform-Version, Sec-CH-UA-Full-Version-List",
        ]
        if isSecure { fields[.strictTransportSecurity] = "max-age=31536000" }
        return fields
    }
}

extension URL {
    /// Host, and port where one is written, as in a request's `Host`.
    var authority: String? {
        host().map { host in port.map { "\(host):\($0)" } ?? host }?.lowercased()
    }
}
