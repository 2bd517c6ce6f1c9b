"""One page, one person: reading, being away, coming back."""

from __future__ import annotations

from collections.abc import Callable

from ..clock import HOUR, MINUTE, SECOND, MovedClock
from ..registry import scenario
from ..scene import Measures, Outcome, Scene

BLURRED = """() => {
    document.hasFocus = () => false;
    dispatchEvent(new FocusEvent('blur'));
}"""
FOCUSED = """() => {
    document.hasFocus = () => true;
    dispatchEvent(new FocusEvent('focus'));
}"""


@scenario("read and close", "17 s on a page, then the tab is closed", real=True)
def read_and_close(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, 17 * SECOND)
    left = scene.leaves(tab)
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)


@scenario("hide for 10 minutes", "read 1 min, another tab for 10 min, read 1 min")
def hide(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, MINUTE)
    hidden = scene.shows(scene.empty_tab(), hidden=tab)
    scene.clock.wait(10 * MINUTE)
    shown = scene.shows(tab)
    scene.reads(tab, MINUTE)
    left = scene.leaves(tab)
    seen = (hidden - came) + (left - shown)
    return scene.outcome(Measures(left - entered, seen, seen), left, email=email)


@scenario("switch windows", "read 1 min, work in a window beside it for 5 min, read 1 min")
def switch_windows(scene: Scene) -> Outcome:
    """Headless Chromium gives every window the focus, so the page is told that it lost it."""
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, MINUTE)
    away = scene.clock.now
    tab.evaluate(BLURRED)
    scene.clock.wait(5 * MINUTE)
    back = scene.clock.now
    tab.evaluate(FOCUSED)
    scene.reads(tab, MINUTE)
    left = scene.leaves(tab)
    engaged = (away - came) + (left - back)
    return scene.outcome(Measures(left - entered, left - came, engaged), left, email=email)


def sleeps(scene: Scene, falls_asleep: Callable[[int], None]) -> Outcome:
    """After half an hour of silence a session is over, so the night belongs to none."""
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, 5 * MINUTE)
    slept = scene.clock.now
    falls_asleep(8 * HOUR)
    woke = scene.clock.now
    scene.reads(tab, 5 * MINUTE)
    left = scene.leaves(tab)
    seen = (slept - came) + (left - woke)
    truth = Measures((slept - entered) + (left - woke), seen, seen)
    return scene.outcome(truth, left, email=email)


@scenario("sleep 8 h", "read 5 min, the machine sleeps for 8 h, read 5 min")
def sleep(scene: Scene) -> Outcome:
    assert isinstance(scene.clock, MovedClock)
    return sleeps(scene, scene.clock.sleep)


@scenario("sleep 8 h, steady clock too", "the same, on a machine whose performance.now() sleeps")
def sleep_like_linux(scene: Scene) -> Outcome:
    assert isinstance(scene.clock, MovedClock)
    return sleeps(scene, scene.clock.sleep_like_linux)


@scenario("idle for 30 minutes", "a page is opened, and nobody touches anything for 30 min")
def idle(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.clock.wait(30 * MINUTE)
    left = scene.leaves(tab)
    return scene.outcome(Measures(left - entered, left - came, MINUTE), left, email=email)


@scenario("pages of an app", "three pages of one document (History API), 1 min each")
def single_page_app(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens()
    for chapter in (1, 2):
        scene.reads(tab, MINUTE)
        tab.evaluate(f"history.pushState({{}}, '', '/confidential/chapter-{chapter}')")
    scene.reads(tab, MINUTE)
    left = scene.leaves(tab)
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)


@scenario(
    "back button", "read 5 s, another page for 4 s, back (bfcache), read 5 s", real=True
)
def back_forward_cache(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens("open")  # What is confidential, no browser keeps for coming back.
    tab.evaluate("window.isTheSame = true")
    scene.reads(tab, 5 * SECOND)
    left = scene.clock.now
    tab.goto(scene.server.url)
    scene.clock.wait(4 * SECOND)
    back = scene.clock.now
    tab.go_back(wait_until="commit")
    assert tab.evaluate("window.isTheSame"), "the page was loaded anew"
    scene.reads(tab, 5 * SECOND)
    left_again = scene.leaves(tab)
    seen = (left - came) + (left_again - back)
    return scene.outcome(Measures(left_again - entered, seen, seen), left_again, email=email)


@scenario("page freeze", "read 5 s, the browser freezes the page for 7 s, read 5 s", real=True)
def freeze(scene: Scene) -> Outcome:
    """Chromium hides what it freezes, and shows it again when the person comes back."""
    email, entered = scene.enters()
    tab, came = scene.opens()
    scene.reads(tab, 5 * SECOND)
    devtools = scene.browser.context.new_cdp_session(tab)
    frozen = scene.clock.now
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    scene.clock.wait(7 * SECOND)
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    scene.shows(scene.empty_tab())
    thawed = scene.shows(tab)
    scene.reads(tab, 5 * SECOND)
    left = scene.leaves(tab)
    seen = (frozen - came) + (left - thawed)
    return scene.outcome(Measures(left - entered, seen, seen), left, email=email)
