import DwellAPI
import Foundation

/// What an operator does with accounts.
package struct AccountAdministration: Sendable {
    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// Every account, by username, and on how many devices each is logged in.
    package func list() async throws -> [(account: Account, devices: Int)] {
        try await database.read { try AccountQueries(connection: $0).all() }
    }

    /// The account with a username, and the devices that it is logged in on, the latest login first.
    /// - Throws: ``InvalidField`` when there is none
    package func account(_ username: String) async throws -> (account: Account, devices: [Device]) {
        let now = clock.now()
        return try await database.read { connection in
            let account = try AccountQueries(connection: connection).required(username: username)
            let devices = DeviceQueries(connection: connection)
            return (account, try devices.inUse(by: account.id, at: now, DeviceSettings()))
        }
    }

    /// Disables an account: all its logins end, on every node within a second, and nobody can log in to it.
    /// - Returns: How many devices were logged in
    /// - Throws: ``InvalidField`` when there is no such account
    package func disable(_ username: String) async throws -> Int {
        let now = clock.now()
        return try await database.write { connection in
            let accounts = AccountQueries(connection: connection)
            let account = try accounts.required(username: username)
            // First of all, for it locks the row: whoever logs in at this moment has a device by now, or gets none.
            if account.disabledAt == nil {
                try accounts.disable(account.id, since: now)
                try Self.note(.accountDisabling, account, at: now, connection)
            }
            return try DeviceQueries(connection: connection).removeAll(of: account.id, as: .operator, at: now).count
        }
    }

    /// Lets the owner of a disabled account log in again.
    /// - Throws: ``InvalidField`` when there is no such account
    package func enable(_ username: String) async throws {
        let now = clock.now()
        try await database.write { connection in
            let accounts = AccountQueries(connection: connection)
            let account = try accounts.required(username: username)
            guard account.disabledAt != nil else { return }
            try accounts.disable(account.id, since: nil)
            try Self.note(.accountEnabling, account, at: now, connection)
        }
    }

    private static func note(
        _ event: AuditEvent, _ account: Account, at time: Timestamp, _ connection: any DatabaseConnection
    ) throws {
        try AuditLog.write(
            AuditEntry(event, by: .operator, at: time, account: account.id, subject: account.username), connection)
    }
}
