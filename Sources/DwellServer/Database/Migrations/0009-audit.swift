extension Migration {
    /// Who got in, who did not, and what operators did; and accounts that are disabled.
    static let audit = Migration(
        number: 9, name: "audit",
        statements: [
            // Nothing in it refers to other tables: it outlives what it tells of.
            """
            CREATE TABLE audit (
                id TEXT PRIMARY KEY CHECK (length(id) = 36),
                at INTEGER NOT NULL,
                event TEXT NOT NULL,
                outcome TEXT NOT NULL CHECK (outcome IN ('success', 'failure', 'denied')),
                actor TEXT NOT NULL CHECK (actor IN ('person', 'operator', 'system')),
                account_id TEXT,
                viewer_id INTEGER,
                subject TEXT,
                address TEXT,
                device_id TEXT,
                detail TEXT NOT NULL
            ) STRICT
            """,
            "CREATE INDEX audit_by_time ON audit (at)",
            "CREATE INDEX audit_by_account ON audit (account_id) WHERE account_id IS NOT NULL",
            "ALTER TABLE account ADD COLUMN disabled_at INTEGER",
            // An account that is deleted takes its devices along, and these have to be found in the sessions.
            "CREATE INDEX session_by_device ON session (device_id) WHERE device_id IS NOT NULL",
            Statement(
                only: .sqlite,
                "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('session', 'session_by_device', '10000000 100')"),
            Statement(only: .sqlite, "ANALYZE sqlite_master"),
        ])
}
