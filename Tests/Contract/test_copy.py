"""`dwell copy`: everything goes from one database to another, whatever happens on the way."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from dwell_process import BINARY, CONFIGURATION_ERROR, Dwell, clean_environment, eventually, run_dwell
from stores import PostgresCluster, PostgresDatabase, SQLiteFile, Store

from Contract.helpers import enter, person, segment, succeeded, visitor

pytestmark = pytest.mark.sqlite("these tests choose their databases themselves")

SEGMENTS = 50_000
TABLES = {
    "setting": "name",
    "viewer": "id",
    "account": "id",
    "device": "id",
    "content": "id",
    "session": "viewer_id, id",
    "segment": "viewer_id, entry_id, tab, n",
    "daily_statistic": "viewer_id, day, content_id",
    "dirty_day": "viewer_id, day",
    "span_total": "length, number, content_id",
    "span_viewers": "content_id, length, number",
    "stale_span": "length, number, content_id",
    "video": "id",
    "coverage": "viewer_id, video_id",
    "folded_coverage": "viewer_id, video_id",
    "told_duration": "video_id, duration_ms",
    "dirty_video": "viewer_id, video_id",
    "api_key": "id",
    "gate_visitor": "gate, viewer_id",
    "gate_revocation": "email, gate",
    "audit": "id",
    "operator": "id",
    "webhook": "id",
    "webhook_delivery": "id",
    "session_to_tell": "viewer_id, session_id",
    "told_session": "viewer_id, session_id",
    "exclusion": "viewer_id",
    "erasure": "id",
    "erasing": "viewer_id",
    "erasing_content": "erasure_id, content_id",
}


def copy(
    folder: Path, source: Store, target: Store, *flags: str, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    return run_dwell("copy", *flags, source.url, target.url, folder=folder, timeout=timeout)


def contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, as a program that is not Dwell reads them."""
    return {
        table: [
            tuple(value for _, value in sorted(row.items()))
            for row in store.rows(
                f'SELECT * FROM {table} ORDER BY {key if table != "segment" else "viewer_id, entry_id, n"}'
            )
        ]
        for table, key in TABLES.items()
    }


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Dwell:
    """A server that was lived in, and stopped."""
    server = Dwell(
        tmp_path_factory.mktemp("house"), store=SQLiteFile(tmp_path_factory.mktemp("house") / "d.sqlite"),
        nodes=1,
    ).start()  # fmt: skip
    events = ("--event", "session.ended", "--event", "gate.entered")
    assert server.run("webhook", "add", "http://localhost:9/hook", *events).returncode == 0
    guest = visitor(server, "zoe@example.org")
    for tab, page in (("aZ_-", "/ÄÖ 🙂"), ("Zz", "/zebra"), ("_a", "/a;b='x'")):
        given = segment(tab=tab, page=page, attention="idle", end="hidden")
        assert guest.beat(given).status_code == 200
    media = {"mediaFrom": 0, "mediaTo": 20, "rate": 1.1, "video": "film", "mediaDuration": 1000}
    assert guest.beat(segment(tab="film", **media)).status_code == 200
    device = person(server).login()
    device.init("lesson-1")
    device.init("lesson-1")
    eventually(lambda: server.sql("SELECT session_id FROM told_session"), what="the end of a session that was closed")
    assert device.log().status_code == 200
    server.key()
    assert server.run("gate", "revoke", "mallory@example.org").returncode == 0
    assert server.run("recompute").returncode == 0
    for command in (["exclude", "--reason", "a test"], ["erase", "--yes"]):
        chosen = guest.email if "exclude" in command else visitor(server).email
        assert server.run("person", *command, "--email", chosen).returncode == 0
    operator = [str(BINARY), "operator", "add", "olga", "--database-url", server.database_url]
    subprocess.run(operator, cwd=server.folder, env=clean_environment(), input=b"a calm and long phrase\n", check=True)
    server.stop()
    return server


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> SQLiteFile:
    """A store of fifty thousand segments, of which many have the same start."""
    folder = tmp_path_factory.mktemp("big")
    store = SQLiteFile(folder / "big.sqlite")
    assert run_dwell("migrate", "--database-url", store.url, folder=folder).returncode == 0
    viewers = 500
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.executemany(
            "INSERT INTO viewer VALUES (?, 'guest', ?, 0)",
            [(id, f"v{id}@example.org") for id in range(1, viewers + 1)],
        )
        connection.executemany(
            "INSERT INTO session (viewer_id, id, entry_id, started_at, last_seen_at, seen_slot)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [(id, id, id, id * 1000, id * 1000 + 900_000, (id * 1000 + 900_000) // 300_000) for id in range(1, viewers + 1)],
        )
        connection.executemany(
            "INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?, 'active', NULL, NULL, NULL, NULL, ?, NULL,"
            " 0, 0, 0, 0, 1, ?, ?, NULL)",
            [
                (id, id, f"Tab-{n % 7}_{'aZ'[n % 2]}", n, id, id * 1000 + n, id * 1000 + n + 10,
                 0.1 * (n + 1), id * 1000, id * 1000 + 10)
                for id in range(1, viewers + 1) for n in range(SEGMENTS // viewers)
            ],
        )  # fmt: skip
        connection.execute("UPDATE sequence SET value = ? WHERE name IN ('viewer', 'session')", (viewers,))
    return store


@pytest.fixture
def target(postgres: PostgresCluster) -> PostgresDatabase:
    store = postgres.database().made()
    yield store
    store.discard()


def copied(store: SQLiteFile, folder: Path) -> SQLiteFile:
    """A file of the same contents, to be changed."""
    other = SQLiteFile(folder / "source.sqlite")
    # Not the file alone: what was written last may lie in the log beside it.
    with closing(sqlite3.connect(store.path)) as source, closing(sqlite3.connect(other.path)) as target:
        source.backup(target)
    return other


def interrupted(
    folder: Path, source: Store, target: Store, is_enough: Callable[[int], bool]
) -> int:
    """Kills a copy in the middle, and tells how many segments had come over."""
    process = subprocess.Popen(
        [str(BINARY), "copy", source.url, target.url], cwd=folder, env=clean_environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def segments() -> int:
        try:
            return target.rows("SELECT count(*) AS count FROM segment")[0]["count"]
        except Exception:  # The tables are still being made.
            return 0

    try:
        eventually(lambda: is_enough(segments()), 60, "a copy in the middle")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    return segments()


def test_there_and_back_everything_is_the_same(house: Dwell, target: Store, tmp_path: Path) -> None:
    there = copy(tmp_path, house.store, target)
    assert there.returncode == 0, there.stderr
    assert "now holds everything" in there.stdout
    assert there.stderr == ""
    back = SQLiteFile(tmp_path / "back.sqlite")
    assert copy(tmp_path, target, back).returncode == 0
    before = contents(house.store)
    empty = {
        "dirty_day", "dirty_video", "folded_coverage", "session_to_tell", "stale_span", "erasing", "erasing_content",
    }  # fmt: skip
    assert all(before[table] for table in TABLES if table not in empty), "nothing to compare"
    assert contents(target) == before
    assert contents(back) == before


def test_the_tables_are_all_that_there_are(house: Dwell, target: Store, tmp_path: Path) -> None:
    """Fails when a migration adds a table: tell `StoreTable.all`, then this list."""
    assert copy(tmp_path, house.store, target).returncode == 0
    own = {
        "schema_migration", "sequence", "job", "announcement", "device_ticket", "mail", "mailed_code", "viewing", "sign_in",
        "sqlite_stat1",
    }
    found = {row["name"] for row in house.store.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert found - own == set(TABLES)
    found = {
        row["relname"]
        for row in target.rows(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition"
        )
    }
    assert found - own == set(TABLES)


def test_life_goes_on_in_the_copy(house: Dwell, target: Store, tmp_path: Path) -> None:
    """Cookies, logins and keys stay good with the old key, and numbers are not given twice."""
    house.start()
    guest, account = visitor(house), person(house)
    device = account.login()
    house.stop()
    assert copy(tmp_path, house.store, target).returncode == 0
    key = house.database.with_name(house.database.name + ".key").read_text().strip()
    env = {"DWELL_SECRET_KEY": f"base64:{key}"}
    with Dwell(tmp_path, store=target, nodes=1, port=house.port, env=env) as copy_of_house:
        assert guest.client.post("/api/session-heartbeat").status_code == 200
        assert len(device.list()) == 1
        account.server = copy_of_house
        account.login()
        copy_of_house._keys[()] = house.key()
        new = visitor(copy_of_house)
        numbers = [row["id"] for row in target.rows("SELECT id FROM session")]
        assert new.record["id"] == max(numbers) and len(numbers) == len(set(numbers))
    assert run_dwell("report", "--database-url", target.url, folder=tmp_path).returncode == 0


def test_fifty_thousand_segments_in_bounded_time(big: SQLiteFile, target: Store, tmp_path: Path) -> None:
    assert copy(tmp_path, big, target, timeout=300).returncode == 0
    assert target.rows("SELECT count(*) AS count FROM segment") == [{"count": SEGMENTS}]


def test_killed_in_the_middle_it_goes_on(big: SQLiteFile, target: Store, tmp_path: Path) -> None:
    reached = interrupted(tmp_path, big, target, lambda segments: segments >= 5000)
    assert 5000 <= reached < SEGMENTS

    served = run_dwell(
        "serve", "--port", "0", "--database-url", target.url, folder=tmp_path, env=target.env
    )
    assert served.returncode == CONFIGURATION_ERROR
    assert "unfinished copy" in served.stderr

    again = copy(tmp_path, big, target)
    assert again.returncode == 0, again.stderr
    assert contents(target)["segment"] == contents(big)["segment"]
    assert target.rows("SELECT name FROM setting WHERE name = 'unfinished_copy'") == []


def test_a_row_that_was_tampered_with_is_found(big: SQLiteFile, target: Store, tmp_path: Path) -> None:
    interrupted(tmp_path, big, target, lambda segments: segments >= 2000)
    assert target.change("UPDATE segment SET ended_at = ended_at + 1 WHERE viewer_id = 3 AND n = 50") == 1
    failed = copy(tmp_path, big, target)
    assert failed.returncode == 1
    assert "segment is different" in failed.stderr
    assert "DIFFERENT" in failed.stdout
    # It stays unfinished, so nobody works with it; anew it comes right.
    assert len(target.rows("SELECT 1 FROM setting WHERE name = 'unfinished_copy'")) == 1
    anew = copy(tmp_path, big, target, "--afresh")
    assert anew.returncode == 0, anew.stderr


def test_what_a_server_stored_meanwhile_is_found(big: SQLiteFile, target: Store, tmp_path: Path) -> None:
    source = copied(big, tmp_path)
    interrupted(tmp_path, source, target, lambda segments: segments >= 2000)
    # A beat of somebody who was copied already moves the session and adds nothing behind it.
    source.change("UPDATE session SET last_seen_at = last_seen_at + 1 WHERE id = 1")
    source.change("UPDATE segment SET ended_at = ended_at + 1 WHERE viewer_id = 1 AND n = 0")
    failed = copy(tmp_path, source, target)
    assert failed.returncode == 1
    assert "session, segment are different" in failed.stderr
    assert "--afresh" in failed.stderr


def test_a_target_with_other_data_is_refused(house: Dwell, big: SQLiteFile, target: Store, tmp_path: Path) -> None:
    assert copy(tmp_path, house.store, target).returncode == 0
    before = contents(target)
    whole = copy(tmp_path, house.store, target)
    assert whole.returncode == 0
    assert "nothing was changed" in whole.stdout
    for flags in ((), ("--afresh",)):
        refused = copy(tmp_path, big, target, *flags)
        assert refused.returncode == CONFIGURATION_ERROR
        assert "holds other data" in refused.stderr
    assert contents(target) == before


def test_an_unfinished_copy_of_another_store_is_refused(
    house: Dwell, big: SQLiteFile, target: Store, tmp_path: Path
) -> None:
    interrupted(tmp_path, big, target, lambda segments: segments >= 1000)
    refused = copy(tmp_path, house.store, target)
    assert refused.returncode == CONFIGURATION_ERROR
    assert "unfinished copy of another store" in refused.stderr
    assert copy(tmp_path, target, SQLiteFile(tmp_path / "x.sqlite")).returncode == CONFIGURATION_ERROR
    assert copy(tmp_path, house.store, target, "--afresh").returncode == 0
    assert contents(target) == contents(house.store)


def test_a_target_where_a_server_only_started_is_empty(house: Dwell, target: Store, tmp_path: Path) -> None:
    with Dwell(tmp_path, "--time-zone", "Asia/Tokyo", store=target, nodes=1):
        pass
    assert copy(tmp_path, house.store, target).returncode == 0
    assert contents(target)["setting"] == contents(house.store)["setting"]


def test_a_source_at_another_migration_is_refused(house: Dwell, target: Store, tmp_path: Path) -> None:
    source = copied(house.store, tmp_path)
    source.change("DELETE FROM schema_migration WHERE number = (SELECT max(number) FROM schema_migration)")
    refused = copy(tmp_path, source, target)
    assert refused.returncode == CONFIGURATION_ERROR
    assert "the source must be at migration" in refused.stderr
    assert target.rows("SELECT count(*) AS n FROM pg_class WHERE relname = 'viewer'") == [{"n": 0}]


@pytest.mark.parametrize(
    ("source", "naming"),
    [
        ("sqlite:nowhere.sqlite", "there is no nowhere.sqlite"),
        ("mysql://x", "the source must be sqlite:"),
        ("postgres://dwell:geheim@127.0.0.1:1/x", "the source must be a database that"),
    ],
)
def test_a_source_that_is_none_is_refused(source: str, naming: str, tmp_path: Path) -> None:
    refused = run_dwell("copy", source, "sqlite:new.sqlite", folder=tmp_path)
    assert refused.returncode == CONFIGURATION_ERROR
    assert naming in refused.stderr
    assert "geheim" not in refused.stderr + refused.stdout
    assert not (tmp_path / "nowhere.sqlite").exists()


def test_a_login_after_the_copy_finds_its_account(house: Dwell, target: Store, tmp_path: Path) -> None:
    assert copy(tmp_path, house.store, target).returncode == 0
    with Dwell(tmp_path, store=target, nodes=1) as server:
        succeeded(enter(server.client(), "zoe@example.org"))
        guests = target.rows("SELECT id FROM viewer WHERE email = 'zoe@example.org'")
        assert len(guests) == 1
