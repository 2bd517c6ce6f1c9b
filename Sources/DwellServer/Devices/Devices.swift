import DwellAPI
package import Foundation

/// Lists and ends the devices of an account.
package struct Devices: Sendable {
    private let database: any Database
    private let announcements: Announcements?
    private let clock: WallClock

    package init(database: any Database, announcements: Announcements? = nil, clock: WallClock) {
        self.database = database
        self.announcements = announcements
        self.clock = clock
    }

    /// The devices an account is logged in on, the latest login first.
    package func list(of login: Login) async throws -> [Device] {
        try await database.read { try DeviceQueries(connection: $0).inUse(by: login.account) }
    }

    /// Ends another device of the same account; its token is dead when this returns.
    /// - Throws: ``DeviceError/ownDevice``, or ``DeviceError/notFound`` for an unknown or somebody else's device
    package func remove(_ id: UUID, by login: Login) async throws {
        guard id != login.device else { throw DeviceError.ownDevice }
        try await end(id, of: login.account, as: .removed)
    }

    /// Ends the device that asks.
    package func logOut(_ login: Login) async throws {
        try await end(login.device, of: login.account, as: .logout)
    }

    private func end(_ id: UUID, of account: UUID, as removal: Device.Removal) async throws {
        let now = clock.now()
        try await database.write { connection in
            guard try DeviceQueries(connection: connection).remove(id, of: account, as: removal, at: now) else {
                throw DeviceError.notFound
            }
        }
        announcements?.tellHere(.device, id.lowercase)
    }
}
