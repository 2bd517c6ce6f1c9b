extension Migration {
    /// Viewers, accounts, devices, content, sessions, segments and what is derived from them.
    ///
    /// Times are integer milliseconds UTC in columns named `…_at`, durations `…_ms`, days whole days since
    /// 1970-01-01 of the configured time zone's calendar. Session, segment and daily_statistic carry the viewer's
    /// number first in their keys, so that one viewer's rows lie together.
    static let tables = Migration(
        number: 1, name: "tables",
        statements: [
            Statement(only: .sqlite, "CREATE TABLE sequence (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT"),
            Statement(
                only: .sqlite,
                "INSERT INTO sequence (name, value) VALUES ('viewer', 0), ('session', 0), ('content', 0)"),
            Statement(only: .postgres, "CREATE SEQUENCE viewer_number"),
            Statement(only: .postgres, "CREATE SEQUENCE session_number"),
            Statement(only: .postgres, "CREATE SEQUENCE content_number"),
            "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
            """
            CREATE TABLE viewer (
                id INTEGER PRIMARY KEY,
                kind TEXT NOT NULL CHECK (kind IN ('guest', 'account')),
                email TEXT UNIQUE,
                created_at INTEGER NOT NULL,
                CHECK ((kind = 'guest') = (email IS NOT NULL))
            ) STRICT
            """,
            """
            CREATE TABLE account (
                id TEXT PRIMARY KEY CHECK (length(id) = 36),
                viewer_id INTEGER NOT NULL UNIQUE REFERENCES viewer (id),
                username TEXT NOT NULL,
                username_key TEXT NOT NULL UNIQUE,
                first_name TEXT NOT NULL,
                last_name TEXT NOT NULL,
                email TEXT NOT NULL UNIQUE,
                password_hash TEXT NOT NULL,
                phone_number TEXT,
                gender TEXT,
                country_code TEXT,
                profile_picture_url TEXT,
                is_verified INTEGER NOT NULL DEFAULT 0 CHECK (is_verified IN (0, 1)),
                created_at INTEGER NOT NULL,
                updated_at INTEGER NOT NULL,
                last_logged_in_at INTEGER NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE device (
                id TEXT PRIMARY KEY CHECK (length(id) = 36),
                account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                name TEXT NOT NULL,
                os TEXT NOT NULL,
                last_logged_in_at INTEGER NOT NULL,
                removed_at INTEGER,
                removal TEXT CHECK (removal IN ('logout', 'removed', 'replaced')),
                CHECK ((removed_at IS NULL) = (removal IS NULL))
            ) STRICT
            """,
            "CREATE INDEX device_in_use ON device (account_id) WHERE removed_at IS NULL",
            """
            CREATE TABLE content (
                id INTEGER PRIMARY KEY,
                kind TEXT NOT NULL CHECK (kind IN ('all', 'page', 'video')),
                name TEXT NOT NULL,
                UNIQUE (kind, name)
            ) STRICT
            """,
            "INSERT INTO content (id, kind, name) VALUES (0, 'all', '')",
            """
            CREATE TABLE session (
                viewer_id INTEGER NOT NULL REFERENCES viewer (id) ON DELETE CASCADE,
                id INTEGER NOT NULL UNIQUE,
                device_id TEXT REFERENCES device (id) ON DELETE SET NULL,
                video_id INTEGER REFERENCES content (id),
                continues_id INTEGER,
                started_at INTEGER NOT NULL,
                last_seen_at INTEGER NOT NULL,
                closed_at INTEGER,
                PRIMARY KEY (viewer_id, id),
                UNIQUE (viewer_id, continues_id),
                CHECK (last_seen_at >= started_at)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX session_by_start ON session (started_at, id)",
            """
            CREATE TABLE segment (
                viewer_id INTEGER NOT NULL,
                session_id INTEGER NOT NULL,
                tab TEXT NOT NULL,
                n INTEGER NOT NULL CHECK (n >= 0),
                started_at INTEGER NOT NULL,
                ended_at INTEGER NOT NULL,
                attention TEXT NOT NULL CHECK (attention IN ('active', 'idle')),
                page_id INTEGER REFERENCES content (id),
                video_id INTEGER REFERENCES content (id),
                media_from_ms INTEGER CHECK (media_from_ms >= 0),
                media_to_ms INTEGER,
                rate REAL CHECK (rate > 0),
                refused_ms INTEGER NOT NULL DEFAULT 0 CHECK (refused_ms >= 0),
                refused_reason TEXT CHECK (refused_reason IN ('before_session', 'future', 'media')),
                PRIMARY KEY (viewer_id, session_id, tab, n),
                FOREIGN KEY (viewer_id, session_id) REFERENCES session (viewer_id, id) ON DELETE CASCADE,
                CHECK (ended_at >= started_at),
                CHECK ((media_from_ms IS NULL) = (media_to_ms IS NULL)),
                CHECK (media_to_ms >= media_from_ms),
                CHECK ((refused_ms = 0) = (refused_reason IS NULL))
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE daily_statistic (
                viewer_id INTEGER NOT NULL REFERENCES viewer (id) ON DELETE CASCADE,
                day INTEGER NOT NULL,
                content_id INTEGER NOT NULL REFERENCES content (id),
                visible_ms INTEGER NOT NULL,
                engaged_ms INTEGER NOT NULL,
                PRIMARY KEY (viewer_id, day, content_id),
                CHECK (0 <= engaged_ms AND engaged_ms <= visible_ms AND visible_ms <= 90000000)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE dirty_day (
                viewer_id INTEGER NOT NULL REFERENCES viewer (id) ON DELETE CASCADE,
                day INTEGER NOT NULL,
                PRIMARY KEY (viewer_id, day)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE api_key (
                id TEXT PRIMARY KEY CHECK (length(id) = 36),
                name TEXT NOT NULL UNIQUE,
                hash TEXT NOT NULL UNIQUE,
                created_at INTEGER NOT NULL
            ) STRICT
            """,
        ])
}
