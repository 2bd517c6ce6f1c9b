import DwellAPI
import Foundation

/// A session as the list knows it, before its segments are read.
struct ListedSession {
    let id: Int64
    let viewer: ViewerRecord
    let startedAt: Timestamp
    let lastSeenAt: Timestamp
    let closedAt: Timestamp?
    let device: UUID?
    let video: String?

    /// The session with its measures.
    func record(_ fold: SessionFold, now: Timestamp) -> SessionRecord {
        let total = fold.time.total
        return SessionRecord(
            id: id, viewer: viewer, start: startedAt, end: lastSeenAt,
            closed: closedAt.map { $0 >= lastSeenAt } ?? false || now > lastSeenAt + Session.silence,
            deviceId: device?.lowercase, video: video,
            elapsedErrorMs: DayFold.resolution + max(0, fold.latestEnd.map { $0 - lastSeenAt } ?? 0),
            visibleMs: total.visible, visibleErrorMs: total.visibleError, engagedMs: total.engaged,
            engagedErrorMs: total.engagedError)
    }
}

/// A session's segments, folded.
struct SessionFold {
    let time: DayFold
    /// The latest moment at which any of them may have ended.
    let latestEnd: Timestamp?
}

/// What reports ask.
struct ReportQueries {
    let connection: any DatabaseConnection

    private static let listed = """
        SELECT session.id, session.viewer_id, viewer.kind, coalesce(viewer.email, account.email) AS email,
            account.username, session.started_at, session.last_seen_at, entry.closed_at, session.device_id,
            video.name AS video
        FROM session \(people(of: "session"))
            JOIN session AS entry ON entry.viewer_id = session.viewer_id AND entry.id = session.entry_id
            LEFT JOIN content AS video ON video.id = session.video_id
        """

    /// Joins a table's viewers with their names, whichever door they came through.
    private static func people(of table: String) -> String {
        """
        JOIN viewer ON viewer.id = \(table).viewer_id LEFT JOIN account ON account.viewer_id = viewer.id
        """
    }

    /// A session by its number.
    func session(_ id: Int64) throws -> ListedSession? {
        try connection.row("\(Self.listed) WHERE session.id = $1", [id]).map(ListedSession.init(row:))
    }

    func sessions(_ filter: SessionFilter, limit: Int) throws -> [ListedSession] {
        var conditions = Conditions()
        conditions.addPerson(email: filter.email, username: filter.username)
        if let from = filter.from { conditions.add("session.started_at >= ?", from) }
        if let to = filter.to { conditions.add("session.started_at < ?", to) }
        if let page = filter.page { conditions.add(Self.seen("page_id", kind: "page"), page) }
        if let video = filter.video {
            conditions.add("(video.name = ? OR \(Self.seen("video_id", kind: "video")))", video, video)
        }
        if let cursor = filter.cursor {
            conditions.add(
                "(session.started_at < ? OR (session.started_at = ? AND session.id < ?))",
                cursor.startedAt, cursor.startedAt, cursor.id)
        }
        let limit = conditions.placeholders(in: "?", limit)
        return try connection.rows(
            """
            \(Self.listed)
            WHERE \(conditions.sql)
            ORDER BY session.started_at DESC, session.id DESC
            LIMIT \(limit)
            """, conditions.arguments
        ).map(ListedSession.init(row:))
    }

    func fold(_ session: ListedSession) throws -> SessionFold {
        let rows = try connection.rows(
            """
            SELECT \(DayFold.Piece.columns) FROM segment
            WHERE viewer_id = $1 AND session_id = $2 ORDER BY started_at
            """, [session.viewer.id, session.id])
        let latest = try rows.map { row in
            let end: Timestamp = try row["ended_at"]
            return end + (try row["unsure_ms"] as Int64)
        }.max()
        return SessionFold(time: DayFold(try rows.map { try DayFold.Piece(row: $0) }), latestEnd: latest)
    }

    /// - Parameters:
    ///   - scope: Whom, and which days
    ///   - from: Sessions count that began at this time or later
    ///   - to: Sessions count that began before this time
    func totals(_ scope: Reports.Scope, from: Timestamp?, to: Timestamp?) throws -> [ViewerTotal] {
        var conditions = Conditions(scope)
        var counted = "TRUE"
        if let from { counted += conditions.placeholders(in: " AND session.started_at >= ?", from) }
        if let to { counted += conditions.placeholders(in: " AND session.started_at < ?", to) }
        return try connection.rows(
            """
            SELECT coalesce(viewer.email, account.email) AS email, account.username,
                (SELECT count(*) FROM session WHERE session.viewer_id = viewer.id AND \(counted)) AS sessions,
                (SELECT CAST(coalesce(sum(last_seen_at - started_at), 0) AS BIGINT) FROM session
                    WHERE session.viewer_id = viewer.id AND \(counted)) AS elapsed,
                CAST(coalesce(sum(daily_statistic.visible_ms), 0) AS BIGINT) AS visible,
                CAST(coalesce(sum(daily_statistic.engaged_ms), 0) AS BIGINT) AS engaged,
                CAST(coalesce(sum(daily_statistic.raw_ms), 0) AS BIGINT) AS raw,
                CAST(coalesce(sum(daily_statistic.visible_error_ms), 0) AS BIGINT) AS visible_error,
                CAST(coalesce(sum(daily_statistic.engaged_error_ms), 0) AS BIGINT) AS engaged_error
            FROM viewer LEFT JOIN account ON account.viewer_id = viewer.id
                LEFT JOIN daily_statistic ON daily_statistic.viewer_id = viewer.id
                    AND daily_statistic.content_id = 0 AND \(conditions.days)
            WHERE \(conditions.sql)
            GROUP BY viewer.id, viewer.email, account.email, account.username
            ORDER BY engaged DESC, email
            """, conditions.arguments
        ).compactMap { row in
            let sessions: Int = try row["sessions"]
            let error: Int64 = try row["engaged_error"]
            let total = ViewerTotal(
                email: try row["email"], username: try row["username"], sessions: sessions,
                elapsedMs: try row["elapsed"], elapsedErrorMs: Int64(sessions) * DayFold.resolution + error,
                visibleMs: try row["visible"], visibleErrorMs: try row["visible_error"],
                engagedMs: try row["engaged"], engagedErrorMs: error, rawMs: try row["raw"])
            return total.sessions > 0 || total.visibleMs > 0 ? total : nil
        }
    }

