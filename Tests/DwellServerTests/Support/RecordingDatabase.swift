import Foundation
import Synchronization

@testable import DwellAPI
@testable import DwellServer

/// A database that remembers every statement it was sent, so that a test can ask how each is carried out.
final class RecordingDatabase: DatabaseWrapper {
    let base: any Database
    private let sent = Mutex<[String: [SQLValue]]>([:])

    init(_ base: any Database) {
        self.base = base
    }

    /// Every text that was sent, with the arguments it had last.
    var statements: [String: [SQLValue]] { sent.withLock { $0 } }

    func read<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        try await base.read { try body(RecordingConnection(base: $0, recorder: self)) }
    }

    @discardableResult
    func write<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        try await base.write { try body(RecordingConnection(base: $0, recorder: self)) }
    }

    fileprivate func note(_ sql: String, _ arguments: [any SQLConvertible]) {
        sent.withLock { $0[sql] = arguments.map(\.sqlValue) }
    }
}

private struct RecordingConnection: DatabaseConnection {
    let base: any DatabaseConnection
    let recorder: RecordingDatabase

    var dialect: SQLDialect { base.dialect }

    func rows(_ sql: String, _ arguments: [any SQLConvertible]) throws -> [Row] {
        recorder.note(sql, arguments)
        return try base.rows(sql, arguments)
    }

    func forEachRow(
        _ sql: String, _ arguments: [any SQLConvertible], _ body: (Row) throws -> Void
    ) throws {
        recorder.note(sql, arguments)
        try base.forEachRow(sql, arguments, body)
    }

    func execute(_ sql: String, _ arguments: [any SQLConvertible]) throws -> Int {
        recorder.note(sql, arguments)
        return try base.execute(sql, arguments)
    }

    func nextNumber(of sequence: SQLSequence) throws -> Int64 { try base.nextNumber(of: sequence) }

    func notify() throws { try base.notify() }

    func lock(_ lock: SQLLock) throws { try base.lock(lock) }
}
