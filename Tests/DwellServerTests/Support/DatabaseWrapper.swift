import DwellAPI

@testable import DwellServer

/// A database in front of another, which does whatever its conformer does not do otherwise.
protocol DatabaseWrapper: Database {
    var base: any Database { get }
}

extension DatabaseWrapper {
    var dialect: SQLDialect { base.dialect }
    var writers: Int { base.writers }

    func read<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        try await base.read(body)
    }

    func write<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        try await base.write(body)
    }

    func time() async throws -> Timestamp? { try await base.time() }

    func waitForNews(_ time: Duration) async throws { try await base.waitForNews(time) }

    func close() throws { try base.close() }
}
