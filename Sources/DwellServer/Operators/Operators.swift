import DwellAPI
import Foundation

/// Those who may look at the dashboard, and where they are signed in.
package struct Operators: Sendable {
    /// How long a sign-in lasts that is not used, in milliseconds: 12 hours.
    static let idle: Int64 = 12 * 3_600_000
    /// How long any sign-in lasts, in milliseconds: 7 days.
    static let lifetime: Int64 = 7 * 86_400_000
    /// How often it is noted that a sign-in is used, in milliseconds.
    private static let touchEvery: Int64 = 60_000

    private let database: any Database
    private let hasher: PasswordHasher
    private let clock: WallClock
    private let attempts: Attempts

    /// - Parameters:
    ///   - database: Where operators are
    ///   - hasher: For passwords
    ///   - clock: For the ends of sign-ins
    ///   - attempts: Slow guessers down
    package init(database: any Database, hasher: PasswordHasher, clock: WallClock, attempts: Attempts? = nil) {
        self.database = database
        self.hasher = hasher
        self.clock = clock
        self.attempts = attempts ?? Attempts(clock: clock)
    }

    /// Whether there is an operator.
    package func isSetUp() async throws -> Bool {
        try await database.read { try OperatorQueries(connection: $0).isAny() }
    }

    /// Every operator, by name.
    package func list() async throws -> [Operator] {
        try await database.read { try OperatorQueries(connection: $0).all() }
    }

    /// Adds an operator.
    /// - Throws: ``InvalidField`` named `name` or `password`
    package func add(name: String, password: String, role: Operator.Role) async throws {
        let new = try await make(name: name, password: password, role: role)
        try await database.write { connection in
            try connection.lock(.operators)
            try Self.insert(new, connection)
        }
    }

    /// Removes an operator, who is signed out everywhere. Somebody has to be left who may see everything.
    /// - Throws: ``InvalidField`` when there is no such operator, or no other owner
    package func remove(_ name: String) async throws {
        let now = clock.now()
        try await database.write { connection in
            try connection.lock(.operators)
            let queries = OperatorQueries(connection: connection)
            let found = try queries.required(named: name)
            guard try found.role != .owner || queries.all().contains(where: { $0.role == .owner && $0.id != found.id })
            else { throw InvalidField("the operator", expected: "not the last owner; add another one first") }
            try queries.remove(found.id)
            try AuditLog.write(
                AuditEntry(.operatorRemoval, by: .operator, at: now, subject: found.name), connection)
        }
    }

    /// Gives an operator another password, and signs them out everywhere.
    /// - Throws: ``InvalidField`` named `password`, or when there is no such operator
    package func changePassword(of name: String, to password: String) async throws {
        try PasswordRules.check(password, as: "password")
        let hash = try await hasher.hash(password)
        let now = clock.now()
        try await database.write { connection in
            let queries = OperatorQueries(connection: connection)
            let found = try queries.required(named: name)
            try queries.changePassword(of: found.id, to: hash)
            try AuditLog.write(
                AuditEntry(.operatorPassword, by: .operator, at: now, subject: found.name), connection)
        }
    }

    /// Makes the first operator, an owner, and signs them in.
    /// - Parameters:
    ///   - code: As it was typed
    ///   - right: The one that the server printed
    /// - Returns: What the browser is to show from now on
    /// - Throws: ``InvalidField`` named `name` or `password`, ``OperatorError`` or ``TooManyTries``
    func setUp(
        code: String, right: SetupCode, name: String, password: String, from address: ClientAddress?
    ) async throws -> RandomSecret {
        try await attempts.run(
            Attempt(.operatorAddition, address: address), [.address(.code, address?.connection)]
        ) {
            guard right.matches(code) else { throw OperatorError.wrongCode }
            let new = try await make(name: name, password: password, role: .owner)
            let secret = RandomSecret()
            try await database.write { connection in
                try connection.lock(.operators)
                guard try !OperatorQueries(connection: connection).isAny() else { throw OperatorError.alreadySetUp }
                try Self.insert(new, connection)
                try Self.signIn(new, by: secret, at: new.createdAt, from: address, connection)
            }
            return secret
        }
    }

    /// Signs an operator in.
    /// - Returns: What the browser is to show from now on
    /// - Throws: ``AccountError/wrongCredentials`` or ``TooManyTries``
    func signIn(name: String, password: String, from address: ClientAddress?) async throws -> RandomSecret {
        // A space, which no username has, keeps the buckets apart from those of accounts.
        let key = RandomSecret.hash(of: "operator \(AccountRules.key(of: name))")
        let from = address?.connection
        return try await attempts.run(
            Attempt(.operatorSignIn, subject: try await find(name)?.name, address: address),
            [.accountFrom(from, account: key), .account(key), .address(.login, from)]
        ) {
            let found = try await find(name)
            let isRight = try await hasher.verify(password, against: found?.passwordHash)
            guard let found, isRight else { throw AccountError.wrongCredentials }
            let now = clock.now()
            let secret = RandomSecret()
            try await database.write { connection in
                // Whose password was changed meanwhile was to be signed out.
                guard try OperatorQueries(connection: connection).operator(named: name) == found else {
                    throw AccountError.wrongCredentials
                }
                try Self.signIn(found, by: secret, at: now, from: address, connection)
            }
            return secret
        }
    }

    /// Who is signed in; `nil` when nobody is, or no longer.
    /// - Parameter text: What the browser shows
    func `operator`(by text: String?) async throws -> Operator? {
        guard let secret = text.flatMap({ RandomSecret($0) }) else { return nil }
        let now = clock.now()
        let found = try await database.read { connection in
            try OperatorQueries(connection: connection)
                .signedIn(by: secret, since: now - Self.lifetime, seenSince: now - Self.idle)
        }
        guard let found else { return nil }
        if now - found.lastSeenAt > Self.touchEvery {
            try await database.write { try OperatorQueries(connection: $0).touch(secret, at: now) }
        }
        return found.operator
    }

    /// Signs out the browser that shows this.
    func signOut(_ text: String?, from address: ClientAddress?) async throws {
        guard let secret = text.flatMap({ RandomSecret($0) }), let found = try await self.operator(by: text) else {
            return
        }
        let now = clock.now()
        try await database.write { connection in
            try OperatorQueries(connection: connection).signOut(secret)
            try AuditLog.write(
                AuditEntry(.operatorSignOut, by: .operator, at: now, subject: found.name, address: address), connection)
        }
    }

    private func find(_ name: String) async throws -> Operator? {
        try await database.read { try OperatorQueries(connection: $0).operator(named: name) }
    }

    private func make(name: String, password: String, role: Operator.Role) async throws -> Operator {
        let name = try Operator.checkName(name)
        try PasswordRules.check(password, as: "password")
        return Operator(
            id: UUID(), name: name, role: role, passwordHash: try await hasher.hash(password), createdAt: clock.now())
    }

    private static func insert(_ new: Operator, _ connection: any DatabaseConnection) throws {
        let queries = OperatorQueries(connection: connection)
        guard try queries.operator(named: new.name) == nil else {
            throw InvalidField("name", expected: "a name that no other operator has")
        }
        try queries.insert(new)
        try AuditLog.write(
            AuditEntry(
                .operatorAddition, by: .operator, at: new.createdAt, subject: new.name,
                detail: ["role": new.role.rawValue]), connection)
    }

    private static func signIn(
        _ who: Operator, by secret: RandomSecret, at time: Timestamp, from address: ClientAddress?,
        _ connection: any DatabaseConnection
    ) throws {
        let queries = OperatorQueries(connection: connection)
        try queries.removeOld(before: time - lifetime, notSeenSince: time - idle)
        try queries.signIn(who.id, by: secret, at: time)
        try AuditLog.write(
            AuditEntry(.operatorSignIn, by: .operator, at: time, subject: who.name, address: address), connection)
    }
}
