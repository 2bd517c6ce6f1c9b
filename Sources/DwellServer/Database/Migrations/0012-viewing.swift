extension Migration {
    /// Players that play, of accounts that may play so many at once. Who they are is in the row of their entry.
    static let viewing = Migration(
        number: 12, name: "viewing",
        statements: [
            "ALTER TABLE account ADD COLUMN viewing_limit INTEGER CHECK (viewing_limit BETWEEN 1 AND 1000)",
            """
            CREATE TABLE viewing (
                viewer_id INTEGER NOT NULL,
                entry_id INTEGER NOT NULL,
                tab TEXT NOT NULL,
                video TEXT NOT NULL,
                id TEXT NOT NULL CHECK (length(id) = 36),
                n INTEGER,
                started_at INTEGER NOT NULL,
                ends_at INTEGER NOT NULL,
                taken_at INTEGER,
                PRIMARY KEY (viewer_id, entry_id, tab, video)
            ) STRICT, WITHOUT ROWID
            """,
        ])
}
