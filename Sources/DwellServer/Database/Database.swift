package import DwellAPI

/// A store that keeps its word: what a write returned is on disk.
///
/// One SQL text serves every kind of database: parameters are `$1`, `$2`, …, and statements keep to what SQLite and
/// PostgreSQL have in common.
package protocol Database: Sendable {
    /// Which statements it understands where the two differ.
    var dialect: SQLDialect { get }

    /// How many transactions may write at the same time to its advantage.
    var writers: Int { get }

    /// Runs `body` on a consistent snapshot; it waits for no writer.
    func read<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value

    /// Runs `body` in one transaction, which is durable when this returns and undone when `body` throws.
    @discardableResult
    func write<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value

    /// Like ``write(_:)``, but returns as soon as the next transaction may begin.
    func commit<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Commit<Value>

    /// The database's own clock; `nil` where it has none but the machine's.
    func time() async throws -> Timestamp?

    /// Waits until another process has called ``DatabaseConnection/notify()``, as far as the database can tell, or some
    /// time has passed.
    func waitForNews(_ time: Duration) async throws

    /// Lets go of the store. Nothing may be read or written afterwards.
    func close() throws
}

/// What a transaction brought that others see already.
package struct Commit<Value: Sendable>: Sendable {
    let value: Value
    /// Returns when the transaction is durable; throws when that is not to be had.
    let sync: @Sendable () async throws -> Void
}

extension Database {
    /// For databases in which transactions do not wait for each other's way to the disk.
    package func commit<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Commit<Value> {
        Commit(value: try await write(body)) {}
    }
}

/// A connection inside `read` or `write`. It must not leave the closure that it was given to.
package protocol DatabaseConnection {
    /// Which statements it understands where the two differ: bulk ingest, locks, and the schema.
    var dialect: SQLDialect { get }

    /// All rows of a query.
    func rows(_ sql: String, _ arguments: [any SQLConvertible]) throws -> [Row]

    /// All rows of a query that is run often.
    func rows(_ statement: SQLStatement, _ arguments: [any SQLConvertible]) throws -> [Row]

    /// Runs a query that is run often, and calls `body` with each row to read its values from.
    func forEach(
        _ statement: SQLStatement, _ arguments: [any SQLConvertible], _ body: (inout RowReader) throws -> Void
    ) throws

    /// Runs a query and calls `body` with each row as it comes, so that a result of any size takes no memory.
    func forEachRow(
        _ sql: String, _ arguments: [any SQLConvertible], _ body: (Row) throws -> Void
    ) throws

    /// Runs a statement.
    /// - Returns: How many rows it inserted, changed or deleted
    @discardableResult
    func execute(_ sql: String, _ arguments: [any SQLConvertible]) throws -> Int

    /// Runs a statement that is run often.
    /// - Returns: How many rows it inserted, changed or deleted
    @discardableResult
    func execute(_ statement: SQLStatement, _ arguments: [any SQLConvertible]) throws -> Int

    /// The next number of a sequence; a number is never given twice.
    func nextNumber(of sequence: SQLSequence) throws -> Int64

    /// Wakes those who wait for news, once the transaction is committed.
    func notify() throws

    /// Waits until no other transaction holds the lock, and holds it to the end of this one.
    func lock(_ lock: SQLLock) throws
}

/// A statement that is run so often that even looking its text up would cost: a connection that keeps it prepared knows
/// it by its identity.
package final class SQLStatement: Sendable {
    package let text: String
    /// The text as SQLite reads it: `$1` it would number in the order of appearance, `?1` it takes at its word.
    let sqliteText: String

    package init(_ text: String) {
        self.text = text
        // No statement of ours holds a dollar sign elsewhere.
        sqliteText = text.replacing("$", with: "?")
    }
}

/// A kind of SQL.
package enum SQLDialect: Sendable {
    case sqlite, postgres
}