    func days(_ scope: Reports.Scope) throws -> [DayTotal] {
        let conditions = Conditions(scope)
        return try connection.rows(
            """
            SELECT daily_statistic.day, count(*) AS viewers, \(Self.sums)
            FROM daily_statistic \(Self.people(of: "daily_statistic"))
            WHERE daily_statistic.content_id = 0 AND \(conditions.days) AND \(conditions.sql)
            GROUP BY daily_statistic.day ORDER BY daily_statistic.day DESC
            """, conditions.arguments
        ).map { row in
            DayTotal(
                day: LocalDays.date(of: try row["day"]), viewers: try row["viewers"],
                visibleMs: try row["visible"], visibleErrorMs: try row["visible_error"], engagedMs: try row["engaged"],
                engagedErrorMs: try row["engaged_error"], rawMs: try row["raw"])
        }
    }

    func videos(_ scope: Reports.Scope) throws -> [VideoTotal] {
        let conditions = Conditions(scope)
        return try connection.rows(
            """
            SELECT content.name, count(DISTINCT daily_statistic.viewer_id) AS viewers,
                \(Self.sums)
            FROM daily_statistic JOIN content ON content.id = daily_statistic.content_id AND content.kind = 'video'
                \(Self.people(of: "daily_statistic"))
            WHERE \(conditions.days) AND \(conditions.sql)
            GROUP BY content.name ORDER BY engaged DESC, content.name
            """, conditions.arguments
        ).map { row in
            VideoTotal(
                video: try row["name"], viewers: try row["viewers"], visibleMs: try row["visible"],
                visibleErrorMs: try row["visible_error"], engagedMs: try row["engaged"],
                engagedErrorMs: try row["engaged_error"],
                rawMs: try row["raw"])
        }
    }

    /// The sums of statistics. PostgreSQL's are wider than what they add up.
    private static let sums = """
        CAST(sum(visible_ms) AS BIGINT) AS visible, CAST(sum(engaged_ms) AS BIGINT) AS engaged,
        CAST(sum(raw_ms) AS BIGINT) AS raw, CAST(sum(visible_error_ms) AS BIGINT) AS visible_error,
        CAST(sum(engaged_error_ms) AS BIGINT) AS engaged_error
        """

    private static func seen(_ column: String, kind: String) -> String {
        """
        EXISTS (SELECT 1 FROM segment JOIN content ON content.id = segment.\(column)
            WHERE segment.viewer_id = session.viewer_id AND segment.session_id = session.id
                AND content.kind = '\(kind)' AND content.name = ?)
        """
    }
}

/// Conditions joined by AND, with their values as bound parameters.
private struct Conditions {
    private(set) var arguments: [any SQLConvertible] = []
    private var parts: [String] = []
    /// The condition on `daily_statistic.day`.
    private(set) var days = "TRUE"

    init() {}

    init(_ scope: Reports.Scope) {
        addPerson(email: scope.email, username: scope.username)
        if let first = scope.firstDay { days += placeholders(in: " AND daily_statistic.day >= ?", first) }
        if let last = scope.lastDay { days += placeholders(in: " AND daily_statistic.day <= ?", last) }
    }

    var sql: String { parts.isEmpty ? "TRUE" : parts.joined(separator: " AND ") }

    mutating func addPerson(email: String?, username: String?) {
        if let email { add("coalesce(viewer.email, account.email) = ?", email) }
        if let username { add("account.username_key = ?", AccountRules.key(of: username)) }
    }

    /// Adds a condition; each `?` in it takes the next value.
    mutating func add(_ condition: String, _ values: any SQLConvertible...) {
        parts.append(numbered(condition, values))
    }

    /// Numbers the `?` of a condition that stands elsewhere in the statement.
    mutating func placeholders(in condition: String, _ values: any SQLConvertible...) -> String {
        numbered(condition, values)
    }

    private mutating func numbered(_ condition: String, _ values: [any SQLConvertible]) -> String {
        var numbered = condition
        for value in values {
            arguments.append(value)
            if let place = numbered.range(of: "?") { numbered.replaceSubrange(place, with: "$\(arguments.count)") }
        }
        return numbered
    }
}

extension ListedSession {
    fileprivate init(row: Row) throws {
        self.init(
            id: try row["id"],
            viewer: ViewerRecord(
                id: try row["viewer_id"], kind: try row["kind"], email: try row["email"],
                username: try row["username"]),
            startedAt: try row["started_at"], lastSeenAt: try row["last_seen_at"], closedAt: try row["closed_at"],
            device: try row["device_id"], video: try row["video"])
    }
}
