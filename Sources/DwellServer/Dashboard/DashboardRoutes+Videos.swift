import Hummingbird

extension DashboardRoutes {
    /// Videos, and who watched them.
    var videoPages: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/dashboard/videos") { request, _ in try await behindDoor(request, list) }
            .get("/dashboard/video") { request, _ in try await behindDoor(request, video) }
    }

    private func list(_ request: Request, reader: Operator) async throws -> Response {
        var last: Int64 = 0
        for (name, value) in request.parameters {
            guard name == "cursor", let given = VideoCursor.number(value) else {
                throw InvalidField(name, expected: "cursor, one that the page before gave")
            }
            last = given
        }
        let page = try await videos.list(after: last, limit: Self.listLimit)
        return try pages.page(.videos, title: "Videos", for: reader, VideoList(page))
    }

    private func video(_ request: Request, reader: Operator) async throws -> Response {
        var video: String?
        var last: Int64 = 0
        for (name, value) in request.parameters {
            switch name {
            case "name": video = value
            case "cursor":
                guard let given = VideoCursor.number(value) else {
                    throw InvalidField("cursor", expected: "one that the page before gave")
                }
                last = given
            default: throw InvalidField(name, expected: "name or cursor")
            }
        }
        guard let video else { throw InvalidField("name", expected: "given: the name of a video") }
        guard let audience = try await videos.audience(of: video),
            let viewers = try await videos.viewers(of: video, after: last, limit: Self.listLimit)
        else { throw PublicError.notFound }
        return try pages.page(
            .audience, title: video, for: reader, AudiencePage(audience, viewers: viewers, days: days))
    }
}
