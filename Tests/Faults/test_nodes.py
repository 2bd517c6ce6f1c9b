"""Nodes are killed, paused, and wrong about the time."""

from __future__ import annotations

import random
import re
import signal
import threading
import time
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest

from Contract.helpers import (
    BEAT,
    FAKETIME,
    beat_of,
    ms_of,
    needs_faketime,
    now_ms,
    segment,
    visitor,
)
from dwell_process import Dwell, Node, eventually
from stores import PostgresCluster

from .load import NO_ANSWER, Load
from .nodes import Alone, NamedNodes
from .table import IS_LONG, Table

KILLS = 20 if IS_LONG else 10
PAUSE_S = 60.0 if IS_LONG else 30.0
OTHER_NODE_S = 12.0 if IS_LONG else 20.0
WRONG_BY_S = 600
READING_S = 15.0 if IS_LONG else 6.0
AIM_MS = 1000 if IS_LONG else 3000
BACK_S = 10.0 if IS_LONG else 30.0


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


def pause_in_a_transaction(pair: NamedNodes) -> None:
    """Stops the first node at a moment at which it holds what the other needs."""
    for _ in range(200):
        pair.nodes[0].signal(signal.SIGSTOP)
        if pair.is_changing(0):
            return
        pair.nodes[0].signal(signal.SIGCONT)
        time.sleep(random.random() / 50)
    raise AssertionError("never caught in the middle of a transaction")


def test_a_node_that_is_paused(pair: NamedNodes, table: Table) -> None:
    """Beats of the same guests go to both."""
    paused = pair.nodes[0]
    with Load(pair) as load, Load(Alone(pair, 1)) as beside:
        pause_in_a_transaction(pair)
        began = time.monotonic()
        try:
            time.sleep(PAUSE_S)
            served = [r for r in beside.replies if r.status == 200 and r.sent > began]
            assert served, "the other node stood still too"
        finally:
            paused.signal(signal.SIGCONT)
        back = load.recovered(time.monotonic())
        load.await_beats(100)
    longest = beside.longest()
    table.add(
        f"a node paused (SIGSTOP) in a transaction for {PAUSE_S:.0f} s", load, back,
        f"beats to the other: at most {max(longest, load.longest(1)):.1f} s",
    )  # fmt: skip
    assert not beside.lost()
    assert max(longest, load.longest(1)) < OTHER_NODE_S
    assert load.longest(0) < PAUSE_S + OTHER_NODE_S


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
    server.flags = ["--log-level", "trace"]  # So that its log says what time it takes it for.
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


def logged_time(node: Node) -> float:
    """What a node's own clock said when it last wrote to its log."""
    stamps = re.findall(r"^(\d{4}-\S+[+-]\d{4}) ", node.logs, re.MULTILINE)
    return datetime.strptime(stamps[-1], "%Y-%m-%dT%H:%M:%S%z").timestamp()


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
        reader.ending.set()
        reader.join(30)
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
    pair.nodes[0].terminate()  # Which it notes in its log.
    assert pair.nodes[0].wait() == 0
    off_by = logged_time(pair.nodes[0]) - time.time()
    expected = WRONG_BY_S if when == "from its start" else -WRONG_BY_S
    assert abs(off_by - expected) < 5, "the clock was not wrong at all"


@needs_faketime
def test_a_clock_set_back_while_the_database_is_away(
    pair: Dwell, clock: Path, cluster: PostgresCluster, table: Table
) -> None:
    start_wrong(pair, clock)
    with Load(pair) as load:
        cluster.stop("immediate")
        try:
            eventually(lambda: 503 in load.statuses, 60, "a refusal")
            set_clock(clock, -WRONG_BY_S)
            time.sleep(1)
        finally:
            cluster.start()
        back = load.recovered(time.monotonic())
    table.add("the clock of one node set back while PostgreSQL is away", load, back)
    assert back < BACK_S


class Reader(threading.Thread):
    """One segment grows, told now to one node, now to the other. All times are by a right clock."""

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
