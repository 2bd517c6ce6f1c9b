import Foundation
import Synchronization
import Testing

@testable import DwellAPI
@testable import DwellServer

/// What becomes of events on their way.
@Suite struct WebhookCourierTests {
    /// An endpoint that answers as it is told.
    private final class Endpoint: Sendable {
        private let state = Mutex((answer: WebhookAnswer(status: 200), requests: [WebhookRequest]()))

        init(_ answer: WebhookAnswer = WebhookAnswer(status: 200)) { state.withLock { $0.answer = answer } }

        var requests: [WebhookRequest] { state.withLock { $0.requests } }
        func answer(_ answer: WebhookAnswer) { state.withLock { $0.answer = answer } }

        func take(_ request: WebhookRequest) -> WebhookAnswer {
            state.withLock { state in
                state.requests.append(request)
                return state.answer
            }
        }
    }

    @Test func `a refused event comes again and again under the same id, signed anew, until it is taken`() async throws
    {
        let store = try await TestStore()
        try await store.listen(to: [.gateEntered])
        let endpoint = Endpoint(WebhookAnswer(status: 500))
        let metrics = Metrics()
        let courier = courier(store, endpoint, metrics)
        _ = try await store.gate.enter(email: "ada@example.com")
        try await courier.deliverDue()
        try await courier.deliverDue()
        #expect(endpoint.requests.count == 1)
        let waiting = try #require(try await log(store).first)
        #expect(waiting.state == .waiting && waiting.status == 500 && waiting.error == "answered 500")
        store.clock.advance(by: 6000)
        try await courier.deliverDue()
        endpoint.answer(WebhookAnswer(status: 204))
        store.clock.advance(by: 331_000)
        try await courier.deliverDue()
        store.clock.advance(by: 86_400_000)
        try await courier.deliverDue()
        #expect(endpoint.requests.count == 3)
        #expect(Set(endpoint.requests.map { $0.headers["webhook-id"] }).count == 1)
        #expect(Set(endpoint.requests.map { $0.headers["webhook-signature"] }).count == 3)
        let delivered = try #require(try await log(store).first)
        #expect(delivered.state == .delivered && delivered.attempts == 3 && delivered.nextTime == nil)
        #expect(metrics.deliveries.counts.map(\.count) == [1, 2, 0])
    }

