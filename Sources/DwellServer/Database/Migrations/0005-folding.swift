extension Migration {
    /// Old sessions keep their totals in place of their segments, and what people ask most is answered from an index:
    /// a viewer's sessions, a content's days, the sessions that are live or old.
    static let folding = Migration(
        number: 5, name: "folding",
        statements: [
            "ALTER TABLE session ADD COLUMN elapsed_error_ms INTEGER CHECK (elapsed_error_ms >= 0)",
            "ALTER TABLE session ADD COLUMN visible_ms INTEGER CHECK (visible_ms >= 0)",
            "ALTER TABLE session ADD COLUMN visible_error_ms INTEGER CHECK (visible_error_ms >= 0)",
            "ALTER TABLE session ADD COLUMN engaged_ms INTEGER CHECK (engaged_ms >= 0)",
            "ALTER TABLE session ADD COLUMN engaged_error_ms INTEGER CHECK (engaged_error_ms >= 0)",
            "ALTER TABLE session ADD COLUMN refused_before_ms INTEGER CHECK (refused_before_ms >= 0)",
            "ALTER TABLE session ADD COLUMN refused_future_ms INTEGER CHECK (refused_future_ms >= 0)",
            "ALTER TABLE session ADD COLUMN refused_media_ms INTEGER CHECK (refused_media_ms >= 0)",
            // When the last of its segments went.
            "ALTER TABLE session ADD COLUMN folded_at INTEGER CHECK (folded_at IS NULL OR visible_ms IS NOT NULL)",
            "DROP INDEX session_by_slot",
            // Who is live is told from the index alone: with the start, which no beat moves, and with the column that SQLite
            // would look up in the row although the index says what it is.
            """
            CREATE INDEX session_by_slot ON session (seen_slot, viewer_id, id, started_at, folded_at)
            WHERE folded_at IS NULL
            """,
            "CREATE INDEX session_by_viewer ON session (viewer_id, started_at, id)",
            """
            CREATE INDEX daily_statistic_by_content ON daily_statistic (
                content_id, day, viewer_id, visible_ms, visible_error_ms, engaged_ms, engaged_error_ms, raw_ms
            )
            """,
        ] + likeness)

    /// What SQLite is told of the tables that grow: rows in all, and rows that share one, two, … columns of an index.
    /// Knowing nothing it takes all of a viewer's segments for as few as those of a session. Told once, and not measured
    /// again and again, it answers alike in every store.
    private static let likeness: [Statement] =
        [Statement(only: .sqlite, "ANALYZE schema_migration")]
        + [
            ("session", "session", "10000000 100 1"),
            ("session", "session_by_id", "10000000 1"),
            ("session", "session_by_start", "10000000 1 1"),
            ("session", "session_by_entry", "10000000 100 10 1"),
            ("session", "session_by_viewer", "10000000 100 1 1"),
            ("session", "session_by_slot", "10000000 100 1 1 1 1"),
            ("segment", "segment", "100000000 1000 100 20 1"),
            ("segment", "segment_by_session", "100000000 1000 10"),
            ("daily_statistic", "daily_statistic", "50000000 500 10 1"),
            ("daily_statistic", "daily_statistic_by_content", "50000000 10000 100 1 1 1 1 1 1"),
        ].map { table, index, rows in
            Statement(
                only: .sqlite, "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('\(table)', '\(index)', '\(rows)')")
        } + [
            // Reads what was told.
            Statement(only: .sqlite, "ANALYZE sqlite_master")
        ]
}
