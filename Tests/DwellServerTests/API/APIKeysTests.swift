import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct APIKeysTests {
    private func keys(_ store: TestStore) -> APIKeys {
        APIKeys(database: store.database, clock: store.clock.clock)
    }

    @Test func `a key has the scopes that it was made with`() async throws {
        let store = try await TestStore()
        let keys = keys(store)
        for (name, scopes) in [
            ("reader", [.read]), ("gardener", [.manage, .read]), ("all", Set(APIScope.allCases)),
        ] as [(String, Set<APIScope>)] {
            let secret = try await keys.create(name: name, scopes: scopes)
            let key = try #require(try await keys.key(secret))
            #expect(key.name == name)
            #expect(key.scopes == scopes)
        }
        let listed = try await keys.list().map(\.scopeNames)
        #expect(listed == [["read", "audit", "manage"], ["read", "manage"], ["read"]])
    }

    @Test func `a key of before has the scope to read`() async throws {
        let store = try await TestStore()
        try await store.database.write { connection in
            try connection.execute(
                "INSERT INTO api_key (id, name, hash, created_at) VALUES ($1, $2, $3, $4)",
                [UUID(), "old", RandomSecret.hash(of: "dwell_old"), store.clock.now])
        }
        #expect(try await keys(store).key("dwell_old")?.scopes == [.read])
    }

    @Test func `a key that was removed is none`() async throws {
        let store = try await TestStore()
        let keys = keys(store)
        let secret = try await keys.create(name: "a")
        try await keys.remove(name: "a")
        #expect(try await keys.key(secret) == nil)
        await #expect(throws: InvalidField.self) { try await keys.remove(name: "a") }
        let log = try await AuditLog.entries(in: store.database, since: Timestamp(milliseconds: 0))
        #expect(Set(log.map(\.event)) == ["key-creation", "key-removal"])
        #expect(log.allSatisfy { $0.subject == "a" })
    }

    @Test func `that a key is used is noted once a minute`() async throws {
        let store = try await TestStore()
        let keys = keys(store)
        let secret = try await keys.create(name: "a")
        #expect(try await keys.list().map(\.lastUsedAt) == [nil])
        let first = store.clock.now
        for _ in 0..<6 {
            _ = try await keys.key(secret)
            store.clock.advance(by: 10_000)
        }
        #expect(try await keys.list().map(\.lastUsedAt) == [first])
        _ = try await keys.key(secret)
        #expect(try await keys.list().map(\.lastUsedAt) == [first + 60_000])
    }

    @Test func `a key that can't be noted lets in nevertheless`() async throws {
        let store = try await TestStore()
        let secret = try await keys(store).create(name: "a")
        let full = FullDatabase(base: store.database)
        #expect(try await APIKeys(database: full, clock: store.clock.clock).key(secret)?.name == "a")
        #expect(try await keys(store).list().map(\.lastUsedAt) == [nil])
    }
}

/// A database that can be read and not written.
private struct FullDatabase: DatabaseWrapper {
    let base: any Database

    func write<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        throw DatabaseError.unavailable("the disk is full")
    }
}
