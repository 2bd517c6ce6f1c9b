"""dwell.js on a page: what it counts, what it does not, and what happens when something breaks.

Where minutes and hours matter the page's clock is moved by hand. The server's clock is not, and it
credits nothing that lies before the visit: in these tests it is the script's claims that count.
Where seconds are enough both clocks run, and it is the record that counts.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from Contract.helpers import ms_of, now_ms
from dwell_process import REPOSITORY, Dwell, eventually, let_pass

from .helpers import (
    BEAT,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    Beats,
    Console,
    beat_while,
    let_in,
    record,
    record_up_to,
    stop_time,
    write_pages,
)

TICK = SECOND  # The script looks at the clock once a second.
IDLE_AFTER = MINUTE
BODY_LIMIT = 64 * 1024
SCRIPT = '<script src="/dwell.js" {} defer></script>'
FILM = '<video src="/film.webm" width="320" loop muted></video>'
BUTTON = """<button onclick="this.textContent = 'pressed'">press</button>"""
PAGES = {
    "index.html": ("", "Nothing is measured here."),
    "open.html": (SCRIPT.format('data-interval="1000"'), BUTTON),
    "confidential/second.html": (SCRIPT.format('data-interval="1000"'), '<a href="/">Away</a>'),
    "confidential/minute.html": (SCRIPT.format('data-interval="60000"'), FILM),
    "confidential/default.html": (SCRIPT.format(""), '<a href="/">Away</a>'),
    "confidential/loud.html": (SCRIPT.format('data-interval="1000" data-debug'), "Loud."),
    "confidential/element.html": (
        SCRIPT.format(""),
        '<session-heartbeat interval="1000" debug></session-heartbeat>',
    ),
    "confidential/element-data.html": (
        SCRIPT.format(""),
        '<session-heartbeat data-interval="1000" data-debug></session-heartbeat>',
    ),
    "confidential/element-quiet.html": (
        SCRIPT.format(""),
        '<session-heartbeat interval="1000" debug="false"></session-heartbeat>',
    ),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_pages(tmp_path_factory.mktemp("site"), PAGES)
    shutil.copy(REPOSITORY / "Examples/course/lesson.webm", folder / "film.webm")
    return folder


def confidential(server: Dwell, name: str) -> str:
    return f"{server.url}/confidential/{name}.html"


def wait(page: Page, milliseconds: int) -> None:
    """Lets the page's own time pass, second by second."""
    page.clock.run_for(milliseconds)


def close_to(milliseconds: int, expected: int, within: int = TICK) -> bool:
    return abs(milliseconds - expected) <= within


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


@pytest.mark.parametrize(
    ("name", "interval"),
    [("second", SECOND), ("minute", MINUTE), ("default", 3 * MINUTE)],
)
def test_it_beats_once_every_interval(page: Page, dwell: Dwell, name: str, interval: int) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    beats = Beats(page)
    page.goto(confidential(dwell, name))
    assert len(beats.sent) == 1
    for _ in range(3):
        assert beats.during(lambda: wait(page, interval - 1)) == 0
        assert beats.during(lambda: wait(page, 1)) == 1


def test_the_server_says_how_often_to_beat(page: Page, fresh_dwell, site: Path) -> None:
    server = fresh_dwell("--heartbeat-interval", "20", site=site)
    let_in(page.context, server)
    stop_time(page)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(server, "default")))
    assert beats.during(lambda: wait(page, 5 * MINUTE)) == 15


# What it counts


def test_a_page_that_was_read_leaves_the_time_it_was_read(page: Page, dwell: Dwell) -> None:
    email = let_in(page.context, dwell)
    came = now_ms()
    page.goto(confidential(dwell, "second"))
    let_pass(3)
    left = now_ms()
    page.goto(dwell.url)
    session = record_up_to(dwell, email, left)
    for measure in ("visibleMs", "engagedMs", "elapsedMs"):
        assert close_to(session[measure], left - came), (measure, session)
    assert ms_of(session["sessionEndTime"]) <= now_ms() + SECOND


LEAVING: dict[str, Callable[[Page], object]] = {
    "by a link": lambda page: page.get_by_role("link").click(),
    "by reloading": lambda page: page.reload(),
    "by closing the tab": lambda page: page.close(),
    "by opening another tab": lambda page: page.context.new_page().bring_to_front(),
}


@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING.keys())
def test_whoever_leaves_between_two_beats_loses_nothing(
    tabs: BrowserContext, dwell: Dwell, leave: Callable[[Page], object]
) -> None:
    page = tabs.new_page()
    email = let_in(tabs, dwell)
    came = now_ms()
    page.goto(confidential(dwell, "default"))  # The next beat would come in 3 minutes.
    let_pass(2.5)
    left = now_ms()
    leave(page)
    session = record_up_to(dwell, email, left)
    assert close_to(session["visibleMs"], left - came), session
    assert close_to(session["engagedMs"], left - came), session


