import DwellAPI
import Foundation
package import Logging
internal import ServiceLifecycle
import Synchronization

/// Delivers events in the background. Each endpoint has its own line, one delivery at a time: an endpoint that is slow or
/// dead holds up nobody but itself. A delivery is one node's for as long as trying it can take.
package struct WebhookCourier: Service {
    /// Sends a request, and tells what came of it.
    package typealias Send = @Sendable (WebhookRequest) async throws -> WebhookAnswer

    /// For how long a delivery is one node's, in milliseconds: longer than trying it can take.
    private static let turn: Int64 = 30_000

    private let database: any Database
    private let clock: WallClock
    private let metrics: Metrics
    private let logger: Logger
    private let send: Send
    private let busy = Lines()

    /// The endpoints that something is on its way to from here.
    private final class Lines: Sendable {
        private let ids = Mutex<Set<UUID>>([])

        func begin(_ id: UUID) -> Bool { ids.withLock { $0.insert(id).inserted } }
        func end(_ id: UUID) { ids.withLock { _ = $0.remove(id) } }
    }

    /// - Parameters:
    ///   - database: Where deliveries wait
    ///   - clock: Says whose turn it is
    ///   - metrics: Counts tries
    ///   - logger: Told of what fails, never of what is sent
    ///   - send: Such as ``WebhookClient/post(_:)``
    package init(
        database: any Database, clock: WallClock, metrics: Metrics = Metrics(), logger: Logger, send: @escaping Send
    ) {
        self.database = database
        self.clock = clock
        self.metrics = metrics
        self.logger = logger
        self.send = send
    }

    /// Delivers until a graceful stop.
    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withDiscardingTaskGroup { group in
                var isAway = false
                while !Task.isCancelled {
                    do {
                        for id in try await due() where busy.begin(id) {
                            group.addTask {
                                await drain(id)
                                busy.end(id)
                            }
                        }
                        isAway = false
                    } catch {
                        if !isAway, !Task.isCancelled {
                            logger.error("webhooks not read", metadata: ["cause": "\(error)"])
                        }
                        isAway = true
                    }
                    try? await Task.sleep(for: .milliseconds(500))
                }
            }
        }
    }

    /// Delivers what is due now, everything once, and returns when that is done.
    package func deliverDue() async throws {
        for id in try await due() { try await deliver(to: id) }
    }

    private func due() async throws -> [UUID] {
        let now = clock.now()
        return try await database.read { try WebhookDeliveryQueries(connection: $0).due(at: now) }
    }

    private func drain(_ id: UUID) async {
        do {
            try await deliver(to: id)
        } catch is CancellationError {
            // Its turn passes, and it is another's.
        } catch {
            logger.error("webhook not noted", metadata: ["webhook": "\(id.lowercase)", "cause": "\(error)"])
        }
    }

    private func deliver(to id: UUID) async throws {
        while !Task.isCancelled {
            let now = clock.now()
            let taken = try await database.write {
                try WebhookDeliveryQueries(connection: $0).take(to: id, at: now, until: now + Self.turn)
            }
            guard let taken else { return }
            let answer = try await send(
                WebhookRequest(taken.body, event: taken.event, to: taken.webhook, at: clock.now()))
            try await finish(taken, answer)
        }
    }

    private func finish(_ taken: TakenDelivery, _ answer: WebhookAnswer) async throws {
        let now = clock.now()
        let outcome = WebhookRules.outcome(
            of: answer, attempts: taken.attempts, at: now, jitter: Double.random(in: 0...1))
        try await database.write { connection in
            let queries = WebhookDeliveryQueries(connection: connection)
            try WebhookQueries(connection: connection).note(taken.webhook.id, answer.refusal, at: now)
            switch outcome {
            case .delivered: try queries.finish(taken, .delivered, answer, next: nil)
            case .postponed(let next): try queries.finish(taken, .waiting, answer, next: next)
            case .failed: try queries.finish(taken, .failed, answer, next: nil)
            case .gone:
                try queries.finish(taken, .failed, answer, next: nil)
                try queries.giveUp(to: taken.webhook.id, because: "the endpoint answered 410 to another delivery")
                try WebhookQueries(connection: connection).disable(taken.webhook.id, since: now)
                try Webhooks.note(.webhookDisabling, taken.webhook, by: .system, at: now, connection)
            }
        }
        metrics.deliveries.add(to: Metrics.DeliveryOutcome(outcome))
        guard let refusal = answer.refusal else { return }
        logger.warning(
            "webhook refused",
            metadata: [
                "webhook": "\(taken.webhook.id.lowercase)", "delivery": "\(taken.id.lowercase)",
                "attempt": "\(taken.attempts)", "cause": "\(refusal)",
            ])
    }
}
