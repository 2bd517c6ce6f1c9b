import Foundation
import Hummingbird

/// Lets pages on listed origins send beats and enter the gate, without cookies: a token says whose they are.
struct CrossOriginMiddleware: RouterMiddleware {
    typealias Context = DwellRequestContext

    /// What pages elsewhere may ask.
    private static let paths: Set<String> = [
        HeartbeatRoutes.path, "/api/verify-temp-access", ViewingRoutes.path,
    ]

    /// By origin.
    private let policies: [String: CORSMiddleware<Context>]

    /// - Parameter origins: Such as `https://www.example.com`
    init(origins: [String]) {
        policies = Dictionary(
            uniqueKeysWithValues: origins.map { origin in
                let policy = CORSMiddleware<Context>(
                    allowOrigin: .custom(origin), allowHeaders: [.authorization, .contentType], allowMethods: [.post],
                    maxAge: .hours(24))
                return (origin, policy)
            })
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard Self.paths.contains(request.uri.path), let origin = request.headers[.origin],
            let policy = policies[origin], URL(string: origin)?.authority != request.head.authority?.lowercased()
        else { return try await next(request, context) }
        var context = context
        context.isFromListedOrigin = true
        var head = request.head
        // Whatever cookies came along were not given to this page.
        head.headerFields[.cookie] = nil
        return try await policy.handle(Request(head: head, body: request.body), context: context) { request, context in
            var response = try await next(request, context)
            response.headers[.setCookie] = nil
            response.headers[.accessControlExposeHeaders] = "retry-after"
            return response
        }
    }
}
