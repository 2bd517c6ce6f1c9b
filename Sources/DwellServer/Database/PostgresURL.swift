import Foundation

/// Where a PostgreSQL database is, and how many connections to it there may be.
///
/// Everything but Dwell's own parameters goes to libpq as it is: `sslmode`, `sslrootcert`, `target_session_attrs`, ….
/// Dwell's own: `pool_size` (1 to 200, default 10) and `pgbouncer` (`true` behind a pooler in transaction mode).
package struct PostgresURL: Sendable, Equatable {
    /// The URL for libpq. It may hold a password.
    let text: String
    /// How many connections there may be.
    let poolSize: Int
    /// Whether statements are kept on the server from one transaction to the next.
    let prepares: Bool

    /// For people: without user and password.
    var description: String {
        guard let parts = URLComponents(string: text) else { return "PostgreSQL" }
        return "\(parts.path.dropFirst()) at \(parts.host ?? "this machine")"
    }

    /// - Parameter text: Such as `postgres://dwell@db.example/dwell?sslmode=verify-full`; `nil` comes back for what is
    ///   no such URL
    package init?(_ text: String) {
        guard var parts = URLComponents(string: text), ["postgres", "postgresql"].contains(parts.scheme) else {
            return nil
        }
        var own: [String: String] = [:]
        let foreign = (parts.queryItems ?? []).filter { item in
            guard ["pool_size", "pgbouncer"].contains(item.name) else { return true }
            own[item.name] = item.value ?? ""
            return false
        }
        parts.queryItems = foreign.isEmpty ? nil : foreign
        guard let size = Int(own["pool_size"] ?? "10"), (1...200).contains(size),
            let isPooled = Bool(own["pgbouncer"] ?? "false"), let plain = parts.string
        else { return nil }
        self.text = plain
        poolSize = size
        prepares = !isPooled
    }
}
