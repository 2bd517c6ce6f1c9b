import DwellAPI
import Foundation

/// What is asked of, and told to, the tables of operators and where they are signed in.
struct OperatorQueries {
    let connection: any DatabaseConnection

    private static let columns = """
        operator.id, operator.name, operator.role, operator.password_hash, operator.created_at
        """

    /// Every operator, by name.
    func all() throws -> [Operator] {
        try connection.rows("SELECT \(Self.columns) FROM operator ORDER BY name_key").map(Operator.init(row:))
    }

    func isAny() throws -> Bool {
        try connection.row("SELECT 1 AS one FROM operator LIMIT 1") != nil
    }

    /// The operator of a name, as it was typed.
    func `operator`(named name: String) throws -> Operator? {
        try connection.row(
            "SELECT \(Self.columns) FROM operator WHERE name_key = $1", [AccountRules.key(of: name)]
        ).map(Operator.init(row:))
    }

    /// The operator of a name.
    /// - Throws: ``InvalidField`` when there is none
    func required(named name: String) throws -> Operator {
        guard let found = try self.operator(named: name) else {
            throw InvalidField("the operator", expected: "one that there is; there is no \(name)")
        }
        return found
    }

    func insert(_ new: Operator) throws {
        try connection.execute(
            """
            INSERT INTO operator (id, name, name_key, role, password_hash, created_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            """, [new.id, new.name, AccountRules.key(of: new.name), new.role, new.passwordHash, new.createdAt])
    }

    /// Removes an operator, who is signed out everywhere.
    func remove(_ id: UUID) throws {
        try connection.execute("DELETE FROM sign_in WHERE operator_id = $1", [id])
        try connection.execute("DELETE FROM operator WHERE id = $1", [id])
    }

    /// Gives an operator another password, and signs them out everywhere.
    func changePassword(of id: UUID, to hash: String) throws {
        try connection.execute("UPDATE operator SET password_hash = $2 WHERE id = $1", [id, hash])
        try connection.execute("DELETE FROM sign_in WHERE operator_id = $1", [id])
    }

    func signIn(_ id: UUID, by secret: RandomSecret, at time: Timestamp) throws {
        try connection.execute(
            "INSERT INTO sign_in (hash, operator_id, signed_in_at, last_seen_at) VALUES ($1, $2, $3, $3)",
            [secret.hash, id, time])
    }

    /// Who signed in and was given a secret, and when they were last seen.
    /// - Parameters:
    ///   - start: Sign-ins of before are over
    ///   - idle: So are those that were not used since
    func signedIn(
        by secret: RandomSecret, since start: Timestamp, seenSince idle: Timestamp
    ) throws -> (operator: Operator, lastSeenAt: Timestamp)? {
        try connection.row(
            """
            SELECT \(Self.columns), sign_in.last_seen_at
            FROM sign_in JOIN operator ON operator.id = sign_in.operator_id
            WHERE sign_in.hash = $1 AND sign_in.signed_in_at > $2 AND sign_in.last_seen_at > $3
            """, [secret.hash, start, idle]
        ).map { (try Operator(row: $0), try $0["last_seen_at"]) }
    }

    func touch(_ secret: RandomSecret, at time: Timestamp) throws {
        try connection.execute(
            "UPDATE sign_in SET last_seen_at = $2 WHERE hash = $1 AND last_seen_at < $2", [secret.hash, time])
    }

    func signOut(_ secret: RandomSecret) throws {
        try connection.execute("DELETE FROM sign_in WHERE hash = $1", [secret.hash])
    }

    /// Forgets sign-ins that are over.
    func removeOld(before start: Timestamp, notSeenSince idle: Timestamp) throws {
        try connection.execute("DELETE FROM sign_in WHERE signed_in_at <= $1 OR last_seen_at <= $2", [start, idle])
    }
}

extension Operator {
    fileprivate init(row: Row) throws {
        self.init(
            id: try row["id"], name: try row["name"], role: try row["role"], passwordHash: try row["password_hash"],
            createdAt: try row["created_at"])
    }
}
