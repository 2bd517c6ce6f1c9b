import DwellAPI
import Foundation

/// What is asked of, and told to, the device table.
struct DeviceQueries {
    let connection: any DatabaseConnection

    /// The devices an account is logged in on, the latest login first.
    func inUse(by account: UUID) throws -> [Device] {
        try connection.rows(
            """
            SELECT id, account_id, name, os, last_logged_in_at FROM device
            WHERE account_id = $1 AND removed_at IS NULL
            ORDER BY last_logged_in_at DESC, id
            """, [account]
        ).map(Device.init(row:))
    }

    /// Gives a device a place, or refuses: the one way in, inside the transaction of the login.
    /// - Throws: ``DeviceError/limitReached(_:)`` when every place is taken
    func admit(_ device: Device, replacing presented: Login?, limit: Int) throws {
        if let presented {
            _ = try remove(presented.device, of: presented.account, as: .replaced, at: device.lastLoggedInAt)
        }
        let inUse = try inUse(by: device.account)
        guard inUse.count < limit else { throw DeviceError.limitReached(inUse) }
        try connection.execute(
            """
            INSERT INTO device (id, account_id, name, os, last_logged_in_at) VALUES ($1, $2, $3, $4, $5)
            """, [device.id, device.account, device.name, device.os, device.lastLoggedInAt])
    }

    /// Ends a device on every node. Its row stays, so that its next request can be told why.
    /// - Returns: Whether the account had it in use
    func remove(_ id: UUID, of account: UUID, as removal: Device.Removal, at time: Timestamp) throws -> Bool {
        let changed = try connection.execute(
            """
            UPDATE device SET removed_at = $3, removal = $4
            WHERE id = $1 AND account_id = $2 AND removed_at IS NULL
            """, [id, account, time, removal])
        if changed == 1 { try Announcements.announce(.device, id.lowercase, at: time, connection) }
        return changed == 1
    }

    /// What a login token needs to know of its device.
    func status(of id: UUID, account: UUID) throws -> DeviceStatuses.Status? {
        try connection.row(
            """
            SELECT account.viewer_id, device.removed_at, device.removal
            FROM device JOIN account ON account.id = device.account_id
            WHERE device.id = $1 AND device.account_id = $2
            """, [id, account]
        ).map { row in
            let removal: Device.Removal? = try row["removal"]
            let time: Timestamp? = try row["removed_at"]
            return DeviceStatuses.Status(
                viewer: try row["viewer_id"],
                removal: removal.flatMap { removal in time.map { (removal, at: $0) } })
        }
    }
}

extension Device {
    /// - Parameter row: `id`, `account_id`, `name`, `os`, `last_logged_in_at`
    init(row: Row) throws {
        self.init(
            id: try row["id"], account: try row["account_id"], name: try row["name"], os: try row["os"],
            lastLoggedInAt: try row["last_logged_in_at"])
    }
}
