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
from playwright.sync_api import BrowserContext, Error, Page, Route, expect

from Contract.helpers import ms_of, now_ms
from dwell_process import REPOSITORY, Dwell, let_pass

from .helpers import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    Beats,
    Console,
    beat_while,
    beats_answered,
    catch_up,
    let_in,
    record,
    record_up_to,
    stop_time,
    wait,
    write_pages,
)

TICK = SECOND  # The script looks at the clock once a second.
IDLE_AFTER = MINUTE
BODY_LIMIT = 64 * 1024
SCRIPT = '<script src="/dwell.js" {} defer></script>'
FILM = '<video src="/film.webm" width="320" height="2000" loop muted></video>'  # Can be scrolled.
CYRILLIC = "отчёт-за-третий-квартал-2026-года/глава-седьмая-паромы-севера"  # 6 bytes a letter.
BUTTON = """<button onclick="this.textContent = 'pressed'">press</button>"""
PAGES = {
    "index.html": ("", "Nothing is measured here."),
    "open.html": (SCRIPT.format('data-interval="1000"'), BUTTON),
    "confidential/second.html": (SCRIPT.format('data-interval="1000"'), '<a href="/">Away</a>'),
    "confidential/minute.html": (SCRIPT.format('data-interval="60000"'), FILM),
    f"confidential/{CYRILLIC}.html": (SCRIPT.format('data-interval="60000"'), "Long."),
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


def read(page: Page, server: Dwell, name: str) -> Beats:
    """Opens a page by a clock that the test moves, and waits until its first beat is answered."""
    let_in(page.context, server)
    stop_time(page)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(server, name)))
    return beats


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
    beats = read(page, dwell, name)
    assert len(beats.sent) == 1
    for _ in range(3):
        assert beats.during(lambda: wait(page, interval - 1)) == 0
        assert beats.during(lambda: wait(page, 1)) == 1


def test_the_server_says_how_often_to_beat(page: Page, fresh_dwell, site: Path) -> None:
    server = fresh_dwell("--heartbeat-interval", "20", site=site)
    beats = read(page, server, "default")
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
    with page.expect_event("crash"), pytest.raises(Error):
        page.goto("chrome://crash")
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
    page.bring_to_front()
    beats = read(page, dwell, "minute")
    wait(page, 10 * SECOND)
    other.bring_to_front()
    page.wait_for_function("document.visibilityState === 'hidden'")
    assert beats.during(lambda: wait(page, 10 * MINUTE)) == 0
    beat_while(page, page.bring_to_front)
    beat_while(page, lambda: wait(page, MINUTE))
    import json;print(json.dumps(beats.bodies, indent=0))
    assert beats.claimed("active") == 10 * SECOND + MINUTE
    assert beats.claimed() == beats.claimed("active")
    away = [beats.segments[0]["to"], beats.segments[1]["from"]]
    assert away[1] - away[0] == 10 * MINUTE


def test_a_tab_that_comes_to_the_front_beats_at_once(tabs: BrowserContext, dwell: Dwell) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    page.bring_to_front()
    read(page, dwell, "minute")
    for _ in range(2):
        wait(page, SECOND)
        beat_while(page, other.bring_to_front)  # What it has seen, it tells before it is hidden.
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
    wait(page, 10 * MINUTE)
    catch_up(page)
    assert beats.sent == []
    beat_while(page, page.bring_to_front)
    beat_while(page, lambda: wait(page, MINUTE))
    assert beats.claimed() == MINUTE


def test_a_network_that_comes_back_does_not_make_a_hidden_tab_beat(
    tabs: BrowserContext, dwell: Dwell
) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    page.bring_to_front()
    beats = read(page, dwell, "minute")
    wait(page, 10 * SECOND)
    beat_while(page, other.bring_to_front)
    tabs.set_offline(True)
    tabs.set_offline(False)
    # What it may still have to tell, it may tell once.
    assert beats.during(lambda: wait(page, 10 * MINUTE)) <= 1
    assert beats.claimed() <= 10 * SECOND


def test_a_page_that_the_back_button_brings_back_goes_on_counting(
    page: Page, dwell: Dwell
) -> None:
    email = let_in(page.context, dwell)
    came = now_ms()
    page.goto(f"{dwell.url}/open.html")  # What is confidential, no browser keeps for coming back.
    page.evaluate("window.isTheSame = true")
    let_pass(1.2)
    left = now_ms()
    page.goto(dwell.url)
    let_pass(2)
    back = now_ms()
    page.go_back(wait_until="commit")
    assert page.evaluate("window.isTheSame"), "the page was loaded anew"
    let_pass(1.2)
    left_again = now_ms()
    page.goto(dwell.url)
    session = record_up_to(dwell, email, left_again)
    assert close_to(session["visibleMs"], (left - came) + (left_again - back)), session


# Machines that sleep, and people who do


def test_a_machine_asleep_for_eight_hours_adds_nothing(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "minute")
    wait(page, 30 * SECOND)
    page.clock.fast_forward(8 * HOUR)  # Every timer that is due fires once, at the end.
    beat_while(page, lambda: wait(page, 2 * MINUTE))
    assert close_to(beats.claimed("active"), 30 * SECOND)
    assert close_to(beats.claimed(), 30 * SECOND + 2 * MINUTE)


