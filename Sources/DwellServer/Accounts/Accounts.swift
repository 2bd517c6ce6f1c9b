package import DwellAPI
internal import Foundation

/// Makes accounts and lets their owners in.
package struct Accounts: Sendable {
    private let database: any Database
    private let announcements: Announcements?
    private let hasher: PasswordHasher
    private let clock: WallClock
    private let devices: DeviceSettings
    private let codes: MailedCodes?
    private let attempts: Attempts

    /// - Parameters:
    ///   - database: Where accounts and devices are
    ///   - hasher: For passwords
    ///   - clock: For times of creation and login
    ///   - devices: How many devices an account may be logged in on, and for how long
    ///   - codes: Asks new accounts to confirm their email, and tells those who did of new devices, where mail is set up
    ///   - attempts: Slow guessers down
    package init(
        database: any Database, announcements: Announcements? = nil, hasher: PasswordHasher, clock: WallClock,
        devices: DeviceSettings, codes: MailedCodes? = nil, attempts: Attempts? = nil
    ) {
        self.database = database
        self.announcements = announcements
        self.hasher = hasher
        self.clock = clock
        self.devices = devices
        self.codes = codes
        self.attempts = attempts ?? Attempts(clock: clock)
    }

    /// Makes an account.
    /// - Returns: The account, and what the browser has to show with the code that is mailed; `nil` when none is
    /// - Throws: ``InvalidField``, ``AccountError`` when the name or the email is taken, or ``TooManyTries``
    package func register(
        _ body: RegisterBody, from address: ClientAddress? = nil
    ) async throws -> (user: RegisteredUser, browser: String?) {
        let body = try AccountRules.check(body)
        return try await attempts.run(
            Attempt(.registration, address: address), [.address(.registration, address?.connection)], alwaysCounts: true
        ) { try await make(body, from: address) }
    }

    /// - Parameter body: Checked
    private func make(
        _ body: RegisterBody, from address: ClientAddress?
    ) async throws -> (user: RegisteredUser, browser: String?) {
        let hash = try await hasher.hash(body.password)
        let now = clock.now()
        let code = codes?.isSetUp == true ? MailedCode(for: .verification) : nil
        let user = try await database.write { [codes] connection in
            let queries = AccountQueries(connection: connection)
            guard try queries.account(username: body.username) == nil else { throw AccountError.usernameTaken }
            guard try !queries.hasEmail(body.email) else { throw AccountError.emailTaken }
            let account = Account(
                id: UUID(), viewer: try connection.nextNumber(of: .viewer), username: body.username,
                firstName: body.firstName, lastName: body.lastName, email: body.email, passwordHash: hash,
                phoneNumber: body.phoneNumber, gender: body.gender, countryCode: body.countryCode,
                profilePictureURL: nil, isVerified: false, createdAt: now, updatedAt: now, lastLoggedInAt: now)
            try queries.insert(account)
            try AuditLog.write(
                AuditEntry(.registration, at: now, account: account.id, subject: account.username, address: address),
                connection)
            if let codes, let code { try codes.queue(code, to: account.email, at: now, connection) }
            return account.user(devices: 0)
        }
        return (user, code?.browser)
    }

    /// Lets a person in.
    /// - Parameters:
    ///   - body: Username and password
    ///   - origin: The browser
    /// - Throws: ``AccountError/wrongCredentials``, or ``AccountError/disabled``, ``TooManyTries``, or
    ///   ``DeviceError/limitReached(_:ticket:)``; then nothing has changed
    package func login(_ body: LoginBody, from origin: LoginOrigin) async throws -> Admission {
        while true {
            do {
                return try await attempt(body, from: origin)
            } catch is HashReplaced {
                // Another login of the same account upgraded it: what is stored now decides.
            }
        }
    }

    /// The account got another hash while the password was compared with the old one.
    private struct HashReplaced: Error {}

    private func attempt(_ body: LoginBody, from origin: LoginOrigin) async throws -> Admission {
        let isAtHome = try await isAtHome(origin, body.username)
        return try await attempts.run(
            try await attempt(at: body.username, from: origin),
            Self.buckets(of: body.username, origin, isAtHome: isAtHome)
        ) {
            try await compare(body, from: origin)
        }
    }

    /// Whether the browser has logged in to the account before.
    private func isAtHome(_ origin: LoginOrigin, _ username: String) async throws -> Bool {
        guard let browser = origin.browser else { return false }
        return try await database.read {
            try DeviceQueries(connection: $0).isKnown(browser, username: username)
        }
    }

    /// Whose login it would be, for the audit log.
    private func attempt(at username: String, from origin: LoginOrigin) async throws -> Attempt {
        let account = try await database.read { try AccountQueries(connection: $0).account(username: username) }
        return Attempt(.login, account: account?.id, subject: account?.username, address: origin.address)
    }

    /// What a login takes tokens of. A browser that has logged in to the account has a bucket of its own, so that whoever
    /// guesses at it, from wherever, does not keep its owner out.
    private static func buckets(
        of username: String, _ origin: LoginOrigin, isAtHome: Bool
    ) -> [GuessLimiter.Key] {
        // One length for all, however long what was typed is.
        let name = RandomSecret.hash(of: AccountRules.key(of: username))
        let from = origin.address?.connection
        if isAtHome, let browser = origin.browser { return [.browser(hash: browser.hash, account: name)] }
        return [.accountFrom(from, account: name), .account(name), .address(.login, from)]
    }

    private func compare(_ body: LoginBody, from origin: LoginOrigin) async throws -> Admission {
        let (found, dearest, browser) = try await database.read { connection in
            let accounts = AccountQueries(connection: connection)
            return (
                try accounts.account(username: body.username), try accounts.dearestBcryptCost(),
                try Self.browser(of: origin, connection)
            )
        }
        let isRight = try await hasher.verify(
            body.password, against: found?.passwordHash, amongBcryptOf: dearest)
        guard let found, isRight else { throw AccountError.wrongCredentials }
        guard found.disabledAt == nil else { throw AccountError.disabled }
        let upgraded =
            PasswordHasher.isOutdated(found.passwordHash, of: body.password)
            ? try await hasher.hash(body.password) : nil
        do {
            return try await admit(from: origin, as: browser) { connection, now in
                let accounts = AccountQueries(connection: connection)
                try accounts.touchLogin(found.id, at: now)
                // The password was checked outside the transaction: it must still be the account's.
                guard let account = try accounts.account(id: found.id), account.passwordHash == found.passwordHash
                else { throw HashReplaced() }
                guard account.disabledAt == nil else { throw AccountError.disabled }
                if let upgraded { try accounts.upgradePassword(of: account.id, to: upgraded) }
                return account
            }
        } catch DeviceError.limitReached(let devices, ticket: nil) {
            throw DeviceError.limitReached(devices, ticket: try await ticket(for: found, browser))
        }
    }

    /// Lets a person in who was refused, in the place of a device.
    /// - Parameters:
    ///   - body: The ticket of the refusal, and the device
    ///   - origin: The same browser
    /// - Throws: ``DeviceError`` or ``TooManyTries``; then nothing has changed, and the ticket is as good as before
    package func login(_ body: ReplaceBody, from origin: LoginOrigin) async throws -> Admission {
        try await attempts.run(
            Attempt(.login, address: origin.address), [.address(.code, origin.address?.connection)]
        ) { try await replace(body, from: origin) }
    }

    private func replace(_ body: ReplaceBody, from origin: LoginOrigin) async throws -> Admission {
        guard let secret = RandomSecret(body.ticket) else { throw DeviceError.ticketUnknown }
        guard let browser = origin.browser else { throw DeviceError.ticketOfOtherBrowser }
        guard let id = UUID(uuidString: body.deviceId) else { throw DeviceError.notFound }
        return try await admit(from: origin, as: browser, replacing: id) { connection, now in
            try DeviceTicketQueries(connection: connection).take(secret, of: browser, at: now)
        }
    }

    /// The way of every login into a device's place.
    /// - Parameters:
    ///   - replaced: A device that shall go for it
    ///   - authenticate: Finds whose login it is, and locks their row
    private func admit(
        from origin: LoginOrigin, as browser: RandomSecret, replacing replaced: UUID? = nil,
        _ authenticate: @Sendable @escaping (any DatabaseConnection, Timestamp) throws -> Account
    ) async throws -> Admission {
        let now = clock.now()
        do {
            return try await admit(from: origin, as: browser, replacing: replaced, at: now, authenticate)
        } catch DeviceError.limitReached(let inUse, let ticket) {
            try await tell(ofLimitReachedBy: inUse, at: now)
            throw DeviceError.limitReached(inUse, ticket: ticket)
        }
    }

    /// Tells those who ask for it of a login that is refused. What it did is undone, so this has a transaction of its own,
    /// which is on disk before the refusal is answered.
    private func tell(ofLimitReachedBy inUse: [Device], at time: Timestamp) async throws {
        guard let id = inUse.first?.account,
            try await database.read({ try WebhookOutbox(connection: $0).isAskedFor(.deviceLimitReached) })
        else { return }
        try await database.write { [devices] connection in
            let outbox = WebhookOutbox(connection: connection)
            guard let account = try AccountQueries(connection: connection).account(id: id) else { return }
            try outbox.tell(about: account.viewer, at: time) {
                let quota = devices.quota(of: account)
                return try outbox.person(account.viewer).map { viewer in
                    DeviceRefusal(
                        viewer: viewer, limit: quota.limit, policy: quota.policy, devices: inUse.map(\.evidence))
                }
            }
        }
    }

    private func admit(
        from origin: LoginOrigin, as browser: RandomSecret, replacing replaced: UUID?, at now: Timestamp,
        _ authenticate: @Sendable @escaping (any DatabaseConnection, Timestamp) throws -> Account
    ) async throws -> Admission {
        let (admission, ended) = try await database.write { [devices, codes] connection in
            let account = try authenticate(connection, now)
            let earlier =
                codes?.outbox == nil ? [] : try AccountQueries(connection: connection).deviceNames(of: account.id)
            let (device, ended) = try DeviceAdmission(
                connection: connection, settings: devices, address: origin.address
            )
            .admit(origin, as: browser, to: account, replacing: replaced, at: now)
            if let outbox = codes?.outbox, account.isVerified, device.login == 1,
                NewDevice.isNew(device.name, among: earlier)
            {
                try outbox.queue(
                    .newDevice(device, publicURL: outbox.publicURL), to: account.email, at: now,
                    until: now + Outbox.noticeLifetime, connection)
            }
            try AuditLog.write(
                AuditEntry(
                    .login, at: now, account: account.id, subject: account.username, address: origin.address,
                    device: device.id), connection)
            let inUse = try DeviceQueries(connection: connection).inUse(by: account.id, at: now, devices)
            return (
                Admission(user: account.user(devices: inUse.count), device: device, browser: browser), ended
            )
        }
        for device in ended { announcements?.tellHere(.device, device.lowercase) }
        return admission
    }

    /// What a browser is recognised by: what its cookie says when this server knows it, or something new.
    private static func browser(
        of origin: LoginOrigin, _ connection: any DatabaseConnection
    ) throws -> RandomSecret {
        guard let browser = origin.browser, try DeviceQueries(connection: connection).isKnown(browser) else {
            return RandomSecret()
        }
        return browser
    }

    /// A ticket for a browser that was refused, where the account's policy offers one.
    private func ticket(for account: Account, _ browser: RandomSecret) async throws -> DeviceTicket? {
        guard devices.quota(of: account).policy == .ask else { return nil }
        let ticket = DeviceTicket(secret: RandomSecret(), browser: browser)
        let now = clock.now()
        try await database.write { try DeviceTicketQueries(connection: $0).insert(ticket, for: account, at: now) }
        return ticket
    }
}
