import DwellAPI
import Foundation

/// The email gate: a visitor types an address, and the time on the confidential pages goes on a record of that name.
package struct Gate: Sendable {
    /// How long the cookies last, in seconds.
    package static let lifetime = 86_400

    private let database: any Database
    private let clock: WallClock
    private let tokens: EntryTokens
    private let access: SignedToken

    /// - Parameters:
    ///   - database: Where visitors and sessions are
    ///   - clock: For the session's start and the cookies' end
    ///   - secret: Signs the cookies
    package init(database: any Database, clock: WallClock, secret: SecretKey) {
        self.database = database
        self.clock = clock
        tokens = EntryTokens(secret: secret, clock: clock)
        access = SignedToken(keys: secret.derived(for: .access))
    }

    /// Opens a new session for whoever says to own an address; one visitor has many.
    /// - Throws: ``InvalidField`` named `email`
    package func enter(email: String, from address: ClientAddress? = nil) async throws -> Entry {
        let email = try EmailAddress.normalize(email)
        let now = clock.now()
        return try await database.write { connection in
            let viewer = try GateQueries(connection: connection).guest(email: email, now: now)
            try AuditLog.write(
                AuditEntry(.gate, at: now, viewer: viewer, subject: email, address: address), connection)
            return try SessionQueries(connection: connection)
                .enter(guest: viewer, at: now)
        }
    }

    /// The value of `session_record_id`: names the session whose record beats move.
    package func sessionCookie(for entry: Entry) -> String {
        tokens.token(viewer: entry.viewer, entry: entry.id, lifetime: Int64(Gate.lifetime) * 1000)
    }

    /// The value of the cookie that opens confidential pages.
    package func accessCookie(for entry: Entry) -> String {
        access.value(
            of: SignedToken.Content(
                viewer: entry.viewer, entry: entry.id, expiresAt: clock.now() + Int64(Gate.lifetime) * 1000))
    }

    /// Whether a cookie opens confidential pages.
    package func isOpen(cookie: String?) -> Bool {
        cookie.flatMap { access.content(of: $0, now: clock.now()) } != nil
    }
}
