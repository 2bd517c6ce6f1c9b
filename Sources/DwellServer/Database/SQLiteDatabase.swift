package import DwellAPI
import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// The embedded database: one file, in WAL mode, every commit synced to disk.
package struct SQLiteDatabase: Database {
    package var dialect: SQLDialect { .sqlite }
    package var writers: Int { 1 }

    private let pool: DatabasePool
    private let texts = StatementTexts()
    private let prepared = StatementCaches()
    private let checkpointer: Checkpointer
    private let log: LogSync

    /// Opens the file, or makes it.
    /// - Parameter path: Where the file is
    /// - Throws: ``DatabaseError`` when the file can't be opened, or is no database
    package init(path: String) throws {
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 8
        SQLiteDatabase.makePrivateFile(at: path)
        (pool, checkpointer, log) = try SQLiteDatabase.mapErrors {
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { writer in
                // A commit leaves the log to `LogSync`; what is carried from it into the file is synced nevertheless.
                try writer.execute(sql: "PRAGMA synchronous = NORMAL")
                // Room for the pages that a million live sessions are moved on.
                try writer.execute(sql: "PRAGMA cache_size = -81920")
            }
            // SQLite opens a file without reading it: ask for something, so that a damaged one is found now.
            try pool.read { _ = try GRDB.Row.fetchOne($0, sql: "SELECT count(*) FROM sqlite_master") }
            let checkpointer = try Checkpointer(path: path)
            pool.writeWithoutTransaction { checkpointer.follow($0.sqliteConnection) }
            return (pool, checkpointer, try pool.writeWithoutTransaction { try LogSync($0.sqliteConnection) })
        }
    }

    package func read<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        try await SQLiteDatabase.mapErrors {
            try await pool.read { [texts, prepared] in
                try body(SQLiteConnection(database: $0, texts: texts, prepared: prepared[$0]))
            }
        }
    }

    @discardableResult
    package func write<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        let commit = try await commit(body)
        try await commit.sync()
        return commit.value
    }

    package func commit<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Commit<Value> {
        try await SQLiteDatabase.mapErrors {
            if log.isDoubtful { try await carryLog() }
            let value = try await pool.write { [texts, prepared] in
                try body(SQLiteConnection(database: $0, texts: texts, prepared: prepared[$0]))
            }
            return Commit(value: value, sync: log.sync)
        }
    }

    /// Carries all of a log that did not come to the disk into the file, which SQLite syncs, and begins the log anew:
    /// what came after the missing pages could not be read after a power cut.
    private func carryLog() async throws {
        try await pool.writeWithoutTransaction { [log] writer in
            let code = sqlite3_wal_checkpoint_v2(writer.sqliteConnection, nil, SQLITE_CHECKPOINT_RESTART, nil, nil)
            guard code == SQLITE_OK else {
                throw DatabaseError.unavailable("the database's log can't be carried into its file")
            }
            log.trust()
        }
    }

    package func time() async throws -> Timestamp? { nil }

    package func waitForNews(_ time: Duration) async throws {
        try await Task.sleep(for: time)
    }

    package func close() throws {
        try SQLiteDatabase.mapErrors {
            prepared.removeAll()
            pool.writeWithoutTransaction { checkpointer.close($0.sqliteConnection) }
            try pool.close()
            log.close()
        }
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

/// Statements by their text, so that each text has one identity.
private final class StatementTexts: Sendable {
    private let known = Mutex(BoundedCache<String, SQLStatement>(capacity: 500))

    func statement(_ sql: String) -> SQLStatement {
        known.withLock { known in
            if let statement = known[sql] { return statement }
            let statement = SQLStatement(sql)
            known.insert(statement, for: sql)
            return statement
        }
    }
}

/// What each connection keeps prepared.
private final class StatementCaches: Sendable {
    private let caches = Mutex<[ObjectIdentifier: PreparedStatements]>([:])

    subscript(database: GRDB.Database) -> PreparedStatements {
        caches.withLock { caches in
            let identity = ObjectIdentifier(database)
            if let known = caches[identity] { return known }
            let made = PreparedStatements()
            caches[identity] = made
            return made
        }
    }

    /// Before the connections are closed; nothing runs on them any more.
    func removeAll() {
        caches.withLock { $0 = [:] }
    }
}

/// What one connection keeps prepared.
///
/// Unchecked, and safe: only the connection's own queue uses it.
private final class PreparedStatements: @unchecked Sendable {
    private static let capacity = 500
    private var known: [ObjectIdentifier: PreparedStatement] = [:]

    func statement(_ statement: SQLStatement, _ database: GRDB.Database) throws -> PreparedStatement {
        let identity = ObjectIdentifier(statement)
        if let prepared = known[identity] { return prepared }
        let prepared = PreparedStatement(
            of: statement, try database.makeStatement(sql: statement.sqliteText))
        if known.count >= Self.capacity { known = [:] }
        known[identity] = prepared
        return prepared
    }
}

/// A statement on one connection, run by SQLite's own functions: the driver's rows and arguments cost more than most
/// statements do.
private final class PreparedStatement: RowSource {
    /// Keeps the identity from being another's.
    private let origin: SQLStatement
    private let statement: GRDB.Statement
    private let handle: OpaquePointer
    private(set) var columns: [String]

    var count: Int { columns.count }

    init(of origin: SQLStatement, _ statement: GRDB.Statement) {
        self.origin = origin
        self.statement = statement
        handle = statement.sqliteStatement
        columns = statement.columnNames
    }

    /// Runs it and calls `body` for each row as it comes, while the statement stands on it.
    func run(_ arguments: [any SQLConvertible], _ body: () throws -> Void) throws {
        defer { sqlite3_reset(handle) }
        try bind(arguments)
        while true {
            switch sqlite3_step(handle) {
            case SQLITE_ROW:
                // Another process may have added columns since: then SQLite prepares the statement anew.
                if sqlite3_column_count(handle) != columns.count { columns = namesOfColumns }
                try body()
            case SQLITE_DONE: return
            default: throw error
            }
        }
    }

    private var namesOfColumns: [String] {
        (0..<sqlite3_column_count(handle)).map { String(cString: sqlite3_column_name(handle, $0)) }
    }

    private func bind(_ arguments: [any SQLConvertible]) throws {
        guard arguments.count == Int(sqlite3_bind_parameter_count(handle)) else {
            throw DatabaseError.failure("\(arguments.count) values for another number of parameters")
        }
        for index in arguments.indices {
            let place = Int32(index + 1)
            let code =
                switch arguments[index].sqlValue {
                case .null: sqlite3_bind_null(handle, place)
                case .integer(let value): sqlite3_bind_int64(handle, place, value)
                case .real(let value): sqlite3_bind_double(handle, place, value)
                case .text(let value):
                    value.withCString { sqlite3_bind_text(handle, place, $0, Int32(value.utf8.count), Self.copies) }
                case .blob(let value):
                    value.withUnsafeBytes {
                        sqlite3_bind_blob64(handle, place, $0.baseAddress, UInt64($0.count), Self.copies)
                    }
                case .integers, .reals, .texts: preconditionFailure("SQLite has no arrays")
                }
            guard code == SQLITE_OK else { throw error }
        }
    }

    /// The row that it stands on.
    var row: Row { Row(columns: columns, values: (0..<count).map(value)) }

    /// A value of the row that it stands on.
    func value(at index: Int) -> SQLValue {
        let place = Int32(index)
        switch sqlite3_column_type(handle, place) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(handle, place))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(handle, place))
        case SQLITE_TEXT:
            let bytes = UnsafeBufferPointer(
                start: sqlite3_column_text(handle, place), count: Int(sqlite3_column_bytes(handle, place)))
            return .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let bytes = UnsafeRawBufferPointer(
                start: sqlite3_column_blob(handle, place), count: Int(sqlite3_column_bytes(handle, place)))
            return .blob(Data(bytes))
        default: return .null
        }
    }

    /// What went wrong last on its connection.
    private var error: GRDB.DatabaseError {
        let connection = sqlite3_db_handle(handle)
        return GRDB.DatabaseError(
            resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
            message: String(cString: sqlite3_errmsg(connection)), sql: origin.sqliteText)
    }

    /// SQLite makes a copy of what it is given: its `SQLITE_TRANSIENT`, which is a macro.
    private static let copies = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
}

