/// What is asked of the schema itself.
package struct SchemaQueries {
    let connection: any DatabaseConnection

    /// The names of the tables, parts of a divided one not counted.
    package func tables() throws -> Set<String> {
        let sql =
            switch connection.dialect {
            case .sqlite: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
            case .postgres:
                """
                SELECT relname AS name FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                WHERE nspname = current_schema() AND relkind IN ('r', 'p') AND NOT relispartition
                """
            }
        return Set(try connection.rows(sql).map { try $0["name"] })
    }

    /// The number of the last step that was applied; 0 for a database that is none of Dwell's yet.
    package func migration() throws -> Int {
        guard try tables().contains("schema_migration") else { return 0 }
        return try connection.row("SELECT coalesce(max(number), 0) AS number FROM schema_migration")?["number"] ?? 0
    }

    /// What tells this store from every other: when each step was applied to it, to the millisecond.
    func lineage() throws -> String {
        try connection.rows("SELECT number, applied_at FROM schema_migration ORDER BY number")
            .map { "\(try $0["number"] as Int64)@\(try $0["applied_at"] as Int64)" }
            .joined(separator: " ")
    }
}
