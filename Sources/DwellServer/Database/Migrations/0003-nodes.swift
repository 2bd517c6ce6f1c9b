extension Migration {
    /// What nodes that share a database agree on: whose turn a background job is, and what changed a moment ago.
    static let nodes = Migration(
        number: 3, name: "nodes",
        statements: [
            "CREATE TABLE job (name TEXT PRIMARY KEY, due_at INTEGER NOT NULL) STRICT",
            """
            CREATE TABLE announcement (
                id TEXT PRIMARY KEY CHECK (length(id) = 36),
                topic TEXT NOT NULL,
                key TEXT NOT NULL,
                made_at INTEGER NOT NULL
            ) STRICT
            """,
            "CREATE INDEX announcement_by_time ON announcement (made_at)",
        ])
}