private struct SQLiteConnection: DatabaseConnection {
    let database: GRDB.Database
    let texts: StatementTexts
    let prepared: PreparedStatements

    var dialect: SQLDialect { .sqlite }

    func rows(_ sql: String, _ arguments: [any SQLConvertible]) throws -> [Row] {
        try rows(texts.statement(sql), arguments)
    }

    func rows(_ statement: SQLStatement, _ arguments: [any SQLConvertible]) throws -> [Row] {
        var rows: [Row] = []
        let prepared = try prepared.statement(statement, database)
        try prepared.run(arguments) { rows.append(prepared.row) }
        return rows
    }

    func forEach(
        _ statement: SQLStatement, _ arguments: [any SQLConvertible], _ body: (inout RowReader) throws -> Void
    ) throws {
        let prepared = try prepared.statement(statement, database)
        try prepared.run(arguments) {
            var reader = RowReader(source: prepared)
            try body(&reader)
        }
    }

    func forEachRow(
        _ sql: String, _ arguments: [any SQLConvertible], _ body: (Row) throws -> Void
    ) throws {
        let prepared = try prepared.statement(texts.statement(sql), database)
        try prepared.run(arguments) { try body(prepared.row) }
    }

    func execute(_ sql: String, _ arguments: [any SQLConvertible]) throws -> Int {
        try execute(texts.statement(sql), arguments)
    }

    func execute(_ statement: SQLStatement, _ arguments: [any SQLConvertible]) throws -> Int {
        try prepared.statement(statement, database).run(arguments) {}
        return database.changesCount
    }

    func nextNumber(of sequence: SQLSequence) throws -> Int64 {
        let row = try rows(Self.next, [sequence.rawValue]).first
        guard let row else { throw DatabaseError.failure("no sequence \(sequence)") }
        return try row["value"]
    }

    private static let next = SQLStatement(
        "UPDATE sequence SET value = value + 1 WHERE name = $1 RETURNING value")

    /// Other processes look by themselves.
    func notify() {}

    /// One transaction writes at a time: nothing else can be locked.
    func lock(_ lock: SQLLock) {}
}

extension DatabaseError {
    /// Sorts SQLite's result codes into the kinds that callers tell apart.
    init(_ error: GRDB.DatabaseError) {
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
