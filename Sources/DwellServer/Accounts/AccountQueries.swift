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

    /// The account that an operator names.
    /// - Throws: ``InvalidField`` when there is none
    func required(username: String) throws -> Account {
        guard let account = try account(username: username) else {
            throw InvalidField("the username", expected: "one that there is; there is no account \(username)")
        }
        return account
    }

    func account(id: UUID) throws -> Account? {
        try connection.row("SELECT * FROM account WHERE id = $1", [id]).map(Account.init(row:))
    }

    func account(email: String) throws -> Account? {
        try connection.row("SELECT * FROM account WHERE email = $1", [email]).map(Account.init(row:))
    }

    func hasEmail(_ email: String) throws -> Bool {
        try connection.row("SELECT 1 AS one FROM account WHERE email = $1", [email]) != nil
    }

    /// The cost of the dearest bcrypt hash that any account has; `nil` when none has one.
    func dearestBcryptCost() throws -> Int? {
        let row = try connection.row(
            """
            SELECT substr(password_hash, 5, 2) AS cost FROM account WHERE substr(password_hash, 2, 1) = '2'
            ORDER BY substr(password_hash, 5, 2) DESC LIMIT 1
            """)
        return try row.flatMap { Int(try $0["cost"] as String) }
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

    /// Stores the limits of an account.
    func limit(_ account: Account) throws {
        try connection.execute(
            "UPDATE account SET device_limit = $2, device_policy = $3, viewing_limit = $4 WHERE id = $1",
            [account.id, account.deviceLimit, account.devicePolicy, account.viewingLimit])
    }

    /// Every account, by username, and on how many devices each is logged in.
    func all() throws -> [(account: Account, devices: Int)] {
        try connection.rows(
            """
            SELECT account.*, (
                SELECT count(*) FROM device WHERE device.account_id = account.id AND device.removed_at IS NULL
            ) AS devices
            FROM account ORDER BY username_key
            """
        ).map { (account: try Account(row: $0), devices: try $0["devices"]) }
    }

    /// Closes an account, or opens it again, and locks its row.
    /// - Parameter time: Since when it is closed; `nil` opens it
    func disable(_ id: UUID, since time: Timestamp?) throws {
        try connection.execute("UPDATE account SET disabled_at = $2 WHERE id = $1", [id, time])
    }

    /// Stores another hash of the same password.
    func upgradePassword(of id: UUID, to hash: String) throws {
        try connection.execute("UPDATE account SET password_hash = $2 WHERE id = $1", [id, hash])
    }

    /// Stores the hash of another password.
    /// - Returns: Whether the account still had the old hash
    func changePassword(of id: UUID, from old: String, to new: String, at time: Timestamp) throws -> Bool {
        try connection.execute(
            "UPDATE account SET password_hash = $3, updated_at = $4 WHERE id = $1 AND password_hash = $2",
            [id, old, new, time]) == 1
    }

    /// What the devices are called that an account was ever logged in on.
    func deviceNames(of id: UUID) throws -> [String] {
        try connection.rows("SELECT DISTINCT name FROM device WHERE account_id = $1", [id]).map { try $0["name"] }
    }

    /// Notes that the owner reads the account's email.
    /// - Returns: Whether an account has this email
    func verify(email: String, at time: Timestamp) throws -> Bool {
        try connection.execute("UPDATE account SET is_verified = 1, updated_at = $2 WHERE email = $1", [email, time])
            == 1
    }

    /// Stores the hash of another password for who has proven to read the account's email.
    func resetPassword(of id: UUID, to hash: String, at time: Timestamp) throws {
        try connection.execute(
            "UPDATE account SET password_hash = $2, is_verified = 1, updated_at = $3 WHERE id = $1", [id, hash, time])
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
            devicePolicy: try row["device_policy"], disabledAt: try row["disabled_at"],
            viewingLimit: try row["viewing_limit"])
    }
}
