"""Durable heartbeats a second beside a no-op route of the same server: one run, one machine, a ratio."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
RELEASE = REPOSITORY / ".build" / "release"
SECRET = {"DWELL_SECRET_KEY": "a secret for the benchmark, of more than 32 bytes"}
SESSIONS = 1000
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


def say(text: str) -> None:
    print(f"==> {text}", file=sys.stderr, flush=True)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ready_port(server: subprocess.Popen[str]) -> int:
    """Waits until the server says where it is."""
    assert server.stdout is not None
    ready = server.stdout.readline()
    port = urllib.parse.urlsplit(ready.strip().rpartition(" ")[2]).port
    if port is None:
        raise SystemExit(f"the server did not start: {ready!r}")
    return port


@contextmanager
def node(database: str) -> Iterator[int]:
    """One `dwell serve`; gives its port."""
    arguments = ["serve", "--port", "0", "--database-url", database, "--log-level", "error"]
    server = subprocess.Popen(
        [RELEASE / "dwell", *arguments], stdout=subprocess.PIPE, text=True, env=os.environ | SECRET
    )
    try:
        yield ready_port(server)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def open_sessions(port: int, folder: Path) -> Path:
    """Enters the gate as many people as there are sessions; gives the file of their cookies."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    cookies = []
    for number in range(SESSIONS):
        body = json.dumps({"email": f"visitor{number}@example.com"})
        connection.request("POST", "/api/verify-temp-access", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        text = " ".join(response.headers.get_all("Set-Cookie", []))
        found = re.search(r"session_record_id=([\w-]+)", text)
        if response.status != 200 or not found:
            raise SystemExit(f"the gate answered {response.status}")
        cookies.append(found[1])
    file = folder / "cookies.txt"
    file.write_text("\n".join(cookies) + "\n")
    return file


def load(url: str, connections: int, seconds: int, cookies: Path | None = None) -> dict[str, float]:
    command = ["wrk", "-t", "2", "-c", str(connections), "-d", f"{seconds}s", "--latency", url]
    if cookies is not None:
        command += ["-s", str(REPOSITORY / "Benchmarks" / "heartbeat.lua")]
    environment = os.environ | {"DWELL_COOKIES": str(cookies)}
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.+)", output)
    if failed:
        raise SystemExit(f"not every answer was a 200:\n{output}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    total = re.search(r"(\d+) requests in", output)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", output)
    assert rate and total and p99, output
    return {
        "requests_per_second": float(rate[1]),
        "requests": int(total[1]),
        "p99_ms": float(p99[1]) * UNITS[p99[2]],
    }


def check_stored(folder: Path) -> int:
    """Every session must have been moved, and the file must be sound."""
    database = sqlite3.connect(f"file:{folder}/bench.sqlite?mode=ro", uri=True)
    (state,) = database.execute("PRAGMA integrity_check").fetchone()
    (moved,) = database.execute("SELECT count(*) FROM session WHERE last_seen_at > started_at").fetchone()
    if state != "ok" or moved != SESSIONS:
        raise SystemExit(f"integrity {state}, {moved} of {SESSIONS} sessions moved")
    return moved


def measure(connections: int, seconds: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="dwell-bench-") as name:
        folder = Path(name)
        with node(f"sqlite:{folder}/bench.sqlite") as port:
            url = f"http://127.0.0.1:{port}"
            say(f"opening {SESSIONS} sessions")
            cookies = open_sessions(port, folder)
            say("warming up")
            load(f"{url}/health/live", connections, 2)
            load(f"{url}/api/session-heartbeat", connections, 2, cookies)
            say(f"no-op route, {seconds} s")
            noop = load(f"{url}/health/live", connections, seconds)
            say(f"durable heartbeats, {seconds} s")
            beats = load(f"{url}/api/session-heartbeat", connections, seconds, cookies)
        check_stored(folder)
    return {
        "machine": {"cores": os.cpu_count(), "system": platform.platform()},
        "connections": connections,
        "seconds": seconds,
        "noop": noop,
        "heartbeats": beats,
        "ratio": round(beats["requests_per_second"] / noop["requests_per_second"], 2),
    }


def read_options(description: str | None) -> argparse.Namespace:
    """What every benchmark can be asked."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--connections", type=int, default=256)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    options = read_options(__doc__)
    result = measure(options.connections, options.seconds)
    if options.json:
        print(json.dumps(result, indent=2))
        return
    print(f"{result['machine']['cores']} cores, {options.connections} connections, {options.seconds} s a case")
    print(f"{'case':<22}{'requests/s':>12}{'p99':>10}{'ratio':>8}")
    for name, key in (("no-op route", "noop"), ("durable heartbeats", "heartbeats")):
        row = result[key]
        ratio = row["requests_per_second"] / result["noop"]["requests_per_second"]
        print(f"{name:<22}{row['requests_per_second']:>12,.0f}{row['p99_ms']:>7.1f} ms{ratio:>8.2f}")


if __name__ == "__main__":
    main()
