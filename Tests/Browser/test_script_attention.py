"""What dwell.js counts of a page that is hidden, beside another window, idle or frozen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from Contract.helpers import now_ms
from dwell_process import Dwell, eventually, let_pass

from .helpers import (
    MINUTE,
    SECOND,
    Beats,
    Moment,
    beat_while,
    catch_up,
    hide,
    lasted,
    length,
    let_in,
    moment_of,
    record_up_to,
    show,
    stop_time,
    tell,
    wait,
)
from .script_site import close_to, confidential, read

IDLE_AFTER = MINUTE
NOTICED = 100  # A tab that changes is without focus for a moment; longer than this is away.


@pytest.fixture(scope="module")
def site(script_site: Path) -> Path:
    return script_site


def lengths(beats: Beats) -> list[int]:
    return [length(one) for one in beats.segments]


# Tabs that nobody sees


def test_a_tab_behind_another_is_not_counted(tabs: BrowserContext, dwell: Dwell) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    began = now_ms()
    email = let_in(tabs, dwell)
    entered = Moment(began, now_ms())
    page.bring_to_front()
    came = moment_of(lambda: page.goto(confidential(dwell, "second")))
    let_pass(1.5)
    hidden = moment_of(lambda: hide(page, other))
    let_pass(3)
    shown = moment_of(lambda: show(page))
    let_pass(1)
    left = moment_of(lambda: page.goto(dwell.url))
    session = record_up_to(dwell, email, left.first)
    assert lasted(session["visibleMs"], (came, hidden), (shown, left)), session
    assert lasted(session["engagedMs"], (came, hidden), (shown, left)), session
    assert lasted(session["elapsedMs"], (entered, left)), session


def test_ten_hidden_minutes_add_nothing(tabs: BrowserContext, dwell: Dwell) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    page.bring_to_front()
    beats = read(page, dwell, "minute")
    wait(page, 10 * SECOND)
    hide(page, other)
    catch_up(page)
    assert beats.during(lambda: wait(page, 10 * MINUTE)) == 0
    beat_while(page, page.bring_to_front)
    wait(page, MINUTE)
    tell(page)
    assert beats.claimed("active") == 10 * SECOND + MINUTE
    assert beats.claimed() == beats.claimed("active")
    away = [beats.segments[0]["to"], beats.segments[1]["from"]]
    assert away[1] - away[0] == 10 * MINUTE
    assert beats.segments[0]["end"] == "hidden"


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
    wait(page, MINUTE)
    tell(page)
    assert beats.claimed() == MINUTE


def test_a_network_that_comes_back_does_not_make_a_hidden_tab_beat(
    tabs: BrowserContext, dwell: Dwell
) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    page.bring_to_front()
    beats = read(page, dwell, "minute")
    wait(page, 10 * SECOND)
    beat_while(page, other.bring_to_front)
    catch_up(page)
    tabs.set_offline(True)
    tabs.set_offline(False)
    assert beats.during(lambda: wait(page, 10 * MINUTE)) == 0
    assert beats.claimed() <= 10 * SECOND


def test_a_frozen_tab_is_not_counted(tabs: BrowserContext, dwell: Dwell) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    email = let_in(tabs, dwell)
    devtools = tabs.new_cdp_session(page)
    page.bring_to_front()
    came = moment_of(lambda: page.goto(confidential(dwell, "hour")))
    let_pass(1.5)
    frozen = moment_of(lambda: devtools.send("Page.setWebLifecycleState", {"state": "frozen"}))
    let_pass(2)
    began = now_ms()
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    hide(page, other)
    show(page)
    back = Moment(began, now_ms())
    let_pass(1.5)
    left = moment_of(lambda: page.goto(dwell.url))
    session = record_up_to(dwell, email, left.first)
    assert lasted(session["visibleMs"], (came, frozen), (back, left)), session


def test_a_page_that_is_frozen_in_front_says_so(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "hour")
    wait(page, 10 * SECOND)
    page.evaluate("document.dispatchEvent(new Event('freeze'))")
    wait(page, 20 * SECOND)
    page.evaluate("document.dispatchEvent(new Event('resume'))")
    wait(page, 5 * SECOND)
    tell(page)
    assert lengths(beats) == [10 * SECOND, 5 * SECOND]
    assert beats.segments[0]["end"] == "frozen"
    assert "end" not in beats.segments[1]


# Windows beside each other


@pytest.fixture
def focus(page: Page) -> Callable[[bool], None]:
    """Takes the focus from the page's window, or gives it back, while it stays visible."""
    devtools = page.context.new_cdp_session(page)
    other = page.context.new_page()

    def give(has_focus: bool) -> None:
        devtools.send("Emulation.setFocusEmulationEnabled", {"enabled": has_focus})
        (page if has_focus else other).bring_to_front()
        eventually(lambda: page.evaluate("document.hasFocus()") == has_focus)
        assert page.evaluate("document.visibilityState") == "visible"

    return give


def test_a_window_beside_the_one_in_use_is_visible_but_idle(
    page: Page, dwell: Dwell, focus: Callable[[bool], None]
) -> None:
    beats = read(page, dwell, "hour")
    wait(page, 10 * SECOND)
    page.clock.run_for(400)
    focus(False)
    wait(page, 20 * SECOND)
    focus(True)
    wait(page, 5 * SECOND)
    tell(page)
    assert [one["attention"] for one in beats.segments] == ["active", "idle", "active"]
    assert [one.get("end") for one in beats.segments] == ["attention", "attention", None]
    assert close_to(lengths(beats)[0], 10_400, NOTICED)
    assert close_to(lengths(beats)[1], 20 * SECOND, NOTICED)
    assert lengths(beats)[2] == 5 * SECOND
    assert beats.claimed() == 35_400


