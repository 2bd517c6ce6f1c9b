"""The database goes away, forgets its connections, or takes nothing more."""

from __future__ import annotations

import time

import pytest

from dwell_process import Dwell, eventually
from stores import PostgresCluster, PostgresDatabase

from .flood import flood
from .load import Load
from .table import IS_LONG, Table

AWAY_S = 15.0 if IS_LONG else 2.0
MODES = ["immediate", "fast"] if IS_LONG else ["immediate"]
TERMINATIONS = 10 if IS_LONG else 4
REFUSALS = 50_000 if IS_LONG else 2_000
LONGEST_S = 12.0 if IS_LONG else 25.0
MEMORY_MB = 64

TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid != pg_backend_pid()"
)


def statuses(server: Dwell, path: str) -> set[int]:
    """What all nodes answer."""
    for node in server.nodes:
        assert node.is_running, node.logs[-2000:]
    return {server.client().get(node.url + path).status_code for node in server.nodes}


@pytest.mark.parametrize("mode", MODES)
def test_a_database_that_crashes_or_is_stopped(
    pair: Dwell, cluster: PostgresCluster, table: Table, mode: str
) -> None:
    with Load(pair) as load:
        cluster.stop(mode)
        try:
            eventually(lambda: statuses(pair, "/health/ready") == {503}, 60, "not ready")
            assert statuses(pair, "/health/live") == {200}
            time.sleep(AWAY_S)
        finally:
            cluster.start()
        back = load.recovered(time.monotonic())
        load.await_beats(100)
    row = table.add(f"PostgreSQL stopped ({mode}) for {AWAY_S:.0f} s", load, back)
    assert row.longest < LONGEST_S
    assert statuses(pair, "/health/ready") == {200}


def test_a_pass_opens_nothing_while_nobody_knows_who_was_revoked(pair: Dwell, cluster: PostgresCluster) -> None:
    """It comes from memory, but no longer than revocations are heard of."""
    visitor = pair.client()
    assert visitor.post("/api/verify-temp-access", json={"email": "ann@example.org"}).status_code == 200

    def checks() -> set[int]:
        return {visitor.get(f"{node.url}/gate/check").status_code for node in pair.nodes}

    assert checks() == {204}
    cluster.stop("immediate")
    try:
        eventually(lambda: checks() == {503}, 60, "passes that open nothing")
        assert visitor.get("/gate/check").headers["Retry-After"]
    finally:
        cluster.start()
    eventually(lambda: checks() == {204}, 30, "passes that open again")


def test_all_connections_terminated(pair: Dwell, cluster: PostgresCluster, table: Table) -> None:
    worst = 0.0
    with Load(pair) as load:
        for _ in range(TERMINATIONS):
            cluster.run(TERMINATE)
            worst = max(worst, load.recovered(time.monotonic()))
            load.await_beats(100)
    row = table.add(f"all connections terminated, {TERMINATIONS} times", load, worst)
    assert row.longest < LONGEST_S


@pytest.mark.parametrize("how", ["and connections terminated after it", "nobody lends a hand"])
def test_a_database_that_only_reads(
    pair: Dwell, database: PostgresDatabase, cluster: PostgresCluster, table: Table, how: str
) -> None:
    with Load(pair) as load:
        cluster.run("ALTER DATABASE {} SET default_transaction_read_only = on", database.name)
        cluster.run(TERMINATE)
        eventually(lambda: 503 in load.statuses, 60, "a refusal")
        time.sleep(AWAY_S / 2)
        cluster.run("ALTER DATABASE {} RESET default_transaction_read_only", database.name)
        if how != "nobody lends a hand":
            cluster.run(TERMINATE)
        back = load.recovered(time.monotonic(), within=30)
        load.await_beats(100)
    row = table.add(f"PostgreSQL read-only for {AWAY_S / 2:.0f} s, {how}", load, back)
    assert row.longest < LONGEST_S


def memory_mb(node_id: int) -> float:
    """The memory that a process has now."""
    with open(f"/proc/{node_id}/status") as status:
        (line,) = [line for line in status if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def test_many_refusals_take_no_memory(
    pair: Dwell, cluster: PostgresCluster, table: Table
) -> None:
    node = pair.nodes[0]
    with Load(pair) as load:
        load.await_beats(500)
        guest = load.beaters[0].guest
    # The first ones fill buffers that are kept.
    cluster.stop("immediate")
    try:
        flood(node.port, guest.token, 1_000)
        before = memory_mb(node.process_id)
        seen = flood(node.port, guest.token, REFUSALS)
        after = memory_mb(node.process_id)
    finally:
        cluster.start()
    assert set(seen.statuses) == {503}, seen.statuses
    assert seen.longest < LONGEST_S
    assert after - before < MEMORY_MB
    began = time.monotonic()
    eventually(lambda: guest.beat().status_code == 200, 30, "beats stored again")
    table.measure(
        f"{REFUSALS:,} beats refused by one node",
        f"all 503 with Retry-After, longest wait {seen.longest:.2f} s; memory {before:.0f} MB"
        f" before, {after:.0f} MB after; stored again after {time.monotonic() - began:.1f} s",
    )
