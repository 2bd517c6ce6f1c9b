"""Videos: how much of them was watched. Films play by the real clock, and so do these tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from dwell_process import Dwell, eventually, let_pass

from .helpers import SECOND, Beats, beat_while, hide, length, let_in
from .script_site import confidential

VIDEO = "document.querySelector('video')"
JITTER = 400  # Between what a player does and the moment it says so: a film does not wait for a busy machine.
AT_ONCE = 100  # Between two who hear the same event.
# Notes where films are, in milliseconds, whenever they say something that makes the script look at them.
NOTES = """
  window.note = (film) => ({ video: film.dataset.dwellVideo, place: film.currentTime * 1000, at: performance.now() });
  window.notes = [];
  for (const kind of ['playing', 'timeupdate', 'ratechange']) {
    addEventListener(kind, ({ target }) => target.paused || target.seeking || notes.push(note(target)), true);
  }
  addEventListener('visibilitychange', () => {
    const film = document.querySelector('video');
    if (document.hidden && film) window.hidden = note(film);
  }, true);
"""

Note = dict[str, Any]
Play = Callable[..., Beats]


@pytest.fixture(scope="module")
def site(script_site: Path) -> Path:
    return script_site


@pytest.fixture
def play(page: Page, dwell: Dwell) -> Play:
    """Opens the lesson, sets something about its video and plays it up to a place, in seconds."""

    def start(before: str = "0", until: float = 1) -> Beats:
        let_in(page.context, dwell)
        page.add_init_script(NOTES)
        beats = Beats(page)
        beat_while(page, lambda: page.goto(confidential(dwell, "lesson")))
        eventually(lambda: page.evaluate(f"{VIDEO}.readyState") == 4)
        page.evaluate(f"const video = {VIDEO}; {before}; video.play()")
        reach(page, until)
        return beats

    return start


def reach(page: Page, place: float) -> None:
    eventually(lambda: page.evaluate(f"{VIDEO}.currentTime") >= place)


def place_of(page: Page) -> float:
    return page.evaluate(f"{VIDEO}.currentTime") * SECOND


def at_once(page: Page, action: str) -> Note:
    """Does something to the film, and gives where it was then: both in one go, as it plays on meanwhile."""
    return page.evaluate(
        f"(async () => {{ const film = {VIDEO}; const before = note(film); {action}; return before; }})()"
    )


def first_note(page: Page, place: float = 0) -> Note:
    """Where the film was when it first said anything, from some place of it on."""
    return page.evaluate("(place) => notes.find((note) => note.place >= place)", place)


def watched(beats: Beats) -> list[dict[str, Any]]:
    """The video's segments, once everything is told."""
    beats.page.evaluate("dwell.flush()")
    beats.page.evaluate("0")
    return [one for one in beats.segments if "video" in one]


def media(segment: dict[str, Any]) -> int:
    return segment["mediaTo"] - segment["mediaFrom"]


def is_honest(segment: dict[str, Any]) -> bool:
    """No more of the film than the time and the speed allow."""
    return 0 <= media(segment) <= length(segment) * segment["rate"]


def test_a_video_that_plays_is_told_beside_its_page(page: Page, play: Play) -> None:
    beats = play(until=1.5)
    (segment,) = watched(beats)
    place = place_of(page)
    assert segment["video"] == "lesson-1"
    assert segment["attention"] == "active"
    assert segment["page"] == "/confidential/lesson.html"
    assert segment["rate"] == 1
    assert segment["mediaFrom"] == pytest.approx(first_note(page)["place"], abs=AT_ONCE)
    assert 1500 - JITTER <= segment["mediaTo"] <= place
    assert is_honest(segment)
    assert "end" not in segment
    (tab,) = {one["tab"] for one in beats.segments}
    assert len({one["n"] for one in beats.segments}) == len(beats.segments)


def test_the_server_has_what_was_watched(page: Page, play: Play, dwell: Dwell) -> None:
    play(until=1.5)
    played = at_once(page, "film.pause()")["place"] - first_note(page)["place"]
    page.evaluate("dwell.flush()")
    rows = dwell.sql(
        "SELECT media_from_ms, media_to_ms, rate FROM segment WHERE video_id IS NOT NULL"
        " ORDER BY started_at DESC LIMIT 1"
    )
    assert rows[0]["rate"] == 1
    assert rows[0]["media_to_ms"] - rows[0]["media_from_ms"] == pytest.approx(played, abs=JITTER)


