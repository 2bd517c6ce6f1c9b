import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct StoreCopyTests {
    @Test func `every table of the schema is copied, or is known to stay`() async throws {
        let store = try await TestStore()
        let tables = try await store.database.read { try SchemaQueries(connection: $0).tables() }
        let copied = Set(StoreTable.all.map(\.name))
        #expect(copied.isDisjoint(with: StoreTable.own))
        // A table that is new belongs into one of the two lists.
        #expect(tables.subtracting(StoreTable.own) == copied)
    }

    @Test func `keys are the schema's`() async throws {
        let store = try await TestStore()
        guard store.database.dialect == .sqlite else { return }
        for table in StoreTable.all {
            let key = try await store.database.read { connection in
                try connection.rows(
                    "SELECT name FROM pragma_table_info('\(table.name)') WHERE pk > 0 ORDER BY pk"
                ).map { try $0["name"] as String }
            }
            #expect(table.key.map(\.name) == key)
        }
    }

    @Test func `what is copied is the same, with numbers that go on`() async throws {
        let (source, target) = (try await lived(), try await TestStore())
        let outcome = try await copy(source, target)
        guard case .copied(let report) = outcome else { throw Unexpected() }
        #expect(report.isSame)
        #expect(report.tables.map(\.name) == StoreTable.all.map(\.name))
        #expect(try await target.sessions() == source.sessions())
        _ = try await target.gate.enter(email: "new@example.com")
        #expect(try await target.sessions().map(\.id) == [1, 2, 3])
        let mark = try await target.database.read { try NoteQueries(connection: $0).text(of: .unfinishedCopy) }
        #expect(mark == nil)
    }

    @Test func `a copy that is there already is left alone`() async throws {
        let (source, target) = (try await lived(), try await TestStore())
        _ = try await copy(source, target)
        guard case .wasWhole(let report) = try await copy(source, target) else { throw Unexpected() }
        #expect(report.isSame)
    }

    @Test func `a target with other data is refused, and unchanged`() async throws {
        let (source, target) = (try await lived(), try await lived())
        try await target.database.write { connection in
            try connection.execute("UPDATE viewer SET email = 'other@example.com' WHERE id = 1")
        }
        let before = try await target.rows("SELECT * FROM viewer ORDER BY id")
        for isAfresh in [false, true] {
            await #expect(throws: CopyError.targetHoldsOtherData) { try await copy(source, target, afresh: isAfresh) }
        }
        #expect(try await target.rows("SELECT * FROM viewer ORDER BY id") == before)
    }

    @Test func `an unfinished copy goes on where it was`() async throws {
        let (source, target) = (try await lived(), try await TestStore())
        let lineage = try await source.database.read { try SchemaQueries(connection: $0).lineage() }
        // As if it had ended after the first viewer.
        try await target.database.write { connection in
            try NoteQueries(connection: connection).set(.unfinishedCopy, to: lineage)
            try connection.execute(
                """
                INSERT INTO viewer (id, kind, email, created_at) VALUES (1, 'guest', 'ada@example.com', $1)
                """, [source.clock.now])
        }
        await #expect(throws: CopyError.sourceIsUnfinished) { try await copy(target, source) }
        #expect(try await copy(source, target).report.isSame)
    }

    @Test func `what differs is named, and the copy stays unfinished`() async throws {
        let (source, target) = (try await lived(), try await TestStore())
        let lineage = try await source.database.read { try SchemaQueries(connection: $0).lineage() }
        try await target.database.write { connection in
            try NoteQueries(connection: connection).set(.unfinishedCopy, to: lineage)
            try connection.execute(
                "INSERT INTO viewer (id, kind, email, created_at) VALUES (1, 'guest', 'forged@example.com', 0)")
        }
        let report = try await copy(source, target).report
        #expect(report.tables.filter { !$0.isSame }.map(\.name) == ["viewer"])
        #expect(report.text.contains("DIFFERENT ROWS"))
        let mark = try await target.database.read { try NoteQueries(connection: $0).text(of: .unfinishedCopy) }
        #expect(mark == lineage)
        #expect(try await copy(source, target, afresh: true).report.isSame)
    }

    @Test func `a source of another version is refused before the target is touched`() async throws {
        let (source, target) = (try await lived(), try await TestStore())
        try await source.database.write { connection in
            try connection.execute("DELETE FROM schema_migration WHERE number = $1", [Migrator.latest])
        }
        let before = try await source.database.read { try SchemaQueries(connection: $0).migration() }
        #expect(before < Migrator.latest)
        await #expect(throws: CopyError.sourceAtMigration(before)) { try await copy(source, target) }
        await #expect(throws: CopyError.targetAtMigration(before)) { try await copy(target, source) }
    }

    private struct Unexpected: Error {}

    /// A store with two visitors, one of whom was seen.
    private func lived() async throws -> TestStore {
        let store = try await TestStore()
        let entry = try await store.gate.enter(email: "ada@example.com")
        _ = try await store.gate.enter(email: "zoe@example.com")
        try await store.withWriter { writer in
            for page in ["/a", "/Ä"] {
                let beat = Beat(
                    source: .token(viewer: entry.viewer, entry: entry.id), arrival: store.clock.now,
                    content: .presence(page: page))
                _ = try await writer.store(beat)
            }
        }
        return store
    }

    @discardableResult
    private func copy(_ source: TestStore, _ target: TestStore, afresh: Bool = false) async throws -> StoreCopy.Outcome
    {
        try await StoreCopy(from: source.database, to: target.database, clock: source.clock.clock).run(afresh: afresh)
    }
}
