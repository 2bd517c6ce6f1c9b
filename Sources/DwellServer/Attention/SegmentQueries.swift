import DwellAPI

/// What is asked of, and told to, the segment table.
struct SegmentQueries {
    let connection: any DatabaseConnection

    /// Stores segments, or extends those that have their names: the earliest start and the greatest length hold, and
    /// the longest claim says how sure the end is. Whatever order and however often the same claims come, the rows are
    /// the same, and a claim that took longer on its way the second time is no longer for it.
    /// - Parameter placed: Each of another name; a name that is known from another session of the entry stays there
    /// - Returns: The rows as they are now, in the same order
    func store(_ placed: [PlacedSegment]) throws -> [StoredSegment] {
        guard !placed.isEmpty else { return [] }
        switch connection.dialect {
        case .sqlite:
            return try placed.map { placed in
                guard let row = try connection.rows(Self.upsertOne, placed.columns).first else { throw Self.noRow }
                return try StoredSegment(row: row)
            }
        case .postgres:
            // In which order it returns the rows, nobody says.
            let rows = try connection.rows(Self.upsertMany, PlacedSegment.arrays(of: placed))
            let stored = Dictionary(
                uniqueKeysWithValues: try rows.map { row in (try SegmentKey(row: row), try StoredSegment(row: row)) })
            return try placed.map { placed in
                guard let row = stored[placed.credited.key] else { throw Self.noRow }
                return row
            }
        }
    }

    private static let noRow = DatabaseError.failure("an upsert that returned no row")

    /// The newest segments of some of the server's own tabs.
    func latest(_ keys: [TabKey]) throws -> [TabKey: LatestSegment] {
        guard !keys.isEmpty else { return [:] }
        let found: [(TabKey, Row?)]
        switch connection.dialect {
        case .sqlite:
            found = try keys.map { key in
                (key, try connection.rows(Self.latest, [key.entry.viewer, key.entry.entry, key.tab]).first)
            }
        case .postgres:
            let rows = try connection.rows(
                Self.manyLatest,
                [
                    SQLValue.integers(keys.map(\.entry.viewer)), SQLValue.integers(keys.map(\.entry.entry)),
                    SQLValue.texts(keys.map(\.tab)),
                ])
            found = try rows.map { (keys[try $0["number"] - 1], $0) }
        }
        return try found.reduce(into: [:]) { latest, pair in
            guard let row = pair.1 else { return }
            latest[pair.0] = LatestSegment(
                n: try row["n"], start: try row["started_at"], end: try row["ended_at"])
        }
    }

    private static let oneLatest = """
        SELECT n, started_at, ended_at FROM segment
        WHERE viewer_id = $1 AND entry_id = $2 AND tab = $3
        ORDER BY n DESC LIMIT 1
        """
    private static let latest = SQLStatement(oneLatest)
    private static let manyLatest = SQLStatement(SQLDialect.forEachKey(oneLatest, ["bigint", "bigint", "text"]))

    /// The segments of a session, for grouping.
    func members(of session: Session, of entry: Entry) throws -> [SessionGrouping.Member] {
        try connection.rows(
            "SELECT tab, n, started_at, ended_at FROM segment WHERE viewer_id = $1 AND session_id = $2",
            [entry.viewer, session.id]
        ).map { row in
            SessionGrouping.Member(
                tab: try row["tab"], n: try row["n"], start: try row["started_at"], end: try row["ended_at"],
                session: session.id)
        }
    }

    /// Puts a segment into another session of its entry.
    func move(_ member: SessionGrouping.Member, to session: Int64, of entry: Entry) throws {
        try connection.execute(
            "UPDATE segment SET session_id = $5 WHERE viewer_id = $1 AND entry_id = $2 AND tab = $3 AND n = $4",
            [entry.viewer, entry.id, member.tab, member.n, session])
    }

