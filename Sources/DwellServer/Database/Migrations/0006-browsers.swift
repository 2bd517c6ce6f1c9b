extension Migration {
    /// Browsers are recognised through every logout, logins on one device are told apart, accounts may have a limit of
    /// their own, and devices know when and about where they were last used.
    static let browsers = Migration(
        number: 6, name: "browsers",
        statements: [
            "ALTER TABLE account ADD COLUMN device_limit INTEGER CHECK (device_limit BETWEEN 1 AND 1000)",
            "ALTER TABLE account ADD COLUMN device_policy TEXT CHECK (device_policy IN ('deny', 'ask', 'evict-oldest'))",
            "ALTER TABLE session ADD COLUMN device_login INTEGER NOT NULL DEFAULT 0",
        ] + newDevice + [
            """
            UPDATE device SET last_seen_at = seen.at
            FROM (
                SELECT device_id, max(last_seen_at) AS at FROM session WHERE device_id IS NOT NULL GROUP BY device_id
            ) AS seen
            WHERE seen.device_id = device.id AND seen.at > device.last_seen_at
            """,
            "CREATE UNIQUE INDEX device_by_browser ON device (browser_hash, account_id)",
            // No table of one store alone refers to one that is copied to others.
            """
            CREATE TABLE device_ticket (
                hash TEXT PRIMARY KEY,
                account_id TEXT NOT NULL,
                password_hash TEXT NOT NULL,
                browser_hash TEXT NOT NULL,
                expires_at INTEGER NOT NULL
            ) STRICT
            """,
            "CREATE INDEX device_ticket_by_end ON device_ticket (expires_at)",
        ])

    private static let removals = "'logout', 'removed', 'replaced', 'evicted', 'idle', 'expired', 'operator'"

    /// SQLite can't change a check: the table is made anew. Dropping it takes the devices out of the sessions, which are
    /// kept meanwhile; the index is there so that this asks for each device's sessions, not for all.
    private static let newDevice: [Statement] = [
        Statement(
            only: .sqlite,
            """
            CREATE TABLE new_device (
                id TEXT PRIMARY KEY CHECK (length(id) = 36),
                account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                name TEXT NOT NULL,
                os TEXT NOT NULL,
                last_logged_in_at INTEGER NOT NULL,
                removed_at INTEGER,
                removal TEXT CHECK (removal IN (\(removals))),
                login INTEGER NOT NULL DEFAULT 0,
                last_seen_at INTEGER NOT NULL DEFAULT 0,
                given_name TEXT,
                address TEXT,
                browser_hash TEXT,
                CHECK ((removed_at IS NULL) = (removal IS NULL))
            ) STRICT
            """),
        Statement(
            only: .sqlite,
            """
            INSERT INTO new_device (id, account_id, name, os, last_logged_in_at, removed_at, removal, last_seen_at)
            SELECT id, account_id, name, os, last_logged_in_at, removed_at, removal, last_logged_in_at FROM device
            """),
        Statement(
            only: .sqlite,
            """
            CREATE TABLE kept_device (
                viewer_id INTEGER NOT NULL, id INTEGER NOT NULL, device_id TEXT NOT NULL, PRIMARY KEY (viewer_id, id)
            ) STRICT, WITHOUT ROWID
            """),
        Statement(
            only: .sqlite,
            "INSERT INTO kept_device SELECT viewer_id, id, device_id FROM session WHERE device_id IS NOT NULL"),
        Statement(only: .sqlite, "CREATE INDEX session_by_device ON session (device_id)"),
        Statement(only: .sqlite, "DROP TABLE device"),
        Statement(only: .sqlite, "DROP INDEX session_by_device"),
        Statement(only: .sqlite, "ALTER TABLE new_device RENAME TO device"),
        Statement(
            only: .sqlite,
            """
            UPDATE session SET device_id = kept_device.device_id FROM kept_device
            WHERE kept_device.viewer_id = session.viewer_id AND kept_device.id = session.id
            """),
        Statement(only: .sqlite, "DROP TABLE kept_device"),
        Statement(only: .sqlite, "CREATE INDEX device_in_use ON device (account_id) WHERE removed_at IS NULL"),
        Statement(
            only: .postgres,
            """
            ALTER TABLE device
                DROP CONSTRAINT device_removal_check,
                ADD CONSTRAINT device_removal_check CHECK (removal IN (\(removals))),
                ADD COLUMN login INTEGER NOT NULL DEFAULT 0,
                ADD COLUMN last_seen_at INTEGER NOT NULL DEFAULT 0,
                ADD COLUMN given_name TEXT,
                ADD COLUMN address TEXT,
                ADD COLUMN browser_hash TEXT
            """),
        Statement(only: .postgres, "UPDATE device SET last_seen_at = last_logged_in_at"),
    ]
}
