import DwellAPI
import Foundation
import Hummingbird

/// What programs read about people.
struct ViewerRoutes {
    let viewers: Viewers
    let videos: Videos
    let accounts: AccountAdministration
    let keys: APIKeys
    let attempts: Attempts

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/api/v1/viewers", use: list)
            .get("/api/v1/viewers/{id}", use: detail)
            .get("/api/v1/viewers/{id}/days", use: days)
            .get("/api/v1/viewers/{id}/timeline", use: timeline)
    }

    private func list(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        var (text, cursor, limit) = ("", ViewerCursor?.none, 50)
        for (name, value) in request.parameters {
            switch name {
            case "q": text = value
            case "limit": limit = try ReportRoutes.limit(value)
            case "cursor":
                guard let given = ViewerCursor(value) else { throw ReportRoutes.wrongCursor }
                cursor = given
            default: throw InvalidField(name, expected: "q, limit or cursor")
            }
        }
        return try .json(try await viewers.list(text, after: cursor, limit: limit))
    }

    private func detail(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        try request.refuseParameters()
        let id = try Self.id(context)
        guard let summary = try await viewers.summaries(of: [id]).first else { throw PublicError.notFound }
        let devices =
            if let username = summary.viewer.username { try await accounts.account(username).devices } else {
                [Device]()
            }
        return try .json(
            ViewerDetail(
                summary: summary, devices: devices.map(\.evidence), videos: try await videos.watched(by: [id])))
    }

    private func days(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        var (first, last) = (Int64.min, Int64.max)
        for (name, value) in request.parameters {
            switch name {
            case "from": first = try ReportRoutes.day(value, field: "from")
            case "to": last = try ReportRoutes.day(value, field: "to") - 1
            default: throw InvalidField(name, expected: "from or to")
            }
        }
        guard first <= last else { throw InvalidField("to", expected: "a date after from") }
        guard let days = try await viewers.days(of: try Self.id(context), first...last) else {
            throw PublicError.notFound
        }
        return try .json(days)
    }

    private func timeline(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        var day: Int64?
        for (name, value) in request.parameters {
            guard name == "day" else { throw InvalidField(name, expected: "day") }
            day = try ReportRoutes.day(value, field: "day")
        }
        guard let day else { throw InvalidField("day", expected: "given: a date such as 2026-11-21") }
        guard let timeline = try await viewers.timeline(of: try Self.id(context), day: day) else {
            throw PublicError.notFound
        }
        return try .json(timeline)
    }

    private static func id(_ context: DwellRequestContext) throws -> Int64 {
        guard let id = try? context.parameters.require("id", as: Int64.self) else { throw PublicError.notFound }
        return id
    }
}
