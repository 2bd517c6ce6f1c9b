import DwellAPI
package import Logging
import ServiceLifecycle

/// Folds old segments: a session that is over for longer than they are to be kept keeps its totals in their place, and
/// the days that it reaches into stay as they were computed.
///
/// First the end of the days to be folded is noted; from then on nothing that happened before it is credited. So what
/// lies there stands still, and is folded in steps: short transactions, with pauses that leave the database to beats.
package struct Retention: Sendable {
    /// How long a step is to take.
    private static let stepTime = Duration.milliseconds(10)
    /// How many segments a step removes: at first, and at all.
    private static let firstSize = 100
    private static let sizes = 10...20_000
    /// How many sessions are looked at together.
    private static let pageSize = 200

    private let database: any Database
    private let statistics: Statistics
    private let audience: Audience
    private let days: LocalDays
    private let keptDays: Int64
    private let clock: WallClock
    private let logger: Logger

    /// - Parameters:
    ///   - database: Where segments are
    ///   - statistics: Computes the days before they are folded
    ///   - audience: Keeps what was watched of videos
    ///   - days: Cuts the days
    ///   - keptDays: How many whole days segments are kept
    ///   - clock: Tells which day it is
    ///   - logger: Told what was folded
    package init(
        database: any Database, statistics: Statistics, audience: Audience, days: LocalDays, keptDays: Int64,
        clock: WallClock, logger: Logger
    ) {
        self.database = database
        self.statistics = statistics
        self.audience = audience
        self.days = days
        self.keptDays = keptDays
        self.clock = clock
        self.logger = logger
    }

    /// What a run folded.
    package struct Outcome: Sendable, Equatable {
        package var sessions = 0
        package var segments = 0
        package var steps = 0
        /// How long a transaction kept others from writing, at the longest.
        package var longestStep = Duration.zero
    }

    /// Folds what is old enough, until nothing is or some time has passed.
    @discardableResult
    package func run(for time: Duration = .seconds(50)) async throws -> Outcome {
        let began = ContinuousClock.now
        guard let limit = try await foldedBefore() else { return Outcome() }
        var page = try await page(endedBefore: limit - Session.silence, after: nil)[...]
        // Days must be computed while their segments are there.
        if !page.isEmpty { try await statistics.aggregate() }
        var outcome = Outcome()
        var size = Self.firstSize
        while let end = page.last?.session {
            while !page.isEmpty {
                guard began.duration(to: .now) < time else { return report(outcome) }
                let (step, done, taken) = try await step(Array(page), size: size, before: limit)
                page = page.dropFirst(done)
                outcome.add(step)
                size = Self.size(after: size, taken: taken)
                // Two thirds of the time are the others'.
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: taken * 2) }
            }
            page = try await self.page(endedBefore: limit - Session.silence, after: end)[...]
        }
        return report(outcome)
    }

    /// Moves the end of the days that are folded forward, where there is something to fold.
    /// - Returns: The end, once nothing before it can change; `nil` before that
    private func foldedBefore() async throws -> Timestamp? {
        let wanted = days.range(of: days.day(of: clock.now()) - keptDays).lowerBound
        let limit: Timestamp? = try await database.write { connection in
            try connection.lock(.statistics)
            let queries = RetentionQueries(connection: connection)
            let noted = try queries.foldedBefore()
            if let noted, noted >= wanted { return noted }
            let old = try queries.sessions(endedBefore: wanted - Session.silence, after: nil, limit: 1)
            guard !old.isEmpty else { return noted }
            try queries.noteFoldedBefore(wanted)
            return wanted
        }
        guard let limit else { return nil }
        // What was in flight ends within moments; what does not is waited for in the next run.
        for _ in 0..<50 {
            if try await database.read({ try RetentionQueries(connection: $0).isSettled() }) { return limit }
            try await cancelWhenGracefulShutdown { try await Task.sleep(for: .milliseconds(100)) }
        }
        return nil
    }

    /// A session, and what its segments come to while they are all there.
    private struct Candidate: Sendable {
        let session: OldDetail
        let totals: SessionTotals?
    }

    private func page(endedBefore time: Timestamp, after session: OldDetail?) async throws -> [Candidate] {
        try await database.read { connection in
            let sessions = try RetentionQueries(connection: connection).sessions(
                endedBefore: time, after: session, limit: Self.pageSize)
            let whole = sessions.filter { !$0.hasTotals }
            let folds = try ReportQueries(connection: connection).folds(of: whole.map { ($0.viewer, $0.id) })
            return sessions.map { session in
                Candidate(session: session, totals: folds[session.id]?.totals(lastSeenAt: session.lastSeenAt))
            }
        }
    }

    /// Folds the first of some sessions, in one transaction.
    /// - Parameters:
    ///   - size: How many segments are removed at most
    ///   - limit: Nothing that happened before is credited any more
    /// - Returns: What was folded, how many of the sessions need no other step, and how long it took since it was the
    ///   transaction's turn, with its way to the disk
    private func step(
        _ candidates: [Candidate], size: Int, before limit: Timestamp
    ) async throws -> (Outcome, done: Int, taken: Duration) {
        let now = clock.now()
        let commit = try await database.commit { [audience, days] connection in
            try connection.lock(.statistics)
            try connection.lock(.audience)
            let start = ContinuousClock.now
            let queries = RetentionQueries(connection: connection)
            var outcome = Outcome()
            var left = size
            for (index, candidate) in candidates.enumerated() {
                let session = candidate.session
                guard left > 0, start.duration(to: .now) < Self.stepTime else { return (outcome, index, start) }
                // What marks a day now can't be computed without the segments: the next run does.
                let touched = days.day(of: session.startedAt)...days.day(of: session.lastSeenAt)
                if try queries.isDirty(viewer: session.viewer, days: touched) { continue }
                if let totals = candidate.totals {
                    try audience.foldAway(session: session.id, of: session.viewer, before: limit, connection)
                    try queries.keep(totals, of: session)
                }
                let removed = try queries.removeSegments(of: session, limit: left)
                outcome.segments += removed
                guard removed < left else { return (outcome, index, start) }
                try queries.noteFolded(session, at: now)
                outcome.sessions += 1
                left -= max(1, removed)
            }
            return (outcome, candidates.count, start)
        }
        let (folded, done, start) = commit.value
        var outcome = folded
        outcome.longestStep = start.duration(to: .now)
        try await commit.sync()
        return (outcome, done, start.duration(to: .now))
    }

    /// How many segments the next step removes, so that it takes as long as it should.
    private static func size(after size: Int, taken: Duration) -> Int {
        let factor = stepTime / max(.microseconds(100), taken)
        let next = Double(size) * min(max(factor, 0.25), 2)
        return min(max(Int(next), sizes.lowerBound), sizes.upperBound)
    }

    private func report(_ outcome: Outcome) -> Outcome {
        guard outcome.sessions > 0 || outcome.segments > 0 else { return outcome }
        logger.info(
            "segments folded",
            metadata: [
                "sessions": "\(outcome.sessions)", "segments": "\(outcome.segments)", "steps": "\(outcome.steps)",
                "longest": "\(outcome.longestStep)",
            ])
        return outcome
    }
}

extension Retention.Outcome {
    fileprivate mutating func add(_ step: Self) {
        sessions += step.sessions
        segments += step.segments
        steps += 1
        longestStep = max(longestStep, step.longestStep)
    }
}