    /// Notes that days must be computed anew.
    func markDirty(_ days: [ViewerDay]) throws {
        guard !days.isEmpty else { return }
        switch connection.dialect {
        case .sqlite:
            for day in days {
                try connection.execute(Self.markOneDirty, [day.viewer, day.day])
            }
        case .postgres:
            try connection.execute(
                Self.markManyDirty, [SQLValue.integers(days.map(\.viewer)), SQLValue.integers(days.map(\.day))])
        }
    }

    private static let markOneDirty = SQLStatement(
        "INSERT INTO dirty_day (viewer_id, day) VALUES ($1, $2) ON CONFLICT (viewer_id, day) DO NOTHING")

    /// DO UPDATE locks a mark that is there: whoever takes it waits for what this transaction brings.
    private static let markManyDirty = SQLStatement(
        """
        INSERT INTO dirty_day (viewer_id, day)
        SELECT * FROM unnest($1::bigint[], $2::bigint[])
        ON CONFLICT (viewer_id, day) DO UPDATE SET day = excluded.day
        """)

    private static let upsertOne = SQLStatement(
        """
        \(insert) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19)
        \(merge) RETURNING session_id, started_at, ended_at, beats
        """)

    private static let upsertMany = SQLStatement(
        """
        \(insert)
        SELECT *, beat_at FROM unnest(
            $1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::float8[], $14::text[],
            $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[]
        ) AS told (
            viewer_id, entry_id, tab, n, session_id, started_at, ended_at, attention, page_id, video_id,
            media_from_ms, media_to_ms, rate, end_reason, unsure_ms, refused_before_ms, refused_future_ms,
            refused_media_ms, beat_at
        )
        \(merge) RETURNING viewer_id, entry_id, tab, n, session_id, started_at, ended_at, beats
        """)

    private static let insert = """
        INSERT INTO segment (
            viewer_id, entry_id, tab, n, session_id, started_at, ended_at, attention, page_id, video_id,
            media_from_ms, media_to_ms, rate, end_reason, unsure_ms, refused_before_ms, refused_future_ms,
            refused_media_ms, first_beat_at, last_beat_at
        )
        """

    private static let merge = """
        ON CONFLICT (viewer_id, entry_id, tab, n) DO UPDATE SET
            started_at = CASE WHEN excluded.started_at < segment.started_at
                THEN excluded.started_at ELSE segment.started_at END,
            ended_at = CASE WHEN excluded.started_at < segment.started_at
                THEN excluded.started_at ELSE segment.started_at END
                + CASE WHEN excluded.ended_at - excluded.started_at > segment.ended_at - segment.started_at
                    THEN excluded.ended_at - excluded.started_at ELSE segment.ended_at - segment.started_at END,
            attention = CASE WHEN excluded.attention = 'active' THEN 'active' ELSE segment.attention END,
            page_id = CASE WHEN segment.page_id <= excluded.page_id
                THEN segment.page_id ELSE coalesce(excluded.page_id, segment.page_id) END,
            video_id = CASE WHEN segment.video_id <= excluded.video_id
                THEN segment.video_id ELSE coalesce(excluded.video_id, segment.video_id) END,
            media_from_ms = CASE WHEN segment.media_from_ms <= excluded.media_from_ms
                THEN segment.media_from_ms ELSE coalesce(excluded.media_from_ms, segment.media_from_ms) END,
            media_to_ms = CASE WHEN segment.media_from_ms <= excluded.media_from_ms
                THEN segment.media_from_ms ELSE coalesce(excluded.media_from_ms, segment.media_from_ms) END
                + CASE WHEN segment.media_to_ms - segment.media_from_ms
                        >= excluded.media_to_ms - excluded.media_from_ms
                    THEN segment.media_to_ms - segment.media_from_ms
                    ELSE coalesce(excluded.media_to_ms - excluded.media_from_ms,
                        segment.media_to_ms - segment.media_from_ms) END,
            rate = CASE WHEN segment.rate >= excluded.rate
                THEN segment.rate ELSE coalesce(excluded.rate, segment.rate) END,
            end_reason = CASE WHEN segment.end_reason <= excluded.end_reason
                THEN segment.end_reason ELSE coalesce(excluded.end_reason, segment.end_reason) END,
            unsure_ms = CASE WHEN excluded.ended_at - excluded.started_at > segment.ended_at - segment.started_at
                    OR (excluded.ended_at - excluded.started_at = segment.ended_at - segment.started_at
                        AND excluded.unsure_ms < segment.unsure_ms)
                THEN excluded.unsure_ms ELSE segment.unsure_ms END,
            refused_before_ms = CASE WHEN excluded.refused_before_ms > segment.refused_before_ms
                THEN excluded.refused_before_ms ELSE segment.refused_before_ms END,
            refused_future_ms = CASE WHEN excluded.refused_future_ms > segment.refused_future_ms
                THEN excluded.refused_future_ms ELSE segment.refused_future_ms END,
            refused_media_ms = CASE WHEN excluded.refused_media_ms > segment.refused_media_ms
                THEN excluded.refused_media_ms ELSE segment.refused_media_ms END,
            beats = segment.beats + 1,
            first_beat_at = CASE WHEN excluded.first_beat_at < segment.first_beat_at
                THEN excluded.first_beat_at ELSE segment.first_beat_at END,
            last_beat_at = CASE WHEN excluded.last_beat_at > segment.last_beat_at
                THEN excluded.last_beat_at ELSE segment.last_beat_at END
        """
}

