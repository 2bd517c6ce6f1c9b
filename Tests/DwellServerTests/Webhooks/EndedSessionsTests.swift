import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

/// When sessions are told to have ended.
@Suite struct EndedSessionsTests {
    private static let minute: Int64 = 60_000

    @Test func `a session is told once, when half an hour was silent`() async throws {
        let store = try await TestStore()
        try await store.listen()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let start = store.clock.now.milliseconds
            store.clock.advance(by: 10 * Self.minute)
            try await guest.claim(
                [Guest.segment(1, from: start, to: start + 5 * Self.minute)], sentAt: store.clock.now.milliseconds)
            store.clock.advance(by: 25 * Self.minute)
            #expect(try await store.tell() == [])
            store.clock.advance(by: 1)
            let told = try await store.tell()
            #expect(told == (try await store.sessions()))
            #expect(told.first?.closed == true && told.first?.engagedMs == 5 * Self.minute)
            store.clock.advance(by: 600 * Self.minute)
            #expect(try await store.tell() == [])
            let ended = EndedSessions(database: store.database, clock: store.clock.clock)
            #expect(try await !ended.isWaiting())
        }
    }

    @Test func `what was over before anybody asked is not told`() async throws {
        let store = try await TestStore()
        _ = try await store.gate.enter(email: "ada@example.com")
        store.clock.advance(by: 31 * Self.minute)
        _ = try await store.gate.enter(email: "bea@example.com")
        let webhook = try await store.listen()
        store.clock.advance(by: 40 * Self.minute)
        #expect(try await store.tell().map(\.emailOfAccessor) == ["bea@example.com"])
        // Nobody asks for a while.
        try await Webhooks(database: store.database, clock: store.clock.clock).remove(webhook)
        _ = try await store.gate.enter(email: "cid@example.com")
        store.clock.advance(by: 40 * Self.minute)
        #expect(try await store.tell() == [])
        try await store.listen()
        store.clock.advance(by: 40 * Self.minute)
        #expect(try await store.tell() == [])
    }

    @Test func `many that end at once are told a few at a time, each once`() async throws {
        let store = try await TestStore()
        try await store.listen()
        for number in 0..<470 {
            // More than one transaction takes in the same millisecond, then some in each.
            if number >= 230 { store.clock.advance(by: Int64(number % 2)) }
            _ = try await store.gate.enter(email: "v\(number)@example.com")
        }
        store.clock.advance(by: 31 * Self.minute)
        #expect(Set(try await store.tell().map(\.emailOfAccessor)).count == 470)
        #expect(try await store.tell() == [])
    }

    @Test func `one that is closed by name is told at once, and not again`() async throws {
        let store = try await TestStore()
        try await store.listen()
        let (viewer, device) = try await store.addAccount()
        let login = Login(account: UUID(), device: device, number: 0, viewer: viewer)
        try await store.withWriter { writer in
            let watchTime = WatchTime(
                database: store.database, writer: writer, settings: store.settings, clock: store.clock.clock)
            let first = try await watchTime.start(login, video: "lesson", earlier: nil)
            store.clock.advance(by: Self.minute)
            let second = try await watchTime.start(login, video: "lesson", earlier: first.id)
            #expect(try await store.tell().map(\.id) == [first.id])
            store.clock.advance(by: 40 * Self.minute)
            #expect(try await store.tell().map(\.id) == [second.id])
        }
    }

    @Test func `what comes late is told again under the same number, and repeating it is not`() async throws {
        let store = try await TestStore()
        try await store.listen()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            let start = store.clock.now.milliseconds
            store.clock.advance(by: 300 * Self.minute)
            #expect(try await store.tell().map(\.visibleMs) == [0])
            for n in [1, 1, 2] {
                store.clock.advance(by: Self.minute)
                let late = Guest.segment(n, from: start, to: start + Int64(n) * 10 * Self.minute)
                try await guest.claim([late], sentAt: store.clock.now.milliseconds)
                let told = try await store.tell()
                if n == 1, let first = told.first {
                    #expect(first.id == guest.entry.id && first.visibleMs == 10 * Self.minute)
                }
            }
            store.clock.advance(by: Self.minute)
            // A session of its own, that began and ended while nobody heard of it.
            let other = Guest.segment(9, from: start + 100 * Self.minute, to: start + 101 * Self.minute)
            try await guest.claim([other], sentAt: store.clock.now.milliseconds)
            #expect(try await store.tell().map(\.visibleMs) == [Self.minute])
        }
        let told = try await store.told()
        #expect(told.map(\.visibleMs) == [0, 10 * Self.minute, 20 * Self.minute, Self.minute])
        #expect(Set(told.map(\.id)).count == 2)
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func `whatever comes late, what was told last of each session is what it is`(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let store = try await TestStore()
        try await store.listen()
        let start = store.clock.now
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            for beat in Self.lateBeats(&random).sorted(by: { $0.arrival < $1.arrival }) {
                store.clock.set(start + beat.arrival)
                try await guest.claim(
                    [
                        Guest.segment(
                            beat.n, from: start.milliseconds + beat.from, to: start.milliseconds + beat.to,
                            tab: beat.tab)
                    ], sentAt: store.clock.now.milliseconds)
                if Bool.random(using: &random) { _ = try await store.tell() }
            }
        }
        store.clock.advance(by: 60 * Self.minute)
        _ = try await store.tell()
        let told = try await store.told()
        let last = Dictionary(grouping: told, by: \.id).compactMapValues(\.last)
        for session in try await store.sessions() { #expect(last[session.id] == session) }
        for (_, versions) in Dictionary(grouping: told, by: \.id) {
            for (one, next) in zip(versions, versions.dropFirst()) { #expect(one != next) }
        }
    }

    @Test func `nodes that look at once tell it once`() async throws {
        let store = try await TestStore()
        try await store.listen()
        for number in 0..<30 { _ = try await store.gate.enter(email: "v\(number)@example.com") }
        store.clock.advance(by: 31 * Self.minute)
        try await withThrowingTaskGroup { group in
            for _ in 0..<4 { group.addTask { _ = try await store.tell() } }
            try await group.waitForAll()
        }
        #expect(Set(try await store.told().map(\.id)).count == 30)
        #expect(try await store.told().count == 30)
    }

    private struct LateBeat {
        let tab: String
        let n: Int
        let from: Int64
        let to: Int64
        let arrival: Int64
    }

    /// Segments of several tabs over six hours, told of at once or hours later.
    private static func lateBeats(_ random: inout SeededGenerator) -> [LateBeat] {
        ["a", "b"].flatMap { tab in
            (0..<8).map { n in
                let from = Int64.random(in: 0...36, using: &random) * 10 * minute
                let to = from + Int64.random(in: 1...20, using: &random) * minute
                let delay = ([0, 10, 29, 31, 200] as [Int64]).randomElement(using: &random) ?? 0
                // No two at the same moment: the order in which they are told is to be seen.
                let arrival = to + delay * minute + Int64.random(in: 0..<minute, using: &random)
                return LateBeat(tab: tab, n: n, from: from, to: to, arrival: arrival)
            }
        }
    }
}

extension TestStore {
    /// Adds an endpoint.
    @discardableResult
    func listen(
        to events: [WebhookEventType] = WebhookEventType.offered, url: String = "http://localhost/"
    ) async throws -> UUID {
        let added = try await Webhooks(database: database, clock: clock.clock)
            .add(url: url, events: events.map(\.rawValue))
        return try #require(UUID(uuidString: added.webhook.id))
    }

    /// Tells of what has ended.
    /// - Returns: What was told
    fileprivate func tell() async throws -> [SessionRecord] {
        let before = try await told().count
        let sessions = EndedSessions(database: database, clock: clock.clock)
        if try await sessions.isWaiting() { try await sessions.tell() }
        return Array(try await told().dropFirst(before))
    }

    /// Every session that was told, in the order in which they were.
    fileprivate func told() async throws -> [SessionRecord] {
        try await database.read { connection in
            try connection.rows(
                "SELECT body FROM webhook_delivery WHERE type = 'session.ended' ORDER BY made_at, id"
            ).map { row in
                let body: String = try row["body"]
                return try JSONDecoder().decode(WebhookEvent<SessionRecord>.self, from: Data(body.utf8)).data
            }
        }
    }
}
