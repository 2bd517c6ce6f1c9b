import DwellAPI

/// What the evidence for a session is made of.
struct EvidenceQueries {
    let connection: any DatabaseConnection

    /// Sessions' segments, by the sessions' numbers, in the order of their starts.
    func segments(of sessions: [ListedSession]) throws -> [Int64: [SegmentRecord]] {
        let rows =
            switch connection.dialect {
            case .sqlite:
                try sessions.flatMap { try connection.rows(Self.segments, [$0.viewer.id, $0.id]) }
            case .postgres:
                try connection.rows(
                    Self.manySegments,
                    [SQLValue.integers(sessions.map(\.viewer.id)), SQLValue.integers(sessions.map(\.id))])
            }
        return try Dictionary(grouping: rows) { try $0["session_id"] as Int64 }.mapValues { rows in
            try rows.map(SegmentRecord.init(row:)).sorted { ($0.start, $0.tab, $0.n) < ($1.start, $1.tab, $1.n) }
        }
    }

    private static let ofOneSession = """
        SELECT segment.session_id, segment.tab, segment.n, segment.started_at, segment.ended_at, segment.unsure_ms,
            segment.attention, segment.end_reason, page.name AS page, video.name AS video, segment.media_from_ms,
            segment.media_to_ms, segment.rate, segment.refused_before_ms, segment.refused_future_ms,
            segment.refused_media_ms, segment.beats, segment.first_beat_at, segment.last_beat_at
        FROM segment LEFT JOIN content AS page ON page.id = segment.page_id
            LEFT JOIN content AS video ON video.id = segment.video_id
        WHERE segment.viewer_id = $1 AND segment.session_id = $2
        """
    private static let segments = SQLStatement(ofOneSession)
    private static let manySegments = SQLStatement(SQLDialect.forEachKey(ofOneSession, ["bigint", "bigint"]))

    /// The device that a session's beats came from.
    func devices(of session: ListedSession) throws -> [DeviceRecord] {
        guard let id = session.device else { return [] }
        return try DeviceQueries(connection: connection).device(id).map { [$0.evidence] } ?? []
    }
}

extension SegmentRecord {
    fileprivate init(row: Row) throws {
        self.init(
            tab: try row["tab"], n: try row["n"], start: try row["started_at"], end: try row["ended_at"],
            unsureMs: try row["unsure_ms"], attention: try row["attention"], ended: try row["end_reason"],
            page: try row["page"], video: try row["video"], mediaFromMs: try row["media_from_ms"],
            mediaToMs: try row["media_to_ms"], rate: try row["rate"],
            refused: RefusedRecord(
                beforeSessionMs: try row["refused_before_ms"], futureMs: try row["refused_future_ms"],
                mediaMs: try row["refused_media_ms"]),
            beats: try row["beats"], firstBeatTime: try row["first_beat_at"], lastBeatTime: try row["last_beat_at"])
    }
}
