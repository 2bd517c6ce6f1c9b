"""The cases of `script/bench`. Each gives lines of the table as it finds them."""

from __future__ import annotations

import dataclasses
import http.client
import json
import math
import random
import resource
import shutil
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

from load import (
    Rate, ask, closed_loop, listening, meanwhile, open_loop, read_lines, read_parts, signed_in, slow_clients, wrong_login,
)
from processes import Server, baseline, cluster, folder, node, say, tool
from table import Figure, at_least, at_most, ratio


@dataclass(frozen=True)
class Sizes:
    """How much data the cases have."""

    few_sessions: int = 10_000
    many_sessions: int = 1_000_000
    #: A history is of viewers with 10 sessions of 5 segments, each told of by 2 beats.
    history_viewers: int = 1_000_000
    dirty_days: int = 1_000_000
    exported_segments: int = 10_000_000
    #: Sessions of a year, of which all but the last 60 days are folded.
    old_sessions: int = 1_000_000
    idle_connections: int = 10_000
    #: How many people watched the video, in turn.
    audiences: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    rounds: int = 3
    #: How many people the live page shows.
    people_here: int = 10_000

    def scaled(self, scale: float) -> Sizes:
        """Less of everything that takes time to make."""
        def less(count: int) -> int:
            return max(1000, int(count * scale))

        return dataclasses.replace(
            self, many_sessions=less(self.many_sessions), history_viewers=less(self.history_viewers),
            dirty_days=less(self.dirty_days), exported_segments=less(self.exported_segments),
            old_sessions=less(self.old_sessions), audiences=tuple(less(count) for count in self.audiences),
        )


QUICK = Sizes(
    few_sessions=1000, many_sessions=50_000, history_viewers=10_000, dirty_days=20_000, exported_segments=100_000,
    old_sessions=10_000, idle_connections=1000, rounds=1, audiences=(1000, 10_000), people_here=1000,
)

#: Segments of a session in every history.
SEGMENTS = 5
#: What a session of a history takes, in bytes, with its segments, statistics and indices.
SESSION_BYTES = 1000

#: What is asked of a large store: what it is called, and its path. `{viewer}` and `{video}` are numbers; dates lie in
#: the history.
QUESTIONS = [
    ("a page of sessions by viewer", "/api/v1/sessions?email=visitor{viewer}@example.com"),
    ("a viewer's day", "/api/v1/sessions?email=visitor{viewer}@example.com&from={day}&to={next_day}"),
    ("a page of sessions of a video's month", "/api/v1/sessions?video=video-{video}&from={month}&to={next_month}"),
    ("a video's month", "/api/v1/contents?video=video-{video}&from={month}&to={next_month}"),
    ("live now", "/api/v1/live"),
]
#: The dashboard's pages: what is looked at, and its path.
PAGES = [
    ("now", "/dashboard"),
    *[(f"overview of {days} days", f"/dashboard/overview?days={days}") for days in (1, 7, 28, 90, 365)],
    ("overview of dates", "/dashboard/overview?from={first}&through={last}"),
    ("overview of a page", "/dashboard/overview?days=90&page=/page-{number}"),
    ("overview of a page's year", "/dashboard/overview?days=365&page=/page-{number}"),
    ("overview of a video's year", "/dashboard/overview?days=365&video=video-{number}"),
    ("overview of a person's year", "/dashboard/overview?days=365&person=visitor{viewer}@example.com"),
    ("sessions", "/dashboard/sessions"),
    ("a session", "/dashboard/sessions/{session}"),
    ("a person", "/dashboard/person?email=visitor{viewer}@example.com"),
    ("videos", "/dashboard/videos"),
    ("a video", "/dashboard/video?name=video-1"),
    ("devices", "/dashboard/devices"),
    ("audit", "/dashboard/audit"),
    ("settings", "/dashboard/settings"),
]
#: How often a page is looked at, at most.
PAGE_COUNT = 100

#: How long a question may take in all, in seconds, and how often it is asked at most.
QUESTION_TIME, QUESTION_COUNT = 20, 500


