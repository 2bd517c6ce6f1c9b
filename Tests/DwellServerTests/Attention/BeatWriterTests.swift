import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct BeatWriterTests {
    @Test func `beats that arrive together are all stored and all answered`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let now = store.clock.now.milliseconds
            store.clock.advance(by: 10_000)
            try await withThrowingTaskGroup(of: BeatOutcome.self) { group in
                for n in 0..<3000 {
                    group.addTask {
                        try await guest.claim([Guest.segment(n, from: now, to: now + 1)], sentAt: now + 10_000)
                    }
                }
                for try await outcome in group { #expect(outcome == .stored(guest.entry)) }
            }
        }
        #expect(try await store.rows("SELECT count(*) FROM segment") == ["[DwellServer.SQLValue.integer(3000)]"])
    }

    @Test func `whoever asks on an event loop is answered there, after the commit`() async throws {
        let store = try await TestStore()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let now = store.clock.now.milliseconds
            try await withThrowingTaskGroup(of: BeatOutcome.self) { tasks in
                for n in 0..<100 {
                    let beat = Beat(
                        source: .token(viewer: guest.entry.viewer, entry: guest.entry.id), arrival: store.clock.now,
                        content: .claims([Guest.segment(n, from: now, to: now)], sentAt: now, interval: 180_000))
                    let loop = group.next()
                    tasks.addTask {
                        try await withCheckedThrowingContinuation { continuation in
                            writer.store(beat, on: loop) { outcome in
                                #expect(loop.inEventLoop)
                                continuation.resume(with: outcome)
                            }
                        }
                    }
                }
                for try await outcome in tasks { #expect(outcome == .stored(guest.entry)) }
            }
        }
        #expect(try await store.rows("SELECT count(*) FROM segment") == ["[DwellServer.SQLValue.integer(100)]"])
        try await group.shutdownGracefully()
    }

    @Test func `a beat that the schema refuses takes no other with it`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let now = store.clock.now.milliseconds
            // The rules would stop this one at the door; the schema is the second line.
            let unsound = Guest.segment(-1, from: now, to: now)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for n in 0..<50 {
                    group.addTask {
                        let claim = n == 25 ? unsound : Guest.segment(n, from: now, to: now)
                        return (try? await guest.claim([claim], sentAt: now)) != nil
                    }
                }
                let stored = try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                #expect(stored == 49)
            }
        }
    }

    @Test func `a store that is away refuses beats and takes the next ones when it is back`() async throws {
        let store = try await TestStore()
        let away = AbsentDatabase(store.database)
        let writer = BeatWriter(database: away, settings: store.settings, logger: TestStore.silent)
        try await store.run(writer) {
            let guest = try await Guest(store, writer)
            away.isAway.withLock { $0 = true }
            await #expect(throws: DatabaseError.unavailable("away")) { try await guest.beat() }
            away.isAway.withLock { $0 = false }
            #expect(try await guest.beat() == .stored(guest.entry))
        }
    }

    @Test func `a writer that was stopped refuses instead of keeping people waiting`() async throws {
        let store = try await TestStore()
        let guest = try await store.withWriter { try await Guest(store, $0) }
        await #expect(throws: DatabaseError.unavailable("the writer is stopping")) { try await guest.beat() }
    }
}

/// A database that a test can take away.
private final class AbsentDatabase: DatabaseWrapper {
    let isAway = Mutex(false)
    let base: any Database

    init(_ base: any Database) {
        self.base = base
    }

    func write<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        if isAway.withLock({ $0 }) { throw DatabaseError.unavailable("away") }
        return try await base.write(body)
    }

    func close() throws {}
}
