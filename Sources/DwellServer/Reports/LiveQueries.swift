import DwellAPI

/// What is asked about those who are here now.
struct LiveQueries {
    let connection: any DatabaseConnection
    /// Who was heard of after this time is here.
    let time: Timestamp

    private static let isLive = "folded_at IS NULL AND seen_slot >= $2 AND last_seen_at > $1"

    private var arguments: [any SQLConvertible] { [time, time.milliseconds / Session.slotLength] }

    /// How many people are here.
    func viewerCount() throws -> Int {
        try connection.row(
            "SELECT count(DISTINCT viewer_id) AS count FROM session WHERE \(Self.isLive)", arguments)?["count"] ?? 0
    }

    /// Their sessions, those that began last first. The plus keeps SQLite from going through all sessions in that order.
    func sessions(after cursor: SessionCursor?, limit: Int) throws -> [LiveSession] {
        let follows = cursor == nil ? "" : " AND (started_at, id) < ($4, $5)"
        return try connection.rows(
            """
            SELECT here.id, here.viewer_id, viewer.kind, coalesce(viewer.email, account.email) AS email,
                account.username, here.started_at, here.last_seen_at,
                \(Self.latest("page_id")) AS page, \(Self.latest("video_id")) AS video
            FROM (
                SELECT viewer_id, id, started_at, last_seen_at FROM session
                WHERE \(Self.isLive)\(follows)
                ORDER BY +started_at DESC, id DESC LIMIT $3
            ) AS here JOIN viewer ON viewer.id = here.viewer_id
                LEFT JOIN account ON account.viewer_id = viewer.id
            ORDER BY here.started_at DESC, here.id DESC
            """, arguments + [limit] + (cursor.map { [$0.startedAt, $0.id] } ?? [])
        ).map(LiveSession.init(row:))
    }

    private static func latest(_ column: String) -> String {
        """
        (SELECT content.name FROM segment JOIN content ON content.id = segment.\(column)
            WHERE segment.viewer_id = here.viewer_id AND segment.session_id = here.id AND segment.ended_at > $1
            ORDER BY segment.ended_at DESC, segment.started_at DESC LIMIT 1)
        """
    }
}

extension LiveSession {
    fileprivate init(row: Row) throws {
        self.init(
            id: try row["id"],
            viewer: ViewerRecord(
                id: try row["viewer_id"], kind: try row["kind"], email: try row["email"],
                username: try row["username"]),
            since: try row["started_at"], lastSeenTime: try row["last_seen_at"], page: try row["page"],
            video: try row["video"])
    }
}