/// The end of one of the server's own streams.
struct LatestSegment {
    let n: Int64
    let start: Timestamp
    let end: Timestamp
}

/// A segment's row, as far as storing needs it.
struct StoredSegment {
    let session: Int64
    let start: Timestamp
    let end: Timestamp
    /// How many beats told of it.
    let beats: Int

    fileprivate init(row: Row) throws {
        session = try row["session_id"]
        start = try row["started_at"]
        end = try row["ended_at"]
        beats = try row["beats"]
    }
}

extension SegmentKey {
    fileprivate init(row: Row) throws {
        let entry = EntryKey(viewer: try row["viewer_id"], entry: try row["entry_id"])
        self.init(tab: TabKey(entry: entry, tab: try row["tab"]), n: try row["n"])
    }
}

/// A segment, and the session that it goes to unless its name is known from another.
struct PlacedSegment {
    let credited: CreditedSegment
    let session: Session

    /// The values of the columns of the upsert, in order.
    fileprivate var columns: [any SQLConvertible] {
        let segment = credited.segment
        return [
            credited.entry.viewer, credited.entry.id, segment.tab, segment.n, session.id, segment.start, segment.end,
            segment.attention, credited.pageID, credited.videoID, segment.media?.from, segment.media?.to,
            segment.rate, segment.ending, segment.unsure, segment.refused.beforeSession, segment.refused.future,
            segment.refused.media, credited.arrival,
        ]
    }

    /// The same of many, as one array a column.
    fileprivate static func arrays(of placed: [PlacedSegment]) -> [any SQLConvertible] {
        func integers(_ value: (PlacedSegment) -> Int64?) -> SQLValue { .integers(placed.map(value)) }
        func texts(_ value: (PlacedSegment) -> String?) -> SQLValue { .texts(placed.map(value)) }
        return [
            integers(\.credited.entry.viewer), integers(\.credited.entry.id), texts(\.credited.segment.tab),
            integers(\.credited.segment.n), integers(\.session.id), integers(\.credited.segment.start.milliseconds),
            integers(\.credited.segment.end.milliseconds), texts(\.credited.segment.attention.rawValue),
            integers(\.credited.pageID), integers(\.credited.videoID), integers(\.credited.segment.media?.from),
            integers(\.credited.segment.media?.to), SQLValue.reals(placed.map(\.credited.segment.rate)),
            texts(\.credited.segment.ending?.rawValue), integers(\.credited.segment.unsure),
            integers(\.credited.segment.refused.beforeSession), integers(\.credited.segment.refused.future),
            integers(\.credited.segment.refused.media), integers(\.credited.arrival.milliseconds),
        ]
    }
}
