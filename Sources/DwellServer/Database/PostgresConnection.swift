import CLibPQ
import Crypto
import Foundation

/// One connection to PostgreSQL; every wait on it has an end.
///
/// Unchecked, and safe: it belongs to one thread at a time, and the pool hands it from one to the next under a lock.
package final class PostgresConnection: @unchecked Sendable {
    /// How long one statement may take before the connection is given up. The server itself gives up
    /// earlier: see ``PostgresDatabase``.
    private static let patience = Duration.seconds(12)

    /// The client library's version, such as `15.4`.
    static var libraryVersion: String { "\(PQlibVersion() / 10_000).\(PQlibVersion() % 10_000)" }

    private let connection: OpaquePointer
    /// Statements that the server knows, by their text.
    private var prepared: [String: PreparedStatement] = [:]
    /// Off behind a pooler that hands each transaction to another server connection.
    let prepares: Bool

    private struct PreparedStatement {
        let name: String
        let parameters: [PostgresType]
    }

    /// Connects.
    /// - Parameters:
    ///   - url: As libpq takes it
    ///   - prepares: Whether statements are kept on the server from one transaction to the next
    /// - Throws: ``DatabaseError/unavailable(_:)``
    package init(url: String, prepares: Bool) throws {
        let settings = [
            // What the URL says wins: it comes last.
            ("application_name", "dwell"), ("connect_timeout", "5"), ("client_encoding", "UTF8"),
            ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "10000"), ("dbname", url),
        ]
        let opened = settings.map(\.0).withCStrings { keys in
            settings.map(\.1).withCStrings { values in PQconnectdbParams(keys, values, 1) }
        }
        guard let opened else { throw DatabaseError.unavailable("no memory for a connection") }
        connection = opened
        self.prepares = prepares
        guard PQstatus(opened) == CONNECTION_OK else {
            throw DatabaseError.unavailable(message)
        }
        // Notices are for people at a terminal.
        PQsetNoticeProcessor(opened, { _, _ in }, nil)
        PQsetnonblocking(opened, 1)
    }

    deinit {
        PQfinish(connection)
    }

    /// Whether the connection can be used for another transaction.
    var isSound: Bool {
        PQstatus(connection) == CONNECTION_OK && PQtransactionStatus(connection) == PQTRANS_IDLE
    }

    /// Runs statements without parameters, several if need be.
    package func run(_ sql: String) throws {
        try run(sql, within: Self.patience)
    }

    /// The same, which may take so long.
    func run(_ sql: String, within time: Duration) throws {
        guard PQsendQuery(connection, sql) == 1 else { throw DatabaseError.unavailable(message) }
        _ = try results(within: time)
    }

    /// Runs one statement.
    /// - Returns: Its rows, and how many rows it changed
    package func run(_ sql: String, _ arguments: [SQLValue]) throws -> (rows: [Row], changed: Int) {
        let types: [PostgresType]
        if prepares {
            let statement = try prepared[sql] ?? prepare(sql)
            types = statement.parameters
            try send(arguments, types) { count, values, lengths, formats in
                PQsendQueryPrepared(connection, statement.name, count, values, lengths, formats, 1)
            }
        } else {
            types = arguments.map(PostgresType.init(of:))
            let oids = types.map(\.rawValue)
            try send(arguments, types) { count, values, lengths, formats in
                PQsendQueryParams(connection, sql, count, oids, values, lengths, formats, 1)
            }
        }
        guard let result = try results().last else { throw DatabaseError.failure("no result") }
        return (try result.rows(), result.changed)
    }

    /// Waits until the server sends something by itself, or some time has passed. What it sent is thrown away.
    func waitForNotification(within time: Duration) throws {
        _ = try isReadable(until: .now + time)
        guard PQconsumeInput(connection) == 1 else { throw DatabaseError.unavailable(message) }
        while let notification = PQnotifies(connection) { PQfreemem(notification) }
    }

    private var message: String {
        String(cString: PQerrorMessage(connection)).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func prepare(_ sql: String) throws -> PreparedStatement {
        // The name is the text's: behind a pooler another connection may know the name, and must not mean another
        // statement by it.
        let name = "dwell_" + SHA256.hash(data: Data(sql.utf8)).prefix(16).hexadecimal
        guard PQsendPrepare(connection, name, sql, 0, nil) == 1 else { throw DatabaseError.unavailable(message) }
        _ = try results()
        guard PQsendDescribePrepared(connection, name) == 1 else { throw DatabaseError.unavailable(message) }
        guard let description = try results().last else { throw DatabaseError.failure("no description") }
        let statement = PreparedStatement(name: name, parameters: try description.parameters())
        prepared[sql] = statement
        return statement
    }

    private func send(
        _ arguments: [SQLValue], _ types: [PostgresType],
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>, UnsafePointer<Int32>
        ) -> Int32
    ) throws {
        guard arguments.count == types.count else {
            throw DatabaseError.failure("\(arguments.count) values for \(types.count) parameters")
        }
        // One buffer for all of them, so that one pointer keeps them in place.
        var bytes: [UInt8] = []
        let places = try zip(arguments, types).map { argument, type -> Range<Int>? in
            let start = bytes.count
            return try type.encode(argument, into: &bytes) ? start..<bytes.count : nil
        }
        bytes.append(0)
        let formats = [Int32](repeating: 1, count: places.count)
        let sent = bytes.withUnsafeBytes { buffer in
            let pointers = places.map { place in
                place.flatMap { buffer.baseAddress?.advanced(by: $0.lowerBound).assumingMemoryBound(to: CChar.self) }
            }
            return body(Int32(places.count), pointers, places.map { Int32($0?.count ?? 0) }, formats)
        }
        guard sent == 1 else { throw DatabaseError.unavailable(message) }
    }

    /// Waits for everything that the statement sent last brings.
    private func results(within time: Duration = patience) throws -> [PostgresResult] {
        // The machine's clock may be set meanwhile.
        let deadline = ContinuousClock.now + time
        var results: [PostgresResult] = []
        var failure: PostgresFailure?
        while true {
            while try flushes(), PQisBusy(connection) == 1 {
                guard try isReadable(until: deadline) else {
                    throw DatabaseError.unavailable("no answer within \(time)")
                }
                guard PQconsumeInput(connection) == 1 else { throw DatabaseError.unavailable(message) }
            }
            guard let next = PQgetResult(connection) else { break }
            let result = PostgresResult(next)
            failure = failure ?? result.failure
            results.append(result)
        }
        if let failure { throw failure }
        if PQstatus(connection) != CONNECTION_OK { throw DatabaseError.unavailable(message) }
        return results
    }

    /// Sends what is still in the buffer. Always true, or it throws.
    private func flushes() throws -> Bool {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            switch PQflush(connection) {
            case 0: return true
            case 1:
                guard try wait(for: Int16(POLLIN | POLLOUT), until: deadline) else {
                    throw DatabaseError.unavailable("nothing sent within \(Self.patience)")
                }
                guard PQconsumeInput(connection) == 1 else { throw DatabaseError.unavailable(message) }
            default: throw DatabaseError.unavailable(message)
            }
        }
    }

    private func isReadable(until deadline: ContinuousClock.Instant) throws -> Bool {
        try wait(for: Int16(POLLIN), until: deadline)
    }

    private func wait(for events: Int16, until deadline: ContinuousClock.Instant) throws -> Bool {
        while true {
            var poll = pollfd(fd: PQsocket(connection), events: events, revents: 0)
            guard poll.fd >= 0 else { throw DatabaseError.unavailable(message) }
            let milliseconds = max(.zero, ContinuousClock.now.duration(to: deadline)) / Duration.milliseconds(1)
            let ready = Foundation.poll(&poll, 1, Int32(milliseconds.rounded(.up)))
            if ready > 0 { return true }
            if ready == 0 { return false }
            guard errno == EINTR else { throw DatabaseError.unavailable(String(cString: strerror(errno))) }
        }
    }
}

