"""A real browser, and what every test in it shares."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from dwell_process import HOST, free_port

pytest.register_assert_rewrite("Browser.helpers", "Browser.script_site")

from .script_site import write_site  # noqa: E402

CHROMIUM = os.environ.get("DWELL_CHROMIUM", "/usr/bin/chromium")
PATIENCE_MS = 30_000

expect.set_options(timeout=PATIENCE_MS)  # What a context is told does not reach it.


@pytest.fixture(scope="package")
def script_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages on which dwell.js is tested: a file of tests takes them as its `site`."""
    return write_site(tmp_path_factory.mktemp("script-site"))


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def debugging_url() -> str:
    return f"http://{HOST}:{free_port()}"


@pytest.fixture(scope="package")
def browser(playwright: Playwright, debugging_url: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM,
        ignore_default_args=["--disable-back-forward-cache"],  # People's browsers have it.
        args=[
            "--no-sandbox",
            f"--remote-debugging-port={debugging_url.rpartition(':')[2]}",
            f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {HOST}",  # Nothing else exists.
        ],
    )
    yield browser
    browser.close()


@pytest.fixture
def page_errors() -> Iterator[list[str]]:
    """What the pages' scripts threw. A test that expects an error takes it out of the list."""
    errors: list[str] = []
    yield errors
    assert not errors, errors


def watched(context: BrowserContext, errors: list[str]) -> BrowserContext:
    context.set_default_timeout(PATIENCE_MS)
    context.on("weberror", lambda thrown: errors.append(f"{thrown.page}: {thrown.error}"))
    return context


@pytest.fixture
def new_context(
    browser: Browser, page_errors: list[str]
) -> Iterator[Callable[..., BrowserContext]]:
    """Starts browsers that know nothing of each other: `new_context(viewport={...})`."""
    contexts: list[BrowserContext] = []

    def start(**options: object) -> BrowserContext:
        contexts.append(watched(browser.new_context(**options), page_errors))  # type: ignore[arg-type]
        return contexts[-1]

    yield start
    for context in contexts:
        context.close()


@pytest.fixture
def context(new_context: Callable[..., BrowserContext]) -> BrowserContext:
    return new_context()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def tabs(
    playwright: Playwright, browser: Browser, debugging_url: str, page_errors: list[str]
) -> Iterator[BrowserContext]:
    """A context in which a tab behind another is hidden, as in a browser with a screen.

    In contexts that Playwright makes, every page is visible for ever: it switches on DevTools' focus
    emulation, which neither `bring_to_front`, nor a minimized window, nor switching the emulation
    off from another DevTools session undoes. Only a connection with `no_defaults` leaves it off, and
    only in the browser's own first context. Headless Chromium itself knows very well which tab is
    in front.
    """
    connection = playwright.chromium.connect_over_cdp(debugging_url, no_defaults=True)
    context = watched(connection.contexts[0], page_errors)
    forget_everything(context)
    yield context
    forget_everything(context)
    for page in context.pages:
        page.close()
    connection.close()


def forget_everything(context: BrowserContext) -> None:
    """This context outlives its tests: what pages left in it would be found by those after them."""
    page = context.new_page()
    for other in context.pages:
        if other != page:
            other.close()
    context.new_cdp_session(page).send(
        "Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"}
    )
    context.clear_cookies()
    page.close()
