"""The pages on which dwell.js is tested, and the answers that a server could give it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

from dwell_process import REPOSITORY, Dwell

from .helpers import Beats, beat_while, let_in, stop_time, write_pages

SCRIPT = '<script src="/dwell.js" {} defer></script>'
FILM = '<video src="/film.webm" width="320" height="2000" loop muted></video>'  # Can be scrolled.
LESSON = '<video src="/film.webm" data-dwell-video="lesson-1" width="320" muted></video>'
LONG = "отчёт-за-третий-квартал-2026-года/глава-седьмая-паромы-севера"  # 6 bytes a letter.
BUTTON = """<button onclick="this.textContent = 'pressed'">press</button>"""
ELEMENT = "<session-heartbeat {}></session-heartbeat>"
PAGES = {
    "index.html": ("", "Nothing is measured here."),
    "open.html": (SCRIPT.format('data-interval="1000"'), BUTTON),
    "watch.html": (SCRIPT.format(""), LESSON),
    "stranger.html": (SCRIPT.format('data-interval="60000"'), "Open to everybody."),
    "confidential/second.html": (SCRIPT.format('data-interval="1000"'), '<a href="/">Away</a>'),
    "confidential/minute.html": (SCRIPT.format('data-interval="60000"'), FILM),
    f"confidential/{LONG}.html": (SCRIPT.format('data-interval="60000"'), "Long."),
    "confidential/default.html": (SCRIPT.format(""), '<a href="/">Away</a><input>'),
    "confidential/hour.html": (SCRIPT.format('data-interval="3600000"'), BUTTON),
    "confidential/idle.html": (SCRIPT.format('data-interval="3600000" data-idle="5000"'), "Idle."),
    "confidential/lesson.html": (SCRIPT.format('data-interval="3600000"'), LESSON),
    "confidential/loud.html": (SCRIPT.format('data-interval="1000" data-debug'), "Loud."),
    "confidential/element.html": (
        SCRIPT.format(""),
        ELEMENT.format('interval="1000" debug'),
    ),
    "confidential/element-data.html": (
        SCRIPT.format(""),
        ELEMENT.format('data-interval="1000" data-debug'),
    ),
    "confidential/element-quiet.html": (
        SCRIPT.format(""),
        ELEMENT.format('interval="1000" debug="false"'),
    ),
}


def write_site(folder: Path) -> Path:
    write_pages(folder, PAGES)
    shutil.copy(REPOSITORY / "Examples/course/lesson.webm", folder / "film.webm")
    return folder


def confidential(server: Dwell, name: str) -> str:
    return f"{server.url}/confidential/{name}.html"


def read(page: Page, server: Dwell, name: str) -> Beats:
    """Opens a page by a clock that the test moves, and waits until its first beat is answered."""
    let_in(page.context, server)
    stop_time(page)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(server, name)))
    return beats


def stored(**more: Any) -> Callable[[Route], None]:
    """The answer of a server whose clock is the page's and that has stored the beat."""

    def answer(route: Route) -> None:
        sent_at = route.request.post_data_json["sentAt"]
        route.fulfill(json={"success": True, "interval": 180_000, "time": sent_at} | more)

    return answer


def refused(status: int, **more: Any) -> Callable[[Route], None]:
    return lambda route: route.fulfill(status=status, json={"success": False, "error": "No."} | more)


def close_to(milliseconds: float, expected: float, within: float = 1000) -> bool:
    return abs(milliseconds - expected) <= within
