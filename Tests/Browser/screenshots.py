"""Makes the pictures of the docs: `.venv/bin/python Tests/Browser/screenshots.py docs/images`.

Starts Dwell with the example site and walks from the gate to the portfolio, through the course, and past the dashboard.
The dashboard's weeks are lived through by a clock that is moved: `libfaketime`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import Page, expect, sync_playwright  # noqa: E402

from Browser.dashboard import set_up  # noqa: E402
from Contract.helpers import FAKETIME, Visitor, enter, now_ms, segment, succeeded  # noqa: E402
from dwell_process import REPOSITORY, Dwell, eventually  # noqa: E402

CHROMIUM = os.environ.get("DWELL_CHROMIUM", "/usr/bin/chromium")
BROWSER = (  # A name that says nothing of tests.
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Safari/537.36"
)
SIZE = {"width": 1280, "height": 800}
LARGEST = 300_000
MINUTE = 60_000
PEOPLE = ("ada", "bea", "carl", "dora", "emil", "frida", "gustav", "hanna", "ida")
PERSON = {
    "Username": "ada",
    "First name": "Ada",
    "Last name": "Example",
    "Email": "ada@example.com",
    "Password": "correct horse battery",
    "Phone number": "+4915112345678",
}


def keep(page: Page, file: Path) -> None:
    page.screenshot(path=file, animations="disabled", caret="hide")
    size = file.stat().st_size
    print(f"{file}: {size // 1000} KB{', which is a lot' if size > LARGEST else ''}")


def pass_the_gate(page: Page, server: Dwell, folder: Path) -> None:
    page.goto(f"{server.url}/confidential/portfolio/")
    email = page.get_by_label("Email")
    expect(email).to_be_focused()
    email.fill(PERSON["Email"])
    keep(page, folder / "gate.png")
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("people read in a hurry")
    page.wait_for_load_state("networkidle")
    keep(page, folder / "portfolio.png")


def take_the_course(page: Page, server: Dwell, folder: Path) -> None:
    page.goto(f"{server.url}/course/")
    page.get_by_role("button", name="Create an account").click()
    form = page.locator("#register-form")
    for label, value in PERSON.items():
        form.get_by_label(label).fill(value)
    form.get_by_label("Gender").select_option("Female")
    form.get_by_role("button").click()
    video = page.locator("#lesson-video")
    video.click()
    page.mouse.move(5, 5)  # Away from the video, whose controls and frame then hide.
    video.blur()
    expect(page.locator("#watch-status")).to_have_attribute("data-state", "counting")
    eventually(lambda: video.evaluate("(video) => video.currentTime >= 5"), within=30)
    keep(page, folder / "course.png")


def live_through_weeks(server: Dwell) -> None:
    """Lets people come for four weeks: each day they enter in the morning, and their pages tell in the afternoon."""
    server.launcher = ["env"]
    for day in range(27, 0, -1):
        guests: list[Visitor] = []
        students: list[Visitor] = []
        for hours in (0, 6):
            time = f"-{day * 24 - hours}h"
            server.restart(env={"LD_PRELOAD": str(FAKETIME), "FAKETIME": time, "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
            if hours == 0:
                guests = [let_in(server, name) for name in PEOPLE[day % 3 :: 1 + day % 2]]
                students = [let_in(server, f"student{n}") for n in range(24 if day == 2 else 0)]
                continue
            for place, student in enumerate(students):
                watch_a_lesson(student, place)
            for place, guest in enumerate(guests):
                read_pages(guest, day, place)
    server.restart(env={})
    succeeded(server.client().get("/cronjob/trigger?accessKey=secretcronjob"))


def let_in(server: Dwell, name: str) -> Visitor:
    client, email = server.client(), f"{name}@example.com"
    return Visitor(server, email, client, succeeded(enter(client, email))["token"])


def read_pages(guest: Visitor, day: int, place: int) -> None:
    """What two tabs saw of the six hours before now, with gaps between."""
    now = now_ms()
    parts = []
    for n in range(2 + (day + place) % 4):
        start = now - (350 - 60 * n) * MINUTE
        length = (12 + (day * 7 + place * 11 + n * 5) % 34) * MINUTE
        pages = ("/confidential/portfolio/", "/confidential/prices", "/course/")
        parts.append(
            segment(
                tab="left", n=n, page=pages[(n + place) % 3], end=("hidden", "asleep", "left")[n % 3],
                **{"from": start, "to": start + length},
            )
        )
        idle = {"from": start + length // 2, "to": start + length + 8 * MINUTE}
        if n % 2:
            parts.append(segment(tab="right", n=n, page=pages[2], attention="idle", end="hidden", **idle))
    succeeded(guest.beat(*parts))


def watch_a_lesson(guest: Visitor, place: int) -> None:
    """What somebody played of ten minutes: the beginning by most, the end by some, a part in the middle twice by few."""
    about = {"tab": "film", "page": "/course/", "video": "Lesson 1: Reading a chart", "mediaDuration": 10 * MINUTE}
    start = now_ms() - 300 * MINUTE
    first = (0 if place % 5 else 1, 10 if place % 3 else 2 + place % 7)
    spans = [first] + ([(3 + place % 2, 5 + place % 3)] if place % 4 == 0 else [])
    parts = [
        segment(
            n=n, end="paused", mediaFrom=begin * MINUTE, mediaTo=end * MINUTE, **about,
            **{"from": start + n * 30 * MINUTE, "to": start + (n * 30 + end - begin) * MINUTE},
        )
        for n, (begin, end) in enumerate(spans)
    ]  # fmt: skip
    succeeded(guest.beat(*parts))


def show_the_dashboard(page: Page, server: Dwell, folder: Path) -> None:
    live_through_weeks(server)
    guests = [let_in(server, name) for name in PEOPLE[:4]]
    for guest, path in zip(guests, ("/confidential/portfolio/", "/course/", "/confidential/prices", "/"), strict=True):
        succeeded(guest.beat(segment(page=path)))
    set_up(page, server)
    expect(page.get_by_role("status")).to_have_text("Live")
    keep(page, folder / "dashboard-now.png")
    page.get_by_role("link", name="Overview").click()
    keep(page, folder / "dashboard-overview.png")
    person = f"{server.url}/dashboard/person?email={PEOPLE[0]}@example.com"
    page.goto(person)
    page.get_by_role("region", name="Sessions").locator("tbody th a").nth(2).click()
    keep(page, folder / "dashboard-session.png")
    page.goto(f"{server.url}/dashboard/videos")
    page.locator("tbody th a").first.click()
    keep(page, folder / "dashboard-video.png")
    page.emulate_media(color_scheme="dark")
    page.goto(person)
    keep(page, folder / "dashboard-person.png")
    page.emulate_media(color_scheme="light")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        Dwell(Path(scratch), site=REPOSITORY / "Examples") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(
            viewport=SIZE, color_scheme="light", user_agent=BROWSER.format(browser.version)
        )
        pass_the_gate(page, server, folder)
        take_the_course(page, server, folder)
        weeks = Path(scratch) / "weeks"
        weeks.mkdir()
        with Dwell(weeks) as other:
            show_the_dashboard(page, other, folder)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
