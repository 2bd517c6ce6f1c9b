"""Pages, beats and the console as the browser tests speak of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, Route

from Contract.helpers import ms_of, now_ms, unique_email
from dwell_process import Dwell, eventually

BEAT = "/api/session-heartbeat"
SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
NOON = 1_800_000_000_000  # What a page's clock says whose time is moved by hand.
SLACK = 300  # For the way of a beat to the server, by which what it tells may seem to have happened later.


# The server's clock is not moved with the page's. What it says of the time is replaced by the page's
# own, or the page would set its clock by it.
SERVER_IN_PAGE_TIME = """
  const ask = window.fetch;
  window.fetch = async (url, options) => {
    const answer = await ask(url, options);
    if (!options?.body) return answer;
    const text = await answer.text();
    const { status, headers } = answer;
    const { sentAt } = JSON.parse(options.body);
    return new Response(text.replace(/"time":\\d+/, '"time":' + sentAt), { status, headers });
  };
"""


# Pages and visitors


def write_pages(folder: Path, pages: dict[str, tuple[str, str]]) -> Path:
    """Makes a site of pages, each of them given by what its head and its body hold."""
    for path, (head, body) in pages.items():
        page = folder / path
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{path}</title>'
            f'<link rel="icon" href="data:,">{head}</head><body>{body}</body></html>'
        )
    return folder


def let_in(context: BrowserContext, server: Dwell, email: str | None = None) -> str:
    """Takes a browser through the gate without showing it, and gives the email that was left."""
    email = email or unique_email()
    answer = context.request.post(f"{server.url}/api/verify-temp-access", data={"email": email})
    assert answer.ok, answer.text()
    return email


def record(server: Dwell, email: str) -> dict[str, Any]:
    """This visitor's only session, as the API reads it back."""
    (session,) = server.sessions(email=email)
    return session


def record_up_to(server: Dwell, email: str, moment: int) -> dict[str, Any]:
    """The same, once the beat has arrived that tells of this moment, such as that of leaving."""

    def complete() -> dict[str, Any] | None:
        session = record(server, email)
        return session if ms_of(session["sessionEndTime"]) >= moment else None

    return eventually(complete, what="a beat that tells how the visit ended")


def stop_time(page: Page) -> None:
    """From here on the page's time passes only when the test says so: see `page.clock`."""
    page.clock.install(time=(NOON - MINUTE) / 1000)  # In seconds.
    page.clock.pause_at(NOON / 1000)  # A minute, as a slow machine may be past the first by now.
    page.add_init_script(SERVER_IN_PAGE_TIME)


def set_clock(page: Page, by: int) -> None:
    """Sets the page's clock forward or back, as a person or a time server does: no time passes."""
    page.clock.set_system_time((page.evaluate("Date.now()") + by) / 1000)


def wait(page: Page, milliseconds: int) -> None:
    """Lets the page's time pass, second by second. What it asks meanwhile is answered in time."""
    asked: list[Request] = []

    def note(request: Request) -> None:
        if is_beat(request):
            asked.append(request)

    page.on("request", note)
    while milliseconds > 0:
        page.clock.run_for(min(milliseconds, SECOND))
        milliseconds -= SECOND
        while asked:
            asked.pop().response()
            catch_up(page)
    page.remove_listener("request", note)


def tell(page: Page) -> None:
    """Makes the page tell now all that it knows."""
    page.evaluate("dwell.flush()")
    catch_up(page)


# When things happen


@dataclass(frozen=True)
class Moment:
    """When something happened: not before the first of these times, and not after the last."""

    first: int
    last: int


def moment_of(action: Callable[[], object]) -> Moment:
    """Does something, and gives when. A page that loads slowly is there at some time while it does."""
    first = now_ms()
    action()
    return Moment(first, now_ms())


def is_within(at: int, moment: Moment, slack: int = SLACK) -> bool:
    """Whether a time that was told lies within a moment."""
    return moment.first - slack <= at <= moment.last + slack


