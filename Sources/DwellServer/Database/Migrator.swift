package import DwellAPI

/// One step of the schema. A step that was released never changes; the next one mends it.
package struct Migration: Sendable {
    let number: Int
    let name: String
    let statements: [Statement]

    /// A statement of a step, in SQLite's words: PostgreSQL's follow from them.
    package struct Statement: Sendable, ExpressibleByStringLiteral {
        private let sql: String
        private let dialect: SQLDialect?

        package init(stringLiteral sql: String) {
            self.sql = sql
            dialect = nil
        }

        /// A statement for one kind of database alone.
        init(only dialect: SQLDialect, _ sql: String) {
            self.sql = sql
            self.dialect = dialect
        }

        /// The text for a database; `nil` when it is not meant.
        func text(for dialect: SQLDialect) -> String? {
            guard self.dialect == nil || self.dialect == dialect else { return nil }
            guard dialect == .postgres else { return sql }
            return sql.replacing(" STRICT, WITHOUT ROWID", with: "").replacing(" STRICT", with: "")
                .replacing(/\bINTEGER\b/, with: "BIGINT").replacing(/\bREAL\b/, with: "DOUBLE PRECISION")
                .replacing(/\bBLOB\b/, with: "BYTEA")
                // Byte by byte, as SQLite compares: an order that the same rows have in every database.
                .replacing(/\bTEXT\b/, with: #"TEXT COLLATE "C""#)
        }
    }
}

/// Brings a database to the schema that this program expects.
package struct Migrator: Sendable {
    /// Every step, in order.
    package static let migrations: [Migration] = [
        .tables, .evidence, .nodes, .live, .folding, .browsers, .mail, .gates, .audit, .audience, .viewing,
        .operators, .scopes, .webhooks, .rights, .totals, .visitors,
    ]
    /// The number of the last step.
    package static let latest = migrations.last?.number ?? 0

    /// Applies the steps that the database lacks, all in one transaction, one node at a time.
    /// - Parameters:
    ///   - database: An empty database, or one of any earlier version
    ///   - now: Noted as the time of the step
    /// - Returns: The names of the steps applied
    /// - Throws: ``MigrationError/newerSchema(_:)`` when a later version of Dwell wrote the database
    package static func migrate(_ database: any Database, now: Timestamp) async throws -> [String] {
        try await database.write { connection in
            try connection.lock(.migrations)
            var names: [String] = []
            try connection.execute(
                """
                CREATE TABLE IF NOT EXISTS schema_migration (
                    number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL
                )
                """)
            let applied = try SchemaQueries(connection: connection).migration()
            if applied > latest { throw MigrationError.newerSchema(applied) }
            for migration in migrations where migration.number > applied {
                for statement in migration.statements.compactMap({ $0.text(for: connection.dialect) }) {
                    try connection.execute(statement)
                }
                try connection.execute(
                    "INSERT INTO schema_migration (number, name, applied_at) VALUES ($1, $2, $3)",
                    [migration.number, migration.name, now])
                names.append("\(migration.number) \(migration.name)")
            }
            return names
        }
    }
}

/// Why a database can't be brought up to date.
package enum MigrationError: Error, Equatable {
    /// The database is at a step that this program does not know.
    case newerSchema(Int)
}
