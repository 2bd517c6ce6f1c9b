import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

/// What beats do to sessions and segments, with a clock that the test moves.
@Suite struct BeatTests {
    private static let minute: Int64 = 60_000
    private static let hour: Int64 = 3_600_000

    @Test func `bodyless beats every three minutes are one stretch`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            for _ in 0...4 {
                try await guest.beat()
                store.clock.advance(by: 3 * Self.minute)
            }
        }
        let session = try #require(try await store.sessions().first)
        #expect(session.visibleMs == 12 * Self.minute)
        #expect(session.elapsedMs == 12 * Self.minute)
    }

    @Test func `ten hidden minutes add nothing`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.beat()
            store.clock.advance(by: 2 * Self.minute)
            try await guest.beat()
            store.clock.advance(by: 10 * Self.minute)
            try await guest.beat()
            store.clock.advance(by: Self.minute)
            try await guest.beat()
        }
        let session = try #require(try await store.sessions().first)
        #expect(session.engagedMs == 3 * Self.minute)
        #expect(session.visibleMs == 3 * Self.minute)
        #expect(session.elapsedMs == 13 * Self.minute)
    }

    @Test func `eight hours asleep add nothing and open a new session`() async throws {
        let store = try await TestStore()
        let returned = try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.beat()
            store.clock.advance(by: Self.minute)
            try await guest.beat()
            store.clock.advance(by: 8 * Self.hour)
            return try await guest.beat()
        }
        let sessions = try await store.sessions()
        #expect(sessions.map(\.engagedMs) == [Self.minute, 0])
        #expect(sessions.map(\.elapsedMs) == [Self.minute, 0])
        #expect(returned?.id == sessions[1].id)
    }

    @Test func `a script that claims the sleep as segments around it gets only the segments`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let start = store.clock.now.milliseconds
            store.clock.advance(by: 8 * Self.hour)
            let now = store.clock.now.milliseconds
            _ = try await guest.claim(
                [
                    Guest.segment(0, from: start, to: start + 5 * Self.minute),
                    Guest.segment(1, from: now - 2 * Self.minute, to: now),
                ], sentAt: now)
        }
        let sessions = try await store.sessions()
        #expect(sessions.map(\.engagedMs) == [5 * Self.minute, 2 * Self.minute])
    }

    @Test func `a beat after 30 minutes of silence opens one new session, however many tabs return at once`()
        async throws
    {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.beat()
            store.clock.advance(by: 31 * Self.minute)
            try await withThrowingTaskGroup(of: Session?.self) { group in
                for _ in 0..<20 { group.addTask { try await guest.beat() } }
                for try await session in group { #expect(session?.id == 2) }
            }
        }
        #expect(try await store.sessions().count == 2)
    }

    @Test func `a beat within 30 minutes of silence keeps the session`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.beat()
            store.clock.advance(by: 30 * Self.minute)
            #expect(try await guest.beat()?.id == 1)
        }
    }

    @Test func `a queue sent hours later counts where it happened`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let start = store.clock.now.milliseconds
            try await guest.beat()
            store.clock.advance(by: 3 * Self.hour)
            let later = try #require(try await guest.beat())
            _ = try await guest.with(session: later.id).claim(
                [Guest.segment(0, from: start, to: start + 10 * Self.minute)], sentAt: store.clock.now.milliseconds)
        }
        #expect(try await store.sessions().map(\.visibleMs) == [10 * Self.minute, 0])
    }

    @Test func `a claim that took longer on its way the second time is no longer for it`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            store.clock.advance(by: Self.minute)
            _ = try await guest.claim([Guest.segment(0, from: -3000, to: 0)], sentAt: 0)
            store.clock.advance(by: 40_000)
            _ = try await guest.claim([Guest.segment(0, from: -3000, to: 0)], sentAt: 0)
        }
        #expect(try await store.sessions().map(\.visibleMs) == [3000])
    }

    @Test(arguments: [[0, 1], [1, 0]])
    func `two tabs that were offline one after the other both count, whichever speaks first`(order: [Int]) async throws
    {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.beat()
            let start = store.clock.now.milliseconds
            store.clock.advance(by: 5 * Self.hour)
            let now = store.clock.now.milliseconds
            let tabs = [
                Guest.segment(0, from: start + Self.hour, to: start + Self.hour + 20 * Self.minute, tab: "x"),
                Guest.segment(0, from: start + 3 * Self.hour, to: start + 3 * Self.hour + 40 * Self.minute, tab: "y"),
            ]
            for index in order { _ = try await guest.claim([tabs[index]], sentAt: now) }
        }
        let sessions = try await store.sessions()
        #expect(sessions.map(\.visibleMs).reduce(0, +) == 60 * Self.minute)
        #expect(sessions.count == 3)
    }

    @Test func `a late beat stretches no session over the next`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let start = store.clock.now.milliseconds
            store.clock.advance(by: 2 * Self.hour)
            let sentAt = store.clock.now.milliseconds
            let later = Guest.segment(0, from: start + Self.hour, to: start + Self.hour + Self.minute, tab: "b")
            _ = try await guest.claim([later], sentAt: sentAt)
            let late = Guest.segment(0, from: start + 20 * Self.minute, to: start + 50 * Self.minute, tab: "c")
            _ = try await guest.claim([late], sentAt: sentAt)
            _ = try await guest.claim([later], sentAt: sentAt)
        }
        #expect(try await store.sessions().map(\.visibleMs) == [30 * Self.minute, Self.minute])
    }

    @Test func `a session that does not exist gets no answer and leaves no trace`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            #expect(try await guest.with(session: 99).beat() == nil)
        }
        #expect(try await store.rows("SELECT * FROM segment").isEmpty)
    }

    @Test func `a clock that is set back loses no beat and gives no time`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.beat()
            store.clock.advance(by: -10 * Self.minute)
            #expect(try await guest.beat() != nil)
        }
        let session = try #require(try await store.sessions().first)
        #expect(session.visibleMs == 0)
    }

    @Test(arguments: 0..<25 as Range<UInt64>)
    func `the same beats give the same rows in any order and however often they come`(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let history = (0..<12).map { n in
            let from = Int64.random(in: 0...1_500_000, using: &generator)
            return Guest.segment(n % 5, from: from, to: from + Int64.random(in: 0...100_000, using: &generator))
        }
        let inOrder = try await Self.rows(after: history)
        let shuffled = try await Self.rows(after: (history + history.prefix(6)).shuffled(using: &generator))
        #expect(inOrder == shuffled)
    }

    /// The segments that are stored when each claim comes in a beat of its own.
    private static func rows(after claims: [SegmentClaim]) async throws -> [String] {
        let store = try await TestStore()
        let start = store.clock.now.milliseconds
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            store.clock.advance(by: 1_600_000)
            for claim in claims {
                _ = try await guest.claim([claim], sentAt: store.clock.now.milliseconds - start)
            }
        }
        return try await store.rows("SELECT * FROM segment ORDER BY tab, n")
    }
}

