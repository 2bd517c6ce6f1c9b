"""Clocks: machines that sleep, clocks that are wrong, and clocks that somebody sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from Contract.helpers import now_ms
from dwell_process import Dwell, eventually, let_pass

from .helpers import (
    BEAT,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    Beats,
    Moment,
    beat_while,
    beats_answered,
    catch_up,
    is_within,
    lasted,
    length,
    let_in,
    moment_of,
    record_up_to,
    set_clock,
    tell,
    wait,
)
from .script_site import close_to, confidential, read, stored

TICK = SECOND
YEAR = 365 * 24 * HOUR


@pytest.fixture(scope="module")
def site(script_site: Path) -> Path:
    return script_site


# Machines that sleep


def test_a_machine_asleep_for_eight_hours_adds_nothing(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "minute")
    wait(page, 30 * SECOND)
    page.clock.fast_forward(8 * HOUR)  # Every timer that is due fires once, at the end.
    wait(page, 2 * MINUTE)
    tell(page)
    assert [one["attention"] for one in beats.segments] == ["active", "idle"]
    assert beats.segments[0]["end"] == "asleep"
    assert beats.claimed("active") == 30 * SECOND
    assert close_to(beats.claimed(), 30 * SECOND + 2 * MINUTE)


def test_who_wakes_the_machine_and_reads_on_is_counted_again(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "minute")
    wait(page, 30 * SECOND)
    page.clock.fast_forward(8 * HOUR)
    page.mouse.move(100, 100)
    wait(page, MINUTE)
    tell(page)
    assert close_to(beats.claimed("active"), 30 * SECOND + MINUTE)


@pytest.mark.parametrize("wake", ["mousemove", "beat"])
def test_a_sleep_during_which_one_clock_stood_still_is_found(
    page: Page, dwell: Dwell, wake: str
) -> None:
    """On some systems `performance.now` does not know that the machine slept."""
    beats = read(page, dwell, "hour")
    wait(page, 10 * SECOND)
    set_clock(page, HOUR)
    if wake == "mousemove":
        page.mouse.move(7, 7)
    wait(page, 10 * SECOND)
    tell(page)
    before, after = beats.segments
    assert before["end"] == "asleep"
    assert length(before) == 10 * SECOND
    assert close_to(length(after), 10 * SECOND)
    assert close_to(after["from"] - before["to"], HOUR)


def test_a_tick_that_comes_late_cuts_nothing(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "hour")
    wait(page, 10 * SECOND)
    page.clock.fast_forward(4900)
    wait(page, 2 * SECOND)
    tell(page)
    assert [length(one) for one in beats.segments] == [16_900]


# Clocks that are set while the page is open


@dataclass
class Truth:
    """The time that the server has, and how it answers."""

    now: int
    answer: Callable[[Route], object] | None = None

    def __call__(self, route: Route) -> None:
        (self.answer or stored(time=self.now))(route)

    def wait(self, page: Page, milliseconds: int) -> None:
        for _ in range(milliseconds // SECOND):
            self.now += SECOND
            wait(page, SECOND)
            catch_up(page)


def read_by(page: Page, dwell: Dwell, true: Truth) -> Beats:
    """Opens a page whose server's clock is moved by the test."""
    let_in(page.context, dwell)
    page.clock.install(time=(NOON - MINUTE) / 1000)
    page.clock.pause_at(NOON / 1000)
    page.route(f"**{BEAT}", true)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "hour")))
    return beats


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 3 * SECOND, -3 * SECOND])
def test_a_clock_that_is_set_loses_no_second_and_counts_none_twice(
    page: Page, dwell: Dwell, jump: int
) -> None:
    true = Truth(NOON - YEAR)
    beats = read_by(page, dwell, true)
    true.wait(page, 25 * SECOND)
    set_clock(page, jump)
    true.wait(page, 25 * SECOND)
    tell(page)
    before, after = beats.segments
    assert before["end"] == "asleep"
    assert before["from"] == NOON - YEAR
    assert before["to"] == NOON - YEAR + 25 * SECOND
    assert 0 <= after["from"] - before["to"] <= TICK
    assert after["to"] == true.now
    assert beats.claimed("active") == beats.claimed() >= 49 * SECOND


def test_before_it_tells_anything_by_a_clock_that_jumped_it_asks_for_the_time(
    page: Page, dwell: Dwell
) -> None:
    true = Truth(NOON)
    beats = read_by(page, dwell, true)
    true.wait(page, 10 * SECOND)
    set_clock(page, HOUR)
    beats.sent.clear()
    true.wait(page, 2 * SECOND)
    tell(page)
    assert beats.bodies[0]["segments"] == []
    assert all(abs(body["sentAt"] - true.now) <= 2 * TICK for body in beats.bodies[1:])


def test_what_was_seen_offline_after_the_clock_was_set_is_told_by_the_right_clock(
    page: Page, dwell: Dwell
) -> None:
    true = Truth(NOON)
    beats = read_by(page, dwell, true)
    true.wait(page, 10 * SECOND)
    page.evaluate("history.pushState({}, '', '/confidential/before')")
    true.answer = Route.abort
    true.wait(page, 10 * SECOND)
    set_clock(page, -HOUR)
    true.wait(page, 10 * SECOND)
    page.evaluate("history.pushState({}, '', '/confidential/after')")
    true.wait(page, 10 * SECOND)
    true.answer = None
    tell(page)
    edges = [(one["from"] - NOON, one["to"] - NOON) for one in beats.segments]
    assert [pair[1] - pair[0] for pair in edges] == pytest.approx([10_000] * 4, abs=TICK)
    assert [pair[0] for pair in edges] == pytest.approx([0, 10_000, 20_000, 30_000], abs=TICK)