@dataclass(frozen=True)
class Store:
    """A database of its own, and the folder that holds it."""

    url: str
    path: Path

    @property
    def gigabytes(self) -> float:
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file()) / 1e9


class Bench:
    """One run: its options, and what its cases share."""

    #: Holds what is gone when the case ends.
    stack: ExitStack

    def __init__(
        self, run: ExitStack, sizes: Sizes, kind: str, connections: int, seconds: int, kept: Path | None = None
    ) -> None:
        self.run, self.sizes, self.kind = run, sizes, kind
        self.connections, self.seconds, self.kept = connections, seconds, kept

    def store(self, stack: ExitStack | None = None) -> Store:
        """A new, empty store, which is gone when the case ends, or the stack that is given."""
        stack = stack or self.stack
        if self.kind == "postgres":
            url, path = stack.enter_context(cluster())
            return Store(url, path)
        path = stack.enter_context(folder())
        return Store(f"sqlite:{path}/bench.sqlite", path)

    def live(self, store: Store, sessions: int) -> Path:
        """Opens sessions in a store; gives the file of their tokens."""
        say(f"opening {sessions:,} sessions")
        tokens = self.stack.enter_context(folder()) / "tokens.txt"
        tool("fill-live", store.url, "--sessions", str(sessions), "--tokens", tokens)
        return tokens

    def beats(self, server: Server, tokens: Path, seconds: int | None = None, bodyless: bool = False) -> Rate:
        return closed_loop(server, tokens, self.connections, seconds or self.seconds, bodyless)

    def in_turn(self, measures: dict[str, Callable[[], Rate]]) -> dict[str, float]:
        """Takes each measure in each round, so that a change of the machine meets all; gives their medians."""
        rates: dict[str, list[float]] = {name: [] for name in measures}
        for number in range(self.sizes.rounds):
            for name, measure in measures.items():
                say(f"{name}, round {number + 1} of {self.sizes.rounds}")
                rates[name].append(measure().per_second)
        return {name: statistics.median(all_rates) for name, all_rates in rates.items()}

    @cached_property
    def history(self) -> Store:
        """A large store, for the cases that need one; it is gone when the run ends, unless a folder keeps it."""
        store = self.kept_store(self.kept) if self.kept else self.store(self.run)
        made = store.path / "viewers"
        if made.exists():
            self.viewers = int(made.read_text())
            return store
        self.viewers = self.sizes.history_viewers
        while self.viewers * 10 * SESSION_BYTES > shutil.disk_usage(store.path).free / 3:
            self.viewers //= 2
        say(f"making a history of {self.viewers * 10:,} sessions")
        tool("fill-history", store.url, "--viewers", str(self.viewers), "--sessions", "10",
             "--segments", str(SEGMENTS), "--beats", "2")
        made.write_text(f"{self.viewers}\n")
        return store

    @staticmethod
    def kept_store(path: Path) -> Store:
        """The store in a folder, which stays; an unfinished one is begun anew."""
        path.mkdir(parents=True, exist_ok=True)
        if not (path / "viewers").exists():
            for file in path.glob("bench.sqlite*"):
                file.unlink()
        return Store(f"sqlite:{path}/bench.sqlite", path)


@contextmanager
def all_answered(store: Store) -> Iterator[Callable[[Rate], Rate]]:
    """Counts beats that were answered, and afterwards looks whether the store has them all."""
    before = int(tool("count-beats", store.url))
    answered = 0

    def counted(rate: Rate) -> Rate:
        nonlocal answered
        answered += rate.requests
        return rate

    yield counted
    stored = int(tool("count-beats", store.url)) - before
    if stored < answered:
        raise SystemExit(f"{answered:,} beats were answered, {stored:,} stored")


