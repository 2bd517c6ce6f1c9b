-- Splits the tables that grow into hash partitions by viewer. Stop every node, then:
--     psql -v ON_ERROR_STOP=1 -d dwell -f docs/partitions.sql
-- Everything happens in one transaction; room for a second copy of the tables is needed meanwhile.
BEGIN;

CREATE FUNCTION pg_temp.split(wanted text, partitions int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    plain text := wanted || '_plain';
    definition record;
BEGIN
    EXECUTE format('ALTER TABLE %I RENAME TO %I', wanted, plain);
    EXECUTE format(
        'CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY HASH (viewer_id)',
        wanted, plain);
    FOR i IN 0 .. partitions - 1 LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s)'
            ' WITH (fillfactor = 70)',
            wanted || '_' || i, wanted, partitions, i);
    END LOOP;
    -- Primary and foreign keys as they were, then the other indices.
    FOR definition IN
        SELECT pg_get_constraintdef(oid) AS sql FROM pg_constraint
        WHERE conrelid = plain::regclass AND contype IN ('p', 'f') ORDER BY contype DESC
    LOOP
        EXECUTE format('ALTER TABLE %I ADD %s', wanted, replace(definition.sql, 'session_plain', 'session'));
    END LOOP;
    FOR definition IN
        SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS sql
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = plain::regclass AND NOT i.indisprimary
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', definition.name, definition.name || '_plain');
        EXECUTE regexp_replace(definition.sql, ' ON (\S+\.)?' || plain || ' ', format(' ON %I ', wanted));
    END LOOP;
    EXECUTE format('INSERT INTO %I SELECT * FROM %I', wanted, plain);
END $$;

SELECT pg_temp.split('session', 16);
SELECT pg_temp.split('segment', 16);
SELECT pg_temp.split('daily_statistic', 16);
SELECT pg_temp.split('dirty_day', 16);
DROP TABLE segment_plain, session_plain, daily_statistic_plain, dirty_day_plain;

COMMIT;
