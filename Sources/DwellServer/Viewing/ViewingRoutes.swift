import DwellAPI
import Foundation
import Hummingbird

/// The way to watch here what plays elsewhere.
struct ViewingRoutes {
    static let path = "/api/viewing/take"

    /// `nil` when accounts may play as many videos as they like.
    let viewings: Viewings?
    let beats: HeartbeatRoutes

    var endpoints: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .post(RouterPath(Self.path), use: take)
    }

    private func take(_ request: Request, context: DwellRequestContext) async throws -> Response {
        guard let viewings else { throw PublicError.notFound }
        let body = try JSONBody.decode(TakeBody.self, from: try await request.bodyBytes())
        try BeatRules.check(tab: body.tab, video: body.video)
        let instead = try body.instead.map { text in
            guard let id = UUID(uuidString: text) else {
                throw InvalidField("instead", expected: "the id of a video that plays")
            }
            return id
        }
        // Whose player it is, a beat says that has nothing else to say.
        let entry = try await beats.entry(token: body.token, of: request)
        let tab = TabKey(entry: entry.key, tab: body.tab)
        try await viewings.take(PlayerKey(tab: tab, video: body.video), instead: instead)
        return try .json(TakeReply())
    }
}