def test_who_wakes_the_machine_and_reads_on_is_counted_again(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "minute")
    wait(page, 30 * SECOND)
    page.clock.fast_forward(8 * HOUR)
    page.mouse.move(100, 100)
    beat_while(page, lambda: wait(page, MINUTE))
    assert close_to(beats.claimed("active"), 30 * SECOND + MINUTE, 2 * TICK)


def test_a_clock_that_is_set_back_does_not_stop_the_count(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "minute")
    wait(page, 30 * SECOND)
    page.clock.set_system_time(NOON - HOUR)
    assert beat_while(page, lambda: wait(page, 30 * SECOND)).status == 200
    assert close_to(beats.claimed("active"), MINUTE)


def test_after_a_minute_without_input_attention_is_idle(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "minute")
    beat_while(page, lambda: wait(page, 5 * MINUTE))
    assert close_to(beats.claimed("active"), IDLE_AFTER)
    assert close_to(beats.claimed(), 5 * MINUTE)
    assert [one["attention"] for one in beats.segments] == ["active", "idle"]


INPUTS: dict[str, Callable[[Page], object]] = {
    "pointermove": lambda page: page.mouse.move(50, 60),
    "pointerdown": lambda page: page.mouse.click(5, 5),
    "wheel": lambda page: page.mouse.wheel(0, 10),
    "keydown": lambda page: page.keyboard.press("a"),
    "scroll": lambda page: page.evaluate("scrollTo(0, 10)"),
}


@pytest.mark.parametrize("kind", INPUTS)
def test_input_makes_attention_active_again(page: Page, dwell: Dwell, kind: str) -> None:
    beats = read(page, dwell, "minute")
    wait(page, 3 * MINUTE)
    page.evaluate(
        "(kind) => { window.came = new Promise((done) => addEventListener(kind, () => done())) }",
        kind,
    )
    INPUTS[kind](page)
    page.evaluate("window.came")
    beat_while(page, lambda: wait(page, 2 * MINUTE))
    assert [one["attention"] for one in beats.segments] == ["active", "idle", "active", "idle"]
    assert close_to(beats.claimed("active"), 2 * IDLE_AFTER, 2 * TICK)
    assert close_to(beats.claimed(), 5 * MINUTE)


def test_who_watches_a_video_is_not_idle(page: Page, dwell: Dwell) -> None:
    """The film really plays, and by the real clock: its page's clock is not the media's."""
    beats = read(page, dwell, "minute")
    page.evaluate("document.querySelector('video').play()")
    wait(page, 5 * MINUTE)
    assert page.evaluate("document.querySelector('video').currentTime") > 0
    page.evaluate("document.querySelector('video').pause()")
    beat_while(page, lambda: wait(page, 5 * MINUTE))
    assert close_to(beats.claimed("active"), 5 * MINUTE + IDLE_AFTER, 2 * TICK)
    assert close_to(beats.claimed(), 10 * MINUTE)


def test_every_page_of_an_app_that_loads_no_pages_gets_its_own_time(
    page: Page, dwell: Dwell
) -> None:
    beats = read(page, dwell, "minute")
    wait(page, 20 * SECOND)
    page.evaluate("history.pushState({}, '', '/confidential/chapter-2')")
    beat_while(page, lambda: wait(page, MINUTE - 20 * SECOND))
    assert [one["page"] for one in beats.segments[:2]] == [
        "/confidential/minute.html",
        "/confidential/chapter-2",
    ]
    assert close_to(beats.segments[0]["to"] - beats.segments[0]["from"], 20 * SECOND)
    assert close_to(beats.claimed(), MINUTE)


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


def nap(page: Page, times: int) -> None:
    """Lets the machine fall asleep again and again, which ends a segment each time."""
    for _ in range(times):
        page.clock.run_for(2 * SECOND)
        page.clock.fast_forward(10 * SECOND)


@pytest.mark.parametrize("name", ["minute", CYRILLIC], ids=["a short path", "a long path"])
def test_a_day_without_a_server_is_delivered_in_beats_of_a_size_that_it_takes(
    page: Page, dwell: Dwell, name: str
) -> None:
    read(page, dwell, name)
    with beats_answered(page, Route.abort):
        nap(page, times=450)
    beats = Beats(page)
    for _ in range(12):
        assert beat_while(page, lambda: wait(page, MINUTE)).status == 200
    assert {one["n"] for one in beats.segments} >= set(range(450))
    for beat in beats.sent:
        assert len(beat.post_data_json["segments"]) <= 500
        assert len(beat.post_data_buffer or b"") <= BODY_LIMIT


