package import DwellAPI
internal import Foundation

/// Makes accounts and lets their owners in.
package struct Accounts: Sendable {
    private let database: any Database
    private let announcements: Announcements?
    private let hasher: PasswordHasher
    private let clock: WallClock
    /// How many devices one account may be logged in on.
    private let deviceLimit: Int
    private let codes: MailedCodes?

    /// - Parameters:
    ///   - database: Where accounts and devices are
    ///   - hasher: For passwords
    ///   - clock: For times of creation and login
    ///   - deviceLimit: How many devices one account may be logged in on
    ///   - codes: Asks new accounts to confirm their email, and tells those who did of new devices, where mail is set up
    package init(
        database: any Database, announcements: Announcements? = nil, hasher: PasswordHasher, clock: WallClock,
        deviceLimit: Int, codes: MailedCodes? = nil
    ) {
        self.database = database
        self.announcements = announcements
        self.hasher = hasher
        self.clock = clock
        self.deviceLimit = deviceLimit
        self.codes = codes
    }

    /// Makes an account.
    /// - Returns: The account, and what the browser has to show with the code that is mailed; `nil` when none is
    /// - Throws: ``InvalidField``, or ``AccountError`` when the name or the email is taken
    package func register(_ body: RegisterBody) async throws -> (user: RegisteredUser, browser: String?) {
        let body = try AccountRules.check(body)
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
            if let codes, let code { try codes.queue(code, to: account.email, at: now, connection) }
            return account.user(devices: 0)
        }
        return (user, code?.browser)
    }

    /// Lets a person in on a device.
    /// - Parameters:
    ///   - body: Username and password
    ///   - description: What the device is called
    ///   - presented: The login whose token came with the request, whoever's; it ends, and costs no second place
    /// - Throws: ``AccountError/wrongCredentials``, or ``DeviceError/limitReached(_:)``, which changes nothing
    package func login(
        _ body: LoginBody, on description: DeviceDescription, presented: Login?
    ) async throws -> (user: RegisteredUser, device: Device) {
        while true {
            do {
                return try await attempt(body, on: description, presented: presented)
            } catch is HashReplaced {
                // Another login of the same account upgraded it: what is stored now decides.
            }
        }
    }

    /// The account got another hash while the password was compared with the old one.
    private struct HashReplaced: Error {}

    private func attempt(
        _ body: LoginBody, on description: DeviceDescription, presented: Login?
    ) async throws -> (user: RegisteredUser, device: Device) {
        let (found, dearest) = try await database.read { connection in
            let queries = AccountQueries(connection: connection)
            return (try queries.account(username: body.username), try queries.dearestBcryptCost())
        }
        let isRight = try await hasher.verify(body.password, against: found?.passwordHash, amongBcryptOf: dearest)
        guard let found, isRight else { throw AccountError.wrongCredentials }
        let upgraded =
            PasswordHasher.isOutdated(found.passwordHash, of: body.password)
            ? try await hasher.hash(body.password) : nil
        let now = clock.now()
        let result = try await database.write { [deviceLimit, codes] connection in
            let accounts = AccountQueries(connection: connection)
            let devices = DeviceQueries(connection: connection)
            try accounts.touchLogin(found.id, at: now)
            // The password was checked outside the transaction: it must still be the account's.
            guard let account = try accounts.account(id: found.id), account.passwordHash == found.passwordHash else {
                throw HashReplaced()
            }
            if let upgraded { try accounts.upgradePassword(of: account.id, to: upgraded) }
            let device = Device(
                id: UUID(), account: account.id, name: description.name, os: description.os, lastLoggedInAt: now)
            if let outbox = codes?.outbox, account.isVerified, presented?.account != account.id,
                NewDevice.isNew(device.name, among: try accounts.deviceNames(of: account.id))
            {
                try outbox.queue(
                    .newDevice(device, publicURL: outbox.publicURL), to: account.email, at: now,
                    until: now + Outbox.noticeLifetime, connection)
            }
            try devices.admit(device, replacing: presented, limit: deviceLimit)
            return (account.user(devices: try devices.inUse(by: account.id).count), device)
        }
        if let presented { announcements?.tellHere(.device, presented.device.lowercase) }
        return result
    }
}
