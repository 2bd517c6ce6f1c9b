import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import DwellAPI
@testable import DwellServer

/// What the lane answers itself. That both ways answer the same is seen from outside.
@Suite struct HeartbeatLaneTests {
    @Test(arguments: [
        [], [("Origin", "http://localhost:8080"), ("Sec-Fetch-Site", "same-origin")], [("origin", "https://a.example")],
        [("Referer", "http://localhost:8080/page")], [("Connection", "Keep-Alive")], [("Connection", "close")],
        [("Transfer-Encoding", "chunked")], [("Content-Length", "8192")], [("Expect", "100-continue")],
        [("X-Anything", "ä"), ("X-Anything", "ä")],
    ])
    func `takes beats as browsers send them`(headers: [(String, String)]) async throws {
        #expect(try await withLane { try await $0.isTaken(headers: headers) })
        #expect(try await withLane { try await $0.isTaken(headers: headers, body: "{") })
    }

    @Test(arguments: [
        [("Origin", "https://shop.example")], [("Origin", "https://evil.example")], [("Origin", "null")],
        [("Sec-Fetch-Site", "cross-site")], [("Host", "other")], [("Cookie", "a=b")], [("Referer", "http://ä")],
        [("Connection", "upgrade")], [("Connection", "close, x")], [("Content-Length", "8193")],
        [("Content-Length", "many")], [("Expect", "miracles")], [("Origin", "")],
    ])
    func `hands on what is rare or odd`(headers: [(String, String)]) async throws {
        #expect(try await !withLane { try await $0.isTaken(headers: headers) })
    }

    @Test(arguments: [[], [("Connection", "keep-alive")]])
    func `takes beats of a proxy that speaks an old HTTP`(headers: [(String, String)]) async throws {
        #expect(try await withLane { try await $0.isTaken(headers: headers, version: .http1_0) })
    }

    @Test(arguments: [
        (HTTPMethod.GET, "/api/session-heartbeat"), (.PUT, "/api/session-heartbeat"),
        (.POST, "/api/session-heartbeat?"),
        (.POST, "/api/session-heartbeat/"), (.POST, "/api/session%2Dheartbeat"), (.POST, "/API/session-heartbeat"),
        (.POST, "http://localhost/api/session-heartbeat"), (.POST, "/auth/login"), (.OPTIONS, "*"),
    ])
    func `hands on what is no beat`(method: HTTPMethod, target: String) async throws {
        #expect(try await !withLane { try await $0.isTaken(method: method, target: target) })
    }

    @Test func `hands on a body that takes long to read, as it came`() async throws {
        try await withLane { (lane: TestLane) async throws in
            let body = String(repeating: "x", count: 9000)
            #expect(try await !lane.isTaken(headers: [("Transfer-Encoding", "chunked")], body: body))
            #expect(lane.router.body == body)
        }
    }

    @Test func `hands on what comes while the router is busy, so that no answer overtakes`() async throws {
        try await withLane { (lane: TestLane) async throws in
            #expect(try await !lane.isTaken(method: .GET, target: "/health/live", answered: false))
            #expect(try await !lane.isTaken(answered: false))
            try await lane.answer()
            #expect(try await !lane.isTaken(answered: false))
            try await lane.answer()
            try await lane.answer()
            #expect(try await lane.isTaken())
        }
    }

    /// Asks until it is remembered: on a machine that is busy a node may not have heard the news for a moment.
    private func remembered(_ token: String, by logins: Logins) async throws -> Login? {
        var login: Login?
        try await eventually {
            login = logins.rememberedLogin(token: token)
            if login == nil { _ = try await logins.login(token: token) }
            return login != nil
        }
        return login
    }

    @Test func `takes a login's beats while its device is known to be in use`() async throws {
        try await withLane { (lane: TestLane) async throws in
            let store = lane.store
            let announcements = Announcements(
                database: store.database, clock: store.clock.clock, logger: TestStore.silent)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await announcements.run() }
                try await eventually { announcements.isCurrent }
                let logins = await Logins(
                    secret: TestLane.secret, database: store.database, announcements: announcements,
                    clock: store.clock.clock)
                let device = try await login(store)
                let token = try await logins.token(for: device)
                #expect(logins.rememberedLogin(token: token) == nil)
                let login = try await logins.login(token: token)
                #expect(try await remembered(token, by: logins) == login)
                #expect(logins.rememberedLogin(token: String(token.dropLast())) == nil)
                store.clock.advance(by: DeviceSettings.year)
                #expect(logins.rememberedLogin(token: token) == nil)
                store.clock.advance(by: -DeviceSettings.year)
                #expect(try await remembered(token, by: logins) == login)
                announcements.tellHere(.device, device.id.lowercase)
                #expect(logins.rememberedLogin(token: token) == nil)
                group.cancelAll()
            }
        }
    }

    @Test(arguments: [nil, "AAAA-_"]) func `the answer is what an encoder would write`(token: String?) throws {
        let reply = BeatReply(interval: 180_000, time: 1_795_270_904_485, token: token)
        let encoded = try JSONBody.encode(reply)
        #expect(HeartbeatAnswer(reply: reply).body == encoded)
    }

    private func login(_ store: TestStore) async throws -> Device {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let accounts = Accounts(
            database: store.database, hasher: try PasswordHasher(pool: pool), clock: store.clock.clock,
            devices: DeviceSettings())
        _ = try await accounts.register(
            RegisterBody(
                username: "ada", firstName: "Ada", lastName: "Lovelace", email: "ada@example.com",
                password: "correct horse"))
        let browser = DeviceDescription(
            userAgent: "curl/8.1", hints: ClientHints(), rules: try SharedRules.embedded.get())
        let device = try await accounts.login(
            LoginBody(username: "ada", password: "correct horse"), from: LoginOrigin(description: browser)
        ).device
        try await pool.shutdownGracefully()
        return device
    }

    private func withLane<Value: Sendable>(_ body: (TestLane) async throws -> Value) async throws -> Value {
        let store = try await TestStore()
        return try await store.withWriter { writer in try await body(try await TestLane(store, writer)) }
    }
}

