import DwellAPI
import Foundation
import Hummingbird
import NIOCore

/// Where owners see webhooks, and send a delivery again.
extension DashboardRoutes {
    var webhooksShown: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/dashboard/webhooks") { request, _ in try await behindDoor(request, webhookList) }
    }

    var webhookEndpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post("/dashboard/webhooks/replay", use: replay)
    }

    private func replay(_ request: Request, context: DwellRequestContext) async throws -> Response {
        guard let reader = try await operators.operator(by: request.cookie(.signIn)) else {
            return Response.redirect(to: "/dashboard/sign-in?next=%2Fdashboard%2Fwebhooks").with(.noPage)
        }
        try Self.require(.owner, reader)
        guard let id = UUID(uuidString: try await DeliveryForm(request).id) else { throw PublicError.notFound }
        try await webhooks.replay(id, by: WebhookAsker(operator: reader.name, from: context.address))
        return Response.redirect(to: "/dashboard/webhooks").with(.noPage)
    }

    private func webhookList(_ request: Request, reader: Operator) async throws -> Response {
        try Self.require(.owner, reader)
        let place = try Self.place(in: request)
        let list = try await webhooks.list()
        let page = try await webhooks.deliveries(after: place, limit: Self.listLimit)
        return try pages.page(
            .webhooks, title: "Webhooks", for: reader, WebhooksPage(list, page, days: days))
    }

    /// What the button beside a delivery sends.
    private struct DeliveryForm: Decodable {
        let id: String

        init(_ request: Request) async throws {
            self = try await request.form(DeliveryForm.self)
        }
    }
}
