import DwellAPI

/// What is asked about videos and those who watched them.
struct VideoQueries {
    let connection: any DatabaseConnection

    /// Videos after one, by number, with their names.
    func videos(after id: Int64, limit: Int) throws -> [(name: String, video: Video)] {
        try connection.rows(
            """
            SELECT video.*, content.name FROM video JOIN content ON content.id = video.id
            WHERE video.id > $1 ORDER BY video.id LIMIT $2
            """, [id, limit]
        ).map { (try $0["name"], try Video(row: $0)) }
    }

    /// A video by its name; one that waits to be folded for the first time is as new.
    func video(_ name: String) throws -> Video? {
        guard let id = try ReportQueries(connection: connection).content(.video, name) else { return nil }
        return try AudienceQueries(connection: connection).video(id)
    }

    /// Those who watched a video after one of them, by number; the excluded are left out.
    func viewers(of video: Int64, after viewer: Int64, limit: Int) throws -> [(viewer: ViewerRecord, StoredCoverage)] {
        try connection.rows(
            """
            \(Self.found) WHERE coverage.video_id = $1 AND coverage.viewer_id > $2
                AND coverage.viewer_id NOT IN \(ExclusionQueries.all)
            ORDER BY coverage.viewer_id LIMIT $3
            """, [video, viewer, limit]
        ).map(Self.viewer)
    }

    /// One of those who watched a video, if they did.
    func viewer(_ viewer: Int64, of video: Int64) throws -> [(viewer: ViewerRecord, StoredCoverage)] {
        try connection.rows(
            "\(Self.found) WHERE coverage.viewer_id = $1 AND coverage.video_id = $2", [viewer, video]
        ).map(Self.viewer)
    }

    /// What a person watched, the latest first, each with the video's name.
    func watched(by viewer: Int64, limit: Int) throws -> [(name: String, StoredCoverage)] {
        try connection.rows(
            """
            SELECT coverage.*, content.name FROM coverage JOIN content ON content.id = coverage.video_id
            WHERE coverage.viewer_id = $1 ORDER BY coverage.watched_at DESC, coverage.video_id LIMIT $2
            """, [viewer, limit]
        ).map { (try $0["name"], try StoredCoverage(row: $0)) }
    }

    private static let found = """
        SELECT coverage.*, viewer.kind, coalesce(viewer.email, account.email) AS email, account.username
        FROM coverage JOIN viewer ON viewer.id = coverage.viewer_id
            LEFT JOIN account ON account.viewer_id = coverage.viewer_id
        """

    private static func viewer(_ row: Row) throws -> (viewer: ViewerRecord, StoredCoverage) {
        let viewer = ViewerRecord(
            id: try row["viewer_id"], kind: try row["kind"], email: try row["email"], username: try row["username"])
        return (viewer, try StoredCoverage(row: row))
    }
}
