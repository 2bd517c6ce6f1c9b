import DwellAPI
import Foundation

/// What is asked of, and told to, the tables of what was watched.
struct AudienceQueries {
    let connection: any DatabaseConnection

    // MARK: What waits

    /// Whether anything waits to be folded, or to be marked for it.
    func isWaiting() throws -> Bool {
        try connection.row(
            """
            SELECT 1 AS one WHERE EXISTS (SELECT 1 FROM dirty_video)
                OR EXISTS (SELECT 1 FROM video WHERE marked_to IS NOT NULL)
            """) != nil
    }

    /// What waits to be folded, and the marks that say so, after a pair, in the order of pairs.
    func marks(after last: ViewerVideo?, limit: Int) throws -> [(pair: ViewerVideo, mark: Int64)] {
        try connection.rows(
            Self.marks, [last?.viewer ?? .min, last?.video ?? .min, limit]
        ).map { (ViewerVideo(viewer: try $0["viewer_id"], video: try $0["video_id"]), try $0["mark"]) }
    }

    private static let marks = SQLStatement(
        """
        SELECT viewer_id, video_id, mark FROM dirty_video WHERE (viewer_id, video_id) > ($1, $2)
        ORDER BY viewer_id, video_id LIMIT $3
        """)

    func isMarked(_ pair: ViewerVideo) throws -> Bool {
        try connection.row(
            "SELECT 1 AS one FROM dirty_video WHERE viewer_id = $1 AND video_id = $2", [pair.viewer, pair.video]) != nil
    }

    /// Takes marks away that are still the same: no beat came since they were met, nobody else folded the pairs.
    /// - Returns: Their pairs
    func release(_ marks: [(pair: ViewerVideo, mark: Int64)]) throws -> Set<ViewerVideo> {
        guard !marks.isEmpty else { return [] }
        switch connection.dialect {
        case .sqlite:
            return Set(
                try marks.filter { pair, mark in
                    try connection.execute(Self.release, [pair.viewer, pair.video, mark]) == 1
                }.map(\.pair))
        case .postgres:
            return Set(
                try connection.rows(
                    Self.releaseMany,
                    [
                        SQLValue.integers(marks.map(\.pair.viewer)), SQLValue.integers(marks.map(\.pair.video)),
                        SQLValue.integers(marks.map(\.mark)),
                    ]
                ).map { ViewerVideo(viewer: try $0["viewer_id"], video: try $0["video_id"]) })
        }
    }

    private static let release = SQLStatement(
        "DELETE FROM dirty_video WHERE viewer_id = $1 AND video_id = $2 AND mark = $3")
    private static let releaseMany = SQLStatement(
        """
        DELETE FROM dirty_video USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS met (viewer_id, video_id, mark)
        WHERE dirty_video.viewer_id = met.viewer_id AND dirty_video.video_id = met.video_id
            AND dirty_video.mark = met.mark
        RETURNING dirty_video.viewer_id, dirty_video.video_id
        """)

    // MARK: What one person watched of a video

    /// The rows of each of some pairs.
    private func rows(of pairs: [ViewerVideo], _ query: PairQuery) throws -> [[Row]] {
        guard !pairs.isEmpty else { return [] }
        switch connection.dialect {
        case .sqlite: return try pairs.map { try connection.rows(query.one, [$0.viewer, $0.video]) }
        case .postgres:
            var found: [[Row]] = pairs.map { _ in [] }
            let rows = try connection.rows(
                query.many, [SQLValue.integers(pairs.map(\.viewer)), SQLValue.integers(pairs.map(\.video))])
            for row in rows { found[try row["number"] - 1].append(row) }
            return found
        }
    }

    /// Every run of each pair that is not folded.
    func runs(of pairs: [ViewerVideo]) throws -> [[Watched.Run]] {
        try rows(of: pairs, Self.runs).map { try $0.map(Watched.Run.init(row:)) }
    }

    private static let runs = PairQuery(
        """
        SELECT segment.entry_id, segment.tab, segment.n, segment.session_id, segment.started_at, segment.ended_at,
            segment.media_from_ms, segment.media_to_ms, segment.media_duration_ms, segment.end_reason
        FROM segment JOIN session ON session.viewer_id = segment.viewer_id AND session.id = segment.session_id
        WHERE segment.viewer_id = $1 AND segment.video_id = $2 AND segment.media_from_ms IS NOT NULL
            AND session.visible_ms IS NULL
        """)