def beats(bench: Bench) -> Iterator[Figure]:
    """Durable beats beside servers that do nothing with them."""
    store = bench.store()
    tokens = bench.live(store, bench.sizes.few_sessions)
    with all_answered(store) as counted, node(store.url) as server, baseline("no-op") as no_op, \
            baseline("discard") as discard:
        for each in (server, no_op, discard):
            bench.beats(each, tokens, seconds=2)
        rates = bench.in_turn({
            "durable beats": lambda: counted(bench.beats(server, tokens)),
            "bodyless durable beats": lambda: counted(bench.beats(server, tokens, bodyless=True)),
            "no-op Hummingbird route": lambda: bench.beats(no_op, tokens),
            "bare SwiftNIO": lambda: bench.beats(discard, tokens),
        })
    durable = rates["durable beats"]
    yield Figure("durable beats", durable, "beats/s")
    yield Figure("bodyless durable beats", rates["bodyless durable beats"], "beats/s")
    for name, aim in (("no-op Hummingbird route", 1.0), ("bare SwiftNIO", 0.6)):
        yield ratio(f"durable beats ÷ {name}", durable, rates[name], "beats/s", at_least(aim))


def latency(bench: Bench) -> Iterator[Figure]:
    """Latency at half of the load that is too much."""
    store = bench.store()
    tokens = bench.live(store, bench.sizes.few_sessions)
    with node(store.url) as server:
        bench.beats(server, tokens, seconds=2)
        rate = int(bench.in_turn({"full load": lambda: bench.beats(server, tokens)})["full load"] / 2)
        say(f"half of it, {rate:,} beats/s")
        found = open_loop(server, tokens, bench.connections, bench.seconds * bench.sizes.rounds, rate)
    yield Figure(
        "p99 latency at half of the load", found["p99"], "ms", at_most(10),
        f"at {rate:,} beats/s; p50 {found['p50']:.1f} ms, longest {found['max']:.0f} ms",
    )


def sessions(bench: Bench) -> Iterator[Figure]:
    """The same beats from many sessions, and the memory that these take."""
    few, many = bench.sizes.few_sessions, bench.sizes.many_sessions
    small, large = bench.store(), bench.store()
    few_tokens, many_tokens = bench.live(small, few), bench.live(large, many)
    with node(small.url) as small_server, node(large.url) as server:
        rate = bench.beats(small_server, few_tokens).per_second
        lap = math.ceil(many / bench.beats(server, many_tokens, seconds=5).per_second * 1.2)
        say(f"a beat from each of {many:,} sessions, {lap} s")
        bench.beats(server, many_tokens, seconds=lap)
        memory = server.memory()
        rates = bench.in_turn({
            f"beats of {many:,} sessions": lambda: bench.beats(server, many_tokens),
            f"beats of {few:,} sessions": lambda: bench.beats(small_server, few_tokens),
        })
    more, fewer = rates.values()
    yield ratio(f"beats/s with {many:,} live sessions ÷ with {few:,}", more, fewer, "beats/s", at_least(0.7))
    yield Figure(f"memory with {many:,} live sessions", memory, "MB", at_most(400))


def history(bench: Bench) -> Iterator[Figure]:
    """The same beats after a long history, by viewers who come back."""
    large, empty = bench.history, bench.store()
    count = int(tool("count-beats", large.url))
    tokens, empty_tokens = (bench.live(store, bench.sizes.few_sessions) for store in (large, empty))
    with node(large.url) as server, node(empty.url) as empty_server:
        bench.beats(server, tokens, seconds=3)
        bench.beats(empty_server, empty_tokens, seconds=3)
        rates = bench.in_turn({
            "beats after a history": lambda: bench.beats(server, tokens),
            "beats in an empty store": lambda: bench.beats(empty_server, empty_tokens),
        })
    after, without = rates.values()
    yield ratio(f"beats/s after {count:,} beats of history ÷ with none", after, without, "beats/s", at_least(0.8))


