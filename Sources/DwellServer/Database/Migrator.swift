package import DwellAPI

/// One step of the schema. A step that was released never changes; the next one mends it.
package struct Migration: Sendable {
    let number: Int
    let name: String
    let statements: [String]
}

/// Brings a database to the schema that this program expects.
package struct Migrator: Sendable {
    /// Every step, in order.
    package static let migrations: [Migration] = [.tables, .evidence]

    /// Applies the steps that the database lacks, each in a transaction of its own.
    /// - Parameters:
    ///   - database: An empty database, or one of any earlier version
    ///   - now: Noted as the time of the step
    /// - Returns: The names of the steps applied
    /// - Throws: ``MigrationError/newerSchema(_:)`` when a later version of Dwell wrote the database
    package static func migrate(_ database: any Database, now: Timestamp) async throws -> [String] {
        let applied = try await database.write { connection in
            try connection.execute(
                """
                CREATE TABLE IF NOT EXISTS schema_migration (
                    number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL
                )
                """)
            let newest = try connection.row("SELECT coalesce(max(number), 0) AS number FROM schema_migration")
            return try newest?["number"] ?? 0
        }
        if let latest = migrations.last?.number, applied > latest {
            throw MigrationError.newerSchema(applied)
        }
        let missing = migrations.filter { $0.number > applied }
        for migration in missing {
            try await database.write { connection in
                for statement in migration.statements { try connection.execute(statement) }
                try connection.execute(
                    "INSERT INTO schema_migration (number, name, applied_at) VALUES ($1, $2, $3)",
                    [migration.number, migration.name, now])
            }
        }
        return missing.map { "\($0.number) \($0.name)" }
    }
}

/// Why a database can't be brought up to date.
package enum MigrationError: Error, Equatable {
    /// The database is at a step that this program does not know.
    case newerSchema(Int)
}
