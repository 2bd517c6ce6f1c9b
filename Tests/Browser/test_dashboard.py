"""The dashboard as an operator meets it: every page, light and dark, on a desk and on a phone."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from Contract.helpers import Visitor, segment, succeeded, visitor
from dwell_process import Dwell, eventually

from .dashboard import VIDEO, bring_history, look_around, set_up, sign_in

LIGHT = {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}}
DARK = {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 320, "height": 568}, "is_mobile": True, "has_touch": True}
DARK_PHONE = PHONE | {"color_scheme": "dark"}
LOOKS = {"light": LIGHT, "dark": DARK, "phone": PHONE, "dark phone": DARK_PHONE}
PAGES = {
    "now": "/dashboard",
    "overview": "/dashboard/overview",
    "nothing": "/dashboard/overview?days=7&page=/nowhere",
    "people": "/dashboard/people",
    "sessions": "/dashboard/sessions?person={email}",
    "session": "/dashboard/sessions/{id}",
    "person": "/dashboard/person?email={email}",
    "nobody": "/dashboard/people?q=nobody",
    "videos": "/dashboard/videos",
    "video": "/dashboard/video?name=Lesson%201%3A%20how%20%26%20why",
    "gates": "/dashboard/gates",
    "gate": "/dashboard/gate?name=default",
    "missing": "/dashboard/missing",
    "devices": "/dashboard/devices",
    "webhooks": "/dashboard/webhooks",
    "audit": "/dashboard/audit",
    "settings": "/dashboard/settings",
}
WHOLE = 60_000  # Bytes on the wire of everything but data.


@pytest.fixture(scope="module")
def server(dwell: Dwell, tmp_path_factory: pytest.TempPathFactory) -> Dwell:
    """A server with a past, and an operator."""
    bring_history(dwell, tmp_path_factory.mktemp("history"))
    # Nobody listens there.
    assert dwell.run("webhook", "add", "http://localhost:9/hook", "--event", "gate.entered").returncode == 0
    return dwell


@pytest.fixture(scope="module")
def guests(server: Dwell) -> list[Visitor]:
    return look_around(server)


@pytest.fixture(scope="module")
def state(server: Dwell, browser: Any) -> Iterator[Any]:
    """What a browser keeps in which the operator is signed in."""
    context = browser.new_context()
    set_up(context.new_page(), server)
    yield context.storage_state()
    context.close()


@pytest.fixture
def signed_in(new_context: Callable[..., BrowserContext], state: Any) -> Callable[..., Page]:
    """A page in a browser of some look, signed in: `signed_in(**DARK)`."""

    def start(**look: Any) -> Page:
        return new_context(storage_state=state, **look).new_page()

    return start


def path_of(name: str, guests: list[Visitor]) -> str:
    return PAGES[name].format(id=guests[0].record["id"], email=guests[0].email)


def report(server: Dwell, *arguments: str) -> Any:
    made = server.run("report", *arguments, "--format", "json")
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)


def clock(ms: int) -> str:
    """A duration as `dwell report` prints it."""
    seconds = round(ms / 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_readable_by_everybody(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor], look: str
) -> None:
    page = signed_in(**LOOKS[look])
    console: list[str] = []
    page.on("console", lambda message: console.append(f"{message.type}: {message.text}"))
    for name in PAGES:
        page.goto(server.url + path_of(name, guests))
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        for summary in page.locator("summary").all():
            summary.click()
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"{name}: {width} px too wide"
    # Chromium itself says of the page that is missing that it is.
    assert [line for line in console if "404" not in line] == []


@pytest.mark.parametrize("look", LOOKS)
def test_the_door_is_readable_by_everybody(
    new_context: Callable[..., BrowserContext], state: Any, server: Dwell, look: str
) -> None:
    page = new_context(**LOOKS[look]).new_page()
    page.goto(server.url + "/dashboard")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_label("Name").fill("olga")
    page.get_by_label("Password").fill("not the right one")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("didn't match")
    expect(page.get_by_label("Name")).to_have_value("olga")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_one_signs_in_goes_on_and_signs_out_with_the_keyboard_alone(
    context: BrowserContext, state: Any, server: Dwell
) -> None:
    page = context.new_page()
    page.goto(server.url + "/dashboard/overview?days=7")
    page.get_by_label("Name").focus()
    page.keyboard.type("olga")
    page.keyboard.press("Tab")
    page.keyboard.type("a calm and long phrase")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page.get_by_role("link", name="7 days", exact=True)).to_have_attribute("aria-current", "true")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


# In one go, as others may have left when the page is told again.
COUNT_AND_PEOPLE = """() => [
  Number(document.querySelector('.hero strong').textContent),
  [...document.querySelectorAll('#live tbody th')].map((one) => one.textContent),
]"""


def test_who_comes_is_shown_without_loading_the_page(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]
) -> None:
    # Who has said nothing for six minutes is not here any more.
    succeeded(guests[0].beat(segment(tab="one", n=3, page="/portfolio")))
    page = signed_in()
    page.goto(server.url + "/dashboard")
    expect(page.get_by_role("status")).to_have_text("Live")
    link = page.get_by_role("link", name=guests[0].email)
    link.focus()
    newcomer = visitor(server)
    expect(page.get_by_role("link", name=newcomer.email)).to_be_visible()
    count, people = page.evaluate(COUNT_AND_PEOPLE)
    assert count == len(people)
    assert {guests[0].email, newcomer.email} <= set(people)
    expect(link).to_be_focused()


def test_a_lost_connection_is_told_and_found_again(
    signed_in: Callable[..., Page], fresh_dwell, new_context: Callable[..., BrowserContext]
) -> None:
    server = fresh_dwell()
    page = new_context().new_page()
    set_up(page, server)
    expect(page.get_by_text("As soon as somebody")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Live")
    server.stop()
    expect(page.get_by_role("status")).to_contain_text("lost")
    server.start()
    expect(page.get_by_role("status")).to_have_text("Live")


def test_the_overview_says_what_the_report_says(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]
) -> None:
    days = report(server, "days")  # Which computes what is not computed yet.
    page = signed_in()
    page.goto(server.url + "/dashboard/overview?days=28")
    page.get_by_text("The days as a table").click()
    rows = page.get_by_role("region", name="The days").locator("tbody tr")
    shown = [[cell.strip() for cell in row.locator("th, td").all_inner_texts()] for row in rows.all()]
    expected = days[: len(shown)]
    assert len(shown) > 20
    assert [(row[0], row[1], row[2].split()[0], row[3].split()[0]) for row in shown] == [
        (day["day"], str(day["viewers"]), clock(day["engagedMs"]), clock(day["visibleMs"]))
        for day in expected
    ]
    figures = page.locator(".figures")
    expect(figures).to_contain_text(clock(sum(day["engagedMs"] for day in expected)))
    first = expected[-1]["day"]
    totals = report(server, "totals", "--from", first)
    seen = [total for total in totals if total["visibleMs"] > 0]
    assert figures.locator("div", has_text="People").locator("strong").inner_text() == str(len(seen))
    assert figures.locator("div", has_text="Sessions").locator("strong").inner_text() == str(
        sum(total["sessions"] for total in totals)
    )
    videos = page.get_by_role("region", name="Videos").locator("tbody tr")
    assert [row.locator("th").inner_text() for row in videos.all()] == [
        video["video"] for video in report(server, "videos")
    ]


def test_a_filter_narrows_the_overview(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]
) -> None:
    page = signed_in()
    page.goto(server.url + "/dashboard/overview")
    page.get_by_label("Person", exact=True).fill(guests[0].email)
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="7 days", exact=True).click()  # They may have come before midnight.
    expect(page.get_by_label("Person", exact=True)).to_have_value(guests[0].email)
    expect(page.locator(".figures div", has_text="People").locator("strong")).to_have_text("1")
    page.get_by_role("link", name="/portfolio").click()
    expect(page.get_by_label("Page", exact=True)).to_have_value("/portfolio")
    expect(page.locator(".figures div", has_text="People").locator("strong")).to_have_text("1")
    page.get_by_label("Person", exact=True).fill("")
    page.keyboard.press("Enter")
    expect(page.locator(".figures div", has_text="People").locator("strong")).to_have_text("3")
    page.get_by_role("link", name="Reset").click()
    expect(page.get_by_label("Page", exact=True)).to_have_value("")


def test_days_and_filters_are_chosen_with_the_keyboard_and_stay(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]
) -> None:
    page = signed_in()
    page.goto(server.url + "/dashboard/overview")
    today = page.get_by_label("Through", exact=True).input_value()
    week = (date.fromisoformat(today) - timedelta(days=6)).isoformat()
    page.get_by_role("link", name="7 days", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("From", exact=True)).to_have_value(week)
    expect(page.get_by_label("Through", exact=True)).to_have_value(today)
    # Dates of one's own, and a page of somebody who never saw it.
    page.get_by_label("From", exact=True).fill("2020-01-01")
    page.get_by_label("Through", exact=True).fill("2020-02-01")
    page.get_by_label("Page", exact=True).fill("/portfolio")
    page.get_by_label("Person", exact=True).fill("guest0@example.org")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nobody was here in this time.")).to_be_visible()
    expect(page.get_by_role("navigation", name="Days").locator("[aria-current]")).to_have_count(0)
    for label, value in [
        ("From", "2020-01-01"), ("Through", "2020-02-01"), ("Page", "/portfolio"), ("Video", ""),
        ("Person", "guest0@example.org"), ("Device", ""),
    ]:  # fmt: skip
        expect(page.get_by_label(label, exact=True)).to_have_value(value)


def test_a_device_leads_to_what_was_done_on_it(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]
) -> None:
    page = signed_in()
    page.goto(server.url + "/dashboard/devices")
    row = page.get_by_role("region", name="Devices").locator("tbody tr").first
    person = row.locator("th").inner_text()
    row.locator("td a").click()
    expect(page.locator(".lead")).to_contain_text(f"of {person}")
    expect(page.locator(".figures div", has_text="People").locator("strong")).to_have_text("1")
    # The account has this device alone, so that its figures are the person's.
    figures = page.locator(".figures").inner_text()
    page.get_by_label("Device", exact=True).fill("")
    page.get_by_label("Person", exact=True).fill(person)
    page.keyboard.press("Enter")
    expect(page.locator(".lead")).to_have_count(0)
    assert page.locator(".figures").inner_text() == figures


def test_a_session_shows_what_its_figures_rest_on(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]
) -> None:
    page = signed_in()
    page.goto(server.url + path_of("sessions", guests))
    evidence = guests[0].evidence
    page.get_by_role("link", name=str(evidence["session"]["id"]), exact=True).click()
    expect(page.get_by_role("link", name=guests[0].email)).to_be_visible()
    expect(page.locator(".timeline rect:not(.gap)")).to_have_count(len(evidence["segments"]))
    expect(page.locator(".timeline rect.gap")).to_have_count(len(evidence["gaps"]))
    page.get_by_text("Segments as a table").click()
    rows = page.get_by_role("region", name="Segments").locator("tbody tr")
    expect(rows).to_have_count(len(evidence["segments"]))
    expect(rows.first).to_contain_text(evidence["segments"][0]["page"])
    page.get_by_text("Gaps, and why").click()
    reasons = page.get_by_role("region", name="Gaps").locator("tbody tr td:last-child")
    assert reasons.all_inner_texts() == [gap["reason"] for gap in evidence["gaps"]]


def test_a_person_has_the_figures_of_the_report(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]
) -> None:
    page = signed_in()
    page.goto(server.url + "/dashboard/person?email=guest0@example.org")
    (total,) = report(server, "totals", "--email", "guest0@example.org")
    values = [value.inner_text() for value in page.locator(".figures strong").all()]
    assert values == [
        str(total["sessions"]), clock(total["elapsedMs"]), clock(total["visibleMs"]), clock(total["engagedMs"]),
    ]  # fmt: skip
    sessions = page.get_by_role("region", name="Sessions").locator("tbody tr")
    expect(sessions).to_have_count(min(total["sessions"], 50))


def test_a_persons_day_is_walked_through_with_the_keyboard(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]
) -> None:
    page = signed_in()
    page.goto(server.url + "/dashboard/people")
    page.get_by_label("Email or username").focus()
    page.keyboard.type("GUEST0@")
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="guest0@example.org")
    link.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("guest0@example.org")
    days = {day["day"]: day for day in report(server, "days", "--email", "guest0@example.org")}
    newest, before = list(days)[:2]
    section = page.get_by_role("region", name=f"The day {newest}")
    expect(section.get_by_role("img")).not_to_have_count(0)
    expect(section.locator("figcaption")).to_contain_text(clock(days[newest]["visibleMs"]))
    section.get_by_role("link", name=before).press("Enter")
    expect(page.get_by_role("region", name=f"The day {newest}")).to_have_count(0)
    section = page.get_by_role("region", name=f"The day {before}")
    expect(section.locator("figcaption")).to_contain_text(clock(days[before]["engagedMs"]))
    section.get_by_text("The day as a table").press("Enter")
    rows = section.get_by_role("region", name="The day").locator("tbody tr")
    viewer = server.api("/api/v1/viewers", q="guest0@").json()["viewers"][0]["viewer"]
    timeline = server.api(f"/api/v1/viewers/{viewer['id']}/timeline", day=before).json()
    expect(rows).to_have_count(len(timeline["segments"]))
    expect(rows.first).to_be_visible()
    rows.first.get_by_role("link").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Session {timeline['segments'][0]['sessionId']}")


def test_an_owner_keeps_a_visitor_out_and_lets_them_in_again(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]
) -> None:
    newcomer = visitor(server)
    page = signed_in()
    page.goto(server.url + "/dashboard/gates")
    page.get_by_role("link", name="default").click()
    row = page.get_by_role("row", name=newcomer.email)
    expect(row).to_contain_text("may enter")
    page.get_by_role("button", name=f"Keep {newcomer.email} out").click()
    expect(row).to_contain_text("kept out")
    page.get_by_role("button", name=f"Let {newcomer.email} in again").click()
    expect(row).to_contain_text("may enter")
    page.goto(server.url + "/dashboard/audit")
    lines = page.get_by_role("row").filter(has_text=newcomer.email).filter(has_text="operator: olga")
    expect(lines).to_have_count(2)


def test_sessions_are_picked_by_a_form(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]
) -> None:
    page = signed_in()
    page.goto(server.url + "/dashboard/sessions")
    page.get_by_label("Person").fill(guests[1].email)
    page.get_by_role("button", name="Show").click()
    names = page.locator("tbody td.name a")
    expect(names).to_have_text([guests[1].email])
    page.get_by_label("Page", exact=True).fill("/nowhere")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No session is like this.")).to_be_visible()
    expect(page.get_by_label("Person")).to_have_value(guests[1].email)


def test_a_video_has_its_curve_and_its_people(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]
) -> None:
    path = f"/api/v1/videos/{quote(VIDEO, safe='')}"
    audience = eventually(
        lambda: answer if (answer := server.api(path).json())["video"]["viewers"] == len(guests) else None,
        what="everybody in the curve",
    )
    page = signed_in()
    page.goto(server.url + "/dashboard/videos")
    page.get_by_role("link", name=VIDEO).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(VIDEO)
    expect(page.locator(".figures div", has_text="People").locator("strong")).to_have_text(str(len(guests)))
    page.get_by_text("The curve as a table").click()
    rows = page.get_by_role("region", name="The curve").locator("tbody tr")
    assert [
        [int(cell) for cell in row.locator("td").all_inner_texts()] for row in rows.all()
    ] == [list(counts) for counts in zip(audience["curve"], audience["again"], strict=True)]
    people = page.get_by_role("region", name="People").locator("tbody tr")
    viewers = server.api(f"{path}/viewers").json()["viewers"]
    assert [row.locator("th").inner_text() for row in people.all()] == [
        viewer["viewer"]["email"] for viewer in viewers
    ]
    for row, viewer in zip(people.all(), viewers, strict=True):
        expect(row.locator("rect")).to_have_count(len(viewer["progress"]["ranges"]))


def test_a_person_has_what_they_watched(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]
) -> None:
    page = signed_in()
    page.goto(server.url + path_of("person", guests))
    (row,) = page.get_by_role("region", name="Videos").locator("tbody tr").all()
    expect(row.get_by_role("link")).to_have_text(VIDEO)
    (viewer,) = server.api(f"/api/v1/videos/{quote(VIDEO, safe='')}/viewers", email=guests[0].email).json()["viewers"]
    expect(row).to_contain_text(clock(viewer["progress"]["watchedMs"]))
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(VIDEO)


def test_a_long_list_goes_on_page_by_page(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]
) -> None:
    page = signed_in()
    page.goto(server.url + "/dashboard/sessions")
    seen: list[str] = []
    while True:
        seen += page.locator("tbody th a").all_inner_texts()
        more = page.get_by_role("link", name="Earlier sessions")
        if not more.count():
            break
        more.click()
    assert seen == [str(session["id"]) for session in report(server)]
    assert len(seen) > 50


def test_what_is_not_there_is_said(
    signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]
) -> None:
    page = signed_in()
    for path, status, text in [
        ("/dashboard/sessions/999999", 404, "Not Found"),
        ("/dashboard/sessions/x", 404, "Not Found"),
        ("/dashboard/person?email=nobody@example.org", 404, "Not Found"),
        ("/dashboard/person?id=999999", 404, "Not Found"),
        ("/dashboard/person?id=1&day=2026-02-30", 400, "day"),
        ("/dashboard/person", 400, "email"),
        ("/dashboard/overview?days=367", 400, "days"),
        ("/dashboard/overview?from=2026-02-30", 400, "from"),
        ("/dashboard/overview?from=2026-03-02&through=2026-03-01", 400, "through"),
        ("/dashboard/overview?device=mine", 400, "device"),
        ("/dashboard/people?cursor=-", 400, "cursor"),
        ("/dashboard/gate?name=none", 404, "Not Found"),
        ("/dashboard/gate", 400, "name"),
        ("/dashboard/sessions?from=soon", 400, "from"),
        ("/dashboard/overview?page=/a&video=b", 400, "video"),
        ("/dashboard/sessions?cursor=x", 400, "cursor"),
        ("/dashboard/audit?cursor=x", 400, "cursor"),
        ("/dashboard/devices?cursor=x_y", 400, "cursor"),
        ("/dashboard/video?name=none", 404, "Not Found"),
        ("/dashboard/video", 400, "name"),
        ("/dashboard/videos?cursor=-", 400, "cursor"),
    ]:
        answer = page.goto(server.url + path)
        assert answer and answer.status == status, path
        expect(page.get_by_role("heading", level=1)).to_contain_text(text)
        expect(page.get_by_role("navigation", name="Pages")).to_be_visible()


def test_all_of_it_is_small(signed_in: Callable[..., Page], server: Dwell, guests: list[Visitor]) -> None:
    page = signed_in()
    bodies: dict[str, bytes] = {}
    page.on("response", lambda answer: bodies.setdefault(answer.url, b""))
    for name in PAGES:
        page.goto(server.url + path_of(name, guests))
    files = [url for url in bodies if re.search(r"/dashboard/\w+\.(css|js|svg)$", url)]
    assert len(files) >= 2
    assert all(url.startswith(server.url) for url in bodies), "Something came from elsewhere."
    size = sum(len(gzip.compress(server.client().get(url).content)) for url in files)
    page.goto(server.url + "/dashboard/overview?days=7&page=/nowhere")
    size += len(gzip.compress(page.content().encode()))
    assert size < WHOLE
