"""Durable beats a second on each store, beside one UPDATE a request: one run, one machine. See Benchmarks/README.md."""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from load import Rate, closed_loop
from processes import Server, baseline, cluster, folder, node, say, tool
from table import Figure, as_json, machine

SESSIONS = 1000
ONE_UPDATE = "one UPDATE a request"


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


def figures(rates: dict[str, float], details: dict[str, str], prefix: str = "") -> list[Figure]:
    """Each rate, and how many times that of the single `UPDATE` it is."""
    return [
        Figure(
            prefix + name, rate, "beats/s",
            detail=f"{rate / rates[ONE_UPDATE]:.2f} × {ONE_UPDATE}{details.get(name, '')}",
        )
        for name, rate in rates.items()
    ]


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
    found = figures(
        {name: rate.per_second for name, rate in door.items()},
        {name: f", p99 {rate.p99_ms:.1f} ms" for name, rate in door.items()},
    ) + figures(alone, {}, prefix="without HTTP: ")
    if options.json:
        print(as_json({"connections": options.connections, "seconds": options.seconds}, found))
        return
    print(f"{machine()['cores']} cores, {options.connections} connections, {options.seconds} s a measure")
    for figure in found:
        print(figure.line())


if __name__ == "__main__":
    main()
