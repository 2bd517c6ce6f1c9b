import DwellAPI
import Foundation

/// What is asked of, and told to, the session table.
struct SessionQueries {
    let connection: any DatabaseConnection

    private static let entry =
        """
        SELECT session.viewer_id, session.id, session.started_at, session.device_id, session.device_login,
            session.video_id, session.closed_at, session.revoked_at, device.login, device.last_logged_in_at,
            device.removal, device.removed_at
        FROM session LEFT JOIN device ON device.id = session.device_id
        """

    /// Entries by their keys, and what ended their devices, if anything did. In PostgreSQL nobody else changes what
    /// belongs to them until the end of the transaction.
    func entries(_ keys: [EntryKey]) throws -> [EntryKey: FoundEntry] {
        let keys = Set(keys).sorted()
        guard !keys.isEmpty else { return [:] }
        let found =
            switch connection.dialect {
            case .sqlite:
                try keys.flatMap {
                    try connection.values(Self.oneEntry, [$0.viewer, $0.entry], FoundEntry.init(values:))
                }
            case .postgres:
                try connection.values(
                    Self.manyEntries,
                    [SQLValue.integers(keys.map(\.viewer)), SQLValue.integers(keys.map(\.entry))],
                    FoundEntry.init(values:))
            }
        return Dictionary(uniqueKeysWithValues: found.map { ($0.entry.key, $0) })
    }

    private static let oneEntry = SQLStatement(
        "\(entry) WHERE session.viewer_id = $1 AND session.id = $2 AND session.entry_id = session.id")
    private static let manyEntries = SQLStatement(
        """
        \(entry)
        JOIN unnest($1::bigint[], $2::bigint[]) AS wanted (viewer_id, id)
            ON wanted.viewer_id = session.viewer_id AND wanted.id = session.id
        WHERE session.entry_id = session.id
        ORDER BY session.viewer_id, session.id FOR NO KEY UPDATE OF session
        """)

    /// The latest sessions of entries.
    func latest(_ keys: [EntryKey]) throws -> [EntryKey: Session] {
        guard !keys.isEmpty else { return [:] }
        let found =
            switch connection.dialect {
            case .sqlite:
                try keys.flatMap {
                    try connection.values(Self.latest, [$0.viewer, $0.entry], EntryKey.withSession(values:))
                }
            case .postgres:
                try connection.values(
                    Self.manyLatest,
                    [SQLValue.integers(keys.map(\.viewer)), SQLValue.integers(keys.map(\.entry))],
                    EntryKey.withSession(values:))
            }
        return Dictionary(uniqueKeysWithValues: found)
    }

    private static let oneLatest = """
        SELECT viewer_id, entry_id, id, started_at, last_seen_at FROM session
        WHERE viewer_id = $1 AND entry_id = $2
        ORDER BY started_at DESC LIMIT 1
        """
    private static let latest = SQLStatement(oneLatest)
    private static let manyLatest = SQLStatement(SQLDialect.forEachKey(oneLatest, ["bigint", "bigint"]))

    /// An entry by its number.
    func entry(viewer: Int64, id: Int64) throws -> Entry? {
        let key = EntryKey(viewer: viewer, entry: id)
        return try entries([key])[key]?.entry
    }

    /// The latest entry of a login that no other has taken the place of.
    func latestEntry(of login: Login) throws -> Entry? {
        try connection.row(
            """
            \(Self.entry)
            WHERE session.viewer_id = $1 AND session.device_id = $2 AND session.entry_id = session.id
                AND session.closed_at IS NULL AND session.device_login = $3
            ORDER BY session.id DESC LIMIT 1
            """, [login.viewer, login.device, login.number]
        ).map { row in
            var values = row.reader
            return try Entry(values: &values)
        }
    }

