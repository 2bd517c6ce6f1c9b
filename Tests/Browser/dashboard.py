"""A dashboard that has something to show, and an operator who looks at it."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from Contract.helpers import Visitor, iso_of, now_ms, person, segment, succeeded, visitor
from dwell_process import Dwell, eventually, let_pass

NAME, PASSWORD = "olga", "a calm and long phrase"
VIDEO = "Lesson 1: how & why"
MINUTE = 60_000
DAY = 1440 * MINUTE


def setup_link(server: Dwell) -> str:
    line = eventually(
        lambda: next((line for line in server.output if "/dashboard/setup#" in line), None),
        what="a link to set up the dashboard",
    )
    return line[line.index("http") :].strip().replace("localhost", "127.0.0.1")


def set_up(page: Page, server: Dwell) -> None:
    """Opens the link that the server printed, and fills in the form."""
    link = setup_link(server)
    page.goto(link)
    expect(page.get_by_label("Code")).to_have_value(link.partition("#")[2])
    assert "#" not in page.url
    expect(page.get_by_label("Name")).to_be_focused()
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Now")


def sign_in(context: BrowserContext, server: Dwell, path: str = "/dashboard") -> Page:
    page = context.new_page()
    page.goto(server.url + path)
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    return page


def bring_history(server: Dwell, folder: Path, days: int = 40) -> None:
    """Sessions of the past, as an earlier system kept them."""
    file = folder / "records.csv"
    with file.open("w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["Id", "emailOfAccessor", "sessionStartTime", "sessionEndTime"])
        for day in range(1, days):
            for one in range(1 + day % 3):
                start = now_ms() - day * DAY - one * 7 * MINUTE
                end = start + (20 + 7 * (day % 5)) * MINUTE
                writer.writerow([day * 10 + one, f"guest{one}@example.org", iso_of(start), iso_of(end)])
    made = server.run("import", "nocodb", str(file))
    assert made.returncode == 0, made.stderr


def look_around(server: Dwell) -> list[Visitor]:
    """Guests on pages in two tabs, and somebody with an account who plays a video."""
    guests = [visitor(server) for _ in range(3)]
    device = person(server).login()
    device.init("lesson-1")
    let_pass(1)
    for guest in guests:
        end = now_ms()
        start = end - 900
        succeeded(
            guest.beat(
                segment(tab="one", n=1, page="/portfolio", end="hidden", **{"from": start, "to": start + 300}),
                segment(tab="one", n=2, page="/portfolio", attention="idle", **{"from": start + 500, "to": end}),
                segment(tab="two", n=1, page="/about", end="left", **{"from": start + 100, "to": start + 250}),
            )
        )
    device.log()
    for place, guest in enumerate(guests):
        now = now_ms()
        about = {"video": VIDEO, "mediaFrom": place * 100, "mediaTo": 400 + place * 100, "mediaDuration": 1000}
        succeeded(guest.beat(segment(tab="film", n=1, end="paused", **about, **{"from": now - 400, "to": now})))
    succeeded(server.client().get("/cronjob/trigger?accessKey=secretcronjob"))
    return guests
