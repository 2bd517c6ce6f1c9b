import DwellAPI

/// What is asked of, and told to, the table of those who are excluded.
struct ExclusionQueries {
    /// The numbers of all of them, for conditions: few, so that every row may be compared with them.
    static let all = "(SELECT viewer_id FROM exclusion)"

    let connection: any DatabaseConnection

    /// The numbers of all of them.
    func viewers() throws -> Set<Int64> {
        Set(try connection.rows(Self.numbers, []).map { try $0["viewer_id"] })
    }

    private static let numbers = SQLStatement("SELECT viewer_id FROM exclusion")

    /// Excludes a viewer, or gives another reason.
    /// - Returns: Whether the viewer was counted before
    func exclude(_ viewer: Int64, reason: String, at time: Timestamp) throws -> Bool {
        let isNew = try connection.row("SELECT 1 AS one FROM exclusion WHERE viewer_id = $1", [viewer]) == nil
        try connection.execute(
            """
            INSERT INTO exclusion (viewer_id, reason, excluded_at) VALUES ($1, $2, $3)
            ON CONFLICT (viewer_id) DO UPDATE SET reason = excluded.reason
            """, [viewer, reason, time])
        return isNew
    }

    /// - Returns: Whether the viewer was excluded
    func include(_ viewer: Int64) throws -> Bool {
        try connection.execute("DELETE FROM exclusion WHERE viewer_id = $1", [viewer]) == 1
    }

    /// Those who are excluded, but for those who are being erased, the latest first.
    /// - Parameter viewers: Only these; `nil` is all
    func list(_ viewers: [Int64]? = nil) throws -> [ExcludedViewer] {
        var conditions = Conditions()
        if let viewers {
            let list = viewers.map { conditions.placeholders(in: "?", $0) }.joined(separator: ", ")
            conditions.add(viewers.isEmpty ? "FALSE" : "exclusion.viewer_id IN (\(list))")
        }
        return try connection.rows(
            """
            SELECT exclusion.viewer_id, viewer.kind, coalesce(viewer.email, account.email) AS email, account.username,
                exclusion.reason, exclusion.excluded_at
            FROM exclusion JOIN viewer ON viewer.id = exclusion.viewer_id
                LEFT JOIN account ON account.viewer_id = viewer.id
            WHERE \(conditions.sql) AND exclusion.viewer_id NOT IN (SELECT viewer_id FROM erasing)
            ORDER BY exclusion.excluded_at DESC, exclusion.viewer_id
            """, conditions.arguments
        ).map { row in
            ExcludedViewer(
                viewer: ViewerRecord(
                    id: try row["viewer_id"], kind: try row["kind"], email: try row["email"],
                    username: try row["username"]),
                reason: try row["reason"], excludedTime: try row["excluded_at"])
        }
    }
}
