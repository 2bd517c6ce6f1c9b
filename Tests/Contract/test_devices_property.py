"""Whatever many people do to their devices at once, in whatever order: never over the limit, and no place is lost.

The steps are drawn from a seed, so that a run that fails can be tried again; how they race is up to the machine.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from dwell_process import Client, Dwell, eventually

from .helpers import FIREFOX, Device, Person, person, refused, succeeded
from .test_parallel import at_once

IDLE = 6
"""Seconds after which a login that is not used ends: short enough to happen all the time."""
STEPS = 25
THREADS = 8
MOST = 5


@dataclass
class Limits:
    """The limits that each account had, as long as they matter to what is read."""

    server: Dwell
    held: dict[str, list[int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def change(self, who: Person, limit: int, policy: str) -> None:
        with self.lock:
            self.held[who.user["id"]].append(limit)
        ended = self.server.run(
            "user", "limit", who.username, "--devices", str(limit), "--policy", policy
        )
        assert ended.returncode == 0, ended.stderr
        # Only one thread changes limits: from here on it is this one.
        with self.lock:
            self.held[who.user["id"]].append(-limit)

    def highest(self, account: str) -> int:
        """The highest that may have held since what was read last."""
        with self.lock:
            return max(map(abs, self.held[account]))

    def forget(self) -> None:
        """Keeps the last that is known to hold, and what may hold by now."""
        with self.lock:
            for held in self.held.values():
                settled = max((n for n, limit in enumerate(held) if limit < 0), default=0)
                del held[:settled]


def watch(server: Dwell, limits: Limits, done: threading.Event, failures: list[str]) -> None:
    """Reads the database again and again: an account over its limit must not get any more devices."""
    before: Counter[str] = Counter()
    while not done.is_set():
        allowed = {account: limits.highest(account) for account in limits.held}
        # From here on what comes counts for what is read now, and for what is read next.
        limits.forget()
        rows = server.sql(
            "SELECT account_id, count(*) AS devices FROM device WHERE removed_at IS NULL"
            " GROUP BY account_id"
        )
        for row in rows:
            account, devices = row["account_id"], row["devices"]
            most = max(allowed[account], limits.highest(account), before[account])
            if devices > most:
                failures.append(f"{devices} devices where {most} were allowed")
        before = Counter({row["account_id"]: row["devices"] for row in rows})


def act(server: Dwell, people: list[Person], seed: int) -> None:
    """One thread's steps: with browsers of its own, on everybody's accounts."""
    draw = random.Random(seed)
    browsers = [server.client(FIREFOX) for _ in range(4)]
    offers: list[tuple[Client, str, list[str]]] = []
    for _ in range(STEPS):
        client, who = draw.choice(browsers), draw.choice(people)
        step = draw.choice(["log in"] * 4 + ["log out", "remove", "remove", "replace", "use"])
        if step == "log in":
            response = who.try_login(client)
            assert response.status_code in (200, 421), response.text
            if response.status_code == 421 and "ticket" in response.json():
                ids = [one["id"] for one in response.json()["devices"]]
                offers.append((client, response.json()["ticket"], ids))
        elif step == "replace" and offers:
            client, ticket, ids = offers.pop(draw.randrange(len(offers)))
            body = {"ticket": ticket, "deviceId": draw.choice(ids)}
            response = client.post("/devices/replace", json=body)
            assert response.status_code in (200, 401, 404, 421), response.text
        else:
            response = client.get("/devices/list")
            assert response.status_code in (200, 400, 401), response.text
            if response.status_code == 200 and step == "log out":
                assert client.get("/auth/logout").status_code in (200, 401, 404)
            elif response.status_code == 200 and step == "remove":
                device = draw.choice(response.json()["device_list"])
                response = client.delete(f"/devices/remove/{device['id']}")
                assert response.status_code in (200, 400, 401, 404), response.text


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_security_1_no_order_of_steps_exceeds_the_limit_or_loses_a_place(
    fresh_dwell, seed: int
) -> None:
    server = fresh_dwell("--device-limit", "2", "--device-policy", "ask", "--login-idle", f"{IDLE}s")
    people = [person(server) for _ in range(2)]
    limits = Limits(server, {who.user["id"]: [-2] for who in people})
    done, failures = threading.Event(), list[str]()
    watching = threading.Thread(target=watch, args=(server, limits, done, failures))
    watching.start()

    def change_limits() -> None:
        draw = random.Random(-seed)
        for _ in range(STEPS):
            policy = draw.choice(["deny", "ask", "ask", "evict-oldest"])
            limits.change(draw.choice(people), draw.randint(1, MOST), policy)

    try:
        at_once(
            [change_limits]
            + [
                lambda number=number: act(server, people, seed * 1000 + number)
                for number in range(THREADS)
            ]
        )
    finally:
        done.set()
        watching.join(30)
    assert not failures, failures[:5]

    # No place is lost: when every login has ended, there are as many places as the limit says.
    last = time.monotonic()
    eventually(lambda: time.monotonic() - last > IDLE, IDLE + 1, "the end of all logins")
    for who in people:
        limits.change(who, 3, "deny")
        inside: list[Device] = []
        for _ in range(3):
            inside.append(who.login())
            for one in inside:
                one.list()  # Else the first may have ended when the last has come.
        refused(who.try_login(), 421, "device_limit")
        listed = succeeded(inside[0].client.get("/devices/list"))
        assert {one["id"] for one in listed["device_list"]} == {one.id for one in inside}
        rows = server.sql(
            "SELECT id FROM device WHERE account_id = ? AND removed_at IS NULL", who.user["id"]
        )
        assert {row["id"] for row in rows} == {one.id for one in inside}