def test_a_page_that_dies_loses_no_more_than_one_interval(page: Page, dwell: Dwell) -> None:
    email = let_in(page.context, dwell)
    came = now_ms()
    page.goto(confidential(dwell, "second"))
    let_pass(2.5)
    died = now_ms()
    with page.expect_event("crash"):
        page.evaluate("setTimeout(() => {})")
        page.context.new_cdp_session(page).send("Page.crash")
    session = record_up_to(dwell, email, died - SECOND - 500)
    assert close_to(session["visibleMs"], died - came, SECOND + 500), session


def test_two_tabs_side_by_side_are_not_twice_the_time(context: BrowserContext, dwell: Dwell) -> None:
    email = let_in(context, dwell)
    came = now_ms()
    pages = [context.new_page() for _ in range(2)]  # Both visible, as in two windows.
    for page in pages:
        page.goto(confidential(dwell, "second"))
    let_pass(2)
    left = now_ms()
    for page in pages:
        page.goto(dwell.url)
    session = record_up_to(dwell, email, left)
    assert close_to(session["visibleMs"], left - came), session


# Tabs that nobody sees


def test_a_tab_behind_another_is_not_counted(tabs: BrowserContext, dwell: Dwell) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    email = let_in(tabs, dwell)
    page.bring_to_front()
    came = now_ms()
    page.goto(confidential(dwell, "second"))
    let_pass(1.5)
    hidden = now_ms()
    other.bring_to_front()
    let_pass(3)
    shown = now_ms()
    page.bring_to_front()
    let_pass(1)
    left = now_ms()
    page.goto(dwell.url)
    session = record_up_to(dwell, email, left)
    seen = (hidden - came) + (left - shown)
    assert close_to(session["visibleMs"], seen), (seen, session)
    assert close_to(session["engagedMs"], seen), (seen, session)
    assert close_to(session["elapsedMs"], left - came), session


def test_ten_hidden_minutes_add_nothing(tabs: BrowserContext, dwell: Dwell) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    let_in(tabs, dwell)
    page.bring_to_front()
    stop_time(page)
    beats = Beats(page)
    page.goto(confidential(dwell, "minute"))
    wait(page, 10 * SECOND)
    other.bring_to_front()
    page.wait_for_function("document.visibilityState === 'hidden'")
    assert beats.during(lambda: wait(page, 10 * MINUTE)) == 0
    beat_while(page, page.bring_to_front)
    beat_while(page, lambda: wait(page, MINUTE))
    assert beats.claimed("active") == 10 * SECOND + MINUTE
    assert beats.claimed() == beats.claimed("active")
    away = [beats.segments[0]["to"], beats.segments[1]["from"]]
    assert away[1] - away[0] == 10 * MINUTE


def test_a_tab_that_comes_to_the_front_beats_at_once(tabs: BrowserContext, dwell: Dwell) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    let_in(tabs, dwell)
    page.bring_to_front()
    stop_time(page)
    page.goto(confidential(dwell, "minute"))
    for _ in range(2):
        beat_while(page, other.bring_to_front)
        beat_while(page, page.bring_to_front)


def test_a_tab_that_opens_behind_another_waits_for_its_moment(
    tabs: BrowserContext, dwell: Dwell
) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    let_in(tabs, dwell)
    other.bring_to_front()
    stop_time(page)
    beats = Beats(page)
    page.goto(confidential(dwell, "minute"))
    assert page.evaluate("document.visibilityState") == "hidden"
    assert beats.during(lambda: wait(page, 10 * MINUTE)) == 0
    beat_while(page, page.bring_to_front)
    beat_while(page, lambda: wait(page, MINUTE))
    assert beats.claimed() == MINUTE


def test_a_page_that_comes_back_goes_on_counting(page: Page, dwell: Dwell) -> None:
    """The back button may bring a page back as it was left.

    Playwright switches that cache off, and does not survive it being on: so the browser's two
    events are made here.
    """
    let_in(page.context, dwell)
    stop_time(page)
    beats = Beats(page)
    page.goto(confidential(dwell, "minute"))
    wait(page, 10 * SECOND)
    event = "dispatchEvent(new PageTransitionEvent('{}', {{ persisted: true }}))"
    beat_while(page, lambda: page.evaluate(event.format("pagehide")))
    page.clock.fast_forward(10 * MINUTE)
    beat_while(page, lambda: page.evaluate(event.format("pageshow")))
    beat_while(page, lambda: wait(page, MINUTE))
    assert close_to(beats.claimed("active"), 10 * SECOND + MINUTE, 0)


# Machines that sleep, and people who do


