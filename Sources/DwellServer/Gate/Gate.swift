import DwellAPI
import Foundation

/// The email gate: a visitor types an address, and the time on the confidential pages goes on a record of that name.
package struct Gate: Sendable {
    /// How long the cookies last, in seconds.
    package static let lifetime = 86_400

    private let database: any Database
    private let clock: WallClock
    private let sessionCookie: SignedCookie
    private let accessCookie: SignedCookie

    /// - Parameters:
    ///   - database: Where visitors and sessions are
    ///   - clock: For the session's start and the cookies' end
    ///   - secret: Signs the cookies
    package init(database: any Database, clock: WallClock, secret: SecretKey) {
        self.database = database
        self.clock = clock
        sessionCookie = SignedCookie(key: secret.derived(for: .session))
        accessCookie = SignedCookie(key: secret.derived(for: .access))
    }

    /// Opens a new session for whoever says to own an address; one visitor has many.
    /// - Throws: ``InvalidField`` named `email`
    package func enter(email: String) async throws -> Session {
        let email = try EmailAddress.normalize(email)
        let now = clock.now()
        return try await database.write { connection in
            let viewer = try GateQueries(connection: connection).guest(email: email, now: now)
            return try SessionQueries(connection: connection)
                .open(viewer: viewer, device: nil, videoID: nil, continues: nil, at: now)
        }
    }

    /// The value of `session_record_id`: names the session whose record beats move.
    package func sessionCookie(for session: Session) -> String {
        sessionCookie.value(of: content(for: session))
    }

    /// The value of the cookie that opens confidential pages.
    package func accessCookie(for session: Session) -> String {
        accessCookie.value(of: content(for: session))
    }

    /// The visitor and session that a `session_record_id` names.
    package func session(cookie: String) -> SignedCookie.Content? {
        sessionCookie.content(of: cookie, now: clock.now())
    }

    /// Whether a cookie opens confidential pages.
    package func isOpen(cookie: String?) -> Bool {
        cookie.flatMap { accessCookie.content(of: $0, now: clock.now()) } != nil
    }

    private func content(for session: Session) -> SignedCookie.Content {
        SignedCookie.Content(
            viewer: session.viewer, session: session.id, expiresAt: clock.now() + Int64(Gate.lifetime) * 1000)
    }
}
