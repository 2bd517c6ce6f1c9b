/// What is asked of a database's health.
struct DoctorQueries {
    let connection: any DatabaseConnection

    /// Which database it is, and its version.
    func version() throws -> String {
        switch connection.dialect {
        case .sqlite: "SQLite \(try connection.row("SELECT sqlite_version() AS version")?["version"] ?? "")"
        case .postgres:
            "PostgreSQL \(try connection.row("SELECT current_setting('server_version') AS version")?["version"] ?? "")"
        }
    }

    /// What is broken in it, as far as it says; PostgreSQL finds out when it reads.
    func damage() throws -> [String] {
        guard connection.dialect == .sqlite else { return [] }
        let said: [String] = try connection.rows("PRAGMA quick_check(3)").map { try $0["quick_check"] }
        return said.filter { $0 != "ok" }
    }

    /// How many bytes it takes; `nil` where its files tell.
    func size() throws -> Int? {
        guard connection.dialect == .postgres else { return nil }
        return try connection.row("SELECT pg_database_size(current_database()) AS size")?["size"]
    }
}
