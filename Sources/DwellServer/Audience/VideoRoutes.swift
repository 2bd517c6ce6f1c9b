import DwellAPI
import Foundation
import Hummingbird

/// What programs read about videos, and what a person who is logged in reads about their own watching.
struct VideoRoutes {
    let videos: Videos
    let reports: Reports
    let keys: APIKeys
    let logins: Logins
    /// The heartbeat interval, in milliseconds.
    let interval: Int64
    let attempts: Attempts

    /// For who has a key.
    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/api/v1/videos", use: list)
            .get("/api/v1/videos/{id}", use: audience)
            .get("/api/v1/videos/{id}/viewers", use: viewers)
            .get("/api/v1/videos/{id}/live", use: live)
    }

    /// For who is logged in.
    var own: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/api/v1/videos/{id}/progress", use: progress)
    }

    private func list(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        let page = try Self.page(of: request)
        return try .json(try await videos.list(after: page.last, limit: page.limit), unlessKnownBy: request)
    }

    private func audience(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        try request.refuseParameters()
        guard let audience = try await videos.audience(of: try Self.name(context)) else { throw PublicError.notFound }
        return try .json(audience, unlessKnownBy: request)
    }

    private func viewers(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        let page = try Self.page(of: request, withPerson: true)
        let found = try await videos.viewers(
            of: try Self.name(context), email: page.email, username: page.username, after: page.last,
            limit: page.limit)
        guard let found else { throw PublicError.notFound }
        return try .json(found)
    }

    private func live(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        let filter = try ReportRoutes.liveFilter(of: request)
        guard let video = try await videos.number(of: try Self.name(context)) else { throw PublicError.notFound }
        return try .json(
            try await reports.live(interval: interval, video: video, after: filter.cursor, limit: filter.limit))
    }

    private func progress(_ request: Request, context: DwellRequestContext) async throws -> Response {
        let login = try await logins.login(token: request.cookie(.token))
        return try .json(try await videos.progress(of: try Self.name(context), viewer: login.viewer))
    }

    private static func name(_ context: DwellRequestContext) throws -> String {
        let id = try context.parameters.require("id")
        // The router leaves names as they stand in the URL.
        guard let name = id.removingPercentEncoding else { throw PublicError.notFound }
        return name
    }

    /// Which page is asked for.
    private struct Page {
        var last: Int64 = 0
        var limit = 50
        var email: String?
        var username: String?
    }

    private static func page(of request: Request, withPerson: Bool = false) throws(InvalidField) -> Page {
        var page = Page()
        for (name, value) in request.parameters {
            switch name {
            case "limit": page.limit = try ReportRoutes.limit(value)
            case "cursor":
                guard let last = VideoCursor.number(value) else { throw ReportRoutes.wrongCursor }
                page.last = last
            case "email" where withPerson: page.email = try EmailAddress.normalize(value)
            case "username" where withPerson: page.username = value
            default:
                throw InvalidField(
                    name, expected: withPerson ? "email, username, limit or cursor" : "limit or cursor")
            }
        }
        return page
    }
}
