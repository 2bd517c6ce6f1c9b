import DwellAPI
import Foundation
import Hummingbird

/// The list of devices, and the ways to name and to end one.
struct DeviceRoutes {
    let devices: Devices
    let logins: Logins

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/devices/list", use: list)
            .delete("/devices/remove/{id}", use: remove)
            .post("/devices/remove/{id}", use: remove)
            .patch("/devices/rename/{id}", use: rename)
            .post("/devices/rename/{id}", use: rename)
    }

    private func list(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let login = try await logins.login(token: request.cookie(.token))
        let (list, quota) = try await devices.list(of: login)
        let records = list.map { device in
            var record = device.record
            record.isCurrent = device.id == login.device
            return record
        }
        return try .json(
            DeviceListReply(
                userID: login.account.lowercase, devices: records, limit: quota.limit, policy: quota.policy))
    }

    private func remove(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let login = try await logins.login(token: request.cookie(.token))
        try await devices.remove(try Self.id(context), by: login, from: context.address)
        return try .json(MessageReply("Device Deleted from the access list"))
    }

    private func rename(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let login = try await logins.login(token: request.cookie(.token))
        let body = try await request.json(RenameBody.self)
        try await devices.rename(try Self.id(context), to: body.deviceName, by: login, from: context.address)
        return try .json(MessageReply("Device Renamed"))
    }

    private static func id(_ context: DwellRequestContext) throws -> UUID {
        guard let id = context.parameters.get("id").flatMap(UUID.init(uuidString:)) else { throw DeviceError.notFound }
        return id
    }
}
