import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct EvidenceTests {
    private static let minute: Int64 = 60_000

    @Test func `every gap has its reason, and segments and gaps together are the session`() async throws {
        let store = try await TestStore()
        let start = store.clock.now.milliseconds
        store.clock.advance(by: 20 * Self.minute)
        let segments: [(Int64, Int64, SegmentEnd?)] = [
            (1, 2, .hidden), (3, 4, .asleep), (5, 6, .left), (7, 8, .lost), (9, 10, nil), (11, 12, .attention),
            (13, 14, .frozen), (15, 16, .paused), (17, 18, .hidden),
        ]
        try await store.withWriter { writer in
            // The session begins 20 minutes ago.
            store.clock.advance(by: -20 * Self.minute)
            let guest = try await Guest(store, writer)
            store.clock.advance(by: 20 * Self.minute)
            let claims = segments.enumerated().map { n, segment in
                Guest.segment(
                    n, from: start + segment.0 * Self.minute, to: start + segment.1 * Self.minute, end: segment.2)
            }
            try await guest.claim(claims, sentAt: store.clock.now.milliseconds, interval: 30_000)
        }
        let evidence = try #require(try await store.reports.evidence(session: 1))
        #expect(
            evidence.gaps.map(\.reason)
                == [.entered, .hidden, .asleep, .left, .lost, .silent, .transit, .frozen, .player])
        let gaps = evidence.gaps.reduce(0) { $0 + $1.lengthMs }
        #expect(gaps + evidence.session.visibleMs == evidence.session.elapsedMs)
        #expect(evidence.segments.map(\.ended) == segments.map(\.2))
        // 2 s for a sleep, for a crash the minute until the next segment, the interval for what never said that it was
        // over, 1 s for the tab.
        #expect(evidence.session.visibleErrorMs == 2000 + Self.minute + 30_000 + 1000)
        #expect(evidence.session.elapsedErrorMs == 1000)
    }

    @Test func `a session whose last segment is open may have lasted until the next beat`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            store.clock.advance(by: Self.minute)
            try await guest.claim(
                [
                    Guest.segment(0, from: 0, to: 40_000),
                    Guest.segment(0, from: 0, to: 60_000, tab: "u", end: .hidden),
                ], sentAt: 60_000, interval: 30_000)
        }
        let session = try #require(try await store.reports.evidence(session: 1)).session
        #expect(session.elapsedErrorMs == 40_000 + 30_000 - 60_000 + 1000)
    }

    @Test func `a script that only says that it is there may have been hidden all the time`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer)
            try await guest.beat()
            store.clock.advance(by: 2 * Self.minute)
            try await guest.beat()
        }
        let session = try #require(try await store.sessions().first)
        #expect(session.visibleErrorMs == 2 * Self.minute + 180_000 + 1000)
        #expect(session.elapsedErrorMs == 180_000 + 1000)
    }

    @Test func `a session that does not exist has no evidence`() async throws {
        let store = try await TestStore()
        let evidence = try await store.reports.evidence(session: 1)
        withExtendedLifetime(store) { #expect(evidence == nil) }
    }
}
