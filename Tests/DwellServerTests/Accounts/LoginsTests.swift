import Foundation
import NIOPosix
import Testing

@testable import DwellAPI
@testable import DwellServer

@Suite struct LoginsTests {
    @Test func `a token lets its owner in until the day it ends, and says so afterwards`() async throws {
        let store = try await TestStore()
        try await withAda(store) { login, logins, _ in
            store.clock.advance(by: Int64(Logins.lifetime) * 1000 - 1000)
            _ = try await logins.login(token: login)
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

    @Test func `a login with the browser's token takes the place of that device`() async throws {
        let store = try await TestStore()
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let accounts = Accounts(
            database: store.database, hasher: try PasswordHasher(pool: pool), clock: store.clock.clock, deviceLimit: 1)
        _ = try await accounts.register(Self.ada)
        let body = LoginBody(username: "ADA", password: "correct horse")
        let first = try await accounts.login(body, on: try Self.browser, presented: nil).device
        await #expect(throws: DeviceError.limitReached([first])) {
            try await accounts.login(body, on: try Self.browser, presented: nil)
        }
        let login = Login(account: first.account, device: first.id, viewer: 1)
        let second = try await accounts.login(body, on: try Self.browser, presented: login)
        #expect(second.user.devicesConnected == 1)
        #expect(second.device.id != first.id)
        try await pool.shutdownGracefully()
    }

    private static let ada = RegisterBody(
        username: "ada", firstName: "Ada", lastName: "Lovelace", email: "ada@example.com", password: "correct horse")
    private static var browser: DeviceDescription {
        get throws {
            DeviceDescription(userAgent: "curl/8.1", hints: ClientHints(), rules: try SharedRules.embedded.get())
        }
    }

    private func withAda(
        _ store: TestStore, _ body: (String, Logins, Devices) async throws -> Void
    ) async throws {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let accounts = Accounts(
            database: store.database, hasher: try PasswordHasher(pool: pool), clock: store.clock.clock, deviceLimit: 4)
        let logins = await Logins(
            secret: SecretKey(Data(repeating: 7, count: 32)), database: store.database, clock: store.clock.clock)
        _ = try await accounts.register(Self.ada)
        let device = try await accounts.login(
            LoginBody(username: "ada", password: "correct horse"), on: try Self.browser, presented: nil
        ).device
        try await body(
            try await logins.token(for: device), logins, Devices(database: store.database, clock: store.clock.clock))
        try await pool.shutdownGracefully()
    }
}