def lasted(milliseconds: int, *stretches: tuple[Moment, Moment], slack: int = SLACK) -> bool:
    """Whether something was as long as these stretches of time together, each from one moment to another."""
    least = sum(end.first - begin.last for begin, end in stretches)
    most = sum(end.last - begin.first for begin, end in stretches)
    return least - slack <= milliseconds <= most + slack


def show(page: Page) -> None:
    """Brings a tab to the front; it knows of it then."""
    page.bring_to_front()
    eventually(lambda: not page.evaluate("document.hidden"), what="a visible tab")


def hide(page: Page, other: Page) -> None:
    """Brings another tab to the front; this one knows of it then."""
    other.bring_to_front()
    eventually(lambda: page.evaluate("document.hidden"), what="a hidden tab")


# Beats


@dataclass
class Beats:
    """The beats that a page sends, as they leave it.

    What `sendBeacon` sends is counted, but cannot be read: DevTools does not show the body of such a
    request. As the script repeats what was not confirmed, the beat after it tells the same.
    """

    page: Page
    sent: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: is_beat(request) and self.sent.append(request))

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [beat.post_data_json for beat in self.sent if beat.post_data]

    @property
    def segments(self) -> list[dict[str, Any]]:
        """Every segment in the order of their numbers, each as long as it grew.

        Lengths are compared, as times move when the page learns what the server's clock says.
        """
        grown: dict[tuple[str, int], dict[str, Any]] = {}
        for body in self.bodies:
            for one in body["segments"]:
                known = grown.setdefault((one["tab"], one["n"]), one)
                if length(one) >= length(known):
                    grown[one["tab"], one["n"]] = one
        return [grown[name] for name in sorted(grown)]

    def claimed(self, attention: str | None = None) -> int:
        """How many milliseconds of attention they tell of."""
        return sum(length(one) for one in self.segments if attention in (None, one["attention"]))

    def during(self, action: Callable[[], object]) -> int:
        """How many beats something made the page send."""
        before = len(self.sent)
        action()
        catch_up(self.page)
        return len(self.sent) - before


def length(segment: dict[str, Any]) -> int:
    return segment["to"] - segment["from"]


def is_beat(request: Request) -> bool:
    return request.url.endswith(BEAT)


def catch_up(page: Page) -> None:
    """Lets everything happen that the page has set going: its requests leave, its answers come."""
    ask = "fetch('/').then((answer) => answer.text()).catch(() => {})"
    page.evaluate(f"{ask}.then(() => {ask})")


def beat_while(page: Page, action: Callable[[], object]) -> Response:
    """Does something that makes the page send a beat, and gives the answer once the page has it."""
    catch_up(page)  # Only a beat that leaves from here on is meant.
    with page.expect_request(is_beat) as sent:
        action()
    response = sent.value.response()
    assert response is not None, "the beat was not answered"
    catch_up(page)
    return response


@contextmanager
def beats_answered(page: Page, answer: Callable[[Route], object]) -> Iterator[None]:
    """Meanwhile the page's beats get this answer instead of the server's."""
    page.route(f"**{BEAT}", lambda route: answer(route))
    yield
    catch_up(page)
    page.unroute(f"**{BEAT}")


# The console


class Console:
    """What a context's pages write to the console; what the browser itself writes there is apart."""

    def __init__(self, context: BrowserContext) -> None:
        self.messages: list[ConsoleMessage] = []
        context.on("console", lambda message: self.messages.append(message))

    @property
    def failed_requests(self) -> list[str]:
        """The requests that the browser complains about, such as `400 /devices/list`."""
        return [describe(message) for message in self.messages if is_from_browser(message)]

    @property
    def written(self) -> list[str]:
        return [message.text for message in self.messages if not is_from_browser(message)]


def is_from_browser(message: ConsoleMessage) -> bool:
    return message.text.startswith("Failed to load resource: ")


def describe(message: ConsoleMessage) -> str:
    reason = message.text.removeprefix("Failed to load resource: ")
    status = re.search(r"a status of (\d+)", reason)
    return f"{status[1] if status else reason} {urlsplit(message.location['url']).path}"