    /// What stands for the segments of each pair that are folded.
    func folded(of pairs: [ViewerVideo]) throws -> [Watched.Folded?] {
        try rows(of: pairs, Self.folded).map { try $0.first.map(Watched.Folded.init(row:)) }
    }

    private static let folded = PairQuery("SELECT * FROM folded_coverage WHERE viewer_id = $1 AND video_id = $2")

    func keep(_ folded: Watched.Folded, of pair: ViewerVideo) throws {
        let taken = Coverage(folded.taken.intervals.map { $0.lowerBound.milliseconds..<$0.upperBound.milliseconds })
        try connection.execute(
            """
            INSERT INTO folded_coverage (
                viewer_id, video_id, parts, taken, resume_ms, watched_at, duration_ms, completed_at
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (viewer_id, video_id) DO UPDATE SET
                parts = excluded.parts, taken = excluded.taken, resume_ms = excluded.resume_ms,
                watched_at = excluded.watched_at, duration_ms = excluded.duration_ms,
                completed_at = excluded.completed_at
            """,
            [
                pair.viewer, pair.video, folded.coverage.data, taken.data, folded.resume, folded.watchedAt,
                folded.duration, folded.completedAt,
            ])
    }

    /// The videos that were watched in a session.
    func videos(of session: Int64, viewer: Int64) throws -> [Int64] {
        try connection.rows(
            """
            SELECT DISTINCT video_id FROM segment
            WHERE viewer_id = $1 AND session_id = $2 AND video_id IS NOT NULL AND media_from_ms IS NOT NULL
            ORDER BY video_id
            """, [viewer, session]
        ).map { try $0["video_id"] }
    }

    /// What is kept of each pair.
    func coverage(of pairs: [ViewerVideo]) throws -> [StoredCoverage?] {
        try rows(of: pairs, Self.coverage).map { try $0.first.map(StoredCoverage.init(row:)) }
    }

    private static let coverage = PairQuery("SELECT * FROM coverage WHERE viewer_id = $1 AND video_id = $2")

    /// Keeps what pairs came to, each another.
    func keep(_ coverages: [(pair: ViewerVideo, coverage: StoredCoverage)]) throws {
        guard !coverages.isEmpty else { return }
        switch connection.dialect {
        case .sqlite:
            for (pair, coverage) in coverages {
                try connection.execute(
                    Self.keep,
                    [
                        pair.viewer, pair.video, coverage.coverage.data, coverage.resume, coverage.watchedAt,
                        coverage.duration, coverage.completedAt, coverage.round,
                    ])
            }
        case .postgres:
            func integers(_ value: (StoredCoverage) -> Int64?) -> SQLValue { .integers(coverages.map { value($0.1) }) }
            try connection.execute(
                Self.keepMany,
                [
                    SQLValue.integers(coverages.map(\.pair.viewer)), SQLValue.integers(coverages.map(\.pair.video)),
                    SQLValue.texts(coverages.map(\.coverage.coverage.data.hexadecimal)), integers(\.resume),
                    integers(\.watchedAt.milliseconds), integers(\.duration), integers(\.completedAt?.milliseconds),
                    integers(\.round),
                ])
        }
    }

    private static let keep = SQLStatement("\(insert) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \(replacing)")
    private static let keepMany = SQLStatement(
        """
        \(insert)
        SELECT viewer_id, video_id, decode(parts, 'hex'), resume_ms, watched_at, duration_ms, completed_at, round
        FROM unnest(
            $1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
        AS kept (viewer_id, video_id, parts, resume_ms, watched_at, duration_ms, completed_at, round)
        \(replacing)
        """)
    private static let insert = """
        INSERT INTO coverage (viewer_id, video_id, parts, resume_ms, watched_at, duration_ms, completed_at, round)
        """
    private static let replacing = """
        ON CONFLICT (viewer_id, video_id) DO UPDATE SET
            parts = excluded.parts, resume_ms = excluded.resume_ms, watched_at = excluded.watched_at,
            duration_ms = excluded.duration_ms, completed_at = excluded.completed_at, round = excluded.round
        """

