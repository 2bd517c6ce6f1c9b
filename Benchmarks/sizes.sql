-- How many bytes a row of each table that grows takes, with its indices. In an empty, migrated database:
--     createdb sizes
--     dwell migrate --database-url postgres://localhost/sizes && psql -d sizes -f Benchmarks/sizes.sql
INSERT INTO viewer SELECT n, 'guest', 'visitor' || n || '@example.com', 0 FROM generate_series(1, 100000) AS n;
INSERT INTO content SELECT 10 + n, 'page', '/page-' || n FROM generate_series(1, 100) AS n;
INSERT INTO session (viewer_id, id, entry_id, started_at, last_seen_at, seen_slot)
SELECT n, n, n, 1795248694298, 1795249694298, 1795249694298 / 300000 FROM generate_series(1, 100000) AS n;
INSERT INTO segment (
    viewer_id, entry_id, tab, n, session_id, started_at, ended_at, attention, page_id, end_reason, unsure_ms, beats,
    first_beat_at, last_beat_at)
SELECT v, v, substr(md5(v::text), 1, 16), s, v, 1795248694298 + s * 100000, 1795248694298 + s * 100000 + 60000,
    'active', 11 + v % 100, 'hidden', 0, 5, 1795248694298, 1795249694298
FROM generate_series(1, 100000) AS v, generate_series(0, 4) AS s;
INSERT INTO daily_statistic SELECT v, 20778, c, 300000, 200000, 300000, 1000, 1000
FROM generate_series(1, 100000) AS v, (VALUES (0), (11), (12)) AS t (c);
VACUUM ANALYZE;
SELECT name, round(pg_total_relation_size(name::regclass) / rows) AS bytes_a_row
FROM (VALUES ('segment', 500000.0), ('session', 100000.0), ('daily_statistic', 300000.0), ('viewer', 100000.0))
    AS t (name, rows);
