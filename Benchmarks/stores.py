"""Durable heartbeats a second on each store, beside one UPDATE a request: one run, one machine, ratios.

    .venv/bin/python Benchmarks/stores.py, or script/bench --stores
"""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from heartbeats import RELEASE, REPOSITORY, SECRET, free_port, load, node, open_sessions, read_options, say

POSTGRES = REPOSITORY / "Tests" / "postgres.sh"


@contextmanager
def cluster() -> Iterator[str]:
    """A PostgreSQL cluster with everything as it comes: every commit waits for the disk."""
    folder, port = tempfile.mkdtemp(prefix="dwell-bench-pg-"), free_port()
    os.chmod(folder, 0o755)
    subprocess.run([POSTGRES, "start", folder, str(port)], check=True, timeout=60)
    try:
        yield f"postgres://dwell@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([POSTGRES, "stop", folder], check=True, timeout=60)


@contextmanager
def one_update(database: str) -> Iterator[int]:
    """The baseline: an end time in a row, moved by each request."""
    port = free_port()
    command = [RELEASE / "store-benchmark", "serve", database, str(port)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                request = urllib.request.Request(f"http://127.0.0.1:{port}/api/session-heartbeat", method="POST")
                urllib.request.urlopen(request, timeout=5).read()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def beat(ports: list[int], cookies: Path, connections: int, seconds: int) -> dict[str, float]:
    """Loads every port at once, the connections shared between them."""
    def one(port: int, length: int) -> dict[str, float]:
        url = f"http://127.0.0.1:{port}/api/session-heartbeat"
        return load(url, connections // len(ports), length, cookies)

    with ThreadPoolExecutor(len(ports)) as pool:
        list(pool.map(lambda port: one(port, 2), ports))
        results = list(pool.map(lambda port: one(port, seconds), ports))
    return {
        "requests_per_second": sum(result["requests_per_second"] for result in results),
        "p99_ms": max(result["p99_ms"] for result in results),
    }


def alone(kind: str, database: str, seconds: int) -> dict[str, float]:
    """The store without HTTP: 1,024 beats at once, each answered when it is on disk."""
    subprocess.run(
        [RELEASE / "dwell", "migrate", "--database-url", database],
        check=True, capture_output=True, env=os.environ | SECRET,
    )
    command = [RELEASE / "store-benchmark", kind, database, "--seconds", str(seconds)]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60)
    return {"requests_per_second": float(output.stdout)}


def measure(connections: int, seconds: int) -> dict[str, dict[str, float]]:
    results: dict[str, dict[str, float]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dwell-bench-")))
        say("SQLite")
        with node(f"sqlite:{folder}/bench.sqlite") as port:
            cookies = open_sessions(port, folder)
            results["SQLite"] = beat([port], cookies, connections, seconds)
        url = stack.enter_context(cluster())
        say("PostgreSQL, one node")
        with node(url) as port:
            cookies = open_sessions(port, folder)
            results["PostgreSQL, one node"] = beat([port], cookies, connections, seconds)
            say("PostgreSQL, two nodes")
            with node(url) as other:
                results["PostgreSQL, two nodes"] = beat([port, other], cookies, connections, seconds)
        say("one UPDATE a request")
        with one_update(url) as port:
            results["one UPDATE a request"] = beat([port], cookies, connections, seconds)
        say("without HTTP")
        results["without HTTP: SQLite"] = alone("ingest", f"sqlite:{folder}/alone.sqlite", seconds)
        results["without HTTP: PostgreSQL"] = alone("ingest", url, seconds)
        results["without HTTP: one UPDATE"] = alone("update", url, seconds)
    return results


def main() -> None:
    options = read_options(__doc__)
    results = measure(options.connections, options.seconds)
    if options.json:
        print(json.dumps({"system": platform.platform(), "cores": os.cpu_count(), "cases": results}, indent=2))
        return
    print(f"{os.cpu_count()} cores, {options.connections} connections, {options.seconds} s a case")
    print(f"{'case':<28}{'beats/s':>12}{'p99':>10}{'ratio':>8}")
    for name, row in results.items():
        base = results["without HTTP: one UPDATE" if name.startswith("without") else "one UPDATE a request"]
        ratio = row["requests_per_second"] / base["requests_per_second"]
        p99 = f"{row['p99_ms']:.1f} ms" if "p99_ms" in row else ""
        print(f"{name:<28}{row['requests_per_second']:>12,.0f}{p99:>10}{ratio:>8.2f}")


if __name__ == "__main__":
    main()
