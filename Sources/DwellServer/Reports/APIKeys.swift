import DwellAPI
import Foundation

/// Keys that let programs read. A key is shown once; the database keeps its hash.
package struct APIKeys: Sendable {
    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// Makes a key.
    /// - Parameter name: Tells it from the others; one name, one key
    /// - Returns: The key, which can't be had again
    /// - Throws: ``InvalidField`` named `name`
    package func create(name: String) async throws -> String {
        let name = name.trimmingCharacters(in: .whitespacesAndNewlines)
        guard (1...100).contains(name.count) else { throw InvalidField("name", expected: "1 to 100 characters") }
        let key = "dwell_" + RandomSecret().text
        let now = clock.now()
        try await database.write { connection in
            guard try connection.row("SELECT 1 AS one FROM api_key WHERE name = $1", [name]) == nil else {
                throw InvalidField("name", expected: "a name that no other key has")
            }
            try connection.execute(
                "INSERT INTO api_key (id, name, hash, created_at) VALUES ($1, $2, $3, $4)",
                [UUID(), name, RandomSecret.hash(of: key), now])
            try AuditLog.write(AuditEntry(.keyCreation, by: .operator, at: now, subject: name), connection)
        }
        return key
    }

    /// Whether a key is one of ours.
    package func isValid(_ key: String) async throws -> Bool {
        let hash = RandomSecret.hash(of: key)
        return try await database.read {
            try $0.row("SELECT 1 AS one FROM api_key WHERE hash = $1", [hash]) != nil
        }
    }
}
