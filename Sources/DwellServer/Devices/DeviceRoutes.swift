import DwellAPI
import Foundation
import Hummingbird

/// The list of devices, and the way to end one.
struct DeviceRoutes {
    let devices: Devices
    let logins: Logins

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/devices/list", use: list)
            .delete("/devices/remove/{id}", use: remove)
            .post("/devices/remove/{id}", use: remove)
    }

    private func list(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let login = try await logins.login(token: request.cookie(.token))
        let list = try await devices.list(of: login)
        return try .json(DeviceListReply(userID: login.account.lowercase, devices: list.map(\.record)))
    }

    private func remove(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let login = try await logins.login(token: request.cookie(.token))
        guard let id = context.parameters.get("id").flatMap(UUID.init(uuidString:)) else { throw DeviceError.notFound }
        try await devices.remove(id, by: login)
        return try .json(MessageReply("Device Deleted from the access list"))
    }
}
