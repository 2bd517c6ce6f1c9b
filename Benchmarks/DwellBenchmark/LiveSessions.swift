import ArgumentParser
import DwellAPI
import DwellServer
import Foundation

/// `dwell-benchmark fill-live URL --sessions N --tokens FILE`: sessions that are open now, each of another viewer.
///
/// Viewers that a history made come back, evenly from all of them; where there are too few, new ones come.
struct FillLive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "fill-live")

    @OptionGroup var store: StoreArgument

    @Option var sessions: Int64

    @Option(help: "Where the sessions' tokens go, one a line, 54 characters each; DWELL_SECRET_KEY signs them.")
    var tokens: String

    func run() async throws {
        guard let key = ProcessInfo.processInfo.environment["DWELL_SECRET_KEY"].flatMap(SecretKey.init(setting:)) else {
            throw ValidationError("DWELL_SECRET_KEY must be set, as for the server")
        }
        let database = try await store.open()
        let live = try await LiveSessions.fill(sessions, database)
        let signed = EntryTokens(secret: key, clock: .system)
        var lines = Data()
        for session in live {
            lines.append(contentsOf: signed.token(viewer: session.viewer, entry: session.number).utf8)
            lines.append(UInt8(ascii: "\n"))
        }
        try lines.write(to: URL(filePath: tokens))
        try database.close()
    }
}

/// Sessions that are open now.
enum LiveSessions {
    /// The one tab of each.
    static let tab = "k3f9q2w8"
    /// How long ago each began, in milliseconds.
    static let age: Int64 = 600_000

    /// - Returns: Whose each session is, and its number
    static func fill(_ count: Int64, _ database: any Database) async throws -> [(viewer: Int64, number: Int64)] {
        let before = try await database.read { connection in
            let row = try connection.row(
                """
                SELECT (SELECT coalesce(max(id), 0) FROM viewer) AS viewers,
                    (SELECT coalesce(max(id), 0) FROM session) AS sessions
                """)
            return (viewers: try row?["viewers"] ?? 0 as Int64, sessions: try row?["sessions"] ?? 0 as Int64)
        }
        let viewers = max(before.viewers, count)
        let now = WallClock.system.now()
        try await database.write { try Contents(connection: $0).fill() }
        try await Viewers.fill(before.viewers + 1..<viewers + 1, database, now: now)
        let step = viewers / count
        let numbers = before.sessions + 1..<before.sessions + count + 1
        let place: [any SQLConvertible & Sendable] = [numbers.lowerBound, step, now - age, now]
        try await insert(
            numbers, into: database,
            """
            \(series) INSERT INTO session (viewer_id, id, entry_id, started_at, last_seen_at, seen_slot)
            SELECT 1 + (n - $3) * $4, n, n, $5, $6, $7 FROM series
            """, place + [now.milliseconds / Session.slotLength])
        try await insert(
            numbers, into: database,
            """
            \(series) INSERT INTO segment (
                viewer_id, entry_id, tab, n, session_id, started_at, ended_at, attention, page_id, unsure_ms, beats,
                first_beat_at, last_beat_at)
            SELECT 1 + (n - $3) * $4, n, $7, 0, n, $5, $6, 'active', $8, 180000, 6, $5, $6 FROM series
            """, place + [tab, Contents.firstPage])
        for day in Set([now - age, now].map { $0.milliseconds / 86_400_000 }) {
            try await insert(
                numbers, into: database,
                """
                \(series) INSERT INTO dirty_day (viewer_id, day) SELECT 1 + (n - $3) * $4, $5 FROM series WHERE true
                ON CONFLICT (viewer_id, day) DO NOTHING
                """,
                [numbers.lowerBound, step, day])
        }
        try await database.write { connection in
            try SequenceQueries(connection: connection).set(.viewer, to: viewers)
            try SequenceQueries(connection: connection).set(.session, to: numbers.upperBound - 1)
        }
        return numbers.map { (viewer: 1 + ($0 - numbers.lowerBound) * step, number: $0) }
    }
}

/// Guests.
enum Viewers {
    /// Makes `visitor1@example.com` and so on.
    static func fill(_ numbers: Range<Int64>, _ database: any Database, now: Timestamp) async throws {
        try await insert(
            numbers, into: database,
            """
            \(series) INSERT INTO viewer (id, kind, email, created_at)
            SELECT n, 'guest', 'visitor' || n || '@example.com', $3 FROM series
            """, [now])
    }
}
