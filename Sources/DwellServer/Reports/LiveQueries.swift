import DwellAPI

/// What is asked about those who are here now.
struct LiveQueries {
    let connection: any DatabaseConnection
    /// Who was heard of after this time is here.
    let time: Timestamp
    /// Only who watches this video since then.
    let video: Int64?

    /// Only of those that the first span of time holds the rows are needed.
    private static let here = """
        SELECT viewer_id, id, started_at FROM session
        WHERE folded_at IS NULL AND seen_slot > $2 AND viewer_id NOT IN \(ExclusionQueries.all)
        UNION ALL
        SELECT viewer_id, id, started_at FROM session
        WHERE folded_at IS NULL AND seen_slot = $2 AND last_seen_at > $1 AND viewer_id NOT IN \(ExclusionQueries.all)
        """

    private var live: String {
        guard video != nil else { return Self.here }
        // Counts, because a database may answer whether there is any by going through all segments there are.
        return """
            SELECT viewer_id, id, started_at FROM (\(Self.here)) AS anywhere
            WHERE (SELECT count(*) FROM segment
                WHERE segment.viewer_id = anywhere.viewer_id AND segment.session_id = anywhere.id
                    AND segment.video_id = $3 AND segment.ended_at > $1) > 0
            """
    }

    private var arguments: [any SQLConvertible] {
        [time, time.milliseconds / Session.slotLength] + (video.map { [$0] } ?? [])
    }

    /// How many people are here, and their sessions, those that began last first.
    ///
    /// The signs keep the database from going through all sessions by their start in search of a few that are live.
    func page(after cursor: SessionCursor?, limit: Int) throws -> (viewers: Int, sessions: [LiveSession]) {
        let next = arguments.count + 1
        let rows = try connection.rows(
            """
            WITH live AS \(video == nil ? "NOT MATERIALIZED" : "MATERIALIZED") (\(live))
            SELECT here.id, here.viewer_id, viewer.kind, coalesce(viewer.email, account.email) AS email,
                account.username, session.started_at, session.last_seen_at,
                \(Self.latest("page_id")) AS page, \(Self.latest("video_id")) AS video,
                (SELECT count(DISTINCT viewer_id) FROM live) AS viewers
            FROM (
                SELECT * FROM live\(cursor == nil ? "" : " WHERE (started_at, id) < ($\(next + 1), $\(next + 2))")
                ORDER BY +started_at DESC, +id DESC LIMIT $\(next)
            ) AS here JOIN session ON session.viewer_id = here.viewer_id AND session.id = here.id
                JOIN viewer ON viewer.id = here.viewer_id
                LEFT JOIN account ON account.viewer_id = viewer.id
            ORDER BY here.started_at DESC, here.id DESC
            """, arguments + [limit] + (cursor.map { [$0.startedAt, $0.id] } ?? []))
        return (try rows.first?["viewers"] ?? viewerCount(), try rows.map(LiveSession.init(row:)))
    }

    /// How many people are here.
    func viewerCount() throws -> Int {
        try connection.row(
            "SELECT count(DISTINCT viewer_id) AS count FROM (\(live)) AS live", arguments)?["count"] ?? 0
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
