"""dwell.js on a page: when it beats, how a page is left, what a page's author can say.

Where minutes and hours matter the page's clock is moved by hand. The server's clock is not, and it
credits nothing that lies before the visit: in these tests it is the script's claims that count.
Where seconds are enough both clocks run, and it is the record that counts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Route, expect

from Contract.helpers import ms_of, now_ms
from dwell_process import Dwell, let_pass

from .helpers import (
    HOUR,
    MINUTE,
    SECOND,
    Beats,
    Console,
    Moment,
    beat_while,
    beats_answered,
    hide,
    lasted,
    let_in,
    moment_of,
    record,
    record_up_to,
    stop_time,
    tell,
    wait,
)
from .script_site import confidential, read, stored


@pytest.fixture(scope="module")
def site(script_site: Path) -> Path:
    return script_site


# When it beats


def test_a_page_beats_when_it_is_loaded(page: Page, dwell: Dwell) -> None:
    email = let_in(page.context, dwell)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "default")))
    (body,) = beats.bodies
    assert body["v"] == 1
    (segment,) = body["segments"]
    assert segment["attention"] == "active"
    assert segment["page"] == "/confidential/default.html"
    assert record(dwell, email)["closed"] is False
    assert dwell.sessions(page="/confidential/default.html", email=email)


@pytest.mark.parametrize(("name", "interval"), [("second", SECOND), ("minute", MINUTE)])
def test_it_beats_once_every_interval(page: Page, dwell: Dwell, name: str, interval: int) -> None:
    beats = read(page, dwell, name)
    assert len(beats.sent) == 1
    for _ in range(3):
        assert beats.during(lambda: wait(page, interval - 1)) == 0
        assert beats.during(lambda: wait(page, 1)) == 1
    assert {body["interval"] for body in beats.bodies} == {interval}


def test_the_server_says_when_to_beat_again(page: Page, dwell: Dwell) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    beats = Beats(page)
    for interval in (7 * SECOND, 20 * SECOND, 50 * SECOND):
        with beats_answered(page, stored(interval=interval)):
            if beats.sent:
                beat_while(page, lambda: tell(page))
            else:
                beat_while(page, lambda: page.goto(confidential(dwell, "default")))
        assert beats.during(lambda: wait(page, interval - 1)) == 0
    assert not any("interval" in body for body in beats.bodies)


def test_a_young_visit_beats_more_often_than_an_old_one(
    page: Page, fresh_dwell: Callable[..., Dwell], site: Path
) -> None:
    server = fresh_dwell("--heartbeat-interval", "20", site=site)
    beats = read(page, server, "default")
    for interval in (5, 15, 20):
        assert beats.during(lambda: wait(page, interval * SECOND - 1)) == 0
        assert beats.during(lambda: wait(page, 1)) == 1


# What it counts, and how a page is left


def test_a_page_that_was_read_leaves_the_time_it_was_read(page: Page, dwell: Dwell) -> None:
    began = now_ms()
    email = let_in(page.context, dwell)
    entered = Moment(began, now_ms())
    came = moment_of(lambda: page.goto(confidential(dwell, "second")))
    let_pass(3)
    left = moment_of(lambda: page.goto(dwell.url))
    session = record_up_to(dwell, email, left.first)
    for measure in ("visibleMs", "engagedMs"):
        assert lasted(session[measure], (came, left)), (measure, session)
    assert lasted(session["elapsedMs"], (entered, left)), session
    assert ms_of(session["sessionEndTime"]) <= now_ms() + SECOND


LEAVING: dict[str, Callable[[Page], object]] = {
    "by a link": lambda page: page.get_by_role("link").click(),
    "by reloading": lambda page: page.reload(),
    "by closing the tab": lambda page: page.close(),
    "by opening another tab": lambda page: hide(page, page.context.new_page()),
}


@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING.keys())
def test_whoever_leaves_between_two_beats_loses_nothing(
    tabs: BrowserContext, dwell: Dwell, leave: Callable[[Page], object]
) -> None:
    page = tabs.new_page()
    email = let_in(tabs, dwell)
    came = moment_of(lambda: page.goto(confidential(dwell, "default")))  # The next beat would come in 5 s.
    let_pass(2.5)
    left = now_ms()
    leave(page)
    session = record_up_to(dwell, email, left)
    gone = Moment(left, now_ms())  # Who follows a link stays until the next page is there.
    assert lasted(session["visibleMs"], (came, gone)), session
    assert lasted(session["engagedMs"], (came, gone)), session


def test_a_browser_without_beacons_tells_when_it_leaves(page: Page, dwell: Dwell) -> None:
    page.add_init_script("delete Navigator.prototype.sendBeacon")
    email = let_in(page.context, dwell)
    came = moment_of(lambda: page.goto(confidential(dwell, "default")))
    let_pass(2)
    left = moment_of(lambda: page.goto(dwell.url))
    assert lasted(record_up_to(dwell, email, left.first)["visibleMs"], (came, left))


def test_a_page_that_dies_loses_no_more_than_one_interval(page: Page, dwell: Dwell) -> None:
    email = let_in(page.context, dwell)
    came = moment_of(lambda: page.goto(confidential(dwell, "second")))
    let_pass(2.5)
    began = now_ms()
    with page.expect_event("crash"), pytest.raises(Error):
        page.goto("chrome://crash")
    died = Moment(began, now_ms())
    session = record_up_to(dwell, email, died.first - SECOND - 500)
    assert lasted(session["visibleMs"], (came, died), slack=SECOND + 500), session


def test_two_tabs_side_by_side_are_not_twice_the_time(context: BrowserContext, dwell: Dwell) -> None:
    email = let_in(context, dwell)
    first, second = context.new_page(), context.new_page()  # Both visible, as in two windows.
    came = moment_of(lambda: first.goto(confidential(dwell, "second")))
    second.goto(confidential(dwell, "second"))
    let_pass(2)
    first.goto(dwell.url)
    left = moment_of(lambda: second.goto(dwell.url))
    session = record_up_to(dwell, email, left.first)
    assert lasted(session["visibleMs"], (came, left)), session


def test_a_page_that_the_back_button_brings_back_goes_on_counting(
    page: Page, dwell: Dwell
) -> None:
    email = let_in(page.context, dwell)
    # What is confidential, no browser keeps for coming back.
    came = moment_of(lambda: page.goto(f"{dwell.url}/open.html"))
    page.evaluate("window.isTheSame = true")
    let_pass(1.2)
    left = moment_of(lambda: page.goto(dwell.url))
    let_pass(2)
    began = now_ms()
    page.go_back(wait_until="commit")
    assert page.evaluate("window.isTheSame"), "the page was loaded anew"
    back = Moment(began, now_ms())
    let_pass(1.2)
    left_again = moment_of(lambda: page.goto(dwell.url))
    session = record_up_to(dwell, email, left_again.first)
    assert lasted(session["visibleMs"], (came, left), (back, left_again)), session


# Without a session


def test_a_page_without_a_session_works(page: Page, dwell: Dwell) -> None:
    console = Console(page.context)
    stop_time(page)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(f"{dwell.url}/open.html"))
    assert page.context.cookies() == []
    for _ in range(3):
        assert beat_while(page, lambda: wait(page, 2 * SECOND)).status == 400
    page.get_by_role("button").click()
    expect(page.get_by_role("button")).to_have_text("pressed")
    assert console.written == []
    let_in(page.context, dwell)  # In another tab, say: from now on its time counts.
    assert beat_while(page, lambda: wait(page, 2 * SECOND)).status == 200


# What it says, and what can be said to it


@pytest.mark.parametrize("name", ["loud", "element", "element-data"])
def test_with_debug_it_says_what_it_does(page: Page, dwell: Dwell, name: str) -> None:
    let_in(page.context, dwell)
    console = Console(page.context)
    stop_time(page)
    with page.expect_console_message():
        page.goto(confidential(dwell, name))
    for _ in range(3):
        with page.expect_console_message():
            wait(page, SECOND)
    assert len(console.written) == 4
    assert all(text.startswith("[dwell] ") for text in console.written)


@pytest.mark.parametrize("name", ["second", "default", "element-quiet"])
def test_without_debug_it_says_nothing(tabs: BrowserContext, dwell: Dwell, name: str) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    console = Console(tabs)
    page.bring_to_front()
    read(page, dwell, name)
    beat_while(page, lambda: wait(page, 3 * MINUTE))
    page.clock.fast_forward(8 * HOUR)
    tell(page)
    wait(page, SECOND)
    beat_while(page, other.bring_to_front)
    beat_while(page, page.bring_to_front)
    with beats_answered(page, Route.abort), page.expect_event("requestfailed"):
        page.evaluate("dwell.flush()")
    page.goto(dwell.url)
    assert console.written == []


def test_the_element_does_what_the_attributes_of_the_script_do(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "element")
    assert len(beats.sent) == 1
    for _ in range(3):
        assert beats.during(lambda: wait(page, SECOND - 1)) == 0
        assert beats.during(lambda: wait(page, 1)) == 1


def test_an_element_that_comes_later_is_heard(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "default")
    beat_while(page, lambda: page.evaluate(
        """() => {
            const element = document.createElement('session-heartbeat');
            element.setAttribute('interval', '1000');
            document.body.append(element);
        }"""
    ))
    assert beats.during(lambda: wait(page, 3 * SECOND)) == 3


def test_a_script_that_is_there_twice_counts_once(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "second")
    page.add_script_tag(url=f"{dwell.url}/dwell.js")
    assert beats.during(lambda: wait(page, 3 * SECOND)) == 3
    assert len({one["tab"] for one in beats.segments}) == 1


def test_what_is_flushed_is_told_when_the_promise_is_kept(page: Page, dwell: Dwell) -> None:
    email = let_in(page.context, dwell)
    came = moment_of(lambda: page.goto(confidential(dwell, "hour")))
    let_pass(1.5)
    told = moment_of(lambda: page.evaluate("dwell.flush()"))
    assert lasted(record(dwell, email)["visibleMs"], (came, told))


@pytest.mark.parametrize("wish", ["soon", "0", "-5", "10", "99999999999"])
def test_an_interval_that_makes_no_sense_does_no_harm(
    page: Page, dwell: Dwell, wish: str
) -> None:
    beats = read(page, dwell, "default")
    page.evaluate(
        """(wish) => {
            const element = document.createElement('session-heartbeat');
            element.setAttribute('interval', wish);
            document.body.append(element);
        }""",
        wish,
    )
    assert beats.during(lambda: wait(page, 10 * SECOND)) <= 11
    assert all(SECOND <= body.get("interval", SECOND) <= 24 * HOUR for body in beats.bodies)
