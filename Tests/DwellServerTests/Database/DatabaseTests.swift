import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct DatabaseTests {
    @Test(.enabled(if: TestDatabase.isPostgres)) func `every commit waits for PostgreSQL's disk`() async throws {
        let store = try await TestStore()
        let setting = try await store.database.write { connection in
            try #require(try connection.row("SHOW synchronous_commit"))["synchronous_commit"] as String
        }
        #expect(setting == "on")
    }

    @Test func `a transaction that fails leaves nothing`() async throws {
        let store = try await TestStore()
        await #expect(throws: DatabaseError.self) {
            try await store.database.write { connection in
                try connection.execute("INSERT INTO setting (name, value) VALUES ('a', 'b')")
                try connection.execute("INSERT INTO setting (name, value) VALUES ('a', 'c')")
            }
        }
        #expect(try await store.rows("SELECT * FROM setting").isEmpty)
    }

    @Test func `parameters are taken by their numbers, in any order and as often as wanted`() async throws {
        let store = try await TestStore()
        let row = try await store.database.read { connection in
            try connection.row("SELECT $2 AS b, CAST($1 AS BIGINT) AS a, $2 AS c", [1, "two"])
        }
        let found = try #require(row)
        #expect(try found["a"] as Int == 1)
        #expect(try found["b"] as String == "two")
        #expect(try found["c"] as String == "two")
    }

    @Test func `numbers are never given twice, even when a transaction fails`() async throws {
        let store = try await TestStore()
        let first = try await store.database.write { try $0.nextNumber(of: .session) }
        let second = try await store.database.write { try $0.nextNumber(of: .session) }
        #expect(second == first + 1)
    }

    @Test(arguments: [
        "INSERT INTO viewer (id, kind, email, created_at) VALUES (1, 'guest', NULL, 0)",
        "INSERT INTO viewer (id, kind, email, created_at) VALUES (1, 'robot', 'a@b.c', 0)",
        "INSERT INTO session (viewer_id, id, started_at, last_seen_at) VALUES (7, 1, 0, 0)",
        "INSERT INTO daily_statistic VALUES (7, 1, 0, 5, 6, 5, 0, 0)",
        "INSERT INTO segment (viewer_id, session_id, tab, n, started_at, ended_at, attention) VALUES (1,1,'t',0,5,4,'active')",
    ])
    func `the schema refuses what the rules forbid`(statement: String) async throws {
        let store = try await TestStore()
        await #expect { try await store.database.write { try $0.execute(statement) } } throws: { error in
            if case DatabaseError.constraint = error { true } else { false }
        }
    }

    @Test func `a file that is no database is said to be none`() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "dwell-\(UUID().uuidString).sqlite")
        try Data(repeating: 65, count: 10_000).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        #expect { try SQLiteDatabase(path: path.path(percentEncoded: false)) } throws: { error in
            if case DatabaseError.corrupt = error { true } else { false }
        }
    }

    @Test func `migrating twice changes nothing`() async throws {
        let store = try await TestStore()
        #expect(try await Migrator.migrate(store.database, now: store.clock.now) == [])
    }

    @Test func `a database of a later version is left alone`() async throws {
        let store = try await TestStore()
        try await store.database.write {
            try $0.execute("INSERT INTO schema_migration (number, name, applied_at) VALUES (999, 'x', 0)")
        }
        await #expect(throws: MigrationError.newerSchema(999)) {
            try await Migrator.migrate(store.database, now: store.clock.now)
        }
    }
}
