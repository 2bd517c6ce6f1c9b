import DwellAPI
import Testing

@testable import DwellServer

/// The list of sessions of a page or a video is that of all sessions, without the others.
@Suite struct SessionListTests {
    /// A session of one viewer, with one segment on everything that it saw.
    private struct Visit {
        let id: Int64
        let viewer: Int64
        let start: Timestamp
        let end: Timestamp
        /// Begins so that it may lie after midnight.
        let seenAt: Timestamp
        let page: Int
        let video: Int

        static let people: Int64 = 6
        static let hour: Int64 = 3_600_000
    }

    @Test(arguments: ["America/New_York", "Asia/Tokyo"])
    func `pages of it leave nothing out and nothing twice, across midnights and where days wait to be computed`(
        zone: String
    ) async throws {
        var generator = SeededGenerator(seed: 5)
        let store = try await TestStore(timeZone: zone)
        let begin = store.clock.now
        let visits = (1...120).map { id -> Visit in
            let start = begin + Int64.random(in: 0..<10 * 24, using: &generator) * (Visit.hour / 2)
            let length = Int64.random(in: 1...6, using: &generator) * Visit.hour
            return Visit(
                id: Int64(id), viewer: .random(in: 1...Visit.people, using: &generator), start: start,
                end: start + length, seenAt: start + length - 60_000, page: .random(in: 0..<3, using: &generator),
                video: .random(in: 0..<3, using: &generator))
        }
        store.clock.set(begin + 10 * 24 * Visit.hour)
        try await fill(store, visits[..<100])
        try await store.statistics.aggregate()
        try await fill(store, visits[100...])

        for number in 0..<3 {
            let asked: [(String?, String?)] = [("/\(number)", nil), (nil, "v\(number)"), ("/\(number)", "v0")]
            for (page, video) in asked {
                let wanted = visits.filter {
                    (page == nil || page == "/\($0.page)") && (video == nil || video == "v\($0.video)")
                }
                var filter = SessionFilter()
                (filter.page, filter.video) = (page, video)
                try await expect(store, filter, wanted)
                filter.from = begin + 30 * Visit.hour
                try await expect(store, filter, wanted)
                filter.to = begin + 75 * Visit.hour
                try await expect(store, filter, wanted)
            }
        }
    }

    private func fill(_ store: TestStore, _ visits: ArraySlice<Visit>) async throws {
        let days = store.settings.days
        try await store.database.write { connection in
            for viewer in 1...Visit.people {
                try connection.execute(
                    """
                    INSERT INTO viewer (id, kind, email, created_at) VALUES ($1, 'guest', $2, 0)
                    ON CONFLICT (id) DO NOTHING
                    """, [viewer, "guest\(viewer)@example.com"])
            }
            for number in 0..<Int64(3) {
                for (id, kind, name) in [(1 + number, "page", "/\(number)"), (11 + number, "video", "v\(number)")] {
                    try connection.execute(
                        "INSERT INTO content (id, kind, name) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
                        [id, kind, name])
                }
            }
            for visit in visits {
                try connection.execute(
                    """
                    INSERT INTO session (viewer_id, id, entry_id, started_at, last_seen_at, seen_slot)
                    VALUES ($1, $2, $2, $3, $4, $5)
                    """,
                    [visit.viewer, visit.id, visit.start, visit.end, visit.end.milliseconds / Session.slotLength])
                try connection.execute(
                    """
                    INSERT INTO segment (
                        viewer_id, entry_id, tab, n, session_id, started_at, ended_at, attention, page_id, video_id,
                        unsure_ms, first_beat_at, last_beat_at)
                    VALUES ($1, $2, 'tab', 1, $2, $3, $4, 'active', $5, $6, 0, $4, $4)
                    """,
                    [visit.viewer, visit.id, visit.seenAt, visit.end, 1 + visit.page, 11 + visit.video])
                for day in days.day(of: visit.start)...days.day(of: visit.end) {
                    try connection.execute(
                        "INSERT INTO dirty_day (viewer_id, day) VALUES ($1, $2) ON CONFLICT (viewer_id, day) DO NOTHING",
                        [visit.viewer, day])
                }
            }
        }
    }

    /// Reads all pages of a list, of few sessions and of many.
    private func expect(_ store: TestStore, _ filter: SessionFilter, _ visits: [Visit]) async throws {
        let wanted = visits.filter { visit in
            (filter.from.map { visit.start >= $0 } ?? true) && (filter.to.map { visit.start < $0 } ?? true)
        }.sorted { ($0.start, $0.id) > ($1.start, $1.id) }.map(\.id)
        for limit in [1, 7, 200] {
            var filter = filter
            filter.limit = limit
            var found: [Int64] = []
            repeat {
                let page = try await store.reports.sessions(filter)
                found += page.sessions.map(\.id)
                filter.cursor = page.nextCursor.flatMap { SessionCursor($0) }
            } while filter.cursor != nil && found.count <= wanted.count
            #expect(found == wanted)
        }
        // Where many saw it on a day it is looked for in another way.
        for dailyViewers in [1, 3] {
            for limit in [1, 7, 200] {
                let found = try await Self.pages(store, filter, limit: limit, dailyViewers: dailyViewers)
                #expect(found == wanted, "\(dailyViewers)")
            }
        }
    }

    /// Reads page after page, until one is not full.
    private static func pages(
        _ store: TestStore, _ filter: SessionFilter, limit: Int, dailyViewers: Int
    ) async throws -> [Int64] {
        try await store.database.read { [days = store.settings.days] connection in
            let queries = SessionListQueries(connection: connection, days: days, dailyViewers: dailyViewers)
            var filter = filter
            var found: [Int64] = []
            while true {
                let page = try queries.sessions(filter, limit: limit)
                found += page.map(\.id)
                guard let last = page.last, page.count == limit else { return found }
                filter.cursor = SessionCursor(startedAt: last.startedAt, id: last.id)
            }
        }
    }
}
