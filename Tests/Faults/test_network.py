"""The network between the nodes and their database is cut, silenced, slowed or narrowed."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from Contract.test_parallel import at_once
from dwell_process import Dwell, eventually
from stores import PostgresCluster

from .load import Load
from .network import DistantDatabase, Wire
from .table import IS_LONG, Table

SILENCE_S = 40.0 if IS_LONG else 11.0
CUT_S = 20.0 if IS_LONG else 2.0
SLOW_S = 15.0 if IS_LONG else 4.0
DELAY_S = 0.3
BYTES_A_SECOND = 20_000
LONGEST_S = 25.0
LIVE_S = 1.0 if IS_LONG else 5.0


@pytest.fixture
def distant(cluster: PostgresCluster, wire: Wire, fresh_dwell: Callable[..., Dwell]) -> Dwell:
    """Two nodes that reach their database over the wire."""
    return fresh_dwell(store=DistantDatabase(cluster, wire.port), nodes=2)


def warm_up(server: Dwell) -> None:
    """Makes every node fill its pool of connections."""
    for node in server.nodes:
        at_once([lambda node=node: server.client().get(node.url + "/health/ready")] * 40)


def ready(server: Dwell, node: int = 0) -> tuple[int, float]:
    """What a node says of its readiness, and after how long."""
    asked = time.monotonic()
    status = server.client().get(server.nodes[node].url + "/health/ready", timeout=60).status_code
    return status, time.monotonic() - asked


def test_a_network_that_is_silent(distant: Dwell, wire: Wire, table: Table) -> None:
    """Nothing is closed and nothing answered: the worst that a network can do."""
    warm_up(distant)
    with Load(distant) as load:
        wire.silence()
        began = time.monotonic()
        try:
            answers = [ready(distant)]
            asked = time.monotonic()
            live = distant.client().get(distant.nodes[0].url + "/health/live").status_code
            assert live == 200
            assert time.monotonic() - asked < LIVE_S
            while (left := began + SILENCE_S - time.monotonic()) > 0:
                time.sleep(min(left, 3))
                answers.append(ready(distant))
        finally:
            wire.mend()
        back = load.recovered(time.monotonic())
        load.await_beats(100)
    waited = max(wait for _, wait in answers)
    row = table.add(
        f"network to PostgreSQL silent for {SILENCE_S:.0f} s, nothing closed", load, back,
        f"/health/ready: 503 after {waited:.1f} s at the latest",
    )  # fmt: skip
    assert {status for status, _ in answers} <= {503, 200}
    assert answers[0][0] == 503
    assert row.longest < LONGEST_S, row
    assert waited < LONGEST_S
    eventually(lambda: ready(distant)[0] == 200, 60, "readiness")


def test_a_network_that_is_cut(distant: Dwell, wire: Wire, table: Table) -> None:
    with Load(distant) as load:
        wire.cut()
        try:
            eventually(lambda: ready(distant)[0] == 503, 60, "not ready")
            time.sleep(CUT_S)
        finally:
            wire.mend()
        back = load.recovered(time.monotonic())
        load.await_beats(100)
    row = table.add(f"network to PostgreSQL cut for {CUT_S:.0f} s", load, back)
    assert row.longest < LONGEST_S


def test_a_network_that_is_far(distant: Dwell, wire: Wire, table: Table) -> None:
    with Load(distant) as load:
        wire.delay = DELAY_S
        time.sleep(SLOW_S)
        slow = load.acknowledged
        load.await_beats(4)
        assert load.acknowledged > slow
        wire.delay = 0
        back = load.recovered(time.monotonic())
        load.await_beats(100)
    row = table.add(f"{DELAY_S * 1000:.0f} ms more each way for {SLOW_S:.0f} s", load, back)
    assert row.longest < LONGEST_S


def test_a_network_that_is_narrow(distant: Dwell, wire: Wire, table: Table) -> None:
    with Load(distant) as load:
        wire.rate = BYTES_A_SECOND
        time.sleep(SLOW_S)
        load.await_beats(1)
        wire.rate = 0
        back = load.recovered(time.monotonic())
        load.await_beats(100)
    what = f"{BYTES_A_SECOND // 1000} kB a second on each connection for {SLOW_S:.0f} s"
    row = table.add(what, load, back)
    assert row.longest < LONGEST_S
