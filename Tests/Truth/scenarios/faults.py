"""What breaks: browsers, networks, servers."""

from __future__ import annotations

import contextlib

from playwright.sync_api import Error

from ..clock import MINUTE, SECOND
from ..registry import scenario
from ..scene import Measures, Outcome, Scene

EARLY_INTERVAL = 15 * SECOND  # From 5 s to 20 s after a stretch of attention began.
LAST_INTERVAL = 3 * MINUTE
NOTED_EVERY = 5 * SECOND
KILLED = (
    "A killed browser sends nothing any more, and nobody comes back. What followed the last beat "
    "is lost: at most the current interval, which is 5 s when a stretch of attention begins, then 15, "
    "30, 60 and 180 s."
)
WRITTEN_LATE = (
    "What a page has noted in its storage, the next one delivers. But Chromium writes storage to "
    "the disk after 5 s and then about once a minute; when all of it is killed, the rest is gone."
)


def reads_again(scene: Scene, email: str, entered: int, before: int, milliseconds: int) -> Outcome:
    """Opens the page once more, reads, and leaves. `before`: how much was read until then."""
    tab, back = scene.opens()
    scene.reads(tab, milliseconds)
    left = scene.leaves(tab)
    seen = before + (left - back)
    return scene.outcome(Measures(left - entered, seen, seen), left, email=email)


def kept_on_disk(scene: Scene) -> tuple[str, int]:
    """Enters, and closes the browser once, so that its cookies are on the disk."""
    email, entered = scene.enters()
    scene.browser.quit()
    scene.restarts(scene.browser)
    return email, entered


@scenario(
    "browser killed (kill -9)",
    "read 18 s, then every process of the browser is killed",
    real=True,
    within=EARLY_INTERVAL + SECOND,
    why=KILLED,
)
def kill(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, 18 * SECOND)
    died = scene.clock.now
    scene.browser.kill()
    return scene.outcome(Measures(died - entered, died - came, died - came), died, email=email)


@scenario(
    "killed after 13 minutes",
    "read 13:20 min, then every process of the browser is killed",
    within=LAST_INTERVAL + SECOND,
    why="As in any killed browser; after so long a stretch the interval is 180 s.",
)
def kill_late(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, 13 * MINUTE + 20 * SECOND)
    died = scene.clock.now
    scene.browser.kill()
    return scene.outcome(Measures(died - entered, died - came, died - came), died, email=email)


@scenario(
    "tab crashed, then reopened",
    "read 18 s, the tab's process dies, open the page again, read 22 s",
    real=True,
    within=NOTED_EVERY + SECOND,
    why="The page notes what it has every 5 s; what followed the last note is lost.",
)
def crash(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, 18 * SECOND)
    died = scene.clock.now
    with contextlib.suppress(Error):
        tab.goto("chrome://crash")
    return reads_again(scene, email, entered, died - came, 22 * SECOND)


@scenario(
    "killed, then reopened",
    "read 18 s, kill -9, start again on the same profile, read 22 s",
    real=True,
    within=EARLY_INTERVAL + SECOND,
    why=WRITTEN_LATE,
)
def kill_and_reopen(scene: Scene) -> Outcome:
    email, entered = kept_on_disk(scene)
    tab, came = scene.opens()
    scene.reads(tab, 18 * SECOND)
    died = scene.clock.now
    scene.browser.kill()
    scene.restarts(scene.browser)
    return reads_again(scene, email, entered, died - came, 22 * SECOND)


@scenario(
    "killed offline, then reopened",
    "read 2 s, read 30 s offline, kill -9, start again with network, read 20 s",
    real=True,
    within=33 * SECOND,
    why=WRITTEN_LATE,
)
def kill_offline_and_reopen(scene: Scene) -> Outcome:
    email, entered = kept_on_disk(scene)
    tab, came = scene.opens()
    scene.reads(tab, 2 * SECOND)
    scene.browser.context.set_offline(True)
    scene.reads(tab, 30 * SECOND)
    died = scene.clock.now
    scene.browser.kill()
    scene.restarts(scene.browser)
    return reads_again(scene, email, entered, died - came, 20 * SECOND)


@scenario("offline for 5 minutes", "read 2 min, no network while reading on for 5 min, read 1 min")
def offline(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, 2 * MINUTE)
    scene.browser.context.set_offline(True)
    scene.reads(tab, 5 * MINUTE)
    scene.browser.context.set_offline(False)
    scene.clock.settle()
    scene.reads(tab, MINUTE)
    left = scene.leaves(tab)
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)


@scenario(
    "offline, closed, reopened",
    "read 2 min, read 3 min offline, close; 10 min later open it again with network, read 1 min",
)
def offline_and_closed(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, 2 * MINUTE)
    scene.browser.context.set_offline(True)
    scene.reads(tab, 3 * MINUTE)
    closed = scene.leaves(tab)
    scene.clock.wait(10 * MINUTE)
    scene.browser.context.set_offline(False)
    return reads_again(scene, email, entered, closed - came, MINUTE)


@scenario("server down for 2 minutes", "read 2 min, 2 min without a server, 2 min with it again")
def server_down(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, 2 * MINUTE)
    scene.server_ends()
    scene.reads(tab, 2 * MINUTE)
    scene.server_starts()
    scene.reads(tab, 2 * MINUTE)
    left = scene.leaves(tab)
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)


@scenario("server killed and started", "read 7 s, 6 s without a server, read 7 s", real=True)
def server_restart(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, 7 * SECOND)
    scene.server_ends()
    scene.reads(tab, 6 * SECOND)
    scene.server_starts()
    scene.reads(tab, 7 * SECOND)
    left = scene.leaves(tab)
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)


@scenario(
    "server away at the end",
    "read 18 s, the server is killed, read 2 s, close",
    real=True,
    within=EARLY_INTERVAL + SECOND,
    why="Nobody is there to be told. What the page keeps in its storage is delivered when the "
    "person opens any page of the site again; here nobody does.",
)
def server_away_at_the_end(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, 18 * SECOND)
    scene.server_ends()
    scene.reads(tab, 2 * SECOND)
    left = scene.leaves(tab)
    scene.server_starts()
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)
