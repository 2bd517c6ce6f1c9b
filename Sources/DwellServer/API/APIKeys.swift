import DwellAPI
import Foundation

/// Keys that let programs in. A key is shown once; the database keeps its hash.
package struct APIKeys: Sendable {
    /// How often it is noted that a key is used, in milliseconds.
    private static let touchEvery: Int64 = 60_000

    private let database: any Database
    private let clock: WallClock
    /// How often each may come; without it, as often as it likes.
    let limits: APILimits?

    package init(database: any Database, clock: WallClock, limits: APILimits? = nil) {
        self.database = database
        self.clock = clock
        self.limits = limits
    }

    /// Makes a key.
    /// - Parameters:
    ///   - name: Tells it from the others; one name, one key
    ///   - scopes: What it is for
    /// - Returns: The key, which can't be had again
    /// - Throws: ``InvalidField`` named `name`
    package func create(name: String, scopes: Set<APIScope> = [.read]) async throws -> String {
        let secret = "dwell_" + RandomSecret().text
        let key = APIKey(
            id: UUID(), name: try APIKey.checkName(name), scopes: scopes, createdAt: clock.now(), lastUsedAt: nil)
        try await database.write { connection in
            let queries = APIKeyQueries(connection: connection)
            guard try queries.key(named: key.name) == nil else {
                throw InvalidField("name", expected: "a name that no other key has")
            }
            try queries.insert(key, hash: RandomSecret.hash(of: secret))
            try AuditLog.write(
                AuditEntry(
                    .keyCreation, by: .operator, at: key.createdAt, subject: key.name,
                    detail: ["scopes": APIKey.text(of: key.scopes)]), connection)
        }
        return secret
    }

    /// Every key, by name.
    package func list() async throws -> [APIKey] {
        try await database.read { try APIKeyQueries(connection: $0).all() }
    }

    /// Removes a key, which lets nobody in from then on.
    /// - Throws: ``InvalidField`` when there is none of this name
    package func remove(name: String) async throws {
        let now = clock.now()
        try await database.write { connection in
            let queries = APIKeyQueries(connection: connection)
            guard let key = try queries.key(named: name) else {
                throw InvalidField("the key", expected: "one that there is; there is no \(name)")
            }
            try queries.remove(key.id)
            try AuditLog.write(AuditEntry(.keyRemoval, by: .operator, at: now, subject: key.name), connection)
        }
    }

    /// The key that this is; it counts as used.
    /// - Parameter secret: As a client sent it
    /// - Returns: `nil` when it is none of ours
    package func key(_ secret: String) async throws -> APIKey? {
        let hash = RandomSecret.hash(of: secret)
        guard let key = try await database.read({ try APIKeyQueries(connection: $0).key(hash: hash) }) else {
            return nil
        }
        let now = clock.now()
        if key.lastUsedAt.map({ now - $0 >= Self.touchEvery }) ?? true {
            // A store that can be read and not written answers nevertheless.
            try? await database.write { try APIKeyQueries(connection: $0).touch(key.id, at: now) }
        }
        return key
    }
}
