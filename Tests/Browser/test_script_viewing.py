"""Videos at once: two browsers of one account, of which one may play."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from Contract.helpers import Person, person
from dwell_process import Dwell, eventually

from .test_script_media import VIDEO, reach
from .test_script_players import PLAYER

NOTE = "addEventListener('dwell:viewing', ({ detail }) => (window.told = detail));"
WITHIN_S = 15
"""A young segment beats every 5 s."""


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory, script_site: Path) -> Iterator[Dwell]:
    server = Dwell(tmp_path_factory.mktemp("limited"), "--viewing-limit", "1", site=script_site)
    yield server.start()
    server.discard()


Open = Callable[[Person], Page]


@pytest.fixture
def open_page(limited: Dwell, new_context: Callable[..., BrowserContext]) -> Open:
    """Opens the page with the film in a browser of its own, logged in."""

    def start(who: Person) -> Page:
        context = new_context()
        given = {"username": who.username, "password": who.given["password"]}
        assert context.request.post(f"{limited.url}/auth/login", data=given).ok
        page = context.new_page()
        page.add_init_script(NOTE + PLAYER)
        page.goto(f"{limited.url}/watch.html")
        eventually(lambda: page.evaluate(f"{VIDEO}.readyState") == 4)
        return page

    return start


def play(page: Page) -> None:
    page.evaluate(f"window.told = undefined; {VIDEO}.play()")


def is_paused(page: Page) -> bool:
    return page.evaluate(f"{VIDEO}.paused")


def goes_on(page: Page) -> None:
    """Plays for as long as it would have taken to be told to stop."""
    reach(page, page.evaluate(f"{VIDEO}.currentTime") + 2)
    assert page.evaluate("window.told") is None


def refusal(page: Page) -> dict[str, Any]:
    """What the page was told when its player was stopped."""
    eventually(lambda: page.evaluate("window.told"), WITHIN_S, "a player that is stopped")
    assert is_paused(page)
    return page.evaluate("({ ...told, player: told.player === document.querySelector('video') })")


def test_the_second_start_is_refused_and_may_be_moved_here(limited: Dwell, open_page: Open) -> None:
    ann = person(limited)
    first, second = open_page(ann), open_page(ann)
    play(first)
    goes_on(first)

    play(second)
    told = refusal(second)
    assert (told["reason"], told["limit"], told["video"]) == ("limit", 1, "lesson-1")
    assert told["player"] is True
    (playing,) = told["playing"]
    assert playing["video"] == "lesson-1"
    assert "Chrome" in playing["deviceName"]
    assert not is_paused(first)

    second.evaluate("const { take } = told; told = undefined; take()")
    eventually(lambda: not is_paused(second))
    told = refusal(first)
    assert told["reason"] == "taken"
    assert [one["video"] for one in told["playing"]] == ["lesson-1"]
    goes_on(second)


ENDS: dict[str, Callable[[Page], object]] = {
    "a pause": lambda page: page.evaluate(f"{VIDEO}.pause()"),
    "a page that is closed": lambda page: page.close(run_before_unload=True),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_what_stops_makes_room(
    limited: Dwell, open_page: Open, end: Callable[[Page], object]
) -> None:
    ann = person(limited)
    first, second = open_page(ann), open_page(ann)
    play(first)
    goes_on(first)
    end(first)
    places = (
        "SELECT tab FROM viewing JOIN account ON account.viewer_id = viewing.viewer_id"
        " WHERE account.username = ?"
    )
    eventually(lambda: limited.sql(places, ann.username) == [], what="a free place")
    play(second)
    goes_on(second)


def test_a_choice_that_is_gone_is_told_again(limited: Dwell, open_page: Open) -> None:
    ann = person(limited)
    first, second = open_page(ann), open_page(ann)
    play(first)
    goes_on(first)
    play(second)
    refusal(second)
    gone = "00000000-0000-4000-8000-000000000000"
    second.evaluate(f"const {{ take }} = told; told = undefined; take('{gone}')")
    told = refusal(second)
    assert (told["reason"], len(told["playing"])) == ("limit", 1)


def test_a_player_that_is_no_element_is_stopped_too(limited: Dwell, open_page: Open) -> None:
    ann = person(limited)
    first, second = open_page(ann), open_page(ann)
    play(first)
    goes_on(first)
    second.evaluate("player.play()")
    eventually(lambda: second.evaluate("window.told"), WITHIN_S)
    assert second.evaluate("told.player === player && player.paused")
    second.evaluate("told.take()")
    eventually(lambda: not second.evaluate("player.paused"))
    assert refusal(first)["reason"] == "taken"
