"""What every fault needs: a PostgreSQL server that nobody else uses, two nodes, and the table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dwell_process import Dwell
from stores import PostgresCluster, PostgresDatabase

from .jobs import JobWatch
from .network import Wire
from .table import Table

HERE = Path(__file__).parent
TABLE = Table()


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
    if file := os.environ.get("DWELL_FAULTS_TABLE"):
        Path(file).write_text(TABLE.text())


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
def pair(fresh_dwell: Callable[..., Dwell], database: PostgresDatabase) -> Dwell:
    """Two nodes on one database."""
    return fresh_dwell(store=database, nodes=2)


@pytest.fixture
def wire(cluster: PostgresCluster) -> Iterator[Wire]:
    wire = Wire(cluster.port)
    yield wire
    wire.discard()
