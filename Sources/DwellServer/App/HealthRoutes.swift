import Hummingbird
import Logging

/// For load balancers and supervisors.
struct HealthRoutes {
    let database: any Database

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/health/live") { _, _ in try Response.json(["status": "live"]) }
            .get("/health/ready", use: ready)
    }

    private func ready(_ request: Request, context: DwellRequestContext) async throws -> Response {
        do {
            _ = try await database.read { try $0.row("SELECT number FROM schema_migration LIMIT 1") }
            return try .json(["status": "ready"])
        } catch {
            context.logger.error("not ready", metadata: ["cause": "\(error)"])
            return try .json(["status": "not ready"], status: .serviceUnavailable)
        }
    }
}