def memory(bench: Bench) -> Iterator[Figure]:
    """What a connection takes that is kept but says nothing."""
    store = bench.store()
    token = bench.live(store, bench.sizes.few_sessions).read_text().split()[0]
    count = min(bench.sizes.idle_connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)
    body = f'{{"v":1,"sentAt":0,"token":"{token}","segments":[]}}'
    beat = f"POST /api/session-heartbeat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}"

    def idle(server: Server) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(beat.encode())
        connection.recv(4096)
        return connection

    with node(store.url) as server:
        for connection in [idle(server) for _ in range(100)]:
            connection.close()
        before = server.memory()
        say(f"keeping {count:,} connections")
        connections = [idle(server) for _ in range(count)]
        each = (server.memory() - before) * 1024 / count
        for connection in connections:
            connection.close()
    yield Figure("memory of an idle connection", each, "KB", at_most(12), f"of {count:,} that each sent a beat")


def aggregate(server: Server) -> None:
    """Computes every dirty day."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("POST", "/cronjob/trigger?accessKey=secretcronjob")
    response = connection.getresponse()
    body = response.read()
    connection.close()
    if response.status != 200:
        raise SystemExit(f"the aggregation was answered {response.status}: {body!r}")


def dirty_store(bench: Bench) -> Store:
    """A store of days whose statistics wait to be computed."""
    store, days = bench.store(), bench.sizes.dirty_days
    say(f"making {days:,} dirty days")
    tool("fill-history", store.url, "--viewers", str(days), "--segments", str(SEGMENTS), "--days", "30", "--dirty")
    return store


def new_key(store: Store) -> str:
    """A key for the API; a store that is kept has those of the runs before."""
    name = f"benchmark {time.time_ns()}"
    output = tool("key", "create", "--database-url", store.url, "--name", name, program="dwell")
    return output.split()[-1]


def new_operator(store: Store) -> tuple[str, str]:
    """The name and the password of an operator of the dashboard, made where there is none."""
    name, password = "benchmark", "a calm and long phrase"
    if name not in tool("operator", "list", "--database-url", store.url, program="dwell"):
        tool("operator", "add", name, "--role", "owner", "--database-url", store.url, program="dwell",
             typed=password + "\n")
    return name, password


def exporter(server: Server, key: str) -> Callable[[], None]:
    """Reads the next megabyte of an export of all sessions each time it is called."""
    parts: Iterator[bytes] = iter(())

    def next_part() -> None:
        nonlocal parts
        while next(parts, None) is None:
            parts = read_parts(server, "/api/v1/export/sessions?format=ndjson", key)

    return next_part


def disturbed(bench: Bench) -> Iterator[Figure]:
    """Beats while everything else goes on too."""
    store = dirty_store(bench)
    tokens, key = bench.live(store, bench.sizes.few_sessions), new_key(store)
    with node(store.url) as server:
        measure = {"beats": lambda: bench.beats(server, tokens)}
        bench.beats(server, tokens, seconds=3)
        alone = bench.in_turn(measure)["beats"]
        say("slow clients, logins, an aggregation and an export join in")
        with slow_clients(server, tokens.read_text().split()[0], 10) as bytes_sent, \
                meanwhile(lambda: wrong_login(server), threads=8) as logins, \
                meanwhile(exporter(server, key)) as exported, \
                meanwhile(lambda: aggregate(server)) as aggregations:
            among = bench.in_turn(measure)["beats"]
            done = (
                f"{bytes_sent.value} slow bytes, {logins.value} logins, {exported.value} MB exported, aggregation "
                + ("over before the end" if aggregations.value else "to the end")
            )
    name = "beats/s among slow clients, logins, aggregation, export ÷ alone"
    line = ratio(name, among, alone, "beats/s", at_least(0.7))
    yield dataclasses.replace(line, detail=f"{line.detail}; {done}")


def logins(bench: Bench) -> Iterator[Figure]:
    """Beats while somebody guesses passwords: from everywhere, so that each guess is looked at, and from one address.

    Refusals are quick: of these some hundreds a second are asked for, or it would be measured what the asking takes.
    """
    store = bench.store()
    tokens = bench.live(store, bench.sizes.few_sessions)
    with node(store.url) as server:
        measure = {"beats": lambda: bench.beats(server, tokens)}
        bench.beats(server, tokens, seconds=3)
        alone = bench.in_turn(measure)["beats"]

        def refused_login() -> None:
            wrong_login(server, "203.0.113.7")
            time.sleep(0.05)

        for whence, guess in (("everywhere", lambda: wrong_login(server)), ("one address", refused_login)):
            say(f"guesses from {whence} join in")
            with meanwhile(guess, threads=16) as guesses:
                among = bench.in_turn(measure)["beats"]
            name = f"beats/s among guesses from {whence} ÷ alone"
            line = ratio(name, among, alone, "beats/s", at_least(0.8))
            yield dataclasses.replace(line, detail=f"{line.detail}; {guesses.value} guesses")


def queries(bench: Bench) -> Iterator[Figure]:
    """Questions of a large store, one at a time."""
    store, chance = bench.history, random.Random(1)
    key, count = new_key(store), bench.viewers * 10
    with node(store.url) as server:
        for name, path in QUESTIONS:
            say(name)
            times: list[float] = []
            end = time.monotonic() + QUESTION_TIME
            while len(times) < QUESTION_COUNT and (not times or time.monotonic() < end):
                day = date.today() - timedelta(days=chance.randint(40, 360))
                asked = path.format(
                    viewer=chance.randint(1, bench.viewers), video=chance.randint(1, 100), day=day,
                    next_day=day + timedelta(days=1), month=day.replace(day=1),
                    next_month=(day.replace(day=1) + timedelta(days=31)).replace(day=1),
                )
                start = time.monotonic()
                ask(server, asked, key, timeout=300)
                times.append((time.monotonic() - start) * 1000)
            p99 = sorted(times)[math.ceil(len(times) * 0.99) - 1]
            yield Figure(
                f"{name}, p99, at {count:,} sessions", p99, "ms", at_most(10),
                f"p50 {statistics.median(times):,.1f} ms, asked {len(times)} times",
            )


def pages(bench: Bench) -> Iterator[Figure]:
    """The dashboard's pages after a long history, while some thousands are here, one at a time: to the first byte."""
    store, chance = bench.history, random.Random(1)
    count = bench.viewers * 10
    bench.live(store, bench.sizes.few_sessions)
    cookie = new_operator(store)
    with node(store.url) as server, signed_in(server, *cookie) as look:
        for name, path in PAGES:
            say(name)
            times: list[float] = []
            end = time.monotonic() + QUESTION_TIME
            while len(times) < PAGE_COUNT and (not times or time.monotonic() < end):
                asked = path.format(
                    viewer=chance.randint(1, bench.viewers), number=chance.randint(1, 100),
                    session=chance.randint(1, count), first=date.today() - timedelta(days=chance.randint(200, 360)),
                    last=date.today() - timedelta(days=chance.randint(1, 150)),
                )
                times.append(look(asked) * 1000)
            p99 = sorted(times)[math.ceil(len(times) * 0.99) - 1]
            yield Figure(
                f"page: {name}, p50, at {count:,} sessions", statistics.median(times), "ms", at_most(100),
                f"p99 {p99:,.1f} ms, longest {max(times):,.1f} ms, asked {len(times)} times",
            )


