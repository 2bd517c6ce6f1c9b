"""How many videos one account may play at once, and how to watch here instead."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

import stores
from dwell_process import Dwell, eventually

from .helpers import (
    BEAT,
    CROSS_SITE,
    FIREFOX,
    ISO_MILLISECONDS,
    Device,
    Person,
    beat_of,
    is_now,
    ms_of,
    now_ms,
    person,
    refused_by_gate,
    segment,
    succeeded,
    unique,
    visitor,
)
from .test_parallel import at_once

TAKE = "/api/viewing/take"
PLAYER_PAUSE = 30_000
SHORT = 1
"""Seconds between beats where a place that nobody renews is to be free soon."""


@dataclass
class Player:
    """A player in a tab of its own, as its script tells of it."""

    device: Device
    video: str = "lesson-1"
    tab: str = field(default_factory=lambda: unique("tab"))
    n: int = 0

    def claim(self, **changes: Any) -> dict[str, Any]:
        return segment(tab=self.tab, n=self.n, video=self.video, **changes)

    def tell(self, *claims: dict[str, Any], **changes: Any) -> requests.Response:
        return self.device.client.post(BEAT, json=beat_of(*claims, **changes))

    def play(self) -> dict[str, Any] | None:
        """Begins, or goes on; gives what must stop, if anything must."""
        return succeeded(self.tell(self.claim())).get("viewing")

    def stop(self) -> None:
        assert "viewing" not in succeeded(self.tell(self.claim(end="paused")))
        self.n += 1

    def take(self, **changes: Any) -> requests.Response:
        body = {"tab": self.tab, "video": self.video} | changes
        return self.device.client.post(TAKE, json=body)

    def refused(self, reason: str) -> list[dict[str, Any]]:
        """Must stop for that reason; gives what plays."""
        viewing = self.play()
        assert viewing is not None
        assert viewing["stopped"] == [{"tab": self.tab, "video": self.video, "reason": reason}]
        return viewing["playing"]


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dwell]:
    """A server where an account plays one video at once."""
    server = Dwell(tmp_path_factory.mktemp("limited"), "--viewing-limit", "1").start()
    yield server
    server.discard()


@pytest.fixture
def ann(limited: Dwell) -> Person:
    return person(limited)


# At the limit


def test_one_player_may_play(ann: Person, way: str) -> None:
    player = Player(ann.login())
    assert [player.play() for _ in range(3)] == [None] * 3


def test_a_second_player_is_told_what_plays_where_and_since_when(ann: Person, way: str) -> None:
    first, second = Player(ann.login()), Player(ann.login(), "lesson-2")
    before = now_ms()
    assert first.play() is None
    viewing = second.play()
    assert viewing is not None
    assert viewing["limit"] == 1
    assert viewing["stopped"] == [{"tab": second.tab, "video": "lesson-2", "reason": "limit"}]
    (playing,) = viewing["playing"]
    assert set(playing) == {"id", "video", "deviceName", "since"}
    assert playing["video"] == "lesson-1"
    assert playing["deviceName"] == first.device.answer["thisDevice"]["device_name"]
    assert ISO_MILLISECONDS.fullmatch(playing["since"])
    assert is_now(ms_of(playing["since"]), since=before)
    # The first goes on, since when it began.
    assert first.play() is None
    assert second.refused("limit") == [playing]


def test_two_players_of_one_page_are_two(ann: Person) -> None:
    device = ann.login()
    first, second = Player(device, "a", "tab1"), Player(device, "b", "tab1", 1)
    answer = succeeded(first.tell(first.claim(), second.claim()))
    assert [one["video"] for one in answer["viewing"]["stopped"]] == ["b"]
    assert [one["video"] for one in answer["viewing"]["playing"]] == ["a"]


def test_a_place_is_free_when_its_player_stops(ann: Person) -> None:
    first, second = Player(ann.login()), Player(ann.login())
    first.play()
    second.refused("limit")
    first.stop()
    assert second.play() is None
    first.refused("limit")


def test_a_seek_keeps_the_place(ann: Person) -> None:
    first, second = Player(ann.login()), Player(ann.login())
    first.play()
    sought = first.claim(end="sought")
    first.n += 1
    assert "viewing" not in succeeded(first.tell(sought, first.claim()))
    second.refused("limit")


def test_a_segment_that_is_told_late_ends_nothing(ann: Person) -> None:
    first, second = Player(ann.login()), Player(ann.login())
    first.play()
    earlier = first.claim(end="paused")
    first.n += 1
    first.play()
    assert "viewing" not in succeeded(first.tell(earlier))
    second.refused("limit")


def test_who_has_taken_a_place_keeps_it_until_the_film_is_there(ann: Person) -> None:
    """What it told of the run that was stopped does not end the next."""
    first, second = Player(ann.login()), Player(ann.login())
    first.play()
    second.refused("limit")
    succeeded(second.take())
    second.stop()
    first.stop()
    first.refused("limit")
    assert second.play() is None


def test_what_stops_makes_room_for_what_begins_in_the_same_beat(ann: Person) -> None:
    device = ann.login()
    first, second = Player(device, "a", "tab1"), Player(device, "b", "tab1", 1)
    first.play()
    assert "viewing" not in succeeded(first.tell(first.claim(end="paused"), second.claim()))


def test_what_is_watched_over_the_limit_is_stored(ann: Person) -> None:
    Player(ann.login()).play()
    second = Player(ann.login(), "unwelcome")
    second.refused("limit")
    rows = ann.server.sql(
        "SELECT segment.tab FROM segment JOIN content ON content.id = segment.video_id"
        " WHERE content.name = 'unwelcome' AND segment.tab = ?",
        second.tab,
    )
    assert len(rows) == 1


def test_other_people_have_places_of_their_own(limited: Dwell) -> None:
    players = [Player(person(limited).login()) for _ in range(2)]
    assert [one.play() for one in players] == [None, None]


def test_a_page_without_videos_needs_no_place(ann: Person) -> None:
    Player(ann.login()).play()
    other = ann.login()
    assert "viewing" not in succeeded(other.client.post(BEAT, json=beat_of(segment(page="/a"))))


def test_a_device_that_logs_out_gives_its_place_away(ann: Person) -> None:
    first, second = Player(ann.login()), Player(ann.login())
    first.play()
    succeeded(first.device.client.get("/auth/logout"))
    assert second.play() is None


def test_guests_are_not_limited(limited: Dwell) -> None:
    guest = visitor(limited)
    claims = [segment(tab="tab1", n=n, video=f"v{n}") for n in range(3)]
    assert "viewing" not in succeeded(guest.beat(*claims))


def test_nobody_is_limited_where_no_limit_is_set(dwell: Dwell) -> None:
    ann = person(dwell)
    players = [Player(ann.login()) for _ in range(3)]
    assert [one.play() for one in players] == [None] * 3
    assert dwell.sql("SELECT * FROM viewing") == []
    refused_by_gate(players[0].take(), 404)


def test_who_plays_is_asked_to_beat_often_enough(limited: Dwell, ann: Person) -> None:
    old = {"from": now_ms() - 600_000}
    device = ann.login()
    device.client.post(BEAT, json=beat_of())
    player = Player(device)
    assert succeeded(player.tell(player.claim(**old)))["interval"] == PLAYER_PAUSE
    page = beat_of(segment(tab="page", **old))
    assert succeeded(device.client.post(BEAT, json=page))["interval"] == 180_000


# Here instead


def test_watching_here_stops_what_plays_there(ann: Person) -> None:
    first, second = Player(ann.login()), Player(ann.login())
    first.play()
    second.refused("limit")
    assert succeeded(second.take()) == {"success": True}
    assert second.play() is None
    (playing,) = first.refused("taken")
    assert playing["video"] == second.video
    # Once it has stopped it is like any other.
    first.stop()
    first.refused("limit")
    second.stop()
    assert first.play() is None


def test_the_one_that_lost_its_place_may_take_it_back(ann: Person) -> None:
    first, second = Player(ann.login()), Player(ann.login())
    first.play()
    succeeded(second.take())
    succeeded(first.take())
    assert first.play() is None
    second.refused("taken")


def test_of_several_the_person_chooses_which_stops(fresh_dwell) -> None:
    ann = person(fresh_dwell("--viewing-limit", "2"))
    first, second, third = (Player(ann.login(), f"v{n}") for n in range(3))
    assert [first.play(), second.play()] == [None, None]
    playing = third.refused("limit")
    assert [one["video"] for one in playing] == ["v0", "v1"]
    succeeded(third.take(instead=playing[1]["id"]))
    assert third.play() is None
    assert first.play() is None
    second.refused("taken")


def test_without_a_choice_what_has_played_longest_stops(fresh_dwell) -> None:
    ann = person(fresh_dwell("--viewing-limit", "2"))
    first, second, third = (Player(ann.login()) for _ in range(3))
    assert [first.play(), second.play()] == [None, None]
    succeeded(third.take())
    first.refused("taken")
    assert second.play() is None


def test_a_choice_that_is_gone_stops_nobody_else(ann: Person) -> None:
    first, second = Player(ann.login()), Player(ann.login())
    first.play()
    gone = "00000000-0000-4000-8000-000000000000"
    answer = refused_by_gate(second.take(instead=gone), 409)
    assert answer["code"] == "viewing_limit"
    assert [one["video"] for one in answer["viewing"]["playing"]] == [first.video]
    assert first.play() is None


def test_nobody_takes_the_place_of_somebody_else(ann: Person, limited: Dwell) -> None:
    first, second, stranger = (
        Player(ann.login()), Player(ann.login()), Player(person(limited).login()),
    )  # fmt: skip
    first.play()
    (playing,) = second.refused("limit")
    succeeded(stranger.take(instead=playing["id"]))
    assert first.play() is None


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"tab": "a b"}, "tab"), ({"tab": None}, "tab"), ({"video": ""}, "video"),
        ({"video": "v" * 256}, "video"), ({"instead": "x"}, "instead"), ({"token": 1}, "token"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(ann: Person, changes: dict[str, Any], name: str) -> None:
    body = {"tab": "tab1", "video": "v"} | changes
    body = {key: value for key, value in body.items() if value is not None}
    answer = refused_by_gate(ann.login().client.post(TAKE, json=body), 400)
    assert answer["field"] == name


def test_who_is_nobody_can_take_nothing(limited: Dwell, ann: Person) -> None:
    body = {"tab": "tab1", "video": "v"}
    assert refused_by_gate(limited.client().post(TAKE, json=body), 400)["code"] == "no_session"
    forged = limited.client().post(TAKE, json=body | {"token": "forged"})
    assert refused_by_gate(forged, 401)["code"] == "token_invalid"
    other = ann.login().client.post(TAKE, json=body, headers=CROSS_SITE)
    assert refused_by_gate(other, 403)["code"] == "cross_site"


def test_a_token_says_who_takes(ann: Person, limited: Dwell) -> None:
    first, second = Player(ann.login()), Player(ann.login())
    first.play()
    second.device.init()
    token = succeeded(second.tell(second.claim()))["token"]
    body = {"tab": second.tab, "video": second.video, "token": token}
    assert succeeded(limited.client().post(TAKE, json=body)) == {"success": True}
    assert "viewing" not in succeeded(
        limited.client().post(BEAT, json=beat_of(second.claim(), token=token))
    )
    first.refused("taken")


def test_a_page_on_a_listed_origin_may_take(fresh_dwell) -> None:
    origin = "https://course.example"
    ann = person(fresh_dwell("--viewing-limit", "1", "--allowed-origins", origin))
    player = Player(ann.login())
    token = succeeded(player.device.client.get("/session/init"))["token"]
    body = {"tab": player.tab, "video": player.video, "token": token}
    answer = ann.server.client().post(TAKE, json=body, headers={"Origin": origin})
    assert succeeded(answer) == {"success": True}
    assert answer.headers["Access-Control-Allow-Origin"] == origin


# Who is gone


def test_a_player_that_crashed_loses_its_place_after_two_pauses(fresh_dwell) -> None:
    ann = person(fresh_dwell("--viewing-limit", "1", "--heartbeat-interval", str(SHORT)))
    first, second = Player(ann.login()), Player(ann.login())
    began = now_ms()
    first.play()
    eventually(lambda: second.play() is None, 60, "a free place")
    assert now_ms() - began >= 2 * SHORT * 1000 - 250  # A node knows the time to so much.
    first.refused("limit")


def test_who_chooses_long_pauses_keeps_the_place_as_long_as_anybody_may(fresh_dwell) -> None:
    ann = person(fresh_dwell("--viewing-limit", "1", "--heartbeat-interval", str(SHORT)))
    first, second = Player(ann.login()), Player(ann.login())
    succeeded(first.tell(first.claim(), interval=86_400_000))
    eventually(lambda: second.play() is None, 60, "a free place")


# One account


def test_an_account_has_a_limit_of_its_own(limited: Dwell, ann: Person) -> None:
    players = [Player(ann.login()) for _ in range(3)]
    assert players[0].play() is None
    shown = limited.run("user", "limit", ann.username, "--videos", "2")
    assert shown.returncode == 0, shown.stderr
    assert "videos at once: 2" in shown.stdout
    assert players[1].play() is None
    assert players[2].play()["limit"] == 2
    # A lower limit stops nothing that plays.
    assert limited.run("user", "limit", ann.username, "--videos", "default").returncode == 0
    assert [one.play() for one in players[:2]] == [None, None]
    players[2].refused("limit")
    players[0].stop()
    players[0].refused("limit")


@pytest.mark.parametrize("given", ["0", "1001", "two"])
def test_a_limit_that_is_none_is_named(limited: Dwell, ann: Person, given: str) -> None:
    refusal = limited.run("user", "limit", ann.username, "--videos", given)
    assert refusal.returncode != 0
    assert re.search("--videos.*1 to 1000", refusal.stderr)


# Many at once


@pytest.mark.parametrize("limit", [1, 3])
def test_of_fifty_that_start_at_once_as_many_play_as_may(fresh_dwell, limit: int) -> None:
    server = fresh_dwell("--viewing-limit", str(limit), "--device-limit", "50")
    ann = person(server)
    device = ann.login()
    players = [Player(Device(ann, device.client.twin(), device.answer)) for _ in range(50)]
    answers = at_once([one.play for one in players])
    assert answers.count(None) == limit
    assert {len(one["playing"]) for one in answers if one} <= set(range(limit + 1))
    rows = server.sql("SELECT tab FROM viewing WHERE taken_at IS NULL")
    playing = [one.tab for one, answer in zip(players, answers, strict=True) if answer is None]
    assert sorted(row["tab"] for row in rows) == sorted(playing)


def test_of_fifty_that_take_the_place_at_once_one_has_it(fresh_dwell) -> None:
    server = fresh_dwell("--viewing-limit", "1")
    ann = person(server)
    device = ann.login()
    players = [Player(Device(ann, device.client.twin(), device.answer)) for _ in range(50)]
    for answer in at_once([one.take for one in players]):
        succeeded(answer)
    assert [one.play() for one in players].count(None) == 1


THREADS = 8
STEPS = 40
LIMIT = 2


@pytest.fixture
def deadlocks(request: pytest.FixtureRequest) -> Callable[[], int]:
    """How often transactions of this test waited for one another in a circle, which PostgreSQL had to break."""
    if isinstance(stores.new(Path("none")), stores.SQLiteFile):
        return lambda: 0
    log: Path = request.getfixturevalue("postgres").folder / "log"
    before = log.read_text(errors="replace").count("deadlock detected")
    return lambda: log.read_text(errors="replace").count("deadlock detected") - before


def act(people: list[Person], devices: dict[str, Device], seed: int) -> None:
    """One thread's steps, with players of its own, on everybody's accounts."""
    draw = random.Random(seed)
    players = [
        Player(Device(who, devices[who.username].client.twin(), devices[who.username].answer))
        for who in people
        for _ in range(2)
    ]
    for _ in range(STEPS):
        player = draw.choice(players)
        match draw.choice(["play"] * 4 + ["stop", "take", "choose", "vanish", "enter"]):
            case "play":
                player.play()
            case "stop":
                player.stop()
            case "take":
                assert player.take().status_code == 200
            case "choose":
                viewing = player.play()
                if viewing and viewing["playing"]:
                    chosen = draw.choice(viewing["playing"])["id"]
                    assert player.take(instead=chosen).status_code in (200, 409)
            case "vanish":
                # Nobody hears of it again; another tab begins.
                player.tab, player.n = unique("tab"), 0
            case "enter":
                # Its next beats belong to another entry; the place of the old one is not theirs.
                player.device.init(player.video)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_order_of_steps_exceeds_the_limit_or_loses_a_place(
    fresh_dwell, seed: int, deadlocks: Callable[[], int]
) -> None:
    server = fresh_dwell("--viewing-limit", str(LIMIT), "--heartbeat-interval", str(SHORT))
    people = [person(server) for _ in range(2)]
    devices = {who.username: who.login(user_agent=FIREFOX) for who in people}
    done, failures, looks = threading.Event(), list[str](), 0

    def watch() -> None:
        nonlocal looks
        while not done.is_set():
            rows = server.sql(
                "SELECT viewer_id, count(*) AS players FROM viewing WHERE taken_at IS NULL"
                " GROUP BY viewer_id"
            )
            failures.extend(f"{row['players']} play" for row in rows if row["players"] > LIMIT)
            looks += len(rows)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        at_once(
            [
                lambda number=number: act(people, devices, seed * 1000 + number)
                for number in range(THREADS)
            ]
        )
    finally:
        done.set()
        watching.join(30)
    assert not failures, failures[:5]
    assert looks, "nothing ever played"
    assert deadlocks() == 0

    # No place is lost: when nobody is heard of any more, as many may play as before, and no more.
    for who in people:
        players = [Player(devices[who.username]) for _ in range(LIMIT)]
        eventually(
            lambda players=players: [one.play() for one in players] == [None] * LIMIT,
            what="free places",
        )
        Player(devices[who.username]).refused("limit")
