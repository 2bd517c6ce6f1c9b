"""Films: real ones that really play, except where ten minutes are to pass in seconds."""

from __future__ import annotations

from playwright.sync_api import Page

from ..clock import MINUTE, SECOND
from ..registry import scenario
from ..scene import Measures, Outcome, Scene

PLAY = "() => document.querySelector('video').play()"
PAUSE = "() => document.querySelector('video').pause()"
FOLLOW_THE_CLOCK = """() => {
    const film = document.querySelector('video');
    const began = Date.now();
    Object.defineProperty(film, 'currentTime', { get: () => (Date.now() - began) / 1000 });
    Object.defineProperty(film, 'duration', { get: () => 3600 });
    return film.play();
}"""


def opens_film(scene: Scene) -> tuple[Page, int]:
    tab, came = scene.opens("confidential/film")
    tab.wait_for_function("document.querySelector('video').readyState >= 3", polling=50)
    return tab, came


@scenario("watch for 10 minutes", "a film plays for 10 min, nobody touches anything")
def watch(scene: Scene) -> Outcome:
    """The film plays by the page's clock: by its own it could not keep up."""
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    tab.evaluate(FOLLOW_THE_CLOCK)
    scene.clock.wait(10 * MINUTE)
    left = scene.leaves(tab)
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)


@scenario("pause", "a film plays 6 s, is paused 5 s, plays 5 s", real=True)
def pause(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    tab.evaluate(PLAY)
    scene.clock.wait(6 * SECOND)
    tab.evaluate(PAUSE)
    scene.clock.wait(5 * SECOND)
    tab.evaluate(PLAY)
    scene.clock.wait(5 * SECOND)
    left = scene.leaves(tab)
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)


@scenario("seek spam", "a film plays 15 s while somebody seeks 4 times a second", real=True)
def seek_spam(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    tab.evaluate(PLAY)
    for at in range(60):
        tab.evaluate("(to) => { document.querySelector('video').currentTime = to }", at * 17 % 55)
        scene.clock.wait(SECOND // 4)
    left = scene.leaves(tab)
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)


@scenario("twice the speed", "a film plays 15 s at rate 2", real=True)
def rate_2(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    tab.evaluate("document.querySelector('video').playbackRate = 2")
    tab.evaluate(PLAY)
    scene.clock.wait(15 * SECOND)
    left = scene.leaves(tab)
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)
