import Foundation

/// The Express service's database. It is only read.
package struct ExpressSource: Sendable {
    /// The usual names of tables and columns, as Prisma makes them.
    package static let mapping = ColumnMapping([
        ColumnMapping.Table(
            name: "users", candidates: ["User", "user", "users"], isRequired: true,
            columns: [
                .init("id", ["id"], isRequired: true),
                .init("username", ["username"], isRequired: true),
                .init("first_name", ["firstName", "first_name"]),
                .init("last_name", ["lastName", "last_name"]),
                .init("password_hash", ["passwordHash", "password_hash", "password"], isRequired: true),
                .init("email", ["email"], isRequired: true),
                .init("phone_number", ["phoneNumber", "phone_number"]),
                .init("gender", ["gender"]),
                .init("country_code", ["countryCode", "country_code"]),
                .init("profile_picture_url", ["profilePictureUrl", "profilePictureURL", "profile_picture_url"]),
                .init("is_verified", ["isVerified", "is_verified"]),
                .init("created_at", ["createdAt", "created_at"]),
                .init("updated_at", ["updatedAt", "updated_at"]),
                .init("last_logged_in", ["lastLoggedIn", "last_logged_in"]),
            ]),
        ColumnMapping.Table(
            name: "devices", candidates: ["Device", "device", "devices"], isRequired: false,
            columns: [
                .init("id", ["id"], isRequired: true),
                .init("user_id", ["userId", "user_id"], isRequired: true),
                .init("device_name", ["deviceName", "device_name"]),
                .init("device_os", ["deviceOs", "deviceOS", "device_os"]),
                .init("last_logged_in", ["lastLoggedIn", "last_logged_in"]),
            ]),
        ColumnMapping.Table(
            name: "sessions", candidates: ["Session", "session", "sessions"], isRequired: true,
            columns: [
                .init("id", ["id"], isRequired: true),
                .init("user_id", ["userId", "user_id"], isRequired: true),
                .init("video_id", ["videoId", "video_id"]),
                .init("device_id", ["deviceId", "device_id"]),
                .init("start", ["startTime", "initTime", "start_time", "init_time"], isRequired: true),
                .init("end", ["endTime", "lastUpdated", "end_time", "last_updated"], isRequired: true),
            ]),
        ColumnMapping.Table(
            name: "statistics", candidates: ["Statistics", "Statistic", "statistics"], isRequired: false,
            columns: [
                .init("id", ["id"], isRequired: true),
                .init("user_id", ["userId", "user_id"], isRequired: true),
                .init("date", ["date", "day"], isRequired: true),
                .init("watch_time", ["watchTime", "watch_time"]),
                .init("screen_time", ["screenTime", "screen_time"]),
            ]),
    ])

    private let database: any Database
    /// Prisma's `schema`; `nil` is the server's own choice.
    private let schema: String?

    /// Opens the database.
    /// - Parameter url: As it stands in the service's settings; what Prisma alone understands is left out
    /// - Throws: ``InvalidField``, or ``DatabaseError`` when it can't be reached
    package init(url text: String) throws {
        guard var parts = URLComponents(string: text) else { throw Self.refusal }
        let items = parts.queryItems ?? []
        schema = items.first { $0.name == "schema" }?.value
        let foreign = [
            "schema", "connection_limit", "pool_timeout", "socket_timeout", "statement_cache_size", "sslaccept",
            "sslidentity", "sslpassword",
        ]
        let kept = items.filter { !foreign.contains($0.name) }
        parts.queryItems = kept.isEmpty ? nil : kept
        guard let url = parts.string.flatMap(PostgresURL.init) else { throw Self.refusal }
        database = try PostgresDatabase(url: url)
    }

    private static let refusal = InvalidField(
        "the Express service's database", expected: "a URL such as postgres://user@host/name")

    package func close() throws {
        try database.close()
    }

    /// A table that is there.
    package struct Table: Sendable {
        let name: String
        /// The column that holds each thing; those that are not there are missing.
        let columns: [String: String]
        /// The type of the key.
        let keyType: String
        let fields: [String]
    }

    /// Finds a table and its columns.
    /// - Returns: `nil` when it is not there and need not be
    /// - Throws: ``InvalidField`` that names the mapping's key
    func find(_ table: ColumnMapping.Table) async throws -> Table? {
        try await read { connection in
            for candidate in table.candidates {
                let types = try Self.columns(of: candidate, connection)
                if !types.isEmpty { return try Self.match(table, called: candidate, types) }
            }
            guard table.isRequired else { return nil }
            throw InvalidField(
                "\(table.name).table",
                expected: """
                    the name of a table of the database; there is no \(table.candidates.joined(separator: ", ")), see \
                    --mapping
                    """)
        }
    }

    func count(_ table: Table) async throws -> Int {
        try await read { try $0.row("SELECT count(*) AS count FROM \(Self.quoted(table.name))")?["count"] ?? 0 }
    }

    /// The rows after a key, each value as text under the mapping's name for it.
    func page(of table: Table, after key: String?, limit: Int) async throws -> [Row] {
        let columns = table.fields.map { field in
            let value = table.columns[field].map { "\(Self.quoted($0))::text" } ?? "NULL::text"
            return "\(value) AS \(Self.quoted(field))"
        }
        // With the table's name: alone it would mean the text of that name in the result, and 10 would follow 1.
        let id = "old.\(Self.quoted(table.columns["id"] ?? "id"))"
        let condition = key == nil ? "" : "WHERE \(id) > CAST($1::text AS \(table.keyType))"
        let sql = """
            SELECT \(columns.joined(separator: ", ")) FROM \(Self.quoted(table.name)) AS old \(condition)
            ORDER BY \(id) LIMIT \(limit)
            """
        return try await read { try $0.rows(sql, key.map { [$0] } ?? []) }
    }

    private func read<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        try await database.read { [schema] connection in
            // Times come as text, always in the same form.
            _ = try connection.row(
                """
                SELECT set_config('datestyle', 'ISO, YMD', true) AS style, set_config('timezone', 'UTC', true) AS zone
                """)
            if let schema {
                _ = try connection.row(
                    "SELECT set_config('search_path', $1::text, true) AS path", [Self.quoted(schema)])
            }
            return try body(connection)
        }
    }

    /// The columns of a table with their types; none when there is no such table.
    private static func columns(of table: String, _ connection: any DatabaseConnection) throws -> [String: String] {
        let rows = try connection.rows(
            """
            SELECT attname::text AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
            WHERE attrelid = to_regclass($1::text) AND attnum > 0 AND NOT attisdropped
            """, [quoted(table)])
        return try Dictionary(rows.map { (try $0["name"], try $0["type"]) }, uniquingKeysWith: { first, _ in first })
    }

    private static func match(
        _ table: ColumnMapping.Table, called name: String, _ types: [String: String]
    ) throws -> Table {
        var columns: [String: String] = [:]
        for column in table.columns {
            columns[column.name] = column.candidates.first { types[$0] != nil }
            guard columns[column.name] != nil || !column.isRequired else {
                throw InvalidField(
                    "\(table.name).\(column.name)",
                    expected: """
                        the name of a column of \(name); it has \(types.keys.sorted().joined(separator: ", ")), see \
                        --mapping
                        """)
            }
        }
        return Table(
            name: name, columns: columns, keyType: columns["id"].flatMap { types[$0] } ?? "text",
            fields: table.columns.map(\.name))
    }

    private static func quoted(_ name: String) -> String {
        "\"" + name.replacing("\"", with: "\"\"") + "\""
    }
}
