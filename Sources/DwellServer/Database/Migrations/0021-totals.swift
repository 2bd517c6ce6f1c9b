extension Migration {
    /// What everybody's days add up to, and who they were: of one day, and of blocks of 32.
    static let totals = Migration(
        number: 21, name: "totals",
        statements: [
            """
            CREATE TABLE span_total (
                length INTEGER NOT NULL CHECK (length IN (1, 32)),
                number INTEGER NOT NULL,
                content_id INTEGER NOT NULL REFERENCES content (id),
                viewers INTEGER NOT NULL,
                sessions INTEGER NOT NULL,
                visible_ms INTEGER NOT NULL,
                visible_error_ms INTEGER NOT NULL,
                engaged_ms INTEGER NOT NULL,
                engaged_error_ms INTEGER NOT NULL,
                raw_ms INTEGER NOT NULL,
                PRIMARY KEY (length, number, content_id)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX span_total_by_content ON span_total (content_id, length, number)",
            // Beside the totals, which are read without them.
            """
            CREATE TABLE span_viewers (
                content_id INTEGER NOT NULL REFERENCES content (id),
                length INTEGER NOT NULL,
                number INTEGER NOT NULL,
                numbers BLOB NOT NULL,
                PRIMARY KEY (content_id, length, number)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE stale_span (
                length INTEGER NOT NULL,
                number INTEGER NOT NULL,
                content_id INTEGER NOT NULL REFERENCES content (id),
                mark INTEGER NOT NULL,
                PRIMARY KEY (length, number, content_id)
            ) STRICT, WITHOUT ROWID
            """,
            // What was there before. A session begins on the day that it begins on in London, or on one beside it.
            """
            INSERT INTO stale_span (length, number, content_id, mark)
            SELECT 1, day, content_id, 0 FROM daily_statistic
            UNION SELECT 1, started_at / 86400000 - 1, 0, 0 FROM session
            UNION SELECT 1, started_at / 86400000, 0, 0 FROM session
            UNION SELECT 1, started_at / 86400000 + 1, 0, 0 FROM session
            """,
        ]
            + [
                ("span_total", "span_total", "100000 50000 200 1"),
                ("span_total", "span_total_by_content", "100000 400 365 1"),
            ].map { table, index, rows in
                Statement(
                    only: .sqlite,
                    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('\(table)', '\(index)', '\(rows)')")
            } + [Statement(only: .sqlite, "ANALYZE sqlite_master")])
}
