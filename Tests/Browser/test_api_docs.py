"""The description of the API as people read it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, expect

from dwell_process import Dwell

DESK = {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}}
DARK_PHONE = {"viewport": {"width": 320, "height": 568}, "is_mobile": True, "color_scheme": "dark"}


@pytest.mark.parametrize("look", [DESK, DARK_PHONE], ids=["desk", "dark phone"])
def test_the_description_is_readable_by_everybody(
    new_context: Callable[..., BrowserContext], dwell: Dwell, look: dict[str, object]
) -> None:
    page = new_context(**look).new_page()
    page.goto(f"{dwell.url}/api/v1/docs")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dwell API")
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0, f"{width} px too wide"
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("link", name="Session", exact=True).first.click()
    expect(page.locator("#schema-Session")).to_be_in_viewport()
