import DwellAPI
import Foundation

/// What is asked of, and told to, the device table.
struct DeviceQueries {
    let connection: any DatabaseConnection
    /// Where the request comes from that ends devices, for the audit log.
    var address: ClientAddress?

    private static let columns = """
        id, account_id, coalesce(given_name, name) AS name, os, last_logged_in_at, last_seen_at, address, login
        """

    /// The devices an account is logged in on at a time, the latest login first.
    func inUse(by account: UUID, at time: Timestamp, _ settings: DeviceSettings) throws -> [Device] {
        try connection.rows(
            """
            SELECT \(Self.columns) FROM device
            WHERE account_id = $1 AND removed_at IS NULL AND last_logged_in_at > $2 AND last_seen_at > $3
            ORDER BY last_logged_in_at DESC, id
            """, [account, time - settings.lifetime, time - settings.idle]
        ).map(Device.init(row:))
    }

    /// The devices of everybody that were not ended, the latest login first, each with the username.
    /// - Parameters:
    ///   - last: Where the page before ended
    ///   - time: What is past its end by now is left out
    func page(
        after last: LatestCursor, at time: Timestamp, _ settings: DeviceSettings, limit: Int
    ) throws -> [(device: Device, username: String)] {
        try connection.rows(
            """
            SELECT \(Self.columns), (SELECT username FROM account WHERE account.id = device.account_id) AS username
            FROM device
            WHERE removed_at IS NULL AND last_logged_in_at <= $1 AND (last_logged_in_at < $1 OR id > $2)
                AND last_logged_in_at > $3 AND last_seen_at > $4
            ORDER BY last_logged_in_at DESC, id LIMIT $5
            """, [last.at, last.id, time - settings.lifetime, time - settings.idle, limit]
        ).map { (try Device(row: $0), try $0["username"]) }
    }

    /// A device, in use or not.
    func device(_ id: UUID) throws -> Device? {
        try connection.row("SELECT \(Self.columns) FROM device WHERE id = $1", [id]).map(Device.init(row:))
    }

    /// The username of the account that a device belongs to.
    func owner(of device: Device) throws -> String? {
        try connection.row("SELECT username FROM account WHERE id = $1", [device.account])?["username"]
    }

    /// The device that an account's browser was, in use or not.
    func device(of browser: RandomSecret, account: UUID) throws -> Device? {
        try connection.row(
            "SELECT \(Self.columns) FROM device WHERE browser_hash = $1 AND account_id = $2", [browser.hash, account]
        ).map(Device.init(row:))
    }

    /// Whether anybody has logged in on a browser that is recognised by this.
    func isKnown(_ browser: RandomSecret) throws -> Bool {
        try connection.row("SELECT 1 AS one FROM device WHERE browser_hash = $1 LIMIT 1", [browser.hash]) != nil
    }

    /// Whether an account has been logged in to on a browser.
    /// - Parameter username: As it was typed
    func isKnown(_ browser: RandomSecret, username: String) throws -> Bool {
        try connection.row(
            """
            SELECT 1 AS one FROM device JOIN account ON account.id = device.account_id
            WHERE device.browser_hash = $1 AND account.username_key = $2
            """, [browser.hash, AccountRules.key(of: username)]) != nil
    }

    /// Makes a device.
    func insert(_ device: Device, browser: RandomSecret) throws {
        try connection.execute(
            """
            INSERT INTO device (
                id, account_id, name, os, last_logged_in_at, last_seen_at, address, login, browser_hash
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """,
            [
                device.id, device.account, device.name, device.os, device.lastLoggedInAt, device.lastSeenAt,
                device.address, device.login, browser.hash,
            ])
    }

    /// Gives a device to its next login.
    func revive(_ device: Device, browser: RandomSecret) throws {
        try connection.execute(
            """
            UPDATE device SET name = $2, os = $3, last_logged_in_at = $4, last_seen_at = $5, address = $6, login = $7,
                browser_hash = $8, removed_at = NULL, removal = NULL
            WHERE id = $1
            """,
            [
                device.id, device.name, device.os, device.lastLoggedInAt, device.lastSeenAt, device.address,
                device.login, browser.hash,
            ])
    }

    /// Ends a device on every node. Its row stays, so that its next request can be told why.
    /// - Returns: Whether the account had it in use
    func remove(_ id: UUID, of account: UUID, as removal: Device.Removal, at time: Timestamp) throws -> Bool {
        try remove("id = $3 AND account_id = $4", [id, account], as: removal, at: time).count == 1
    }

    /// Ends the device of a login, unless another login holds it by now.
    /// - Returns: Whether it was in use
    func remove(_ login: Login, as removal: Device.Removal, at time: Timestamp) throws -> Bool {
        try remove(
            "id = $3 AND account_id = $4 AND login = $5", [login.device, login.account, login.number], as: removal,
            at: time
        ).count == 1
    }

    /// Ends every device of an account, or of all.
    /// - Returns: Those that were in use
    func removeAll(of account: UUID?, as removal: Device.Removal, at time: Timestamp) throws -> [UUID] {
        try remove(account == nil ? "TRUE" : "account_id = $3", account.map { [$0] } ?? [], as: removal, at: time)
    }