def test_input_does_not_make_a_window_without_focus_active(
    page: Page, dwell: Dwell, focus: Callable[[bool], None]
) -> None:
    beats = read(page, dwell, "hour")
    focus(False)
    for _ in range(5):
        wait(page, 2 * SECOND)
        page.evaluate("dispatchEvent(new Event('scroll'))")
    tell(page)
    assert close_to(beats.claimed("idle"), 10 * SECOND, NOTICED)


def test_a_glance_elsewhere_is_no_change_of_attention(page: Page, dwell: Dwell) -> None:
    """A tab that comes to the front is told so before it has the focus."""
    beats = read(page, dwell, "hour")
    page.evaluate("document.hasFocus = () => false")
    page.clock.run_for(NOTICED - 20)
    page.evaluate("dispatchEvent(new Event('popstate'))")
    page.evaluate("delete document.hasFocus")
    wait(page, 5 * SECOND)
    tell(page)
    assert [one["attention"] for one in beats.segments] == ["active"]


# People who are elsewhere


def test_attention_ends_exactly_a_minute_after_the_last_input(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "hour")
    page.clock.run_for(10_300)
    page.mouse.move(5, 5)
    page.clock.run_for(100)
    page.mouse.move(6, 6)
    wait(page, 3 * MINUTE)
    tell(page)
    assert [one["attention"] for one in beats.segments] == ["active", "idle"]
    assert lengths(beats) == [10_400 + IDLE_AFTER, 2 * MINUTE]
    assert beats.segments[0]["to"] == beats.segments[1]["from"]
    assert [one.get("end") for one in beats.segments] == ["attention", None]


def test_a_page_can_say_when_people_are_idle(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "idle")
    wait(page, 20 * SECOND)
    tell(page)
    assert lengths(beats) == [5 * SECOND, 15 * SECOND]


def test_a_threshold_that_makes_no_sense_does_no_harm(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "hour")
    page.evaluate(
        """() => {
            const element = document.createElement('session-heartbeat');
            element.setAttribute('idle', 'never');
            document.body.append(element);
        }"""
    )
    wait(page, 2 * MINUTE)
    tell(page)
    assert beats.claimed("active") == IDLE_AFTER


INPUTS: dict[str, Callable[[Page], object]] = {
    "pointermove": lambda page: page.mouse.move(50, 60),
    "pointerdown": lambda page: page.mouse.click(5, 5),
    # Upwards from the top: what really scrolls goes on doing so while the clock runs.
    "wheel": lambda page: page.mouse.wheel(0, -10),
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
    wait(page, 2 * MINUTE)
    tell(page)
    assert [one["attention"] for one in beats.segments] == ["active", "idle", "active", "idle"]
    assert beats.claimed("active") == 2 * IDLE_AFTER
    assert beats.claimed() == 5 * MINUTE


def test_who_watches_a_video_is_not_idle(page: Page, dwell: Dwell) -> None:
    """The film really plays, and by the real clock: its page's clock is not the media's."""
    beats = read(page, dwell, "minute")
    page.evaluate("document.querySelector('video').play()")
    wait(page, 5 * MINUTE)
    assert page.evaluate("document.querySelector('video').currentTime") > 0
    page.evaluate("document.querySelector('video').pause()")
    wait(page, 5 * MINUTE)
    tell(page)
    assert close_to(beats.claimed("active"), 5 * MINUTE + IDLE_AFTER, 2 * SECOND)
    assert close_to(beats.claimed(), 10 * MINUTE)


def test_a_video_plays_for_somebody_even_beside_another_window(
    page: Page, dwell: Dwell, focus: Callable[[bool], None]
) -> None:
    beats = read(page, dwell, "minute")
    page.evaluate("document.querySelector('video').play()")
    focus(False)
    wait(page, 20 * SECOND)
    tell(page)
    assert beats.claimed("active") == 20 * SECOND


# Apps that load no pages


NAVIGATIONS: dict[str, str] = {
    "pushState": "history.pushState({}, '', '/confidential/chapter-2')",
    "replaceState": "history.replaceState({}, '', '/confidential/chapter-2')",
    "popstate": """
        history.pushState({}, '', '/confidential/chapter-2');
        history.pushState({}, '', '/confidential/chapter-3');
        new Promise((done) => { addEventListener('popstate', done); history.back(); }).then(() => 0)
    """,
}


@pytest.mark.parametrize("how", NAVIGATIONS)
def test_every_page_of_an_app_that_loads_no_pages_gets_its_own_time(
    page: Page, dwell: Dwell, how: str
) -> None:
    beats = read(page, dwell, "hour")
    page.clock.run_for(20_300)
    page.evaluate(NAVIGATIONS[how])
    wait(page, 10 * SECOND)
    tell(page)
    first, second = [one for one in beats.segments if length(one)]
    assert [first["page"], second["page"]] == ["/confidential/hour.html", "/confidential/chapter-2"]
    assert [length(first), length(second)] == [20_300, 10 * SECOND]
    assert first["to"] == second["from"]
    assert first["end"] == "page"
    assert page.evaluate("history.state") == {}


def test_what_changes_only_the_fragment_or_the_query_is_the_same_page(
    page: Page, dwell: Dwell
) -> None:
    beats = read(page, dwell, "hour")
    wait(page, 2 * SECOND)
    page.evaluate("location.hash = 'part-2'")
    page.evaluate("history.pushState({}, '', '?part=3')")
    wait(page, 2 * SECOND)
    tell(page)
    assert lengths(beats) == [4 * SECOND]
