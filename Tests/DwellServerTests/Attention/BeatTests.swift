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
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.beat()
            store.clock.advance(by: Self.minute)
            try await guest.beat()
            store.clock.advance(by: 8 * Self.hour)
            try await guest.beat()
        }
        let sessions = try await store.sessions()
        #expect(sessions.map(\.engagedMs) == [Self.minute, 0])
        #expect(sessions.map(\.elapsedMs) == [Self.minute, 0])
    }

    @Test func `a script that claims the sleep as segments around it gets only the segments`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let start = store.clock.now.milliseconds
            store.clock.advance(by: 8 * Self.hour)
            let now = store.clock.now.milliseconds
            try await guest.claim(
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
            try await withThrowingTaskGroup(of: BeatOutcome.self) { group in
                for _ in 0..<20 { group.addTask { try await guest.beat() } }
                for try await outcome in group { #expect(outcome.entry == guest.entry) }
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
            try await guest.beat()
        }
        #expect(try await store.sessions().map(\.id) == [1])
    }

    @Test func `a queue sent hours later counts where it happened`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let start = store.clock.now.milliseconds
            try await guest.beat()
            store.clock.advance(by: 3 * Self.hour)
            try await guest.beat()
            try await guest.claim(
                [Guest.segment(0, from: start, to: start + 10 * Self.minute)], sentAt: store.clock.now.milliseconds)
        }
        #expect(try await store.sessions().map(\.visibleMs) == [10 * Self.minute, 0])
    }

    @Test func `a claim that took longer on its way the second time is no longer for it`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            store.clock.advance(by: Self.minute)
            try await guest.claim([Guest.segment(0, from: -3000, to: 0)], sentAt: 0)
            store.clock.advance(by: 40_000)
            try await guest.claim([Guest.segment(0, from: -3000, to: 0)], sentAt: 0)
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
            for index in order { try await guest.claim([tabs[index]], sentAt: now) }
        }
        let sessions = try await store.sessions()
        #expect(sessions.map(\.visibleMs).reduce(0, +) == 60 * Self.minute)
        #expect(sessions.count == 3)
    }

    @Test func `a late beat that fills the silence makes one session of two`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let start = store.clock.now.milliseconds
            store.clock.advance(by: 2 * Self.hour)
            let sentAt = store.clock.now.milliseconds
            let later = Guest.segment(0, from: start + Self.hour, to: start + Self.hour + Self.minute, tab: "b")
            try await guest.claim([later], sentAt: sentAt)
            #expect(try await store.sessions().count == 2)
            let late = Guest.segment(0, from: start + 20 * Self.minute, to: start + 50 * Self.minute, tab: "c")
            try await guest.claim([late], sentAt: sentAt)
            try await guest.claim([later], sentAt: sentAt)
        }
        let sessions = try await store.sessions()
        #expect(sessions.map(\.visibleMs) == [31 * Self.minute])
        #expect(sessions.map(\.elapsedMs) == [61 * Self.minute])
    }

    @Test func `a beat that was slow and comes again quickly moves back to where it happened`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let start = store.clock.now
            let claim = Guest.segment(0, from: 0, to: 1000, end: .hidden)
            try await guest.claim([claim], sentAt: 1000, arrival: start + Self.hour)
            #expect(try await store.sessions().map(\.elapsedMs) == [0, 1000])
            try await guest.claim([claim], sentAt: 1000, arrival: start + 2000)
        }
        #expect(try await store.sessions().map(\.elapsedMs) == [2000])
    }

    @Test func `an entry that does not exist gets no answer and leaves no trace`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let beat = Beat(
                source: .token(viewer: 1, entry: 99), arrival: store.clock.now, content: .presence(page: nil))
            let outcome = try await writer.store(beat)
            #expect(outcome == .unknownEntry)
        }
        #expect(try await store.rows("SELECT * FROM segment").isEmpty)
    }

    @Test func `a clock that is set back loses no beat and gives no time`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.beat()
            store.clock.advance(by: -10 * Self.minute)
            #expect(try await guest.beat() == .stored(guest.entry))
        }
        let session = try #require(try await store.sessions().first)
        #expect(session.visibleMs == 0)
    }
}

/// A visitor of the gate whose beats a test sends.
struct Guest: Sendable {
    let store: TestStore
    let writer: BeatWriter
    let entry: Entry

    init(_ store: TestStore, _ writer: BeatWriter, email: String = "ada@example.com") async throws {
        self.init(store: store, writer: writer, entry: try await store.gate.enter(email: email))
    }

    private init(store: TestStore, writer: BeatWriter, entry: Entry) {
        self.store = store
        self.writer = writer
        self.entry = entry
    }

    @discardableResult
    func beat(page: String? = nil) async throws -> BeatOutcome {
        try await send(.presence(page: page))
    }

    @discardableResult
    func claim(
        _ segments: [SegmentClaim], sentAt: Int64, arrival: Timestamp? = nil, interval: Int64 = 180_000
    ) async throws -> BeatOutcome {
        try await send(.claims(segments, sentAt: sentAt, interval: interval), arrival: arrival)
    }

    static func segment(
        _ n: Int, from: Int64, to: Int64, attention: Attention = .active, tab: String = "t", page: String? = nil,
        video: String? = nil, end: SegmentEnd? = nil
    ) -> SegmentClaim {
        SegmentClaim(
            tab: tab, n: Int64(n), from: from, to: to, attention: attention, page: page,
            video: video, end: end)
    }

    private func send(_ content: Beat.Content, arrival: Timestamp? = nil) async throws -> BeatOutcome {
        try await writer.store(
            Beat(
                source: .token(viewer: entry.viewer, entry: entry.id), arrival: arrival ?? store.clock.now,
                content: content))
    }
}
