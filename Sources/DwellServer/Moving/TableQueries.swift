/// What is asked of, and told to, any table: its rows in the order of its key.
struct TableQueries {
    /// How many values one statement carries.
    private static let valueLimit = 1000

    let connection: any DatabaseConnection
    let table: StoreTable

    /// How many rows there are.
    func count() throws -> Int {
        try connection.row("SELECT count(*) AS count FROM \(table.name)\(condition([]))")?["count"] ?? 0
    }

    /// The key of the last row; `nil` when there is none.
    func lastKey() throws -> [SQLValue]? {
        try connection.row(
            "SELECT * FROM \(table.name)\(condition([])) ORDER BY \(order(" DESC")) LIMIT 1"
        ).map(key(of:))
    }

    /// The rows that follow a key.
    /// - Parameter key: `nil` begins with the first row
    func page(after key: [SQLValue]?, limit: Int) throws -> [Row] {
        let columns = table.key.map { $0.ordered(in: connection.dialect) }.joined(separator: ", ")
        let parameters = table.key.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
        let follows = key == nil ? [] : ["(\(columns)) > (\(parameters))"]
        return try connection.rows(
            "SELECT * FROM \(table.name)\(condition(follows)) ORDER BY \(order("")) LIMIT \(limit)", key ?? [])
    }

    /// The key of a row.
    func key(of row: Row) throws -> [SQLValue] {
        try table.key.map { try row[$0.name] }
    }

    /// Adds rows. One whose key is there already is left as it is.
    func insert(_ rows: [Row]) throws {
        guard let columns = rows.first?.columns else { return }
        let size = max(1, Self.valueLimit / columns.count)
        // Two texts for each table, so that few statements have to be prepared: full ones, and one row at a time.
        let whole = rows.count - rows.count % size
        for start in stride(from: 0, to: whole, by: size) { try insert(rows[start..<start + size], columns) }
        for index in whole..<rows.count { try insert(rows[index...index], columns) }
    }

    /// Removes every row of tables, each of which may refer to those before it.
    static func empty(_ tables: [StoreTable], _ connection: any DatabaseConnection) throws {
        switch connection.dialect {
        case .sqlite:
            for table in tables.reversed() { try connection.execute("DELETE FROM \(table.name)") }
        // However many rows there are, in no time.
        case .postgres: try connection.execute("TRUNCATE \(tables.map(\.name).joined(separator: ", "))")
        }
    }

    private func insert(_ rows: ArraySlice<Row>, _ columns: [String]) throws {
        let values = rows.indices.map { index in
            let first = (index - rows.startIndex) * columns.count
            return "(\(columns.indices.map { "$\(first + $0 + 1)" }.joined(separator: ", ")))"
        }
        try connection.execute(
            """
            INSERT INTO \(table.name) (\(columns.map { #""\#($0)""# }.joined(separator: ", ")))
            VALUES \(values.joined(separator: ", ")) ON CONFLICT DO NOTHING
            """, rows.flatMap(\.values))
    }

    private func order(_ direction: String) -> String {
        table.key.map { $0.ordered(in: connection.dialect) + direction }.joined(separator: ", ")
    }

    private func condition(_ conditions: [String]) -> String {
        let all = conditions + (table.stays.map { ["NOT (\($0))"] } ?? [])
        return all.isEmpty ? "" : " WHERE \(all.joined(separator: " AND "))"
    }
}
