import DwellAPI
import Foundation
import Hummingbird

extension DashboardRoutes {
    /// How many days of a person are drawn.
    private static let personDays: Int64 = 90

    /// People.
    var peoplePages: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/dashboard/people") { request, _ in try await behindDoor(request, people) }
            .get("/dashboard/person") { request, _ in try await behindDoor(request, person) }
    }

    private func people(_ request: Request, reader: Operator) async throws -> Response {
        var (text, cursor) = ("", ViewerCursor?.none)
        for (name, value) in request.parameters {
            switch name {
            case "q": text = value
            case "cursor":
                guard let given = ViewerCursor(value) else {
                    throw InvalidField("cursor", expected: "one that the page before gave")
                }
                cursor = given
            default: throw InvalidField(name, expected: "q or cursor")
            }
        }
        let page = try await viewers.list(text, after: cursor, limit: Self.listLimit)
        return try pages.page(
            .viewers, title: "People", for: reader,
            PeoplePage(page, text: text, isFirst: cursor == nil, days: days))
    }

    private func person(_ request: Request, reader: Operator) async throws -> Response {
        let asked = try AskedPerson(request.parameters)
        var ids: [Int64] = []
        if let id = asked.id {
            ids = [id]
        } else {
            ids = try await viewers.numbers(email: asked.email, username: asked.username)
        }
        let summaries = try await viewers.summaries(of: ids)
        guard let first = summaries.first else { throw PublicError.notFound }
        let last = days.day(of: clock.now())
        let range = last - Self.personDays + 1...last
        let seen = try await viewers.days(of: ids, range)
        var filter = SessionFilter()
        (filter.viewers, filter.cursor, filter.limit) = (ids, asked.cursor, Self.listLimit)
        // An email may be a guest's and an account's.
        let devices =
            if let username = summaries.compactMap(\.viewer.username).first {
                try await accounts.account(username).devices
            } else { [Device]() }
        let day = asked.day ?? seen.last.flatMap { LocalDays.day(ofDate: $0.day) } ?? last
        let page = PersonPage(
            summaries,
            chart: DayChart(ofOne: seen, in: range) { "\(asked.path)&day=\($0)#day" },
            day: try await personDay(day, of: ids, asked, devices),
            videos: try await videos.watched(by: ids, limit: Self.listLimit), devices: devices,
            list: SessionList(try await reports.sessions(filter), on: asked.path, days: days),
            rights: PersonRights(
                asked, name: first.viewer.username ?? first.viewer.email,
                excluded: try await exclusions.list(asked.person), for: reader, days), days)
        return try pages.page(.person, title: page.name, for: reader, page)
    }

    private func personDay(
        _ day: Int64, of ids: [Int64], _ asked: AskedPerson, _ devices: [Device]
    ) async throws -> PersonDay {
        var timelines: [ViewerTimeline] = []
        for id in ids {
            if let timeline = try await viewers.timeline(of: id, day: day) { timelines.append(timeline) }
        }
        let near = try await viewers.neighbours(of: day, ids)
        return PersonDay(
            timelines, day: day, near: near,
            names: Dictionary(uniqueKeysWithValues: devices.map { ($0.id.lowercase, $0.name) }), asked, days)
    }
}

/// Whom a page is about: one number, or everybody whom a name means.
struct AskedPerson {
    var id: Int64?
    var email: String?
    var username: String?
    /// The day whose segments are shown.
    var day: Int64?
    /// Where the list of sessions goes on.
    var cursor: SessionCursor?

    /// - Throws: ``InvalidField``
    init(_ parameters: some Sequence<(name: String, value: String)>) throws(InvalidField) {
        for (name, value) in parameters {
            switch name {
            case "id":
                guard let number = Int64(value) else { throw InvalidField("id", expected: "the number of a person") }
                id = number
            case "email": email = try EmailAddress.normalize(value)
            case "username": username = value
            case "day":
                guard let number = LocalDays.day(ofDate: value) else {
                    throw InvalidField("day", expected: "a date such as 2026-11-21")
                }
                day = number
            case "cursor": cursor = try DashboardRoutes.cursor(value)
            default: throw InvalidField(name, expected: "id, email, username, day or cursor")
            }
        }
        guard id != nil || email != nil || username != nil else {
            throw InvalidField("email", expected: "given, or id, or username")
        }
    }

    /// The field that names the person, and its value.
    var name: (field: String, value: String) {
        if let id { return ("id", "\(id)") }
        return username.map { ("username", $0) } ?? ("email", email ?? "")
    }

    /// The same, for what is done to a person.
    var person: PersonName { id.map { .viewer($0) } ?? .named(email: email, username: username) }

    /// The page, with all but the day and the cursor of its query.
    var path: String { "/dashboard/person?\(name.field)=\(ShownPerson.coded(name.value))" }
}
