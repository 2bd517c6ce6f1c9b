"""A page whose script was written after the blueprint, before there was Dwell: it must just work.

Its beats have no body. It beats at load, every interval and when it becomes visible again, is silent
while it is hidden, and leaves with `sendBeacon` at `beforeunload`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from Contract.helpers import ms_of, now_ms
from dwell_process import Dwell, eventually, let_pass

from .helpers import (
    BEAT,
    SECOND,
    Beats,
    Moment,
    beat_while,
    hide,
    lasted,
    let_in,
    moment_of,
    record,
    record_up_to,
    write_pages,
)

TOLERANCE = SECOND + 500  # What lies between its last beat and the tab being hidden, nobody tells.
SCRIPT = """
  <script>
    (function () {
      var interval = %d;
      var timer = null;

      function hasSession() {
        return document.cookie.split('; ').some(function (cookie) {
          return cookie.indexOf('session_record_id=') === 0;
        });
      }

      function beat() {
        if (!hasSession()) return;
        fetch('/api/session-heartbeat', { method: 'POST' }).catch(function () {});
      }

      function start() {
        if (timer !== null) return;
        beat();
        timer = setInterval(beat, interval);
      }

      function stop() {
        clearInterval(timer);
        timer = null;
      }

      document.addEventListener('visibilitychange', function () {
        if (document.hidden) stop();
        else start();
      });
      window.addEventListener('beforeunload', function () {
        if (hasSession()) navigator.sendBeacon('/api/session-heartbeat');
      });
      if (!document.hidden) start();
    })();
  </script>
"""
PAGES = {
    "index.html": ("", "Nothing is measured here."),
    "confidential/index.html": (SCRIPT % SECOND, "Beats every second."),
    "confidential/rare.html": (SCRIPT % (3600 * SECOND), "Beats when it comes and when it goes."),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pages(tmp_path_factory.mktemp("site"), PAGES)


@pytest.fixture(scope="module")
def dwell(tmp_path_factory: pytest.TempPathFactory, site: Path) -> Iterator[Dwell]:
    """A server that expects a beat every three seconds, and so bridges gaps of up to 4.5 s."""
    folder = tmp_path_factory.mktemp("dwell")
    with Dwell(folder, "--heartbeat-interval", "3", site=site) as server:
        yield server


def test_the_record_tells_who_came_when_and_for_how_long(page: Page, dwell: Dwell) -> None:
    before = now_ms()
    email = let_in(page.context, dwell)
    entered = now_ms()
    came = moment_of(lambda: beat_while(page, lambda: page.goto(f"{dwell.url}/confidential/")))
    let_pass(3)
    left = now_ms()
    page.goto(dwell.url)
    session = record_up_to(dwell, email, left)
    told = Moment(left, now_ms())
    assert session["emailOfAccessor"] == email
    assert before <= ms_of(session["sessionStartTime"]) <= entered
    assert told.first <= ms_of(session["sessionEndTime"]) <= told.last
    assert lasted(session["visibleMs"], (came, told)), session
    duration = ms_of(session["sessionEndTime"]) - ms_of(session["sessionStartTime"])
    assert session["elapsedMs"] == duration


def test_its_beats_have_no_body_and_are_taken(page: Page, dwell: Dwell) -> None:
    let_in(page.context, dwell)
    beats = Beats(page)
    assert beat_while(page, lambda: page.goto(f"{dwell.url}/confidential/")).status == 200
    assert beats.sent[0].post_data is None


def test_the_end_of_the_session_moves_while_the_page_is_open(page: Page, dwell: Dwell) -> None:
    email = let_in(page.context, dwell)
    page.goto(f"{dwell.url}/confidential/")
    start = record(dwell, email)["sessionStartTime"]
    end = ms_of(start)
    for _ in range(2):
        session = record_up_to(dwell, email, end + SECOND - 100)
        assert session["sessionStartTime"] == start
        assert session["closed"] is False
        end = ms_of(session["sessionEndTime"])


def test_hidden_time_is_not_visible_time(tabs: BrowserContext, dwell: Dwell) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    email = let_in(tabs, dwell)
    page.bring_to_front()
    beats = Beats(page)
    came = moment_of(lambda: beat_while(page, lambda: page.goto(f"{dwell.url}/confidential/")))
    let_pass(2)
    hidden = moment_of(lambda: hide(page, other))
    # One may be on its way when the tab is hidden.
    assert beats.during(lambda: [let_pass(3) for _ in range(2)]) <= 1
    shown = moment_of(lambda: beat_while(page, page.bring_to_front))
    let_pass(2)
    left = now_ms()
    page.goto(dwell.url)
    session = record_up_to(dwell, email, left)
    told = Moment(left, now_ms())
    assert lasted(session["visibleMs"], (came, hidden), (shown, told), slack=TOLERANCE), session
    assert session["visibleMs"] <= session["elapsedMs"] - 5 * SECOND


def test_the_beacon_at_the_end_counts(page: Page, dwell: Dwell) -> None:
    email = let_in(page.context, dwell)
    came = moment_of(lambda: beat_while(page, lambda: page.goto(f"{dwell.url}/confidential/rare.html")))
    let_pass(1.5)
    left = now_ms()
    page.goto(dwell.url)
    session = record_up_to(dwell, email, left)
    assert lasted(session["visibleMs"], (came, Moment(left, now_ms()))), session


def test_the_page_is_known_though_the_beat_does_not_name_it(page: Page, dwell: Dwell) -> None:
    email = let_in(page.context, dwell)
    beat_while(page, lambda: page.goto(f"{dwell.url}/confidential/rare.html"))
    found = eventually(lambda: dwell.sessions(page="/confidential/rare.html", email=email))
    assert found[0]["emailOfAccessor"] == email


def test_without_a_session_it_sends_nothing_and_breaks_nothing(page: Page, dwell: Dwell) -> None:
    let_in(page.context, dwell)
    page.context.clear_cookies(name="session_record_id")
    beats = Beats(page)
    assert beats.during(lambda: page.goto(f"{dwell.url}/confidential/")) == 0
    assert page.evaluate(f"fetch('{BEAT}', {{method: 'POST'}}).then((it) => it.status)") == 400
