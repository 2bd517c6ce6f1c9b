"""Load: beats as fast as the answers come, beats at a constant rate, and what else a server must bear."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from processes import REPOSITORY, Server, tool

_logins = itertools.count()

MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Rate:
    """How fast a server answered."""

    per_second: float
    requests: int
    p99_ms: float


def closed_loop(
    server: Server, tokens: Path, connections: int, seconds: int, bodyless: bool = False
) -> Rate:
    """Every connection sends its next beat when the last one was answered."""
    script = REPOSITORY / "Benchmarks" / "heartbeat.lua"
    output = subprocess.run(
        ["wrk", "-t", "2", "-c", str(connections), "-d", f"{seconds}s", "--latency", "-s", script,
         f"{server.url}/api/session-heartbeat"],
        env=os.environ | {"DWELL_TOKENS": str(tokens), "DWELL_BODYLESS": str(int(bodyless))},
        capture_output=True, text=True, check=True,
    ).stdout
    if re.search(r"Non-2xx or 3xx responses|Socket errors", output):
        raise SystemExit(f"not every answer was a 200:\n{output}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    total = re.search(r"(\d+) requests in", output)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", output)
    assert rate and total and p99, output
    return Rate(float(rate[1]), int(total[1]), float(p99[1]) * MILLISECONDS[p99[2]])


def open_loop(server: Server, tokens: Path, connections: int, seconds: int, rate: int) -> dict[str, float]:
    """Beats at a constant rate; latencies in milliseconds count from when each was due."""
    return json.loads(
        tool("open-loop", str(server.port), "--tokens", tokens, "--rate", str(rate),
             "--connections", str(connections), "--seconds", str(seconds))
    )


@dataclass
class Count:
    """How often something was done."""

    value: int = 0


@contextmanager
def meanwhile(work: Callable[[], object], threads: int = 1) -> Iterator[Count]:
    """Does something over and over, in threads, for as long as the block runs. What is not done then is given up."""
    count, over = Count(), threading.Event()
    failures: list[BaseException] = []

    def repeat() -> None:
        try:
            while not over.is_set():
                work()
                count.value += 1
        except BaseException as failure:
            failures.append(failure)

    running = [threading.Thread(target=repeat, daemon=True) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield count
    finally:
        over.set()
    if failures:
        raise failures[0]


def ask(server: Server, path: str, key: str, timeout: float = 30) -> dict[str, object]:
    """One GET of the API."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise SystemExit(f"{path} was answered {response.status}: {body[:500]!r}")
    return json.loads(body)


def read_parts(server: Server, path: str, key: str) -> Iterator[bytes]:
    """Reads an answer of any size as it comes, a megabyte at a time."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        response = connection.getresponse()
        if response.status != 200:
            raise SystemExit(f"{path} was answered {response.status}")
        while part := response.read(1 << 20):
            yield part
    finally:
        connection.close()


def read_lines(server: Server, path: str, key: str) -> tuple[int, int]:
    """How many lines and bytes an answer of any size has."""
    lines = size = 0
    for part in read_parts(server, path, key):
        lines += part.count(b"\n")
        size += len(part)
    return lines, size


def wrong_login(server: Server, address: str | None = None) -> int:
    """A login of somebody who has no account: it costs what a wrong password costs.

    Whoever guesses is soon slowed down; so each of these has an address and a name of its own, unless one is given.
    Gives the status.
    """
    number = next(_logins)
    body = json.dumps({"username": f"nobody{number}", "password": "not the password"})
    address = address or f"198.18.{number // 256 % 256}.{number % 256}"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request(
        "POST", "/auth/login", body, {"Content-Type": "application/json", "X-Forwarded-For": address}
    )
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


@contextmanager
def slow_clients(server: Server, token: str, count: int) -> Iterator[Count]:
    """Clients that send a beat a byte a second."""
    now = int(time.time() * 1000)
    segment = {"tab": "slow", "n": 0, "from": now, "to": now, "attention": "active"}
    body = json.dumps({"v": 1, "sentAt": now, "token": token, "segments": [segment]}).encode()
    over = threading.Event()
    sent = Count()

    def drip() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.putrequest("POST", "/api/session-heartbeat")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        for place in range(len(body)):
            connection.send(body[place:place + 1])
            sent.value += 1
            if over.wait(1):
                break
        connection.close()

    threads = [threading.Thread(target=drip) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield sent
    finally:
        over.set()
        for thread in threads:
            thread.join()


class Look:
    """An operator's browser: gives how long a page took to its first byte, in seconds."""

    def __init__(self, server: Server, cookie: str) -> None:
        self.cookie = cookie
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)

    def __call__(self, path: str) -> float:
        begun = time.monotonic()
        self.connection.request("GET", path, headers={"Cookie": self.cookie})
        response = self.connection.getresponse()
        took = time.monotonic() - begun
        response.read()
        if response.status != 200:
            raise SystemExit(f"{path} was answered {response.status}")
        return took


@contextmanager
def signed_in(server: Server, name: str, password: str) -> Iterator[Look]:
    """An operator who is signed in to the dashboard."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request(
        "POST", "/dashboard/sign-in", urllib.parse.urlencode({"name": name, "password": password}),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    cookie = connection.getresponse().getheader("Set-Cookie")
    connection.close()
    if cookie is None:
        raise SystemExit("the operator was not signed in")
    look = Look(server, cookie.partition(";")[0])
    try:
        yield look
    finally:
        look.connection.close()


@contextmanager
def listening(server: Server, path: str, cookie: str) -> Iterator[Count]:
    """A page that follows events; counts the bytes it was told."""
    told = Count()
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())

    def listen() -> None:
        while part := connection.recv(1 << 16):
            told.value += len(part)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        connection.shutdown(socket.SHUT_RDWR)
        thread.join()
        connection.close()
