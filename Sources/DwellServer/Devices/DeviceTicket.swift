import DwellAPI

/// Lets a browser that was refused take the place of one device, once. It is worth a password that was right, so it
/// ends soon, with the password, and is good in this browser alone.
package struct DeviceTicket: Sendable, Equatable {
    /// How long it is good, in milliseconds.
    package static let lifetime: Int64 = 300_000

    package let secret: RandomSecret
    /// What the browser is recognised by.
    package let browser: RandomSecret
}

/// What is asked of, and told to, the table of tickets.
struct DeviceTicketQueries {
    let connection: any DatabaseConnection

    func insert(_ ticket: DeviceTicket, for account: Account, at time: Timestamp) throws {
        try connection.execute(
            """
            INSERT INTO device_ticket (hash, account_id, password_hash, browser_hash, expires_at)
            VALUES ($1, $2, $3, $4, $5)
            """,
            [
                ticket.secret.hash, account.id, account.passwordHash, ticket.browser.hash,
                time + DeviceTicket.lifetime,
            ])
    }

    func removeEnded(at time: Timestamp) throws {
        try connection.execute("DELETE FROM device_ticket WHERE expires_at <= $1", [time])
    }

    /// Takes a ticket that is good: it won't be a second time.
    /// - Returns: Whose it is. Their row is locked, so that nothing about their devices changes meanwhile
    func take(_ secret: RandomSecret, of browser: RandomSecret?, at time: Timestamp) throws -> Account {
        guard
            let row = try connection.row(
                "SELECT account_id, password_hash, browser_hash, expires_at FROM device_ticket WHERE hash = $1",
                [secret.hash])
        else { throw DeviceError.ticketUnknown }
        guard try row["browser_hash"] == browser?.hash else { throw DeviceError.ticketOfOtherBrowser }
        guard try time < row["expires_at"] else { throw DeviceError.ticketExpired }
        let accounts = AccountQueries(connection: connection)
        try accounts.touchLogin(try row["account_id"], at: time)
        guard let account = try accounts.account(id: try row["account_id"]),
            try account.passwordHash == row["password_hash"]
        else { throw DeviceError.ticketExpired }
        guard account.disabledAt == nil else { throw AccountError.disabled }
        // Of two that come at once, one finds it.
        guard try connection.execute("DELETE FROM device_ticket WHERE hash = $1", [secret.hash]) == 1 else {
            throw DeviceError.ticketUnknown
        }
        return account
    }
}
