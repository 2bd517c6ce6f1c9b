import DwellAPI
import Foundation

/// What a person's day is made of.
struct TimelineQueries {
    let connection: any DatabaseConnection

    /// A segment's part in a day, as it is folded and as it is shown.
    typealias Part = (piece: DayFold.Piece, segment: TimelineSegment)

    /// The parts of a person's segments that lie in a window, in the order of their starts.
    func parts(of viewer: Int64, in window: Range<Timestamp>) throws -> [Part] {
        try connection.rows(Self.parts, [viewer, window.lowerBound, window.upperBound]).map { row in
            var values = row.reader
            let piece = try DayFold.Piece(values: &values, within: window)
            let device: UUID? = try row["device_id"]
            let segment = TimelineSegment(
                sessionId: try row["session_id"], deviceId: device?.lowercase, tab: piece.tab.name, n: try row["n"],
                start: piece.interval.lowerBound, end: piece.interval.upperBound, attention: piece.attention,
                page: try row["page"], video: try row["video"])
            return (piece, segment)
        }.sorted {
            ($0.segment.start, $0.segment.sessionId, $0.segment.tab, $0.segment.n)
                < ($1.segment.start, $1.segment.sessionId, $1.segment.tab, $1.segment.n)
        }
    }

    /// The same segments that statistics fold.
    private static let parts = SQLStatement(
        """
        SELECT \(DayFold.Piece.columns), segment.n, segment.session_id, session.device_id, page.name AS page,
            video.name AS video
        FROM session JOIN segment
            ON segment.viewer_id = session.viewer_id AND segment.session_id = session.id
            LEFT JOIN content AS page ON page.id = segment.page_id
            LEFT JOIN content AS video ON video.id = segment.video_id
        WHERE session.viewer_id = $1 AND session.started_at < $3 AND session.last_seen_at >= $2
            AND segment.started_at < $3 AND (segment.ended_at > $2 OR segment.started_at >= $2)
        """)

    /// How many of a person's sessions in a window have totals in place of their segments.
    func foldedSessions(of viewer: Int64, in window: Range<Timestamp>) throws -> Int {
        try connection.row(
            """
            SELECT count(*) AS count FROM session
            WHERE viewer_id = $1 AND started_at < $3 AND last_seen_at >= $2 AND visible_ms IS NOT NULL
            """, [viewer, window.lowerBound, window.upperBound])?["count"] ?? 0
    }
}
