extension Migration {
    /// Viewers who count in no total; and what was erased, for whom it must be told: whose it was, is not in it.
    static let rights = Migration(
        number: 20, name: "rights",
        statements: [
            """
            CREATE TABLE exclusion (
                viewer_id INTEGER PRIMARY KEY REFERENCES viewer (id) ON DELETE CASCADE,
                reason TEXT NOT NULL,
                excluded_at INTEGER NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE erasure (
                id TEXT PRIMARY KEY CHECK (length(id) = 36),
                asked_at INTEGER NOT NULL,
                asked_by TEXT NOT NULL,
                removed TEXT NOT NULL,
                completed_at INTEGER
            ) STRICT
            """,
            "CREATE INDEX erasure_by_time ON erasure (asked_at, id)",
            // What is left to do. Its rows go with the last of what they name.
            """
            CREATE TABLE erasing (
                viewer_id INTEGER PRIMARY KEY,
                erasure_id TEXT NOT NULL REFERENCES erasure (id),
                names TEXT NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE erasing_content (
                erasure_id TEXT NOT NULL REFERENCES erasure (id),
                content_id INTEGER NOT NULL,
                PRIMARY KEY (erasure_id, content_id)
            ) STRICT, WITHOUT ROWID
            """,
            // Whose lines there are is asked when somebody goes, with no time to read all of them.
            "CREATE INDEX audit_by_subject ON audit (subject) WHERE subject IS NOT NULL",
            "CREATE INDEX audit_by_viewer ON audit (viewer_id) WHERE viewer_id IS NOT NULL",
        ])
}
