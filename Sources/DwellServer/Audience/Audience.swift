import DwellAPI
package import Logging
import ServiceLifecycle

/// What people watched of videos, and how many watched each part of one: derived from segments, never accumulated.
///
/// Storing a segment marks its viewer and video; folding makes what the viewer watched anew from the segments, takes what
/// he counted for before out of the video's totals, and puts what he counts for now into them, in one transaction. So the
/// totals are always the sum over the rows, and reading them takes as long for a million viewers as for one.
package struct Audience: Sendable {
    /// How fast a video may be watched to count, where nothing else is set.
    package static let creditRate = 2.0

    /// How many pairs are folded at a time: few enough that beats never wait long behind them.
    private static let batchSize = 100
    /// How many viewers are marked at a time when a video is counted anew.
    private static let markSize = 1000

    private let database: any Database
    private let creditRate: Double
    private let logger: Logger

    /// - Parameters:
    ///   - database: Where segments are
    ///   - creditRate: How much of a video counts for a moment of the wall clock at most
    ///   - logger: Told who completed what
    package init(database: any Database, creditRate: Double = Audience.creditRate, logger: Logger) {
        self.database = database
        self.creditRate = creditRate
        self.logger = logger
    }

    /// With the rate that a server has noted.
    package static func noted(in database: any Database, logger: Logger) async throws -> Audience {
        let rate = try await database.read { try AudienceQueries(connection: $0).creditRate() }
        return Audience(database: database, creditRate: rate ?? Self.creditRate, logger: logger)
    }

    /// Counts everything anew when it was counted at another rate than the configured one.
    package func adoptCreditRate() async throws {
        let changed = try await database.write { [creditRate] connection in
            try connection.lock(.audience)
            let queries = AudienceQueries(connection: connection)
            let noted = try queries.creditRate()
            guard noted != creditRate else { return false }
            try NoteQueries(connection: connection).set(.creditRate, to: "\(creditRate)")
            // Before a server noted one, commands counted at the standard.
            guard (noted ?? Self.creditRate) != creditRate else { return false }
            try queries.renewAll()
            return true
        }
        if changed {
            logger.notice("credit rate changed, videos will be counted anew", metadata: ["rate": "\(creditRate)"])
        }
    }

    /// Whether there is something to fold.
    package func isWaiting() async throws -> Bool {
        try await database.read { try AudienceQueries(connection: $0).isWaiting() }
    }

    /// Folds everything that is marked, once.
    ///
    /// Each batch is computed from a snapshot, so that beats go on being stored meanwhile, and kept as far as no beat came
    /// between; what one did come to stays marked.
    /// - Returns: How many pairs of a viewer and a video were folded
    @discardableResult
    package func fold() async throws -> Int {
        var total = 0
        var last: ViewerVideo?
        while true {
            let batch = try await database.read { [creditRate, last] connection in
                try AudienceQueries(connection: connection).marked(after: last, limit: Self.batchSize, creditRate)
            }
            if let end = batch.last {
                let began = ContinuousClock.now
                total += try await keep(batch)
                last = end.pair
                // The database is the others' for as long.
                if batch.count == Self.batchSize {
                    let taken = began.duration(to: .now)
                    try await cancelWhenGracefulShutdown { try await Task.sleep(for: taken) }
                }
            } else {
                guard try await markNext() else { return total }
                last = nil
            }
        }
    }

    /// Keeps what was computed, of the pairs that nothing happened to meanwhile.
    /// - Returns: How many these are
    private func keep(_ batch: [MarkedPair]) async throws -> Int {
        let (count, completed) = try await database.write { connection in
            try connection.lock(.audience)
            var count = AudienceCount(connection: connection)
            try count.keep(batch)
            try count.finish()
            return (count.kept, count.completed)
        }
        for pair in completed {
            logger.info("video completed", metadata: ["viewer": "\(pair.viewer)", "video": "\(pair.video)"])
        }
        return count
    }

    /// Marks viewers of a video that is counted anew.
    /// - Returns: Whether there was such a video
    private func markNext() async throws -> Bool {
        try await database.write { connection in
            try connection.lock(.audience)
            let queries = AudienceQueries(connection: connection)
            guard var video = try queries.videoToMark(), let marked = video.markedTo else { return false }
            let rounds = try queries.rounds(of: video.id, after: marked, limit: Self.markSize)
            try SegmentQueries(connection: connection).markWatched(
                rounds.filter { $0.round != video.round }.map { ViewerVideo(viewer: $0.viewer, video: video.id) })
            video.markedTo = rounds.last?.viewer
            try queries.keep(video)
            return true
        }
    }

    /// What the operator says of a video; where it says nothing, `nil`.
    package struct VideoSetting: Sendable, Equatable {
        /// How long it is, in milliseconds.
        package var duration: Int64?
        /// The part of it that must have been watched to have completed it.
        package var completeAt: Double?
    }

    /// Changes what is set of a video, and begins to count it anew.
    /// - Parameters:
    ///   - name: The video's name; it need not have been watched yet
    ///   - change: Without a change it only tells
    /// - Returns: What holds now
    package func set(
        _ name: String, _ change: @Sendable @escaping (inout VideoSetting) -> Void
    ) async throws -> VideoSetting {
        try await database.write { connection in
            try connection.lock(.audience)
            let queries = AudienceQueries(connection: connection)
            var contents = ContentQueries(connection: connection, known: ContentNumbers())
            var video = try queries.video(try contents.number(of: name, kind: .video))
            let before = VideoSetting(duration: video.givenDuration, completeAt: video.completeAt)
            var after = before
            change(&after)
            if after != before {
                (video.givenDuration, video.completeAt) = (after.duration, after.completeAt)
                video.renew(told: try queries.toldDuration(of: video.id))
                try queries.keep(video)
            }
            return after
        }
    }

    /// Lets rows stand for the segments of a session that are about to go. Inside the transaction in which the session's
    /// own totals are noted: from then on its segments count no more.
    /// - Parameter limit: Nothing that happened before is credited any more
    func foldAway(
        session: Int64, of viewer: Int64, before limit: Timestamp, _ connection: any DatabaseConnection
    ) throws {
        let queries = AudienceQueries(connection: connection)
        for video in try queries.videos(of: session, viewer: viewer) {
            let pair = ViewerVideo(viewer: viewer, video: video)
            let folded = Watched.fold(
                session, of: try queries.runs(of: [pair])[0], onto: try queries.folded(of: [pair])[0], before: limit,
                terms: try queries.video(video).terms(creditRate: creditRate))
            if let folded { try queries.keep(folded, of: pair) }
        }
    }
}

