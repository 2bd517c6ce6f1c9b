import DwellAPI
import Foundation

/// What is asked of, and told to, the table of keys.
struct APIKeyQueries {
    let connection: any DatabaseConnection

    private static let columns = "id, name, scopes, created_at, last_used_at"

    /// Every key, by name.
    func all() throws -> [APIKey] {
        try connection.rows("SELECT \(Self.columns) FROM api_key ORDER BY name").map(APIKey.init(row:))
    }

    func key(named name: String) throws -> APIKey? {
        try connection.row("SELECT \(Self.columns) FROM api_key WHERE name = $1", [name]).map(APIKey.init(row:))
    }

    func key(hash: String) throws -> APIKey? {
        try connection.row("SELECT \(Self.columns) FROM api_key WHERE hash = $1", [hash]).map(APIKey.init(row:))
    }

    func insert(_ key: APIKey, hash: String) throws {
        try connection.execute(
            "INSERT INTO api_key (id, name, hash, scopes, created_at) VALUES ($1, $2, $3, $4, $5)",
            [key.id, key.name, hash, APIKey.text(of: key.scopes), key.createdAt])
    }

    /// Notes that a key is used.
    func touch(_ id: UUID, at time: Timestamp) throws {
        try connection.execute(
            "UPDATE api_key SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
            [id, time])
    }

    func remove(_ id: UUID) throws {
        try connection.execute("DELETE FROM api_key WHERE id = $1", [id])
    }
}

extension APIKey {
    fileprivate init(row: Row) throws {
        self.init(
            id: try row["id"], name: try row["name"], scopes: Self.scopes(in: try row["scopes"]),
            createdAt: try row["created_at"], lastUsedAt: try row["last_used_at"])
    }
}
