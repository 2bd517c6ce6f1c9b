import Foundation
import Synchronization
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct GuessLimiterTests {
    private struct Wrong: Error {}

    private let clock = TestClock(Timestamp(milliseconds: 0))
    private let key = GuessLimiter.Key.device(UUID())

    @Test func `as many wrong guesses as there are tokens, and one more after each pause`() async throws {
        let limiter = GuessLimiter(clock: clock.clock)
        for _ in 0..<10 { try await guess(limiter, [key]) }
        #expect(await refusal(limiter, [key]) == TooManyTries(seconds: 60, isFirst: true))
        clock.advance(by: 59_000)
        #expect(await refusal(limiter, [key]) == TooManyTries(seconds: 1, isFirst: false))
        clock.advance(by: 1000)
        try await guess(limiter, [key])
        #expect(await refusal(limiter, [key]) == TooManyTries(seconds: 60, isFirst: true))
        clock.advance(by: 3_600_000)
        for _ in 0..<10 { try await guess(limiter, [key]) }
        #expect(await refusal(limiter, [key]) != nil)
    }

    @Test func `what succeeds costs nothing`() async throws {
        let limiter = GuessLimiter(clock: clock.clock)
        for _ in 0..<100 { try await succeed(limiter, [key]) }
        for _ in 0..<10 { try await guess(limiter, [key]) }
        #expect(await refusal(limiter, [key]) != nil)
    }

    @Test func `a try needs a token of every bucket, and a refusal takes none`() async throws {
        let limiter = GuessLimiter(clock: clock.clock)
        let other = GuessLimiter.Key.device(UUID())
        for _ in 0..<10 { try await guess(limiter, [key]) }
        for _ in 0..<20 { #expect(await refusal(limiter, [key, other]) != nil) }
        for _ in 0..<10 { try await guess(limiter, [other]) }
        #expect(await refusal(limiter, [other]) != nil)
    }

    @Test func `a clock that is set back gives nothing, and takes nothing`() async throws {
        let limiter = GuessLimiter(clock: clock.clock)
        for _ in 0..<9 { try await guess(limiter, [key]) }
        clock.advance(by: -1_000_000)
        try await guess(limiter, [key])
        #expect(await refusal(limiter, [key]) == TooManyTries(seconds: 60, isFirst: true))
    }

    @Test func `of many guesses at once only so many are looked at`() async throws {
        let limiter = GuessLimiter(clock: clock.clock)
        let looked = Count()
        let refused = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<300 {
                group.addTask {
                    await self.refusal(limiter, [self.key]) {
                        looked.change(by: 1)
                        await Task.yield()
                    } != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(looked.most == 10)
        #expect(refused == 290)
    }

    @Test func `many right ones at once are all let in, a few at a time`() async throws {
        let limiter = GuessLimiter(clock: clock.clock)
        let inside = Count()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<300 {
                group.addTask {
                    try await self.succeed(limiter, [self.key]) {
                        inside.change(by: 1)
                        await Task.yield()
                        inside.change(by: -1)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect((1...10).contains(inside.most))
    }

    @Test func `whoever waits for one bucket does not keep others from another`() async throws {
        let limiter = GuessLimiter(clock: clock.clock)
        let keys = (0..<3).map { _ in GuessLimiter.Key.device(UUID()) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<600 {
                group.addTask {
                    let pair = [keys[number % 3], keys[(number + 1) % 3]]
                    try await self.succeed(limiter, pair) { await Task.yield() }
                }
            }
            try await group.waitForAll()
        }
        for key in keys {
            for _ in 0..<10 { try await guess(limiter, [key]) }
            #expect(await refusal(limiter, [key]) != nil)
        }
    }

    @Test func `buckets have a bound, and the oldest goes first`() async throws {
        let limiter = GuessLimiter(clock: clock.clock)
        for _ in 0..<10 { try await guess(limiter, [key]) }
        for _ in 0..<49_999 { try await succeed(limiter, [.device(UUID())]) }
        #expect(await refusal(limiter, [key]) != nil)
        try await succeed(limiter, [.device(UUID())])
        try await guess(limiter, [key])
    }

    private func guess(_ limiter: GuessLimiter, _ keys: [GuessLimiter.Key]) async throws {
        await #expect(throws: Wrong.self) {
            try await limiter.run(keys, isSpent: { (_: Result<Void, any Error>) in true }) { throw Wrong() }
        }
    }

    private func succeed(
        _ limiter: GuessLimiter, _ keys: [GuessLimiter.Key], _ body: () async -> Void = {}
    ) async throws {
        try await limiter.run(keys, isSpent: { _ in false }, body)
    }

    private func refusal(
        _ limiter: GuessLimiter, _ keys: [GuessLimiter.Key], _ body: () async -> Void = {}
    ) async -> TooManyTries? {
        do {
            try await limiter.run(keys, isSpent: { _ in true }, body)
            return nil
        } catch {
            return error as? TooManyTries
        }
    }
}

/// A number that many change at once, and the largest that it was.
private final class Count: Sendable {
    private let state = Mutex((now: 0, most: 0))

    var most: Int { state.withLock { $0.most } }

    func change(by number: Int) {
        state.withLock { state in
            state.now += number
            state.most = max(state.most, state.now)
        }
    }
}
