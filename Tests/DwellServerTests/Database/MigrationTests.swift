import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct MigrationTests {
    @Test func `a database of the first version keeps its sessions, segments and cookies`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "dwell-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let database = try SQLiteDatabase(path: folder.appending(path: "old.sqlite").path(percentEncoded: false))
        let clock = TestClock(Timestamp(milliseconds: 200_000))
        try await Self.makeFirstVersion(database)

        #expect(
            try await Migrator.migrate(database, now: clock.now) == [
                "2 evidence", "3 nodes", "4 live", "5 folding", "6 browsers", "7 mail", "8 gates", "9 audit",
                "10 audience", "12 viewing", "17 operators", "22 visitors",
            ])
        let days = LocalDays(timeZone: .gmt)
        let reports = Reports(database: database, days: days, clock: clock.clock)
        let sessions = try await reports.sessions(SessionFilter()).sessions.sorted { $0.id < $1.id }
        #expect(sessions.prefix(2).map(\.visibleMs) == [60_000, 0])
        let evidence = try #require(try await reports.evidence(session: 1))
        #expect(evidence.refused == RefusedRecord(futureMs: 500))
        #expect(evidence.segments.map(\.beats) == [1])

        // The cookie of the second session, which followed the first, still takes beats.
        let settings = BeatSettings(interval: 180_000, days: days)
        let beat = Beat(source: .token(viewer: 1, entry: 2), arrival: clock.now, content: .presence(page: nil))
        let outcome = try await database.write { connection in
            var store = BeatStore(connection: connection, settings: settings)
            return try store.store([beat])[0]
        }
        #expect(outcome.entry?.id == 2)

        let statistics = Statistics(database: database, days: days, logger: TestStore.silent)
        try await statistics.aggregate()
        #expect(try await reports.days(Reports.Scope()).map(\.rawMs) == [60_000])
        #expect(try await statistics.recompute { _, _ in }.changed == 0)

        // What was watched before waits to be folded.
        try await Audience(database: database, logger: TestStore.silent).fold()
        let viewers = try await Videos(database: database).viewers(of: "film")?.viewers
        #expect(viewers?.map(\.progress.ranges) == [[MediaSpan(fromMs: 0, toMs: 60_000)]])
        try database.close()
    }

    @Test func `sessions keep their devices, and devices what they were, when their table is made anew`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "dwell-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let database = try SQLiteDatabase(path: folder.appending(path: "old.sqlite").path(percentEncoded: false))
        try await Self.makeFirstVersion(database)
        _ = try await Migrator.migrate(database, now: Timestamp(milliseconds: 200_000))
        let kept = try await database.read { connection in
            try connection.rows("SELECT id, device_id FROM session WHERE viewer_id = 2 ORDER BY id").map { row in
                try row["device_id"] as String?
            }
        }
        #expect(kept == [Self.device, Self.oldDevice])
        let statuses = try await database.read { connection in
            try [Self.device, Self.oldDevice].map { device in
                try DeviceQueries(connection: connection).status(
                    of: LoginKey(
                        account: try #require(UUID(uuidString: Self.account)),
                        device: try #require(UUID(uuidString: device)), number: 0))
            }
        }
        // It was last seen by its session.
        #expect(statuses.map { $0?.lastSeenAt.milliseconds } == [7000, 4200])
        #expect(statuses.map { $0?.removal?.0 } == [nil, .removed])
        try database.close()
    }

    private static let account = "11111111-1111-1111-1111-111111111111"
    private static let device = "22222222-2222-2222-2222-222222222222"
    private static let oldDevice = "33333333-3333-3333-3333-333333333333"

    private static func makeFirstVersion(_ database: SQLiteDatabase) async throws {
        try await database.write { connection in
            for statement in Migration.tables.statements.compactMap({ $0.text(for: .sqlite) }) {
                try connection.execute(statement)
            }
            for statement in [
                "CREATE TABLE schema_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER)",
                "INSERT INTO schema_migration VALUES (1, 'tables', 0)",
                "INSERT INTO viewer VALUES (1, 'guest', 'ada@example.com', 0)",
                "UPDATE sequence SET value = 9",
                "INSERT INTO content VALUES (1, 'video', 'film')",
                "INSERT INTO session VALUES (1, 1, NULL, NULL, NULL, 0, 60000, 1860000)",
                "INSERT INTO session VALUES (1, 2, NULL, NULL, 1, 100000, 100000, NULL)",
                """
                INSERT INTO segment VALUES
                    (1, 1, 't', 0, 0, 60000, 'active', NULL, 1, 0, 60000, 1, 500, 'future')
                """,
                "INSERT INTO daily_statistic VALUES (1, 0, 0, 60000, 60000)",
                "INSERT INTO viewer VALUES (2, 'account', NULL, 0)",
                """
                INSERT INTO account VALUES (
                    '\(account)', 2, 'bea', 'bea', 'Bea', 'Example', 'bea@example.com', '', NULL, NULL, NULL, NULL, 0, 0,
                    0, 0)
                """,
                "INSERT INTO device VALUES ('\(device)', '\(account)', 'Firefox', 'Linux', 5000, NULL, NULL)",
                "INSERT INTO device VALUES ('\(oldDevice)', '\(account)', 'Firefox', 'Linux', 4000, 4500, 'removed')",
                "INSERT INTO session VALUES (2, 3, '\(device)', NULL, NULL, 6000, 7000, 7000)",
                "INSERT INTO session VALUES (2, 4, '\(oldDevice)', NULL, NULL, 4000, 4200, 4300)",
            ] { try connection.execute(statement) }
        }
    }
}