// MARK: Computing anew

extension Audience {
    /// What computing everything anew found.
    package struct Recomputation: Sendable, Equatable {
        /// How many pairs of a viewer and a video there are.
        package var pairs = 0
        /// How many of them were not as their segments say, and are now.
        package var changed = 0
        /// How many videos there are.
        package var videos = 0
        /// How many of them had totals that were not the sum over their viewers, and have now.
        package var changedVideos = 0
    }

    /// Makes what everybody watched anew, and adds it up anew. When nothing is wrong and nothing marked, it changes
    /// nothing.
    package func recompute() async throws -> Recomputation {
        var result = Recomputation()
        try await fold()
        var last: Int64 = 0
        while true {
            let viewers = try await database.read { [last] connection in
                try StatisticQueries(connection: connection).viewers(after: last, limit: Self.batchSize)
            }
            guard let end = viewers.last else { break }
            let (pairs, wrong) = try await database.read { [creditRate] connection in
                try AudienceQueries(connection: connection).wrongPairs(of: viewers, creditRate)
            }
            result.pairs += pairs
            result.changed += wrong.count
            try await database.write { try SegmentQueries(connection: $0).markWatched(wrong) }
            last = end
        }
        try await fold()
        try await recomputeTotals(&result)
        return result
    }

    private func recomputeTotals(_ result: inout Recomputation) async throws {
        var last: Int64 = 0
        while true {
            let checked = try await database.read { [last] connection in
                try AudienceQueries(connection: connection).nextVideo(after: last)
            }
            guard let (id, told, isRight) = checked else { break }
            result.videos += 1
            if !isRight {
                result.changedVideos += 1
                try await database.write { connection in
                    try connection.lock(.audience)
                    let queries = AudienceQueries(connection: connection)
                    try queries.replaceToldDurations(of: id, with: told)
                    var video = try queries.video(id)
                    video.renew(told: try queries.toldDuration(of: id))
                    try queries.keep(video)
                }
            }
            last = id
        }
        try await fold()
    }
}

extension AudienceQueries {
    /// Pairs that wait to be folded, each with what comes out.
    fileprivate func marked(
        after last: ViewerVideo?, limit: Int, _ creditRate: Double
    ) throws -> [MarkedPair] {
        let marks = try marks(after: last, limit: limit)
        let coverages = try computed(marks.map(\.pair), creditRate)
        return zip(marks, coverages).map { marked, computed in
            MarkedPair(
                pair: marked.pair, mark: marked.mark, coverage: computed.coverage, round: computed.video.round)
        }
    }

