import DwellAPI

/// What is asked of, and told to, the segment table.
struct SegmentQueries {
    let connection: any DatabaseConnection

    /// The segments of these names, as far as there are any.
    func segments(_ keys: [SegmentKey]) throws -> [StoredSegment] {
        guard !keys.isEmpty else { return [] }
        switch connection.dialect {
        case .sqlite:
            return try keys.flatMap {
                try connection.values(
                    Self.named, [$0.tab.entry.viewer, $0.tab.entry.entry, $0.tab.tab, $0.n],
                    StoredSegment.init(values:))
            }
        case .postgres:
            return try connection.values(
                Self.manyNamed,
                [
                    SQLValue.integers(keys.map(\.tab.entry.viewer)), SQLValue.integers(keys.map(\.tab.entry.entry)),
                    SQLValue.texts(keys.map(\.tab.tab)), SQLValue.integers(keys.map(\.n)),
                ], StoredSegment.init(values:))
        }
    }

    private static let oneNamed =
        "SELECT \(columns) FROM segment WHERE viewer_id = $1 AND entry_id = $2 AND tab = $3 AND n = $4"
    private static let named = SQLStatement(oneNamed)
    private static let manyNamed = SQLStatement(
        SQLDialect.forEachKey(oneNamed, ["bigint", "bigint", "text", "bigint"]))

    /// The newest segments of some of the server's own tabs.
    func latest(_ keys: [TabKey]) throws -> [StoredSegment] {
        guard !keys.isEmpty else { return [] }
        switch connection.dialect {
        case .sqlite:
            return try keys.flatMap {
                try connection.values(
                    Self.latest, [$0.entry.viewer, $0.entry.entry, $0.tab], StoredSegment.init(values:))
            }
        case .postgres:
            return try connection.values(
                Self.manyLatest,
                [
                    SQLValue.integers(keys.map(\.entry.viewer)), SQLValue.integers(keys.map(\.entry.entry)),
                    SQLValue.texts(keys.map(\.tab)),
                ], StoredSegment.init(values:))
        }
    }

    private static let oneLatest = """
        SELECT \(columns) FROM segment
        WHERE viewer_id = $1 AND entry_id = $2 AND tab = $3
        ORDER BY n DESC LIMIT 1
        """
    private static let latest = SQLStatement(oneLatest)
    private static let manyLatest = SQLStatement(SQLDialect.forEachKey(oneLatest, ["bigint", "bigint", "text"]))

    /// Writes segments that have no row yet, each of another name.
    func insert(_ segments: [StoredSegment]) throws {
        guard !segments.isEmpty else { return }
        switch connection.dialect {
        case .sqlite: for segment in segments { try connection.execute(Self.insert, segment.values) }
        case .postgres: try connection.execute(Self.insertMany, StoredSegment.arrays(of: segments))
        }
    }

    /// Writes segments as they are now, each of another name. They stay in their sessions: see `move`.
    func update(_ changes: [SegmentChange]) throws {
        guard !changes.isEmpty else { return }
        switch connection.dialect {
        case .sqlite:
            for change in changes {
                switch change.extent {
                case .growth: try connection.execute(Self.grow, change.segment.growth)
                case .measures: try connection.execute(Self.update, change.segment.values)
                case .contents: try connection.execute(Self.updateWithContents, change.segment.values)
                }
            }
        case .postgres: try connection.execute(Self.updateMany, StoredSegment.arrays(of: changes.map(\.segment)))
        }
    }

    private static let columns = """
        viewer_id, entry_id, tab, n, session_id, started_at, ended_at, attention, page_id, video_id, media_from_ms,
        media_to_ms, rate, end_reason, unsure_ms, refused_before_ms, refused_future_ms, refused_media_ms, beats,
        first_beat_at, last_beat_at, media_duration_ms
        """

    private static let insert = SQLStatement(
        """
        INSERT INTO segment (\(columns)) VALUES (
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
        """)

    private static let grow = SQLStatement(
        """
        UPDATE segment SET ended_at = $6, media_to_ms = $7, unsure_ms = $8, beats = $9, last_beat_at = $10 \(sameName)
        """)
    private static let update = SQLStatement("UPDATE segment SET \(moving) \(sameName)")
    private static let updateWithContents = SQLStatement(
        "UPDATE segment SET page_id = $9, video_id = $10, \(moving) \(sameName)")

    private static let moving = """
        started_at = $6, ended_at = $7, attention = $8, media_from_ms = $11, media_to_ms = $12, rate = $13,
        end_reason = $14, unsure_ms = $15, refused_before_ms = $16, refused_future_ms = $17, refused_media_ms = $18,
        beats = $19, first_beat_at = $20, last_beat_at = $21, media_duration_ms = $22
        """
    private static let sameName =
        "WHERE viewer_id = $1 AND entry_id = $2 AND tab = $3 AND n = $4 AND session_id = $5"

    private static let told = """
        unnest(
            $1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::float8[], $14::text[],
            $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[],
            $22::bigint[])
        AS told (\(columns))
        """

    private static let insertMany = SQLStatement("INSERT INTO segment (\(columns)) SELECT * FROM \(told)")

