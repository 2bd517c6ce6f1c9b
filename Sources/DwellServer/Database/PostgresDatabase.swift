package import DwellAPI
import Foundation
import NIOPosix
import Synchronization

/// A PostgreSQL database, shared by any number of nodes.
///
/// Each transaction has a connection of the pool and a thread to itself. What can't be had in time is an error: no
/// request waits for ever, and none waits in memory without a limit.
package final class PostgresDatabase: Database {
    package var dialect: SQLDialect { .postgres }
    /// Each is a process of PostgreSQL's. The others of the pool are for everything else.
    package var writers: Int { min(4, max(1, url.poolSize / 2)) }

    /// How long a transaction may wait for a connection, and the connection for its first answer.
    private static let patience = Duration.seconds(5)
    /// How many transactions may wait.
    private static let queueLimit = 1000
    /// How often a transaction that met another one is tried.
    private static let attempts = 5

    private let url: PostgresURL
    private let threads: NIOThreadPool
    /// Waits for news, so that no transaction's thread does.
    private let listening = NIOThreadPool(numberOfThreads: 1)
    private let listener = Mutex<PostgresConnection?>(nil)
    private let state = Mutex(State())

    private struct State {
        var idle: [PostgresConnection] = []
        var waiting = 0
        /// Off when a pooler was met that keeps no statements.
        var prepares = true
        /// When to try to connect again, after it failed, and how long to wait the next time.
        var retryAt = ContinuousClock.now
        var pause = Duration.zero
    }

    /// Connects, so that a wrong URL is found now.
    /// - Throws: ``DatabaseError/unavailable(_:)``
    package init(url: PostgresURL) throws {
        self.url = url
        threads = NIOThreadPool(numberOfThreads: url.poolSize)
        threads.start()
        listening.start()
        give(back: try connect())
    }

    package func read<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        try await transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", body)
    }

    @discardableResult
    package func write<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        try await transaction("BEGIN", body)
    }

    package func time() async throws -> Timestamp? {
        try await read { connection in
            try connection.row("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS time")?["time"]
        }
    }

    /// A connection of its own listens: behind a pooler in transaction mode it hears nothing, and time passes.
    package func waitForNews(_ time: Duration) async throws {
        try await listening.runIfActive { [self] in
            do {
                let connection = try listener.withLock { $0 } ?? listen()
                try connection.waitForNotification(within: time)
            } catch {
                listener.withLock { $0 = nil }
                throw (error as? PostgresFailure)?.error ?? error
            }
        }
    }

    private func listen() throws -> PostgresConnection {
        let connection = try connect()
        try connection.run("LISTEN dwell")
        listener.withLock { $0 = connection }
        return connection
    }

    package func close() throws {
        state.withLock { $0.idle = [] }
        listener.withLock { $0 = nil }
        try threads.syncShutdownGracefully()
        try listening.syncShutdownGracefully()
    }

    private func transaction<Value: Sendable>(
        _ begin: String, _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        let isFull = state.withLock { state in
            state.waiting += 1
            return state.waiting > Self.queueLimit
        }
        defer { state.withLock { $0.waiting -= 1 } }
        if isFull { throw DatabaseError.unavailable("too many transactions wait for a connection") }
        let deadline = ContinuousClock.now + Self.patience
        return try await threads.runIfActive { [self] in
            guard .now < deadline else { throw DatabaseError.unavailable("no connection was free in time") }
            do {
                return try attempt(begin, body)
            } catch let failure as PostgresFailure {
                throw failure.error
            }
        }
    }

    /// Runs a transaction, again where it met another one.
    private func attempt<Value>(
        _ begin: String, _ body: (any DatabaseConnection) throws -> Value
    ) throws -> Value {
        var attempt = 1
        while true {
            do {
                return try once(begin, body)
            } catch let failure as PostgresFailure where attempt < Self.attempts {
                switch failure.remedy {
                case .none, .otherConnection: throw failure
                case .again: Thread.sleep(forTimeInterval: Double.random(in: 0...0.01) * Double(attempt))
                case .withoutPreparing: forgetPrepared()
                }
                attempt += 1
            }
        }
    }

    private func once<Value>(_ begin: String, _ body: (any DatabaseConnection) throws -> Value) throws -> Value {
        let connection = try begun(begin)
        do {
            let value = try body(PostgresTransaction(connection: connection))
            try connection.run("COMMIT")
            give(back: connection)
            return value
        } catch {
            // When even this fails, the connection is not kept, and its end undoes the transaction.
            try? connection.run("ROLLBACK")
            if case .otherConnection? = (error as? PostgresFailure)?.remedy {
                // Those beside it were opened while the same was true.
                forgetIdle()
            } else {
                give(back: connection)
            }
            throw error
        }
    }

    /// A connection inside a transaction. One that broke while nobody used it is replaced.
    private func begun(_ begin: String) throws -> PostgresConnection {
        // A node that is stopped in the middle, or a query that goes astray, must not keep the others waiting.
        let statement = """
            \(begin); SET LOCAL statement_timeout = 10000; SET LOCAL lock_timeout = 8000; \
            SET LOCAL idle_in_transaction_session_timeout = 10000; SET LOCAL synchronous_commit = on
            """
        while let idle = state.withLock({ $0.idle.popLast() }) {
            let asked = ContinuousClock.now
            do {
                try idle.run(statement, within: Self.patience)
                return idle
            } catch let error as DatabaseError {
                // One that was closed says so at once. Where nothing is heard, the others would be silent as long.
                if asked.duration(to: .now) < Self.patience { continue }
                forgetIdle()
                throw error
            } catch let failure as PostgresFailure where failure.isConnectionLost {
                continue
            }
        }
        let fresh = try connect()
        try fresh.run(statement)
        return fresh
    }

    private func give(back connection: PostgresConnection) {
        guard connection.isSound else { return }
        state.withLock { state in
            // One that began before a pooler was noticed would go on preparing.
            if state.prepares || !connection.prepares { state.idle.append(connection) }
        }
    }

    /// Opens a connection, unless that failed a moment ago: many requests must not each wait for the same end.
    private func connect() throws -> PostgresConnection {
        let (retryAt, prepares) = state.withLock { ($0.retryAt, $0.prepares && url.prepares) }
        guard .now >= retryAt else { throw DatabaseError.unavailable("the database could not be reached") }
        do {
            let connection = try PostgresConnection(url: url.text, prepares: prepares)
            state.withLock { $0.pause = .zero }
            return connection
        } catch {
            state.withLock { state in
                state.pause = min(max(.milliseconds(100), state.pause * 2), .seconds(2))
                state.retryAt = .now + state.pause * Double.random(in: 0.5...1)
            }
            throw error
        }
    }

    /// From now on transactions begin on new connections.
    private func forgetIdle() {
        state.withLock { $0.idle = [] }
    }

    /// From now on no statement is kept on the server.
    private func forgetPrepared() {
        state.withLock { state in
            state.prepares = false
            state.idle = []
        }
    }
}