def test_small_differences_do_not_move_the_clock(page: Page, dwell: Dwell) -> None:
    true = Truth(NOON)
    beats = read_by(page, dwell, true)
    true.wait(page, 10 * SECOND)
    true.now += 1900
    tell(page)
    true.wait(page, 10 * SECOND)
    tell(page)
    assert beats.bodies[-1]["sentAt"] == NOON + 20 * SECOND


def test_a_server_that_was_misheard_at_first_is_believed_later(page: Page, dwell: Dwell) -> None:
    true = Truth(NOON + HOUR)
    beats = read_by(page, dwell, true)
    true.now = NOON
    true.wait(page, 10 * SECOND)
    tell(page)
    tell(page)
    assert beats.bodies[-1]["sentAt"] == NOON + 10 * SECOND
    assert [length(one) for one in beats.segments] == [10 * SECOND]


def test_an_answer_that_slept_on_the_way_says_nothing_of_the_time(page: Page, dwell: Dwell) -> None:
    """It was on its way when the machine fell asleep: its time is the evening's."""
    true = Truth(NOON)
    beats = read_by(page, dwell, true)
    true.wait(page, 10 * SECOND)
    late: list[Route] = []
    true.answer = late.append
    page.evaluate("void dwell.flush()")
    eventually(lambda: page.evaluate("1") and late)
    set_clock(page, HOUR)
    page.clock.run_for(SECOND)
    stored(time=true.now)(late.pop())
    true.now += HOUR + SECOND
    true.answer = None
    beats.sent.clear()
    tell(page)
    assert beats.bodies[0]["segments"] == [], "it did not ask again"
    true.wait(page, 5 * SECOND)
    tell(page)
    assert beats.bodies[-1]["sentAt"] == true.now
    assert beats.claimed() == pytest.approx(16_000, abs=TICK)


# Clocks that are wrong from the start


@pytest.mark.parametrize("error", [-YEAR, YEAR, 10 * SECOND], ids=["behind", "ahead", "a little"])
def test_a_clock_that_is_wrong_changes_nothing(page: Page, dwell: Dwell, error: int) -> None:
    began = now_ms()
    email = let_in(page.context, dwell)
    entered = Moment(began, now_ms())
    page.clock.install(time=(now_ms() + error) / 1000)
    came = moment_of(lambda: page.goto(confidential(dwell, "second")))
    let_pass(1.5)
    page.evaluate("history.pushState({}, '', '/confidential/next')")
    let_pass(1.5)
    left = moment_of(lambda: page.goto(dwell.url))
    session = record_up_to(dwell, email, left.first)
    for measure in ("visibleMs", "engagedMs"):
        assert lasted(session[measure], (came, left)), (measure, session)
    assert lasted(session["elapsedMs"], (entered, left)), session


def test_times_are_kept_by_the_clock_of_the_server(page: Page, dwell: Dwell) -> None:
    let_in(page.context, dwell)
    began = now_ms()
    page.clock.install(time=(began + YEAR) / 1000)
    beats = Beats(page)
    came = moment_of(lambda: beat_while(page, lambda: page.goto(confidential(dwell, "hour"))))
    told = moment_of(lambda: page.evaluate("dwell.flush()"))
    first, second = beats.bodies
    assert is_within(first["sentAt"] - YEAR, Moment(began, came.last))
    assert is_within(second["sentAt"], told, slack=SECOND)  # Half of what the first answer took on its way.
    assert is_within(second["segments"][0]["from"], came, slack=SECOND)


def entries(page: Page) -> list[dict[str, Any]]:
    """What the page's script keeps in storage, of every page."""
    return page.evaluate(
        """() => Object.keys(localStorage).filter((key) => /^dwell:[0-9]/.test(key))
            .map((key) => JSON.parse(localStorage[key]))"""
    )


def test_what_a_page_kept_by_a_wrong_clock_is_told_by_the_right_one(
    context: BrowserContext, dwell: Dwell
) -> None:
    """The page never heard of the server; the next one on the same machine does."""
    let_in(context, dwell)
    context.add_init_script(f"const wrong = Date.now; Date.now = () => wrong() + {YEAR}")
    page = context.new_page()
    with beats_answered(page, Route.abort):
        page.goto(confidential(dwell, "hour"))
        let_pass(1.2)
        left = moment_of(lambda: page.goto(dwell.url))
    (entry,) = entries(page)
    assert is_within(entry["list"][0]["to"] - YEAR, left)
    beats = Beats(page)
    page.goto(confidential(dwell, "hour"))
    eventually(lambda: page.evaluate("1") and "left" in [one.get("end") for one in beats.segments])
    (kept,) = [one for one in beats.segments if one.get("end") == "left"]
    assert is_within(kept["to"], left, slack=SECOND)
    assert length(kept) >= 1000