    private static let updateMany = SQLStatement(
        """
        UPDATE segment SET
            started_at = told.started_at, ended_at = told.ended_at, attention = told.attention,
            page_id = told.page_id, video_id = told.video_id, media_from_ms = told.media_from_ms,
            media_to_ms = told.media_to_ms, rate = told.rate, end_reason = told.end_reason,
            unsure_ms = told.unsure_ms, refused_before_ms = told.refused_before_ms,
            refused_future_ms = told.refused_future_ms, refused_media_ms = told.refused_media_ms,
            beats = told.beats, first_beat_at = told.first_beat_at, last_beat_at = told.last_beat_at,
            media_duration_ms = told.media_duration_ms
        FROM \(told)
        WHERE segment.viewer_id = told.viewer_id AND segment.entry_id = told.entry_id
            AND segment.tab = told.tab AND segment.n = told.n AND segment.session_id = told.session_id
        """)

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
        """
        INSERT INTO dirty_day (viewer_id, day) VALUES ($1, $2)
        ON CONFLICT (viewer_id, day) DO UPDATE SET taker = NULL WHERE taker IS NOT NULL
        """)

    /// Without a condition DO UPDATE locks a mark that is there: whoever takes it waits for what this transaction brings.
    private static let markManyDirty = SQLStatement(
        """
        INSERT INTO dirty_day (viewer_id, day)
        SELECT * FROM unnest($1::bigint[], $2::bigint[])
        ON CONFLICT (viewer_id, day) DO UPDATE SET taker = NULL
        """)
}

extension SegmentQueries {
    /// Notes that what viewers watched of videos must be folded anew.
    func markWatched(_ pairs: [ViewerVideo]) throws {
        guard !pairs.isEmpty else { return }
        // Whoever folds takes a mark away only as he met it.
        let mark = Int64.random(in: .min ... .max)
        switch connection.dialect {
        case .sqlite:
            for pair in pairs { try connection.execute(Self.markOneWatched, [pair.viewer, pair.video, mark]) }
        case .postgres:
            try connection.execute(
                Self.markManyWatched,
                [SQLValue.integers(pairs.map(\.viewer)), SQLValue.integers(pairs.map(\.video)), mark])
        }
    }

    /// Lets nobody keep what is computed of a viewer's marked videos at this moment.
    func renewMarks(of viewer: Int64) throws {
        try connection.execute(
            "UPDATE dirty_video SET mark = $2 WHERE viewer_id = $1", [viewer, Int64.random(in: .min ... .max)])
    }

    private static let markOneWatched = SQLStatement(
        """
        INSERT INTO dirty_video (viewer_id, video_id, mark) VALUES ($1, $2, $3)
        ON CONFLICT (viewer_id, video_id) DO UPDATE SET mark = excluded.mark
        """)
    private static let markManyWatched = SQLStatement(
        """
        INSERT INTO dirty_video (viewer_id, video_id, mark)
        SELECT viewer_id, video_id, $3 FROM unnest($1::bigint[], $2::bigint[]) AS pair (viewer_id, video_id)
        ON CONFLICT (viewer_id, video_id) DO UPDATE SET mark = excluded.mark
        """)
}

extension StoredSegment {
    /// - Parameter values: Of the columns, in their order
    fileprivate init(values: inout RowReader) throws {
        let entry = EntryKey(viewer: try values.next(), entry: try values.next())
        key = SegmentKey(tab: TabKey(entry: entry, tab: try values.next()), n: try values.next())
        session = try values.next()
        start = try values.next()
        end = try values.next()
        attention = try values.next()
        pageID = try values.next()
        videoID = try values.next()
        media = try MediaRange(from: values.next(), to: values.next())
        rate = try values.next()
        ending = try values.next()
        unsure = try values.next()
        refused = try RefusedTime(beforeSession: values.next(), future: values.next(), media: values.next())
        beats = try values.next()
        firstBeat = try values.next()
        lastBeat = try values.next()
        mediaDuration = try values.next()
    }

    /// The values of the columns, in their order.
    fileprivate var values: [any SQLConvertible] {
        [
            key.tab.entry.viewer, key.tab.entry.entry, key.tab.tab, key.n, session, start, end, attention, pageID,
            videoID, media?.from, media?.to, rate, ending, unsure, refused.beforeSession, refused.future,
            refused.media, beats, firstBeat, lastBeat, mediaDuration,
        ]
    }

    /// The values that name it, and those that move while it grows.
    fileprivate var growth: [any SQLConvertible] {
        [
            key.tab.entry.viewer, key.tab.entry.entry, key.tab.tab, key.n, session, end, media?.to, unsure, beats,
            lastBeat,
        ]
    }

    /// All values of many, as one array a column.
    fileprivate static func arrays(of segments: [StoredSegment]) -> [any SQLConvertible] {
        func integers(_ value: (StoredSegment) -> Int64?) -> SQLValue { .integers(segments.map(value)) }
        func texts(_ value: (StoredSegment) -> String?) -> SQLValue { .texts(segments.map(value)) }
        return [
            integers(\.key.tab.entry.viewer), integers(\.key.tab.entry.entry), texts(\.key.tab.tab), integers(\.key.n),
            integers(\.session), integers(\.start.milliseconds), integers(\.end.milliseconds),
            texts(\.attention.rawValue), integers(\.pageID), integers(\.videoID), integers(\.media?.from),
            integers(\.media?.to), SQLValue.reals(segments.map(\.rate)), texts(\.ending?.rawValue),
            integers(\.unsure), integers(\.refused.beforeSession), integers(\.refused.future),
            integers(\.refused.media), integers { Int64($0.beats) }, integers(\.firstBeat.milliseconds),
            integers(\.lastBeat.milliseconds), integers(\.mediaDuration),
        ]
    }
}

extension MediaRange {
    /// - Returns: `nil` unless both are there
    fileprivate init?(from: Int64?, to: Int64?) {
        guard let from, let to else { return nil }
        self.init(from: from, to: to)
    }
}
