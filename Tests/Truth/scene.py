"""What every scenario plays on: a server, a site, a clock, browsers, and what people do there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Playwright

from Browser.helpers import write_pages
from Contract.helpers import ms_of, unique_email
from dwell_process import REPOSITORY, Client, Dwell, eventually

from .blueprint import Blueprint
from .chromium import Chromium
from .clock import SECOND, MovedClock, RealClock

SCRIPT = '<script src="/dwell.js" defer></script>'
TEXT = '<p style="height: 5000px">A long text.</p>'
FILM = (
    '<video src="/film.webm" data-dwell-video="{}" width="320" height="180" muted loop></video>'
)
INPUT_EVERY = 20 * SECOND
TOLD_WITHIN_S = 5.0
QUIET_FOR_S = 0.5


@dataclass(frozen=True)
class Measures:
    """Milliseconds: of the truth, of what Dwell tells, or of how far off it may be."""

    elapsed: int
    visible: int
    engaged: int

    def minus(self, other: Measures) -> Measures:
        return Measures(
            self.elapsed - other.elapsed,
            self.visible - other.visible,
            self.engaged - other.engaged,
        )

    @property
    def largest(self) -> int:
        return max(abs(self.elapsed), abs(self.visible), abs(self.engaged))


@dataclass(frozen=True)
class Film:
    """Milliseconds: how long a film played, and how much of it."""

    played: int
    seen: int


@dataclass(frozen=True)
class Outcome:
    """What a scenario found out: its truth, and what Dwell tells of it."""

    truth: Measures
    told: Measures
    possible_error: Measures
    film_truth: Film | None = None
    film_told: Film | None = None


class TimedDwell(Dwell):
    """A server whose time is a scenario's. Its other commands run by the machine's time."""

    def run(self, *arguments: str) -> Any:
        env, self.env = self.env, {}
        try:
            return super().run(*arguments)
        finally:
            self.env = env


@dataclass
class Scene:
    folder: Path
    playwright: Playwright
    clock: RealClock | MovedClock
    flags: tuple[str, ...] = ()
    off_by: int = 0
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ends = ExitStack()
        self.blueprint = Blueprint(lambda: self.clock.now)
        self._ends.callback(self.blueprint.close)
        moved = isinstance(self.clock, MovedClock)
        env = self.clock.server_environment if isinstance(self.clock, MovedClock) else None
        self.server = TimedDwell(self.folder, *self.flags, env=env, site=self._site())
        # libfaketime changes the environment of the first program it is loaded into, before that
        # one finds its arguments. `env` can bear it, and becomes the server.
        self.server.launcher = ["env"] if moved else []
        self.server.start()
        self._ends.callback(self.server.kill)
        self.browser = self.start_browser("first", self.off_by)

    def close(self) -> None:
        self._ends.close()

    def _site(self) -> Path:
        head = self.blueprint.script + SCRIPT
        pages = {
            "index.html": ("", "Nothing is measured here."),
            "bare.html": ("", TEXT),
            "measured.html": (SCRIPT, TEXT),
            "open.html": (head, TEXT),
            "confidential/text.html": (head, TEXT),
            "confidential/film.html": (head, FILM.format("lesson") + TEXT),
            "confidential/films.html": (head, FILM.format("first") + FILM.format("second") + TEXT),
            "film.html": (head, FILM.format("lesson") + TEXT),
        }
        site = write_pages(self.folder / "site", pages)
        shutil.copy(REPOSITORY / "Examples/course/lesson.webm", site / "film.webm")
        return site

    def start_browser(self, name: str, off_by: int = 0) -> Chromium:
        """`off_by`: how wrong the clock of this person's machine is."""
        browser = Chromium(self.playwright, self.folder / name)
        self._ends.callback(browser.end)
        self.watch(browser.context, off_by)
        return browser

    def watch(self, context: BrowserContext, off_by: int = 0) -> None:
        self.clock.joins(context, off_by)
        context.on("weberror", lambda thrown: self.errors.append(str(thrown.error)))

    def restarts(self, browser: Chromium) -> None:
        browser.start()
        self.watch(browser.context)

    def server_ends(self) -> None:
        self.server.kill()
        self.blueprint.is_away = True

    def server_starts(self) -> None:
        self.server.start()
        self.blueprint.is_away = False

    # What a person does

    def enters(self) -> tuple[str, int]:
        """Goes through the gate without seeing it; gives the email left there, and the moment."""
        email = unique_email()
        answer = self.browser.context.request.post(
            f"{self.server.url}/api/verify-temp-access", data={"email": email}
        )
        assert answer.ok, answer.text()
        return email, self.clock.now

    def opens(
        self, page: str = "confidential/text", browser: Chromium | None = None, who: str = ""
    ) -> tuple[Page, int]:
        """Opens a page in a tab of its own, in front of the others; gives the moment too."""
        tab = (browser or self.browser).context.new_page()
        tab.bring_to_front()
        return tab, self.goes(tab, page, who)

    def opens_window(self, beside: Page, page: str = "confidential/text") -> Page:
        """Opens a page in a window beside that of another tab: both are in view."""
        with beside.expect_popup() as opened:
            beside.evaluate("void open('about:blank', 'beside', 'popup,width=400,height=400')")
        self.goes(opened.value, page)
        assert beside.evaluate("document.visibilityState") == "visible"
        return opened.value

    def goes(self, tab: Page, page: str, who: str = "") -> int:
        """Gives the moment from which on the page is there, and the one before it gone."""
        tab.goto(f"{self.server.url}/{page}.html?who={who}", wait_until="commit")
        moment = self.clock.now
        tab.wait_for_load_state()
        self.clock.settle()
        return moment

    def reads(self, tab: Page, milliseconds: int) -> None:
        """Time passes in which the person is there: the mouse moves now and then."""
        for at in range(0, milliseconds, INPUT_EVERY):
            self.touches(tab, at)
            self.clock.wait(min(INPUT_EVERY, milliseconds - at))

    def touches(self, tab: Page, at: int = 0) -> None:
        tab.mouse.move(10 + at // SECOND % 300, 20)

    def leaves(self, tab: Page) -> int:
        """Closes the tab; gives the moment."""
        moment = self.clock.now
        tab.close()
        return moment

    def shows(self, tab: Page, hidden: Page | None = None) -> int:
        """Brings a tab to the front; gives the moment, once both tabs know."""
        moment = self.clock.now
        tab.bring_to_front()
        _until_it_is(tab, "visible")
        if hidden:
            _until_it_is(hidden, "hidden")
        self.clock.settle()
        return moment

    def empty_tab(self) -> Page:
        return self.browser.context.pages[0]

    # What Dwell tells

    def client(self) -> Client:
        """A program that has the cookies of the browser."""
        client = self.server.client()
        for cookie in self.browser.context.cookies():
            client.cookies.set(cookie["name"], cookie["value"], domain=cookie["domain"], path="/")
        return client

    def told(self, until: int, **whose: str) -> tuple[Measures, Measures]:
        """What Dwell tells of this person's sessions, and how far off it says that may be.

        Waits for the beat that tells of the last moment. It may never come: a browser that was
        killed sends none. What counts is what Dwell knows then.
        """
        _wait_for(lambda: _last(self.server.sessions(**whose)) >= until, TOLD_WITHIN_S)
        _wait_for(lambda: self.blueprint.last >= until, QUIET_FOR_S)
        found = self.server.sessions(**whose)
        assert not self.errors, self.errors
        return _sum(found, "Ms"), _sum(found, "ErrorMs")

    def film_told(self, **whose: str) -> Film:
        """What Dwell tells of the films in this person's sessions: the sum of what played."""
        parts = [
            one
            for session in self.server.sessions(**whose)
            for one in self.server.api(f"/api/v1/sessions/{session['id']}").json()["segments"]
            if one["video"]
        ]
        # Of a live stream no place is told.
        placed = [one for one in parts if one["mediaToMs"] is not None]
        return Film(
            sum(one["lengthMs"] for one in parts),
            sum(one["mediaToMs"] - one["mediaFromMs"] for one in placed),
        )

    def outcome(self, truth: Measures, until: int, **whose: str) -> Outcome:
        return Outcome(truth, *self.told(until, **whose))


def _until_it_is(tab: Page, state: str) -> None:
    eventually(lambda: tab.evaluate("document.visibilityState") == state, what=f"a {state} tab")


def _last(sessions: list[dict[str, Any]]) -> int:
    return max((ms_of(one["sessionEndTime"]) for one in sessions), default=0)


def _sum(sessions: list[dict[str, Any]], ending: str) -> Measures:
    names = [name + ending for name in ("elapsed", "visible", "engaged")]
    return Measures(*(sum(one[name] for one in sessions) for name in names))


def _wait_for(condition: Callable[[], bool], within: float) -> None:
    """Waits for what should come, but may not."""
    deadline = time.monotonic() + within
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
