import DwellAPI
import Foundation
import Hummingbird

/// Sessions for programs: `GET /api/v1/sessions`, and `/api/v1/sessions/N` with the evidence.
struct SessionRoutes {
    let reports: Reports
    let keys: APIKeys
    let days: LocalDays

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/api/v1/sessions", use: list)
            .get("/api/v1/sessions/{id}", use: show)
    }

    private func show(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await authenticate(request)
        guard let id = try? context.parameters.require("id", as: Int64.self),
            let evidence = try await reports.evidence(session: id)
        else { throw PublicError.notFound }
        return try .json(evidence)
    }

    private func list(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await authenticate(request)
        return try .json(try await reports.sessions(try filter(of: request)))
    }

    /// Lets in who has a key.
    private func authenticate(_ request: Request) async throws {
        guard let key = request.bearerToken, try await keys.isValid(key) else {
            var error = PublicError.unauthorized
            error.headers[.wwwAuthenticate] = "Bearer"
            throw error
        }
    }

    private func filter(of request: Request) throws(InvalidField) -> SessionFilter {
        var filter = SessionFilter()
        for (name, value) in request.uri.queryParameters {
            let value = String(value)
            switch name {
            case "email": filter.email = try EmailAddress.normalize(value)
            case "username": filter.username = value
            case "page": filter.page = value
            case "video": filter.video = value
            case "from": filter.from = try days.time(value, field: "from")
            case "to": filter.to = try days.time(value, field: "to")
            case "limit":
                guard let limit = Int(value), (1...SessionFilter.pageLimit).contains(limit) else {
                    throw InvalidField("limit", expected: "a whole number from 1 to \(SessionFilter.pageLimit)")
                }
                filter.limit = limit
            case "cursor":
                guard let cursor = SessionCursor(value) else {
                    throw InvalidField("cursor", expected: "the nextCursor of the page before")
                }
                filter.cursor = cursor
            default:
                throw InvalidField(
                    String(name), expected: "a filter: email, username, page, video, from, to, limit or cursor")
            }
        }
        return filter
    }
}

extension LocalDays {
    /// A time that a person or a program wrote: ISO 8601, or a date, which means its first moment here.
    func time(_ text: String, field: String) throws(InvalidField) -> Timestamp {
        if let time = Timestamp(text) { return time }
        if let day = LocalDays.day(ofDate: text) { return range(of: day).lowerBound }
        throw InvalidField(field, expected: "a date such as 2026-11-21 or a time such as 2026-11-21T07:30:00Z")
    }
}
