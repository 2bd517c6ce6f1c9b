import DwellAPI
package import Foundation

/// Lists, names and ends the devices of an account.
package struct Devices: Sendable {
    private let database: any Database
    private let announcements: Announcements?
    private let clock: WallClock
    private let settings: DeviceSettings

    package init(
        database: any Database, announcements: Announcements? = nil, clock: WallClock,
        settings: DeviceSettings = DeviceSettings()
    ) {
        self.database = database
        self.announcements = announcements
        self.clock = clock
        self.settings = settings
    }

    /// The devices an account is logged in on, the latest login first, and how many there may be.
    package func list(of login: Login) async throws -> (devices: [Device], quota: DeviceQuota) {
        let now = clock.now()
        return try await database.read { [settings] connection in
            let account = try AccountQueries(connection: connection).account(id: login.account)
            return (
                try DeviceQueries(connection: connection).inUse(by: login.account, at: now, settings),
                account.map { settings.quota(of: $0) } ?? settings.quota
            )
        }
    }

    /// A page of everybody's devices that are logged in, the latest login first, each with the username.
    /// - Parameters:
    ///   - last: Where the page before ended
    ///   - limit: The most devices of the page
    package func page(
        after last: LatestCursor, limit: Int
    ) async throws -> (devices: [(device: Device, username: String)], next: LatestCursor?) {
        let now = clock.now()
        let found = try await database.read { [settings] connection in
            try DeviceQueries(connection: connection).page(after: last, at: now, settings, limit: limit + 1)
        }
        let page = Array(found.prefix(limit))
        let end = found.count > page.count ? page.last?.device : nil
        return (page, end.map { LatestCursor(at: $0.lastLoggedInAt, id: $0.id.lowercase) })
    }

    /// A device, in use or not, with its owner's username.
    package func device(_ id: UUID) async throws -> (device: Device, username: String)? {
        try await database.read { connection in
            let queries = DeviceQueries(connection: connection)
            guard let device = try queries.device(id), let owner = try queries.owner(of: device) else { return nil }
            return (device, owner)
        }
    }

    /// Ends another device of the same account; its token is dead when this returns.
    /// - Throws: ``DeviceError/ownDevice``, or ``DeviceError/notFound`` for an unknown or somebody else's device
    package func remove(_ id: UUID, by login: Login, from address: ClientAddress? = nil) async throws {
        guard id != login.device else { throw DeviceError.ownDevice }
        let now = clock.now()
        try await database.write { connection in
            let queries = DeviceQueries(connection: connection, address: address)
            guard try queries.remove(id, of: login.account, as: .removed, at: now) else {
                throw DeviceError.notFound
            }
        }
        announcements?.tellHere(.device, id.lowercase)
    }

    /// Ends the device that asks.
    package func logOut(_ login: Login, from address: ClientAddress? = nil) async throws {
        let now = clock.now()
        try await database.write { connection in
            let queries = DeviceQueries(connection: connection, address: address)
            guard try queries.remove(login, as: .logout, at: now) else {
                throw DeviceError.notFound
            }
        }
        announcements?.tellHere(.device, login.device.lowercase)
    }

    /// Calls a device what its owner likes, also after the next login.
    /// - Throws: ``InvalidField`` named `device_name`, or ``DeviceError/notFound``
    package func rename(
        _ id: UUID, to name: String, by login: Login, from address: ClientAddress? = nil
    ) async throws {
        let name = name.trimmingCharacters(in: .whitespacesAndNewlines)
        guard (1...100).contains(name.count), AccountRules.isPlain(name) else {
            throw InvalidField("device_name", expected: "1 to 100 characters")
        }
        let now = clock.now()
        try await database.write { connection in
            guard try DeviceQueries(connection: connection).rename(id, of: login.account, to: name) else {
                throw DeviceError.notFound
            }
            try AuditLog.write(
                AuditEntry(
                    .deviceName, at: now, account: login.account, address: address, device: id), connection)
        }
    }

    /// Limits the devices of an account, and the videos that it may play at once. Nobody is logged out by it, and nothing
    /// stops: a lower limit keeps new ones out until there is room.
    /// - Parameters:
    ///   - username: Whose
    ///   - change: Changes the limits and the policy; `nil` leaves one to the server's setting
    /// - Returns: The account with what holds then
    /// - Throws: ``InvalidField`` when there is no such account
    package func limit(
        of username: String, _ change: @Sendable @escaping (inout Account) -> Void
    ) async throws -> Account {
        let now = clock.now()
        return try await database.write { connection in
            let before = try AccountQueries(connection: connection).required(username: username)
            var account = before
            change(&account)
            try AccountQueries(connection: connection).limit(account)
            let (limits, limitsBefore) = (Self.limits(of: account), Self.limits(of: before))
            if limits != limitsBefore {
                try AuditLog.write(
                    AuditEntry(
                        .accountLimit, by: .operator, at: now, account: account.id, subject: account.username,
                        detail: limits), connection)
            }
            return account
        }
    }

    /// What an account's limits are in the audit log.
    private static func limits(of account: Account) -> [String: String] {
        [
            "devices": account.deviceLimit.map { "\($0)" } ?? "default",
            "policy": account.devicePolicy?.rawValue ?? "default",
            "videos": account.viewingLimit.map { "\($0)" } ?? "default",
        ]
    }

    /// Ends every device of an account, or of everybody; every node hears of it within a second.
    /// - Parameter username: Whose; `nil` is everybody's
    /// - Returns: How many there were
    /// - Throws: ``InvalidField`` when there is no such account
    package func removeAll(of username: String?) async throws -> Int {
        let now = clock.now()
        return try await database.write { connection in
            let accounts = AccountQueries(connection: connection)
            let account = try username.map { try accounts.required(username: $0).id }
            return try DeviceQueries(connection: connection).removeAll(of: account, as: .operator, at: now).count
        }
    }

    /// Notes the end of all devices that ended by themselves, and forgets tickets that nobody used.
    func removeEnded() async throws {
        let now = clock.now()
        try await database.write { [settings] connection in
            try DeviceQueries(connection: connection).removeEnded(at: now, settings)
            try DeviceTicketQueries(connection: connection).removeEnded(at: now)
        }
    }
}
