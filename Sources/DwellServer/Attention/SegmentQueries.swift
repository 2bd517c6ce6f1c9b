import DwellAPI

/// What is asked of, and told to, the segment table.
struct SegmentQueries {
    let connection: any DatabaseConnection

    /// Stores a segment, or extends the one that has its name: the earliest start and the greatest length hold.
    /// Whatever order and however often the same claims come, the row is the same, and a claim that took longer on its
    /// way the second time is no longer for it.
    /// - Returns: The row as it is now
    func store(_ segment: Segment, in session: Session, pageID: Int64?, videoID: Int64?) throws -> Range<Timestamp> {
        let row = try connection.row(
            Self.upsert,
            [
                session.viewer, session.id, segment.tab, segment.n, segment.start, segment.end, segment.attention,
                pageID, videoID, segment.media?.from, segment.media?.to, segment.rate,
                segment.refusal?.milliseconds ?? 0, segment.refusal?.reason.rawValue,
            ])
        guard let row else { throw DatabaseError.failure("an upsert that returned no row") }
        let start: Timestamp = try row["started_at"]
        return start..<(try row["ended_at"])
    }

    /// The newest segment of one of the server's own tabs.
    func latest(tab: String, in session: Session) throws -> (n: Int64, start: Timestamp, end: Timestamp)? {
        try connection.row(
            """
            SELECT n, started_at, ended_at FROM segment
            WHERE viewer_id = $1 AND session_id = $2 AND tab = $3
            ORDER BY n DESC LIMIT 1
            """, [session.viewer, session.id, tab]
        ).map { (try $0["n"], try $0["started_at"], try $0["ended_at"]) }
    }

    /// Notes that a viewer's day must be computed anew.
    func markDirty(viewer: Int64, day: Int64) throws {
        try connection.execute(
            "INSERT INTO dirty_day (viewer_id, day) VALUES ($1, $2) ON CONFLICT (viewer_id, day) DO NOTHING",
            [viewer, day])
    }

    private static let upsert = """
        INSERT INTO segment (
            viewer_id, session_id, tab, n, started_at, ended_at, attention, page_id, video_id,
            media_from_ms, media_to_ms, rate, refused_ms, refused_reason
        ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        ON CONFLICT (viewer_id, session_id, tab, n) DO UPDATE SET
            started_at = CASE WHEN excluded.started_at < segment.started_at
                THEN excluded.started_at ELSE segment.started_at END,
            ended_at = CASE WHEN excluded.started_at < segment.started_at
                THEN excluded.started_at ELSE segment.started_at END
                + CASE WHEN excluded.ended_at - excluded.started_at > segment.ended_at - segment.started_at
                    THEN excluded.ended_at - excluded.started_at ELSE segment.ended_at - segment.started_at END,
            attention = CASE WHEN excluded.attention = 'active' THEN 'active' ELSE segment.attention END,
            page_id = coalesce(segment.page_id, excluded.page_id),
            video_id = coalesce(segment.video_id, excluded.video_id),
            media_from_ms = CASE WHEN segment.media_from_ms <= excluded.media_from_ms
                THEN segment.media_from_ms ELSE coalesce(excluded.media_from_ms, segment.media_from_ms) END,
            media_to_ms = CASE WHEN segment.media_to_ms >= excluded.media_to_ms
                THEN segment.media_to_ms ELSE coalesce(excluded.media_to_ms, segment.media_to_ms) END,
            rate = CASE WHEN segment.rate >= excluded.rate
                THEN segment.rate ELSE coalesce(excluded.rate, segment.rate) END,
            refused_ms = CASE WHEN excluded.refused_ms > segment.refused_ms
                THEN excluded.refused_ms ELSE segment.refused_ms END,
            refused_reason = CASE WHEN excluded.refused_ms > segment.refused_ms
                THEN excluded.refused_reason ELSE segment.refused_reason END
        RETURNING started_at, ended_at
        """
}
