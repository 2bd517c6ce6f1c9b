import DwellAPI

/// What is asked of, and told to, the segment table.
struct SegmentQueries {
    let connection: any DatabaseConnection

    /// A segment's row, as far as storing needs it.
    struct Stored {
        let session: Int64
        let start: Timestamp
        let end: Timestamp
        /// How many beats told of it.
        let beats: Int
    }

    /// Stores a segment, or extends the one that has its name: the earliest start and the greatest length hold, and
    /// the longest claim says how sure the end is. Whatever order and however often the same claims come, the row is
    /// the same, and a claim that took longer on its way the second time is no longer for it.
    /// - Parameters:
    ///   - segment: As credited
    ///   - session: Where it belongs, unless its name is known from another session of the entry
    ///   - arrival: When the beat came that told of it
    /// - Returns: The row as it is now
    func store(
        _ segment: Segment, in session: Session, of entry: Entry, pageID: Int64?, videoID: Int64?, arrival: Timestamp
    ) throws -> Stored {
        let row = try connection.row(
            Self.upsert,
            [
                entry.viewer, entry.id, segment.tab, segment.n, session.id, segment.start, segment.end,
                segment.attention, pageID, videoID, segment.media?.from, segment.media?.to, segment.rate,
                segment.ending, segment.unsure, segment.refused.beforeSession, segment.refused.future,
                segment.refused.media, arrival,
            ])
        guard let row else { throw DatabaseError.failure("an upsert that returned no row") }
        return Stored(
            session: try row["session_id"], start: try row["started_at"], end: try row["ended_at"],
            beats: try row["beats"])
    }

    /// The newest segment of one of the server's own tabs.
    func latest(tab: String, of entry: Entry) throws -> (n: Int64, start: Timestamp, end: Timestamp)? {
        try connection.row(
            """
            SELECT n, started_at, ended_at FROM segment
            WHERE viewer_id = $1 AND entry_id = $2 AND tab = $3
            ORDER BY n DESC LIMIT 1
            """, [entry.viewer, entry.id, tab]
        ).map { (try $0["n"], try $0["started_at"], try $0["ended_at"]) }
    }

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

    /// Notes that a viewer's day must be computed anew.
    func markDirty(viewer: Int64, day: Int64) throws {
        try connection.execute(
            "INSERT INTO dirty_day (viewer_id, day) VALUES ($1, $2) ON CONFLICT (viewer_id, day) DO NOTHING",
            [viewer, day])
    }

    private static let upsert = """
        INSERT INTO segment (
            viewer_id, entry_id, tab, n, session_id, started_at, ended_at, attention, page_id, video_id,
            media_from_ms, media_to_ms, rate, end_reason, unsure_ms, refused_before_ms, refused_future_ms,
            refused_media_ms, first_beat_at, last_beat_at
        ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19)
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
        RETURNING session_id, started_at, ended_at, beats
        """
}