# The network gives the player nothing more to play.
STARVE = """
  Object.defineProperty(film, 'readyState', { value: 2, configurable: true });
  film.dispatchEvent(new Event('waiting'));
"""
RENAME = "film.dataset.dwellVideo = 'lesson-2'; film.dispatchEvent(new Event('timeupdate'))"
CUTS: dict[str, tuple[str, bool]] = {
    "paused": ("film.pause()", False),
    "stalled": (STARVE, False),
    "sought": ("await new Promise((done) => { film.onseeked = done; film.currentTime = 0.2; })", True),
    "rate": ("await new Promise((done) => { film.onratechange = done; film.playbackRate = 2; })", True),
    "page": ("history.pushState({}, '', '/confidential/next')", True),
    "ended": (RENAME, True),
}


@pytest.mark.parametrize("end", CUTS)
def test_a_segment_of_a_video_ends_with_what_it_says(page: Page, play: Play, end: str) -> None:
    cut, goes_on = CUTS[end]
    beats = play(until=1)
    played = at_once(page, cut)["place"] - first_note(page)["place"]
    if goes_on:
        reach(page, place_of(page) / SECOND + 0.3)
        eventually(lambda: len(watched(beats)) > 1)
    first, *rest = watched(beats)
    assert first["end"] == end
    assert media(first) == pytest.approx(played, abs=JITTER)
    assert is_honest(first)
    assert len(rest) == goes_on
    for segment in rest:
        assert is_honest(segment)
        assert segment["from"] >= first["to"]


def test_a_video_that_reaches_its_end_says_so(page: Page, play: Play) -> None:
    beats = play("video.currentTime = video.duration - 0.7", until=0)
    eventually(lambda: page.evaluate(f"{VIDEO}.ended && {VIDEO}.paused"))
    last = watched(beats)[-1]
    duration = page.evaluate(f"{VIDEO}.duration") * SECOND
    assert last["end"] == "ended"
    assert media(last) == pytest.approx(duration - first_note(page)["place"], abs=JITTER)
    assert duration - JITTER <= last["mediaTo"] <= duration + 1


def test_a_video_in_a_loop_is_watched_again_and_again(page: Page, play: Play) -> None:
    beats = play("video.loop = true; video.currentTime = video.duration - 1.5", until=0)
    eventually(lambda: page.evaluate(f"1.5 < {VIDEO}.currentTime && {VIDEO}.currentTime < {VIDEO}.duration - 2"))
    place = at_once(page, "film.pause()")["place"]
    told = watched(beats)
    assert [one["end"] for one in told[-2:]] == ["sought", "paused"]
    before = page.evaluate(f"{VIDEO}.duration") * SECOND - first_note(page)["place"]
    assert sum(media(one) for one in told) == pytest.approx(before + place, abs=2 * JITTER)
    assert all(is_honest(one) for one in told)


def test_a_seek_is_not_watched(page: Page, play: Play) -> None:
    """The film goes on at once, ten seconds later: they were not seen."""
    beats = play(until=1)
    sought = at_once(page, "film.currentTime = 10")["place"]
    reach(page, 10.5)
    paused = at_once(page, "film.pause()")["place"]
    first, second = watched(beats)
    assert first["end"] == "sought"
    assert first["mediaTo"] == pytest.approx(sought, abs=JITTER)
    assert 10 * SECOND - 1 <= second["mediaFrom"] <= first_note(page, 10 * SECOND - 1)["place"] + AT_ONCE
    assert media(first) + media(second) <= sought + paused - 10 * SECOND + JITTER


def test_coverage_is_what_the_player_says_it_played(page: Page, play: Play, dwell: Dwell) -> None:
    """Two parts of the film, one of them twice: Chromium itself keeps which parts it played."""
    visitors = {one["viewer"]["email"] for one in viewers(dwell)}
    play(until=1.5)
    for start, end in ((6, 7), (0.5, 1)):
        page.evaluate(f"{VIDEO}.currentTime = {start}")
        reach(page, end)
    at_once(page, "film.pause()")
    page.evaluate("dwell.flush()")
    played = page.evaluate(
        f"""() => {{
            const {{ played, duration }} = {VIDEO};
            const places = [...Array(played.length).keys()];
            const parts = places.map((at) => [played.start(at) * 1000, played.end(at) * 1000]);
            return {{ parts, duration: duration * 1000 }};
        }}"""
    )

    def told() -> dict[str, Any] | None:
        found = [one["progress"] for one in viewers(dwell) if one["viewer"]["email"] not in visitors]
        return found[0] if found and len(found[0]["ranges"]) == 2 and found[0]["rewatched"] else None

    progress = eventually(told, what="what was watched")
    assert progress["durationMs"] == pytest.approx(played["duration"], abs=1)
    assert len(played["parts"]) == 2
    for (start, end), part in zip(played["parts"], progress["ranges"], strict=True):
        assert start - 1 <= part["fromMs"] <= first_note(page, start - 1)["place"] + AT_ONCE
        assert part["toMs"] == pytest.approx(end, abs=JITTER)
    seen = sum(end - start for start, end in played["parts"])
    assert progress["coverage"] == pytest.approx(seen / played["duration"], abs=0.05)


