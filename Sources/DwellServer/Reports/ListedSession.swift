import DwellAPI
import Foundation

/// A session as its row and those it refers to know it, before its segments are read.
struct ListedSession {
    let id: Int64
    let viewer: ViewerRecord
    let startedAt: Timestamp
    let lastSeenAt: Timestamp
    let closedAt: Timestamp?
    let device: UUID?
    let video: String?
    /// How a guest came in.
    let gateway: Entry.Gateway?
    /// What was kept in place of its segments.
    let kept: SessionTotals?
    /// When the last of its segments went.
    let foldedAt: Timestamp?

    /// Sessions, the newest first, with what other tables know of them.
    /// - Parameter found: Selects rows of the session table; they are found before anything is joined to them
    static func query(_ found: String) -> String {
        """
        SELECT found.id, found.viewer_id, viewer.kind, coalesce(viewer.email, account.email) AS email,
            account.username, found.started_at, found.last_seen_at, found.device_id,
            video.name AS video, found.elapsed_error_ms, found.visible_ms, found.visible_error_ms, found.engaged_ms,
            found.engaged_error_ms, found.refused_before_ms, found.refused_future_ms, found.refused_media_ms,
            found.folded_at, \(entry("closed_at")), \(entry("gate")), \(entry("identity"))
        FROM (\(found)) AS found JOIN viewer ON viewer.id = found.viewer_id
            LEFT JOIN account ON account.viewer_id = viewer.id
            LEFT JOIN content AS video ON video.id = found.video_id
        ORDER BY found.started_at DESC, found.id DESC
        """
    }

    /// What the row of a session's entry says. Asked for each: a join may go through all sessions there are.
    private static func entry(_ column: String) -> String {
        """
        (SELECT entry.\(column) FROM session AS entry
            WHERE entry.viewer_id = found.viewer_id AND entry.id = found.entry_id) AS \(column)
        """
    }

    init(row: Row) throws {
        id = try row["id"]
        viewer = ViewerRecord(
            id: try row["viewer_id"], kind: try row["kind"], email: try row["email"], username: try row["username"])
        startedAt = try row["started_at"]
        lastSeenAt = try row["last_seen_at"]
        closedAt = try row["closed_at"]
        device = try row["device_id"]
        video = try row["video"]
        gateway =
            viewer.kind == .guest
            ? Entry.Gateway(
                gate: try row["gate"] ?? GateRules.standardName, identity: try row["identity"] ?? .claimed) : nil
        let visible: Int64? = try row["visible_ms"]
        kept = try visible.map { visible in
            SessionTotals(
                elapsedError: try row["elapsed_error_ms"], visible: visible, visibleError: try row["visible_error_ms"],
                engaged: try row["engaged_ms"], engagedError: try row["engaged_error_ms"],
                refused: RefusedRecord(
                    beforeSessionMs: try row["refused_before_ms"], futureMs: try row["refused_future_ms"],
                    mediaMs: try row["refused_media_ms"]))
        }
        foldedAt = try row["folded_at"]
    }

    /// The session with its measures.
    func record(_ totals: SessionTotals, now: Timestamp) -> SessionRecord {
        SessionRecord(
            id: id, viewer: viewer, start: startedAt, end: lastSeenAt,
            closed: closedAt.map { $0 >= lastSeenAt } ?? false || now > lastSeenAt + Session.silence,
            deviceId: device?.lowercase, video: video, gate: gateway?.gate, identity: gateway?.identity,
            elapsedErrorMs: totals.elapsedError,
            visibleMs: totals.visible, visibleErrorMs: totals.visibleError, engagedMs: totals.engaged,
            engagedErrorMs: totals.engagedError)
    }
}