    /// Ends every device of an account but one.
    /// - Returns: Those that were in use
    func removeAll(
        of account: UUID, but kept: UUID, as removal: Device.Removal, at time: Timestamp
    ) throws -> [UUID] {
        try remove("account_id = $3 AND id <> $4", [account, kept], as: removal, at: time)
    }

    private func remove(
        _ condition: String, _ arguments: [any SQLConvertible], as removal: Device.Removal, at time: Timestamp
    ) throws -> [UUID] {
        let rows = try connection.rows(
            """
            UPDATE device SET removed_at = $1, removal = $2 WHERE removed_at IS NULL AND \(condition)
            RETURNING id, account_id, (SELECT username FROM account WHERE account.id = account_id) AS username
            """, [time, removal] + arguments)
        return try rows.map { row in
            let id: UUID = try row["id"]
            try Announcements.announce(.device, id.lowercase, at: time, connection)
            try AuditLog.write(
                AuditEntry(
                    .deviceEnd, by: removal == .operator ? .operator : .person, at: time,
                    account: try row["account_id"], subject: try row["username"], address: address, device: id,
                    detail: ["reason": removal.rawValue]), connection)
            try tell(of: id, as: removal, at: time)
            return id
        }
    }

    /// Notes the end of devices that ended by themselves: of one account, or of all. Nobody needs to hear of it, time
    /// passes everywhere.
    func removeEnded(of account: UUID? = nil, at time: Timestamp, _ settings: DeviceSettings) throws {
        let whose: [any SQLConvertible] = account.map { [$0] } ?? []
        let condition = whose.isEmpty ? "" : " AND account_id = $7"
        let isExpired = "last_logged_in_at + $1 <= last_seen_at + $2"
        let ended = try connection.rows(
            """
            UPDATE device SET
                removed_at = CASE WHEN \(isExpired) THEN last_logged_in_at + $1 ELSE last_seen_at + $2 END,
                removal = CASE WHEN \(isExpired) THEN $3 ELSE $4 END
            WHERE removed_at IS NULL AND (last_logged_in_at <= $5 OR last_seen_at <= $6)\(condition)
            RETURNING id, removal, removed_at
            """,
            [
                settings.lifetime, settings.idle, Device.Removal.expired, Device.Removal.idle,
                time - settings.lifetime, time - settings.idle,
            ] + whose)
        for row in ended { try tell(of: try row["id"], as: try row["removal"], at: try row["removed_at"]) }
    }

    /// Tells those who ask for it of a device's end.
    private func tell(of id: UUID, as removal: Device.Removal, at time: Timestamp) throws {
        let outbox = WebhookOutbox(connection: connection)
        guard try outbox.isAskedFor(.deviceRemoved), let device = try device(id),
            let viewer = try outbox.owner(of: device.account)
        else { return }
        try outbox.tell(about: viewer.id, at: time) {
            DeviceRemoval(
                viewer: viewer, device: device.evidence, reason: removal.rawValue, removedTime: time)
        }
    }

    /// Notes that a login was used.
    /// - Returns: Whether its device was in use, and not seen since
    func touch(_ login: LoginKey, at time: Timestamp) throws -> Bool {
        try connection.execute(
            """
            UPDATE device SET last_seen_at = $4
            WHERE id = $1 AND account_id = $2 AND login = $3 AND removed_at IS NULL AND last_seen_at < $4
            """, [login.device, login.account, login.number, time]) == 1
    }

    /// Calls a device what its owner likes.
    /// - Returns: Whether the account has it in use
    func rename(_ id: UUID, of account: UUID, to name: String) throws -> Bool {
        try connection.execute(
            "UPDATE device SET given_name = $3 WHERE id = $1 AND account_id = $2 AND removed_at IS NULL",
            [id, account, name]) == 1
    }

    /// What a login needs to know of its device.
    func status(of login: LoginKey) throws -> DeviceStatus? {
        try connection.row(
            """
            SELECT account.viewer_id, device.removed_at, device.removal, device.login, device.last_logged_in_at,
                device.last_seen_at
            FROM device JOIN account ON account.id = device.account_id
            WHERE device.id = $1 AND device.account_id = $2
            """, [login.device, login.account]
        ).map(DeviceStatus.init(row:))
    }
}

extension Device {
    /// - Parameter row: The columns of `DeviceQueries`
    fileprivate init(row: Row) throws {
        self.init(
            id: try row["id"], account: try row["account_id"], name: try row["name"], os: try row["os"],
            lastLoggedInAt: try row["last_logged_in_at"], lastSeenAt: try row["last_seen_at"],
            address: try row["address"], login: try row["login"])
    }
}

extension DeviceStatus {
    fileprivate init(row: Row) throws {
        let removal: Device.Removal? = try row["removal"]
        let time: Timestamp? = try row["removed_at"]
        self.init(
            viewer: try row["viewer_id"], login: try row["login"], lastLoggedInAt: try row["last_logged_in_at"],
            lastSeenAt: try row["last_seen_at"],
            removal: removal.flatMap { removal in time.map { (removal, at: $0) } })
    }
}
