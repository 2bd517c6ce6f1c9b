"""Players that are no elements, players that say little, and streams without an end."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from dwell_process import REPOSITORY, Dwell, eventually

from .helpers import SECOND, Beats, beat_while, length, let_in
from .script_site import confidential
from .test_script_media import VIDEO, is_honest, media, reach, watched

TICK = SECOND
JITTER = 150  # These players do nothing between what they do and what they say of it.
PLAYER = """
  let place = 0;
  let since;
  window.player = {
    dataset: { dwellVideo: 'talk' },
    duration: 600,
    playbackRate: 1,
    get paused() { return since === undefined; },
    get currentTime() {
      return place + (this.paused ? 0 : ((performance.now() - since) / 1000) * this.playbackRate);
    },
    play() {
      since = performance.now();
      dwell.notice(this);
    },
    pause() {
      place = this.currentTime;
      since = undefined;
      dwell.notice(this);
    },
    jump(to) {
      place = to;
      since = performance.now();
    },
  };
"""

Start = Callable[..., Beats]


@pytest.fixture(scope="module")
def site(script_site: Path) -> Path:
    return script_site


@pytest.fixture
def start(page: Page, dwell: Dwell) -> Start:
    """Opens a page and plays the player on it that is no element, after something was done to it."""

    def begin(before: str = "0") -> Beats:
        page.add_init_script(PLAYER)
        let_in(page.context, dwell)
        beats = Beats(page)
        beat_while(page, lambda: page.goto(confidential(dwell, "hour")))
        page.evaluate(f"{before}; player.play()")
        return beats

    return begin


def until(page: Page, place: float) -> None:
    eventually(lambda: page.evaluate("player.currentTime") >= place)


def test_a_player_that_is_no_element_is_told_like_one(page: Page, start: Start) -> None:
    beats = start()
    until(page, 1.5)
    page.evaluate("player.pause()")
    (segment,) = watched(beats)
    assert segment["video"] == "talk"
    assert segment["attention"] == "active"
    assert segment["end"] == "paused"
    assert segment["mediaDuration"] == 600 * SECOND
    assert segment["mediaFrom"] <= JITTER
    assert 1500 - JITTER <= segment["mediaTo"] <= page.evaluate("player.currentTime") * SECOND
    assert is_honest(segment)


def test_the_server_has_what_such_a_player_played(page: Page, start: Start, dwell: Dwell) -> None:
    start("player.playbackRate = 2")
    until(page, 2)
    page.evaluate("player.pause()")
    page.evaluate("dwell.flush()")
    (row,) = dwell.sql(
        "SELECT media_from_ms, media_to_ms, rate FROM segment JOIN content ON content.id = video_id"
        " WHERE name = 'talk' AND rate = 2"
    )
    played = page.evaluate("player.currentTime") * SECOND
    assert row["media_to_ms"] - row["media_from_ms"] == pytest.approx(played, abs=2 * JITTER)


def test_a_player_that_waits_for_data_is_not_watched(page: Page, start: Start) -> None:
    beats = start()
    until(page, 0.5)
    page.evaluate("player.readyState = 2; dwell.notice(player)")
    (segment,) = watched(beats)
    assert segment["end"] == "stalled"


def test_a_player_is_looked_at_every_second(page: Page, start: Start) -> None:
    """Also when it says nothing of what it does."""
    beats = start()
    until(page, 0.5)
    page.evaluate("player.playbackRate = 1.5")
    eventually(lambda: len(watched(beats)) == 2)
    first, second = watched(beats)
    assert first["end"] == "rate"
    assert (first["rate"], second["rate"]) == (1, 1.5)


@pytest.mark.parametrize("to", [100, 0], ids=["forward", "back"])
def test_a_seek_that_a_player_does_not_tell_is_seen(page: Page, start: Start, to: int) -> None:
    beats = start("player.jump(50)")
    until(page, 54.2)
    before = page.evaluate(f"const before = player.currentTime; player.jump({to}); before") - 50
    until(page, to + 1.5) if to else eventually(lambda: len(watched(beats)) == 2)
    page.evaluate("player.pause()")
    first, second = watched(beats)
    assert first["end"] == "sought"
    assert first["mediaFrom"] == pytest.approx(50 * SECOND, abs=JITTER)
    assert media(first) == pytest.approx(before * SECOND, abs=2 * TICK)
    assert to * SECOND <= second["mediaFrom"] <= to * SECOND + 2 * TICK
    assert is_honest(first) and is_honest(second)


@pytest.mark.parametrize("change", ["delete player.duration", "player.duration = Infinity"])
def test_of_a_live_stream_the_time_is_told_and_no_place(
    page: Page, start: Start, change: str, dwell: Dwell
) -> None:
    beats = start(change)
    until(page, 1)
    page.evaluate("player.pause()")
    (segment,) = watched(beats)
    assert not segment.keys() & {"mediaFrom", "mediaTo", "mediaDuration"}
    assert (segment["video"], segment["rate"], segment["end"]) == ("talk", 1, "paused")
    played = page.evaluate("player.currentTime") * SECOND
    assert length(segment) == pytest.approx(played, abs=JITTER)


def test_an_element_that_plays_a_live_stream_tells_no_place_either(page: Page, dwell: Dwell) -> None:
    beats = play_element(page, dwell, f"Object.defineProperty({VIDEO}, 'duration', {{ value: Infinity }})")
    (segment,) = watched(beats)
    assert not segment.keys() & {"mediaFrom", "mediaTo", "mediaDuration"}


def test_an_element_tells_how_long_it_is(page: Page, dwell: Dwell) -> None:
    beats = play_element(page, dwell)
    (segment,) = watched(beats)
    assert segment["mediaDuration"] == int(page.evaluate(f"{VIDEO}.duration") * SECOND)


def test_a_player_in_a_shadow_tree_is_told_when_it_is_shown_to_the_script(
    page: Page, dwell: Dwell
) -> None:
    """Its events do not leave the tree."""
    beats = play_element(
        page,
        dwell,
        f"""
        const film = {VIDEO};
        const host = document.body.appendChild(document.createElement('div'));
        host.attachShadow({{ mode: 'open' }}).append(film);
        film.onplaying = () => dwell.notice(film);
        document.querySelector = () => film;
        """,
    )
    (segment,) = watched(beats)
    assert media(segment) >= 500 - 2 * JITTER


def play_element(page: Page, dwell: Dwell, before: str = "0") -> Beats:
    let_in(page.context, dwell)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "lesson")))
    eventually(lambda: page.evaluate(f"{VIDEO}.readyState") == 4)
    page.evaluate(f"{before}; {VIDEO}.play()")
    reach(page, 0.7)
    return beats


@pytest.mark.parametrize(
    ("change", "goes_on"),
    [("0", False), ("player.volume = 1", True), ("player.volume = 1; player.muted = true", False)],
    ids=["unknown", "loud", "muted"],
)
def test_in_a_hidden_tab_only_a_player_that_can_be_heard_counts(
    tabs: BrowserContext, dwell: Dwell, change: str, goes_on: bool
) -> None:
    page, other = tabs.new_page(), tabs.new_page()
    let_in(tabs, dwell)
    page.add_init_script(PLAYER)
    page.bring_to_front()
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "hour")))
    page.evaluate(f"{change}; player.play()")
    until(page, 0.5)
    other.bring_to_front()
    eventually(lambda: page.evaluate("document.hidden"))
    until(page, 2)
    (segment,) = watched(beats)
    assert ("end" not in segment) == goes_on
    assert goes_on or segment["end"] == "hidden"


def test_what_begins_or_stops_is_told_within_a_second(page: Page, start: Start) -> None:
    """By itself: the page would not beat for an hour."""
    beats = start()
    eventually(lambda: "talk" in told(beats), 60, "the start")
    page.evaluate("player.pause()")
    eventually(lambda: told(beats).get("talk") == "paused", 60, "the end")


def told(beats: Beats) -> dict[str, Any]:
    beats.page.evaluate("0")  # What the page has sent meanwhile is heard.
    return {one["video"]: one.get("end") for one in beats.segments if "video" in one}


# What the documentation says of other players, with frames that do as theirs do


FRAMES = {
    "YouTube": """
      window.YT = { Player: class {
        constructor(id, { events }) {
          Object.assign(this, { events, state: 5, rate: 1, place: 0 });
          window.frame = this;
        }
        change(state) {
          this.place = this.getCurrentTime();
          this.since = performance.now();
          this.state = state;
          this.events.onStateChange({ data: state });
        }
        getCurrentTime() {
          return this.place + (this.state === 1 ? ((performance.now() - this.since) / 1000) * this.rate : 0);
        }
        getDuration() { return 212; }
        getPlaybackRate() { return this.rate; }
        getPlayerState() { return this.state; }
        isMuted() { return false; }
        getVolume() { return 100; }
        playVideo() { this.change(1); }
        pauseVideo() { this.change(2); }
        wait() { this.change(3); }
      } };
    """,
    "Vimeo": """
      window.Vimeo = { Player: class {
        constructor() {
          Object.assign(this, { heard: {}, place: 0 });
          window.frame = this;
        }
        on(event, action) { this.heard[event] = action; }
        tell(event) {
          this.heard[event]?.({ seconds: this.place, duration: 212, playbackRate: 1, volume: 1 });
        }
        play() {
          this.tell('playing');
          const began = performance.now() - this.place * 1000;
          this.timer = setInterval(() => {
            this.place = (performance.now() - began) / 1000;
            this.tell('timeupdate');
          }, 100);
        }
        pause(event = 'pause') {
          clearInterval(this.timer);
          this.tell(event);
        }
        wait() { this.pause('bufferstart'); }
      } };
    """,
}
STARTS = {"YouTube": "onYouTubeIframeAPIReady(); frame.playVideo()", "Vimeo": "frame.play()"}
PAUSES = {"YouTube": "frame.pauseVideo()", "Vimeo": "frame.pause()"}


def example(name: str) -> str:
    """The program in the documentation that is about these frames."""
    text = (REPOSITORY / "docs" / "script.md").read_text()
    blocks = re.findall(r"(?:^(?:    .*)?\n)+", text, re.MULTILINE)
    (found,) = [one for one in blocks if f"new {'YT' if name == 'YouTube' else name}.Player" in one]
    return found


@pytest.mark.parametrize(("stop", "end"), [("pause", "paused"), ("wait", "stalled")])
@pytest.mark.parametrize("name", FRAMES)
def test_what_is_written_of_other_players_works(
    page: Page, dwell: Dwell, name: str, stop: str, end: str
) -> None:
    let_in(page.context, dwell)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "hour")))
    page.add_script_tag(content=FRAMES[name] + example(name))
    page.evaluate(STARTS[name])
    place = "(frame.getCurrentTime?.() ?? frame.place)"
    eventually(lambda: page.evaluate(place) >= 1.5)
    page.evaluate(PAUSES[name] if stop == "pause" else "frame.wait()")
    (segment,) = watched(beats)
    assert segment["video"] == "lesson-1"
    assert segment["end"] == end
    assert segment["mediaDuration"] == 212 * SECOND
    assert media(segment) == pytest.approx(page.evaluate(place) * SECOND, abs=3 * JITTER)
