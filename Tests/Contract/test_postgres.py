"""Reaching PostgreSQL: what the URL says, TLS, passwords, and a database that goes away."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from dwell_process import CONFIGURATION_ERROR, eventually, run_dwell
from stores import HOST, PostgresCluster, PostgresDatabase, free_port

from .helpers import (
    SECRET,
    TALKATIVE,
    enter,
    ms_of,
    needs_faketime,
    now_ms,
    person,
    restart_ahead,
    segment,
    succeeded,
    unique_email,
    visitor,
)

pytestmark = pytest.mark.postgres("is about the way to PostgreSQL")

PASSWORD = "hunter22@/:? ünd%"  # Everything that has a meaning in a URL.
QUOTED = quote(PASSWORD, safe="")
ENV = {"DWELL_SECRET_KEY": SECRET}


@dataclass
class Guarded:
    """A cluster with TLS and with a user who needs a password."""

    cluster: PostgresCluster
    certificate: Path
    stranger: Path
    """The certificate of somebody else."""

    def url(self, database: str, parameters: str = "", password: str = QUOTED) -> str:
        return f"postgres://guarded:{password}@{HOST}:{self.cluster.port}/{database}{parameters}"

    def verified(self, certificate: Path | None = None) -> str:
        return f"?sslmode=verify-full&sslrootcert={quote(str(certificate or self.certificate))}"


class GuardedDatabase(PostgresDatabase):
    """A database that the server reaches with a password, and the tests without."""

    def __init__(self, guarded: Guarded, parameters: str = "") -> None:
        super().__init__(guarded.cluster)
        self.guarded = guarded
        self.parameters = parameters

    @property
    def url(self) -> str:
        return self.guarded.url(self.made().name, self.parameters)

    def made(self) -> GuardedDatabase:
        if not self._is_made:
            super().made()
            self.cluster.run("ALTER DATABASE {} OWNER TO guarded", self.name)
        return self


def self_signed(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for this machine's address, and its key."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", f"subjectAltName=IP:{HOST}",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("with spaces & more")
    certificate, key = self_signed(folder, "server")
    stranger, _ = self_signed(folder, "stranger")
    cluster = PostgresCluster()
    try:
        cluster.start()
        data = cluster.folder / "data"
        for file in (certificate, key):
            copy = data / file.name
            shutil.copyfile(file, copy)
            owner = data.stat()
            copy.chmod(0o600)
            shutil.chown(copy, owner.st_uid, owner.st_gid)
        rules = data / "pg_hba.conf"
        rules.write_text(f"host all guarded {HOST}/32 scram-sha-256\n{rules.read_text()}")
        for setting in ("ssl_cert_file = 'server.crt'", "ssl_key_file = 'server.key'", "ssl = on"):
            cluster.run(f"ALTER SYSTEM SET {setting}")
        cluster.run(f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'")
        cluster.run("SELECT pg_reload_conf()")
        yield Guarded(cluster, certificate, stranger)
    finally:
        cluster.discard()


def assert_nothing_given_away(text: str) -> None:
    for secret in (PASSWORD, QUOTED, "hunter22"):
        assert secret not in text


def refusal(url: str, folder: Path, *command: str) -> str:
    """Tries to use a database, which must be refused. Gives what was said."""
    command = command or ("serve", "--port", "0")
    # Who asks for a name that does not exist may wait long for the answer.
    ended = run_dwell(*command, "--database-url", url, folder=folder, env=ENV, timeout=60)
    assert ended.returncode == CONFIGURATION_ERROR, (ended.returncode, ended.stdout, ended.stderr)
    assert "--database-url" in ended.stderr
    assert "Dwell is ready" not in ended.stdout
    assert "Fatal error" not in ended.stderr
    assert len(ended.stderr) < 1000, "a message that nobody reads to its end"
    assert_nothing_given_away(ended.stdout + ended.stderr)
    return ended.stderr


def connections(database: PostgresDatabase) -> list[bool]:
    """Whether each of the server's connections is encrypted."""
    rows = database.rows(
        "SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)"
        " WHERE a.datname = current_database() AND a.application_name = 'dwell'"
    )
    return [row["ssl"] for row in rows]


