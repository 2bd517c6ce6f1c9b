import DwellAPI
import Foundation

/// Gives accounts other passwords.
package struct Passwords: Sendable {
    private let database: any Database
    private let announcements: Announcements?
    private let hasher: PasswordHasher
    private let clock: WallClock

    /// - Parameters:
    ///   - database: Where accounts and devices are
    ///   - announcements: Told of devices that are signed out
    ///   - hasher: For passwords
    ///   - clock: For the time of the change
    package init(
        database: any Database, announcements: Announcements? = nil, hasher: PasswordHasher, clock: WallClock
    ) {
        self.database = database
        self.announcements = announcements
        self.hasher = hasher
        self.clock = clock
    }

    /// Gives an account another password, and signs out its other devices where that is wished.
    /// - Throws: ``InvalidField`` named `current` or `new`, which changes nothing
    package func change(_ body: PasswordChangeBody, by login: Login) async throws {
        try PasswordRules.check(body.new, as: "new")
        let wrong = InvalidField("current", expected: "the password that the account has")
        let account = try await database.read { try AccountQueries(connection: $0).account(id: login.account) }
        guard let old = account?.passwordHash, try await hasher.verify(body.current, against: old) else { throw wrong }
        let new = try await hasher.hash(body.new)
        let now = clock.now()
        let ended = try await database.write { connection in
            guard
                try AccountQueries(connection: connection)
                    .changePassword(of: login.account, from: old, to: new, at: now)
            else { throw wrong }
            guard body.signOutOthers == true else { return [UUID]() }
            return try Self.end(of: login.account, but: login.device, at: now, connection)
        }
        for device in ended { announcements?.tellHere(.device, device.lowercase) }
    }

    /// Ends the devices of an account.
    /// - Parameter kept: The one that stays
    /// - Returns: Those that were in use
    private static func end(
        of account: UUID, but kept: UUID?, at time: Timestamp, _ connection: any DatabaseConnection
    ) throws -> [UUID] {
        let queries = DeviceQueries(connection: connection)
        return try queries.inUse(by: account).map(\.id).filter { id in
            try id != kept && queries.remove(id, of: account, as: .removed, at: time)
        }
    }
}
