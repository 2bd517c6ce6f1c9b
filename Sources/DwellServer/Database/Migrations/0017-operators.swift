extension Migration {
    /// Who may look at the dashboard, and where they are signed in; and an order in which it lists devices.
    static let operators = Migration(
        number: 17, name: "operators",
        statements: [
            """
            CREATE TABLE operator (
                id TEXT PRIMARY KEY CHECK (length(id) = 36),
                name TEXT NOT NULL,
                name_key TEXT NOT NULL UNIQUE,
                role TEXT NOT NULL CHECK (role IN ('owner', 'viewer')),
                password_hash TEXT NOT NULL,
                created_at INTEGER NOT NULL
            ) STRICT
            """,
            // Without a reference: a copy brings other operators, and leaves sign-ins where they are.
            """
            CREATE TABLE sign_in (
                hash TEXT PRIMARY KEY,
                operator_id TEXT NOT NULL,
                signed_in_at INTEGER NOT NULL,
                last_seen_at INTEGER NOT NULL,
                CHECK (last_seen_at >= signed_in_at)
            ) STRICT
            """,
            "CREATE INDEX sign_in_by_operator ON sign_in (operator_id)",
            "CREATE INDEX device_by_login ON device (last_logged_in_at, id) WHERE removed_at IS NULL",
        ])
}
