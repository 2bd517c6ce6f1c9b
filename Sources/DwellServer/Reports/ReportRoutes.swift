import DwellAPI
import Foundation
import Hummingbird

/// What programs read: sessions, the evidence for one, who is here now, what a page or a video brought, and what days did.
struct ReportRoutes {
    let reports: Reports
    let keys: APIKeys
    let days: LocalDays
    let clock: WallClock
    /// The heartbeat interval, in milliseconds.
    let interval: Int64
    let attempts: Attempts

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/api/v1/sessions", use: sessions)
            .get("/api/v1/sessions/{id}", use: evidence)
            .get("/api/v1/live", use: live)
            .get("/api/v1/contents", use: content)
            .get("/api/v1/overview", use: overview)
    }

    private func sessions(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        return try .json(try await reports.sessions(try filter(of: request)))
    }

    private func evidence(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        guard let id = try? context.parameters.require("id", as: Int64.self),
            let evidence = try await reports.evidence(session: id)
        else { throw PublicError.notFound }
        return try .json(evidence)
    }

    private func live(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        let filter = try Self.liveFilter(of: request)
        return try .json(try await reports.live(interval: interval, after: filter.cursor, limit: filter.limit))
    }

    private func content(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        var asked: [(ContentKind, String)] = []
        var scope = Reports.Scope()
        for (name, value) in request.parameters {
            switch name {
            case "page": asked.append((.page, value))
            case "video": asked.append((.video, value))
            case "email": scope.email = try EmailAddress.normalize(value)
            case "username": scope.username = value
            case "from": scope.firstDay = try Self.day(value, field: "from")
            case "to": scope.lastDay = try Self.day(value, field: "to") - 1
            default: throw InvalidField(name, expected: "page, video, email, username, from or to")
            }
        }
        guard asked.count == 1, let (kind, name) = asked.first else {
            throw InvalidField("page", expected: "given, or video: one of the two, once")
        }
        guard let totals = try await reports.content(kind, name, scope) else { throw PublicError.notFound }
        return try .json(totals, unlessKnownBy: request)
    }

    private func overview(_ request: Request, context: DwellRequestContext) async throws -> Response {
        try await keys.authenticate(request, context, attempts)
        let filter = try OverviewFilter(request.parameters, dates: .toExcluded, today: days.day(of: clock.now()))
        let found = try await reports.comparison(filter.scope, filter.days, of: filter.content)
        return try .json(OverviewTotals(found))
    }

    /// Which page of those who are here is asked for.
    static func liveFilter(of request: Request) throws(InvalidField) -> SessionFilter {
        var filter = SessionFilter()
        for (name, value) in request.parameters {
            switch name {
            case "limit": filter.limit = try limit(value)
            case "cursor": filter.cursor = try cursor(value)
            default: throw InvalidField(name, expected: "limit or cursor")
            }
        }
        return filter
    }

    private func filter(of request: Request) throws(InvalidField) -> SessionFilter {
        var filter = SessionFilter()
        for (name, value) in request.parameters {
            switch name {
            case "email": filter.email = try EmailAddress.normalize(value)
            case "username": filter.username = value
            case "page": filter.page = value
            case "video": filter.video = value
            case "from": filter.from = try days.time(value, field: "from")
            case "to": filter.to = try days.time(value, field: "to")
            case "limit": filter.limit = try Self.limit(value)
            case "cursor": filter.cursor = try Self.cursor(value)
            default:
                throw InvalidField(
                    name, expected: "a filter: email, username, page, video, from, to, limit or cursor")
            }
        }
        return filter
    }

    static func limit(_ text: String) throws(InvalidField) -> Int {
        guard let limit = Int(text), (1...SessionFilter.pageLimit).contains(limit) else {
            throw InvalidField("limit", expected: "a whole number from 1 to \(SessionFilter.pageLimit)")
        }
        return limit
    }

    private static func cursor(_ text: String) throws(InvalidField) -> SessionCursor {
        guard let cursor = SessionCursor(text) else { throw wrongCursor }
        return cursor
    }

    static let wrongCursor = InvalidField("cursor", expected: "the nextCursor of the page before")

    /// Statistics are kept by whole days.
    static func day(_ text: String, field: String) throws(InvalidField) -> Int64 {
        guard let day = LocalDays.day(ofDate: text) else {
            throw InvalidField(field, expected: "a date such as 2026-11-21")
        }
        return day
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