    /// What viewers watched of videos, from the segments.
    func computed(_ pairs: [ViewerVideo], _ creditRate: Double) throws -> [(coverage: StoredCoverage?, video: Video)] {
        var videos: [Int64: Video] = [:]
        let excluded = try ExclusionQueries(connection: connection).viewers()
        for pair in pairs where videos[pair.video] == nil { videos[pair.video] = try video(pair.video) }
        return zip(pairs, zip(try runs(of: pairs), try folded(of: pairs))).map { pair, told in
            let video = videos[pair.video] ?? Video(id: pair.video)
            let watched = Watched(told.0, folded: told.1, terms: video.terms(creditRate: creditRate))
            let round = excluded.contains(pair.viewer) ? StoredCoverage.uncounted : video.round
            return (StoredCoverage(watched, round: round), video)
        }
    }

    /// How many pairs viewers have, and those that are not as their segments say.
    fileprivate func wrongPairs(of viewers: [Int64], _ creditRate: Double) throws -> (Int, [ViewerVideo]) {
        let pairs = try viewers.flatMap { viewer in
            try videos(of: viewer).map { ViewerVideo(viewer: viewer, video: $0) }
        }
        let computed = try computed(pairs, creditRate)
        let wrong = try zip(zip(pairs, try coverage(of: pairs)), computed).filter { kept, computed in
            // One that is marked, or that a round has not come to, is not as it will be.
            try kept.1 != computed.coverage && computed.video.markedTo == nil && !isMarked(kept.0)
        }
        return (pairs.count, wrong.map(\.0.0))
    }

    /// The next video by number, how long its viewers' players say that it is, and whether its totals are the sum over its
    /// viewers.
    fileprivate func nextVideo(after id: Int64) throws -> (id: Int64, told: [Int64: Int64], isRight: Bool)? {
        guard let video = try videos(after: id, limit: 1).first else { return nil }
        var counted = video
        counted.totals = AudienceTotals(curve: Curve(video.buckets))
        var told: [Int64: Int64] = [:]
        try forEachCoverage(of: video.id) { stored in
            if stored.round == video.round { counted.count(stored, by: 1) }
            if let duration = stored.duration { told[duration, default: 0] += 1 }
        }
        return (video.id, told, try counted == video && told == toldDurations(of: video.id))
    }
}

/// A pair that was marked, and what comes out of its segments.
private struct MarkedPair: Sendable {
    let pair: ViewerVideo
    let mark: Int64
    /// `nil` when nothing was watched.
    let coverage: StoredCoverage?
    /// The round that the video was in.
    let round: Int64
}

/// Counting inside one transaction: each video is read and written once.
struct AudienceCount {
    let queries: AudienceQueries
    var videos: [Int64: Video] = [:]
    /// Those of which a player says now that they are longer or shorter.
    private var told: Set<Int64> = []
    private(set) var kept = 0
    /// Who has completed what, and had not before.
    private(set) var completed: [ViewerVideo] = []

    init(connection: any DatabaseConnection) {
        queries = AudienceQueries(connection: connection)
    }

    /// Keeps what pairs came to, but for those that something happened to since.
    fileprivate mutating func keep(_ batch: [MarkedPair]) throws {
        for id in Set(batch.map(\.pair.video)) { videos[id] = try queries.video(id) }
        let current = batch.filter { videos[$0.pair.video]?.round == $0.round }
        let released = try queries.release(current.map { ($0.pair, $0.mark) })
        let kept = current.filter { released.contains($0.pair) }
        for (marked, before) in zip(kept, try queries.coverage(of: kept.map(\.pair))) {
            try exchange(before, for: marked.coverage, of: marked.pair)
        }
        try queries.keep(kept.compactMap { marked in marked.coverage.map { (marked.pair, $0) } })
        self.kept = kept.count
    }

    mutating func exchange(
        _ before: StoredCoverage?, for coverage: StoredCoverage?, of pair: ViewerVideo
    ) throws {
        if let before, before.round == videos[pair.video]?.round { videos[pair.video]?.count(before, by: -1) }
        if let coverage {
            if coverage.round == videos[pair.video]?.round { videos[pair.video]?.count(coverage, by: 1) }
        } else {
            try queries.remove(pair)
        }
        if before?.duration != coverage?.duration {
            if let duration = before?.duration { try queries.tell(duration, of: pair.video, by: -1) }
            if let duration = coverage?.duration { try queries.tell(duration, of: pair.video, by: 1) }
            told.insert(pair.video)
        }
        if before?.completedAt == nil, coverage?.completedAt != nil { completed.append(pair) }
    }

    /// Writes what the videos come to.
    mutating func finish() throws {
        for var video in videos.values {
            if told.contains(video.id), video.givenDuration == nil {
                let duration = try queries.toldDuration(of: video.id)
                if duration != video.duration { video.renew(told: duration) }
            }
            try queries.keep(video)
        }
    }
}
