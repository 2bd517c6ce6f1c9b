package import DwellAPI
import Foundation

/// Gives accounts other passwords.
package struct Passwords: Sendable {
    private let database: any Database
    private let announcements: Announcements?
    private let hasher: PasswordHasher
    private let clock: WallClock
    /// `nil` when mail is not set up.
    private let outbox: Outbox?
    private let attempts: Attempts

    /// - Parameters:
    ///   - database: Where accounts and devices are
    ///   - announcements: Told of devices that are signed out
    ///   - hasher: For passwords
    ///   - clock: For the time of the change
    ///   - outbox: Tells the owner of it
    ///   - attempts: Slow guessers down
    package init(
        database: any Database, announcements: Announcements? = nil, hasher: PasswordHasher, clock: WallClock,
        outbox: Outbox? = nil, attempts: Attempts? = nil
    ) {
        self.database = database
        self.announcements = announcements
        self.hasher = hasher
        self.clock = clock
        self.outbox = outbox
        self.attempts = attempts ?? Attempts(clock: clock)
    }

    /// Gives an account another password, and signs out its other devices where that is wished.
    /// - Throws: ``InvalidField`` named `new`, ``AccountError/wrongPassword`` or ``TooManyTries``; then nothing has changed
    package func change(
        _ body: PasswordChangeBody, by login: Login, from address: ClientAddress? = nil
    ) async throws {
        try PasswordRules.check(body.new, as: "new")
        let attempt = Attempt(.passwordChange, account: login.account, address: address, device: login.device)
        try await attempts.run(attempt, [.device(login.device)]) {
            try await store(body, by: login, from: address)
        }
    }

    private func store(_ body: PasswordChangeBody, by login: Login, from address: ClientAddress?) async throws {
        let wrong = AccountError.wrongPassword
        let account = try await database.read { try AccountQueries(connection: $0).account(id: login.account) }
        guard let account, try await hasher.verify(body.current, against: account.passwordHash) else { throw wrong }
        let new = try await hasher.hash(body.new)
        let now = clock.now()
        let ended = try await database.write { connection in
            guard
                try AccountQueries(connection: connection)
                    .changePassword(of: account.id, from: account.passwordHash, to: new, at: now)
            else { throw wrong }
            try MailedCodeQueries(connection: connection).cancel(.reset, of: account.email)
            if account.isVerified { try tell(account, at: now, connection) }
            try AuditLog.write(
                AuditEntry(
                    .passwordChange, at: now, account: account.id, subject: account.username, address: address,
                    device: login.device), connection)
            guard body.signOutOthers == true else { return [UUID]() }
            return try DeviceQueries(connection: connection, address: address)
                .removeAll(of: login.account, but: login.device, as: .removed, at: now)
        }
        for device in ended { announcements?.tellHere(.device, device.lowercase) }
    }

    /// Gives the account another password to whose email a code was sent. All its devices are signed out: whoever knew
    /// the old password is not to stay.
    /// - Parameters:
    ///   - body: The code and the password
    ///   - browser: What the browser was told that asked for the code
    /// - Returns: The account's username, which may have been forgotten as well
    /// - Throws: ``InvalidField`` named `password`, or ``AccountError/codeRefused`` or ``TooManyTries``
    func reset(_ body: PasswordResetBody, browser: String?, from address: ClientAddress?) async throws -> String {
        try PasswordRules.check(body.password, as: "password")
        return try await attempts.run(
            Attempt(.passwordReset, address: address), [.address(.code, address?.connection)]
        ) { try await redeem(body, browser: browser, from: address) }
    }

    private func redeem(
        _ body: PasswordResetBody, browser: String?, from address: ClientAddress?
    ) async throws -> String {
        let now = clock.now()
        guard let browser,
            // Before the work of hashing: who has not asked can't cause it.
            try await database.read({ try MailedCodeQueries(connection: $0).isOpen(.reset, browser: browser, at: now) })
        else { throw AccountError.codeRefused }
        let hash = try await hasher.hash(body.password)
        let done = try await database.write { connection -> (username: String, ended: [UUID])? in
            let codes = MailedCodeQueries(connection: connection)
            let accounts = AccountQueries(connection: connection)
            guard let (email, _) = try codes.redeem(body.code, for: .reset, browser: browser, at: now),
                let account = try accounts.account(email: email)
            else { return nil }
            try accounts.resetPassword(of: account.id, to: hash, at: now)
            try codes.cancel(.reset, of: email)
            try tell(account, at: now, connection)
            try AuditLog.write(
                AuditEntry(
                    .passwordReset, at: now, account: account.id, subject: account.username, address: address),
                connection)
            let ended = try DeviceQueries(connection: connection, address: address)
                .removeAll(of: account.id, as: .removed, at: now)
            return (account.username, ended)
        }
        // Thrown out here, so that the try it cost is stored.
        guard let done else { throw AccountError.codeRefused }
        for device in done.ended { announcements?.tellHere(.device, device.lowercase) }
        return done.username
    }

    /// Mails the owner that the password is another one now.
    private func tell(_ account: Account, at time: Timestamp, _ connection: any DatabaseConnection) throws {
        guard let outbox else { return }
        try outbox.queue(
            .changedPassword(at: time, publicURL: outbox.publicURL), to: account.email, at: time,
            until: time + Outbox.noticeLifetime, connection)
    }
}
