"""What dwell.js costs a page that nobody touches: bytes, and time on the main thread."""

from __future__ import annotations

import gzip
import tempfile
from dataclasses import dataclass
from pathlib import Path

import requests
from playwright.sync_api import CDPSession, sync_playwright

from .clock import SECOND, RealClock
from .scene import Scene

SETTLING = 5 * SECOND
WATCHED = 20 * SECOND
MINUTE_S = 60


@dataclass(frozen=True)
class Cost:
    """Bytes, and milliseconds a minute."""

    size: int
    gzipped: int
    task_ms: float
    script_ms: float
    bare_task_ms: float
    bare_script_ms: float

    def __str__(self) -> str:
        return (
            f"dwell.js is {self.size:,} bytes, {self.gzipped:,} gzipped. On a page that nobody "
            f"touches the main thread is busy for {self.task_ms:.1f} ms a minute with it "
            f"(script: {self.script_ms:.1f} ms), and for {self.bare_task_ms:.1f} ms without it."
        )


def measure() -> Cost:
    """Watches the same page with and without the script, in two browsers at the same time."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        with sync_playwright() as playwright:
            scene = Scene(Path(folder), playwright, RealClock())
            try:
                return _measure(scene)
            finally:
                scene.close()


def _measure(scene: Scene) -> Cost:
    other = scene.start_browser("other")
    scene.enters()
    measured, bare = (
        browser.context.new_cdp_session(scene.opens(page, browser)[0])
        for browser, page in [(scene.browser, "measured"), (other, "bare")]
    )
    for devtools in (measured, bare):
        devtools.send("Performance.enable")
    scene.clock.wait(SETTLING)
    before = _busy(measured) + _busy(bare)
    scene.clock.wait(WATCHED)
    after = _busy(measured) + _busy(bare)
    a_minute = [
        (late - early) * SECOND * MINUTE_S * SECOND / WATCHED
        for early, late in zip(before, after, strict=True)
    ]
    script = requests.get(f"{scene.server.url}/dwell.js", timeout=10).content
    return Cost(len(script), len(gzip.compress(script, 9, mtime=0)), *a_minute)


def _busy(devtools: CDPSession) -> list[float]:
    """Seconds that the main thread has worked in all, and those of them in scripts."""
    answer = devtools.send("Performance.getMetrics")
    metrics = {one["name"]: one["value"] for one in answer["metrics"]}
    return [metrics["TaskDuration"], metrics["ScriptDuration"]]