def test_what_could_not_be_sent_when_the_tab_was_hidden_is_sent_when_it_is_closed(
    tabs: BrowserContext, fresh_dwell, site: Path
) -> None:
    server = fresh_dwell(site=site)
    page, other = tabs.new_page(), tabs.new_page()
    email = let_in(tabs, server)
    page.bring_to_front()
    came = now_ms()
    beat_while(page, lambda: page.goto(confidential(server, "default")))
    let_pass(2.5)
    hidden = now_ms()
    server.kill()
    other.bring_to_front()
    page.wait_for_function("document.visibilityState === 'hidden'")
    server.start()
    page.close()
    session = record_up_to(server, email, hidden)
    assert close_to(session["visibleMs"], hidden - came), session


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_beat_that_is_not_taken_is_sent_again(page: Page, dwell: Dwell, status: int) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    with beats_answered(page, lambda route: route.fulfill(status=status, body="Not now.")):
        beat_while(page, lambda: page.goto(confidential(dwell, "minute")))
        wait(page, 10 * SECOND)
        page.clock.fast_forward(10 * SECOND)  # Ends a segment, which must not be forgotten.
        beat_while(page, lambda: wait(page, MINUTE))
    beats = Beats(page)
    beat_while(page, lambda: wait(page, MINUTE))
    assert [one["n"] for one in beats.segments][:2] == [0, 1]
    assert beats.segments[0]["to"] - beats.segments[0]["from"] == 10 * SECOND


def test_the_page_of_a_proxy_is_not_taken_for_the_answer_of_the_server(
    page: Page, dwell: Dwell
) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    sign_in = "<!doctype html><title>Hotel Wi-Fi</title>"
    with beats_answered(page, lambda route: route.fulfill(body=sign_in, content_type="text/html")):
        beat_while(page, lambda: page.goto(confidential(dwell, "minute")))
        wait(page, 10 * SECOND)
        page.clock.fast_forward(10 * SECOND)
        beat_while(page, lambda: wait(page, MINUTE))
    beats = Beats(page)
    beat_while(page, lambda: wait(page, MINUTE))
    assert [one["n"] for one in beats.segments][:2] == [0, 1]


def test_a_beat_that_is_refused_for_good_does_not_hold_up_those_after_it(
    page: Page, dwell: Dwell
) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    beats = Beats(page)
    with beats_answered(page, lambda route: route.fulfill(status=400, json={"success": False})):
        beat_while(page, lambda: page.goto(confidential(dwell, "minute")))
        wait(page, 10 * SECOND)
        page.clock.fast_forward(10 * SECOND)
        beat_while(page, lambda: wait(page, 40 * SECOND))
    refused = {one["n"] for one in beats.segments}
    beats.sent.clear()
    beat_while(page, lambda: wait(page, MINUTE))
    assert not refused & {one["n"] for one in beats.segments}
    assert close_to(beats.claimed(), MINUTE)


def test_a_beat_that_is_too_large_for_somebody_on_the_way_is_sent_in_parts(
    page: Page, dwell: Dwell
) -> None:
    read(page, dwell, "minute")
    with beats_answered(page, Route.abort):
        nap(page, times=50)
    beats = Beats(page)

    def take_small_ones(route: Route) -> None:
        if len(route.request.post_data_buffer or b"") > 2000:
            beats.sent.remove(route.request)
            route.fulfill(status=413)
        else:
            route.continue_()

    with beats_answered(page, take_small_ones):
        for _ in range(20):
            beat_while(page, lambda: wait(page, MINUTE))
    assert {one["n"] for one in beats.segments} >= set(range(50))


def test_a_network_that_comes_back_is_used_at_once(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "minute")
    page.context.set_offline(True)
    with page.expect_event("requestfailed"):
        wait(page, MINUTE)
    wait(page, 10 * SECOND)
    beat_while(page, lambda: page.context.set_offline(False))
    assert beats.claimed() == MINUTE + 10 * SECOND


def test_a_page_without_a_session_works(page: Page, dwell: Dwell) -> None:
    console = Console(page.context)
    stop_time(page)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(f"{dwell.url}/open.html"))
    assert page.context.cookies() == []
    for _ in range(3):
        assert beat_while(page, lambda: wait(page, SECOND)).status == 400
    page.get_by_role("button").click()
    expect(page.get_by_role("button")).to_have_text("pressed")
    assert len(beats.sent) == 4
    assert console.written == []
    let_in(page.context, dwell)  # In another tab, say: from now on its time counts.
    assert beat_while(page, lambda: wait(page, SECOND)).status == 200


# What it says


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
    beat_while(page, lambda: page.clock.fast_forward(8 * HOUR))
    wait(page, SECOND)
    beat_while(page, other.bring_to_front)
    beat_while(page, page.bring_to_front)
    with beats_answered(page, Route.abort), page.expect_event("requestfailed"):
        wait(page, 3 * MINUTE)
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
    page.evaluate(
        """() => {
            const element = document.createElement('session-heartbeat');
            element.setAttribute('interval', '1000');
            document.body.append(element);
        }"""
    )
    assert beats.during(lambda: wait(page, 3 * SECOND)) == 3


def test_a_script_that_is_there_twice_counts_once(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "second")
    page.add_script_tag(url=f"{dwell.url}/dwell.js")
    assert beats.during(lambda: wait(page, 3 * SECOND)) == 3
    assert len({one["tab"] for one in beats.segments}) == 1
