extension Migration {
    /// Who is told of what, what waits to be told, and what has become of it.
    static let webhooks = Migration(
        number: 19, name: "webhooks",
        statements: [
            """
            CREATE TABLE webhook (
                id TEXT PRIMARY KEY CHECK (length(id) = 36),
                url TEXT NOT NULL,
                events TEXT NOT NULL,
                secret TEXT NOT NULL,
                created_at INTEGER NOT NULL,
                disabled_at INTEGER,
                delivered_at INTEGER,
                refused_at INTEGER,
                refusal TEXT
            ) STRICT
            """,
            // It goes with whom it tells of.
            """
            CREATE TABLE webhook_delivery (
                id TEXT PRIMARY KEY CHECK (length(id) = 36),
                webhook_id TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
                event_id TEXT NOT NULL,
                viewer_id INTEGER REFERENCES viewer (id) ON DELETE CASCADE,
                type TEXT NOT NULL,
                body TEXT NOT NULL,
                state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
                attempts INTEGER NOT NULL CHECK (attempts >= 0),
                made_at INTEGER NOT NULL,
                tried_at INTEGER,
                next_at INTEGER,
                status INTEGER,
                error TEXT,
                CHECK ((state = 'waiting') = (next_at IS NOT NULL))
            ) STRICT
            """,
            "CREATE INDEX webhook_delivery_by_turn ON webhook_delivery (webhook_id, next_at) WHERE next_at IS NOT NULL",
            """
            CREATE INDEX webhook_delivery_failed ON webhook_delivery (webhook_id, made_at) WHERE state = 'failed'
            """,
            "CREATE INDEX webhook_delivery_by_webhook ON webhook_delivery (webhook_id, made_at)",
            "CREATE INDEX webhook_delivery_by_time ON webhook_delivery (made_at)",
            "CREATE INDEX webhook_delivery_by_viewer ON webhook_delivery (viewer_id)",
            // Sessions that must be looked at although none of their beats came lately.
            """
            CREATE TABLE session_to_tell (
                viewer_id INTEGER NOT NULL REFERENCES viewer (id) ON DELETE CASCADE,
                session_id INTEGER NOT NULL,
                mark INTEGER NOT NULL,
                PRIMARY KEY (viewer_id, session_id)
            ) STRICT, WITHOUT ROWID
            """,
            // What was told of sessions that ended.
            """
            CREATE TABLE told_session (
                viewer_id INTEGER NOT NULL REFERENCES viewer (id) ON DELETE CASCADE,
                session_id INTEGER NOT NULL,
                figures TEXT NOT NULL,
                told_at INTEGER NOT NULL,
                PRIMARY KEY (viewer_id, session_id)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX told_session_by_time ON told_session (told_at)",
        ])
}
