"""The example site, used as a person would: what it shows must be what Dwell has counted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from Contract.helpers import PASSWORD, unique, unique_email
from dwell_process import REPOSITORY, Dwell, eventually, let_pass

from .helpers import SECOND, SLACK, Console, Moment, lasted, moment_of, record_up_to

PORTFOLIO = "/confidential/portfolio/"
NOT_LOGGED_IN = "400 /devices/list"  # How a page finds out: the browser notes it, nothing is wrong.
NO_ICON = "404 /favicon.ico"  # The pages that Dwell makes itself have none.
POLICY = "default-src 'self'"


@dataclass
class Visit:
    """One person's browser with one tab."""

    server: Dwell
    context: BrowserContext
    expected: set[str] = field(default_factory=set)  # What the browser may complain about.

    def __post_init__(self) -> None:
        self.page: Page = self.context.new_page()
        self.console = Console(self.context)
        self.requested: list[str] = []
        self.context.on("request", lambda request: self.requested.append(request.url))

    def open(self, path: str) -> Page:
        self.page.goto(self.server.url + path)
        return self.page

    def check(self) -> None:
        assert self.console.written == []
        assert set(self.console.failed_requests) - {NO_ICON} == self.expected
        elsewhere = [url for url in self.requested if not url.startswith(f"{self.server.url}/")]
        assert elsewhere == [], "the pages load something from another host"


@pytest.fixture(scope="module")
def site() -> Path:
    return REPOSITORY / "Examples"


@pytest.fixture
def visits(new_context: Callable[..., BrowserContext]) -> Iterator[Callable[[Dwell], Visit]]:
    """Starts visits; each must end without a word on the console and without another host."""
    started: list[Visit] = []

    def visit(server: Dwell) -> Visit:
        started.append(Visit(server, new_context(viewport={"width": 1280, "height": 800})))
        return started[-1]

    yield visit
    for one in started:
        one.check()


# What a person does on the course's page


@dataclass
class Student:
    """A person on the page of the course."""

    visit: Visit
    username: str = field(default_factory=lambda: unique("bea"))

    def __post_init__(self) -> None:
        self.page = self.visit.page
        self.video = self.page.locator("#lesson-video")
        self.status = self.page.locator("#watch-status")

    def arrive(self) -> Student:
        self.visit.open("/course/")
        self.visit.expected.add(NOT_LOGGED_IN)
        expect(self.page.locator("#login-panel")).to_be_visible()
        expect(self.video).to_be_hidden()
        return self

    def register(self) -> Student:
        self.page.get_by_role("button", name="Create an account").click()
        panel = self.page.locator("#register-panel")
        panel.get_by_label("Username").fill(self.username)
        panel.get_by_label("First name").fill("Bea")
        panel.get_by_label("Last name").fill("Example")
        panel.get_by_label("Email").fill(f"{self.username}@example.org")
        panel.get_by_label("Password").fill(PASSWORD)
        panel.get_by_label("Phone number").fill("+4915112345678")
        panel.get_by_label("Gender").select_option("Female")
        panel.get_by_role("button", name="Create account").click()
        expect(self.page.get_by_role("heading", name="Hello, Bea")).to_be_visible()
        return self

    def try_login(self, password: str = PASSWORD) -> Student:
        panel = self.page.locator("#login-panel")
        panel.get_by_label("Username").fill(self.username)
        panel.get_by_label("Password").fill(password)
        panel.get_by_role("button", name="Log in", exact=True).click()
        return self

    def play(self) -> Moment:
        """Gives when the server began to count."""
        return moment_of(self._play)

    def _play(self) -> None:
        with self.page.expect_response("**/session/init?videoId=lesson-1"):
            self.video.click()
        expect(self.status).to_have_attribute("data-state", "counting")

    def watch(self, until: float) -> None:
        """Lets the video play up to a moment of it, in seconds."""
        eventually(lambda: self.played >= until * SECOND, what=f"second {until} of the video")

    def pause(self) -> Moment:
        """Gives when the server counted for the last time."""
        return moment_of(self._pause)

    def _pause(self) -> None:
        with self.page.expect_response("**/session/log"):
            self.video.click()
        expect(self.status).to_have_text("Paused. Nothing is counted now.")

    @property
    def played(self) -> int:
        """How far the video has got, in milliseconds."""
        return round(self.video.evaluate("(video) => video.currentTime") * SECOND)

    @property
    def counted(self) -> int:
        """What the report says of the lesson and this person, in milliseconds."""
        return next((one["engagedMs"] for one in self.report() if one["video"] == "lesson-1"), 0)

    def report(self) -> list[dict[str, Any]]:
        report = self.visit.server.run(
            "report", "videos", "--format", "json", "--username", self.username
        )
        assert report.returncode == 0, report.stderr
        return json.loads(report.stdout)

    @property
    def devices(self) -> Locator:
        return self.page.locator("#device-list li")


