import DwellAPI

/// Removes the rows of a viewer whose names are gone, some at a time.
struct ErasedRows {
    let connection: any DatabaseConnection
    let erasing: ErasureQueries.Erasing

    /// How many videos' totals are written in one transaction.
    private static let videoLimit = 50

    private var viewer: Int64 { erasing.viewer }

    /// Removes some rows of the first table that has any.
    /// - Returns: How many of which; nothing when nothing is left
    func remove(limit: Int) throws -> [String: Int] {
        // Those that refer to others first.
        let steps: [(table: String, remove: (Int) throws -> Int)] = [
            ("segment", segments), ("session", sessions), ("daily_statistic", statistics),
            ("coverage", { try Audience.forget(viewer, limit: min($0, Self.videoLimit), connection) }),
            ("folded_coverage", { _ in try delete("folded_coverage") }),
            ("dirty_video", { _ in try delete("dirty_video") }),
            ("dirty_day", { _ in try delete("dirty_day") }),
            ("audit", auditLines),
        ]
        for step in steps {
            let removed = try step.remove(limit)
            if removed > 0 { return [step.table: removed] }
        }
        return [:]
    }

    private func delete(_ table: String) throws -> Int {
        try connection.execute("DELETE FROM \(table) WHERE viewer_id = $1", [viewer])
    }

    private func segments(limit: Int) throws -> Int {
        let rows = try connection.rows(
            """
            SELECT entry_id, tab, n, page_id, video_id FROM segment WHERE viewer_id = $1
            ORDER BY viewer_id, entry_id, tab, n LIMIT $2
            """, [viewer, limit])
        guard let last = rows.last else { return 0 }
        try note(rows.flatMap { [try $0["page_id"], try $0["video_id"]] as [Int64?] })
        return try connection.execute(
            "DELETE FROM segment WHERE viewer_id = $1 AND (entry_id, tab, n) <= ($2, $3, $4)",
            [viewer] + Array(last.values.prefix(3)))
    }

    private func sessions(limit: Int) throws -> Int {
        let rows = try connection.rows(
            "SELECT id, video_id FROM session WHERE viewer_id = $1 ORDER BY viewer_id, id LIMIT $2", [viewer, limit])
        guard let last = rows.last else { return 0 }
        try note(rows.map { try $0["video_id"] })
        return try connection.execute(
            "DELETE FROM session WHERE viewer_id = $1 AND id <= $2", [viewer, try last["id"] as Int64])
    }

    private func statistics(limit: Int) throws -> Int {
        let rows = try connection.rows(
            """
            SELECT day, content_id FROM daily_statistic WHERE viewer_id = $1
            ORDER BY viewer_id, day, content_id LIMIT $2
            """, [viewer, limit])
        guard let last = rows.last else { return 0 }
        try note(rows.map { try $0["content_id"] })
        return try connection.execute(
            "DELETE FROM daily_statistic WHERE viewer_id = $1 AND (day, content_id) <= ($2, $3)",
            [viewer] + last.values)
    }

    /// Takes out of the log what tells who it was. That there was somebody, and what happened, stays. Lines about
    /// operators and keys are not the viewer's, whatever these are called.
    private func auditLines(limit: Int) throws -> Int {
        try wanted.reduce(0) { sum, wanted in
            try sum
                + connection.execute(
                    """
                    UPDATE audit SET account_id = NULL, viewer_id = NULL, subject = NULL, address = NULL,
                        device_id = NULL, detail = '{}'
                    WHERE id IN (SELECT id FROM audit WHERE \(wanted.condition) LIMIT $2)
                    """, [wanted.value, limit])
        }
    }

    private var wanted: [(condition: String, value: any SQLConvertible)] {
        [
            ("viewer_id = $1", viewer),
            ("account_id = (SELECT account.id FROM account WHERE account.viewer_id = $1)", viewer),
        ] + erasing.names.emails.map { ("subject = $1 AND \(AuditQueries.isOfPerson)", $0) }
    }

    /// Notes contents that nobody else may have seen.
    private func note(_ contents: [Int64?]) throws {
        for content in Set(contents.compactMap(\.self)) where content != DayFold.everything {
            try connection.execute(
                """
                INSERT INTO erasing_content (erasure_id, content_id) VALUES ($1, $2)
                ON CONFLICT (erasure_id, content_id) DO NOTHING
                """, [erasing.erasure, content])
        }
    }

    /// Removes the viewer, of whom nothing else is left.
    func removeViewer() throws -> [String: Int] {
        for email in erasing.names.emails {
            try connection.execute("DELETE FROM announcement WHERE key = $1", [email])
        }
        try connection.execute(
            """
            DELETE FROM announcement WHERE key IN (
                SELECT device.id FROM device JOIN account ON account.id = device.account_id WHERE account.viewer_id = $1)
            """, [viewer])
        let devices = try connection.execute(
            "DELETE FROM device WHERE account_id = (SELECT id FROM account WHERE viewer_id = $1)", [viewer])
        let accounts = try connection.execute("DELETE FROM account WHERE viewer_id = $1", [viewer])
        try connection.execute("DELETE FROM viewing WHERE viewer_id = $1", [viewer])
        let viewers = try connection.execute("DELETE FROM viewer WHERE id = $1", [viewer])
        try connection.execute("DELETE FROM erasing WHERE viewer_id = $1", [viewer])
        return ["device": devices, "account": accounts, "viewer": viewers]
    }
}
