import DwellAPI
import Foundation

/// What is asked of, and told to, the account table.
struct AccountQueries {
    let connection: any DatabaseConnection

    func account(username: String) throws -> Account? {
        try connection.row(
            "SELECT * FROM account WHERE username_key = $1", [AccountRules.key(of: username)]
        ).map(Account.init(row:))
    }

    func account(id: UUID) throws -> Account? {
        try connection.row("SELECT * FROM account WHERE id = $1", [id]).map(Account.init(row:))
    }

    func hasEmail(_ email: String) throws -> Bool {
        try connection.row("SELECT 1 AS one FROM account WHERE email = $1", [email]) != nil
    }

    func insert(_ account: Account) throws {
        try connection.execute(
            "INSERT INTO viewer (id, kind, created_at) VALUES ($1, $2, $3)",
            [account.viewer, ViewerKind.account, account.createdAt])
        try connection.execute(
            """
            INSERT INTO account (
                id, viewer_id, username, username_key, first_name, last_name, email, password_hash, phone_number,
                gender, country_code, profile_picture_url, is_verified, created_at, updated_at, last_logged_in_at
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            """,
            [
                account.id, account.viewer, account.username, AccountRules.key(of: account.username),
                account.firstName, account.lastName, account.email, account.passwordHash, account.phoneNumber,
                account.gender, account.countryCode, account.profilePictureURL, account.isVerified, account.createdAt,
                account.updatedAt, account.lastLoggedInAt,
            ])
    }

    /// Notes a login, and locks the row: until the end of the transaction nobody else logs in.
    func touchLogin(_ id: UUID, at time: Timestamp) throws {
        try connection.execute("UPDATE account SET last_logged_in_at = $2 WHERE id = $1", [id, time])
    }

    /// Limits the devices of an account; `nil` leaves it to the server's setting.
    func limitDevices(of id: UUID, to limit: Int?, _ policy: DevicePolicy?) throws {
        try connection.execute(
            "UPDATE account SET device_limit = $2, device_policy = $3 WHERE id = $1", [id, limit, policy])
    }
}

extension Account {
    fileprivate init(row: Row) throws {
        self.init(
            id: try row["id"], viewer: try row["viewer_id"], username: try row["username"],
            firstName: try row["first_name"], lastName: try row["last_name"], email: try row["email"],
            passwordHash: try row["password_hash"], phoneNumber: try row["phone_number"],
            gender: try row["gender"], countryCode: try row["country_code"],
            profilePictureURL: try row["profile_picture_url"], isVerified: try row["is_verified"],
            createdAt: try row["created_at"], updatedAt: try row["updated_at"],
            lastLoggedInAt: try row["last_logged_in_at"], deviceLimit: try row["device_limit"],
            devicePolicy: try row["device_policy"])
    }
}