    /// Makes a login's entry, and its first session with it.
    func enter(_ login: Login, videoID: Int64?, at time: Timestamp) throws -> Entry {
        try enter(
            Entry(
                viewer: login.viewer, id: try connection.nextNumber(of: .session), startedAt: time,
                device: login.device, login: login.number, videoID: videoID, closedAt: nil))
    }

    /// Makes a guest's entry, and its first session with it.
    func enter(guest viewer: Int64, through gateway: Entry.Gateway, at time: Timestamp) throws -> Entry {
        try enter(
            Entry(
                viewer: viewer, id: try connection.nextNumber(of: .session), startedAt: time, device: nil, login: 0,
                videoID: nil, closedAt: nil), through: gateway)
    }

    private func enter(_ entry: Entry, through gateway: Entry.Gateway? = nil) throws -> Entry {
        try insert(
            Session(id: entry.id, startedAt: entry.startedAt, lastSeenAt: entry.startedAt), of: entry,
            through: gateway)
        return entry
    }

    /// Notes that another entry has taken the place of this one.
    func close(_ entry: Entry, at time: Timestamp) throws {
        try connection.execute(
            "UPDATE session SET closed_at = $3 WHERE viewer_id = $1 AND id = $2 AND closed_at IS NULL",
            [entry.viewer, entry.id, time])
    }

    /// What the sessions of an entry are like around a moment that is not before the entry.
    func surrounding(of entry: Entry, at time: Timestamp) throws -> SessionSurrounding {
        let row = try connection.row(
            """
            SELECT id, started_at, last_seen_at, (
                SELECT min(started_at) FROM session AS later
                WHERE later.viewer_id = $1 AND later.entry_id = $2 AND later.started_at > session.started_at
            ) AS next_started_at
            FROM session
            WHERE viewer_id = $1 AND entry_id = $2 AND started_at <= $3
            ORDER BY started_at DESC LIMIT 1
            """, [entry.viewer, entry.id, time])
        guard let row else { throw DatabaseError.failure("an entry without a session") }
        return SessionSurrounding(session: try Session(row: row), next: try row["next_started_at"])
    }

    /// The sessions of an entry that a window of time reaches, and the one of a given number.
    func sessions(of entry: Entry, within window: Range<Timestamp>, and id: Int64) throws -> [Session] {
        try connection.rows(
            """
            SELECT id, started_at, last_seen_at FROM session
            WHERE viewer_id = $1 AND entry_id = $2 AND (started_at <= $4 AND last_seen_at >= $3 OR id = $5)
            ORDER BY started_at, id
            """,
            [
                entry.viewer, entry.id, window.lowerBound - Session.silence, window.upperBound + Session.silence, id,
            ]
        ).map(Session.init(row:))
    }

    /// Opens the next session of an entry.
    func open(_ entry: Entry, from start: Timestamp, to end: Timestamp) throws -> Session {
        let session = Session(
            id: try connection.nextNumber(of: .session), startedAt: start, lastSeenAt: end)
        try insert(session, of: entry)
        return session
    }

    /// Moves last signs of life forward, never back.
    func touch(_ seen: [SeenSession]) throws {
        guard !seen.isEmpty else { return }
        switch connection.dialect {
        case .sqlite:
            for seen in seen {
                if seen.staysInSlot {
                    try connection.execute(Self.touchInSlot, [seen.entry.viewer, seen.before.id, seen.at])
                } else {
                    try connection.execute(Self.touch, [seen.entry.viewer, seen.before.id, seen.at])
                }
            }
        case .postgres:
            try connection.execute(
                Self.touchMany,
                [
                    SQLValue.integers(seen.map(\.entry.viewer)), SQLValue.integers(seen.map(\.before.id)),
                    SQLValue.integers(seen.map(\.at.milliseconds)),
                ])
        }
    }

