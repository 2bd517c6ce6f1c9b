import DwellAPI

/// Finds out whether people read the email that they gave.
struct Verification: Sendable {
    let database: any Database
    let codes: MailedCodes
    let clock: WallClock

    /// Mails a code to the account's email.
    /// - Returns: What the browser has to show with the code; `nil` when the email is confirmed already
    /// - Throws: ``MailError/notSetUp``
    func ask(by login: Login) async throws -> String? {
        let account = try await database.read { try AccountQueries(connection: $0).account(id: login.account) }
        guard let account, !account.isVerified else { return nil }
        return try await codes.ask(for: .verification, email: account.email)
    }

    /// Confirms the email that a code was mailed to.
    /// - Parameters:
    ///   - code: What was mailed
    ///   - browser: What the browser was told that asked for it, or registered
    /// - Throws: ``AccountError/codeRefused``
    func confirm(_ code: String, browser: String?) async throws {
        guard let browser else { throw AccountError.codeRefused }
        let now = clock.now()
        let isConfirmed = try await database.write { connection in
            guard
                let (email, _) = try MailedCodeQueries(connection: connection)
                    .redeem(code, for: .verification, browser: browser, at: now)
            else { return false }
            return try AccountQueries(connection: connection).verify(email: email, at: now)
        }
        // Thrown out here, so that the try it cost is stored.
        guard isConfirmed else { throw AccountError.codeRefused }
    }
}
