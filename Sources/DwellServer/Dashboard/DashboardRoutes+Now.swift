import Hummingbird
import NIOCore
import ServiceLifecycle

extension DashboardRoutes {
    /// How often it is looked who is here.
    private static let look = Duration.seconds(2)

    /// Who is here.
    var nowPages: RouteCollection<DwellRequestContext> {
        RouteCollection(context: DwellRequestContext.self)
            .get("/dashboard") { request, _ in try await behindDoor(request, now) }
            .get("/dashboard/live") { request, _ in try await live(request) }
    }

    private func now(_ request: Request, reader: Operator) async throws -> Response {
        try pages.page(.now, title: "Now", for: reader, try await nowPage())
    }

    private func nowPage() async throws -> NowPage {
        NowPage(try await reports.live(interval: configuration.heartbeatInterval), days: days, now: clock.now())
    }

    /// Tells who is here for as long as somebody looks, and is signed in.
    private func live(_ request: Request) async throws -> Response {
        let cookie = request.cookie(.signIn)
        guard try await operators.operator(by: cookie) != nil else { throw PublicError.unauthorized }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream"],
            body: ResponseBody { writer in
                var told = ""
                repeat {
                    guard try await operators.operator(by: cookie) != nil else { break }
                    let html = try pages.people(try await nowPage())
                    // A line that says nothing finds out whether anybody still listens.
                    try await writer.write(ByteBuffer(string: html == told ? ":\n\n" : Self.event(html)))
                    told = html
                } while await Self.pause()
                try await writer.finish(nil)
            }
        ).with(.noPage)
    }

    private static func event(_ text: String) -> String {
        text.split(separator: "\n").map { "data: \($0)\n" }.joined() + "\n"
    }

    /// - Returns: Whether the time went by without a stop of the server, or of the connection
    private static func pause() async -> Bool {
        do {
            try await cancelWhenGracefulShutdown { try await Task.sleep(for: look) }
            return !Task.isCancelled
        } catch {
            return false
        }
    }
}
