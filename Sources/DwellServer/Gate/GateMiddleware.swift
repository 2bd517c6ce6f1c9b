import Foundation
import HTTPTypes
import Hummingbird

/// Sends who asks for a page behind a gate without its pass to the gate.
struct GateMiddleware: RouterMiddleware {
    typealias Context = DwellRequestContext

    let site: Site
    let gates: Gates

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        // Files are served to these two only; heartbeats must not pay for a look at the disk.
        guard [.get, .head].contains(request.method) else { return try await next(request, context) }
        guard let path = request.uri.path.removingPercentEncoding else { throw HTTPError(.badRequest) }
        let guarding = gates.guarding(site.places(of: path))
        guard !guarding.isEmpty else { return try await next(request, context) }
        for gate in guarding where try await gate.holder(ofPass: request.cookie(.access(to: gate.rules))) == nil {
            let target = request.uri.path + (request.uri.query.map { "?\($0)" } ?? "")
            var response = Response.redirect(to: gate.rules.page(for: target), type: .normal)
            response.headers[.cacheControl] = "private, no-store"
            return response
        }
        var response = try await next(request, context)
        response.headers[.cacheControl] = "private, no-store"
        return response
    }
}

/// Keeps Hummingbird's file middleware from ranges that it gets wrong: it takes the last bytes for the first, and
/// answers a start past the end with a negative length. A server may ignore a range; one past the end gets 416.
struct RangeMiddleware: RouterMiddleware {
    typealias Context = DwellRequestContext

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var served = request
        if let range = request.headers[.range], range.wholeMatch(of: /bytes=\d{1,15}-\d{0,15}/) == nil {
            var head = request.head
            head.headerFields[.range] = nil
            served = Request(head: head, body: request.body)
        }
        let response = try await next(served, context)
        let length = response.headers[.contentLength].flatMap { Int($0) } ?? 1
        guard response.status == .partialContent, length <= 0 else { return response }
        throw HTTPError(.rangeNotSatisfiable)
    }
}
