import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct OutboxTests {
    @Test func `a mail is one taker's until its turn is over`() async throws {
        let store = try await TestStore()
        let now = store.clock.now
        try await store.database.write { try MailQueries(connection: $0).insert(Self.mail, at: now) }
        #expect(try await take(store)?.attempts == 1)
        #expect(try await take(store) == nil)
        store.clock.advance(by: 59_999)
        #expect(try await take(store) == nil)
        store.clock.advance(by: 1)
        #expect(try await take(store)?.attempts == 2)
    }

    @Test func `of many takers at once one gets it`() async throws {
        let store = try await TestStore()
        let now = store.clock.now
        try await store.database.write { try MailQueries(connection: $0).insert(Self.mail, at: now) }
        let taken = try await withThrowingTaskGroup(of: QueuedMail?.self) { group in
            for _ in 0..<8 { group.addTask { try await take(store) } }
            return try await group.reduce(0) { $0 + ($1 == nil ? 0 : 1) }
        }
        #expect(taken == 1)
    }

    @Test func `no more than 10,000 mails wait`() async throws {
        let store = try await TestStore()
        let now = store.clock.now
        let sender = try #require(Mailbox("dwell@example.com"))
        let outbox = try Outbox(
            MailSettings(way: .folder("nowhere"), sender: sender), publicURL: "http://localhost:8080",
            database: store.database, clock: store.clock.clock, logger: TestStore.silent)
        let count = try await store.database.write { connection in
            let queries = MailQueries(connection: connection)
            for _ in 0..<9999 { try queries.insert(Self.mail, at: now) }
            for _ in 0..<3 {
                try outbox.queue(
                    .code(MailedCode(for: .reset), publicURL: outbox.publicURL), to: "ada@example.com", at: now,
                    until: now, connection)
            }
            return try queries.count()
        }
        #expect(count == 10_000)
    }

    private static var mail: QueuedMail {
        QueuedMail(
            id: UUID(), kind: .reset, recipient: "ada@example.com", message: "", attempts: 0,
            expiresAt: Timestamp(milliseconds: 0))
    }

    private func take(_ store: TestStore) async throws -> QueuedMail? {
        let now = store.clock.now
        return try await store.database.write { try MailQueries(connection: $0).take(at: now, until: now + 60_000) }
    }
}
