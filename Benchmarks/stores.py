"""Durable beats a second on each store, beside one UPDATE a request: one run, one machine. See Benchmarks/README.md."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from load import Rate, closed_loop
from processes import Server, baseline, cluster, folder, node, say, tool
from table import Figure, as_json, cores

SESSIONS = 1000
ONE_UPDATE = "one UPDATE a request"
#: How long the slow disk takes for a commit, in milliseconds.
SLOW = 4


def beat(servers: list[Server], tokens: Path, connections: int, seconds: int) -> Rate:
    """Loads every server at once, the connections shared between them."""
    def one(server: Server, length: int) -> Rate:
        return closed_loop(server, tokens, connections // len(servers), length)

    with ThreadPoolExecutor(len(servers)) as pool:
        list(pool.map(lambda server: one(server, 2), servers))
        rates = list(pool.map(lambda server: one(server, seconds), servers))
    return Rate(
        sum(rate.per_second for rate in rates), sum(rate.requests for rate in rates), max(rate.p99_ms for rate in rates)
    )


def behind_http(path: Path, postgres: str, connections: int, seconds: int) -> dict[str, Rate]:
    """What comes through a server's door."""
    rates: dict[str, Rate] = {}

    def measure(name: str, servers: list[Server], tokens: Path) -> None:
        say(name)
        rates[name] = beat(servers, tokens, connections, seconds)

    tokens = path / "sqlite.txt"
    tool("fill-live", f"sqlite:{path}/bench.sqlite", "--sessions", str(SESSIONS), "--tokens", tokens)
    with node(f"sqlite:{path}/bench.sqlite") as server:
        measure("SQLite", [server], tokens)
    tokens = path / "postgres.txt"
    tool("fill-live", postgres, "--sessions", str(SESSIONS), "--tokens", tokens)
    with node(postgres) as server, node(postgres) as other:
        measure("PostgreSQL, one node", [server], tokens)
        measure("PostgreSQL, two nodes", [server, other], tokens)
    with baseline("one-update", postgres) as server:
        measure(ONE_UPDATE, [server], tokens)
    return rates


def on_a_slow_disk(path: Path, connections: int, seconds: int) -> dict[str, Rate]:
    """The same where commits take what they take on a volume across a network."""
    with cluster(sync_ms=SLOW) as (postgres, _):
        tokens = path / "slow.txt"
        tool("fill-live", postgres, "--sessions", str(SESSIONS), "--tokens", tokens)
        say(f"a disk that takes {SLOW} ms")
        with node(postgres) as server:
            one_node = beat([server], tokens, connections, seconds)
        with baseline("one-update", postgres) as server:
            return {"PostgreSQL, one node": one_node, ONE_UPDATE: beat([server], tokens, connections, seconds)}


def on_cores_of_their_own(path: Path, connections: int, seconds: int) -> dict[str, Rate]:
    """One node and two, each on one core, PostgreSQL on another, the load on the rest."""
    with cluster(core=2) as (postgres, _), only_on({3}):
        tokens = path / "pinned.txt"
        tool("fill-live", postgres, "--sessions", str(SESSIONS), "--tokens", tokens)
        say("nodes on cores of their own")
        with node(postgres, core=0) as server, node(postgres, core=1) as other:
            return {
                "one node": beat([server], tokens, connections, seconds),
                "two nodes": beat([server, other], tokens, connections, seconds),
            }


@contextmanager
def only_on(cores: set[int]) -> Iterator[None]:
    """Keeps what this process starts on some cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def without_http(path: Path, postgres: str, seconds: int) -> dict[str, float]:
    """The stores by themselves: 1,024 beats at once, each answered when it is on disk."""
    say("without HTTP")
    commands = {
        "SQLite": ("ingest", f"sqlite:{path}/alone.sqlite"),
        "PostgreSQL": ("ingest", postgres),
        ONE_UPDATE: ("update", postgres),
    }
    return {
        name: float(tool(kind, url, "--seconds", str(seconds))) for name, (kind, url) in commands.items()
    }


def figures(rates: dict[str, float], base: str = ONE_UPDATE, prefix: str = "") -> list[Figure]:
    """Each rate, and how many times the base it is."""
    return [
        Figure(prefix + name, rate, "beats/s", detail=f"{rate / rates[base]:.2f} × {base}")
        for name, rate in rates.items()
    ]


def per_second(rates: dict[str, Rate]) -> dict[str, float]:
    return {name: rate.per_second for name, rate in rates.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench --stores", description=__doc__)
    parser.add_argument("--connections", type=int, default=256)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        path = stack.enter_context(folder())
        postgres, _ = stack.enter_context(cluster())
        door = behind_http(path, postgres, options.connections, options.seconds)
        alone = without_http(path, postgres, options.seconds)
        slow = on_a_slow_disk(path, options.connections, options.seconds)
        pinned = on_cores_of_their_own(path, options.connections, options.seconds) if cores() >= 4 else {}
    found = (
        figures(per_second(door))
        + figures(alone, prefix="without HTTP: ")
        + figures(per_second(slow), prefix=f"a disk that takes {SLOW} ms: ")
        + figures(per_second(pinned), base="one node", prefix="on cores of their own: ")
    )
    if options.json:
        print(as_json({"connections": options.connections, "seconds": options.seconds}, found))
        return
    print(f"{cores()} cores, {options.connections} connections, {options.seconds} s a measure")
    for figure in found:
        print(figure.line())


if __name__ == "__main__":
    main()