# TLS


def test_a_server_without_tls_is_refused_where_tls_is_required(
    postgres: PostgresCluster, tmp_path: Path
) -> None:
    url = f"postgres://dwell:{QUOTED}@{HOST}:{postgres.port}/postgres?sslmode=require"
    assert "SSL" in refusal(url, tmp_path)


def test_a_server_that_proves_who_it_is_is_spoken_to_in_secret(
    guarded: Guarded, fresh_dwell
) -> None:
    store = GuardedDatabase(guarded, guarded.verified())
    server = fresh_dwell(store=store)
    succeeded(visitor(server).beat())
    assert set(connections(store)) == {True}


def test_a_server_that_proves_to_be_somebody_else_is_refused(
    guarded: Guarded, tmp_path: Path
) -> None:
    message = refusal(guarded.url("postgres", guarded.verified(guarded.stranger)), tmp_path)
    assert "certificate" in message


def test_a_certificate_that_is_not_there_is_named(guarded: Guarded, tmp_path: Path) -> None:
    message = refusal(guarded.url("postgres", guarded.verified(tmp_path / "none.crt")), tmp_path)
    assert "none.crt" in message


def test_tls_can_be_left_out(guarded: Guarded, fresh_dwell) -> None:
    store = GuardedDatabase(guarded, "?sslmode=disable")
    succeeded(visitor(fresh_dwell(store=store)).beat())
    assert set(connections(store)) == {False}


# What is wrong with the URL


@pytest.mark.parametrize("command", [(), ("report",), ("migrate",), ("recompute",)], ids=str)
def test_a_server_that_is_not_there_is_named(tmp_path: Path, command: tuple[str, ...]) -> None:
    url = f"postgres://dwell:{QUOTED}@{HOST}:{free_port()}/dwell"
    assert HOST in refusal(url, tmp_path, *command)


def test_a_host_that_does_not_exist_is_named(tmp_path: Path) -> None:
    url = f"postgres://dwell:{QUOTED}@nowhere.invalid/dwell"
    assert "nowhere.invalid" in refusal(url, tmp_path)


def test_a_database_that_does_not_exist_is_named(guarded: Guarded, tmp_path: Path) -> None:
    assert "no_such_database" in refusal(guarded.url("no_such_database"), tmp_path)


def test_a_user_who_does_not_exist_is_named(postgres: PostgresCluster, tmp_path: Path) -> None:
    url = f"postgres://nobody_here:{QUOTED}@{HOST}:{postgres.port}/postgres"
    assert "nobody_here" in refusal(url, tmp_path)


def test_a_user_who_may_not_make_tables_is_refused(guarded: Guarded, tmp_path: Path) -> None:
    store = PostgresDatabase(guarded.cluster).made()
    assert "permission denied" in refusal(guarded.url(store.name), tmp_path)


@pytest.mark.parametrize("command", [(), ("report",), ("migrate",)], ids=str)
@pytest.mark.parametrize("password", ["", "hunter22", QUOTED.swapcase()])
def test_a_wrong_password_is_refused_and_not_repeated(
    guarded: Guarded, tmp_path: Path, password: str, command: tuple[str, ...]
) -> None:
    assert "password" in refusal(guarded.url("postgres", password=password), tmp_path, *command)


