import DwellAPI
import Foundation
import Hummingbird

/// What programs read about the installation: devices, gates and who came through them; and, with the scope for it, the
/// audit log, the settings, the operators and the keys.
struct InstallationRoutes {
    let database: any Database
    let devices: Devices
    let operators: Operators
    let keys: APIKeys
    let configuration: ServerConfiguration
    let clock: WallClock
    let attempts: Attempts

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/api/v1/devices", use: deviceList)
            .get("/api/v1/gates", use: gates)
            .get("/api/v1/gates/{name}/visitors", use: visitors)
            .get("/api/v1/audit", use: audit)
            .get("/api/v1/settings", use: settings)
            .get("/api/v1/operators", use: operatorList)
            .get("/api/v1/keys", use: keyList)
    }

    private func deviceList(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        let page = try request.latestPage()
        let (found, next) = try await devices.page(after: page.last, limit: page.limit)
        return try .json(
            DevicePage(
                devices: found.map { OwnedDevice(username: $0.username, device: $0.device.record) },
                nextCursor: next?.text))
    }

    private func gates(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        try request.refuseParameters()
        return try .json(GateList(gates: configuration.gates.map(\.record)), unlessKnownBy: request)
    }

    private func visitors(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        let page = try request.latestPage()
        guard let name = context.parameters.get("name")?.removingPercentEncoding,
            configuration.gates.contains(where: { $0.name == name })
        else { throw PublicError.notFound }
        let (found, next) = try await GateVisitors(database: database, clock: clock)
            .page(of: name, after: page.last, limit: page.limit)
        return try .json(GateVisitorPage(visitors: found.map(\.record), nextCursor: next?.text))
    }

    private func audit(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts, scope: .audit)
        let page = try request.latestPage()
        let (records, next) = try await AuditLog.page(in: database, after: page.last, limit: page.limit)
        return try .json(AuditList(entries: records, nextCursor: next?.text))
    }

    private func settings(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts, scope: .audit)
        try request.refuseParameters()
        return try .json(configuration.record, unlessKnownBy: request)
    }

    private func operatorList(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts, scope: .audit)
        try request.refuseParameters()
        return try .json(OperatorList(operators: try await operators.list().map(\.record)))
    }

    private func keyList(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts, scope: .audit)
        try request.refuseParameters()
        return try .json(KeyList(keys: try await keys.list().map(\.record)))
    }

    /// The answer to `GET /api/v1/audit`: the latest line first.
    private struct AuditList: Encodable {
        let entries: [AuditRecord]
        @Nullable var nextCursor: String?
    }
}

extension Request {
    /// Which page is asked for of a list that has no other parameter and shows the latest first.
    func latestPage() throws(InvalidField) -> (last: LatestCursor, limit: Int) {
        var page = (last: LatestCursor.start, limit: 50)
        for (name, value) in parameters {
            switch name {
            case "limit": page.limit = try ReportRoutes.limit(value)
            case "cursor":
                guard let last = LatestCursor(value) else { throw ReportRoutes.wrongCursor }
                page.last = last
            default: throw InvalidField(name, expected: "limit or cursor")
            }
        }
        return page
    }

    /// - Throws: ``InvalidField`` for the first parameter, where none is known
    func refuseParameters() throws(InvalidField) {
        if let name = parameters.first?.name {
            throw InvalidField(name, expected: "left out: there are no parameters")
        }
    }
}

extension GateRules {
    /// The gate as programs and commands list it.
    var record: GateRecord {
        GateRecord(
            name: name, level: level.rawValue, paths: paths, sites: sites, allow: allow.texts, deny: deny.texts,
            passSeconds: passLifetime / 1000, closes: closesAt)
    }
}

extension Operator {
    /// The operator as programs and commands list them.
    var record: OperatorRecord { OperatorRecord(name: name, role: role.rawValue, createdTime: createdAt) }
}

extension APIKey {
    /// The key as programs and commands list it.
    var record: KeyRecord {
        KeyRecord(name: name, scopes: scopeNames, createdTime: createdAt, lastUsedTime: lastUsedAt)
    }
}

extension ServerConfiguration {
    /// The settings as programs read them.
    fileprivate var record: SettingsRecord {
        SettingsRecord(
            publicUrl: address, store: store.location.description, timeZone: store.timeZone.identifier,
            heartbeatIntervalMs: heartbeatInterval, keepSegmentsDays: keepSegments,
            keepAuditDays: keepAudit / 86_400_000, deviceLimit: devices.quota.limit,
            devicePolicy: devices.quota.policy, loginLifetimeMs: devices.lifetime, loginIdleMs: devices.idle,
            viewingLimit: viewingLimit, maxCreditRate: maxCreditRate, apiRate: apiRate,
            allowedOrigins: allowedOrigins, site: site, mail: mail != nil)
    }
}
