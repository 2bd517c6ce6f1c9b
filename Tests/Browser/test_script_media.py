"""Videos: how much of them was watched. Films play by the real clock, and so do these tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from dwell_process import Dwell, eventually

from .helpers import SECOND, Beats, beat_while, length, let_in
from .script_site import confidential

VIDEO = "document.querySelector('video')"
JITTER = 150  # Between what a player says and the moment it says it.

Play = Callable[..., Beats]


@pytest.fixture(scope="module")
def site(script_site: Path) -> Path:
    return script_site


@pytest.fixture
def play(page: Page, dwell: Dwell) -> Play:
    """Opens the lesson, sets something about its video and plays it up to a place, in seconds."""

    def start(before: str = "0", until: float = 1) -> Beats:
        let_in(page.context, dwell)
        beats = Beats(page)
        beat_while(page, lambda: page.goto(confidential(dwell, "lesson")))
        eventually(lambda: page.evaluate(f"{VIDEO}.readyState") == 4)
        page.evaluate(f"const video = {VIDEO}; {before}; video.play()")
        reach(page, until)
        return beats

    return start


def reach(page: Page, place: float) -> None:
    eventually(lambda: page.evaluate(f"{VIDEO}.currentTime") >= place)


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
    place = page.evaluate(f"{VIDEO}.currentTime") * SECOND
    assert segment["video"] == "lesson-1"
    assert segment["attention"] == "active"
    assert segment["page"] == "/confidential/lesson.html"
    assert segment["rate"] == 1
    assert segment["mediaFrom"] <= JITTER
    assert 1500 - JITTER <= segment["mediaTo"] <= place
    assert is_honest(segment)
    assert "end" not in segment
    (tab,) = {one["tab"] for one in beats.segments}
    assert len({one["n"] for one in beats.segments}) == len(beats.segments)


def test_the_server_has_what_was_watched(page: Page, play: Play, dwell: Dwell) -> None:
    play(until=1.5)
    page.evaluate(f"{VIDEO}.pause()")
    page.evaluate("dwell.flush()")
    rows = dwell.sql(
        "SELECT media_from_ms, media_to_ms, rate FROM segment WHERE video_id IS NOT NULL"
        " ORDER BY started_at DESC LIMIT 1"
    )
    assert rows[0]["rate"] == 1
    assert 1500 - JITTER <= rows[0]["media_to_ms"] - rows[0]["media_from_ms"] <= 2500


def pause(page: Page) -> None:
    page.evaluate(f"{VIDEO}.pause()")


def starve(page: Page) -> None:
    """The network gives the player nothing more to play."""
    page.evaluate(
        f"""() => {{
            Object.defineProperty({VIDEO}, 'readyState', {{ value: 2, configurable: true }});
            {VIDEO}.dispatchEvent(new Event('waiting'));
        }}"""
    )


def and_wait(page: Page, event: str, action: str) -> None:
    """Does something to the video and waits until it says so."""
    page.evaluate(f"new Promise((done) => {{ {VIDEO}.{event} = () => done(); {action}; }})")


def seek(page: Page) -> None:
    and_wait(page, "onseeked", f"{VIDEO}.currentTime = 0.2")


def change_rate(page: Page) -> None:
    and_wait(page, "onratechange", f"{VIDEO}.playbackRate = 2")


def turn_page(page: Page) -> None:
    page.evaluate("history.pushState({}, '', '/confidential/next')")


def rename(page: Page) -> None:
    page.evaluate(f"{VIDEO}.dataset.dwellVideo = 'lesson-2'")
    page.evaluate(f"{VIDEO}.dispatchEvent(new Event('timeupdate'))")


def remove(page: Page) -> None:
    page.evaluate(f"{VIDEO}.remove()")


CUTS: dict[str, tuple[Callable[[Page], object], bool]] = {
    "paused": (pause, False),
    "stalled": (starve, False),
    "sought": (seek, True),
    "rate": (change_rate, True),
    "page": (turn_page, True),
    "ended": (rename, True),
}


@pytest.mark.parametrize("end", CUTS)
def test_a_segment_of_a_video_ends_with_what_it_says(page: Page, play: Play, end: str) -> None:
    cut, goes_on = CUTS[end]
    beats = play(until=1)
    place = page.evaluate(f"{VIDEO}.currentTime") * SECOND
    cut(page)
    if goes_on:
        page.wait_for_timeout(300)  # So much of it is played.
    first, *rest = watched(beats)
    assert first["end"] == end
    assert place - JITTER <= media(first) <= place + JITTER
    assert is_honest(first)
    assert len(rest) == goes_on
    for segment in rest:
        assert is_honest(segment)
        assert segment["from"] >= first["to"]


def test_a_video_that_reaches_its_end_says_so(page: Page, play: Play) -> None:
    beats = play("video.currentTime = video.duration - 0.7", until=0)
    eventually(lambda: page.evaluate(f"{VIDEO}.ended"))
    last = watched(beats)[-1]
    duration = page.evaluate(f"{VIDEO}.duration") * SECOND
    assert last["end"] == "ended"
    assert media(last) == pytest.approx(700, abs=JITTER)
    assert duration - JITTER <= last["mediaTo"] <= duration + 1


def test_a_video_in_a_loop_is_watched_again_and_again(page: Page, play: Play) -> None:
    beats = play("video.loop = true; video.currentTime = video.duration - 0.5", until=0)
    eventually(lambda: 0.5 < page.evaluate(f"{VIDEO}.currentTime") < 2)
    pause(page)
    told = watched(beats)
    assert [one["end"] for one in told[-2:]] == ["sought", "paused"]
    assert sum(media(one) for one in told) == pytest.approx(1000, abs=400)
    assert all(is_honest(one) for one in told)


def test_a_seek_is_not_watched(page: Page, play: Play) -> None:
    """The film goes on at once, ten seconds later: they were not seen."""
    beats = play(until=1)
    page.evaluate(f"{VIDEO}.currentTime = 10")
    reach(page, 10.5)
    pause(page)
    first, second = watched(beats)
    assert first["end"] == "sought"
    assert first["mediaTo"] < 2 * SECOND
    assert second["mediaFrom"] == pytest.approx(10 * SECOND, abs=JITTER)
    assert media(first) + media(second) <= 2.5 * SECOND


def test_coverage_is_what_the_player_says_it_played(page: Page, play: Play, dwell: Dwell) -> None:
    """Two parts of the film, one of them twice: Chromium itself keeps which parts it played."""
    visitors = {one["viewer"]["email"] for one in viewers(dwell)}
    play(until=1.5)
    for start, end in ((6, 7), (0.5, 1)):
        page.evaluate(f"{VIDEO}.currentTime = {start}")
        reach(page, end)
    pause(page)
    page.evaluate("dwell.flush()")
    played = page.evaluate(
        f"""() => {{
            const {{ played, duration }} = {VIDEO};
            const places = [...Array(played.length).keys()];
            return {{ parts: places.map((at) => [played.start(at), played.end(at)]), duration }};
        }}"""
    )

    def told() -> dict[str, Any] | None:
        found = [one["progress"] for one in viewers(dwell) if one["viewer"]["email"] not in visitors]
        return found[0] if found and len(found[0]["ranges"]) == 2 and found[0]["rewatched"] else None

    progress = eventually(told, what="what was watched")
    assert progress["durationMs"] == pytest.approx(played["duration"] * SECOND, abs=JITTER)
    assert len(played["parts"]) == 2
    for (start, end), part in zip(played["parts"], progress["ranges"], strict=True):
        assert part["fromMs"] == pytest.approx(start * SECOND, abs=JITTER)
        assert part["toMs"] == pytest.approx(end * SECOND, abs=2 * JITTER)
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
    page.evaluate("skew(1900)")
    page.evaluate(f"{VIDEO}.currentTime = 10")
    reach(page, 10.2)
    pause(page)
    first, _ = watched(beats)
    assert length(first) >= 2800
    assert media(first) <= 1500


def test_no_more_is_watched_than_there_was_time_for(page: Page, play: Play) -> None:
    page.add_init_script(SKEW)
    beats = play(until=0.5)
    page.evaluate("skew(-1500)")
    reach(page, 1)
    pause(page)
    (segment,) = watched(beats)
    assert is_honest(segment)
    assert media(segment) < 900


def test_who_spams_seeks_has_watched_what_was_played(page: Page, play: Play) -> None:
    beats = play(until=0.5)
    for place in (8, 2, 12, 5, 1):
        and_wait(page, "onseeked", f"{VIDEO}.currentTime = {place}")
        page.wait_for_timeout(200)
    pause(page)
    told = watched(beats)
    assert all(is_honest(one) for one in told)
    assert 1000 <= sum(media(one) for one in told) <= 500 + 5 * 200 + 1500
    assert max(media(one) for one in told) < 1500


def test_a_video_at_double_speed_is_watched_twice_as_fast(page: Page, play: Play) -> None:
    beats = play("video.playbackRate = 2", until=2)
    pause(page)
    segment = watched(beats)[-1]
    assert segment["rate"] == 2
    assert media(segment) == pytest.approx(2 * SECOND, abs=2 * JITTER + 200)
    assert length(segment) == pytest.approx(SECOND, abs=JITTER + 200)


def test_a_video_that_is_taken_off_the_page_is_watched_no_more(page: Page, play: Play) -> None:
    beats = play(until=1)
    remove(page)
    page.wait_for_timeout(2200)
    (segment,) = watched(beats)
    assert segment["end"] == "paused"
    assert media(segment) <= 1.3 * SECOND
    assert length(segment) <= 2.5 * SECOND


def test_a_video_that_comes_later_is_noticed(page: Page, play: Play) -> None:
    beats = open_without_video(page, play)
    page.evaluate(
        """() => {
            document.body.innerHTML = '<video src="/film.webm" muted></video>';
            document.querySelector('video').dataset.dwellVideo = 'later';
            return document.querySelector('video').play();
        }"""
    )
    reach(page, 0.5)
    (segment,) = [one for one in watched(beats) if one["video"] == "later"]
    assert media(segment) >= 500 - JITTER


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
    page.add_script_tag(url=f"{dwell.url}/dwell.js")
    reach(page, 1)
    (segment,) = watched(beats)
    assert 500 <= segment["mediaFrom"] <= 1000


def test_a_video_without_a_name_is_not_told_but_seen(page: Page, play: Play) -> None:
    beats = play("delete video.dataset.dwellVideo", until=0.5)
    assert watched(beats) == []


def test_two_videos_at_once_are_two_segments(page: Page, play: Play) -> None:
    beats = play(until=0.3)
    page.evaluate(
        """() => {
            const second = document.querySelector('video').cloneNode();
            second.dataset.dwellVideo = 'lesson-2';
            document.body.append(second);
            return second.play();
        }"""
    )
    reach(page, 1)
    first, second = watched(beats)
    assert [first["video"], second["video"]] == ["lesson-1", "lesson-2"]
    assert media(first) > media(second) > 0
    pause(page)
    first, second = watched(beats)
    assert first["end"] == "paused"
    assert "end" not in second


# Tabs that nobody sees


def play_and_hide(tabs: BrowserContext, dwell: Dwell, before: str) -> tuple[Page, Page, Beats]:
    page, other = tabs.new_page(), tabs.new_page()
    let_in(tabs, dwell)
    page.bring_to_front()
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "lesson")))
    page.mouse.click(5, 300)  # Sound needs a gesture.
    page.evaluate(f"const video = {VIDEO}; video.volume = 0.1; {before}; video.play()")
    reach(page, 0.5)
    other.bring_to_front()
    eventually(lambda: page.evaluate("document.hidden"))
    return page, other, beats


def test_a_silent_video_in_a_hidden_tab_is_not_watched(tabs: BrowserContext, dwell: Dwell) -> None:
    page, other, beats = play_and_hide(tabs, dwell, "video.muted = true")
    other.wait_for_timeout(700)
    told = watched(beats)
    assert [one["end"] for one in told] == ["hidden"]
    assert length(told[0]) < 1500


def test_a_video_that_is_heard_from_a_hidden_tab_goes_on(
    tabs: BrowserContext, dwell: Dwell
) -> None:
    page, other, beats = play_and_hide(tabs, dwell, "video.muted = false")
    reach(page, 1.5)
    (segment,) = watched(beats)
    assert "end" not in segment
    assert media(segment) >= 1500 - JITTER
    assert all(one["end"] == "hidden" for one in beats.segments if "video" not in one)
    page.evaluate(f"{VIDEO}.muted = true")
    eventually(lambda: watched(beats)[0].get("end") == "hidden")


def test_a_video_in_a_window_of_its_own_goes_on(tabs: BrowserContext, dwell: Dwell) -> None:
    page, other, beats = play_and_hide(
        tabs, dwell, "video.muted = true; video.onplaying = () => video.requestPictureInPicture()"
    )
    assert page.evaluate(f"document.pictureInPictureElement === {VIDEO}")
    reach(page, 1.5)
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