extension SQLDialect {
    /// PostgreSQL's statement that runs a query for many keys at once, each column of the keys an array. Its rows have
    /// the key's place, from 1, as `number`, and come in that order; a key without a row has none.
    /// - Parameters:
    ///   - query: Of one key, whose parts it knows as `$1`, `$2`, …
    ///   - types: The types of these parts, such as `bigint`
    static func forEachKey(_ query: String, _ types: [String]) -> String {
        let numbers = types.indices.map { $0 + 1 }
        // From the last to the first: `$1` is the beginning of `$10`.
        let inner = numbers.reversed().reduce(query) { $0.replacing("$\($1)", with: "wanted.part\($1)") }
        let arrays = zip(numbers, types).map { "$\($0)::\($1)[]" }.joined(separator: ", ")
        let parts = numbers.map { "part\($0)" }.joined(separator: ", ")
        return """
            SELECT found.*, wanted.number
            FROM unnest(\(arrays)) WITH ORDINALITY AS wanted (\(parts), number)
            CROSS JOIN LATERAL (\(inner)) AS found
            ORDER BY wanted.number
            """
    }
}

/// What only one transaction at a time may do, on all nodes together.
package enum SQLLock: Int64, Sendable {
    case migrations = 1
    case statistics = 2
    case audience = 3
    case operators = 4
    case endedSessions = 7
    case erasures = 20
}

/// What has numbers of its own.
package enum SQLSequence: String, Sendable, CaseIterable {
    case viewer, session, content

    /// What PostgreSQL calls it; SQLite has a row under its own name.
    var postgresName: String { "\(rawValue)_number" }
}

extension DatabaseConnection {
    package func rows(_ statement: SQLStatement, _ arguments: [any SQLConvertible]) throws -> [Row] {
        try rows(statement.text, arguments)
    }

    package func forEach(
        _ statement: SQLStatement, _ arguments: [any SQLConvertible], _ body: (inout RowReader) throws -> Void
    ) throws {
        for row in try rows(statement, arguments) {
            var reader = row.reader
            try body(&reader)
        }
    }

    /// What is made of each row of a query that is run often.
    func values<Value>(
        _ statement: SQLStatement, _ arguments: [any SQLConvertible], _ make: (inout RowReader) throws -> Value
    ) throws -> [Value] {
        var made: [Value] = []
        try forEach(statement, arguments) { made.append(try make(&$0)) }
        return made
    }

    @discardableResult
    package func execute(_ statement: SQLStatement, _ arguments: [any SQLConvertible]) throws -> Int {
        try execute(statement.text, arguments)
    }

    package func rows(_ sql: String) throws -> [Row] {
        try rows(sql, [])
    }

    /// The first row of a query, if there is one.
    package func row(_ sql: String, _ arguments: [any SQLConvertible] = []) throws -> Row? {
        try rows(sql, arguments).first
    }

    @discardableResult
    package func execute(_ sql: String) throws -> Int {
        try execute(sql, [])
    }
}

/// One row of a result, read by column name, or column by column.
package struct Row: Sendable {
    let columns: [String]
    let values: [SQLValue]

    /// Reads the values in their order, which is quicker where rows are many.
    package var reader: RowReader { RowReader(source: self) }

    /// The column's value as the type asked for.
    package subscript<Value: SQLConvertible>(_ column: String) -> Value {
        get throws {
            guard let index = columns.firstIndex(of: column) else {
                throw DatabaseError.failure("no column \(column) in \(columns)")
            }
            guard let value = Value(sqlValue: values[index]) else {
                throw DatabaseError.failure("column \(column) does not hold a \(Value.self)")
            }
            return value
        }
    }
}

extension Row: RowSource {
    var count: Int { values.count }
    func value(at index: Int) -> SQLValue { values[index] }
}

/// Where a reader takes a row's values from.
protocol RowSource {
    var columns: [String] { get }
    var count: Int { get }
    func value(at index: Int) -> SQLValue
}

/// Reads a row's values in the order of its columns.
package struct RowReader {
    private let source: any RowSource
    private var index = 0

    init(source: any RowSource) {
        self.source = source
    }

    /// The next column's value as the type asked for.
    mutating func next<Value: SQLConvertible>() throws -> Value {
        guard index < source.count else { throw DatabaseError.failure("only the columns \(source.columns)") }
        defer { index += 1 }
        guard let value = Value(sqlValue: source.value(at: index)) else {
            throw DatabaseError.failure("column \(source.columns[index]) does not hold a \(Value.self)")
        }
        return value
    }
}
