"""How beats are sent, and what every kind of answer does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from Contract.helpers import now_ms
from dwell_process import Dwell, eventually, let_pass

from .helpers import (
    HOUR,
    MINUTE,
    SECOND,
    Beats,
    Console,
    beat_while,
    beats_answered,
    catch_up,
    hide,
    lasted,
    let_in,
    moment_of,
    record_up_to,
    stop_time,
    tell,
    wait,
)
from .script_site import LONG, confidential, read, refused, stored

BODY_LIMIT = 64 * 1024
STEP = 500

UNSETTLED = {
    "an error": lambda route: route.fulfill(status=500, body="Not now."),
    "a gateway's error": lambda route: route.fulfill(status=502, body="Not now."),
    "a busy server": lambda route: route.fulfill(status=503, body="Not now."),
    "no answer": Route.abort,
    "a page for 200": lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"),
    "words of another for 200": lambda route: route.fulfill(json={"ok": True}),
    "a page for 400": lambda route: route.fulfill(status=400, body="<!doctype html>"),
    "a page for 401": lambda route: route.fulfill(status=401, body="<!doctype html>"),
    "nothing at all": lambda route: route.fulfill(json=None),
}


@pytest.fixture(scope="module")
def site(script_site: Path) -> Path:
    return script_site


def turn_page(page: Page, name: str) -> None:
    page.evaluate("(name) => history.pushState({}, '', '/confidential/' + name)", name)


def pages(beats: Beats) -> list[str]:
    """The pages of the segments, by the end of their paths."""
    beats.page.evaluate("0")
    return [one["page"].rpartition("/")[2] for one in beats.segments]


# What settles nothing


@pytest.mark.parametrize("answer", UNSETTLED.values(), ids=UNSETTLED.keys())
def test_a_beat_that_is_not_taken_is_sent_again(
    page: Page, dwell: Dwell, answer: Callable[[Route], object]
) -> None:
    let_in(page.context, dwell)
    stop_time(page)
    with beats_answered(page, answer):
        page.goto(confidential(dwell, "hour"))
        wait(page, 5 * SECOND)
        turn_page(page, "next")
        wait(page, 5 * SECOND)
    beats = Beats(page)
    tell(page)
    assert pages(beats) == ["hour.html", "next"]
    assert beats.claimed() == 10 * SECOND


# Counts the page's requests that are under way.
UNDER_WAY = """
  window.underWay = 0;
  window.fetch = ((ask) => (...words) => {
    underWay++;
    return ask(...words).finally(() => underWay--);
  })(window.fetch);
