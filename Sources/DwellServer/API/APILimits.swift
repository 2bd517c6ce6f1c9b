import DwellAPI
import Foundation
import HTTPTypes
import Synchronization

/// How many requests a key may make. What it knows is this node's own, and is gone with a restart.
package final class APILimits: Sendable {
    /// Requests a minute, where the operator did not say.
    package static let standard = 600
    /// The most that may be set: a token is back after whole milliseconds, so that with more the quota would be a rough one.
    package static let most = 6000
    /// How long a quota is meant for, in seconds.
    private static let window = 60
    /// How many keys are known at once; one that was forgotten has its whole quota again.
    private static let capacity = 10_000

    private let quota: Int
    private let clock: WallClock
    private let buckets = Mutex(BoundedCache<UUID, TokenBucket>(capacity: APILimits.capacity))

    /// - Parameter quota: Requests a minute, of each key
    package init(quota: Int, clock: WallClock) {
        self.quota = quota
        self.clock = clock
    }

    /// What a key has left.
    struct State: Equatable {
        let isAllowed: Bool
        let remaining: Int
        /// When the whole quota is there again, in seconds.
        let full: Int64
        /// When there is another request, in seconds.
        let next: Int64
    }

    /// Takes a request of a key's quota.
    func take(_ key: UUID) -> State {
        let now = clock.now()
        return buckets.withLock { buckets in
            let pace = Pace(burst: quota, pause: Int64(Self.window * 1000 / quota))
            var bucket = buckets[key] ?? TokenBucket(pace, at: now)
            let isAllowed = bucket.hasToken(at: now)
            if isAllowed { bucket.spend() }
            let next = isAllowed ? 0 : bucket.refuse()
            buckets.insert(bucket, for: key)
            return State(
                isAllowed: isAllowed, remaining: bucket.tokens, full: (bucket.missing + 999) / 1000, next: next)
        }
    }

    /// What draft-ietf-httpapi-ratelimit-headers has a client told: the quota and its window; what is left of it, and in
    /// how many seconds all of it is there again.
    func fields(_ state: State) -> HTTPFields {
        [
            .rateLimitPolicy: "\"key\";q=\(quota);w=\(Self.window)",
            .rateLimit: "\"key\";r=\(state.remaining);t=\(state.full)",
        ]
    }
}
