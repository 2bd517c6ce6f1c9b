"""Nodes are killed, paused, and wrong about the time."""

from __future__ import annotations

import random
import signal
import threading
import time
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from Contract.helpers import BEAT, FAKETIME, beat_of, ms_of, needs_faketime, now_ms, segment, visitor
from dwell_process import Dwell

from .load import NO_ANSWER, Load
from .table import IS_LONG, Table

KILLS = 20
PAUSE_S = 60.0 if IS_LONG else 15.0
OTHER_NODE_S = 12.0
WRONG_BY_S = 600
READING_S = 20.0 if IS_LONG else 6.0
AIM_MS = 1000


def test_nodes_that_are_killed(pair: Dwell, table: Table) -> None:
    chance = random.Random(20)
    worst = 0.0
    with Load(pair) as load:
        for _ in range(KILLS):
            load.await_beats(chance.randint(5, 80))
            node = chance.choice(pair.nodes)
            node.kill()
            gone = time.monotonic()
            pair.launch(node)
            failure = node.await_ready()
            assert failure is None, failure
            worst = max(worst, load.recovered(gone))
    row = table.add(
        f"a node killed (kill -9) and started again, {KILLS} times", load, worst, also=(NO_ANSWER,)
    )
    assert row.longest < OTHER_NODE_S


def test_a_node_that_is_paused(pair: Dwell, table: Table) -> None:
    """Beats of the same guests go to both, so that the paused one may hold what the other needs."""
    paused, other = pair.nodes
    with Load(pair) as load, Load(Alone(pair, 1)) as beside:
        paused.signal(signal.SIGSTOP)
        began = time.monotonic()
        try:
            time.sleep(PAUSE_S)
            served = [r for r in beside.replies if r.status == 200 and r.heard > began + 1]
            assert served, "the other node stood still too"
        finally:
            paused.signal(signal.SIGCONT)
        back = load.recovered(time.monotonic())
        load.await_beats(100)
    longest = beside.longest()
    table.add(
        f"a node paused (SIGSTOP) for {PAUSE_S:.0f} s, then resumed", load, back,
        f"beats to the other: at most {max(longest, load.longest(1)):.1f} s",
    )  # fmt: skip
    assert not beside.lost()
    assert max(longest, load.longest(1)) < OTHER_NODE_S
    assert load.longest(0) < PAUSE_S + OTHER_NODE_S


class Alone(Dwell):
    """One node of a server, as something that beats can be sent to."""

    def __init__(self, server: Dwell, node: int) -> None:
        self._server = server
        self.nodes = [server.nodes[node]]
        self.proxy = None
        self.host = server.host
        self.store = server.store


# Clocks


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """What libfaketime reads: how far a node's clock is off, in seconds."""
    file = tmp_path / "clock"
    set_clock(file, 0)
    return file


def set_clock(file: Path, off_by: int) -> None:
    draft = file.with_suffix(".new")
    draft.write_text(f"{off_by:+d}\n")
    draft.replace(file)


def start_wrong(server: Dwell, clock: Path) -> None:
    """Starts the first node again, by a clock of its own."""
    node = server.nodes[0]
    node.terminate()
    assert node.wait() == 0
    server.launcher = ["env"]  # See Contract.helpers.restart_ahead.
    server.launch(
        node,
        {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        },
    )
    failure = node.await_ready()
    assert failure is None, failure


def date_of(server: Dwell, node: int) -> float:
    """What a node's own clock says, as far as answers show it."""
    date = server.client().get(server.nodes[node].url + "/health/live").headers["Date"]
    return datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC).timestamp()


@needs_faketime
@pytest.mark.parametrize("when", ["from its start", "set back in the middle"])
def test_a_node_whose_clock_is_wrong(pair: Dwell, clock: Path, table: Table, when: str) -> None:
    if when == "from its start":
        set_clock(clock, WRONG_BY_S)
    start_wrong(pair, clock)
    reader = Reader(pair)
    with Load(pair) as load:
        reader.start()
        time.sleep(READING_S / 2)
        if when != "from its start":
            set_clock(clock, -WRONG_BY_S)
        time.sleep(READING_S / 2)
        off_by = date_of(pair, 0) - time.time()
        reader.ending.set()
        reader.join(30)
    expected = WRONG_BY_S if when == "from its start" else -WRONG_BY_S
    assert abs(off_by - expected) < 5, "the clock was not wrong at all"
    session = reader.guest.record
    off = {
        "visible": session["visibleMs"] - (reader.until - reader.since),
        "start": ms_of(session["sessionStartTime"]) - reader.entered,
        "end": ms_of(session["sessionEndTime"]) - reader.until,
    }
    table.add(
        f"the clock of one node 10 minutes off, {when}", load, None,
        f"figures off by {max(map(abs, off.values())) / 1000:.2f} s",
    )  # fmt: skip
    assert max(map(abs, off.values())) <= AIM_MS, off
    refused = pair.sql("SELECT count(*) AS n FROM segment WHERE refused_future_ms > 1000")
    assert refused[0]["n"] == 0


class Reader(threading.Thread):
    """One segment grows, told now to one node, now to the other. Times are those of a right clock."""

    def __init__(self, server: Dwell) -> None:
        super().__init__(daemon=True)
        self.guest = visitor(server)
        self.entered = self.since = self.until = now_ms()
        self.ending = threading.Event()

    def run(self) -> None:
        server = self.guest.server
        self.since = now_ms()
        for turn in count():
            is_last = self.ending.wait(0.2)
            now = now_ms()
            claim = segment(**{"from": self.since, "to": now})
            url = server.nodes[turn % len(server.nodes)].url + BEAT
            beat = beat_of(claim, sentAt=now, token=self.guest.token)
            if server.client().post(url, json=beat).status_code == 200:
                self.until = now
            if is_last:
                return
