import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct AuditLogTests {
    private static let day: Int64 = 86_400_000

    private func log(_ store: TestStore, _ database: (any Database)? = nil) -> AuditLog {
        AuditLog(
            database: database ?? store.database, clock: store.clock.clock, kept: 2 * Self.day, logger: TestStore.silent
        )
    }

    private func entries(_ store: TestStore) async throws -> [AuditRecord] {
        try await AuditLog.entries(in: store.database, since: Timestamp(milliseconds: 0))
    }

    @Test func `lines go when their time is over, and not before`() async throws {
        let store = try await TestStore()
        let log = log(store)
        for event in [AuditEvent.login, .gate, .apiKey] {
            log.note(AuditEntry(event, .failure, at: store.clock.now))
            try await log.writeWaiting()
            store.clock.advance(by: Self.day)
        }
        try await log.removeOld()
        #expect(try await entries(store).map(\.event) == ["api-key", "gate"])
        store.clock.advance(by: 1)
        try await log.removeOld()
        #expect(try await entries(store).map(\.event) == ["api-key"])
    }

    @Test func `more refusals than can wait are counted`() async throws {
        let store = try await TestStore()
        let log = log(store)
        for _ in 0..<1500 { log.note(AuditEntry(.login, .failure, at: store.clock.now)) }
        try await log.writeWaiting()
        let written = try await entries(store)
        #expect(written.count == 1001)
        #expect(written.filter { $0.event == "left-out" }.map(\.detail) == [["count": "500"]])
    }

    @Test func `what is left out is counted in one line a minute`() async throws {
        let store = try await TestStore()
        let log = log(store)
        for _ in 0..<50 {
            log.leaveOut()
            try await log.writeWaiting()
            store.clock.advance(by: 1000)
        }
        #expect(try await entries(store).map(\.detail) == [["count": "1"]])
        store.clock.advance(by: 60_000)
        try await log.writeWaiting()
        #expect(try await entries(store).map(\.detail) == [["count": "49"], ["count": "1"]])
        store.clock.advance(by: 1)
        log.leaveOut()
        try await log.writeWaiting(isLast: true)
        #expect(try await entries(store).map(\.detail).first == ["count": "1"])
    }

    @Test func `a line tells what was noted, and only the network of the address`() async throws {
        let store = try await TestStore()
        let (account, device) = (UUID(), UUID())
        let entry = AuditEntry(
            .login, .denied, at: store.clock.now, account: account, subject: "Änn \"x\"",
            address: ClientAddress("203.0.113.77"), device: device, detail: ["reason": "device limit"])
        try await store.database.write { try AuditLog.write(entry, $0) }
        let record = try #require(try await entries(store).first)
        #expect(record.at == store.clock.now)
        #expect([record.event, record.outcome, record.actor] == ["login", "denied", "person"])
        #expect([record.accountId, record.deviceId] == [account.lowercase, device.lowercase])
        #expect(record.subject == "Änn \"x\"")
        #expect(record.address == "203.0.113.0/24")
        #expect(record.detail == ["reason": "device limit"])
        #expect(try await !store.rows("SELECT * FROM audit").joined().contains("203.0.113.77"))
    }
}