def viewers(server: Dwell) -> list[dict[str, Any]]:
    """Who watched the lesson, and what."""
    answer = server.api("/api/v1/videos/lesson-1/viewers", limit=200)
    return answer.json()["viewers"] if answer.status_code == 200 else []


# Sets the clock by less than what would be taken for a sleep: time and film part.
SKEW = """
  const date = Date.now;
  let skew = 0;
  Date.now = () => date() + skew;
  window.skew = (milliseconds) => {
    skew += milliseconds;
    document.querySelector('video').dispatchEvent(new Event('timeupdate'));
  };
"""


def test_a_seek_is_not_watched_even_if_there_was_time_for_it(page: Page, play: Play) -> None:
    page.add_init_script(SKEW)
    beats = play(until=1)
    played = at_once(page, "skew(1900); film.currentTime = 10")["place"] - first_note(page)["place"]
    reach(page, 10.2)
    at_once(page, "film.pause()")
    first, _ = watched(beats)
    assert length(first) >= played + 1900 - JITTER
    assert media(first) <= played + JITTER


def test_no_more_is_watched_than_there_was_time_for(page: Page, play: Play) -> None:
    page.add_init_script(SKEW)
    beats = play(until=0.5)
    before = at_once(page, "skew(-1500)")["place"]
    reach(page, before / SECOND + 1)
    after = at_once(page, "film.pause()")["place"]
    (segment,) = watched(beats)
    assert is_honest(segment)
    assert media(segment) <= max(before, after - 1500) - first_note(page)["place"] + JITTER


# Plays 0.3 s from each of these places, and gives how much of the film was played before each seek and after all.
SPAM = f"""async (places) => {{
  const film = {VIDEO};
  const parts = [];
  let from = notes[0].place;
  for (const place of places) {{
    parts.push(film.currentTime * 1000 - from);
    await new Promise((done) => {{ film.onseeked = done; film.currentTime = place; }});
    from = place * 1000;
    while (film.currentTime < place + 0.3) await new Promise((done) => setTimeout(done, 10));
  }}
  parts.push(film.currentTime * 1000 - from);
  film.pause();
  return parts;
}}"""


def test_who_spams_seeks_has_watched_what_was_played(page: Page, play: Play) -> None:
    beats = play(until=0.5)
    parts = page.evaluate(SPAM, [8, 2, 12, 5, 1])
    told = watched(beats)
    assert all(is_honest(one) for one in told)
    # Between a seek and what the film says next nobody knows whether it plays.
    assert sum(parts) / 2 <= sum(media(one) for one in told) <= sum(parts) + 5 * JITTER
    assert max(media(one) for one in told) <= max(parts) + JITTER


def test_a_video_at_double_speed_is_watched_twice_as_fast(page: Page, play: Play) -> None:
    beats = play("video.playbackRate = 2", until=3)
    paused, began = at_once(page, "film.pause()"), first_note(page)
    segment = watched(beats)[-1]
    assert segment["rate"] == 2
    assert media(segment) == pytest.approx(paused["place"] - began["place"], abs=2 * JITTER)
    assert length(segment) == pytest.approx(paused["at"] - began["at"], abs=JITTER)


def test_a_video_that_is_taken_off_the_page_is_watched_no_more(page: Page, play: Play) -> None:
    beats = play(until=1)
    removed, began = at_once(page, "film.remove()"), first_note(page)
    eventually(lambda: page.evaluate("1") and "paused" in [one.get("end") for one in beats.segments])
    (segment,) = watched(beats)
    assert segment["end"] == "paused"
    assert media(segment) <= removed["place"] - began["place"] + JITTER
    # The script looks once a second.
    assert length(segment) <= removed["at"] - began["at"] + SECOND + JITTER


def test_a_video_that_comes_later_is_noticed(page: Page, play: Play) -> None:
    beats = open_without_video(page, play)
    page.evaluate(
        """() => {
            document.body.innerHTML = '<video src="/film.webm" muted></video>';
            document.querySelector('video').dataset.dwellVideo = 'later';
            return document.querySelector('video').play();
        }"""
    )
    reach(page, 1)
    (segment,) = [one for one in watched(beats) if one["video"] == "later"]
    began = page.evaluate("notes.find((note) => note.video === 'later')")
    assert media(segment) >= SECOND - began["place"] - JITTER


def open_without_video(page: Page, play: Play) -> Beats:
    beats = play(until=0)
    page.evaluate("document.body.innerHTML = ''")
    return beats


