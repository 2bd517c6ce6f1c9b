"""Films: real ones that really play, except where ten minutes are to pass in seconds."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import Page

from Contract.helpers import person
from dwell_process import eventually

from ..clock import HOUR, MINUTE, SECOND
from ..registry import scenario
from ..scene import Film, Measures, Outcome, Scene
from .tabs import logs_in, total_of

PLAY = "() => document.querySelector('video').play()"
PLACE = "document.querySelector('video').currentTime * 1000"
PAUSE = "() => document.querySelector('video').pause()"
# Where it was when it paused: a film that is too fast for the machine goes back to its last picture afterwards.
PAUSE_AND_PLACE = """() => {
    const film = document.querySelector('video');
    const paused = new Promise((done) =>
        film.addEventListener('pause', () => done(film.currentTime * 1000), { once: true }));
    film.pause();
    return paused;
}"""
AT_RATE = "(rate) => { document.querySelector('video').playbackRate = rate }"
SEEK = "(to) => { document.querySelector('video').currentTime = to }"
PLACE_AND_SEEK = """(to) => {
    const film = document.querySelector('video');
    const place = film.currentTime * 1000;
    const seeked = new Promise((done) => film.addEventListener('seeked', done, { once: true }));
    film.currentTime = to;
    return seeked.then(() => place);
}"""
PIECES = """async ({ seconds, isLive }) => {
    const film = document.querySelector('video');
    const bytes = await (await fetch('/film.webm')).arrayBuffer();
    const source = new MediaSource();
    film.src = URL.createObjectURL(source);
    await new Promise((done) => source.addEventListener('sourceopen', done, { once: true }));
    const buffer = source.addSourceBuffer('video/webm; codecs="vp9,opus"');
    window.append = (from, to) => new Promise((done) => {
        buffer.addEventListener('updateend', done, { once: true });
        buffer.appendBuffer(bytes.slice(bytes.byteLength * from / 60, bytes.byteLength * to / 60));
    });
    await append(0, seconds);
    if (isLive) source.duration = Infinity;
}"""
FOLLOW_THE_CLOCK = """(first) => {
    const film = document.querySelector('video');
    const began = Date.now();
    Object.defineProperty(film, 'currentTime', { get: () => first + (Date.now() - began) / 1000 });
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


def plays_and_pauses(scene: Scene, tab: Page, milliseconds: int) -> Film:
    """What was really played, to the millisecond also where a blink is a second of the film."""
    began, first = scene.clock.now, tab.evaluate(PLACE)
    tab.evaluate(PLAY)
    scene.clock.wait(milliseconds)
    place = tab.evaluate(PAUSE_AND_PLACE)
    return Film(scene.clock.now - began, round(place - first))


def with_film(outcome: Outcome, scene: Scene, truth: Film, **whose: str) -> Outcome:
    return replace(outcome, film_truth=truth, film_told=scene.film_told(**whose))


def told(scene: Scene, email: str, entered: int, came: int, left: int, *films: Film) -> Outcome:
    """What Dwell tells of a page that was in view, or heard, all the time, and of what played on it."""
    truth = Measures(left - entered, left - came, left - came)
    film = Film(sum(one.played for one in films), sum(one.seen for one in films))
    return with_film(scene.outcome(truth, left, email=email), scene, film, email=email)


@scenario("watch for 10 minutes", "a film plays for 10 min, nobody touches anything")
def watch(scene: Scene) -> Outcome:
    """The film plays by the page's clock: by its own it could not keep up."""
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    began = scene.clock.now
    tab.evaluate(FOLLOW_THE_CLOCK, 0)
    scene.clock.wait(10 * MINUTE)
    left = scene.leaves(tab)
    return told(scene, email, entered, came, left, Film(left - began, left - began))


@scenario("pause", "a film plays 6 s, is paused 5 s, plays 5 s", real=True)
def pause(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    first = plays(scene, tab, 6 * SECOND)
    tab.evaluate(PAUSE)
    scene.clock.wait(5 * SECOND)
    second = plays(scene, tab, 5 * SECOND)
    left = scene.leaves(tab)
    return told(scene, email, entered, came, left, first, second)


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
    film = scene.film_told(email=email)
    assert film.seen <= film.played <= left - came, film
    return outcome


def plays_at(scene: Scene, rate: int, milliseconds: int) -> Outcome:
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    tab.evaluate(AT_RATE, rate)
    film = plays_and_pauses(scene, tab, milliseconds)
    left = scene.leaves(tab)
    return told(scene, email, entered, came, left, film)


@scenario("twice the speed", "a film plays 15 s at rate 2", real=True)
def rate_2(scene: Scene) -> Outcome:
    return plays_at(scene, 2, 15 * SECOND)


@scenario("16 times the speed", "a film plays 3 s at rate 16", real=True)
def rate_16(scene: Scene) -> Outcome:
    return plays_at(scene, 16, 3 * SECOND)


@scenario("watch through", "a film of a minute plays to its end", real=True)
def watch_through(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    tab.evaluate("() => { document.querySelector('video').loop = false }")
    began = scene.clock.now
    tab.evaluate(PLAY)
    while not tab.evaluate("document.querySelector('video').ended"):
        scene.clock.wait(SECOND // 10)
    film = Film(scene.clock.now - began, round(tab.evaluate(PLACE)))
    left = scene.leaves(tab)
    return told(scene, email, entered, came, left, film)


@scenario("seek back and forth", "4 s from 0:10, 4 s from 0:40, 4 s from 0:12", real=True)
def seek(scene: Scene) -> Outcome:
    """While it plays; what a seek jumps over was not seen."""
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    tab.evaluate(PLACE_AND_SEEK, 10)
    tab.evaluate(PLAY)
    seen = 0
    for first, following in [(10, 40), (40, 12), (12, None)]:
        scene.clock.wait(4 * SECOND)
        place = tab.evaluate(PLACE_AND_SEEK, following) if following else tab.evaluate(PLACE)
        seen += round(place) - first * SECOND
    left = scene.leaves(tab)
    return told(scene, email, entered, came, left, Film(seen, seen))


@scenario("loop", "a film in a loop plays its last 4 s, and its first 6 s", real=True)
def loop(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    tab.evaluate(PLACE_AND_SEEK, 56)
    began = scene.clock.now
    tab.evaluate(PLAY)
    scene.clock.wait(10 * SECOND)
    rest = round(tab.evaluate("document.querySelector('video').duration * 1000")) - 56 * SECOND
    film = Film(scene.clock.now - began, rest + round(tab.evaluate(PLACE)))
    left = scene.leaves(tab)
    return told(scene, email, entered, came, left, film)


def plays_behind_another(scene: Scene, before: str) -> tuple[str, int, int, int, int, Page, list[Film]]:
    """5 s in view, 6 s in a tab behind another, 5 s in view: the moments, and what played of each."""
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    tab.evaluate(PLAY)
    tab.evaluate(f"async () => {{ const film = document.querySelector('video'); {before} }}")
    films = [plays(scene, tab, 5 * SECOND)]
    hidden = scene.shows(scene.empty_tab(), hidden=tab)
    began, first = scene.clock.now, tab.evaluate(PLACE)
    scene.clock.wait(6 * SECOND)
    films.append(Film(scene.clock.now - began, round(tab.evaluate(PLACE) - first)))
    shown = scene.shows(tab)
    films.append(plays(scene, tab, 5 * SECOND))
    return email, entered, came, hidden, shown, tab, films


@scenario("muted behind another tab", "a muted film plays 5 s, 6 s in a hidden tab, 5 s", real=True)
def muted(scene: Scene) -> Outcome:
    email, entered, came, hidden, shown, tab, films = plays_behind_another(scene, "")
    left = scene.leaves(tab)
    seen = (hidden - came) + (left - shown)
    truth = Measures(left - entered, seen, seen)
    film = Film(films[0].played + films[2].played, films[0].seen + films[2].seen)
    return with_film(scene.outcome(truth, left, email=email), scene, film, email=email)


@scenario("heard behind another tab", "the same with its sound on", real=True)
def heard(scene: Scene) -> Outcome:
    email, entered, came, _, _, tab, films = plays_behind_another(scene, "film.muted = false")
    left = scene.leaves(tab)
    return told(scene, email, entered, came, left, *films)


@scenario("picture in picture", "the same, muted, in a window of its own", real=True)
def picture_in_picture(scene: Scene) -> Outcome:
    email, entered, came, _, _, tab, films = plays_behind_another(
        scene, "await film.requestPictureInPicture()"
    )
    assert tab.evaluate("document.pictureInPictureElement !== null")
    left = scene.leaves(tab)
    return told(scene, email, entered, came, left, *films)


def plays_pieces(scene: Scene, seconds: int, isLive: bool = False) -> tuple[str, int, Page, int]:
    """A page whose player gets its film in pieces, as those of hls.js and dash.js do."""
    email, entered = scene.enters()
    tab, came = opens_film(scene)
    tab.evaluate(PIECES, {"seconds": seconds, "isLive": isLive})
    return email, entered, tab, came


@scenario("network stall", "a film plays 6 s, waits for data for 5 s, plays 5 s", real=True)
def stall(scene: Scene) -> Outcome:
    email, entered, tab, came = plays_pieces(scene, 12)
    end = tab.evaluate("document.querySelector('video').buffered.end(0)")
    first = end - 6
    tab.evaluate(PLACE_AND_SEEK, first)
    tab.evaluate(PLAY)
    eventually(
        lambda: tab.evaluate("document.querySelector('video').readyState") < 3, 20, "a stall"
    )
    scene.clock.wait(5 * SECOND)
    tab.evaluate("append(12, 60)")
    scene.clock.wait(5 * SECOND)
    tab.evaluate(PAUSE)
    seen = round(tab.evaluate(PLACE) - first * SECOND)
    left = scene.leaves(tab)
    return told(scene, email, entered, came, left, Film(seen, seen))


@scenario("live stream", "a stream without an end plays 8 s", real=True)
def live(scene: Scene) -> Outcome:
    """The time is told; a place in it is none that anybody could come back to."""
    email, entered, tab, came = plays_pieces(scene, 60, isLive=True)
    assert tab.evaluate("document.querySelector('video').duration === Infinity")
    film = plays(scene, tab, 8 * SECOND)
    left = scene.leaves(tab)
    return told(scene, email, entered, came, left, Film(film.played, 0))


@scenario("two players on a page", "one film 5 s, a second one beside it 5 s, that alone 5 s", real=True)
def two_players(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens("confidential/films")
    ready = "[...document.querySelectorAll('video')].every((film) => film.readyState >= 3)"
    tab.wait_for_function(ready, polling=50)
    first, second = (f"document.querySelectorAll('video')[{number}]" for number in (0, 1))
    tab.evaluate(f"() => {first}.play()")
    scene.clock.wait(5 * SECOND)
    tab.evaluate(f"() => {second}.play()")
    scene.clock.wait(5 * SECOND)
    tab.evaluate(f"() => {first}.pause()")
    scene.clock.wait(5 * SECOND)
    seen = round(tab.evaluate(f"({first}.currentTime + {second}.currentTime) * 1000"))
    left = scene.leaves(tab)
    return told(scene, email, entered, came, left, Film(seen, seen))


@scenario("another day, another device", "a film plays 4 min; a day later on a phone 6 min from there")
def another_day(scene: Scene) -> Outcome:
    account = person(scene.server)
    logs_in(scene, scene.browser, account)
    laptop, came = scene.opens("film")
    began = scene.clock.now
    laptop.evaluate(FOLLOW_THE_CLOCK, 0)
    scene.clock.wait(4 * MINUTE)
    stopped = scene.leaves(laptop)
    scene.clock.sleep(20 * HOUR)
    device = scene.start_browser("phone")
    logs_in(scene, device, account)
    phone, back = scene.opens("film", device, who="phone")
    resumed = scene.clock.now
    phone.evaluate(FOLLOW_THE_CLOCK, (stopped - began) / SECOND)
    scene.clock.wait(6 * MINUTE)
    left = scene.leaves(phone)
    seen = (stopped - came) + (left - back)
    summed, possible_error = scene.told(left, username=account.username)
    total = total_of(scene, account)
    assert total.elapsed == summed.elapsed
    outcome = Outcome(Measures(seen, seen, seen), total, possible_error)
    film = (stopped - began) + (left - resumed)
    return with_film(outcome, scene, Film(film, film), username=account.username)
