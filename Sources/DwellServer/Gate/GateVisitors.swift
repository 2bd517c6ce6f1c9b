package import DwellAPI

/// Lists those who entered, keeps them out, and lets them in again.
package struct GateVisitors: Sendable {
    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// Who entered, those who came last first.
    package func list() async throws -> [GateVisitor] {
        try await database.read { try GateQueries(connection: $0).visitors() }
    }

    /// A page of one gate's visitors, those who came last first.
    /// - Parameters:
    ///   - cursor: Where the page before ended
    ///   - limit: The most visitors of the page
    package func page(
        of gate: String, after cursor: LatestCursor, limit: Int
    ) async throws -> (visitors: [ListedVisitor], next: LatestCursor?) {
        try await database.read { connection in
            // One more than asked for tells whether there is a next page.
            let found = try GateVisitorQueries(connection: connection).page(of: gate, after: cursor, limit: limit + 1)
            let page = Array(found.prefix(limit))
            return (page, found.count > page.count ? page.last?.cursor : nil)
        }
    }

    /// How many visitors gates have, by their names.
    package func counts(of gates: [String]) async throws -> [String: VisitorCount] {
        try await database.read { connection in
            let queries = GateVisitorQueries(connection: connection)
            return Dictionary(uniqueKeysWithValues: try gates.map { ($0, try queries.count(of: $0)) })
        }
    }

    /// Keeps an address out: its passes and sessions end, on every node within a second, and it can't enter again.
    /// - Parameters:
    ///   - gate: The gate's name; `nil` is every gate, also those that are yet to come
    ///   - operator: Who does it, where that is known
    /// - Returns: How many entries it had
    /// - Throws: ``InvalidField`` named `email`
    package func revoke(_ email: String, at gate: String?, by operator: String? = nil) async throws -> Int {
        let email = try EmailAddress.normalize(email)
        let now = clock.now()
        return try await database.write { connection in
            try Announcements.announce(.visitor, email, at: now, connection)
            try Self.note(.gateRevocation, email, at: now, gate, by: `operator`, connection)
            return try GateQueries(connection: connection)
                .revoke(email, at: gate ?? GateQueries.everyGate, now: now)
        }
    }

    /// Lets an address enter again; what was ended stays so.
    /// - Parameters:
    ///   - gate: The gate's name; `nil` is every gate
    ///   - operator: Who does it, where that is known
    /// - Returns: Whether it was kept out
    /// - Throws: ``InvalidField`` named `email`, also when it is kept out of every gate and one is named
    package func admit(_ email: String, at gate: String?, by operator: String? = nil) async throws -> Bool {
        let email = try EmailAddress.normalize(email)
        let now = clock.now()
        return try await database.write { connection in
            let queries = GateQueries(connection: connection)
            if gate != nil, try queries.isRevoked(email, at: GateQueries.everyGate) {
                throw InvalidField("email", expected: "admitted without --gate: it was revoked at every gate")
            }
            guard try queries.admit(email, at: gate ?? GateQueries.everyGate) else { return false }
            try Self.note(.gateAdmission, email, at: now, gate, by: `operator`, connection)
            return true
        }
    }

    private static func note(
        _ event: AuditEvent, _ email: String, at time: Timestamp, _ gate: String?, by operator: String?,
        _ connection: any DatabaseConnection
    ) throws {
        let detail = ["gate": gate, "operator": `operator`].compactMapValues(\.self)
        try AuditLog.write(AuditEntry(event, by: .operator, at: time, subject: email, detail: detail), connection)
    }
}

/// Somebody who entered a gate, once or many times.
package struct GateVisitor: Sendable, Encodable, Equatable {
    package let email: String
    /// The gate's name.
    package let gate: String
    package let identity: VisitorIdentity
    /// How many times.
    package let entries: Int
    package let firstEntryTime: Timestamp
    package let lastEntryTime: Timestamp
    /// Whether the address is kept out by now.
    package let revoked: Bool
}
