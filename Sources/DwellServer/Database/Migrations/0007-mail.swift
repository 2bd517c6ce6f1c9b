extension Migration {
    /// Mails that wait to be sent, and the codes in them. The dearest of the imported password hashes is found without
    /// reading every account.
    static let mail = Migration(
        number: 7, name: "mail",
        statements: [
            """
            CREATE TABLE mail (
                id TEXT PRIMARY KEY CHECK (length(id) = 36),
                kind TEXT NOT NULL,
                recipient TEXT NOT NULL,
                message TEXT NOT NULL,
                attempts INTEGER NOT NULL CHECK (attempts >= 0),
                queued_at INTEGER NOT NULL,
                next_at INTEGER NOT NULL,
                expires_at INTEGER NOT NULL
            ) STRICT
            """,
            "CREATE INDEX mail_by_turn ON mail (next_at)",
            // The email may be nobody's: asking for a code does the same whether or not it is.
            """
            CREATE TABLE mailed_code (
                browser_hash TEXT PRIMARY KEY,
                purpose TEXT NOT NULL CHECK (purpose IN ('reset', 'verification')),
                email TEXT NOT NULL,
                code_hash TEXT NOT NULL,
                tries_left INTEGER NOT NULL CHECK (tries_left >= 0),
                asked_at INTEGER NOT NULL,
                expires_at INTEGER NOT NULL
            ) STRICT
            """,
            "CREATE INDEX mailed_code_by_email ON mailed_code (email, asked_at)",
            "CREATE INDEX device_names ON device (account_id, name)",
            """
            CREATE INDEX account_by_bcrypt_cost ON account (substr(password_hash, 5, 2))
            WHERE substr(password_hash, 2, 1) = '2'
            """,
        ])
}
