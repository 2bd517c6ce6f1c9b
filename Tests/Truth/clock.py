"""The clock of a scenario: what the test knows of time, independently of Dwell.

`RealClock` is the machine's: nothing is moved, waiting takes as long as it says.

`MovedClock` stands still until the test moves it. It moves the pages' clocks (Playwright's
`page.clock`) and the server's (libfaketime reads a file at every look at the time) together, in
steps of a second at most, and waits after each step until every request that the step set going is
answered.
"""

from __future__ import annotations

import glob
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from playwright.sync_api import BrowserContext, Error, Page, Request

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
YEAR = 365 * 24 * HOUR
MORNING = 1_800_000_000 * SECOND  # 2027-01-15 08:00 UTC: when moved clocks start.
PATIENCE_S = 10
TRIP = 1
WHOLE_MILLISECONDS = """
    // Browsers cut fractions of a millisecond off a timer's delay; Playwright's clock keeps them.
    const { setTimeout: after, setInterval: every } = window;
    window.setTimeout = (action, delay, ...words) => after(action, Math.trunc(delay), ...words);
    window.setInterval = (action, delay, ...words) => every(action, Math.trunc(delay), ...words);
"""
FAKETIME: str | None = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)


class Clock(Protocol):
    """What scenarios ask of time; milliseconds since 1970, and milliseconds."""

    @property
    def now(self) -> int: ...

    def wait(self, milliseconds: int) -> None: ...

    def joins(self, context: BrowserContext, off_by: int = 0) -> None: ...

    def settle(self) -> None: ...


class RealClock:
    """The machine's own clock. Waiting is real."""

    def __init__(self) -> None:
        self._contexts: list[BrowserContext] = []

    @property
    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def joins(self, context: BrowserContext, off_by: int = 0) -> None:
        assert off_by == 0, "nobody sets this machine's clock wrong for a test"
        self._contexts.append(context)

    def wait(self, milliseconds: int) -> None:
        """Time that has to pass, because time is what is measured."""
        until = time.monotonic() + milliseconds / SECOND
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
            _let_playwright_work(self._contexts)

    def settle(self) -> None:
        _let_playwright_work(self._contexts)


class MovedClock:
    """A clock that the test moves; see the top of this file."""

    def __init__(self, folder: Path, start: int = MORNING) -> None:
        self.now = start
        self.file = folder / "now.txt"
        self._pages: list[tuple[BrowserContext, Traffic]] = []
        self._tell_server()

    @property
    def server_environment(self) -> dict[str, str]:
        assert FAKETIME, "libfaketime is missing: script/bootstrap --tests installs it"
        return {
            "LD_PRELOAD": FAKETIME,
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # Timers and timeouts go on by themselves.
            "NO_FAKE_STAT": "1",
            "TZ": "UTC",
        }

    def joins(self, context: BrowserContext, off_by: int = 0) -> None:
        """Puts a browser's clock under this one; `off_by` is how wrong the person has set it."""
        at = (self.now + off_by) / SECOND
        context.clock.install(time=at - 60)
        context.clock.pause_at(at)
        context.add_init_script(WHOLE_MILLISECONDS)
        self._pages.append((context, Traffic(context)))

    def wait(self, milliseconds: int) -> None:
        until = self.now + milliseconds
        while self.now < until:
            self._run(min(SECOND, until - self.now))
            self.settle()

    def sleep(self, milliseconds: int) -> None:
        """The machine sleeps: no timer fires until it wakes, and then each one that is due once."""
        self._move(milliseconds, lambda context: context.clock.fast_forward(milliseconds))
        self.settle()

    def sleep_like_linux(self, milliseconds: int) -> None:
        """The same, on a machine whose steady clock sleeps as well: timers know nothing of it."""
        at = (self.now + milliseconds) / SECOND
        self._move(milliseconds, lambda context: context.clock.set_system_time(at))
        self.settle()

    def settle(self) -> None:
        """Waits until the pages have their answers, and nothing to add. An answer takes a while."""
        deadline = time.monotonic() + PATIENCE_S
        while any([traffic.settle() for _, traffic in self._pages]):
            assert time.monotonic() < deadline, "the pages never stop sending"
            self._run(TRIP)

    def _run(self, milliseconds: int) -> None:
        self._move(milliseconds, lambda context: context.clock.run_for(milliseconds))

    def _move(self, milliseconds: int, how: Callable[[BrowserContext], None]) -> None:
        self.now += milliseconds
        self._tell_server()
        for context, _ in self._pages:
            how(context)

    def _tell_server(self) -> None:
        at = datetime.fromtimestamp(self.now // SECOND, UTC)
        draft = self.file.with_suffix(".new")
        draft.write_text(f"{at:%Y-%m-%d %H:%M:%S}.{self.now % SECOND:03d}\n")
        draft.replace(self.file)


class Traffic:
    """The requests of a browser's pages that are not answered yet."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._under_way: dict[Request, Page | None] = {}
        self._answered = False
        context.on("request", self._leaves)
        context.on("requestfinished", self._is_over)
        context.on("requestfailed", self._is_over)
        context.on("page", lambda page: page.on("close", self._forget))

    def settle(self) -> bool:
        """Waits until every request is answered and the pages know; gives whether there was one."""
        deadline = time.monotonic() + PATIENCE_S
        while self._under_way:
            assert time.monotonic() < deadline, [one.url for one in self._under_way]
            _let_playwright_work([self._context])
        answered, self._answered = self._answered, False
        if answered:
            _catch_up(self._context)
        return answered

    def _leaves(self, request: Request) -> None:
        if not request.url.endswith("?catch-up"):
            self._under_way[request] = _page_of(request)

    def _is_over(self, request: Request) -> None:
        if self._under_way.pop(request, None):
            self._answered = True

    def _forget(self, page: Page) -> None:
        self._under_way = {
            request: owner for request, owner in self._under_way.items() if owner is not page
        }


def _page_of(request: Request) -> Page | None:
    try:
        return request.frame.page
    except Error:  # The page is not there yet: this request is what makes it.
        return None


def _catch_up(context: BrowserContext) -> None:
    """Lets the pages' own code see the answers that have come."""
    for page in context.pages:
        try:
            page.evaluate(
                """() => location.protocol === 'http:'
                    && fetch('/?catch-up').then((it) => it.text()).catch(() => {})"""
            )
        except Error:
            continue  # Closed or gone meanwhile.


def _let_playwright_work(contexts: list[BrowserContext]) -> None:
    for context in contexts:
        try:
            context.cookies([])  # A round trip through the browser; what it reported is heard.
        except Error:
            continue  # Killed.
