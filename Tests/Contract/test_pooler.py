"""A pooler in transaction mode between Dwell and PostgreSQL.

Each transaction may meet another connection to the server, where other statements are prepared.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest

from dwell_process import Dwell, eventually, let_pass
from stores import HOST, PostgresCluster, PostgresDatabase, free_port

from .helpers import now_ms, person, segment, succeeded, unique_email, visitor
from .test_parallel import at_once

pytestmark = pytest.mark.postgres("has a PostgreSQL server of its own behind the pooler")

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONFIGURATION = """\
[databases]
* = host={host} port={behind}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
admin_users = dwell
pool_mode = transaction
default_pool_size = 4
logfile = {folder}/log
pidfile = {folder}/pid
"""


class Pooler:
    """pgbouncer in front of a cluster, with few connections, so that they change hands."""

    def __init__(self, cluster: PostgresCluster) -> None:
        self.port = free_port()
        # Where the user may go whom PostgreSQL runs as.
        self.folder = folder = cluster.folder / f"pgbouncer-{self.port}"
        folder.mkdir()
        (folder / "users.txt").write_text('"dwell" ""\n')
        (folder / "pgbouncer.ini").write_text(
            CONFIGURATION.format(host=HOST, port=self.port, behind=cluster.port, folder=folder)
        )
        command = [str(PGBOUNCER), "--quiet", str(folder / "pgbouncer.ini")]
        if os.geteuid() == 0:  # It refuses to run as root.
            shutil.chown(folder, "nobody")
            command = ["setpriv", "--reuid=nobody", "--clear-groups", *command]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def is_there(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            socket.create_connection((HOST, self.port), timeout=5).close()
        except ConnectionRefusedError:
            return False
        return True

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(15)


class PooledDatabase(PostgresDatabase):
    """A database that the server reaches through the pooler, and the tests do not."""

    def __init__(self, cluster: PostgresCluster, pooler: Pooler, parameters: str) -> None:
        super().__init__(cluster)
        self.pooler = pooler
        self.parameters = parameters

    @property
    def url(self) -> str:
        return f"postgres://dwell@{HOST}:{self.pooler.port}/{self.made().name}{self.parameters}"


@pytest.fixture(scope="module")
def pooler(postgres: PostgresCluster) -> Iterator[Pooler]:
    pooler = Pooler(postgres)
    try:
        eventually(pooler.is_there, 60, "a pooler that answers")
        yield pooler
    finally:
        pooler.stop()


@pytest.fixture(scope="module", params=["?pgbouncer=true", ""], ids=["told", "not told"])
def pooled(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresCluster,
    pooler: Pooler,
) -> Iterator[Dwell]:
    """A server behind the pooler, which is told so by its URL, or has to notice."""
    store = PooledDatabase(postgres, pooler, request.param)
    server = Dwell(tmp_path_factory.mktemp("pooled"), store=store).start()
    yield server
    server.discard()


def test_visitors_who_come_at_once_are_all_let_in_and_their_beats_stored(pooled: Dwell) -> None:
    guests = at_once([lambda: visitor(pooled)] * 20)
    for n in range(3):
        answers = at_once(lambda guest=guest: guest.beat(segment(n=n)) for guest in guests)
        assert {one.status_code for one in answers} == {200}
    for guest in guests:
        assert [row["n"] for row in guest.rows()] == [0, 1, 2]


def test_a_beat_of_many_segments_is_stored(pooled: Dwell) -> None:
    guest = visitor(pooled)
    succeeded(guest.beat(*(segment(n=n) for n in range(500))))
    assert [row["n"] for row in guest.rows()] == list(range(500))


def test_a_beat_moves_the_end_of_the_session(pooled: Dwell) -> None:
    guest = visitor(pooled)
    let_pass(0.3)
    now = now_ms()
    succeeded(guest.beat(segment(**{"from": now - 200, "to": now})))
    assert guest.record["elapsedMs"] >= 200
    assert guest.record["visibleMs"] == 200


def test_accounts_log_in_watch_and_remove_devices(pooled: Dwell) -> None:
    ann = person(pooled)
    phone, laptop = ann.login(), ann.login()
    session = phone.init("lesson")
    assert phone.log().status_code == 200
    assert [str(one["id"]) for one in ann.sessions(video="lesson")] == [session]
    assert {one["id"] for one in phone.list()} == {phone.id, laptop.id}
    succeeded(phone.client.delete(f"/devices/remove/{laptop.id}"))
    assert laptop.client.get("/devices/list").status_code == 401


def test_of_many_logins_at_once_exactly_as_many_succeed_as_are_allowed(pooled: Dwell) -> None:
    ann = person(pooled)
    statuses = at_once([lambda: ann.try_login().status_code] * 30)
    assert sorted(statuses) == [200] * 4 + [421] * 26


def test_reports_and_keys_work(pooled: Dwell) -> None:
    email = unique_email()
    visitor(pooled, email).beat()
    for kind in ("sessions", "totals", "days", "videos"):
        ended = pooled.run("report", kind, "--email", email, "--format", "json")
        assert ended.returncode == 0, ended.stderr
        assert kind in ("days", "videos") or len(json.loads(ended.stdout)) == 1
    assert [one["emailOfAccessor"] for one in pooled.sessions(email=email)] == [email]


def test_days_are_computed(pooled: Dwell) -> None:
    path = "/cronjob/trigger?accessKey=secretcronjob"
    assert succeeded(pooled.client().get(path))["error"] is False
    ended = pooled.run("recompute")
    assert ended.returncode == 0, ended.stderr
    assert "0 of them were different" in ended.stdout


def test_connections_that_the_pooler_drops_are_replaced(pooled: Dwell) -> None:
    guest = visitor(pooled)
    pooled.store.cluster.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    assert [guest.beat(segment(n=n)).status_code for n in range(3)] == [200] * 3


def test_statements_of_several_servers_are_not_mixed_up(
    postgres: PostgresCluster, pooler: Pooler, fresh_dwell
) -> None:
    """Each begins with another statement, on connections that all share."""
    store = PooledDatabase(postgres, pooler, "")
    servers = [fresh_dwell(store=store) for _ in range(3)]
    doings = [
        lambda server: visitor(server).beat(segment()).status_code,
        lambda server: len(person(server).login().list()) and 200,
        lambda server: server.client().get("/health/ready").status_code,
        lambda server: server.api().status_code,
    ]
    for server in servers:
        server.key()
    answers = at_once(
        [lambda server=server, do=do: do(server) for server in servers for do in doings] * 4
    )
    assert set(answers) == {200}, answers
    for server in servers:
        assert " error " not in server.logs


def test_nothing_of_this_was_the_servers_fault(pooled: Dwell) -> None:
    """But what was under way when its connection was terminated, and says so."""
    errors = [line for line in pooled.logs.splitlines() if " error " in line and "57P01" not in line]
    assert errors == []
    assert "Fatal error" not in pooled.logs
