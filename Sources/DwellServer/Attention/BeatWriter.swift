package import Logging
package import NIOCore
import ServiceLifecycle

/// Stores beats in groups: those that arrive while a transaction is on its way to the disk share the next one.
///
/// Outcomes are told after the commit, so that an answered beat is a stored beat.
package final class BeatWriter: Service {
    /// The most segments that one transaction holds, unless a single beat has more.
    private static let batchLimit = 1024
    /// The most segments that may wait; more are refused, so that a slow disk costs time and not memory.
    private static let queueLimit = 32_768

    private typealias Waiting = BeatQueue.Waiting

    /// Hears what became of a beat.
    package typealias Answer = @Sendable (Result<BeatOutcome, any Error>) -> Void

    private let database: any Database
    private let settings: BeatSettings
    private let metrics: Metrics
    private let logger: Logger
    /// One for each transaction that may write at the same time. A viewer's beats are always in the same.
    private let queues: [BeatQueue]

    /// - Parameters:
    ///   - database: Where the beats go
    ///   - settings: How beats become segments
    ///   - metrics: Counts the time that was refused
    ///   - logger: For batches that failed
    package init(database: any Database, settings: BeatSettings, metrics: Metrics = Metrics(), logger: Logger) {
        self.database = database
        self.settings = settings
        self.metrics = metrics
        self.logger = logger
        queues = (0..<database.writers).map { _ in BeatQueue(limit: Self.queueLimit / database.writers) }
    }

    /// How many segments wait to be stored.
    var waiting: Int { queues.reduce(0) { $0 + $1.segmentCount } }

    /// For work that is to give way to these beats.
    var rightOfWay: RightOfWay { RightOfWay { self.waiting > 0 } }

    /// Stores a beat.
    /// - Throws: ``DatabaseError/unavailable(_:)`` when the store is away or too many beats are waiting
    package func store(_ beat: Beat) async throws -> BeatOutcome {
        try await withCheckedThrowingContinuation { continuation in
            store(Waiting(beat: beat, loop: nil) { continuation.resume(with: $0) })
        }
    }

    /// Stores a beat, and calls back on an event loop: once for all beats of a commit, it is woken up.
    /// - Parameters:
    ///   - beat: The beat
    ///   - loop: Where the answer is called
    ///   - answer: Hears the outcome, or ``DatabaseError/unavailable(_:)`` when the store is away or too many beats are
    ///     waiting; never before this returns
    package func store(_ beat: Beat, on loop: any EventLoop, answer: @escaping Answer) {
        store(Waiting(beat: beat, loop: loop, answer: answer))
    }

    private func store(_ waiting: Waiting) {
        let queue = queues[Int(waiting.beat.source.viewer.magnitude % UInt64(queues.count))]
        if let refusal = queue.add(waiting) {
            tell([(waiting, .failure(DatabaseError.unavailable(refusal)))])
        }
    }

    /// Tells outcomes, waking up each event loop once.
    private func tell(_ outcomes: [(Waiting, Result<BeatOutcome, any Error>)]) {
        var loops: [ObjectIdentifier: (any EventLoop, [(Answer, Result<BeatOutcome, any Error>)])] = [:]
        for (waiting, outcome) in outcomes {
            guard let loop = waiting.loop else {
                waiting.answer(outcome)
                continue
            }
            loops[ObjectIdentifier(loop), default: (loop, [])].1.append((waiting.answer, outcome))
        }
        for (loop, answers) in loops.values {
            loop.execute { for (answer, outcome) in answers { answer(outcome) } }
        }
    }

    /// Writes until a graceful stop or a cancellation, then what is still waiting.
    package func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await withTaskGroup { group in
                for queue in queues { group.addTask { await self.write(queue) } }
            }
        } onCancelOrGracefulShutdown: {
            for queue in self.queues { queue.stop() }
        }
    }

    /// Writes what comes in one queue: while one batch is on its way to the disk, the next is stored.
    private func write(_ queue: BeatQueue) async {
        var onItsWay: Task<Void, Never>?
        while let batch = await queue.nextBatch(upTo: Self.batchLimit) {
            // Tasks of their own: a cancelled one could not write what is still waiting.
            let commit = await Task { await self.commit(batch) }.value
            await onItsWay?.value
            onItsWay = Task { await self.finish(batch, commit) }
        }
        await onItsWay?.value
    }

    /// - Returns: The outcomes, in the order of the beats
    private func commit(_ batch: [Waiting]) async -> Result<Commit<[BeatOutcome]>, any Error> {
        do { return .success(try await commit(batch.map(\.beat))) } catch { return .failure(error) }
    }

    private func finish(_ batch: [Waiting], _ commit: Result<Commit<[BeatOutcome]>, any Error>) async {
        do {
            let commit = try commit.get()
            try await commit.sync()
            tell(zip(batch, commit.value).map { ($0, .success($1)) })
        } catch DatabaseError.unavailable(let cause) {
            logger.error("beats not stored", metadata: ["count": "\(batch.count)", "cause": "\(cause)"])
            tell(batch.map { ($0, .failure(DatabaseError.unavailable(cause))) })
        } catch {
            await writeEach(batch, after: error)
        }
    }

    /// One beat that the store refuses must not take the others of its batch with it.
    private func writeEach(_ batch: [Waiting], after error: any Error) async {
        logger.error("a batch of beats failed", metadata: ["count": "\(batch.count)", "cause": "\(error)"])
        for waiting in batch {
            do {
                let commit = try await commit([waiting.beat])
                try await commit.sync()
                tell([(waiting, .success(commit.value[0]))])
            } catch {
                logger.error("a beat was refused by the store", metadata: ["cause": "\(error)"])
                tell([(waiting, .failure(error))])
            }
        }
    }

    private func commit(_ beats: [Beat]) async throws -> Commit<[BeatOutcome]> {
        let commit = try await database.commit { [settings] connection in
            var store = BeatStore(connection: connection, settings: settings)
            let outcomes = try store.store(beats)
            return (outcomes, fresh: store.contents.fresh, moment: store.contents.moment, refused: store.refused)
        }
        settings.contents.remember(commit.value.fresh, since: commit.value.moment)
        let (outcomes, _, _, refused) = commit.value
        return Commit(value: outcomes) { [metrics] in
            try await commit.sync()
            metrics.count(refused)
        }
    }
}
