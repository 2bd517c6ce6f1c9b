import DwellAPI
import Foundation

/// What is asked of, and told to, the viewing table.
struct ViewingQueries {
    let connection: any DatabaseConnection

    /// How many videos accounts may play at once, by viewer; `nil` leaves that to the server's setting. In PostgreSQL
    /// nobody else changes what they play until the end of the transaction. Guests are not among them.
    func limits(of viewers: [Int64]) throws -> [Int64: Int?] {
        let rows =
            switch connection.dialect {
            case .sqlite: try viewers.flatMap { try connection.rows(Self.oneLimit, [$0]) }
            case .postgres: try connection.rows(Self.manyLimits, [SQLValue.integers(viewers)])
            }
        return Dictionary(uniqueKeysWithValues: try rows.map { (try $0["viewer_id"], try $0["viewing_limit"]) })
    }

    private static let oneLimit = SQLStatement("SELECT viewer_id, viewing_limit FROM account WHERE viewer_id = $1")
    private static let manyLimits = SQLStatement(
        """
        SELECT viewer_id, viewing_limit FROM account WHERE viewer_id = ANY($1::bigint[])
        ORDER BY viewer_id FOR NO KEY UPDATE
        """)

    /// What viewers play, or played a moment ago; not on devices whose login has ended.
    func viewings(of viewers: [Int64]) throws -> [Viewing] {
        let rows =
            switch connection.dialect {
            case .sqlite: try viewers.flatMap { try connection.rows(Self.ofOne, [$0]) }
            case .postgres: try connection.rows(Self.ofMany, [SQLValue.integers(viewers)])
            }
        return try rows.map(Viewing.init(row:))
    }

    private static let inUse = """
        FROM viewing
        JOIN session ON session.viewer_id = viewing.viewer_id AND session.id = viewing.entry_id
        JOIN device ON device.id = session.device_id AND device.login = session.device_login
            AND device.removed_at IS NULL
        """
    private static let all = """
        SELECT viewing.viewer_id, viewing.entry_id, tab, video, viewing.id, n, viewing.started_at, ends_at, taken_at
        \(inUse)
        """
    private static let ofOne = SQLStatement("\(all) WHERE viewing.viewer_id = $1")
    private static let ofMany = SQLStatement("\(all) WHERE viewing.viewer_id = ANY($1::bigint[])")

    /// What a viewer plays, as the person sees it, the one that has played longest first.
    func playing(by viewer: Int64, at time: Timestamp) throws -> [ViewingRecord] {
        try connection.rows(
            """
            SELECT viewing.id, video, viewing.started_at, coalesce(given_name, name) AS device_name
            \(Self.inUse)
            WHERE viewing.viewer_id = $1 AND taken_at IS NULL AND ends_at > $2
            ORDER BY viewing.started_at, viewing.entry_id, tab, video
            """, [viewer, time]
        ).map { row in
            ViewingRecord(
                id: try row["id"], video: try row["video"], deviceName: try row["device_name"],
                since: try row["started_at"])
        }
    }

    /// Writes what plays, each of another player.
    func save(_ viewings: [Viewing]) throws {
        guard !viewings.isEmpty else { return }
        switch connection.dialect {
        case .sqlite: for viewing in viewings { try connection.execute(Self.saveOne, viewing.values) }
        case .postgres:
            try connection.execute(
                Self.saveMany,
                [
                    SQLValue.integers(viewings.map(\.player.tab.entry.viewer)),
                    SQLValue.integers(viewings.map(\.player.tab.entry.entry)),
                    SQLValue.texts(viewings.map(\.player.tab.tab)), SQLValue.texts(viewings.map(\.player.video)),
                    SQLValue.texts(viewings.map(\.id.lowercase)), SQLValue.integers(viewings.map(\.n)),
                    SQLValue.integers(viewings.map(\.startedAt.milliseconds)),
                    SQLValue.integers(viewings.map(\.endsAt.milliseconds)),
                    SQLValue.integers(viewings.map { $0.takenAt?.milliseconds }),
                ])
        }
    }

    private static let columns = "viewer_id, entry_id, tab, video, id, n, started_at, ends_at, taken_at"
    /// A row of a login that has ended may be in the way.
    private static let overwrite = """
        ON CONFLICT (viewer_id, entry_id, tab, video) DO UPDATE SET
            id = excluded.id, n = excluded.n, started_at = excluded.started_at, ends_at = excluded.ends_at,
            taken_at = excluded.taken_at
        """
    private static let saveOne = SQLStatement(
        "INSERT INTO viewing (\(columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \(overwrite)")
    private static let saveMany = SQLStatement(
        """
        INSERT INTO viewing (\(columns))
        SELECT * FROM unnest(
            $1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
            $9::bigint[])
        \(overwrite)
        """)

    /// Forgets players that stopped.
    func remove(_ players: [PlayerKey]) throws {
        for player in players {
            try connection.execute(
                Self.remove, [player.tab.entry.viewer, player.tab.entry.entry, player.tab.tab, player.video])
        }
    }

    private static let remove = SQLStatement(
        "DELETE FROM viewing WHERE viewer_id = $1 AND entry_id = $2 AND tab = $3 AND video = $4")

    /// Forgets players that were not heard of again.
    func removeEnded(at time: Timestamp) throws {
        try connection.execute("DELETE FROM viewing WHERE ends_at <= $1", [time])
    }
}

extension Viewing {
    fileprivate init(row: Row) throws {
        let entry = EntryKey(viewer: try row["viewer_id"], entry: try row["entry_id"])
        self.init(
            player: PlayerKey(tab: TabKey(entry: entry, tab: try row["tab"]), video: try row["video"]),
            id: try row["id"], n: try row["n"], startedAt: try row["started_at"], endsAt: try row["ends_at"],
            takenAt: try row["taken_at"])
    }

    fileprivate var values: [any SQLConvertible] {
        [
            player.tab.entry.viewer, player.tab.entry.entry, player.tab.tab, player.video, id, n, startedAt,
            endsAt, takenAt,
        ]
    }
}