def live_page(bench: Bench) -> Iterator[Figure]:
    """What one open page of those who are here takes of the server, while many are."""
    store, here, seconds = bench.store(), bench.sizes.people_here, 20
    bench.live(store, here)
    cookie = new_operator(store)
    with node(store.url) as server, signed_in(server, *cookie) as look:
        look("/dashboard")
        before = server.cpu()
        time.sleep(seconds)
        idle = (server.cpu() - before) / seconds
        with listening(server, "/dashboard/live", look.cookie) as told:
            before = server.cpu()
            time.sleep(seconds)
            share = (server.cpu() - before) / seconds
    if not told.value:
        raise SystemExit("the live page was told nothing")
    yield Figure(
        f"the live page with {here:,} people on it", (share - idle) * 100, "% of a core", at_most(5),
        f"of {seconds} s; {idle * 100:.1f} % without it; {told.value:,} bytes told",
    )


def aggregation(bench: Bench) -> Iterator[Figure]:
    """Statistics of many days at once."""
    store, days = dirty_store(bench), bench.sizes.dirty_days
    with node(store.url) as server:
        say("computing them")
        server.forget_peak()
        start = time.monotonic()
        aggregate(server)
        took = time.monotonic() - start
        peak = server.memory("VmHWM")
    yield Figure(
        f"aggregation of {days:,} dirty days", days * SEGMENTS / took, "segments/s", at_least(200_000), f"{took:.1f} s"
    )
    yield Figure("memory during the aggregation", peak, "MB", at_most(200), "of the whole server")


