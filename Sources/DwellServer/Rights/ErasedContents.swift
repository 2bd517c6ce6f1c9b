import DwellAPI

/// Pages and videos that only people saw who are erased. Their rows stay, as what once referred to them would have to be
/// looked for everywhere; their names go.
struct ErasedContents {
    let connection: any DatabaseConnection
    let days: LocalDays

    /// Those that nobody else has seen. Statistics must have been computed a moment ago: what came since is looked at.
    func unseen(by erasure: String) throws -> [Int64] {
        let candidates: [Int64] = try connection.rows(
            "SELECT content_id FROM erasing_content WHERE erasure_id = $1 ORDER BY content_id", [erasure]
        ).map { try $0["content_id"] }
        // What others have seen long ago is told at once; only the rest is looked for among what they do now.
        let rest = try candidates.filter { try !isSeen($0) }
        guard !rest.isEmpty else { return [] }
        let fresh = try seenSince()
        return rest.filter { !fresh.contains($0) }
    }

    /// What is seen on days that are not computed.
    private func seenSince() throws -> Set<Int64> {
        let queries = StatisticQueries(connection: connection)
        let waiting = try connection.rows("SELECT viewer_id, day FROM dirty_day")
        return Set(
            try waiting.flatMap { row in
                try queries.pieces(of: try row["viewer_id"], in: days.range(of: try row["day"])).flatMap(\.contents)
            })
    }

    /// Asks for the first of each, because a database may answer whether there is any by going through all.
    private func isSeen(_ content: Int64) throws -> Bool {
        try connection.row(
            """
            SELECT 1 AS one WHERE (SELECT min(day) FROM daily_statistic WHERE content_id = $1) IS NOT NULL
                OR (SELECT min(viewer_id) FROM coverage WHERE video_id = $1) IS NOT NULL
                OR EXISTS (SELECT 1 FROM video
                    WHERE id = $1 AND (given_duration_ms IS NOT NULL OR complete_at IS NOT NULL))
            """, [content]) != nil
    }

    /// Takes their names away, but of those that somebody has seen meanwhile.
    /// - Returns: How many had one
    func forget(_ contents: some Sequence<Int64>) throws -> Int {
        try contents.filter { try !isSeen($0) }.reduce(0) { count, content in
            try connection.execute("DELETE FROM told_duration WHERE video_id = $1", [content])
            try connection.execute("DELETE FROM video WHERE id = $1", [content])
            // A space is at the beginning of no path, and of no name that a page gives.
            return try count
                + connection.execute(
                    "UPDATE content SET name = $2 WHERE id = $1 AND name <> $2", [content, " erased \(content)"])
        }
    }
}
