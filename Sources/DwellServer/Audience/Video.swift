import DwellAPI

/// A video as its row knows it: what is set of it, and what those who watched it add up to.
struct Video: Equatable {
    /// The part of a video that must have been watched to have completed it, where nothing else is set.
    static let completeAt = 0.9

    /// The number of its content.
    let id: Int64
    /// How long the operator says that it is, in milliseconds.
    var givenDuration: Int64?
    /// The part of it that must have been watched, as the operator says.
    var completeAt: Double?
    /// How long it is taken to be, in milliseconds.
    var duration: Int64?
    /// What is counted begins anew with each round: rows of coverage of an earlier one are not in the totals yet.
    var round: Int64 = 0
    /// The viewer up to whom everybody is marked to be counted in this round; `nil` when everybody is.
    var markedTo: Int64?
    var totals = AudienceTotals(curve: Curve(nil))

    init(id: Int64) {
        self.id = id
    }

    var buckets: Buckets? { duration.map(Buckets.init(duration:)) }

    func terms(creditRate: Double) -> Watched.Terms {
        Watched.Terms(duration: duration, completeAt: completeAt ?? Self.completeAt, creditRate: creditRate)
    }

    /// Begins to count anew.
    /// - Parameter told: How long most viewers' players say that the video is
    mutating func renew(told: Int64?) {
        duration = givenDuration ?? told
        round += 1
        markedTo = 0
        totals = AudienceTotals(curve: Curve(buckets))
    }

    /// Counts what one person watched.
    /// - Parameter person: 1, or -1 to take it back
    mutating func count(_ stored: StoredCoverage, by person: Int64) {
        let coverage = stored.coverage.clipped(to: duration)
        guard !coverage.isEmpty else { return }
        totals.viewers += person
        totals.completions += stored.completedAt == nil ? 0 : person
        totals.covered += coverage.covered * person
        totals.watched += coverage.watched * person
        if let buckets { totals.curve.count(coverage, buckets, by: person) }
    }
}

/// What those who watched a video add up to.
struct AudienceTotals: Equatable {
    var viewers: Int64 = 0
    var completions: Int64 = 0
    /// Over the viewers, each moment of the video counted once for each, in milliseconds.
    var covered: Int64 = 0
    /// Over the viewers, each moment counted as often as it was played, in milliseconds.
    var watched: Int64 = 0
    var curve: Curve
}

/// What is kept of what one person watched of one video.
struct StoredCoverage: Equatable {
    /// The round of what is never counted: its viewer is excluded.
    static let uncounted: Int64 = -1

    let coverage: Coverage
    let resume: Int64
    let watchedAt: Timestamp
    let duration: Int64?
    let completedAt: Timestamp?
    /// The video's round that it was counted in.
    var round: Int64

    init(
        coverage: Coverage, resume: Int64, watchedAt: Timestamp, duration: Int64?, completedAt: Timestamp?, round: Int64
    ) {
        self.coverage = coverage
        self.resume = resume
        self.watchedAt = watchedAt
        self.duration = duration
        self.completedAt = completedAt
        self.round = round
    }

    /// - Returns: `nil` when nothing was watched
    init?(_ watched: Watched, round: Int64) {
        guard let watchedAt = watched.watchedAt else { return nil }
        self.init(
            coverage: watched.coverage, resume: watched.resume, watchedAt: watchedAt, duration: watched.duration,
            completedAt: watched.completedAt, round: round)
    }
}