    func remove(_ pair: ViewerVideo) throws {
        try connection.execute(
            "DELETE FROM coverage WHERE viewer_id = $1 AND video_id = $2", [pair.viewer, pair.video])
    }

    /// Every video that a viewer watched, or is said to have watched.
    func videos(of viewer: Int64) throws -> [Int64] {
        try connection.rows(
            """
            SELECT video_id FROM segment
            WHERE viewer_id = $1 AND video_id IS NOT NULL AND media_from_ms IS NOT NULL
            UNION SELECT video_id FROM coverage WHERE viewer_id = $1
            UNION SELECT video_id FROM folded_coverage WHERE viewer_id = $1
            ORDER BY video_id
            """, [viewer]
        ).map { try $0["video_id"] }
    }

    /// Videos that something is kept of for a viewer.
    func covered(by viewer: Int64, limit: Int) throws -> [Int64] {
        try connection.rows(
            "SELECT video_id FROM coverage WHERE viewer_id = $1 ORDER BY video_id LIMIT $2", [viewer, limit]
        ).map { try $0["video_id"] }
    }

    /// Calls `body` with what is kept of each viewer of a video.
    func forEachCoverage(of video: Int64, _ body: (StoredCoverage) throws -> Void) throws {
        try connection.forEachRow("SELECT * FROM coverage WHERE video_id = $1", [video]) { row in
            try body(StoredCoverage(row: row))
        }
    }

    // MARK: Videos

    /// A video's row; one as new when it has none.
    func video(_ id: Int64) throws -> Video {
        try connection.rows(Self.video, [id]).first.map(Video.init(row:)) ?? Video(id: id)
    }

    private static let video = SQLStatement("SELECT * FROM video WHERE id = $1")

    /// Videos after one, by number.
    func videos(after id: Int64, limit: Int) throws -> [Video] {
        try connection.rows("SELECT * FROM video WHERE id > $1 ORDER BY id LIMIT $2", [id, limit]).map(Video.init(row:))
    }

    func keep(_ video: Video) throws {
        try connection.execute(
            Self.keepVideo,
            [
                video.id, video.givenDuration, video.completeAt, video.duration, video.round, video.markedTo,
                video.totals.viewers, video.totals.completions, video.totals.covered, video.totals.watched,
                video.totals.curve.data,
            ])
    }

    private static let keepVideo = SQLStatement(
        """
        INSERT INTO video (
            id, given_duration_ms, complete_at, duration_ms, round, marked_to, viewers, completions, covered_ms,
            watched_ms, curve
        ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (id) DO UPDATE SET
            given_duration_ms = excluded.given_duration_ms, complete_at = excluded.complete_at,
            duration_ms = excluded.duration_ms, round = excluded.round, marked_to = excluded.marked_to,
            viewers = excluded.viewers, completions = excluded.completions, covered_ms = excluded.covered_ms,
            watched_ms = excluded.watched_ms, curve = excluded.curve
        """)

    /// Begins a new round of every video.
    func renewAll() throws {
        try connection.execute(
            """
            UPDATE video SET round = round + 1, marked_to = 0, viewers = 0, completions = 0, covered_ms = 0,
                watched_ms = 0, curve = NULL
            """)
    }

    /// A video whose viewers have to be marked.
    func videoToMark() throws -> Video? {
        try connection.row("SELECT * FROM video WHERE marked_to IS NOT NULL ORDER BY id LIMIT 1").map(Video.init(row:))
    }

    /// The viewers of a video after one, by number, and the round that each was counted in.
    func rounds(of video: Int64, after viewer: Int64, limit: Int) throws -> [(viewer: Int64, round: Int64)] {
        try connection.rows(
            "SELECT viewer_id, round FROM coverage WHERE video_id = $1 AND viewer_id > $2 ORDER BY viewer_id LIMIT $3",
            [video, viewer, limit]
        ).map { (try $0["viewer_id"], try $0["round"]) }
    }

