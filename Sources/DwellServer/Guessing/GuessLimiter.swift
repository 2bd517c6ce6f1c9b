import DwellAPI
package import Foundation
import Synchronization

/// There were too many tries from somewhere, or at something.
package struct TooManyTries: Error, Equatable {
    /// When to come back, in seconds.
    package let seconds: Int64
    /// Whether it is the first that is refused since one was not; the rest tells nothing new.
    package let isFirst: Bool
}

/// Slows guessers down. What it knows is this node's own, has a bound, and is gone with a restart.
package final class GuessLimiter: Sendable {
    /// What has a bucket of its own.
    package enum Key: Sendable, Hashable {
        /// A browser that has logged in to the account before: no guesser keeps it out.
        case browser(hash: String, account: String)
        /// An account, as it was typed, from one address: no guesser elsewhere keeps it out.
        case accountFrom(Network?, account: String)
        /// An account from everywhere: who guesses from many addresses is slowed down too.
        case account(String)
        /// A device that is logged in.
        case device(UUID)
        /// All that comes from an address, of one kind.
        case address(Kind, Network?)

        /// What does not share a bucket.
        package enum Kind: Sendable {
            case login, code, key, registration, mail, gate
        }

        var pace: Pace {
            switch self {
            case .browser, .accountFrom, .device: .times(10, thenEvery: 60)
            // More than one address ever has, so that it takes several to come near.
            case .account: .times(100, thenEvery: 36)
            case .address(.login, _), .address(.code, _), .address(.key, _): .times(100, thenEvery: 6)
            // A school registers behind one address.
            case .address(.registration, _), .address(.mail, _): .times(500, thenEvery: 7)
            case .address(.gate, _): .times(1000, thenEvery: 4)
            }
        }
    }

    /// How many buckets there are at most; the oldest goes when one more is needed.
    private static let capacity = 50_000
    /// How many tries wait at most.
    private static let waitingLimit = 1000

    private struct State {
        var buckets = BoundedCache<Key, TokenBucket>(capacity: GuessLimiter.capacity)
        var waiting: [Key: [Waiter]] = [:]
        var waitingCount = 0
    }

    private typealias Waiter = CheckedContinuation<Decision, Never>

    private enum Decision {
        case taken
        case refused(TooManyTries)
        /// A try has ended that had a token.
        case askAgain
    }

    private let clock: WallClock
    private let state = Mutex(State())

    package init(clock: WallClock) {
        self.clock = clock
    }

    /// Runs a try that has to have a token of each of some buckets. When all that a bucket has left are with tries that are
    /// not over, it waits for one: as many right passwords at once as you like are all let in.
    /// - Parameters:
    ///   - keys: The buckets
    ///   - isSpent: Whether the tokens are gone after it; its error, if it threw one
    ///   - body: The try
    /// - Throws: ``TooManyTries``, or what the try throws
    package func run<Value>(
        _ keys: [Key], isSpent: (Result<Value, any Error>) -> Bool, _ body: () async throws -> Value
    ) async throws -> Value {
        try await take(keys)
        do {
            let value = try await body()
            settle(keys, isSpent: isSpent(.success(value)))
            return value
        } catch {
            settle(keys, isSpent: isSpent(.failure(error)))
            throw error
        }
    }

    private func take(_ keys: [Key]) async throws(TooManyTries) {
        while true {
            let decision = await withCheckedContinuation { (waiter: Waiter) in
                let decision = state.withLock { decide(keys, waiter, &$0) }
                if let decision { waiter.resume(returning: decision) }
            }
            switch decision {
            case .taken: return
            case .refused(let refusal): throw refusal
            case .askAgain: continue
            }
        }
    }

    /// - Returns: `nil` when the try has to wait
    private func decide(_ keys: [Key], _ waiter: Waiter, _ state: inout State) -> Decision? {
        let now = clock.now()
        var buckets = keys.map { ($0, state.buckets[$0] ?? TokenBucket($0.pace, at: now)) }
        let empty = buckets.indices.filter { !buckets[$0].1.hasToken(at: now) }
        guard !empty.isEmpty else {
            for index in buckets.indices {
                buckets[index].1.take()
                state.buckets.insert(buckets[index].1, for: buckets[index].0)
            }
            return .taken
        }
        // One in which nothing can come back before its time decides.
        let spent = empty.filter { buckets[$0].1.taken == 0 }
        if spent.isEmpty, state.waitingCount < Self.waitingLimit {
            state.waiting[buckets[empty[0]].0, default: []].append(waiter)
            state.waitingCount += 1
            return nil
        }
        var refusal = TooManyTries(seconds: 1, isFirst: false)
        for index in spent {
            let isFirst = !buckets[index].1.hasRefused
            let seconds = buckets[index].1.refuse()
            refusal = TooManyTries(seconds: max(refusal.seconds, seconds), isFirst: refusal.isFirst || isFirst)
            state.buckets.insert(buckets[index].1, for: buckets[index].0)
        }
        return .refused(refusal)
    }

    private func settle(_ keys: [Key], isSpent: Bool) {
        let woken = state.withLock { state in
            var woken: [Waiter] = []
            for key in keys {
                if var bucket = state.buckets[key] {
                    bucket.settle(isSpent: isSpent)
                    state.buckets.insert(bucket, for: key)
                }
                // All of them: the one that the token is for may have to wait for another bucket.
                woken += state.waiting.removeValue(forKey: key) ?? []
            }
            state.waitingCount -= woken.count
            return woken
        }
        for waiter in woken { waiter.resume(returning: .askAgain) }
    }
}
