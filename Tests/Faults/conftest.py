"""What every fault needs: a PostgreSQL server that nobody else uses, two nodes, and the table."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dwell_process import REPOSITORY
from stores import PostgresCluster, PostgresDatabase

from .jobs import JobWatch
from .network import Wire
from .nodes import NamedNodes
from .table import IS_LONG, Table

HERE = Path(__file__).parent
TABLE = Table()
BEGAN = time.monotonic()
DOCUMENT = REPOSITORY / "docs" / "faults.md"
BEGIN, END = "<!-- Written by script/faults. -->", "<!-- Until here. -->"


@pytest.hookimpl(trylast=True)  # When it is known which tests run.
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # What is watched from the first fault on is looked at after the last one.
    here = [item for item in items if HERE in item.path.parents]
    watching = [item for item in here if "job_watch" in getattr(item, "fixturenames", ())]
    for item in watching:
        here[0].fixturenames.insert(0, "job_watch")  # type: ignore[attr-defined]
        last = items.index(here[-1])
        items.remove(item)
        items.insert(last, item)
    if config.option.store == "sqlite":
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="names its stores itself: runs once"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not TABLE.rows and not TABLE.measured:
        return
    terminalreporter.section("faults")
    terminalreporter.write(TABLE.text())
    if IS_LONG:  # Else other tests took their time too.
        terminalreporter.write(f"\nAll of it took {lasted():.0f} s.\n")
    if os.environ.get("DWELL_FAULTS_WRITE") and not terminalreporter.stats.get("failed"):
        write_down(TABLE.text())


def lasted() -> float:
    """How long this run has taken, in seconds."""
    return time.monotonic() - BEGAN


def write_down(text: str) -> None:
    """Replaces the figures of docs/faults.md."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    run = (
        f"Figures of {datetime.now(UTC):%Y-%m-%d, %H:%M} UTC, all of one run, which took {lasted():.0f} s on "
        f"{os.cpu_count()} cores."
    )
    DOCUMENT.write_text(f"{before}{BEGIN}\n{run}\n\n{text}{END}{after}")


@pytest.fixture(scope="session")
def table() -> Table:
    return TABLE


@pytest.fixture(scope="package")
def job_watch(
    postgres: PostgresCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JobWatch]:
    watch = JobWatch(postgres, tmp_path_factory.mktemp("jobs"))
    try:
        yield watch.start()
    finally:
        watch.discard()


@pytest.fixture(scope="package")
def cluster() -> Iterator[PostgresCluster]:
    """A PostgreSQL server to which anything may happen."""
    cluster = PostgresCluster()
    try:
        yield cluster.start()
    finally:
        cluster.discard()


@pytest.fixture
def database(cluster: PostgresCluster) -> PostgresDatabase:
    return cluster.database()


@pytest.fixture
def pair(tmp_path: Path, database: PostgresDatabase) -> Iterator[NamedNodes]:
    """Two nodes on one database."""
    server = NamedNodes(tmp_path, database)
    server.start()
    yield server
    server.discard()


@pytest.fixture
def wire(cluster: PostgresCluster) -> Iterator[Wire]:
    wire = Wire(cluster.port)
    yield wire
    wire.discard()
