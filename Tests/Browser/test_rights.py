"""What an owner does for a person, on the person's page."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from Contract.helpers import visitor
from dwell_process import Dwell

from .dashboard import set_up

PHONE = {"viewport": {"width": 320, "height": 568}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def page(new_context: Callable[..., BrowserContext], dwell: Dwell) -> Page:
    page = new_context(**PHONE).new_page()
    set_up(page, dwell)
    return page


def is_readable(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_an_owner_excludes_includes_exports_and_erases_a_person(page: Page, dwell: Dwell) -> None:
    console: list[Any] = []
    page.on("console", lambda message: console.append(message))
    guest = visitor(dwell)
    path = f"{dwell.url}/dashboard/person?email={quote(guest.email)}"
    page.goto(path)
    page.get_by_label("Reason").fill("a bot")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Excluded from every total")).to_contain_text("a bot")
    is_readable(page)
    page.get_by_role("button", name="Count again").click()
    expect(page.get_by_role("button", name="Exclude")).to_be_visible()
    expect(page.get_by_text("Excluded from every total")).to_have_count(0)
    is_readable(page)

    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    content = Path(download.value.path()).read_bytes()
    assert "person.json" in zipfile.ZipFile(io.BytesIO(content)).namelist()

    assert [message.text for message in console] == []
    page.get_by_label(f"Type {guest.email} to confirm").fill("somebody else")
    page.get_by_role("button", name="Erase").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("confirm")
    assert len(dwell.sessions(email=guest.email)) == 1
    page.goto(path)
    page.get_by_label(f"Type {guest.email} to confirm").fill(guest.email)
    page.get_by_role("button", name="Erase").click()
    expect(page.get_by_role("heading", name="Erasures")).to_be_visible()
    row = page.get_by_role("region", name="Erasures").locator("tbody tr").first
    expect(row).to_contain_text("operator olga")
    is_readable(page)
    assert dwell.sessions(email=guest.email) == []