@pytest.fixture
def students(visits: Callable[[Dwell], Visit]) -> Callable[..., Student]:
    """People who have just opened the course: `students(server)`, `students(server, username)`."""
    return lambda server, *username: Student(visits(server), *username).arrive()


# The portfolio


def pass_the_gate(page: Page, email: str) -> None:
    expect(page.get_by_label("Email")).to_be_focused()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("people read in a hurry")


def go_back_to_the_start(page: Page, server: Dwell) -> None:
    page.get_by_role("link", name="Back to the start").click()
    expect(page).to_have_url(f"{server.url}/")


def test_the_portfolio_is_behind_the_gate_and_leaves_a_record(
    visits: Callable[[Dwell], Visit], dwell: Dwell
) -> None:
    email = unique_email()
    page = visits(dwell).open("/")
    page.get_by_role("link", name="Open the portfolio").click()
    came = moment_of(lambda: pass_the_gate(page, email))
    assert page.url == dwell.url + PORTFOLIO
    let_pass(2.5)
    left = moment_of(lambda: go_back_to_the_start(page, dwell))
    session = record_up_to(dwell, email, left.first)
    for measure in ("elapsedMs", "visibleMs", "engagedMs"):
        assert lasted(session[measure], (came, left)), (measure, session)
    assert [one["id"] for one in dwell.sessions(page=PORTFOLIO, email=email)] == [session["id"]]


def test_a_picture_of_the_portfolio_cannot_be_had_without_an_email(
    visits: Callable[[Dwell], Visit], dwell: Dwell
) -> None:
    page = visits(dwell).open(f"{PORTFOLIO}ferry.svg")
    expect(page.get_by_label("Email")).to_be_visible()


# The course


def test_who_registers_is_logged_in(students: Callable[..., Student], dwell: Dwell) -> None:
    student = students(dwell).register()
    expect(student.video).to_be_visible()
    expect(student.devices).to_have_count(1)
    expect(student.devices.get_by_text("This device")).to_be_visible()
    name = student.devices.locator(".device-name").inner_text()
    assert re.fullmatch(r"(Headless)?Chrom\w+( Headless)? [\d.]+ on .*Linux.*", name), name
    student.page.reload()
    expect(student.page.get_by_role("heading", name="Hello, Bea")).to_be_visible()


def test_the_report_shows_what_was_watched(students: Callable[..., Student], dwell: Dwell) -> None:
    student = students(dwell).register()
    began = student.play()
    student.watch(until=3)
    paused = student.pause()
    assert student.played >= 3 * SECOND
    assert lasted(student.counted, (began, paused))
    (lesson,) = student.report()
    assert lesson["viewers"] == 1


def test_who_leaves_while_the_video_plays_is_counted_up_to_then(
    students: Callable[..., Student], dwell: Dwell
) -> None:
    student = students(dwell).register()
    began = student.play()
    student.watch(until=2.5)
    left = moment_of(lambda: go_back_to_the_start(student.page, dwell))
    least = left.first - began.last - SLACK
    eventually(lambda: student.counted >= least, what="what was watched")
    assert lasted(student.counted, (began, left))


def test_a_second_device_removes_the_first(students: Callable[..., Student], dwell: Dwell) -> None:
    first = students(dwell).register()
    second = students(dwell, first.username).try_login()
    expect(second.devices).to_have_count(2)
    expect(second.page.locator("#device-count")).to_have_text("2 logged in")
    second.devices.get_by_role("button", name="Remove").click()
    expect(second.devices).to_have_count(1)
    expect(second.devices.get_by_text("This device")).to_be_visible()
    expect(second.page.locator("#account-message")).to_contain_text("Device Deleted")

    expect(first.video).to_be_visible()  # It cannot know yet.
    first.visit.expected.add("401 /session/init")
    first.video.click()
    expect(first.page.locator("#login-panel")).to_be_visible()
    expect(first.page.locator("#login-message")).to_contain_text("removed")
    expect(first.video).to_be_hidden()


