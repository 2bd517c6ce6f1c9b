import Synchronization

@testable import DwellServer

/// A database on which something happens after the first read.
final class InterruptedDatabase: DatabaseWrapper {
    let base: any Database
    private let body: @Sendable () async throws -> Void
    private let isFirst = Mutex(true)

    init(_ base: any Database, _ body: @Sendable @escaping () async throws -> Void) {
        self.base = base
        self.body = body
    }

    func read<Value: Sendable>(
        _ query: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        let value = try await base.read(query)
        if isFirst.withLock({ isFirst in
            defer { isFirst = false }
            return isFirst
        }) {
            try await body()
        }
        return value
    }
}
