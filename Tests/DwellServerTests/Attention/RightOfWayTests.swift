import Testing

@testable import DwellServer

@Suite struct RightOfWayTests {
    @Test func `where no beat waits, nothing pauses`() async throws {
        let start = ContinuousClock.now
        try await RightOfWay { false }.pause(after: .seconds(3600))
        #expect(start.duration(to: .now) < .seconds(60))
    }

    @Test func `while beats wait, work pauses for longer than it took, and yet goes on`() async throws {
        for taken in [Duration.milliseconds(5), .seconds(3600)] {
            let start = ContinuousClock.now
            try await RightOfWay { true }.pause(after: taken)
            #expect(start.duration(to: .now) >= min(taken * 2, .milliseconds(500)))
        }
    }

    @Test func `beats have the right of way while they wait, and only then`() async throws {
        let store = try await TestStore()
        let writer = BeatWriter(database: store.database, settings: store.settings, logger: TestStore.silent)
        let entry = try await store.gate.enter(email: "ada@example.com")
        #expect(!writer.rightOfWay.beatsWait())
        // Nobody writes yet: the beat waits.
        let beat = Beat(
            source: .token(viewer: entry.viewer, entry: entry.id), arrival: store.clock.now,
            content: .presence(page: nil))
        let stored = Task { try await writer.store(beat) }
        while !writer.rightOfWay.beatsWait() { await Task.yield() }
        let writing = Task { try await writer.run() }
        #expect(try await stored.value == .stored(entry))
        #expect(!writer.rightOfWay.beatsWait())
        writing.cancel()
        try await writing.value
    }
}
