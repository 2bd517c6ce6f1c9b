import DwellAPI
import Foundation

/// Mails codes, and takes them back.
package struct MailedCodes: Sendable {
    private let database: any Database
    /// `nil` when mail is not set up.
    let outbox: Outbox?
    private let clock: WallClock
    private let attempts: Attempts

    package init(database: any Database, outbox: Outbox?, clock: WallClock, attempts: Attempts? = nil) {
        self.database = database
        self.outbox = outbox
        self.clock = clock
        self.attempts = attempts ?? Attempts(clock: clock)
    }

    /// Whether codes can be mailed.
    var isSetUp: Bool { outbox != nil }

    /// Mails a code to an address, if an account has it, or it may enter the gate. What is done here is the same if not: who
    /// asks can't tell.
    /// - Parameter entrance: What the code lets in to, for a gate
    /// - Returns: What the browser that asked has to show with the code
    /// - Throws: ``MailError/notSetUp`` or ``TooManyTries``
    func ask(
        for purpose: MailedCode.Purpose, email: String, entrance: MailedCode.Entrance? = nil,
        from address: ClientAddress? = nil
    ) async throws -> String {
        let attempt = Attempt(purpose.event, address: address)
        return try await attempts.run(attempt, [.address(.mail, address?.connection)], alwaysCounts: true) {
            let now = clock.now()
            let code = MailedCode(for: purpose, entrance: entrance)
            try await database.write { connection in
                try queue(code, to: email, at: now, connection)
                // Noted also where no account has the address, so that the time taken tells nothing.
                let account = try AccountQueries(connection: connection).account(email: email)
                let known = Attempt(
                    attempt.event, account: account?.id, subject: account?.username, address: address)
                try AuditLog.write(known.entry(.success, at: now), connection)
            }
            return code.browser
        }
    }

    /// Queues the mail with a code, inside another transaction.
    /// - Throws: ``MailError/notSetUp``
    func queue(
        _ code: MailedCode, to email: String, at time: Timestamp, _ connection: any DatabaseConnection
    ) throws {
        guard let outbox else { throw MailError.notSetUp }
        let queries = MailedCodeQueries(connection: connection)
        guard try queries.recentCount(of: code.purpose, for: email, at: time) < MailedCode.hourlyLimit else { return }
        try queries.insert(code, for: email, at: time)
        try outbox.queue(
            .code(code, publicURL: code.entrance?.site ?? outbox.publicURL), to: email, gate: code.entrance?.gate,
            at: time, until: time + MailedCode.lifetime, connection)
    }

    /// Forgets codes that count no more.
    func removeOld() async throws {
        let now = clock.now()
        try await database.write { try MailedCodeQueries(connection: $0).removeOld(at: now) }
    }
}