/// A visitor of the gate whose beats a test sends.
struct Guest: Sendable {
    let store: TestStore
    let writer: BeatWriter
    let viewer: Int64
    let session: Int64

    init(_ store: TestStore, _ writer: BeatWriter, email: String = "ada@example.com") async throws {
        let session = try await store.gate.enter(email: email)
        self.init(store: store, writer: writer, viewer: session.viewer, session: session.id)
    }

    private init(store: TestStore, writer: BeatWriter, viewer: Int64, session: Int64) {
        self.store = store
        self.writer = writer
        self.viewer = viewer
        self.session = session
    }

    func with(session: Int64) -> Guest {
        Guest(store: store, writer: writer, viewer: viewer, session: session)
    }

    @discardableResult
    func beat(page: String? = nil) async throws -> Session? {
        try await send(.presence(page: page))
    }

    func claim(_ segments: [SegmentClaim], sentAt: Int64) async throws -> Session? {
        try await send(.claims(BeatBody(sentAt: sentAt, segments: segments)))
    }

    static func segment(
        _ n: Int, from: Int64, to: Int64, attention: Attention = .active, tab: String = "t", page: String? = nil
    ) -> SegmentClaim {
        SegmentClaim(tab: tab, n: Int64(n), from: from, to: to, attention: attention, page: page)
    }

    private func send(_ content: Beat.Content) async throws -> Session? {
        try await writer.store(
            Beat(source: .session(viewer: viewer, id: session), arrival: store.clock.now, content: content))
    }
}
