extension Migration {
    /// Sessions can be found by when they were last heard of. The column counts spans of five minutes since 1970: an
    /// index on the time itself would be changed by every beat, this one is left alone by most. A day that waits to be
    /// computed can be taken by whoever does, until a beat makes it wait again.
    static let live = Migration(
        number: 4, name: "live",
        statements: [
            "ALTER TABLE session ADD COLUMN seen_slot INTEGER NOT NULL DEFAULT 0",
            "UPDATE session SET seen_slot = last_seen_at / 300000",
            "CREATE INDEX session_by_slot ON session (seen_slot)",
            // Beats move the start: an index on it would be written with every row.
            "DROP INDEX segment_by_session",
            "CREATE INDEX segment_by_session ON segment (viewer_id, session_id)",
            "ALTER TABLE dirty_day ADD COLUMN taker INTEGER",
            // PostgreSQL changes a row without touching its indices as long as the new one fits on the same page. A table
            // that was partitioned can't have the setting; its parts can: see docs/partitions.sql.
            Statement(only: .postgres, roomOnPages),
        ])

    private static let roomOnPages = """
        DO $do$
        DECLARE name TEXT;
        BEGIN
            FOR name IN
                SELECT relname FROM pg_class
                WHERE oid IN ('session'::regclass, 'segment'::regclass, 'dirty_day'::regclass) AND relkind = 'r'
            LOOP
                EXECUTE format('ALTER TABLE %I SET (fillfactor = 70)', name);
            END LOOP;
        END
        $do$
        """
}