def retention(bench: Bench) -> Iterator[Figure]:
    """Beats at a constant rate, alone and while old segments are folded."""
    store, sessions = bench.store(), bench.sizes.old_sessions
    say(f"making {sessions:,} old sessions")
    tool("fill-history", store.url, "--viewers", str(sessions // 10), "--sessions", "10", "--segments", str(SEGMENTS))
    say("folding them")
    found = json.loads(tool("retention", store.url, "--seconds", str(bench.seconds)))
    yield Figure(
        "the longest beat while old segments are folded", found["folding"]["max"], "ms", None,
        f"alone {found['alone']['max']:.1f} ms; p99 {found['folding']['p99']:.1f}, alone {found['alone']['p99']:.1f} ms;"
        f" {found['rate']:,} beats/s, {found['folded']:,.0f} segments/s folded",
    )
    yield Figure("the longest transaction that folds", found["longestStep"], "ms", at_most(50))


def audience(bench: Bench) -> Iterator[Figure]:
    """A video of three hours and those who watched it: how folding and reading grow with them."""
    for viewers in bench.sizes.audiences:
        store = bench.store()
        say(f"{viewers:,} people watch a video")
        found = json.loads(tool("audience", store.url, "--viewers", str(viewers)))
        whose = f"of {viewers:,} people"

        def figure(name: str, key: str, most: float, whose: str = whose, found: dict = found) -> Figure:
            half, nearly_all = found[key]
            return Figure(f"{name} {whose}, p99", nearly_all, "ms", at_most(most), f"p50 {half:.2f} ms")

        yield figure("the curve", "curve", 50)
        yield figure("a page of 50", "page", 50)
        yield figure("where one goes on", "progress", 50)
        yield figure("folding one", "beat", 50)
        yield Figure(f"folding all {whose}", found["folded"], "people/s")


def export(bench: Bench) -> Iterator[Figure]:
    """Everything at once, as fast as it is read."""
    store, segments = bench.store(), bench.sizes.exported_segments
    say(f"making {segments:,} segments")
    tool("fill-history", store.url, "--viewers", str(segments // (10 * SEGMENTS)), "--sessions", "10",
         "--segments", str(SEGMENTS))
    key = new_key(store)
    with node(store.url) as server:
        aggregate(server)
        for asked in ("segments?format=csv", "segments?format=ndjson", "sessions?format=csv", "statistics?format=csv"):
            say(asked)
            server.forget_peak()
            before, began = server.memory(), time.monotonic()
            rows, size = read_lines(server, f"/api/v1/export/{asked}", key)
            took = time.monotonic() - began
            name = asked.replace("?format=", " as ")
            yield Figure(
                f"export of {name}", rows / took, "rows/s", None, f"{rows:,} rows, {size / 1e6:,.0f} MB in {took:.0f} s"
            )
            yield Figure(
                f"memory during the export of {name}", server.memory("VmHWM"), "MB", None, f"{before:.0f} MB before"
            )


def start(bench: Bench) -> Iterator[Figure]:
    """From the command to the first connection."""
    store, times = bench.history, []
    for _ in range(3):
        began = time.monotonic()
        with node(store.url):
            times.append(time.monotonic() - began)
    yield Figure(
        f"start with a database of {store.gigabytes:.1f} GB", max(times), "s", at_most(1), "the longest of 3"
    )


CASES: dict[str, Callable[[Bench], Iterator[Figure]]] = {
    case.__name__.replace("_", "-"): case
    for case in (
        beats, latency, sessions, memory, disturbed, logins, aggregation, retention, history, queries, pages, live_page,
        audience, export, start,
    )
}