    @Test func `after ten tries it is given up, and goes on when it is replayed`() async throws {
        let store = try await TestStore()
        try await store.listen(to: [.gateEntered])
        let endpoint = Endpoint(WebhookAnswer(complaint: "no route"))
        let courier = courier(store, endpoint)
        _ = try await store.gate.enter(email: "ada@example.com")
        for _ in 0..<20 {
            try await courier.deliverDue()
            store.clock.advance(by: 2 * 86_400_000)
        }
        #expect(endpoint.requests.count == 10)
        let failed = try #require(try await log(store).first)
        #expect(failed.state == .failed && failed.error == "no route")
        endpoint.answer(WebhookAnswer(status: 200))
        let webhooks = Webhooks(database: store.database, clock: store.clock.clock)
        #expect(try await webhooks.replayFailed(since: store.clock.now) == 0)
        #expect(try await webhooks.replayFailed(since: Timestamp(milliseconds: 0)) == 1)
        try await courier.deliverDue()
        #expect(try await log(store).map(\.state) == [.delivered])
        try await webhooks.replay(try #require(UUID(uuidString: failed.id)))
        try await courier.deliverDue()
        #expect(endpoint.requests.count == 12)
        #expect(Set(endpoint.requests.map { $0.headers["webhook-id"] }).count == 1)
    }

    @Test func `an endpoint that answers 410 is told nothing more, until it is in use again`() async throws {
        let store = try await TestStore()
        let id = try await store.listen(to: [.gateEntered])
        let endpoint = Endpoint(WebhookAnswer(status: 410))
        let courier = courier(store, endpoint)
        for name in ["ada", "beryl"] { _ = try await store.gate.enter(email: "\(name)@example.com") }
        try await courier.deliverDue()
        _ = try await store.gate.enter(email: "cid@example.com")
        #expect(endpoint.requests.count == 1)
        #expect(try await log(store).map(\.state) == [.failed, .failed])
        let webhooks = Webhooks(database: store.database, clock: store.clock.clock)
        #expect(try await webhooks.list().first?.disabledTime == store.clock.now)
        let noted = try await AuditLog.entries(
            in: store.database, since: store.clock.now, event: .webhookDisabling)
        #expect(noted.count == 1)
        let first = try #require(UUID(uuidString: try await log(store)[0].id))
        await #expect(throws: WebhookError.disabled) { try await webhooks.replay(first) }
        try await webhooks.enable(id)
        endpoint.answer(WebhookAnswer(status: 200))
        #expect(try await webhooks.replayFailed(since: Timestamp(milliseconds: 0)) == 2)
        try await courier.deliverDue()
        #expect(endpoint.requests.count == 3)
    }

    @Test func `of many nodes one delivers, and another when that one is gone`() async throws {
        let store = try await TestStore()
        try await store.listen(to: [.gateEntered])
        for number in 0..<10 { _ = try await store.gate.enter(email: "v\(number)@example.com") }
        let endpoint = Endpoint()
        try await withThrowingTaskGroup { group in
            for _ in 0..<4 { group.addTask { try await courier(store, endpoint).deliverDue() } }
            try await group.waitForAll()
        }
        #expect(endpoint.requests.count == 10)
        #expect(Set(endpoint.requests.map { $0.headers["webhook-id"] }).count == 10)

        _ = try await store.gate.enter(email: "ada@example.com")
        let killed = WebhookCourier(database: store.database, clock: store.clock.clock, logger: TestStore.silent) { _ in
            throw CancellationError()
        }
        await #expect(throws: CancellationError.self) { try await killed.deliverDue() }
        try await courier(store, endpoint).deliverDue()
        #expect(endpoint.requests.count == 10)
        store.clock.advance(by: 30_000)
        try await courier(store, endpoint).deliverDue()
        #expect(endpoint.requests.count == 11)
    }

    @Test func `an endpoint that never answers holds up no other`() async throws {
        let store = try await TestStore()
        for number in 0..<3 { try await store.listen(to: [.gateEntered], url: "http://localhost/slow\(number)") }
        try await store.listen(to: [.gateEntered], url: "http://localhost/quick")
        let endpoint = Endpoint()
        let courier = WebhookCourier(database: store.database, clock: store.clock.clock, logger: TestStore.silent) {
            if $0.url.contains("slow") { try await Task.sleep(for: .seconds(3600)) }
            return endpoint.take($0)
        }
        for number in 0..<5 { _ = try await store.gate.enter(email: "v\(number)@example.com") }
        try await withThrowingTaskGroup { group in
            group.addTask { try await courier.run() }
            try await eventually { endpoint.requests.count == 5 }
            group.cancelAll()
        }
    }

    @Test func `who is forgotten is told of no more`() async throws {
        let store = try await TestStore()
        try await store.listen()
        _ = try await store.addAccount()
        let accounts = AccountAdministration(database: store.database, clock: store.clock.clock)
        #expect(try await accounts.disable("beryl") == 1)
        #expect(try await log(store).map(\.type) == [.deviceRemoved])
        _ = try await store.erasures.begin(.named(email: nil, username: "beryl"), by: .commandLine)
        #expect(try await log(store) == [])
    }

    @Test func `nobody can have more endpoints than there are threads for`() async throws {
        let store = try await TestStore()
        for _ in 0..<WebhookRules.limit { try await store.listen() }
        await #expect(throws: InvalidField.self) { try await store.listen() }
    }

    @Test func `the log is kept for 30 days, and what is on its way longer`() async throws {
        let store = try await TestStore()
        try await store.listen(to: [.gateEntered])
        let endpoint = Endpoint()
        _ = try await store.gate.enter(email: "ada@example.com")
        try await courier(store, endpoint).deliverDue()
        _ = try await store.gate.enter(email: "beryl@example.com")
        let webhooks = Webhooks(database: store.database, clock: store.clock.clock)
        store.clock.advance(by: WebhookRules.kept)
        try await webhooks.removeOld()
        #expect(try await log(store).count == 2)
        store.clock.advance(by: 1)
        try await webhooks.removeOld()
        #expect(try await log(store).map(\.state) == [.waiting])
    }

    private func courier(
        _ store: TestStore, _ endpoint: Endpoint, _ metrics: Metrics = Metrics()
    ) -> WebhookCourier {
        WebhookCourier(
            database: store.database, clock: store.clock.clock, metrics: metrics, logger: TestStore.silent
        ) { endpoint.take($0) }
    }

    private func log(_ store: TestStore) async throws -> [WebhookDelivery] {
        try await Webhooks(database: store.database, clock: store.clock.clock).deliveries(limit: 100).deliveries
    }
}
