import Foundation
import Synchronization
import Testing

@testable import DwellAPI
@testable import DwellServer

/// People of whom nothing is left.
@Suite struct ErasureTests {
    @Test func `whoever is erased was never there, in any figure`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            for name in ["ada", "beryl"] { try await store.visit(writer, "\(name)@example.com", media: 0..<60_000) }
            let without = try await store.figures()
            for _ in 0..<3 { try await store.visit(writer, "owner@example.com", media: 30_000..<120_000) }
            #expect(try await store.figures() != without)

            let begun = try await store.erasures.begin(.owner, by: .commandLine)
            // At once, before any row has gone.
            let today = store.settings.days.day(of: store.clock.now)
            let overview = try await store.reports.overview(Reports.Scope(), from: today, through: today)
            #expect("\(overview)" == without["overview"], "at once")
            #expect(try await store.figures() == without)
            #expect(begun.completedTime == nil)
            store.clock.advance(by: 2000)
            try await store.erasures.complete()
            #expect(try await store.figures() == without)
            #expect(try await store.audience.recompute() == Audience.Recomputation(pairs: 2, videos: 1))
            let receipt = try #require(try await store.erasures.receipt(begun.id))
            #expect(receipt.completedTime == store.clock.now && receipt.askedBy == "command line")
            #expect(receipt.removed["segment"] == 6 && receipt.removed["session"] == 3)
            #expect(receipt.removed["viewer"] == 1 && receipt.removed["coverage"] == 1)
            #expect(receipt.removed["audit"] == 3 && receipt.removed["content"] == nil)
        }
    }

    @Test func `a name is gone from the beginning, and from every table in the end`() async throws {
        let store = try await TestStore()
        let (viewer, device) = try await store.addAccount()
        try await store.withWriter { writer in
            try await store.visit(writer, "ada@example.com", media: 0..<60_000)
            try await store.visit(writer, "beryl@example.com", media: 0..<60_000, page: "/for/beryl-alone")
        }
        #expect(try await store.texts(with: "beryl").count > 3)
        let begun = try await store.erasures.begin(.named(email: "beryl@example.com", username: nil), by: .key("tests"))
        // A device whose row is there, and ended: its token lets nobody in.
        #expect(try await store.rows("SELECT removal FROM device WHERE removed_at IS NOT NULL").count == 1)
        #expect(try await store.rows("SELECT id FROM viewer WHERE email LIKE '%beryl%'").isEmpty)
        // Asking again is no second erasure.
        let again = try await store.erasures.begin(.named(email: "beryl@example.com", username: nil), by: .commandLine)
        #expect(again.id == begun.id)
        #expect(try await store.erasures.begin(.viewer(viewer), by: .commandLine).id == begun.id)
        store.clock.advance(by: 2000)
        try await store.erasures.complete()
        #expect(try await store.texts(with: "beryl").isEmpty)
        #expect(try await store.texts(with: device.lowercase).isEmpty)
        #expect(try await store.texts(with: "ada").count > 1)
        let receipt = try #require(try await store.erasures.receipts(limit: 5).erasures.first)
        #expect(receipt.removed["content"] == 1 && receipt.removed["device"] == 1)
        #expect(receipt.removed["account"] == 1 && receipt.removed["viewer"] == 2)
        await #expect(throws: UnknownPerson()) {
            try await store.erasures.begin(.named(email: "beryl@example.com", username: nil), by: .commandLine)
        }
    }

    @Test func `it goes on where it ended, wherever it ends`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            try await store.visit(writer, "ada@example.com", media: 0..<60_000)
            for _ in 0..<3 { try await store.visit(writer, "owner@example.com", media: 0..<60_000) }
        }
        _ = try await store.figures()
        let begun = try await store.erasures.begin(.owner, by: .commandLine)
        store.clock.advance(by: 2000)
        var ends = 0
        while try await store.erasures.isWaiting() {
            let erasures = Erasures(
                database: EndingDatabase(store.database, writes: 2), statistics: store.statistics,
                days: store.settings.days, clock: store.clock.clock, logger: TestStore.silent)
            do { try await erasures.complete() } catch is EndingDatabase.End { ends += 1 }
        }
        #expect(ends > 3)
        let receipt = try #require(try await store.erasures.receipt(begun.id))
        #expect(receipt.removed["segment"] == 6 && receipt.removed["session"] == 3)
        #expect(try await store.texts(with: "owner").isEmpty)
    }

    @Test func `beats of whoever is erased are refused, and bring nobody back`() async throws {
        let store = try await TestStore()
        try await store.withWriter { writer in
            let guest = try await Guest(store, writer, email: "owner@example.com")
            try await guest.beat(page: "/page")
            _ = try await store.erasures.begin(.owner, by: .commandLine)
            #expect(try await guest.beat(page: "/page") == .revoked(at: store.clock.now))
            store.clock.advance(by: 2000)
            try await store.erasures.complete()
            #expect(try await guest.beat(page: "/page") == .unknownEntry)
            #expect(try await store.rows("SELECT id FROM viewer").isEmpty)
            // Who comes again is somebody new.
            let other = try await Guest(store, writer, email: "owner@example.com")
            #expect(other.entry.viewer != guest.entry.viewer)
        }
    }

    @Test func `whoever comes again before it is complete is somebody new, and gets a receipt anew`() async throws {
        let store = try await TestStore()
        _ = try await store.gate.enter(email: "owner@example.com")
        let first = try await store.erasures.begin(.owner, by: .commandLine)
        _ = try await store.gate.enter(email: "owner@example.com")
        let second = try await store.erasures.begin(.owner, by: .commandLine)
        #expect(second.id != first.id)
        #expect(try await store.rows("SELECT id FROM viewer WHERE email LIKE 'owner%'").isEmpty)
    }

    @Test func `a name that is taken away is not remembered for the next who sees such a page`() async throws {
        let contents = ContentNumbers()
        let page = ContentNumbers.Content(kind: .page, name: "/for/ada")
        let moment = contents.moment
        contents.remember([page: 7], since: moment)
        #expect(contents.number(of: page) == 7)
        contents.forget()
        #expect(contents.number(of: page) == nil)
        contents.remember([page: 7], since: moment)
        #expect(contents.number(of: page) == nil)
    }
}

/// A database of a program that ends right after so many transactions.
private final class EndingDatabase: DatabaseWrapper {
    struct End: Error {}

    let base: any Database
    private let left: Mutex<Int>

    init(_ base: any Database, writes: Int) {
        self.base = base
        left = Mutex(writes)
    }

    @discardableResult
    func write<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        let value = try await base.write(body)
        let isLast = left.withLock { left in
            left -= 1
            return left == 0
        }
        if isLast { throw End() }
        return value
    }
}

extension TestStore {
    /// Everything in any table that holds a text.
    func texts(with text: String) async throws -> [String] {
        let tables = try await database.read { connection in
            try connection.rows(
                connection.dialect == .sqlite
                    ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
                    : "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            ).map { try $0["name"] as String }
        }
        var found: [String] = []
        for table in tables { found += try await rows("SELECT * FROM \"\(table)\"").filter { $0.contains(text) } }
        return found
    }
}