def test_a_machine_asleep_for_eight_hours_adds_nothing(page: Page, dwell: Dwell) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    beats = Beats(page)
    page.goto(confidential(dwell, "minute"))
    wait(page, 30 * SECOND)
    page.clock.fast_forward(8 * HOUR)  # Every timer that is due fires once, at the end.
    beat_while(page, lambda: wait(page, 2 * MINUTE))
    assert close_to(beats.claimed("active"), 30 * SECOND)
    assert close_to(beats.claimed(), 30 * SECOND + 2 * MINUTE)


def test_who_wakes_the_machine_and_reads_on_is_counted_again(page: Page, dwell: Dwell) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    beats = Beats(page)
    page.goto(confidential(dwell, "minute"))
    wait(page, 30 * SECOND)
    page.clock.fast_forward(8 * HOUR)
    page.mouse.move(100, 100)
    beat_while(page, lambda: wait(page, MINUTE))
    assert close_to(beats.claimed("active"), 30 * SECOND + MINUTE, 2 * TICK)


def test_a_clock_that_is_set_back_takes_nothing_away(page: Page, dwell: Dwell) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    beats = Beats(page)
    page.goto(confidential(dwell, "minute"))
    wait(page, 30 * SECOND)
    page.clock.set_system_time(NOON - HOUR)
    page.mouse.move(100, 100)
    beat_while(page, lambda: wait(page, MINUTE))
    assert close_to(beats.claimed("active"), 30 * SECOND + MINUTE, 2 * TICK)


def test_after_a_minute_without_input_attention_is_idle(page: Page, dwell: Dwell) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    beats = Beats(page)
    page.goto(confidential(dwell, "minute"))
    beat_while(page, lambda: wait(page, 5 * MINUTE))
    assert close_to(beats.claimed("active"), IDLE_AFTER)
    assert close_to(beats.claimed(), 5 * MINUTE)
    assert [one["attention"] for one in beats.segments] == ["active", "idle"]


INPUTS: dict[str, Callable[[Page], object]] = {
    "the mouse": lambda page: page.mouse.move(50, 60),
    "a click": lambda page: page.mouse.click(5, 5),
    "the wheel": lambda page: page.mouse.wheel(0, 10),
    "a key": lambda page: page.keyboard.press("ArrowDown"),
    "scrolling": lambda page: page.evaluate("dispatchEvent(new Event('scroll'))"),
}


@pytest.mark.parametrize("give_input", INPUTS.values(), ids=INPUTS.keys())
def test_input_makes_attention_active_again(
    page: Page, dwell: Dwell, give_input: Callable[[Page], object]
) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    beats = Beats(page)
    page.goto(confidential(dwell, "minute"))
    wait(page, 3 * MINUTE)
    give_input(page)
    page.evaluate("new Promise((done) => queueMicrotask(done))")
    beat_while(page, lambda: wait(page, 2 * MINUTE))
    assert [one["attention"] for one in beats.segments] == ["active", "idle", "active", "idle"]
    assert close_to(beats.claimed("active"), 2 * IDLE_AFTER, 2 * TICK)
    assert close_to(beats.claimed(), 5 * MINUTE)


def test_who_watches_a_video_is_not_idle(page: Page, dwell: Dwell) -> None:
    """The film really plays, and by the real clock: its page's clock is not the media's."""
    let_in(page.context, dwell)
    stop_time(page)
    beats = Beats(page)
    page.goto(confidential(dwell, "minute"))
    page.evaluate("document.querySelector('video').play()")
    wait(page, 5 * MINUTE)
    assert page.evaluate("document.querySelector('video').currentTime") > 0
    page.evaluate("document.querySelector('video').pause()")
    beat_while(page, lambda: wait(page, 5 * MINUTE))
    assert close_to(beats.claimed("active"), 5 * MINUTE + IDLE_AFTER, 2 * TICK)
    assert close_to(beats.claimed(), 10 * MINUTE)


# When something breaks


def test_while_the_server_is_dead_the_page_lives_and_nothing_is_lost(
    page: Page, fresh_dwell, site: Path
) -> None:
    server = fresh_dwell(site=site)
    email = let_in(page.context, server)
    console = Console(page.context)
    beats = Beats(page)
    came = now_ms()
    beat_while(page, lambda: page.goto(confidential(server, "second")))
    server.kill()
    with page.expect_event("requestfailed"):
        let_pass(2.5)
    assert page.evaluate("1 + 1") == 2
    server.start()
    again = now_ms()
    record_up_to(server, email, again)
    left = now_ms()
    page.goto(server.url)
    session = record_up_to(server, email, left)
    assert close_to(session["visibleMs"], left - came), session
    assert close_to(session["engagedMs"], left - came), session
    assert {one["n"] for one in beats.segments} == {0}, "the segment was cut"
    assert console.written == []


