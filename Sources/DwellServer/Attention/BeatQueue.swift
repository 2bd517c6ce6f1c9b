import NIOCore
import Synchronization

/// Beats that wait to be stored, up to a limit.
final class BeatQueue: Sendable {
    /// A beat, and who wants to hear of it.
    struct Waiting {
        let beat: Beat
        /// Where the answer is called; `nil` for one that may be called anywhere.
        let loop: (any EventLoop)?
        let answer: BeatWriter.Answer
    }

    private struct State {
        var waiting: [Waiting] = []
        /// How many segments wait.
        var segments = 0
        /// The writer's sleep, while there is nothing to do.
        var sleep: CheckedContinuation<Void, Never>?
        var isStopping = false

        /// The beats that waited longest, as many as hold so many segments, but at least one.
        mutating func takeBatch(upTo limit: Int) -> [Waiting] {
            var taken = 0
            let batch = Array(
                waiting.prefix { waiting in
                    defer { taken += waiting.beat.segmentCount }
                    return taken == 0 || taken + waiting.beat.segmentCount <= limit
                })
            waiting.removeFirst(batch.count)
            segments -= batch.reduce(0) { $0 + $1.beat.segmentCount }
            return batch
        }

        /// The writer's sleep, to be ended by the caller outside the lock.
        mutating func takeSleep() -> CheckedContinuation<Void, Never>? {
            defer { sleep = nil }
            return sleep
        }
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: The most segments that may wait
    init(limit: Int) {
        self.limit = limit
    }

    /// How many segments wait.
    var segmentCount: Int { state.withLock { $0.segments } }

    /// Takes a beat.
    /// - Returns: Why it can't be taken
    func add(_ waiting: Waiting) -> String? {
        let (refusal, sleep) = state.withLock { state -> (String?, CheckedContinuation<Void, Never>?) in
            if state.isStopping { return ("the writer is stopping", nil) }
            let count = waiting.beat.segmentCount
            if state.segments + count > limit { return ("the queue of beats is full", nil) }
            state.waiting.append(waiting)
            state.segments += count
            return (nil, state.takeSleep())
        }
        sleep?.resume()
        return refusal
    }

    /// From now on nothing is taken; what waits already is still given out.
    func stop() {
        state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.isStopping = true
            return state.takeSleep()
        }?.resume()
    }

    /// The beats that wait now; sleeps while there are none.
    /// - Parameter limit: How many segments they may hold, unless a single beat has more
    /// - Returns: `nil` when the queue was stopped and nothing waits any more
    func nextBatch(upTo limit: Int) async -> [Waiting]? {
        while true {
            let (batch, isStopping) = state.withLock { state -> ([Waiting], Bool) in
                (state.takeBatch(upTo: limit), state.isStopping)
            }
            if !batch.isEmpty { return batch }
            if isStopping { return nil }
            await withCheckedContinuation { sleep in
                let wake = state.withLock { state -> Bool in
                    if !state.waiting.isEmpty || state.isStopping { return true }
                    state.sleep = sleep
                    return false
                }
                if wake { sleep.resume() }
            }
        }
    }
}
