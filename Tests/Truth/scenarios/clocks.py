"""Clocks: midnights, the two odd days of the year, and machines whose clock is wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from ..clock import HOUR, MINUTE, SECOND, YEAR, MovedClock
from ..registry import scenario
from ..scene import Measures, Outcome, Scene

BERLIN = ("--time-zone", "Europe/Berlin")


def at(iso: str) -> int:
    return round(datetime.fromisoformat(iso).replace(tzinfo=UTC).timestamp()) * SECOND


def reads_on(scene: Scene, milliseconds: int) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, milliseconds)
    left = scene.leaves(tab)
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)


def days(scene: Scene) -> dict[str, int]:
    """What `dwell report days` says: visible milliseconds by day."""
    report = scene.server.run("report", "days", "--format", "json")
    return {row["day"]: row["visibleMs"] for row in json.loads(report.stdout)}


def assert_close(found: dict[str, int], truth: dict[str, int]) -> None:
    assert found.keys() == truth.keys(), (found, truth)
    for day, milliseconds in truth.items():
        assert abs(found[day] - milliseconds) <= SECOND, (found, truth)


@scenario("across midnight", "read from 23:56 to 0:04", start=at("2027-01-15T23:56"))
def midnight(scene: Scene) -> Outcome:
    outcome = reads_on(scene, 8 * MINUTE)
    assert_close(days(scene), {"2027-01-15": 4 * MINUTE, "2027-01-16": 4 * MINUTE})
    return outcome


@scenario(
    "the day of 23 hours",
    "read from 1:56 to 3:04 in Berlin, which is 8 min",
    start=at("2027-03-28T00:56"),
    flags=BERLIN,
)
def spring(scene: Scene) -> Outcome:
    outcome = reads_on(scene, 8 * MINUTE)
    assert_close(days(scene), {"2027-03-28": 8 * MINUTE})
    return outcome


@scenario(
    "the day of 25 hours",
    "read from 2:56 to 2:04 in Berlin, which is 8 min",
    start=at("2027-10-31T00:56"),
    flags=BERLIN,
)
def autumn(scene: Scene) -> Outcome:
    outcome = reads_on(scene, 8 * MINUTE)
    assert_close(days(scene), {"2027-10-31": 8 * MINUTE})
    return outcome


@scenario("a clock that is a year ahead", "read 5 min", off_by=YEAR)
def year_ahead(scene: Scene) -> Outcome:
    return reads_on(scene, 5 * MINUTE)


@scenario("a clock that is a year behind", "read 5 min", off_by=-YEAR)
def year_behind(scene: Scene) -> Outcome:
    return reads_on(scene, 5 * MINUTE)


def jumps(scene: Scene, by: int) -> Outcome:
    """The clock of the machine is set while the page is read."""
    assert isinstance(scene.clock, MovedClock)
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, 2 * MINUTE)
    scene.browser.context.clock.set_system_time((scene.clock.now + by) / SECOND)
    scene.reads(tab, 2 * MINUTE)
    left = scene.leaves(tab)
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)


@scenario("a clock set an hour forward", "read 2 min, the clock is set, read 2 min")
def jump_forward(scene: Scene) -> Outcome:
    return jumps(scene, HOUR)


@scenario("a clock set an hour back", "read 2 min, the clock is set, read 2 min")
def jump_back(scene: Scene) -> Outcome:
    return jumps(scene, -HOUR)