@pytest.mark.parametrize(
    "url",
    [
        f"postgres://guarded:{QUOTED}@{HOST}/dwell?pool_size=0",
        f"postgres://guarded:{QUOTED}@{HOST}/dwell?pool_size=many",
        f"postgres://guarded:{QUOTED}@{HOST}/dwell?pgbouncer=perhaps",
        f"postgres://guarded:{QUOTED}@{HOST}/dwell?nonsense=1",
        f"postgres://guarded:{QUOTED}@{HOST}/dwell?sslmode=sometimes",
        f"postgres://guarded:{QUOTED}@{HOST}:99999/dwell",
        f"postgres://guarded:{QUOTED}@{HOST}:port/dwell",
        f"postgres://guarded:{QUOTED}@[{HOST}/dwell",
        f"postgres://guarded@{HOST}/dwell?password={QUOTED}&nonsense=1",
        f"postgres:guarded:{QUOTED}@{HOST}/dwell",
        f"postgers://guarded:{QUOTED}@{HOST}/dwell",
        f"postgres://guarded:hunter22%zz@{HOST}/dwell",
        f"postgres://guarded:hunter22@@{HOST}/dwell",
        f"postgres://guarded:5#hunter22@{HOST}/dwell",
        f"postgres://guarded:5/hunter22@{HOST}/dwell",
        f"postgres://guarded:5?hunter22@{HOST}/dwell",
        f"postgres://guarded:hunter22/x@{HOST}/dwell",
        f"postgres://guarded:hunter22 x@{HOST}/dwell",
        f"postgresql:guarded:{QUOTED}@{HOST}/dwell",
    ],
)
def test_a_url_that_is_none_is_refused_and_its_password_not_repeated(
    tmp_path: Path, url: str
) -> None:
    refusal(url, tmp_path)


def test_the_secret_has_to_be_given(postgres: PostgresCluster, tmp_path: Path) -> None:
    """Every node has to sign with the same."""
    ended = run_dwell(
        "serve", "--port", "0", "--database-url", postgres.url(), folder=tmp_path
    )
    assert ended.returncode == CONFIGURATION_ERROR
    assert "DWELL_SECRET_KEY" in ended.stderr
    assert list(tmp_path.iterdir()) == []


# Secrets, and a database that goes away


def test_the_password_is_never_written_down(guarded: Guarded, fresh_dwell) -> None:
    server = fresh_dwell("--log-level", "trace", store=GuardedDatabase(guarded), env=TALKATIVE)
    guest = visitor(server)
    succeeded(guest.beat())
    person(server).login()
    for command in ("report", "migrate"):
        ended = server.run(command)
        assert ended.returncode == 0, ended.stderr
        assert_nothing_given_away(ended.stdout + ended.stderr)
    guarded.cluster.stop("immediate")
    try:
        away = guest.beat(segment())
        assert away.status_code == 503
        assert server.client().get("/health/ready").status_code == 503
        assert_nothing_given_away(away.text)
        ended = server.run("report")
        assert ended.returncode == CONFIGURATION_ERROR
        assert_nothing_given_away(ended.stdout + ended.stderr)
    finally:
        guarded.cluster.start()
    server.stop()
    assert server.written, "a server that says nothing proves nothing"
    assert_nothing_given_away(server.written)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_database_that_went_away_and_came_back_is_used_again(
    guarded: Guarded, fresh_dwell, mode: str
) -> None:
    server = fresh_dwell(store=GuardedDatabase(guarded))
    guest = visitor(server)
    succeeded(guest.beat(segment(n=1)))
    guarded.cluster.stop(mode)
    try:
        for response in (guest.beat(segment(n=2)), enter(server.client(), unique_email())):
            assert response.status_code == 503, response.text
            assert int(response.headers["Retry-After"]) >= 1
        assert server.client().get("/health/live").status_code == 200
        assert server.client().get("/health/ready").status_code == 503
    finally:
        guarded.cluster.start()
    eventually(lambda: server.client().get("/health/ready").status_code == 200, 60, "readiness")
    succeeded(guest.beat(segment(n=2)))
    succeeded(enter(server.client(), unique_email()))
    assert [row["n"] for row in guest.rows()] == [1, 2]


@needs_faketime
def test_a_node_whose_own_clock_is_wrong_counts_by_the_databases(fresh_dwell) -> None:
    server = fresh_dwell()
    early = visitor(server)
    server.key()  # By a program that tells the right time.
    before = now_ms()
    restart_ahead(server, 3)
    late = visitor(server)
    for guest in (early, late):
        succeeded(guest.beat(segment()))
        end = ms_of(guest.record["sessionEndTime"])
        assert before - 1000 <= end <= now_ms() + 1000
