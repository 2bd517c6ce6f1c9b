import DwellAPI
import Foundation
import Hummingbird

/// What programs do with webhooks: most of what `dwell webhook` does.
struct WebhookRoutes {
    let webhooks: Webhooks
    let keys: APIKeys
    let attempts: Attempts
    /// Whether a program may name this machine: behind a public address lie services that trust whoever is here, and what
    /// they answer is told.
    let allowsHere: Bool

    /// What may be asked for from anywhere. It changes nothing.
    var shown: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/api/v1/webhooks", use: list)
            .get("/api/v1/webhooks/{id}/deliveries", use: deliveries)
    }

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post("/api/v1/webhooks", use: add)
            .delete("/api/v1/webhooks/{id}", use: remove)
            .post("/api/v1/webhooks/deliveries/{id}/replay", use: replay)
    }

    private func list(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts, scope: .audit)
        return try .json(WebhookList(webhooks: try await webhooks.list()))
    }

    private func add(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let key = try await keys.authenticate(request, context, attempts, scope: .manage)
        let body = try await request.json(WebhookBody.self)
        if !allowsHere, let host = URLComponents(string: body.url)?.host, WebhookRules.isHere(host) {
            throw InvalidField("url", expected: "on another machine: this one is named by `dwell webhook add` alone")
        }
        let added = try await webhooks.add(
            url: body.url, events: body.events, by: WebhookAsker(key: key, from: context.address))
        return try .json(added, status: .created)
    }

    private func remove(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let key = try await keys.authenticate(request, context, attempts, scope: .manage)
        try await webhooks.remove(try Self.id(in: context), by: WebhookAsker(key: key, from: context.address))
        return Response(status: .noContent, headers: .noPage)
    }

    private func deliveries(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts, scope: .audit)
        let page = try request.latestPage()
        return try .json(
            try await webhooks.deliveries(to: try Self.id(in: context), after: page.last, limit: page.limit))
    }

    private func replay(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let key = try await keys.authenticate(request, context, attempts, scope: .manage)
        try await webhooks.replay(try Self.id(in: context), by: WebhookAsker(key: key, from: context.address))
        return Response(status: .accepted, headers: .noPage)
    }

    private static func id(in context: DwellRequestContext) throws -> UUID {
        guard let id = context.parameters.get("id").flatMap(UUID.init(uuidString:)) else { throw PublicError.notFound }
        return id
    }
}
