import DwellAPI

/// Whom a pass was given to.
struct PassHolder: Sendable, Equatable {
    let email: String
    let identity: VisitorIdentity
}

/// Whose passes are good: remembered, as long as this node hears of every revocation.
struct PassHolders: Sendable {
    private let database: any Database
    private let remembered: Remembered<EntryKey, PassHolder>

    /// - Parameter announcements: Tells of revocations; without them nothing is remembered
    init(database: any Database, announcements: Announcements?) {
        self.database = database
        remembered = Remembered(capacity: 100_000, topic: .visitor, announcements: announcements)
    }

    /// Who holds the pass of an entry of a gate; `nil` when it was revoked.
    func holder(of entry: EntryKey, at gate: String) async throws -> PassHolder? {
        let moment = remembered.moment
        if let holder = remembered.value(for: entry) { return holder }
        let holder = try await database.read { connection -> PassHolder? in
            let queries = GateQueries(connection: connection)
            guard let holder = try queries.holder(of: entry), try !queries.isRevoked(holder.email, at: gate) else {
                return nil
            }
            return holder
        }
        if let holder { remembered.remember(holder, for: entry, since: moment) }
        return holder
    }
}
