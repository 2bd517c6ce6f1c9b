"""Where a server keeps its data: an SQLite file, or a database of its own in a PostgreSQL cluster.

The tests look into it, and do to it what happens to databases, in the same words whichever it is.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

KINDS = ("sqlite", "postgres", "cluster")
HOST = "127.0.0.1"
NO_BROWSERS = 10_080  # Where browsers do not go, as to some below: https://fetch.spec.whatwg.org/#port-blocking
LAST_PORT = Path(tempfile.gettempdir()) / f"dwell-tests-{os.getuid()}.port"
POSTGRES = Path(__file__).resolve().parent / "postgres.sh"

Rows = list[dict[str, Any]]


def free_port(host: str = HOST) -> int:
    """A port that nobody else is given until the range has been gone through.

    It lies below the ports that the system gives to outgoing connections: one of those can be taken by anybody's
    connection between the moment it is found free and the moment the server listens on it, or while a test has its
    server down. The last port given stands in a file that all the machine's test processes share.
    """
    ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = range(10_000, max(ephemeral, 10_100))
    with LAST_PORT.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        last = int(file.read() or ports[0])
        for step in range(1, len(ports)):
            port = ports[(last - ports[0] + step) % len(ports)]
            if port == NO_BROWSERS:
                continue
            with socket.socket() as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    listener.bind((host, port))
                except OSError:
                    continue
            file.truncate(0)
            file.write(str(port))
            return port
    raise AssertionError(f"no free port in {ports}")


class Store(Protocol):
    env: Mapping[str, str]
    """What a server on it has to be told besides the URL."""

    @property
    def url(self) -> str: ...

    def rows(self, query: str, *parameters: object) -> Rows:
        """Reads, with `?` for each parameter."""

    def change(self, statement: str, *parameters: object) -> int:
        """Writes behind the program's back, and tells how many rows."""

    def locked(self) -> Any:
        """As long as this context lasts, nobody else can write."""

    def bytes(self) -> bytes:
        """All that is stored, in no particular form."""

    def damage(self) -> list[str]:
        """What is broken in it, as a crash of its servers left it."""

    def empty(self) -> None:
        """Forgets everything, the schema too. No server may run."""

    def discard(self) -> None:
        """Gives up what it takes. Nothing may use it afterwards."""


class SQLiteFile:
    env: Mapping[str, str] = {}

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def url(self) -> str:
        return f"sqlite:{self.path}"

    def rows(self, query: str, *parameters: object) -> Rows:
        url = f"file:{self.path}?mode=ro"
        with closing(sqlite3.connect(url, uri=True, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, parameters)]

    def change(self, statement: str, *parameters: object) -> int:
        with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
            return connection.execute(statement, parameters).rowcount

    @contextmanager
    def locked(self) -> Iterator[None]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    def bytes(self) -> bytes:
        return self.path.read_bytes()

    def damage(self) -> list[str]:
        """Lets SQLite open and check a copy of the files."""
        with tempfile.TemporaryDirectory() as folder:
            for name in (self.path.name, self.path.name + "-wal"):
                if self.path.with_name(name).exists():
                    shutil.copy(self.path.with_name(name), folder)
            with closing(sqlite3.connect(Path(folder) / self.path.name)) as connection:
                said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
                said += map(str, connection.execute("PRAGMA foreign_key_check"))
        return [line for line in said if line != "ok"]

    def empty(self) -> None:
        for ending in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)

    def discard(self) -> None:
        pass


class PostgresDatabase:
    """A database of a cluster, made when it is first asked for."""

    def __init__(self, cluster: PostgresCluster) -> None:
        self.cluster = cluster
        self.name = f"dwell_{uuid.uuid4().hex}"
        self.env = {"DWELL_SECRET_KEY": secrets.token_urlsafe(32)}
        self._is_made = False

    def made(self) -> PostgresDatabase:
        if not self._is_made:
            self.cluster.run("CREATE DATABASE {}", self.name)
            self._is_made = True
        return self

    @property
    def url(self) -> str:
        return self._direct_url

    @property
    def _direct_url(self) -> str:
        return self.cluster.url(self.made().name)

    def rows(self, query: str, *parameters: object) -> Rows:
        with self._connected("-c default_transaction_read_only=on") as connection:
            return connection.execute(_translated(query), parameters).fetchall()

    def change(self, statement: str, *parameters: object) -> int:
        with self._connected() as connection:
            return connection.execute(_translated(statement), parameters).rowcount

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self._connected() as connection, connection.transaction(force_rollback=True):
            tables = connection.execute(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')"
                " AND relnamespace = 'public'::regnamespace ORDER BY relname"
            ).fetchall()
            # Others may go on reading, as they may of SQLite's file.
            names = sql.SQL(", ").join(sql.Identifier(row["relname"]) for row in tables)
            connection.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(names))
            yield

    def bytes(self) -> bytes:
        dump = [str(self.cluster.programs / "pg_dump"), "--dbname", self._direct_url]
        return subprocess.run(dump, check=True, capture_output=True).stdout

    def damage(self) -> list[str]:
        """Nothing: PostgreSQL itself went on, and checks foreign keys."""
        return []

    def empty(self) -> None:
        self.discard()
        self.made()

    def discard(self) -> None:
        if self._is_made:
            self.cluster.run("DROP DATABASE {} WITH (FORCE)", self.name)
            self._is_made = False

    def _connected(self, options: str = "") -> psycopg.Connection[dict[str, Any]]:
        return psycopg.connect(
            self._direct_url, autocommit=True, options=options, row_factory=dict_row, connect_timeout=10
        )


def _translated(query: str) -> str:
    """`?` placeholders as psycopg writes them."""
    return query.replace("%", "%%").replace("?", "%s")


class PostgresCluster:
    """A PostgreSQL server of the tests' own; see `postgres.sh`."""

    def __init__(self) -> None:
        # Not below pytest's folder: the user that PostgreSQL runs as could not get there.
        self.folder = Path(tempfile.mkdtemp(prefix="dwell-postgres-"))
        self.port = 0

    @property
    def programs(self) -> Path:
        return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))

    def start(self) -> PostgresCluster:
        self.port = self.port or free_port()
        # Tests end the server in every way, but never take the machine's power away.
        self._control("start", str(self.folder), str(self.port), "fsync = off")
        return self

    def stop(self, mode: str = "fast") -> None:
        self._control("stop", str(self.folder), mode)

    def discard(self) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres", user: str = "dwell") -> str:
        return f"postgres://{user}@{HOST}:{self.port}/{database}"

    def run(self, statement: str, *names: str) -> None:
        """Runs a statement for the whole cluster; names take the places of `{}`."""
        with psycopg.connect(self.url(), autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def database(self) -> PostgresDatabase:
        return PostgresDatabase(self)

    def _control(self, *arguments: str) -> None:
        # What the server says goes to its log; a pipe would be kept open by it.
        with tempfile.TemporaryFile() as said:
            ended = subprocess.run(
                [str(POSTGRES), *arguments], stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                timeout=60, env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            )  # fmt: skip
            if ended.returncode != 0:
                said.seek(0)
                log = self.folder / "log"
                text = log.read_text(errors="replace") if log.exists() else ""
                raise AssertionError(
                    f"`postgres.sh {' '.join(arguments)}`: {said.read().decode()}{text}"
                )


new: Callable[[Path], Store] = SQLiteFile
"""Makes a server's store where it is told none; the path is where a file would be."""
nodes = 1
"""How many nodes a server has that is not told how many."""