"""


@pytest.mark.parametrize(("chance", "factor"), [(0.001, 0.501), (0.999, 1.499)])
def test_tries_become_rarer_and_never_all_at_once(
    page: Page, dwell: Dwell, chance: float, factor: float
) -> None:
    """Servers that come back must not be met by everybody in the same second."""
    page.add_init_script(f"Math.random = () => {chance}" + UNDER_WAY)
    read(page, dwell, "hour")
    tries: list[int] = []

    def fail(route: Route) -> None:
        tries.append(route.request.post_data_json["sentAt"])
        route.abort()

    with beats_answered(page, fail):
        page.evaluate("dwell.flush()")
        for _ in range(5 * MINUTE // STEP):
            page.clock.run_for(STEP)
            eventually(lambda: page.evaluate("underWay === 0"))
    gaps = [later - earlier for earlier, later in zip(tries, tries[1:])]
    expected = [1000 * min(60, 2**k) * factor for k in range(len(gaps))]
    assert len(gaps) >= 8
    # A request that leaves within a step fails at its end.
    assert all(wanted <= gap <= wanted + STEP + 1 for wanted, gap in zip(expected, gaps)), gaps


def test_a_success_forgets_how_often_it_failed_before(page: Page, dwell: Dwell) -> None:
    page.add_init_script("Math.random = () => 0.5")
    beats = read(page, dwell, "hour")
    with beats_answered(page, Route.abort):
        for _ in range(6):
            page.evaluate("dwell.flush()")
    tell(page)
    with beats_answered(page, Route.abort):
        page.evaluate("dwell.flush()")
        assert beats.during(lambda: wait(page, 2 * SECOND)) >= 1


def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(
    tabs: BrowserContext, dwell: Dwell
) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    page.bring_to_front()
    beats = read(page, dwell, "hour")
    busy = {"status": 503, "headers": {"retry-after": "100"}, "json": {"success": False}}
    with beats_answered(page, lambda route: route.fulfill(**busy)):
        page.evaluate("dwell.flush()")
    beats.sent.clear()
    wait(page, 40 * SECOND)
    other.bring_to_front()
    eventually(lambda: page.evaluate("document.hidden"))
    page.bring_to_front()
    page.evaluate("dwell.flush()")
    page.evaluate("dispatchEvent(new Event('online'))")
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    page.evaluate("dispatchEvent(new Event('pageshow'))")
    wait(page, 59 * SECOND)
    assert beats.sent == []
    wait(page, 2 * SECOND)
    assert len(beats.sent) >= 1


def test_an_answer_that_never_comes_is_not_waited_for(page: Page, dwell: Dwell) -> None:
    page.add_init_script(
        "const after = AbortSignal.timeout.bind(AbortSignal);"
        "AbortSignal.timeout = (ms) => after(ms / 600)"
    )
    let_in(page.context, dwell)
    silent: list[Route] = []
    page.route("**/api/session-heartbeat", lambda route: silent.append(route))
    page.goto(confidential(dwell, "hour"))
    eventually(lambda: page.evaluate("1") and len(silent) >= 2)


def test_only_one_beat_is_on_its_way(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "hour")
    held: list[Route] = []
    with beats_answered(page, held.append):
        page.evaluate("void dwell.flush()")
        eventually(lambda: page.evaluate("1") and held)
        wait_without_answers(page)
        turn_page(page, "next")
        page.evaluate("void dwell.flush()")
        page.evaluate("dispatchEvent(new Event('online'))")
        catch_up(page)
        assert len(held) == 1
        stored()(held[0])
        eventually(lambda: page.evaluate("1") and len(held) == 2)
        stored()(held[1])
    assert pages(beats) == ["hour.html", "next"]


def wait_without_answers(page: Page) -> None:
    page.clock.run_for(10 * SECOND)


def test_a_young_interval_does_not_wait_for_a_slow_answer(page: Page, dwell: Dwell) -> None:
    """Beats keep their pace however long the answers take."""
    beats = read(page, dwell, "minute")
    held: list[Route] = []
    with beats_answered(page, held.append):
        page.evaluate("void dwell.flush()")
        eventually(lambda: page.evaluate("1") and held)
        page.clock.run_for(10 * SECOND)
        stored()(held[0])
        catch_up(page)
    beats.sent.clear()
    assert beats.during(lambda: wait(page, 49 * SECOND)) == 0
    assert beats.during(lambda: wait(page, SECOND)) == 1


# What settles a part


def test_what_is_refused_is_forgotten_with_all_else_in_its_beat(page: Page, dwell: Dwell) -> None:
    """The server has stored the rest of it."""
    beats = read(page, dwell, "hour")
    wait(page, 10 * SECOND)
    turn_page(page, "next")
    wait(page, 10 * SECOND)
    answer = refused(400, code="invalid_field", field="segments[1].page", stored=1)
    with beats_answered(page, answer):
        tell(page)
    told = {one["n"] for one in beats.segments}
    beats.sent.clear()
    wait(page, 10 * SECOND)
    tell(page)
    assert not told & {one["n"] for one in beats.segments}
    assert beats.claimed() == 10 * SECOND


def test_the_server_stores_what_is_valid_beside_what_is_not(page: Page, dwell: Dwell) -> None:
    email = let_in(page.context, dwell)
    page.goto(confidential(dwell, "lesson"))
    page.evaluate("document.querySelector('video').dataset.dwellVideo = 'x'.repeat(300)")
    page.evaluate("document.querySelector('video').play()")
    eventually(lambda: page.evaluate("document.querySelector('video').currentTime") > 1)
    with page.expect_response(lambda response: response.status == 400):
        page.evaluate("dwell.flush()")
    (session,) = dwell.sessions(email=email)
    assert session["visibleMs"] >= 900


def test_refusals_without_end_are_no_reason_to_ask_without_end(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "minute")
    with beats_answered(page, refused(400, code="invalid_field")):
        page.clock.fast_forward(HOUR)
        beats.sent.clear()
        wait(page, MINUTE)
    assert len(beats.sent) <= 8


def test_a_beat_that_is_too_large_for_somebody_on_the_way_is_sent_in_parts(
    page: Page, dwell: Dwell
) -> None:
    beats = read(page, dwell, "hour")
    with beats_answered(page, Route.abort):
        for number in range(50):
            wait(page, SECOND)
            turn_page(page, str(number))
        tell(page)
    beats.sent.clear()

    def take_small_ones(route: Route) -> None:
        if len(route.request.post_data_buffer or b"") > 2000:
            beats.sent.remove(route.request)
            route.fulfill(status=413)
        else:
            route.continue_()

    with beats_answered(page, take_small_ones):
        wait(page, 3 * MINUTE)
    assert {one["n"] for one in beats.segments} >= set(range(50))
    assert beats.claimed() >= 50 * SECOND


# Servers and networks that are away


def test_while_the_server_is_dead_the_page_lives_and_nothing_is_lost(
    page: Page, fresh_dwell, site: Path
) -> None:
    server = fresh_dwell(site=site)
    email = let_in(page.context, server)
    console = Console(page.context)
    beats = Beats(page)
    came = moment_of(lambda: beat_while(page, lambda: page.goto(confidential(server, "second"))))
    server.kill()
    with page.expect_event("requestfailed"):
        let_pass(2.5)
    assert page.evaluate("1 + 1") == 2
    server.start()
    again = now_ms()
    record_up_to(server, email, again)
    left = moment_of(lambda: page.goto(server.url))
    session = record_up_to(server, email, left.first)
    assert lasted(session["visibleMs"], (came, left)), session
    assert lasted(session["engagedMs"], (came, left)), session
    assert {one["n"] for one in beats.segments} == {0}, "the segment was cut"
    assert console.written == []


def nap(page: Page, times: int) -> None:
    """Lets the machine fall asleep again and again, which ends a segment each time."""
    for _ in range(times):
        page.clock.run_for(2 * SECOND)
        page.clock.fast_forward(10 * SECOND)


@pytest.mark.parametrize("name", ["minute", LONG], ids=["a short path", "a long path"])
def test_a_day_without_a_server_is_delivered_in_beats_of_a_size_that_it_takes(
    page: Page, dwell: Dwell, name: str
) -> None:
    read(page, dwell, name)
    with beats_answered(page, Route.abort):
        nap(page, times=450)
    beats = Beats(page)
    tell(page)
    assert {one["n"] for one in beats.segments} >= set(range(450))
    assert [one["n"] for body in beats.bodies for one in body["segments"]] == sorted(
        one["n"] for body in beats.bodies for one in body["segments"]
    )
    for beat in beats.sent:
        assert len(beat.post_data_json["segments"]) <= 200
        assert len(beat.post_data_buffer or b"") <= BODY_LIMIT


def test_what_could_not_be_sent_when_the_tab_was_hidden_is_sent_when_it_is_closed(
    tabs: BrowserContext, fresh_dwell, site: Path
) -> None:
    server = fresh_dwell(site=site)
    page, other = tabs.new_page(), tabs.new_page()
    email = let_in(tabs, server)
    page.bring_to_front()
    came = moment_of(lambda: beat_while(page, lambda: page.goto(confidential(server, "default"))))
    let_pass(2.5)
    server.kill()
    hidden = moment_of(lambda: hide(page, other))
    server.start()
    page.close()
    session = record_up_to(server, email, hidden.first)
    assert lasted(session["visibleMs"], (came, hidden)), session


def test_a_network_that_comes_back_is_used_at_once(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "minute")
    page.context.set_offline(True)
    with page.expect_event("requestfailed"):
        page.evaluate("dwell.flush()")
    wait(page, 10 * SECOND)
    beat_while(page, lambda: page.context.set_offline(False))
    tell(page)
    assert beats.claimed() == 10 * SECOND


# Who nobody knows


def test_what_belongs_to_nobody_is_forgotten(page: Page, dwell: Dwell) -> None:
    stop_time(page)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(f"{dwell.url}/open.html"))
    for number in range(5):
        wait(page, 3 * SECOND)
        turn_page(page, str(number))
    wait(page, 3 * SECOND)
    let_in(page.context, dwell)
    beats.sent.clear()
    wait(page, 3 * SECOND)
    assert beats.claimed() <= 5 * SECOND


def test_a_page_that_nobody_knows_is_quiet(tabs: BrowserContext, dwell: Dwell) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    page.bring_to_front()
    stop_time(page)
    page.goto(f"{dwell.url}/stranger.html")
    catch_up(page)
    beats = Beats(page)
    for _ in range(5):
        other.bring_to_front()
        eventually(lambda: page.evaluate("document.hidden"))
        page.bring_to_front()
        eventually(lambda: not page.evaluate("document.hidden"))
        wait(page, 5 * SECOND)
    assert beats.sent == []
    wait(page, MINUTE)
    assert 1 <= len(beats.sent) <= 2


def test_a_login_that_is_gone_takes_its_time_with_it(page: Page, dwell: Dwell) -> None:
    beats = read(page, dwell, "hour")
    wait(page, 10 * SECOND)
    turn_page(page, "next")
    wait(page, 10 * SECOND)
    assert page.evaluate("localStorage['dwell:token']")
    with beats_answered(page, refused(401, code="device_removed")):
        tell(page)
    assert not page.evaluate("localStorage['dwell:token']")
    beats.sent.clear()
    page.clock.run_for(HOUR)  # By then it may ask again.
    tell(page)
    assert beats.bodies and all("token" not in body for body in beats.bodies[:1])
    assert "hour.html" not in pages(beats)
    assert all(one["from"] >= beats.bodies[0]["sentAt"] - HOUR for one in beats.segments)
