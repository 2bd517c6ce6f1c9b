import DwellAPI
import Foundation

/// What is asked about people.
struct ViewerQueries {
    let connection: any DatabaseConnection

    /// Numbers of people below one, the highest first: those who came to the site last.
    func newest(before id: Int64, limit: Int) throws -> [Int64] {
        try connection.rows(
            """
            SELECT id FROM viewer WHERE id < $1 AND id NOT IN (SELECT viewer_id FROM erasing)
            ORDER BY id DESC LIMIT $2
            """, [id, limit]
        ).map { try $0["id"] }
    }

    /// A name that begins as was asked for, and whose it is.
    struct Found {
        let name: String
        let id: Int64
        /// Whether the same search finds this person by another name as well, which is the one to list.
        let isAgain: Bool
    }

    /// Names that begin like a search, in their order: emails of guests, usernames, and emails of accounts.
    ///
    /// Each is the beginning of an index, so no more than a page is read of any.
    /// - Parameter last: Those behind this one
    func names(_ search: ViewerSearch, after last: ViewerCursor?, limit: Int) throws -> [Found] {
        let (email, username) = (search.email, search.username)
        // Byte by byte, as the databases compare.
        func start(_ beginning: String) -> String {
            guard let name = last?.name, beginning.utf8.lexicographicallyPrecedes(name.utf8) else { return beginning }
            return name
        }
        return try connection.rows(
            Self.names,
            [
                start(email), ViewerSearch.end(of: email), start(username), ViewerSearch.end(of: username),
                last?.name ?? "", last?.id ?? 0, limit, username,
            ]
        ).map { Found(name: try $0["name"], id: try $0["id"], isAgain: try $0["again"] as Int64 == 1) }
    }

    private static let names = SQLStatement(
        """
        SELECT name, id, again FROM (
            SELECT * FROM (
                SELECT email AS name, id, 0 AS again FROM viewer
                WHERE email >= $1 AND email < $2 AND (email > $5 OR id > $6) AND id NOT IN (SELECT viewer_id FROM erasing)
                ORDER BY email LIMIT $7
            ) AS guests
            UNION ALL SELECT * FROM (
                SELECT username_key AS name, viewer_id AS id, 0 AS again FROM account
                WHERE username_key >= $3 AND username_key < $4 AND (username_key > $5 OR viewer_id > $6)
                    AND viewer_id NOT IN (SELECT viewer_id FROM erasing)
                ORDER BY username_key LIMIT $7
            ) AS users
            UNION ALL SELECT * FROM (
                SELECT email AS name, viewer_id AS id,
                    CASE WHEN username_key >= $8 AND username_key < $4 THEN 1 ELSE 0 END AS again FROM account
                WHERE email >= $1 AND email < $2 AND (email > $5 OR viewer_id > $6)
                    AND viewer_id NOT IN (SELECT viewer_id FROM erasing)
                ORDER BY email LIMIT $7
            ) AS addresses
        ) AS found ORDER BY name, id LIMIT $7
        """)

    /// Who somebody is.
    func viewer(_ id: Int64) throws -> ViewerRecord? {
        try connection.row(
            """
            SELECT viewer.id, viewer.kind, coalesce(viewer.email, account.email) AS email, account.username
            FROM viewer LEFT JOIN account ON account.viewer_id = viewer.id WHERE viewer.id = $1
            """, [id]
        ).map(ViewerRecord.init(row:))
    }

    /// What people's time comes to, in the order of the numbers.
    func summaries(of ids: [Int64]) throws -> [ViewerSummary] {
        let rows =
            switch connection.dialect {
            case .sqlite: try ids.flatMap { try connection.rows(Self.summary, [$0]) }
            case .postgres: try connection.rows(Self.manySummaries, [SQLValue.integers(ids)])
            }
        return try rows.map(ViewerSummary.init(row:))
    }

