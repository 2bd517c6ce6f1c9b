"""The disk that holds the SQLite file is full, and then has room again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dwell_process import Dwell, eventually
from stores import SQLiteFile

from .load import Load
from .table import IS_LONG, Table

SIZE_MB = 8
FULL_S = 20.0 if IS_LONG else 3.0
LONGEST_S = 12.0 if IS_LONG else 25.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "dwell-faults", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"a small disk needs mount: {error}")
    if mounted.returncode != 0:
        pytest.skip(f"a small disk needs the right to mount: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leaves no room, not even for a byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (64 * 1024, 1024, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
    return ballast


@pytest.fixture
def on_small_disk(small_disk: Path, fresh_dwell: Callable[..., Dwell]) -> Iterator[Dwell]:
    server = fresh_dwell(store=SQLiteFile(small_disk / "dwell.sqlite"), nodes=1)
    yield server
    server.stop()  # While there is a disk.


def test_a_disk_that_is_full(on_small_disk: Dwell, small_disk: Path, table: Table) -> None:
    server = on_small_disk
    with Load(server) as load:
        ballast = fill(small_disk)
        eventually(lambda: 503 in load.statuses, 30, "a refusal")
        live = server.client().get("/health/live").status_code
        time.sleep(FULL_S)
        assert load.replies[-1].status == 503, "the disk was not full at all"
        ballast.unlink()
        back = load.recovered(time.monotonic())
        load.await_beats(100)
    row = table.add(f"SQLite: the disk full for {FULL_S:.0f} s", load, back)
    assert live == 200
    assert row.longest < LONGEST_S
    assert server.store.damage() == []