/// A connection with a lane on it, and a guest who beats there.
private struct TestLane {
    static let secret = SecretKey(Data(repeating: 7, count: 32))

    let store: TestStore
    let router = TestRouter()
    private let channel = NIOAsyncTestingChannel()
    private let cookie: String

    init(_ store: TestStore, _ writer: BeatWriter) async throws {
        self.store = store
        let tokens = EntryTokens(secret: Self.secret, clock: store.clock.clock)
        let guest = try await Guest(store, writer)
        cookie = "session_record_id=\(tokens.token(viewer: guest.entry.viewer, entry: guest.entry.id))"
        let parts = HeartbeatLane.Parts(
            heartbeats: Heartbeats(
                tokens: tokens, settings: store.settings, clock: store.clock.clock, publicHost: "a.example"),
            logins: await Logins(secret: Self.secret, database: store.database, clock: store.clock.clock),
            writer: writer,
            bytes: HeartbeatBytes(
                cookies: CookieMaker(isSecure: false), fields: SecurityHeadersMiddleware(isSecure: false).fields),
            ownOrigin: OwnOrigin(publicURL: URL(string: "https://a.example")),
            allowedOrigins: ["https://shop.example"], metrics: Metrics(), logger: TestStore.silent)
        try await channel.testingEventLoop.submit { [channel, router] in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(HTTPResponseEncoder())
            let exit = try pipeline.context(handlerType: HTTPResponseEncoder.self)
            try pipeline.addHandlers([HeartbeatLane(parts, exit: exit), router.handler])
        }.get()
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 80))
    }

    /// Whether a request is answered without the router.
    /// - Parameter answered: Whether the router answers it at once, if it comes to it
    func isTaken(
        method: HTTPMethod = .POST, target: String = "/api/session-heartbeat", headers: [(String, String)] = [],
        version: HTTPVersion = .http1_1, body: String = "", answered: Bool = true
    ) async throws -> Bool {
        let before = router.count
        let head = HTTPRequestHead(
            version: version, method: method, uri: target,
            headers: HTTPHeaders([("Host", "localhost:8080"), ("Cookie", cookie), ("Accept", "*/*")] + headers))
        try await channel.writeInbound(HTTPServerRequestPart.head(head))
        if !body.isEmpty { try await channel.writeInbound(HTTPServerRequestPart.body(ByteBuffer(string: body))) }
        try await channel.writeInbound(HTTPServerRequestPart.end(nil))
        if router.count > before {
            if answered { try await answer() }
            return false
        }
        var bytes = try await channel.waitForOutboundWrite(as: IOData.self)
        if case .byteBuffer(let buffer) = bytes, String(buffer: buffer) == "HTTP/1.1 100 Continue\r\n\r\n" {
            bytes = try await channel.waitForOutboundWrite(as: IOData.self)
        }
        return true
    }

    /// Lets the router answer the oldest request.
    func answer() async throws {
        try await channel.writeOutbound(
            HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: .noContent)))
        try await channel.writeOutbound(HTTPServerResponsePart.end(nil))
        while try await channel.readOutbound(as: IOData.self) != nil {}
    }
}

/// Stands where the router would, and counts what comes to it.
private final class TestRouter: Sendable {
    private let seen = Mutex((count: 0, body: ""))

    var count: Int { seen.withLock { $0.count } }
    /// What came of all bodies.
    var body: String { seen.withLock { $0.body } }
    var handler: any ChannelHandler { Handler(router: self) }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart

        private let router: TestRouter

        init(router: TestRouter) {
            self.router = router
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let part = unwrapInboundIn(data)
            router.seen.withLock { seen in
                switch part {
                case .head: seen.count += 1
                case .body(let bytes): seen.body += String(buffer: bytes)
                case .end: break
                }
            }
        }
    }
}