    /// Counts viewers whose players say how long a video is.
    func tell(_ duration: Int64, of video: Int64, by viewers: Int64) throws {
        try connection.execute(
            """
            INSERT INTO told_duration (video_id, duration_ms, viewers) VALUES ($1, $2, $3)
            ON CONFLICT (video_id, duration_ms) DO UPDATE SET viewers = told_duration.viewers + excluded.viewers
            """, [video, duration, viewers])
        try connection.execute(
            "DELETE FROM told_duration WHERE video_id = $1 AND duration_ms = $2 AND viewers = 0", [video, duration])
    }

    /// How long most viewers' players say that a video is; of equally many the longest.
    func toldDuration(of video: Int64) throws -> Int64? {
        try connection.row(
            """
            SELECT duration_ms FROM told_duration WHERE video_id = $1 ORDER BY viewers DESC, duration_ms DESC LIMIT 1
            """, [video])?["duration_ms"]
    }

    /// How many viewers' players say how long a video is, by what they say.
    func toldDurations(of video: Int64) throws -> [Int64: Int64] {
        let rows = try connection.rows("SELECT duration_ms, viewers FROM told_duration WHERE video_id = $1", [video])
        return Dictionary(uniqueKeysWithValues: try rows.map { (try $0["duration_ms"], try $0["viewers"]) })
    }

    /// Replaces what viewers' players say.
    func replaceToldDurations(of video: Int64, with told: [Int64: Int64]) throws {
        try connection.execute("DELETE FROM told_duration WHERE video_id = $1", [video])
        for (duration, viewers) in told { try tell(duration, of: video, by: viewers) }
    }

    /// The rate that what is kept was counted at; `nil` when no server has noted it.
    func creditRate() throws -> Double? {
        try NoteQueries(connection: connection).text(of: .creditRate).flatMap(Double.init)
    }
}

/// A query of one viewer and one video, and the same of many at once, for PostgreSQL.
private struct PairQuery {
    let one: SQLStatement
    let many: SQLStatement

    /// - Parameter query: Knows the viewer as `$1`, the video as `$2`
    init(_ query: String) {
        one = SQLStatement(query)
        many = SQLStatement(SQLDialect.forEachKey(query, ["bigint", "bigint"]))
    }
}

extension Watched.Run {
    /// - Parameter row: Begins with the columns of the query of runs
    fileprivate init(row: Row) throws {
        var values = row.reader
        (entry, tab, n) = try (values.next(), values.next(), values.next())
        session = try values.next()
        let (start, end): (Timestamp, Timestamp) = try (values.next(), values.next())
        interval = start..<end
        let (from, to): (Int64, Int64) = try (values.next(), values.next())
        media = from..<to
        duration = try values.next()
        let ending: SegmentEnd? = try values.next()
        isEnd = ending == .ended
    }
}

extension Watched.Folded {
    fileprivate init(row: Row) throws {
        let taken = try Coverage(data: try row["taken"]).ranges()
        self.init(
            coverage: try Coverage(data: try row["parts"]),
            taken: IntervalSet(
                taken.map { Timestamp(milliseconds: $0.lowerBound)..<Timestamp(milliseconds: $0.upperBound) }),
            resume: try row["resume_ms"], watchedAt: try row["watched_at"], duration: try row["duration_ms"],
            completedAt: try row["completed_at"])
    }
}

extension StoredCoverage {
    init(row: Row) throws {
        self.init(
            coverage: try Coverage(data: try row["parts"]), resume: try row["resume_ms"],
            watchedAt: try row["watched_at"], duration: try row["duration_ms"],
            completedAt: try row["completed_at"], round: try row["round"])
    }
}

extension Video {
    init(row: Row) throws {
        self.init(id: try row["id"])
        givenDuration = try row["given_duration_ms"]
        completeAt = try row["complete_at"]
        duration = try row["duration_ms"]
        round = try row["round"]
        markedTo = try row["marked_to"]
        let curve: Data? = try row["curve"]
        totals = AudienceTotals(
            viewers: try row["viewers"], completions: try row["completions"], covered: try row["covered_ms"],
            watched: try row["watched_ms"], curve: try curve.map(Curve.init(data:)) ?? Curve(buckets))
    }
}