def test_a_video_that_played_before_the_script_came_is_noticed(page: Page, dwell: Dwell) -> None:
    page.add_init_script("addEventListener('timeupdate', (e) => e.stopImmediatePropagation(), true)")
    let_in(page.context, dwell)
    page.route("**/dwell.js", lambda route: route.abort())
    page.goto(confidential(dwell, "lesson"))
    page.evaluate(f"{VIDEO}.play()")
    reach(page, 0.5)
    page.unroute("**/dwell.js")
    beats = Beats(page)
    before = place_of(page)
    page.add_script_tag(url=f"{dwell.url}/dwell.js")
    after = place_of(page)
    reach(page, after / SECOND + 0.3)
    (segment,) = watched(beats)
    assert before - 1 <= segment["mediaFrom"] <= after


def test_a_video_without_a_name_is_not_told_but_seen(page: Page, play: Play) -> None:
    beats = play("delete video.dataset.dwellVideo", until=0.5)
    assert watched(beats) == []


def test_two_videos_at_once_are_two_segments(page: Page, play: Play) -> None:
    beats = play(until=1)
    page.evaluate(
        """() => {
            window.second = document.querySelector('video').cloneNode();
            second.dataset.dwellVideo = 'lesson-2';
            document.body.append(second);
            return second.play();
        }"""
    )
    eventually(lambda: page.evaluate("second.currentTime") >= 0.7)
    first, second = watched(beats)
    assert [first["video"], second["video"]] == ["lesson-1", "lesson-2"]
    assert media(first) > media(second) > 0
    at_once(page, "film.pause()")
    first, second = watched(beats)
    assert first["end"] == "paused"
    assert "end" not in second


# Tabs that nobody sees


def play_and_hide(
    tabs: BrowserContext, dwell: Dwell, before: str, once: str = "true"
) -> tuple[Page, Page, Beats]:
    """Sets something about the video, plays it, and hides the tab once something is so."""
    page, other = tabs.new_page(), tabs.new_page()
    let_in(tabs, dwell)
    page.add_init_script(NOTES)
    page.bring_to_front()
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "lesson")))
    page.mouse.click(5, 300)  # Sound needs a gesture.
    page.evaluate(f"const video = {VIDEO}; video.volume = 0.1; {before}; video.play()")
    reach(page, 0.5)
    eventually(lambda: page.evaluate(once), what=once)
    hide(page, other)
    return page, other, beats


def test_a_silent_video_in_a_hidden_tab_is_not_watched(tabs: BrowserContext, dwell: Dwell) -> None:
    page, other, beats = play_and_hide(tabs, dwell, "video.muted = true")
    let_pass(1.5)
    told = watched(beats)
    assert [one["end"] for one in told] == ["hidden"]
    hidden = page.evaluate("window.hidden")
    assert length(told[0]) == pytest.approx(hidden["at"] - first_note(page)["at"], abs=JITTER)


def test_a_video_that_is_heard_from_a_hidden_tab_goes_on(
    tabs: BrowserContext, dwell: Dwell
) -> None:
    page, other, beats = play_and_hide(tabs, dwell, "video.muted = false")
    hidden = page.evaluate("window.hidden")["place"]
    reach(page, hidden / SECOND + 1)
    (segment,) = watched(beats)
    assert "end" not in segment
    assert media(segment) >= hidden + SECOND - first_note(page)["place"] - JITTER
    assert all(one["end"] == "hidden" for one in beats.segments if "video" not in one)
    page.evaluate(f"{VIDEO}.muted = true")
    eventually(lambda: watched(beats)[0].get("end") == "hidden")


def test_a_video_in_a_window_of_its_own_goes_on(tabs: BrowserContext, dwell: Dwell) -> None:
    page, other, beats = play_and_hide(
        tabs,
        dwell,
        "video.muted = true; video.onplaying = () => video.requestPictureInPicture()",
        once=f"document.pictureInPictureElement === {VIDEO}",
    )
    reach(page, page.evaluate("window.hidden")["place"] / SECOND + 1)
    (segment,) = watched(beats)
    assert "end" not in segment
    page.evaluate("document.exitPictureInPicture()")
    # Chromium may pause what nobody can see or hear any more.
    eventually(lambda: watched(beats)[0].get("end") in ("hidden", "paused"))


def test_a_video_that_is_heard_stops_counting_when_the_page_is_frozen(
    tabs: BrowserContext, dwell: Dwell
) -> None:
    page, other, beats = play_and_hide(tabs, dwell, "video.muted = false")
    devtools = tabs.new_cdp_session(page)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    page.bring_to_front()
    first = watched(beats)[0]
    assert first["end"] == "frozen"
