"""Several tabs, several browsers, one person."""

from __future__ import annotations

import json

from Contract.helpers import Person, person

from ..chromium import Chromium
from ..clock import MINUTE, SECOND
from ..registry import scenario
from ..scene import Measures, Outcome, Scene


@scenario("two tabs", "one tab 5 s, a second one 5 s, the first again 5 s", real=True)
def two_tabs(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    one, came = scene.opens()
    scene.reads(one, 5 * SECOND)
    two, _ = scene.opens()
    scene.reads(two, 5 * SECOND)
    scene.shows(one, hidden=two)
    scene.reads(one, 5 * SECOND)
    left = scene.leaves(one)
    two.close()
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)


@scenario("two windows", "two windows side by side, both in view for 12 s", real=True)
def two_windows(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    one, came = scene.opens()
    two = scene.opens_window(one)
    scene.reads(two, 12 * SECOND)
    left = scene.leaves(one)
    two.close()
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)


def logs_in(scene: Scene, browser: Chromium, account: Person) -> None:
    given = {"username": account.username, "password": account.given["password"]}
    answer = browser.context.request.post(f"{scene.server.url}/auth/login", data=given)
    assert answer.ok, answer.text()


@scenario("two browsers of one account", "one 3 min; after 2 min of them another, 3 min as well")
def two_browsers(scene: Scene) -> Outcome:
    """A device is a session of its own. Elapsed is their sum; what was seen at once counts once."""
    account = person(scene.server)
    phone = scene.start_browser("second")
    for browser in (scene.browser, phone):
        logs_in(scene, browser, account)
    on_laptop, came = scene.opens("open")
    scene.reads(on_laptop, 2 * MINUTE)
    on_phone, taken = scene.opens("open", phone, who="phone")
    scene.reads(on_phone, MINUTE)
    put_away = scene.leaves(on_laptop)
    scene.reads(on_phone, 2 * MINUTE)
    left = scene.leaves(on_phone)
    truth = Measures((put_away - came) + (left - taken), left - came, left - came)
    summed, possible_error = scene.told(left, username=account.username)
    total = total_of(scene, account)
    assert total.elapsed == summed.elapsed
    return Outcome(truth, total, possible_error)


def total_of(scene: Scene, account: Person) -> Measures:
    """What `dwell report totals` says of a person."""
    report = scene.server.run(
        "report", "totals", "--username", account.username, "--format", "json"
    )
    (row,) = json.loads(report.stdout)
    return Measures(row["elapsedMs"], row["visibleMs"], row["engagedMs"])
