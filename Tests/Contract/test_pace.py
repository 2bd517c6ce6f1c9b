"""How soon the server wants to hear again, and what time it says that it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dwell_process import Dwell, let_pass

from .helpers import (
    Visitor,
    beat_by_token,
    is_now,
    now_ms,
    segment,
    succeeded,
    visitor,
)

pytestmark = pytest.mark.usefixtures("way")

STEPS = [
    (0, 5000), (4999, 5000),
    (5000, 15_000), (19_999, 15_000),
    (20_000, 30_000), (49_999, 30_000),
    (50_000, 60_000), (109_999, 60_000),
    (110_000, 180_000), (3_600_000, 180_000),
]  # fmt: skip


def lasting(milliseconds: int, **changes: Any) -> dict[str, Any]:
    """A segment that has gone on for so long, and is open unless it says why it ended."""
    now = now_ms()
    return segment(**({"from": now - milliseconds, "to": now} | changes))


def interval_after(guest: Visitor, *segments: Any, **changes: Any) -> int:
    return succeeded(guest.beat(*segments, **({"v": 1} | changes)))["interval"]


@pytest.fixture(scope="module")
def brisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dwell]:
    """A server that wants to hear every 20 s."""
    with Dwell(tmp_path_factory.mktemp("brisk"), "--heartbeat-interval", "20") as server:
        yield server


@pytest.mark.parametrize(("age", "pause"), STEPS)
def test_the_younger_a_segment_the_sooner_the_next_beat(dwell: Dwell, age: int, pause: int) -> None:
    assert interval_after(visitor(dwell), lasting(age)) == pause


@pytest.mark.parametrize(
    ("age", "pause"), [(0, 5000), (6000, 15_000), (25_000, 20_000), (3_600_000, 20_000)]
)
def test_the_pause_is_never_longer_than_the_configured_one(
    brisk: Dwell, age: int, pause: int
) -> None:
    assert interval_after(visitor(brisk), lasting(age)) == pause


def test_a_configured_pause_that_is_shorter_than_every_step_holds(fresh_dwell) -> None:
    server = fresh_dwell("--heartbeat-interval", "1")
    for age in (0, 6000, 600_000):
        assert interval_after(visitor(server), lasting(age)) == 1000


def test_what_has_ended_makes_no_hurry(dwell: Dwell) -> None:
    assert interval_after(visitor(dwell), lasting(10, end="hidden")) == 180_000


def test_the_open_segment_decides_not_the_ended_ones_beside_it(dwell: Dwell) -> None:
    ended = lasting(3_600_000, n=1, end="hidden")
    assert interval_after(visitor(dwell), ended, lasting(10, n=2)) == 5000


@pytest.mark.parametrize("age", [0, 30_000, 3_600_000])
def test_nobody_who_does_anything_is_asked_for_half_as_often(dwell: Dwell, age: int) -> None:
    assert interval_after(visitor(dwell), lasting(age, attention="idle")) == 360_000


def test_one_who_does_something_beside_an_idle_tab_is_asked_as_usual(dwell: Dwell) -> None:
    idle, active = lasting(10, tab="idle", attention="idle"), lasting(10, tab="busy")
    assert interval_after(visitor(dwell), idle, active) == 5000


def test_a_beat_without_a_body_is_told_the_configured_pause(brisk: Dwell) -> None:
    assert succeeded(visitor(brisk).beat())["interval"] == 20_000


def test_a_beat_without_segments_is_told_the_configured_pause(brisk: Dwell) -> None:
    assert interval_after(visitor(brisk), segments=[]) == 20_000


# Beats that only ask


def test_a_beat_without_segments_counts_nothing(dwell: Dwell) -> None:
    ann = visitor(dwell)
    succeeded(ann.beat(segment()))
    before = ann.evidence
    let_pass(0.1)
    succeeded(ann.beat(segments=[]))
    succeeded(beat_by_token(dwell, ann.token))
    assert ann.evidence == before


def test_a_beat_without_segments_is_no_sign_of_life(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.1)
    succeeded(ann.beat(segments=[]))
    assert ann.record["elapsedMs"] == 0
    assert ann.stored == []


@pytest.mark.parametrize("asking", [None, "segments", "no segments"])
def test_an_answer_says_what_time_it_is(dwell: Dwell, asking: str | None) -> None:
    ann = visitor(dwell)
    bodies: dict[str | None, dict[str, Any]] = {
        None: {},
        "segments": {"segments": [segment()]},
        "no segments": {"segments": []},
    }
    before = now_ms()
    time = succeeded(ann.beat(**bodies[asking]))["time"]
    assert is_now(time, since=before)


def test_the_time_is_the_servers_whatever_the_client_believes(dwell: Dwell) -> None:
    before = now_ms()
    answer = succeeded(visitor(dwell).beat(segments=[], sentAt=1_000_000))
    assert is_now(answer["time"], since=before)


# A client that has a pause of its own


@pytest.mark.parametrize("interval", [1000, 7000, 86_400_000])
def test_a_clients_own_pause_is_how_unsure_its_open_segment_is(dwell: Dwell, interval: int) -> None:
    ann = visitor(dwell)
    succeeded(ann.beat(segment(), interval=interval))
    assert [row["unsure_ms"] for row in ann.stored] == [interval]


def test_the_pause_that_was_told_is_how_unsure_an_open_segment_is(dwell: Dwell) -> None:
    for age, pause in STEPS:
        ann = visitor(dwell)
        told = interval_after(ann, lasting(age))
        assert [row["unsure_ms"] for row in ann.stored] == [told] == [pause]
