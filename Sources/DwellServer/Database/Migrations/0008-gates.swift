extension Migration {
    /// An entry knows the gate that it came through, how sure its email is, and when it was revoked; a later session of it
    /// has these columns empty. Entries of before came through the one gate there was, where an email was typed. Codes and
    /// the mails that hold them may be for a gate.
    static let gates = Migration(
        number: 8, name: "gates",
        statements: [
            "ALTER TABLE session ADD COLUMN gate TEXT",
            "ALTER TABLE session ADD COLUMN identity TEXT CHECK (identity IN ('claimed', 'verified'))",
            "ALTER TABLE session ADD COLUMN revoked_at INTEGER",
            """
            CREATE TABLE gate_revocation (
                email TEXT NOT NULL,
                gate TEXT NOT NULL,
                revoked_at INTEGER NOT NULL,
                PRIMARY KEY (email, gate)
            ) STRICT, WITHOUT ROWID
            """,
            "ALTER TABLE mail ADD COLUMN gate TEXT",
            // SQLite can't change a check: the table is made anew.
            """
            CREATE TABLE new_mailed_code (
                browser_hash TEXT PRIMARY KEY,
                purpose TEXT NOT NULL CHECK (purpose IN ('reset', 'verification', 'gate')),
                email TEXT NOT NULL,
                code_hash TEXT NOT NULL,
                tries_left INTEGER NOT NULL CHECK (tries_left >= 0),
                asked_at INTEGER NOT NULL,
                expires_at INTEGER NOT NULL,
                gate TEXT,
                target TEXT,
                CHECK ((gate IS NULL) = (purpose <> 'gate')),
                CHECK ((target IS NULL) = (gate IS NULL))
            ) STRICT
            """,
            """
            INSERT INTO new_mailed_code (
                browser_hash, purpose, email, code_hash, tries_left, asked_at, expires_at
            ) SELECT browser_hash, purpose, email, code_hash, tries_left, asked_at, expires_at FROM mailed_code
            """,
            "DROP TABLE mailed_code",
            "ALTER TABLE new_mailed_code RENAME TO mailed_code",
            "CREATE INDEX mailed_code_by_email ON mailed_code (email, asked_at)",
        ])
}
