"""Beats that are not what a page meant to send: doubled, shuffled, invented."""

from __future__ import annotations

import random

from playwright.sync_api import Route

from ..clock import HOUR, MINUTE, SECOND
from ..registry import scenario
from ..scene import Measures, Outcome, Scene

BEAT = "/api/session-heartbeat"


@scenario(
    "doubled and reordered beats",
    "read 5 min; every third beat is lost on its way, and all come again later, twice, shuffled",
)
def doubled(scene: Scene) -> Outcome:
    kept: list[bytes] = []

    def keeps(route: Route) -> None:
        body = route.request.post_data_buffer
        if body:
            kept.append(body)
        if body and len(kept) % 3 == 0:
            route.abort()
        else:
            route.continue_()

    chance = random.Random(5)
    email, entered = scene.enters()
    scene.browser.context.route(f"**{BEAT}", keeps)
    tab, came = scene.opens()
    for _ in range(5):
        scene.reads(tab, MINUTE)
        again = kept * 2
        chance.shuffle(again)
        client = scene.client()
        for body in again:
            answer = client.post(BEAT, data=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 200, answer.text
    scene.browser.context.unroute(f"**{BEAT}")
    left = scene.leaves(tab)
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)


@scenario("10 hours forged in a minute", "read 1 min, while a program claims ever longer stretches")
def forged(scene: Scene) -> Outcome:
    email, entered = scene.enters()
    tab, came = scene.opens()
    client = scene.client()
    for n in range(6):
        scene.reads(tab, 10 * SECOND)
        now = scene.clock.now
        claims = [(now - 10 * HOUR, now), (now, now + 10 * HOUR), (came, now + n * HOUR)]
        segments = [
            {"tab": "forged", "n": 3 * n + at, "from": since, "to": to, "attention": "active"}
            for at, (since, to) in enumerate(claims)
        ]
        client.post(BEAT, json={"v": 1, "sentAt": now, "segments": segments})
    left = scene.leaves(tab)
    return scene.outcome(Measures(left - entered, left - came, left - came), left, email=email)
