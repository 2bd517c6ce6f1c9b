"""`dwell backup` and `dwell restore`: a file of one moment, made while the server runs."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from dwell_process import CONFIGURATION_ERROR, Dwell, eventually, run_dwell
from stores import SQLiteFile

from .helpers import person, segment, visitor

pytestmark = pytest.mark.sqlite("PostgreSQL has pg_dump")


def restore(file: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return run_dwell("restore", str(file), "--database-url", f"sqlite:{folder / 'dwell.sqlite'}", folder=folder)


def damage(path: Path) -> list[str]:
    return SQLiteFile(path).damage()


class Load:
    """Guests who beat as fast as they are answered, and what was acknowledged."""

    def __init__(self, server: Dwell, guests: int = 4) -> None:
        self.acknowledged: list[tuple[str, int]] = []
        self._isOver = threading.Event()
        self._threads = [threading.Thread(target=self._beat, args=(server, number)) for number in range(guests)]
        for thread in self._threads:
            thread.start()

    def _beat(self, server: Dwell, number: int) -> None:
        guest = visitor(server)
        n = 0
        while not self._isOver.is_set():
            n += 1
            try:
                if guest.beat(segment(tab=f"t{number}", n=n)).status_code == 200:
                    self.acknowledged.append((f"t{number}", n))
            except OSError:
                return  # The server was killed.

    def stop(self) -> None:
        self._isOver.set()
        for thread in self._threads:
            thread.join()


def segments(path: Path) -> set[tuple[str, int]]:
    with closing(sqlite3.connect(path)) as connection:
        return set(connection.execute("SELECT tab, n FROM segment"))


def test_every_beat_that_was_acknowledged_before_it_began_is_in_it(fresh_dwell, tmp_path) -> None:
    server = fresh_dwell()
    ann = person(server).login()
    load = Load(server)
    try:
        eventually(lambda: len(load.acknowledged) > 50, what="some beats")
        before = set(load.acknowledged)
        file = tmp_path / "backup.sqlite"
        made = server.run("backup", str(file))
        assert made.returncode == 0, made.stderr
        after = len(load.acknowledged)
        eventually(lambda: len(load.acknowledged) > after, what="beats after the backup")
        server.kill()
    finally:
        load.stop()
    assert damage(file) == []
    assert before <= segments(file)
    # Once more, in another place.
    again = tmp_path / "again"
    again.mkdir()
    restored = restore(file, again)
    assert restored.returncode == 0, restored.stderr
    assert "dwell.sqlite.key" in restored.stdout
    database = again / "dwell.sqlite"
    assert before <= segments(database)
    os.link(server.database.with_name("dwell.sqlite.key"), again / "dwell.sqlite.key")
    with Dwell(again, store=SQLiteFile(database), nodes=1, port=server.port) as other:
        # With the key, those who were logged in are.
        assert ann.client.get("/devices/list").status_code == 200
        assert {one["emailOfAccessor"] for one in other.sessions()}
        assert visitor(other).beat().status_code == 200


def test_a_backup_is_one_private_file_and_leaves_the_database_alone(fresh_dwell, tmp_path) -> None:
    server = fresh_dwell()
    guest = visitor(server)
    file = tmp_path / "backup.sqlite"
    made = server.run("backup", str(file))
    assert (made.returncode, made.stderr) == (0, "")
    assert "1 viewers" in made.stdout and f"{server.database}.key" in made.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.sqlite"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert guest.beat(segment()).status_code == 200
    server.stop()
    assert damage(server.database) == []
    # Of a database that nobody uses, too.
    assert server.run("backup", str(tmp_path / "other.sqlite")).returncode == 0
    assert segments(tmp_path / "other.sqlite") and not segments(file)


def test_nothing_is_overwritten(fresh_dwell, tmp_path) -> None:
    server = fresh_dwell()
    file = tmp_path / "backup.sqlite"
    file.write_text("mine")
    refused = server.run("backup", str(file))
    assert (refused.returncode, refused.stdout) == (CONFIGURATION_ERROR, "")
    assert str(file) in refused.stderr
    assert file.read_text() == "mine"
    file.unlink()
    assert server.run("backup", str(file)).returncode == 0
    # Over a server that runs, over one that does not, and beside what one left behind.
    for _ in range(2):
        refused = server.run("restore", str(file))
        assert refused.returncode == CONFIGURATION_ERROR
        assert "stop the server" in refused.stderr
        server.stop()
    server.store.empty()
    server.database.with_name("dwell.sqlite-wal").write_bytes(b"of another database")
    assert server.run("restore", str(file)).returncode == CONFIGURATION_ERROR
    server.database.with_name("dwell.sqlite-wal").unlink()
    assert server.run("restore", str(file)).returncode == 0


@pytest.mark.parametrize("content", ["", "nothing like a database", "damaged", "somebody else's"])
def test_what_is_no_backup_is_not_restored(fresh_dwell, tmp_path, content: str) -> None:
    file = tmp_path / "backup.sqlite"
    if content == "damaged":
        server = fresh_dwell()
        for _ in range(20):
            visitor(server)
        assert server.run("backup", str(file)).returncode == 0
        bytes = bytearray(file.read_bytes())
        for place in range(4096 * 3, len(bytes), 4096):
            bytes[place : place + 2000] = b"\xff" * 2000
        file.write_bytes(bytes)
    elif content == "somebody else's":
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("CREATE TABLE own (id INTEGER)")
    else:
        file.write_text(content)
    folder = tmp_path / "new"
    folder.mkdir()
    refused = restore(file, folder)
    assert (refused.returncode, refused.stdout) == (CONFIGURATION_ERROR, ""), refused.stdout
    assert str(file) in refused.stderr
    assert list(folder.iterdir()) == []


def test_what_is_not_there_is_named(tmp_path) -> None:
    missing = run_dwell("backup", str(tmp_path / "b"), "--database-url", f"sqlite:{tmp_path}/none.sqlite", folder=tmp_path)
    assert missing.returncode == CONFIGURATION_ERROR
    assert "none.sqlite" in missing.stderr
    assert restore(tmp_path / "b", tmp_path).returncode == CONFIGURATION_ERROR
    assert list(tmp_path.iterdir()) == []


def test_postgres_is_sent_to_its_own_tools(tmp_path) -> None:
    for command, tool in (("backup", "pg_dump --format=custom"), ("restore", "pg_restore --no-owner")):
        ended = run_dwell(command, "b", "--database-url", "postgres://ann:secret-word@db.example/dwell", folder=tmp_path)
        assert ended.returncode == CONFIGURATION_ERROR
        assert tool in ended.stderr
        assert "secret-word" not in ended.stderr
