"""What a page noted while the database was away is told when it is back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from Browser.conftest import CHROMIUM
from Browser.helpers import let_in, record_up_to, write_pages
from Contract.helpers import now_ms
from dwell_process import Dwell
from stores import HOST, PostgresCluster, PostgresDatabase

from .table import IS_LONG, Table

AWAY_S = 45.0 if IS_LONG else 6.0
BEFORE_S = 5.0
AIM_MS = 1000 if IS_LONG else 3000
HEAD = '<script src="/dwell.js" data-interval="2000" defer></script>'
PAGES = {"confidential/page.html": (HEAD, "Read on.")}


@pytest.fixture
def server(
    tmp_path: Path, fresh_dwell: Callable[..., Dwell], database: PostgresDatabase
) -> Dwell:
    return fresh_dwell(store=database, nodes=2, site=write_pages(tmp_path / "site", PAGES))


@pytest.fixture
def page() -> Iterator[Page]:
    arguments = ["--no-sandbox", f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {HOST}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser.new_context().new_page()
        browser.close()


def test_a_page_that_is_read_meanwhile(
    server: Dwell, page: Page, cluster: PostgresCluster, table: Table
) -> None:
    refused: list[int] = []
    page.on("response", lambda answer: answer.status == 503 and refused.append(answer.status))
    email = let_in(page.context, server)
    page.goto(f"{server.url}/confidential/page.html")
    came = now_ms()
    page.wait_for_timeout(BEFORE_S * 1000)
    cluster.stop("immediate")
    try:
        # Longer, if nothing was refused until then.
        with page.expect_response(lambda answer: answer.status == 503, timeout=AWAY_S * 1000 + 60_000):
            page.wait_for_timeout(AWAY_S * 1000)
    finally:
        cluster.start()
    back = time.monotonic()
    with page.expect_response(lambda answer: answer.status == 200, timeout=120_000):
        pass
    told = time.monotonic() - back
    page.wait_for_timeout(2000)
    left = now_ms()
    page.goto("about:blank")
    session = record_up_to(server, email, left - AIM_MS)
    off = session["visibleMs"] - (left - came)
    table.measure(
        f"a page in Chromium that is read while PostgreSQL is away for {AWAY_S:.0f} s",
        f"{len(refused)} × 503; all told {told:.1f} s after the database was back; of"
        f" {(left - came) / 1000:.1f} s, Dwell is {off / 1000:+.2f} s off",
    )
    assert refused
    assert abs(off) <= AIM_MS
