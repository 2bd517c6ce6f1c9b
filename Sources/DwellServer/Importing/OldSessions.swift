import DwellAPI

/// Puts sessions of an old service into the store, each once.
package struct OldSessions: Sendable {
    private let database: any Database
    private let days: LocalDays
    private let contents = ContentNumbers()
    /// Whether nothing is stored.
    private let isDryRun: Bool

    /// - Parameters:
    ///   - database: Where they go
    ///   - days: Cuts the days that have to be computed anew
    ///   - isDryRun: Whether nothing is stored
    package init(database: any Database, days: LocalDays, isDryRun: Bool) {
        self.database = database
        self.days = days
        self.isDryRun = isDryRun
    }

    /// Stores sessions in one transaction.
    /// - Returns: What became of each
    package func store(_ sessions: [OldSession]) async throws -> [ImportFate] {
        guard !isDryRun else {
            return try await database.read { connection in
                try sessions.map { session in
                    try Self.isFolded(session, connection)
                        ? Self.tooOld : Self.fate(of: session, OldSessionQueries(connection: connection))
                }
            }
        }
        let (fates, fresh, moment) = try await database.write { [contents] connection in
            // Days that are about to be folded must not get what they were not computed with.
            try connection.lock(.statistics)
            var numbers = ContentQueries(connection: connection, known: contents)
            let fates = try sessions.map { try store($0, &numbers, connection) }
            return (fates, numbers.fresh, numbers.moment)
        }
        contents.remember(fresh, since: moment)
        return fates
    }

    private func store(
        _ session: OldSession, _ numbers: inout ContentQueries, _ connection: any DatabaseConnection
    ) throws -> ImportFate {
        if try Self.isFolded(session, connection) { return Self.tooOld }
        let queries = OldSessionQueries(connection: connection)
        let viewer: Int64
        switch session.person {
        case .guest(let email):
            viewer = try GateQueries(connection: connection).guest(email: email, now: session.start)
        case .account(let number?): viewer = number
        case .account(nil): preconditionFailure("only a dry run has accounts that are not there")
        }
        var begin = session.start
        let fate: ImportFate
        if let known = try queries.find(session, of: viewer) {
            guard session.end > known.end else { return .known }
            try queries.extend(known, as: session, of: viewer)
            begin = known.start
            fate = .extended
        } else {
            let video = try session.video.map { try numbers.number(of: $0, kind: .video) }
            try queries.insert(session, of: viewer, videoID: video)
            fate = .imported
        }
        let touched = days.days(touching: begin..<session.end).map { ViewerDay(viewer: viewer, day: $0) }
        try SegmentQueries(connection: connection).markDirty(touched)
        return fate
    }

    private static let tooOld = ImportFate.skipped("of days whose segments are folded")

    /// Whether a session reaches into days that are folded: even if it was imported before, it is not known again.
    private static func isFolded(_ session: OldSession, _ connection: any DatabaseConnection) throws -> Bool {
        try RetentionQueries(connection: connection).foldedBefore().map { session.start < $0 } ?? false
    }

    /// What would become of a session.
    private static func fate(of session: OldSession, _ queries: OldSessionQueries) throws -> ImportFate {
        let viewer: Int64? =
            switch session.person {
            case .guest(let email): try queries.guest(email: email)
            case .account(let number): number
            }
        guard let viewer, let known = try queries.find(session, of: viewer) else { return .imported }
        return session.end > known.end ? .extended : .known
    }
}