/// A connection inside one transaction.
private struct PostgresTransaction: DatabaseConnection {
    /// How many rows of a large result are in memory at once.
    private static let chunk = 1000

    let connection: PostgresConnection

    var dialect: SQLDialect { .postgres }

    func rows(_ sql: String, _ arguments: [any SQLConvertible]) throws -> [Row] {
        try connection.run(sql, arguments.map(\.sqlValue)).rows
    }

    func forEachRow(_ sql: String, _ arguments: [any SQLConvertible], _ body: (Row) throws -> Void) throws {
        _ = try connection.run("DECLARE rows NO SCROLL CURSOR FOR \(sql)", arguments.map(\.sqlValue))
        while true {
            let rows = try connection.run("FETCH \(Self.chunk) FROM rows", []).rows
            for row in rows { try body(row) }
            if rows.count < Self.chunk { break }
        }
        try connection.run("CLOSE rows")
    }

    func execute(_ sql: String, _ arguments: [any SQLConvertible]) throws -> Int {
        try connection.run(sql, arguments.map(\.sqlValue)).changed
    }

    func nextNumber(of sequence: SQLSequence) throws -> Int64 {
        let row = try connection.run(
            "SELECT nextval($1::text::regclass) AS value", [.text(sequence.postgresName)]
        )
        .rows.first
        guard let row else { throw DatabaseError.failure("no sequence \(sequence)") }
        return try row["value"]
    }

    func notify() throws {
        try connection.run("NOTIFY dwell")
    }

    func lock(_ lock: SQLLock) throws {
        // The first key tells Dwell's locks from those of others in the same database.
        _ = try connection.run("SELECT pg_advisory_xact_lock(4480, $1::bigint::int)", [.integer(lock.rawValue)])
    }
}

extension PostgresFailure {
    /// Whether it says only that the connection is gone.
    fileprivate var isConnectionLost: Bool {
        if case .unavailable = error { true } else { false }
    }
}
