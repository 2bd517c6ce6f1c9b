package import DwellAPI
import Foundation
import GRDB
import Synchronization

/// The embedded database: one file, in WAL mode, every commit synced to disk.
package struct SQLiteDatabase: Database {
    package var dialect: SQLDialect { .sqlite }

    private let pool: DatabasePool
    private let texts = StatementTexts()

    /// Opens the file, or makes it.
    /// - Parameter path: Where the file is
    /// - Throws: ``DatabaseError`` when the file can't be opened, or is no database
    package init(path: String) throws {
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 8
        SQLiteDatabase.makePrivateFile(at: path)
        pool = try SQLiteDatabase.mapErrors {
            let pool = try DatabasePool(path: path, configuration: configuration)
            // GRDB opens WAL databases with NORMAL, which may lose the last commits when the power fails.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            // SQLite opens a file without reading it: ask for something, so that a damaged one is found now.
            try pool.read { _ = try GRDB.Row.fetchOne($0, sql: "SELECT count(*) FROM sqlite_master") }
            return pool
        }
    }

    package func read<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        try await SQLiteDatabase.mapErrors {
            try await pool.read { [texts] in try body(SQLiteConnection(database: $0, texts: texts)) }
        }
    }

    @discardableResult
    package func write<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        try await SQLiteDatabase.mapErrors {
            try await pool.write { [texts] in try body(SQLiteConnection(database: $0, texts: texts)) }
        }
    }

    package func time() async throws -> Timestamp? { nil }

    package func waitForNews(_ time: Duration) async throws {
        try await Task.sleep(for: time)
    }

    package func close() throws {
        try SQLiteDatabase.mapErrors { try pool.close() }
    }

    /// A new file is its owner's alone; SQLite gives its side files the same rights. When it can't be made, opening
    /// it says why.
    private static func makePrivateFile(at path: String) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        if file >= 0 { _ = Foundation.close(file) }
    }

    private static func mapErrors<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as GRDB.DatabaseError { throw DatabaseError(error) }
    }

    private static func mapErrors<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as GRDB.DatabaseError { throw DatabaseError(error) }
    }
}

/// Statements as SQLite reads them: `$1` it would number in the order of appearance, `?1` it takes at its word.
private final class StatementTexts: Sendable {
    private let known = Mutex(BoundedCache<String, String>(capacity: 500))

    func text(_ sql: String) -> String {
        if let known = known.withLock({ $0[sql] }) { return known }
        // No statement of ours holds a dollar sign elsewhere.
        let text = sql.replacing("$", with: "?")
        known.withLock { $0.insert(text, for: sql) }
        return text
    }
}

private struct SQLiteConnection: DatabaseConnection {
    let database: GRDB.Database
    let texts: StatementTexts

    var dialect: SQLDialect { .sqlite }

    func rows(_ sql: String, _ arguments: [any SQLConvertible]) throws -> [Row] {
        var rows: [Row] = []
        try forEachRow(sql, arguments) { rows.append($0) }
        return rows
    }

    func forEachRow(
        _ sql: String, _ arguments: [any SQLConvertible], _ body: (Row) throws -> Void
    ) throws {
        let statement = try statement(sql, arguments)
        let columns = statement.columnNames
        let cursor = try GRDB.Row.fetchCursor(statement)
        while let row = try cursor.next() {
            let values = Array(row.databaseValues.map(SQLValue.init(databaseValue:)))
            try body(Row(columns: columns, values: values))
        }
    }

    func execute(_ sql: String, _ arguments: [any SQLConvertible]) throws -> Int {
        try statement(sql, arguments).execute()
        return database.changesCount
    }

    func nextNumber(of sequence: SQLSequence) throws -> Int64 {
        let row = try row(
            "UPDATE sequence SET value = value + 1 WHERE name = $1 RETURNING value", [sequence.rawValue])
        guard let row else { throw DatabaseError.failure("no sequence \(sequence)") }
        return try row["value"]
    }

    /// Other processes look by themselves.
    func notify() {}

    /// One transaction writes at a time: nothing else can be locked.
    func lock(_ lock: SQLLock) {}

    private func statement(_ sql: String, _ arguments: [any SQLConvertible]) throws -> Statement {
        let statement = try database.cachedStatement(sql: texts.text(sql))
        statement.setUncheckedArguments(StatementArguments(arguments.map(\.sqlValue.databaseValue)))
        return statement
    }
}

extension SQLValue {
    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let value): value.databaseValue
        case .real(let value): value.databaseValue
        case .text(let value): value.databaseValue
        case .blob(let value): value.databaseValue
        case .integers, .reals, .texts: preconditionFailure("SQLite has no arrays")
        }
    }

    fileprivate init(databaseValue: DatabaseValue) {
        switch databaseValue.storage {
        case .null: self = .null
        case .int64(let value): self = .integer(value)
        case .double(let value): self = .real(value)
        case .string(let value): self = .text(value)
        case .blob(let value): self = .blob(value)
        }
    }
}

extension DatabaseError {
    /// Sorts SQLite's result codes into the kinds that callers tell apart.
    fileprivate init(_ error: GRDB.DatabaseError) {
        let cause = error.message ?? "\(error.resultCode)"
        self =
            switch error.resultCode {
            case .SQLITE_CONSTRAINT: .constraint(cause)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt(cause)
            case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_CANTOPEN,
                .SQLITE_NOMEM, .SQLITE_INTERRUPT, .SQLITE_PROTOCOL:
                .unavailable(cause)
            default: .failure("\(cause) (\(error.sql ?? "no statement"))")
            }
    }
}
