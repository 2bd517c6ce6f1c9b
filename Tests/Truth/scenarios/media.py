"""Films: real ones that really play, except where ten minutes are to pass in seconds."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import Page

from ..clock import MINUTE, SECOND
from ..registry import scenario
from ..scene import Film, Measures, Outcome, Scene

PLAY = "() => document.querySelector('video').play()"
PLACE = "document.querySelector('video').currentTime * 1000"
PAUSE = "() => document.querySelector('video').pause()"
FASTER = "() => { document.querySelector('video').playbackRate = 2 }"
SEEK = "(to) => { document.querySelector('video').currentTime = to }"
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


def plays(scene: Scene, tab: Page, milliseconds: int) -> Film:
    """Lets the film play so long without touching anything; gives what was really played."""
    began, first = scene.clock.now, tab.evaluate(PLACE)
    tab.evaluate(PLAY)
    scene.clock.wait(milliseconds)
    return Film(scene.clock.now - began, round(tab.evaluate(PLACE) - first))


def with_film(outcome: Outcome, scene: Scene, email: str, truth: Film) -> Outcome:
    return replace(outcome, film_truth=truth, film_told=scene.film_told(email=email))


@scenario("watch for 10 minutes", "a film plays for 10 min, nobody touches anything")
def watch(scene: Scene) -> Outcome:
    """The film plays by the page's clock: by its own it could not keep up."""
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    began = scene.clock.now
    tab.evaluate(FOLLOW_THE_CLOCK)
    scene.clock.wait(10 * MINUTE)
    left = scene.leaves(tab)
    truth = Measures(left - entered, left - came, left - came)
    outcome = scene.outcome(truth, left, email=email)
    return with_film(outcome, scene, email, Film(left - began, left - began))


@scenario("pause", "a film plays 6 s, is paused 5 s, plays 5 s", real=True)
def pause(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    first = plays(scene, tab, 6 * SECOND)
    tab.evaluate(PAUSE)
    scene.clock.wait(5 * SECOND)
    second = plays(scene, tab, 5 * SECOND)
    left = scene.leaves(tab)
    truth = Measures(left - entered, left - came, left - came)
    outcome = scene.outcome(truth, left, email=email)
    film = Film(first.played + second.played, first.seen + second.seen)
    return with_film(outcome, scene, email, film)


@scenario("seek spam", "a film plays 15 s while somebody seeks 4 times a second", real=True)
def seek_spam(scene: Scene) -> Outcome:
    """How much of the film they saw nobody knows, but it can't be more than the time allows."""
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    tab.evaluate(PLAY)
    for at in range(60):
        tab.evaluate(SEEK, at * 17 % 55)
        scene.clock.wait(SECOND // 4)
    left = scene.leaves(tab)
    truth = Measures(left - entered, left - came, left - came)
    outcome = scene.outcome(truth, left, email=email)
    told = scene.film_told(email=email)
    assert told.seen <= told.played <= left - came, told
    return outcome


@scenario("twice the speed", "a film plays 15 s at rate 2", real=True)
def rate_2(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    tab.evaluate(FASTER)
    film = plays(scene, tab, 15 * SECOND)
    left = scene.leaves(tab)
    truth = Measures(left - entered, left - came, left - came)
    outcome = scene.outcome(truth, left, email=email)
    return with_film(outcome, scene, email, film)
