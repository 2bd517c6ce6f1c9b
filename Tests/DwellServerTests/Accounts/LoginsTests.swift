import Foundation
import NIOPosix
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct LoginsTests {
    @Test func `a token lets its owner in until the day it ends, and says so afterwards`() async throws {
        let store = try await TestStore()
        try await withAda(store) { login, logins, _ in
            for _ in 0..<2 {
                store.clock.advance(by: DeviceSettings.year / 2 - 500)
                _ = try await logins.login(token: login)
            }
            store.clock.advance(by: 1000)
            await #expect(throws: LoginError.expired) { try await logins.login(token: login) }
        }
    }

    @Test func `a removed device is told so, and when`() async throws {
        let store = try await TestStore()
        try await withAda(store) { token, logins, devices in
            let login = try await logins.login(token: token)
            store.clock.advance(by: 5000)
            try await devices.logOut(login)
            await #expect(throws: LoginError.deviceRemoved(.logout, at: store.clock.now)) {
                try await logins.login(token: token)
            }
        }
    }

    @Test func `another server's token is no token`() async throws {
        let store = try await TestStore()
        try await withAda(store) { token, _, _ in
            let other = await Logins(
                secret: SecretKey(Data(repeating: 8, count: 32)), database: store.database, clock: store.clock.clock)
            await #expect(throws: LoginError.invalid) { try await other.login(token: token) }
        }
    }

    @Test(arguments: ["x", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30."])
    func `what is no token lets nobody in`(token: String) async throws {
        let store = try await TestStore()
        try await withAda(store) { _, logins, _ in
            await #expect(throws: LoginError.invalid) { try await logins.login(token: token) }
            await #expect(throws: LoginError.missing) { try await logins.login(token: "") }
        }
    }

    @Test func `a login with the browser's token keeps the device, and ends the login before`() async throws {
        let store = try await TestStore()
        try await withAccounts(store, DeviceSettings(quota: DeviceQuota(limit: 1, policy: .deny))) { accounts in
            let first = try await accounts.login(Self.body, from: try Self.origin).device
            await #expect(throws: DeviceError.limitReached([first], ticket: nil)) {
                try await accounts.login(Self.body, from: try Self.origin)
            }
            var origin = try Self.origin
            origin.presented = Login(account: first.account, device: first.id, number: first.login, viewer: 1)
            let second = try await accounts.login(Self.body, from: origin)
            #expect(second.user.devicesConnected == 1)
            #expect(second.device.id == first.id)
            #expect(second.device.login == first.login + 1)
        }
    }

    @Test func `a login that is not used ends, and one that is used does not`() async throws {
        let store = try await TestStore()
        let settings = DeviceSettings(idle: 60_000)
        try await withAda(store, settings) { token, logins, _ in
            for _ in 0..<5 {
                store.clock.advance(by: 59_999)
                _ = try await logins.login(token: token)
            }
            let end = store.clock.now + 60_000
            store.clock.advance(by: 60_000)
            await #expect(throws: LoginError.deviceRemoved(.idle, at: end)) { try await logins.login(token: token) }
        }
    }

    @Test func `a login that is used all the time ends at last`() async throws {
        let store = try await TestStore()
        try await withAda(store, DeviceSettings(lifetime: 90_000, idle: 60_000)) { token, logins, _ in
            store.clock.advance(by: 50_000)
            _ = try await logins.login(token: token)
            store.clock.advance(by: 40_000)
            await #expect(throws: LoginError.expired) { try await logins.login(token: token) }
        }
    }

    @Test func `the end of logins that nobody asks for is noted, with the time when it was`() async throws {
        let store = try await TestStore()
        try await withAda(store, DeviceSettings(lifetime: 90_000, idle: 60_000)) { token, logins, devices in
            let login = try await logins.login(token: token)
            let end = store.clock.now + 60_000
            store.clock.advance(by: 59_999)
            try await devices.removeEnded()
            #expect(try await devices.list(of: login).devices.count == 1)
            store.clock.advance(by: 100_000)
            #expect(try await devices.list(of: login).devices.isEmpty)
            try await devices.removeEnded()
            #expect(
                try await store.rows("SELECT removal, removed_at FROM device")
                    == ["\([SQLValue.text("idle"), .integer(end.milliseconds)])"])
        }
    }

    private static let body = LoginBody(username: "ADA", password: "correct horse")
    private static let ada = RegisterBody(
        username: "ada", firstName: "Ada", lastName: "Lovelace", email: "ada@example.com", password: "correct horse")
    private static var origin: LoginOrigin {
        get throws {
            LoginOrigin(
                description: DeviceDescription(
                    userAgent: "curl/8.1", hints: ClientHints(), rules: try SharedRules.embedded.get()))
        }
    }

    private func withAccounts(
        _ store: TestStore, _ settings: DeviceSettings, _ body: (Accounts) async throws -> Void
    ) async throws {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let accounts = Accounts(
            database: store.database, hasher: try PasswordHasher(pool: pool), clock: store.clock.clock,
            devices: settings)
        _ = try await accounts.register(Self.ada)
        try await body(accounts)
        try await pool.shutdownGracefully()
    }

    private func withAda(
        _ store: TestStore, _ settings: DeviceSettings = DeviceSettings(),
        _ body: (String, Logins, Devices) async throws -> Void
    ) async throws {
        try await withAccounts(store, settings) { accounts in
            let logins = await Logins(
                secret: SecretKey(Data(repeating: 7, count: 32)), database: store.database, clock: store.clock.clock,
                settings: settings)
            let device = try await accounts.login(Self.body, from: try Self.origin).device
            try await body(
                try await logins.token(for: device), logins,
                Devices(database: store.database, clock: store.clock.clock, settings: settings))
        }
    }
}
