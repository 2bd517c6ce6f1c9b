"""The power goes, and the disk under SQLite's log fails: what was answered is on the disk."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from Contract.helpers import segment, visitor
from dwell_process import Dwell, eventually
from stores import SQLiteFile

from .load import NO_ANSWER, Load
from .table import Table

HERE = Path(__file__).parent
CUTS = 5


class LogDisk:
    """The folder of log_disk.c: what of the log is on the disk, and what the disk does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def set(self, name: str) -> None:
        (self.folder / name).touch()

    def unset(self, name: str) -> None:
        (self.folder / name).unlink()

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()

    def cut(self, server: Dwell, database: Path) -> None:
        """Ends the server as a power cut does, and starts it on what the disk has."""
        server.kill()
        database.with_name(database.name + "-shm").unlink(missing_ok=True)
        log = database.with_name(database.name + "-wal")
        log.unlink(missing_ok=True)
        if self.has("log"):
            shutil.copy(self.folder / "log", log)
        server.start()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "dwell.sqlite"


@pytest.fixture
def disk(tmp_path: Path) -> LogDisk:
    return LogDisk(tmp_path / "disk")


@pytest.fixture
def server(
    tmp_path: Path, database: Path, disk: LogDisk, fresh_dwell: Callable[..., Dwell]
) -> Dwell:
    library = tmp_path / "log_disk.so"
    source = HERE / "log_disk.c"
    subprocess.run(["clang", "-shared", "-fPIC", "-o", library, source], check=True)
    env = {"LD_PRELOAD": str(library), "TEST_DISK": str(disk.folder)}
    return fresh_dwell(store=SQLiteFile(database), nodes=1, env=env)


def test_the_power_goes(server: Dwell, disk: LogDisk, database: Path, table: Table) -> None:
    with Load(server) as load:
        for _ in range(CUTS):
            load.await_beats(100)
            disk.cut(server, database)
        back = load.recovered(time.monotonic())
    what = f"SQLite: the power goes {CUTS} times, and what was not synced is gone"
    table.add(what, load, back, also=(NO_ANSWER,))
    assert server.store.damage() == []


def test_a_disk_that_fails_once(
    server: Dwell, disk: LogDisk, database: Path, table: Table
) -> None:
    with Load(server) as load:
        disk.set("broken")
        eventually(lambda: 503 in load.statuses, what="a refusal")
        disk.unset("broken")
        back = load.recovered(time.monotonic())
        load.await_beats(100)
        disk.cut(server, database)
        load.recovered(time.monotonic())
    what = "SQLite: the disk fails to sync once, and the power goes afterwards"
    table.add(what, load, back, also=(NO_ANSWER,))
    assert server.store.damage() == []


def test_an_answer_waits_for_the_disk(server: Dwell, disk: LogDisk) -> None:
    guest = visitor(server)
    client = server.client()
    with ThreadPoolExecutor() as pool:
        disk.set("hold")
        answer = pool.submit(guest.beat, segment(n=7))
        eventually(lambda: disk.has("held"), what="a sync of the log")
        # The beat is in the database, where everybody sees it; its answer is not given yet.
        eventually(lambda: server.sql("SELECT n FROM segment WHERE n = 7"), what="a commit")
        assert all(client.get("/health/live").status_code == 200 for _ in range(20))
        assert not answer.done()
        disk.unset("hold")
        assert answer.result(60).status_code == 200
