extension Migration {
    /// What viewers watched of videos, and how many watched each part of one: made from segments, by the video.
    static let audience = Migration(
        number: 10, name: "audience",
        statements: [
            "ALTER TABLE segment ADD COLUMN media_duration_ms INTEGER CHECK (media_duration_ms > 0)",
            "CREATE INDEX segment_by_video ON segment (viewer_id, video_id) WHERE video_id IS NOT NULL",
            // What is set of a video, and what those who watched it add up to: of rows of coverage of the same round.
            """
            CREATE TABLE video (
                id INTEGER PRIMARY KEY REFERENCES content (id),
                given_duration_ms INTEGER CHECK (given_duration_ms > 0),
                complete_at REAL CHECK (complete_at > 0 AND complete_at <= 1),
                duration_ms INTEGER CHECK (duration_ms > 0),
                round INTEGER NOT NULL DEFAULT 0,
                marked_to INTEGER,
                viewers INTEGER NOT NULL DEFAULT 0,
                completions INTEGER NOT NULL DEFAULT 0,
                covered_ms INTEGER NOT NULL DEFAULT 0,
                watched_ms INTEGER NOT NULL DEFAULT 0,
                curve BLOB
            ) STRICT
            """,
            "CREATE INDEX video_to_mark ON video (id) WHERE marked_to IS NOT NULL",
            """
            CREATE TABLE coverage (
                viewer_id INTEGER NOT NULL REFERENCES viewer (id) ON DELETE CASCADE,
                video_id INTEGER NOT NULL REFERENCES content (id),
                parts BLOB NOT NULL,
                resume_ms INTEGER NOT NULL CHECK (resume_ms >= 0),
                watched_at INTEGER NOT NULL,
                duration_ms INTEGER,
                completed_at INTEGER,
                round INTEGER NOT NULL,
                PRIMARY KEY (viewer_id, video_id)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX coverage_by_video ON coverage (video_id, viewer_id)",
            // What stands for segments that are folded.
            """
            CREATE TABLE folded_coverage (
                viewer_id INTEGER NOT NULL REFERENCES viewer (id) ON DELETE CASCADE,
                video_id INTEGER NOT NULL REFERENCES content (id),
                parts BLOB NOT NULL,
                taken BLOB NOT NULL,
                resume_ms INTEGER NOT NULL CHECK (resume_ms >= 0),
                watched_at INTEGER NOT NULL,
                duration_ms INTEGER,
                completed_at INTEGER,
                PRIMARY KEY (viewer_id, video_id)
            ) STRICT, WITHOUT ROWID
            """,
            // How many viewers' players told how long a video is.
            """
            CREATE TABLE told_duration (
                video_id INTEGER NOT NULL REFERENCES content (id),
                duration_ms INTEGER NOT NULL,
                viewers INTEGER NOT NULL,
                PRIMARY KEY (video_id, duration_ms)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE dirty_video (
                viewer_id INTEGER NOT NULL REFERENCES viewer (id) ON DELETE CASCADE,
                video_id INTEGER NOT NULL REFERENCES content (id),
                mark INTEGER NOT NULL,
                PRIMARY KEY (viewer_id, video_id)
            ) STRICT, WITHOUT ROWID
            """,
            // What was watched before: each pair with a segment of a video.
            """
            INSERT INTO dirty_video (viewer_id, video_id, mark)
            SELECT DISTINCT viewer_id, video_id, 0 FROM segment WHERE video_id IS NOT NULL AND media_from_ms IS NOT NULL
            """,
        ]
            + [
                ("segment", "segment_by_video", "30000000 300 30"),
                ("coverage", "coverage", "5000000 5 1"),
                ("coverage", "coverage_by_video", "5000000 50000 1"),
            ].map { table, index, rows in
                Statement(
                    only: .sqlite,
                    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('\(table)', '\(index)', '\(rows)')")
            } + [Statement(only: .sqlite, "ANALYZE sqlite_master")])
}
