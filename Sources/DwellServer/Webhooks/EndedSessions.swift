import DwellAPI

/// Tells of sessions that are over, each once; and again when what came late has changed them.
///
/// Beats pay nothing for it: sessions are found by the index of those that are live, by marks that late beats and closed
/// entries leave behind, and only where an endpoint asks for them.
package struct EndedSessions: Sendable {
    /// How much time is looked at in one transaction, in milliseconds, how many sessions, and how many marks: few enough that
    /// beats never wait long behind it.
    private static let step: Int64 = 30_000
    private static let sessionLimit = 200
    private static let markLimit = 100

    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// Whether there is something to tell, or to look at.
    package func isWaiting() async throws -> Bool {
        let limit = Self.limit(clock.now())
        return try await database.read { connection in
            guard try WebhookOutbox(connection: connection).isAskedFor(.sessionEnded) else { return false }
            let queries = EndedSessionQueries(connection: connection)
            if try !queries.marks(limit: 1).isEmpty { return true }
            guard let through = try queries.through(), through < limit else { return false }
            guard let window = try Self.window(after: through, through: limit, queries) else { return false }
            return try window.upperBound < limit
                || !queries.sessions(after: window.lowerBound, through: window.upperBound, limit: 1).isEmpty
        }
    }

    /// Whoever was heard of last then, or before, has been silent for more than half an hour.
    private static func limit(_ now: Timestamp) -> Timestamp { now - Session.silence - 1 }

    /// Tells of everything that is over by now.
    package func tell() async throws {
        let now = clock.now()
        while try await tellNext(now) {}
    }

    /// - Returns: Whether there may be more
    private func tellNext(_ now: Timestamp) async throws -> Bool {
        try await database.write { connection in
            try connection.lock(.endedSessions)
            let webhooks = try WebhookQueries(connection: connection).listening(to: .sessionEnded)
            let queries = EndedSessionQueries(connection: connection)
            guard !webhooks.isEmpty, let through = try queries.through() else { return false }
            let marks = try queries.marks(limit: Self.markLimit)
            let window = try Self.window(after: through, through: Self.limit(now), queries)
            var found = Set(marks.map(\.session))
            if let window {
                let (sessions, through) = try Self.ended(in: window, queries)
                found.formUnion(sessions)
                try queries.setThrough(through)
            }
            for session in found.sorted() {
                guard let record = try queries.record(session, now: now), record.closed,
                    try queries.note(record, at: now)
                else { continue }
                try WebhookOutbox(connection: connection).tell(record, to: webhooks, about: session.viewer, at: now)
            }
            for mark in marks { try queries.remove(mark) }
            return window != nil || marks.count == Self.markLimit
        }
    }

    /// The first sessions of a stretch of time, and up to when these are all: no more than may be, unless more than that ended
    /// in the same millisecond.
    private static func ended(
        in window: ClosedRange<Timestamp>, _ queries: EndedSessionQueries
    ) throws -> (sessions: [SessionKey], through: Timestamp) {
        let found = try queries.sessions(
            after: window.lowerBound, through: window.upperBound, limit: sessionLimit + 1)
        guard found.count > sessionLimit, let last = found.last?.seenAt else {
            return (found.map(\.session), window.upperBound)
        }
        let whole = found.filter { $0.seenAt < last }
        if let end = whole.last?.seenAt { return (whole.map(\.session), end) }
        return (try queries.sessions(after: last - 1, through: last, limit: .max).map(\.session), last)
    }

    /// The next stretch of time that holds the end of a session, or may; `nil` when there is none.
    private static func window(
        after time: Timestamp, through limit: Timestamp, _ queries: EndedSessionQueries
    ) throws -> ClosedRange<Timestamp>? {
        guard time < limit, let slot = try queries.nextSlot(after: time, through: limit) else { return nil }
        // Up to the start of the span nothing was heard of, and what was heard of just then is not left out.
        let start = max(time, Timestamp(milliseconds: slot * Session.slotLength - 1))
        guard start < limit else { return nil }
        return start...min(limit, start + step)
    }
}