def test_hours_without_a_server_are_delivered_in_beats_of_a_size_that_it_takes(
    page: Page, dwell: Dwell
) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    page.goto(confidential(dwell, "minute"))
    page.route(f"**{BEAT}", lambda route: route.abort())
    for _ in range(450):  # As many naps: each ends a segment.
        page.clock.run_for(2 * SECOND)
        page.clock.fast_forward(10 * SECOND)
    page.unroute(f"**{BEAT}")
    beats = Beats(page)
    for _ in range(3):
        answer = beat_while(page, lambda: wait(page, MINUTE)).response()
        assert answer and answer.status == 200, answer and answer.text()
    assert {one["n"] for one in beats.segments} >= set(range(450))
    for beat in beats.sent:
        assert len(beat.post_data_json["segments"]) <= 500
        assert len(beat.post_data_buffer or b"") <= BODY_LIMIT


@pytest.mark.parametrize("status", [500, 503])
def test_a_beat_that_is_not_taken_is_sent_again(page: Page, dwell: Dwell, status: int) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    page.route(f"**{BEAT}", lambda route: route.fulfill(status=status, json={"success": False}))
    page.goto(confidential(dwell, "minute"))
    wait(page, 10 * SECOND)
    page.clock.fast_forward(10 * SECOND)  # Ends a segment, which must not be forgotten.
    page.mouse.move(9, 9)
    beat_while(page, lambda: wait(page, MINUTE))
    page.unroute(f"**{BEAT}")
    beats = Beats(page)
    beat_while(page, lambda: wait(page, MINUTE))
    assert [one["n"] for one in beats.segments][:2] == [0, 1]
    assert beats.segments[0]["to"] - beats.segments[0]["from"] == 10 * SECOND


def test_a_page_without_a_session_works(page: Page, dwell: Dwell) -> None:
    console = Console(page.context)
    stop_time(page)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(f"{dwell.url}/open.html"))
    assert page.context.cookies() == []
    for _ in range(3):
        beat = beat_while(page, lambda: wait(page, SECOND))
        assert beat.response().status == 400
    page.get_by_role("button").click()
    expect(page.get_by_role("button")).to_have_text("pressed")
    assert len(beats.sent) == 4
    assert console.written == []
    let_in(page.context, dwell)  # In another tab, say: from now on its time counts.
    assert beat_while(page, lambda: wait(page, SECOND)).response().status == 200


# What it says


@pytest.mark.parametrize("name", ["loud", "element", "element-data"])
def test_with_debug_it_says_what_it_does(page: Page, dwell: Dwell, name: str) -> None:
    let_in(page.context, dwell)
    console = Console(page.context)
    stop_time(page)
    beat_while(page, lambda: page.goto(confidential(dwell, name)))
    eventually(lambda: console.written, what="a word on the console")
    for beat in range(2, 5):
        beat_while(page, lambda: wait(page, SECOND))
        eventually(lambda: len(console.written) >= beat, what="another word")  # noqa: B023
    assert all(text.startswith("[dwell] ") for text in console.written)
    assert BEAT not in console.failed_requests


@pytest.mark.parametrize("name", ["second", "default", "element-quiet"])
def test_without_debug_it_says_nothing(tabs: BrowserContext, dwell: Dwell, name: str) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    let_in(tabs, dwell)
    console = Console(tabs)
    page.bring_to_front()
    stop_time(page)
    beat_while(page, lambda: page.goto(confidential(dwell, name)))
    beat_while(page, lambda: wait(page, 3 * MINUTE))
    page.clock.fast_forward(8 * HOUR)
    beat_while(page, other.bring_to_front)
    beat_while(page, page.bring_to_front)
    page.route(f"**{BEAT}", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        wait(page, 3 * MINUTE)
    page.unroute(f"**{BEAT}")
    page.goto(dwell.url)
    assert console.written == []


def test_the_element_does_what_the_attributes_of_the_script_do(page: Page, dwell: Dwell) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "element")))
    assert len(beats.sent) == 1
    for _ in range(3):
        assert beats.during(lambda: wait(page, SECOND - 1)) == 0
        assert beats.during(lambda: wait(page, 1)) == 1


def test_an_element_that_comes_later_is_heard(page: Page, dwell: Dwell) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "default")))
    page.evaluate(
        """() => {
            const element = document.createElement('session-heartbeat');
            element.setAttribute('interval', '1000');
            document.body.append(element);
        }"""
    )
    assert beats.during(lambda: wait(page, 3 * SECOND)) == 3


def test_a_script_that_is_there_twice_counts_once(page: Page, dwell: Dwell) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "second")))
    page.add_script_tag(url=f"{dwell.url}/dwell.js")
    assert beats.during(lambda: wait(page, 3 * SECOND)) == 3
    assert len({one["tab"] for one in beats.segments}) == 1
