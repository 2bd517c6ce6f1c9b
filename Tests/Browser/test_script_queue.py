"""What is not confirmed: kept through reloads, crashes and full storage, until it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Route

from Contract.helpers import now_ms
from dwell_process import Dwell, eventually, let_pass

from .helpers import (
    MINUTE,
    SECOND,
    Beats,
    Moment,
    beat_while,
    beats_answered,
    hide,
    lasted,
    length,
    let_in,
    moment_of,
    record_up_to,
    show,
    tell,
    wait,
)
from .script_site import confidential, read

LIMIT = 1000

# A clock that stands still unless a script moves it, `pass_(ms)`: for a thousand segments at once.
OWN_CLOCK = """
  let ahead = 0;
  const date = Date.now(), clock = performance.now();
  Date.now = () => date + ahead;
  performance.now = () => clock + ahead;
  window.pass_ = (milliseconds) => (ahead += milliseconds);
"""
# Reads pages of an app for two seconds each.
TURN_PAGES = """(pages) => {
  for (let i = 0; i < pages; i++) {
    pass_(2000);
    history.pushState({}, '', '/confidential/page-' + i);
  }
}"""


@pytest.fixture(scope="module")
def site(script_site: Path) -> Path:
    return script_site


def kept(page: Page) -> dict[str, dict[str, Any]]:
    """What is in storage for pages that have something to tell."""
    return page.evaluate(
        """() => Object.fromEntries(Object.keys(localStorage)
            .filter((key) => /^dwell:[0-9]/.test(key))
            .map((key) => [key, JSON.parse(localStorage[key])]))"""
    )


def nothing_kept(page: Page) -> None:
    """Waits until nothing is left in storage but what grows now."""
    eventually(
        lambda: all(
            one["end"] == "lost" for entry in kept(page).values() for one in entry["list"]
        )
    )


def ends(beats: Beats) -> list[str | None]:
    beats.page.evaluate("0")
    return [one.get("end") for one in beats.segments]


# Pages that end


def test_what_a_page_could_not_tell_the_next_one_tells(page: Page, dwell: Dwell) -> None:
    email = let_in(page.context, dwell)
    with beats_answered(page, Route.abort):
        came = moment_of(lambda: page.goto(confidential(dwell, "hour")))
        let_pass(1.5)
        left = moment_of(lambda: page.goto(f"{dwell.url}/index.html"))
    assert [entry["at"] for entry in kept(page).values()] == [0]
    beats = Beats(page)
    again = moment_of(lambda: page.goto(confidential(dwell, "hour")))
    eventually(lambda: "left" in ends(beats))
    nothing_kept(page)
    let_pass(1.5)
    end = moment_of(lambda: page.goto(dwell.url))
    session = record_up_to(dwell, email, end.first)
    assert lasted(session["visibleMs"], (came, left), (again, end)), session


def test_what_a_beacon_told_is_told_again_and_counts_once(page: Page, dwell: Dwell) -> None:
    email = let_in(page.context, dwell)
    came = moment_of(lambda: page.goto(confidential(dwell, "hour")))
    let_pass(1.5)
    beats = Beats(page)
    reloaded = moment_of(page.reload)
    eventually(lambda: "left" in ends(beats))
    nothing_kept(page)
    left = moment_of(lambda: page.goto(dwell.url))
    session = record_up_to(dwell, email, left.first)
    assert lasted(session["visibleMs"], (came, reloaded), (reloaded, left)), session


def test_what_a_page_that_crashed_had_seen_is_told_by_another(page: Page, dwell: Dwell) -> None:
    read(page, dwell, "hour")
    wait(page, 12 * SECOND)
    with page.expect_event("crash"), pytest.raises(Error):
        page.goto("chrome://crash")
    other = page.context.new_page()
    silence_for_long(other, dwell)
    beats = Beats(other)
    other.goto(confidential(dwell, "hour"))
    eventually(lambda: "lost" in ends(beats))
    (lost,) = [one for one in beats.segments if one.get("end") == "lost"]
    assert 12 * SECOND - 5 * SECOND <= length(lost) <= 12 * SECOND
    nothing_kept(other)


def test_a_page_that_lives_is_left_alone(context: BrowserContext, dwell: Dwell) -> None:
    let_in(context, dwell)
    first, second = context.new_page(), context.new_page()
    first.goto(confidential(dwell, "hour"))
    with beats_answered(first, Route.abort):
        first.evaluate("history.pushState({}, '', '/confidential/next')")
        (name,) = kept(first)
        beats = Beats(second)
        beat_while(second, lambda: second.goto(confidential(dwell, "hour")))
        second.evaluate("dwell.flush()")
        assert name in kept(second)
    assert len({one["tab"] for one in beats.segments}) == 1


def test_a_tab_that_is_merely_behind_another_loses_nothing_when_it_is_taken_for_dead(
    tabs: BrowserContext, dwell: Dwell
) -> None:
    email = let_in(tabs, dwell)
    page, other = tabs.new_page(), tabs.new_page()
    page.bring_to_front()
    with beats_answered(page, Route.abort):
        came = moment_of(lambda: page.goto(confidential(dwell, "hour")))
        let_pass(1.5)
        hidden = moment_of(lambda: hide(page, other))
    silence_for_long(other, dwell)
    beats = Beats(other)
    shown = moment_of(lambda: other.goto(confidential(dwell, "hour")))
    eventually(lambda: "hidden" in ends(beats))
    let_pass(1)
    left = moment_of(lambda: other.goto(dwell.url))
    back = moment_of(lambda: show(page))
    page.evaluate("dwell.flush()")
    closed = moment_of(page.close)
    session = record_up_to(dwell, email, closed.first)
    assert lasted(session["visibleMs"], (came, hidden), (shown, left), (back, closed)), session


def silence_for_long(page: Page, server: Dwell) -> None:
    """Makes what is kept look as if nobody had touched it for a minute."""
    page.goto(f"{server.url}/index.html")
    page.evaluate(
        """() => {
            for (const key of Object.keys(localStorage).filter((key) => /^dwell:[0-9]/.test(key))) {
                const entry = JSON.parse(localStorage[key]);
                localStorage[key] = JSON.stringify({ ...entry, at: entry.at - 60000 });
            }
        }"""
    )


@pytest.mark.parametrize(
    "garbage", ["", "{", "null", "7", '{"at":0}', '{"at":0,"list":7}', '{"at":0,"list":[null]}']
)
def test_what_cannot_be_read_is_removed(page: Page, dwell: Dwell, garbage: str) -> None:
    let_in(page.context, dwell)
    page.goto(f"{dwell.url}/index.html")
    page.evaluate("(garbage) => (localStorage['dwell:1'] = garbage)", garbage)
    page.evaluate("localStorage['dwell:notes'] = localStorage['notes'] = 'not ours'")
    beats = Beats(page)
    page.goto(confidential(dwell, "hour"))
    eventually(lambda: page.evaluate("localStorage['dwell:1']") is None)
    assert page.evaluate("[localStorage['dwell:notes'], localStorage['notes']]") == ["not ours"] * 2
    page.evaluate("dwell.flush()")
    assert len(beats.sent) >= 2


# Storage


FORBIDDEN = {
    "it throws": "get() { throw new DOMException('No.', 'SecurityError'); }",
    "there is none": "value: undefined",
    "there is null": "value: null",
}


@pytest.mark.parametrize("how", FORBIDDEN)
def test_without_storage_memory_does(page: Page, dwell: Dwell, how: str) -> None:
    page.add_init_script(f"Object.defineProperty(window, 'localStorage', {{ {FORBIDDEN[how]} }})")
    beats = read(page, dwell, "hour")
    with beats_answered(page, Route.abort):
        wait(page, 10 * SECOND)
        page.evaluate("history.pushState({}, '', '/confidential/next')")
        wait(page, 10 * SECOND)
    tell(page)
    assert beats.claimed() == 20 * SECOND


def test_a_page_that_is_hidden_writes_nothing(tabs: BrowserContext, dwell: Dwell) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    page.bring_to_front()
    read(page, dwell, "minute")
    page.evaluate(
        """() => {
            window.writes = 0;
            const storage = localStorage;
            Object.defineProperty(window, 'localStorage', {
                value: new Proxy(storage, {
                    set: (target, key, value) => (writes++, Reflect.set(target, key, value)),
                }),
            });
        }"""
    )
    wait(page, 30 * SECOND)
    assert 1 <= page.evaluate("writes") <= 7
    other.bring_to_front()
    eventually(lambda: page.evaluate("document.hidden"))
    tell(page)
    wait(page, 2 * SECOND)
    before = page.evaluate("writes")
    wait(page, MINUTE)
    assert page.evaluate("writes") == before


def test_more_than_a_thousand_segments_become_fewer_and_none_longer(
    page: Page, dwell: Dwell
) -> None:
    page.add_init_script(OWN_CLOCK)
    let_in(page.context, dwell)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "idle")))  # Idle after 5 s.
    page.evaluate("dispatchEvent(new Event('scroll'))")
    with beats_answered(page, Route.abort):
        page.evaluate(TURN_PAGES, LIMIT + 200)
        assert sum(len(entry["list"]) for entry in kept(page).values()) == LIMIT + 1
    page.evaluate("dwell.flush()")
    page.evaluate("0")
    told = beats.segments
    assert beats.claimed() == 2 * SECOND * (LIMIT + 200)
    assert beats.claimed("active") <= 5 * SECOND
    assert len(told) == len({one["n"] for one in told})
    assert all(first["to"] <= second["from"] for first, second in zip(told[:-1], told[1:-1]))
    (largest,) = [one for one in told if length(one) > 100 * SECOND]
    assert "page" not in largest  # Nobody may say that it was all spent on one.
    nothing_kept(page)


def test_in_a_full_storage_less_detail_is_kept_but_all_the_time(
    page: Page, dwell: Dwell
) -> None:
    page.add_init_script(OWN_CLOCK)
    let_in(page.context, dwell)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "hour")))
    page.evaluate("localStorage.all = 'x'.repeat(5 * 1024 * 1024 - 60000)")
    with beats_answered(page, Route.abort):
        page.evaluate(TURN_PAGES, 600)
        (entry,) = kept(page).values()
        assert 50 < len(entry["list"]) < 600
        assert sum(length(one) for one in entry["list"]) == 1200 * SECOND
    page.evaluate("dwell.flush()")
    page.evaluate("0")
    assert beats.claimed() == 1200 * SECOND


def test_a_storage_without_any_room_costs_no_detail_beyond_reason(page: Page, dwell: Dwell) -> None:
    page.add_init_script(OWN_CLOCK)
    let_in(page.context, dwell)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "hour")))
    page.evaluate(
        """() => {
            for (let n = 5e6; n >= 1; n /= 2) try { localStorage['a' + n] = 'x'.repeat(n) } catch {}
        }"""
    )
    with beats_answered(page, Route.abort):
        page.evaluate(TURN_PAGES, 300)
    page.evaluate("dwell.flush()")
    page.evaluate("0")
    assert len(beats.segments) >= 37
    assert beats.claimed() == 600 * SECOND


def test_what_another_page_has_taken_over_keeps_its_name(page: Page, dwell: Dwell) -> None:
    """Merged under an old name it would count twice once the other page has told the original."""
    page.add_init_script(OWN_CLOCK)
    let_in(page.context, dwell)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "hour")))
    with beats_answered(page, Route.abort):
        page.evaluate(TURN_PAGES, 500)
        (name,) = kept(page)
        page.evaluate("(name) => localStorage.removeItem(name)", name)
        page.evaluate(TURN_PAGES, 800)
    page.evaluate("dwell.flush()")
    page.evaluate("0")
    assert [one["n"] for one in beats.segments[:500]] == list(range(500))
    assert all(length(one) == 2 * SECOND for one in beats.segments[:500])
    assert beats.claimed() == 2600 * SECOND