def test_at_the_limit_a_login_shows_the_devices_there_are(
    students: Callable[..., Student], fresh_dwell: Callable[..., Dwell], site: Path
) -> None:
    server = fresh_dwell("--device-limit", "1", site=site)
    first = students(server).register()
    second = students(server, first.username).try_login()
    second.visit.expected.add("421 /auth/login")
    refusal = second.page.locator("#login-refusal")
    expect(refusal).to_be_visible()
    names = refusal.locator(".device-name")
    expect(names).to_have_text(first.devices.locator(".device-name").all_inner_texts())
    expect(second.page.locator("#login-message")).to_contain_text("Maximum user device logged in")
    expect(second.video).to_be_hidden()

    first.page.get_by_role("button", name="Log out").click()
    expect(first.page.locator("#login-message")).to_have_text("You are logged out.")
    second.try_login()
    expect(second.page.get_by_role("heading", name="Hello, Bea")).to_be_visible()


def test_at_the_limit_a_device_can_be_replaced_where_the_server_asks(
    students: Callable[..., Student], fresh_dwell: Callable[..., Dwell], site: Path
) -> None:
    """Chromium sends a login that gets 421 a second time by itself: the second ticket is the one that counts."""
    server = fresh_dwell("--device-limit", "1", "--device-policy", "ask", site=site)
    first = students(server).register()
    second = students(server, first.username).try_login()
    second.visit.expected.add("421 /auth/login")
    second.page.locator("#login-refusal").get_by_role("button", name="Log in here instead of").click()
    expect(second.page.get_by_role("heading", name="Hello, Bea")).to_be_visible()
    expect(second.devices.get_by_text("This device")).to_be_visible()
    expect(second.devices).to_have_count(1)

    first.visit.expected.add("401 /session/init")
    first.video.click()
    expect(first.page.locator("#login-message")).to_contain_text("removed from the access list")


def test_a_wrong_password_is_told(students: Callable[..., Student], dwell: Dwell) -> None:
    registered = students(dwell).register()
    student = students(dwell, registered.username).try_login("not the password")
    student.visit.expected.add("401 /auth/login")
    expect(student.page.locator("#login-message")).to_have_text(
        "Username or password didn't match"
    )
    expect(student.page.locator("#login-panel").get_by_label("Username")).to_have_value(
        registered.username
    )


def test_a_dead_server_does_not_stop_the_video(
    students: Callable[..., Student], fresh_dwell: Callable[..., Dwell], site: Path
) -> None:
    server = fresh_dwell(site=site)
    student = students(server).register()
    eventually(lambda: student.video.evaluate("(video) => video.readyState === 4"))
    server.kill()
    student.visit.expected.add("net::ERR_CONNECTION_REFUSED /session/init")
    student.video.click()
    expect(student.status).to_have_attribute("data-state", "problem")
    student.watch(until=1)


def test_the_pages_run_under_a_strict_policy(
    students: Callable[..., Student], visits: Callable[[Dwell], Visit], dwell: Dwell
) -> None:
    """A violation would be an error on the console, and those end the visit with a failure."""

    def with_policy(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        headers = answer.headers | {"content-security-policy": POLICY}
        route.fulfill(response=answer, headers=headers)

    visit = visits(dwell)
    for path in ("/", "/course/", f"{PORTFOLIO}*"):
        visit.context.route(dwell.url + path, with_policy)
    page = visit.open("/")
    page.get_by_role("link", name="Open the portfolio").click()
    pass_the_gate(page, unique_email())
    student = Student(visit).arrive().register()
    student.play()
    student.watch(until=0.5)
    student.pause()
    answer = page.reload()
    assert answer and answer.headers["content-security-policy"] == POLICY


@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("path", ["/", "/course/"])
def test_the_pages_fit_every_screen(
    new_context: Callable[..., BrowserContext], dwell: Dwell, path: str, width: int
) -> None:
    page = new_context(viewport={"width": width, "height": 800}).new_page()
    page.goto(dwell.url + path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