    private static let oneSummary = """
        SELECT viewer.id, viewer.kind, coalesce(viewer.email, account.email) AS email, account.username,
            viewer.created_at, seen.sessions, seen.last_seen_at, seen.elapsed, spent.visible, spent.engaged, spent.raw,
            spent.visible_error, spent.engaged_error
        FROM viewer LEFT JOIN account ON account.viewer_id = viewer.id
            CROSS JOIN (
                SELECT count(*) AS sessions, max(last_seen_at) AS last_seen_at,
                    CAST(coalesce(sum(last_seen_at - started_at), 0) AS BIGINT) AS elapsed
                FROM session WHERE session.viewer_id = $1
            ) AS seen
            CROSS JOIN (
                SELECT CAST(coalesce(sum(visible_ms), 0) AS BIGINT) AS visible,
                    CAST(coalesce(sum(engaged_ms), 0) AS BIGINT) AS engaged,
                    CAST(coalesce(sum(raw_ms), 0) AS BIGINT) AS raw,
                    CAST(coalesce(sum(visible_error_ms), 0) AS BIGINT) AS visible_error,
                    CAST(coalesce(sum(engaged_error_ms), 0) AS BIGINT) AS engaged_error
                FROM daily_statistic WHERE daily_statistic.viewer_id = $1 AND daily_statistic.content_id = 0
            ) AS spent
        WHERE viewer.id = $1
        """
    private static let summary = SQLStatement(oneSummary)
    private static let manySummaries = SQLStatement(SQLDialect.forEachKey(oneSummary, ["bigint"]))

    /// What is known of people's days, by day, the first one first.
    func days(of ids: [Int64], _ range: ClosedRange<Int64>) throws -> [Int64: ContentMeasures] {
        let rows = try ids.flatMap { id in
            try connection.rows(Self.days, [id, range.lowerBound, range.upperBound])
        }
        return try rows.reduce(into: [:]) { days, row in
            let day: Int64 = try row["day"]
            days[day, default: ContentMeasures()] += ContentMeasures(
                visibleMs: try row["visible_ms"], visibleErrorMs: try row["visible_error_ms"],
                engagedMs: try row["engaged_ms"], engagedErrorMs: try row["engaged_error_ms"],
                rawMs: try row["raw_ms"])
        }
    }

    private static let days = SQLStatement(
        """
        SELECT day, visible_ms, visible_error_ms, engaged_ms, engaged_error_ms, raw_ms FROM daily_statistic
        WHERE viewer_id = $1 AND content_id = 0 AND day >= $2 AND day <= $3
        """)

    /// The days nearest to one on which a person was seen, as far as statistics know.
    func neighbours(of day: Int64, _ id: Int64) throws -> (before: Int64?, after: Int64?) {
        let row = try connection.row(
            """
            SELECT (SELECT max(day) FROM daily_statistic WHERE viewer_id = $1 AND day < $2) AS before,
                (SELECT min(day) FROM daily_statistic WHERE viewer_id = $1 AND day > $2) AS after
            """, [id, day])
        return (try row?["before"], try row?["after"])
    }
}

extension ViewerRecord {
    /// - Parameter row: Has `id`, `kind`, `email` and `username`
    init(row: Row) throws {
        self.init(id: try row["id"], kind: try row["kind"], email: try row["email"], username: try row["username"])
    }
}

extension ViewerSummary {
    fileprivate init(row: Row) throws {
        let sessions: Int = try row["sessions"]
        let total = ContentMeasures(
            visibleMs: try row["visible"], visibleErrorMs: try row["visible_error"], engagedMs: try row["engaged"],
            engagedErrorMs: try row["engaged_error"], rawMs: try row["raw"])
        self.init(
            viewer: try ViewerRecord(row: row), createdTime: try row["created_at"],
            lastSeenTime: try row["last_seen_at"], sessions: sessions, elapsedMs: try row["elapsed"],
            elapsedErrorMs: Int64(sessions) * DayFold.resolution + total.engagedErrorMs, total: total)
    }
}
