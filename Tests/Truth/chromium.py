"""A Chromium of one's own: started, killed and started again on the same profile.

Playwright keeps the pages of the browsers that it starts in front and focused for ever. This one is
started as people start theirs, and Playwright only connects to it (`no_defaults`): a tab behind
another is hidden.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Playwright

from dwell_process import HOST, eventually

CHROMIUM = os.environ.get("DWELL_CHROMIUM", "/usr/bin/chromium")
PATIENCE_S = 30
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
    f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {HOST}",  # Nothing else exists.
]


class Chromium:
    """One browser on one profile. Its first tab stays empty, so that another can be closed."""

    def __init__(self, playwright: Playwright, profile: Path) -> None:
        self.profile = profile
        self._playwright = playwright
        self._process: subprocess.Popen[bytes] | None = None
        self._browser: Browser | None = None
        self.start()

    def start(self) -> None:
        announced = self.profile / "DevToolsActivePort"
        announced.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [CHROMIUM, *ARGUMENTS, f"--user-data-dir={self.profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        eventually(
            lambda: announced.exists() and "/" in announced.read_text(), PATIENCE_S, "a browser"
        )
        port = announced.read_text().split()[0]
        self._browser = self._playwright.chromium.connect_over_cdp(
            f"http://{HOST}:{port}", no_defaults=True
        )
        self.context.set_default_timeout(PATIENCE_S * 1000)

    @property
    def context(self) -> BrowserContext:
        assert self._browser
        return self._browser.contexts[0]

    def kill(self) -> None:
        """What a power cut does: every process of the browser ends at once, without a word."""
        assert self._process
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE_S)
        self._process = None

    def quit(self) -> None:
        """What closing the last window does: all is written to the profile."""
        assert self._process and self._browser
        try:
            self._browser.new_browser_cdp_session().send("Browser.close")
        except Error:
            pass  # It was quicker than its answer.
        self._process.wait(PATIENCE_S)
        self._process = None

    def end(self) -> None:
        if self._process:
            self.kill()