/// What a statement brought; freed with the object.
private final class PostgresResult {
    private let result: OpaquePointer

    init(_ result: OpaquePointer) {
        self.result = result
    }

    deinit {
        PQclear(result)
    }

    /// Why there is nothing, sorted into the kinds that callers tell apart.
    var failure: PostgresFailure? {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE, PGRES_EMPTY_QUERY: return nil
        default:
            let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } ?? ""
            let cause = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) }
            return PostgresFailure(
                sqlState: state, cause: cause ?? String(cString: PQresultErrorMessage(result)))
        }
    }

    /// How many rows were inserted, changed or deleted.
    var changed: Int {
        Int(String(cString: PQcmdTuples(result))) ?? 0
    }

    /// The types of a described statement's parameters.
    func parameters() throws -> [PostgresType] {
        try (0..<PQnparams(result)).map { try PostgresType(PQparamtype(result, $0)) }
    }

    func rows() throws -> [Row] {
        let count = PQntuples(result)
        guard count > 0 else { return [] }
        let fields = 0..<PQnfields(result)
        let columns = fields.map { String(cString: PQfname(result, $0)) }
        let types = try fields.map { try PostgresType(PQftype(result, $0)) }
        return try (0..<count).map { row in
            let values = try fields.map { field -> SQLValue in
                guard PQgetisnull(result, row, field) == 0 else { return .null }
                let bytes = UnsafeRawBufferPointer(
                    start: PQgetvalue(result, row, field), count: Int(PQgetlength(result, row, field)))
                return try types[Int(field)].decode(bytes)
            }
            return Row(columns: columns, values: values)
        }
    }
}

/// Why a statement brought nothing.
struct PostgresFailure: Error {
    /// What callers see.
    let error: DatabaseError
    /// What trying again may help.
    let remedy: Remedy

    enum Remedy {
        case none
        /// It met another transaction: the same may succeed at the next try.
        case again
        /// The statement was kept on another server connection: a pooler stands between.
        case withoutPreparing
        /// The connection takes no changes, and would not even if others do again.
        case otherConnection
    }

    /// Sorts PostgreSQL's error codes: https://www.postgresql.org/docs/15/errcodes-appendix.html
    init(sqlState: String, cause: String) {
        let cause = sqlState.isEmpty ? cause : "\(cause) (\(sqlState))"
        remedy =
            switch sqlState {
            // What another transaction has just made may be seen, and respected, the next time.
            case "40001", "40P01", "23505": .again
            case "26000", "42P05": .withoutPreparing
            case "25006": .otherConnection
            default: .none
            }
        error =
            switch sqlState.prefix(2) {
            case "23": .constraint(cause)
            // Connections, authorization, no such database, conflicts, resources, an operator's hand, the system,
            // read-only, locks that were not let go.
            case "", "08", "28", "3D", "40", "53", "55", "57", "58", "25": .unavailable(cause)
            case "XX": .corrupt(cause)
            default: .failure(cause)
            }
    }
}

extension [String] {
    /// The strings as an array that ends with a null pointer.
    fileprivate func withCStrings<Value>(_ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Value) -> Value {
        let copies = map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let pointers = copies.map { UnsafePointer($0) } + [nil]
        return pointers.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("an array with an end is not empty") }
            return body(base)
        }
    }
}
