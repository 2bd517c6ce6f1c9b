"""What one node does holds on the other, even where notifications are lost; and jobs move."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from Contract.helpers import FIREFOX, Device, Person, person, succeeded
from Contract.test_parallel import at_once
from Contract.test_pooler import Pooler
from dwell_process import Dwell, eventually
from stores import PostgresCluster

from .jobs import LOOK_S, JobWatch
from .network import DistantDatabase
from .table import IS_LONG, Table

TRIES = 20 if IS_LONG else 5
EFFECTIVE_S = 1.0 if IS_LONG else 3.0
LOGINS = 100
LIMIT = 4
LISTENERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE query LIKE 'LISTEN%' AND pid != pg_backend_pid()"
)


@pytest.fixture
def pooled(cluster: PostgresCluster, fresh_dwell: Callable[..., Dwell]) -> Iterator[Dwell]:
    """Two nodes behind a pooler in transaction mode, where LISTEN hears nothing."""
    pooler = Pooler(cluster)
    try:
        eventually(pooler.is_there, 60, "a pooler that answers")
        store = DistantDatabase(cluster, pooler.port, "?pgbouncer=true")
        server = fresh_dwell(store=store, nodes=2)
        yield server
        server.stop()
    finally:
        pooler.stop()


def is_in(server: Dwell, node: int, device: Device) -> bool:
    """Whether a node takes a device's login."""
    answer = device.client.get(server.nodes[node].url + "/devices/list")
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


def time_to_removal(server: Dwell, ann: Person, before: Callable[[], object]) -> float:
    """Removes a device on one node, and gives how long the other took it for logged in."""
    staying, leaving = ann.login(), ann.login()
    assert all(is_in(server, node, leaving) for node in (0, 1, 0, 1))
    before()
    path = f"{server.nodes[0].url}/devices/remove/{leaving.id}"
    succeeded(staying.client.delete(path))
    removed = time.monotonic()
    assert not is_in(server, 0, leaving)
    eventually(lambda: not is_in(server, 1, leaving), what="a removal")
    took = time.monotonic() - removed
    assert not any(is_in(server, 1, leaving) for _ in range(5)), "logged in again by itself"
    succeeded(staying.client.post(server.nodes[0].url + "/auth/logout"))
    return took


def measure(server: Dwell, table: Table, how: str, before: Callable[[], object]) -> None:
    ann = person(server)
    took = sorted(time_to_removal(server, ann, before) for _ in range(TRIES))
    table.measure(
        f"a device removed on one node is refused by the other, {how}",
        f"after {took[-1]:.2f} s at the latest, {took[TRIES // 2]:.2f} s in the middle of {TRIES}",
    )
    assert took[-1] < EFFECTIVE_S


def test_a_removed_device_is_refused_everywhere(pair: Dwell, table: Table) -> None:
    measure(pair, table, "told by NOTIFY", lambda: None)


def test_a_removed_device_is_refused_where_listening_ended(
    pair: Dwell, cluster: PostgresCluster, table: Table
) -> None:
    measure(pair, table, "LISTEN's connection terminated", lambda: cluster.run(LISTENERS))


def test_a_removed_device_is_refused_behind_a_pooler(pooled: Dwell, table: Table) -> None:
    measure(pooled, table, "behind pgbouncer, which swallows NOTIFY", lambda: None)


def test_the_device_limit_is_exact_over_nodes(pair: Dwell, table: Table) -> None:
    ann = person(pair)

    def login(at: int) -> int:
        url = pair.nodes[at % 2].url + "/auth/login"
        given = {"username": ann.username, "password": ann.given["password"]}
        return pair.client(FIREFOX).post(url, json=given, timeout=120).status_code

    began = time.monotonic()
    statuses = Counter(at_once([lambda at=at: login(at) for at in range(LOGINS)]))
    table.measure(
        f"{LOGINS} logins of one account at once over two nodes, limit {LIMIT}",
        ", ".join(f"{number} × {status}" for status, number in sorted(statuses.items()))
        + f" within {time.monotonic() - began:.1f} s",
    )
    assert statuses == {200: LIMIT, 421: LOGINS - LIMIT}
    in_use = pair.sql("SELECT count(*) AS n FROM device WHERE removed_at IS NULL")
    assert in_use[0]["n"] == LIMIT


@pytest.mark.timeout(4 * LOOK_S)
def test_jobs_run_on_one_node_and_move_when_it_dies(job_watch: JobWatch, table: Table) -> None:
    """Began with the first fault: nodes look once a minute whether a job is due."""
    seen = job_watch.outcome(within=3 * LOOK_S)
    table.measure(
        "the statistics job, once made due, then made due again with its node killed",
        f"ran once, on one of the two nodes; then on the other, {seen.moved_after:.0f} s after the"
        f" kill (they look every {LOOK_S} s)",
    )
    assert seen.first != seen.second
    assert seen.runs == Counter({seen.first: 1, seen.second: 1})