    private static let touch = SQLStatement(
        """
        UPDATE session SET last_seen_at = $3, seen_slot = $3 / \(Session.slotLength)
        WHERE viewer_id = $1 AND id = $2 AND last_seen_at < $3
        """)
    /// A column that SQLite is told to set is written to its index even when it stays as it is.
    private static let touchInSlot = SQLStatement(
        "UPDATE session SET last_seen_at = $3 WHERE viewer_id = $1 AND id = $2 AND last_seen_at < $3")
    private static let touchMany = SQLStatement(
        """
        UPDATE session SET last_seen_at = seen.at, seen_slot = seen.at / \(Session.slotLength)
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS seen (viewer_id, id, at)
        WHERE session.viewer_id = seen.viewer_id AND session.id = seen.id AND session.last_seen_at < seen.at
        """)

    /// Says anew when a session was.
    func update(_ session: Session, of entry: Entry) throws {
        try connection.execute(
            """
            UPDATE session SET started_at = $3, last_seen_at = $4, seen_slot = $5 WHERE viewer_id = $1 AND id = $2
            """, [entry.viewer, session.id, session.startedAt, session.lastSeenAt, session.seenSlot])
    }

    /// Removes a session that has no segments left.
    func remove(_ id: Int64, of entry: Entry) throws {
        try connection.execute(
            "DELETE FROM session WHERE viewer_id = $1 AND id = $2", [entry.viewer, id])
    }

    /// When a login began.
    func start(of login: Login) throws -> Timestamp? {
        try connection.row("SELECT last_logged_in_at FROM device WHERE id = $1", [login.device])?["last_logged_in_at"]
    }

    /// - Parameter gateway: Noted with the entry's first session alone
    private func insert(_ session: Session, of entry: Entry, through gateway: Entry.Gateway? = nil) throws {
        try connection.execute(
            """
            INSERT INTO session (
                viewer_id, id, entry_id, device_id, video_id, started_at, last_seen_at, seen_slot, device_login, gate,
                identity
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            [
                entry.viewer, session.id, entry.id, entry.device, entry.videoID, session.startedAt,
                session.lastSeenAt, session.seenSlot, entry.login, gateway?.gate, gateway?.identity,
            ])
    }
}

/// A session, and when it was heard of since.
struct SeenSession {
    let entry: EntryKey
    let before: Session
    let at: Timestamp

    fileprivate var staysInSlot: Bool { before.seen(at: at).seenSlot == before.seenSlot }
}

/// An entry, and what ended its login or its pass, if anything did.
struct FoundEntry {
    let entry: Entry
    let removal: (Device.Removal, at: Timestamp)?
    /// When the operator ended a guest's passes.
    let revokedAt: Timestamp?

    /// - Parameter values: Of the columns of an entry, in their order
    fileprivate init(values: inout RowReader) throws {
        entry = try Entry(values: &values)
        revokedAt = try values.next()
        let login: Int64? = try values.next()
        let loginTime: Timestamp? = try values.next()
        let removal: Device.Removal? = try values.next()
        let removalTime: Timestamp? = try values.next()
        if let login, let loginTime, login != entry.login {
            self.removal = (.replaced, at: loginTime)
        } else {
            self.removal = removal.flatMap { removal in removalTime.map { (removal, at: $0) } }
        }
    }
}

extension Entry {
    fileprivate init(values: inout RowReader) throws {
        self.init(
            viewer: try values.next(), id: try values.next(), startedAt: try values.next(), device: try values.next(),
            login: try values.next(), videoID: try values.next(), closedAt: try values.next())
    }
}

extension EntryKey {
    /// An entry, and the one of its sessions that is asked for.
    fileprivate static func withSession(values: inout RowReader) throws -> (EntryKey, Session) {
        let key = EntryKey(viewer: try values.next(), entry: try values.next())
        return (key, Session(id: try values.next(), startedAt: try values.next(), lastSeenAt: try values.next()))
    }
}

extension Session {
    fileprivate init(row: Row) throws {
        self.init(id: try row["id"], startedAt: try row["started_at"], lastSeenAt: try row["last_seen_at"])
    }
}
