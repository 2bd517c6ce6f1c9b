"""Makes the pictures of the docs: `.venv/bin/python Tests/Browser/screenshots.py docs/images`.

Starts Dwell with the example site, stands at the gate and walks through the course; then past the dashboard, which shows the
month that `dwell demo` makes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import Page, expect, sync_playwright  # noqa: E402

from Browser.dashboard import set_up  # noqa: E402
from dwell_process import BINARY, REPOSITORY, Dwell, eventually  # noqa: E402

CHROMIUM = os.environ.get("DWELL_CHROMIUM", "/usr/bin/chromium")
BROWSER = (  # A name that says nothing of tests.
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Safari/537.36"
)
SIZE = {"width": 1280, "height": 800}
LARGEST = 300_000
DEMO = REPOSITORY / "Examples" / "demo.yaml"
FORGER = "mallory@forgers.example"
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


def stand_at_the_gate(page: Page, server: Dwell, folder: Path) -> None:
    page.goto(f"{server.url}/confidential/portfolio/")
    email = page.get_by_label("Email")
    expect(email).to_be_focused()
    email.fill(PERSON["Email"])
    keep(page, folder / "gate.png")


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


def show_the_dashboard(page: Page, server: Dwell, folder: Path) -> None:
    set_up(page, server)
    expect(page.get_by_role("status")).to_have_text("Live")
    keep(page, folder / "dashboard-now.png")
    page.get_by_role("link", name="Overview").click()
    keep(page, folder / "dashboard-overview.png")
    # Among those who are listed first, somebody who stayed for long.
    page.goto(f"{server.url}/dashboard/sessions?person={FORGER}")
    page.get_by_role("region", name="Sessions").locator("tbody th a").first.click()
    keep(page, folder / "dashboard-session.png")
    page.goto(f"{server.url}/dashboard/videos")
    page.locator("tbody th a").first.click()
    keep(page, folder / "dashboard-video.png")
    page.emulate_media(color_scheme="dark")
    page.goto(f"{server.url}/dashboard")
    page.get_by_role("main").locator("tbody th a").first.click()
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
        stand_at_the_gate(page, server, folder)
        take_the_course(page, server, folder)
        month = Path(scratch) / "month"
        month.mkdir()
        other = Dwell(month, "--config", str(DEMO))
        subprocess.run(
            [str(BINARY), "demo", "--config", str(DEMO), "--database-url", other.database_url], check=True
        )
        with other:
            show_the_dashboard(page, other, folder)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
