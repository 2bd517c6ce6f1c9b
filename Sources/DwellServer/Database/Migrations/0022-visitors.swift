extension Migration {
    /// Who came through which gate, when last: to list a gate's visitors without going through all sessions there are.
    static let visitors = Migration(
        number: 22, name: "visitors",
        statements: [
            """
            CREATE TABLE gate_visitor (
                gate TEXT NOT NULL,
                viewer_id INTEGER NOT NULL REFERENCES viewer (id) ON DELETE CASCADE,
                identity TEXT NOT NULL CHECK (identity IN ('claimed', 'verified')),
                entries INTEGER NOT NULL CHECK (entries > 0),
                first_at INTEGER NOT NULL,
                last_at INTEGER NOT NULL,
                PRIMARY KEY (gate, viewer_id),
                CHECK (last_at >= first_at)
            ) STRICT, WITHOUT ROWID
            """,
            """
            INSERT INTO gate_visitor (gate, viewer_id, identity, entries, first_at, last_at)
            SELECT entered.gate, entered.viewer_id, coalesce((
                SELECT session.identity FROM session
                WHERE session.viewer_id = entered.viewer_id AND session.entry_id = session.id
                    AND coalesce(session.gate, 'default') = entered.gate
                ORDER BY session.started_at DESC, session.id DESC LIMIT 1
            ), 'claimed'), entered.entries, entered.first_at, entered.last_at
            FROM (
                SELECT coalesce(session.gate, 'default') AS gate, session.viewer_id, count(*) AS entries,
                    min(session.started_at) AS first_at, max(session.started_at) AS last_at
                FROM session JOIN viewer ON viewer.id = session.viewer_id
                WHERE session.entry_id = session.id AND viewer.kind = 'guest'
                GROUP BY coalesce(session.gate, 'default'), session.viewer_id
            ) AS entered
            """,
            "CREATE INDEX gate_visitor_by_time ON gate_visitor (gate, last_at, viewer_id)",
            // Whose rows go with a viewer.
            "CREATE INDEX gate_visitor_by_viewer ON gate_visitor (viewer_id)",
        ])
}
