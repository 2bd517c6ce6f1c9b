"""Real beats from several threads, which note what was acknowledged and how all was answered."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import requests

from Contract.helpers import BEAT, Visitor, beat_of, now_ms, segment, visitor
from dwell_process import Dwell, eventually, let_pass

THREADS = 8
GUESTS = 4
PATIENCE_S = 120.0  # Longer than anything may take: what takes long is to be seen.
NO_ANSWER = 0

_loads = count(1)


@dataclass(frozen=True)
class Reply:
    """How one beat was answered; moments are those of `time.monotonic`."""

    node: int
    sent: float
    heard: float
    status: int
    retry_after: str | None

    @property
    def wait(self) -> float:
        return self.heard - self.sent


class Beater(threading.Thread):
    """Beats for one guest, on one node after the other, as fast as they are answered.

    Every other beat makes one segment grow; the ones between are segments of their own.
    """

    def __init__(self, guest: Visitor, urls: Sequence[str], tab: str, first: int) -> None:
        super().__init__(daemon=True)
        self.guest = guest
        self.tab = tab
        self.replies: list[Reply] = []
        self.acknowledged: dict[int, int] = {}
        self.ending = threading.Event()
        self._urls = urls
        self._first = first

    def run(self) -> None:
        began = now_ms()
        chance = random.Random(self.tab)
        with requests.Session() as session:
            session.trust_env = False
            for n in count(1):
                now = now_ms()
                length = now - began if n % 2 else min(chance.randint(1, 500), now - began)
                number = 0 if n % 2 else n
                if self._beat(session, (self._first + n) % len(self._urls), number, now, length):
                    known = self.acknowledged.get(number, 0)
                    self.acknowledged[number] = max(known, length)
                if self.ending.wait(0.01 if self.replies[-1].status == 200 else 0.05):
                    return

    def _beat(
        self, session: requests.Session, node: int, number: int, now: int, length: int
    ) -> bool:
        claim = segment(tab=self.tab, n=number, **{"from": now - length, "to": now})
        beat = beat_of(claim, sentAt=now, token=self.guest.token)
        sent = time.monotonic()
        try:
            answer = session.post(self._urls[node] + BEAT, json=beat, timeout=PATIENCE_S)
            status, retry_after = answer.status_code, answer.headers.get("Retry-After")
        except requests.RequestException:
            status, retry_after = NO_ANSWER, None
        self.replies.append(Reply(node, sent, time.monotonic(), status, retry_after))
        return status == 200


class Load:
    """Beats to every node of a server, as long as this context lasts."""

    def __init__(self, server: Dwell) -> None:
        self.server = server
        self.began = 0.0
        load = next(_loads)
        guests = [visitor(server) for _ in range(GUESTS)]
        # Nodes tell the same time to some ten milliseconds, and none credits what it takes to lie
        # before the entry.
        let_pass(0.2)
        urls = [node.url for node in server.nodes]
        # Two of them share a guest, so that nodes meet on the same rows.
        self.beaters = [
            Beater(guests[at % GUESTS], urls, f"l{load}w{at}", at // GUESTS)
            for at in range(THREADS)
        ]

    def __enter__(self) -> Load:
        for beater in self.beaters:
            beater.start()
        self.await_beats(50)
        self.began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        for beater in self.beaters:
            beater.ending.set()
        for beater in self.beaters:
            beater.join(PATIENCE_S)

    @property
    def replies(self) -> list[Reply]:
        return [reply for beater in self.beaters for reply in list(beater.replies)]

    @property
    def acknowledged(self) -> int:
        return sum(reply.status == 200 for reply in self.replies)

    def await_beats(self, more: int, within: float = 60) -> None:
        """Waits until so many more are acknowledged."""
        enough = self.acknowledged + more
        eventually(lambda: self.acknowledged >= enough, within, f"{more} acknowledged beats")

    def recovered(self, since: float, within: float = 90) -> float:
        """Waits until every node acknowledges beats again, and gives how long that took."""

        def moments() -> list[float] | None:
            heard: dict[int, float] = {}
            for reply in self.replies:
                if reply.status == 200 and reply.heard >= since:
                    heard[reply.node] = min(heard.get(reply.node, reply.heard), reply.heard)
            return list(heard.values()) if len(heard) == len(self.server.nodes) else None

        found = eventually(moments, within, "beats acknowledged by every node")
        return max(found) - since

    @property
    def during(self) -> list[Reply]:
        """What was answered since the load began in earnest."""
        return [reply for reply in self.replies if reply.heard >= self.began]

    @property
    def statuses(self) -> Counter[int]:
        return Counter(reply.status for reply in self.during)

    def longest(self, node: int | None = None) -> float:
        """The longest that a beat waited for its answer, in seconds."""
        return max(reply.wait for reply in self.during if node in (None, reply.node))

    def lost(self) -> list[str]:
        """Acknowledged segments that are not in the database, or shorter than acknowledged."""
        stored = {
            (row["tab"], row["n"]): row
            for row in self.server.sql(
                "SELECT tab, n, ended_at - started_at AS length,"
                " refused_before_ms, refused_future_ms FROM segment"
            )
        }
        return [
            f"{beater.tab}/{n}: {stored.get((beater.tab, n))} instead of {length} ms"
            for beater in self.beaters
            for n, length in beater.acknowledged.items()
            if (beater.tab, n) not in stored or stored[beater.tab, n]["length"] < length
        ]
