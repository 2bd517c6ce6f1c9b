extension Migration {
    /// Segments are named within the entry that a cookie or token names, know why they ended, how unsure their end is,
    /// what was refused for which reason, and which beats told of them. Days know raw sums and their largest error.
    ///
    /// Every session of before becomes an entry of its own, so that every cookie stays good.
    static let evidence = Migration(
        number: 2, name: "evidence",
        statements: [
            """
            CREATE TABLE new_session (
                viewer_id INTEGER NOT NULL REFERENCES viewer (id) ON DELETE CASCADE,
                id INTEGER NOT NULL,
                entry_id INTEGER NOT NULL,
                device_id TEXT REFERENCES device (id) ON DELETE SET NULL,
                video_id INTEGER REFERENCES content (id),
                started_at INTEGER NOT NULL,
                last_seen_at INTEGER NOT NULL,
                closed_at INTEGER,
                PRIMARY KEY (viewer_id, id),
                CHECK (last_seen_at >= started_at)
            ) STRICT, WITHOUT ROWID
            """,
            """
            INSERT INTO new_session
            SELECT viewer_id, id, id, device_id, video_id, started_at, last_seen_at, closed_at FROM session
            """,
            """
            CREATE TABLE new_segment (
                viewer_id INTEGER NOT NULL,
                entry_id INTEGER NOT NULL,
                tab TEXT NOT NULL,
                n INTEGER NOT NULL CHECK (n >= 0),
                session_id INTEGER NOT NULL,
                started_at INTEGER NOT NULL,
                ended_at INTEGER NOT NULL,
                attention TEXT NOT NULL CHECK (attention IN ('active', 'idle')),
                page_id INTEGER REFERENCES content (id),
                video_id INTEGER REFERENCES content (id),
                media_from_ms INTEGER CHECK (media_from_ms >= 0),
                media_to_ms INTEGER,
                rate REAL CHECK (rate > 0),
                end_reason TEXT CHECK (end_reason IN (
                    'hidden', 'left', 'page', 'attention', 'frozen', 'asleep', 'lost', 'session',
                    'paused', 'sought', 'rate', 'ended', 'stalled')),
                unsure_ms INTEGER NOT NULL CHECK (unsure_ms >= 0),
                refused_before_ms INTEGER NOT NULL DEFAULT 0 CHECK (refused_before_ms >= 0),
                refused_future_ms INTEGER NOT NULL DEFAULT 0 CHECK (refused_future_ms >= 0),
                refused_media_ms INTEGER NOT NULL DEFAULT 0 CHECK (refused_media_ms >= 0),
                beats INTEGER NOT NULL DEFAULT 1 CHECK (beats > 0),
                first_beat_at INTEGER NOT NULL,
                last_beat_at INTEGER NOT NULL,
                PRIMARY KEY (viewer_id, entry_id, tab, n),
                FOREIGN KEY (viewer_id, session_id) REFERENCES new_session (viewer_id, id) ON DELETE CASCADE,
                CHECK (ended_at >= started_at),
                CHECK (last_beat_at >= first_beat_at),
                CHECK ((media_from_ms IS NULL) = (media_to_ms IS NULL)),
                CHECK (media_to_ms >= media_from_ms)
            ) STRICT, WITHOUT ROWID
            """,
            // How often these pages were asked to beat, nobody noted: the default interval.
            """
            INSERT INTO new_segment
            SELECT viewer_id, session_id, tab, n, session_id, started_at, ended_at, attention, page_id, video_id,
                media_from_ms, media_to_ms, rate, NULL, 180000,
                CASE WHEN refused_reason = 'before_session' THEN refused_ms ELSE 0 END,
                CASE WHEN refused_reason = 'future' THEN refused_ms ELSE 0 END,
                CASE WHEN refused_reason = 'media' THEN refused_ms ELSE 0 END,
                1, ended_at, ended_at
            FROM segment
            """,
            "DROP TABLE segment",
            "DROP TABLE session",
            "ALTER TABLE new_session RENAME TO session",
            "ALTER TABLE new_segment RENAME TO segment",
            "CREATE INDEX session_by_id ON session (id)",
            "CREATE INDEX session_by_start ON session (started_at, id)",
            "CREATE INDEX session_by_entry ON session (viewer_id, entry_id, started_at)",
            "CREATE INDEX segment_by_session ON segment (viewer_id, session_id, started_at)",
            "ALTER TABLE daily_statistic ADD COLUMN raw_ms INTEGER NOT NULL DEFAULT 0 CHECK (raw_ms >= 0)",
            "ALTER TABLE daily_statistic ADD COLUMN visible_error_ms INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE daily_statistic ADD COLUMN engaged_error_ms INTEGER NOT NULL DEFAULT 0",
            """
            INSERT INTO dirty_day (viewer_id, day)
            SELECT viewer_id, day FROM daily_statistic WHERE content_id = 0
            ON CONFLICT (viewer_id, day) DO NOTHING
            """,
        ])
}
