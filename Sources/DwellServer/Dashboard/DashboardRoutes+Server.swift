import DwellAPI
import Hummingbird

extension DashboardRoutes {
    /// What the server knows of itself: logins, its log, its settings.
    var serverPages: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/dashboard/devices") { request, _ in try await behindDoor(request, deviceList) }
            .get("/dashboard/audit") { request, _ in try await behindDoor(request, audit) }
            .get("/dashboard/settings") { request, _ in try await behindDoor(request, settings) }
    }

    private func deviceList(_ request: Request, reader: Operator) async throws -> Response {
        let (found, next) = try await devices.page(after: try Self.place(in: request), limit: Self.listLimit)
        return try pages.page(
            .devices, title: "Devices", for: reader, DevicesPage(found, next: next, days: days))
    }

    private func audit(_ request: Request, reader: Operator) async throws -> Response {
        try Self.require(.owner, reader)
        let cursor = try Self.place(in: request)
        let (records, next) = try await AuditLog.page(in: database, after: cursor, limit: Self.listLimit)
        return try pages.page(
            .audit, title: "Audit", for: reader, AuditPage(records, next: next, days: days))
    }

    private func settings(_ request: Request, reader: Operator) async throws -> Response {
        try Self.require(.owner, reader)
        return try pages.page(
            .settings, title: "Settings", for: reader,
            SettingsPage(
                configuration, operators: try await operators.list(),
                rights: RightsLists(
                    try await exclusions.list(), try await erasures.receipts(limit: Self.listLimit).erasures, days)))
    }
}
