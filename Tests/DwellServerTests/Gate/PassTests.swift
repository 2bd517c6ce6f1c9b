import Foundation
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct PassTests {
    @Test func `a revocation on one node ends a pass that another remembers`() async throws {
        let store = try await TestStore()
        let announcements = Announcements(database: store.database, clock: store.clock.clock, logger: TestStore.silent)
        let gate = store.gate(announcements: announcements)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await announcements.run() }
            try await eventually { announcements.isCurrent }
            let entry = try await gate.enter(email: "ada@example.com")
            let pass = gate.pass(for: entry)
            #expect(try await gate.holder(ofPass: pass) == PassHolder(email: "ada@example.com", identity: .claimed))
            // Nobody was told of this: the answer comes from memory. On a machine that is busy a node may not have heard
            // the news for a moment, and then it asks.
            try await eventually {
                try await store.database.write { try $0.execute("UPDATE session SET revoked_at = NULL") }
                _ = try await gate.holder(ofPass: pass)
                try await store.database.write { try $0.execute("UPDATE session SET revoked_at = 1") }
                return try await gate.holder(ofPass: pass) != nil
            }
            let visitors = GateVisitors(database: store.database, clock: store.clock.clock)
            _ = try await visitors.revoke("ada@example.com", at: nil)
            try await eventually { try await gate.holder(ofPass: pass) == nil }
            group.cancelAll()
        }
    }

    @Test func `a pass that was given at the moment of a revocation opens nothing while that holds`() async throws {
        let store = try await TestStore()
        let pass = store.gate.pass(for: try await store.gate.enter(email: "ada@example.com"))
        for gate in ["*", "default"] {
            try await store.database.write { connection in
                try connection.execute(
                    "INSERT INTO gate_revocation (email, gate, revoked_at) VALUES ($1, $2, 0)",
                    ["ada@example.com", gate])
            }
            #expect(try await store.gate.holder(ofPass: pass) == nil)
            try await store.database.write { try $0.execute("DELETE FROM gate_revocation") }
            #expect(try await store.gate.holder(ofPass: pass) != nil)
        }
    }

    @Test func `a pass ends with its gate, its lists and its life`() async throws {
        let store = try await TestStore()
        let entry = try await store.gate.enter(email: "ada@example.com")
        let pass = store.gate.pass(for: entry)
        var closing = GateRules.standard
        closing.closesAt = store.clock.now + 1000
        var denying = GateRules.standard
        denying.deny = try AddressList(["example.com"])
        var verifying = GateRules.standard
        verifying.level = .verified
        #expect(try await store.gate.holder(ofPass: pass) != nil)
        #expect(try await store.gate(closing).holder(ofPass: pass) != nil)
        for rules in [denying, verifying, GateRules(name: "other")] {
            #expect(try await store.gate(rules).holder(ofPass: pass) == nil)
        }
        store.clock.advance(by: 1000)
        #expect(try await store.gate(closing).holder(ofPass: pass) == nil)
        store.clock.advance(by: 86_398_999)
        #expect(try await store.gate.holder(ofPass: pass) != nil)
        store.clock.advance(by: 1)
        #expect(try await store.gate.holder(ofPass: pass) == nil)
    }

    @Test func `an entry of before gates had names is one of the standard gate`() async throws {
        let store = try await TestStore()
        let entry = try await store.gate.enter(email: "ada@example.com")
        let pass = store.gate.pass(for: entry)
        try await store.database.write { try $0.execute("UPDATE session SET gate = NULL, identity = NULL") }
        #expect(try await store.gate.holder(ofPass: pass)?.identity == .claimed)
        let session = try #require(try await store.sessions().first)
        #expect(session.gate == "default" && session.identity == .claimed)
        let visitors = GateVisitors(database: store.database, clock: store.clock.clock)
        #expect(try await visitors.revoke("ada@example.com", at: "default") == 1)
        #expect(try await store.gate.holder(ofPass: pass) == nil)
    }

    @Test func `a revocation is of the mailbox, however its domain is written`() async throws {
        let store = try await TestStore()
        let visitors = GateVisitors(database: store.database, clock: store.clock.clock)
        let spellings = ["ada@bücher.example", "ada@xn--bcher-kva.example"]
        var passes: [String] = []
        for email in spellings + ["ada2@bücher.example", "ada@bucher.example"] {
            passes.append(store.gate.pass(for: try await store.gate.enter(email: email)))
        }
        #expect(try await visitors.revoke("ADA@Bücher.example", at: nil) == 2)
        var open: [Bool] = []
        for pass in passes { open.append(try await store.gate.holder(ofPass: pass) != nil) }
        #expect(open == [false, false, true, true])
        for email in spellings {
            await #expect(throws: GateError.addressRefused) { try await store.gate.enter(email: email) }
        }
        #expect(try await visitors.admit("ada@xn--bcher-kva.example", at: nil))
        _ = try await store.gate.enter(email: spellings[0])
    }

    @Test func `a code that was mailed before codes could be for gates still works`() async throws {
        let store = try await TestStore()
        let now = store.clock.now
        let code = MailedCode(for: .reset)
        try await store.database.write { connection in
            for statement in Migration.mail.statements.compactMap({ $0.text(for: connection.dialect) })
            where statement.contains("mailed_code") {
                if statement.contains("CREATE TABLE") { try connection.execute("DROP TABLE mailed_code") }
                try connection.execute(statement)
            }
            try connection.execute(
                """
                INSERT INTO mailed_code (browser_hash, purpose, email, code_hash, tries_left, asked_at, expires_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """,
                [
                    MailedCode.hash(ofBrowser: code.browser), code.purpose, "ada@example.com",
                    MailedCode.hash(of: code.code, browser: code.browser), 5, now, now + 600_000,
                ])
            for statement in Migration.gates.statements.compactMap({ $0.text(for: connection.dialect) })
            where statement.contains("mailed_code") {
                try connection.execute(statement)
            }
            let found = try MailedCodeQueries(connection: connection)
                .redeem(code.code, for: .reset, browser: code.browser, at: now)
            #expect(found?.email == "ada@example.com")
            #expect(found?.entrance == nil)
        }
    }
}
