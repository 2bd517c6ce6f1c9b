import DwellAPI

/// A database whose commits and failures are counted.
struct MeteredDatabase: Database {
    let base: any Database
    let metrics: Metrics

    var dialect: SQLDialect { base.dialect }
    var writers: Int { base.writers }

    func read<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        try await counting { try await base.read(body) }
    }

    func write<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        let start = ContinuousClock.now
        let value = try await counting { try await base.write(body) }
        metrics.commits.add(start.duration(to: .now))
        return value
    }

    func commit<Value: Sendable>(
        _ body: @Sendable @escaping (any DatabaseConnection) throws -> Value
    ) async throws -> Commit<Value> {
        let start = ContinuousClock.now
        let commit = try await counting { try await base.commit(body) }
        return Commit(value: commit.value) {
            try await counting { try await commit.sync() }
            metrics.commits.add(start.duration(to: .now))
        }
    }

    func time() async throws -> Timestamp? { try await counting { try await base.time() } }

    func waitForNews(_ time: Duration) async throws { try await base.waitForNews(time) }

    func close() throws { try base.close() }

    private func counting<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as DatabaseError {
            metrics.databaseFailures.add(to: Metrics.DatabaseFailure(error))
            throw error
        }
    }
}
