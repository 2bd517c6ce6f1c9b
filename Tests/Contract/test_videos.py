"""What people watched of videos: `/api/v1/videos`, `dwell report video`, `dwell report viewers`, `dwell video set`."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import quote

import pytest
import requests

from dwell_process import CONFIGURATION_ERROR, Dwell, eventually, let_pass

from .helpers import (
    BEAT,
    Device,
    Visitor,
    beat_of,
    now_ms,
    person,
    problem,
    refused_by_gate,
    segment,
    succeeded,
    unique,
    visitor,
)

VIDEOS = "/api/v1/videos"


def played(video: str, media: tuple[int, int], length: int, ago: int = 0, **changes: Any) -> dict[str, Any]:
    """A segment in which a part of a video of a second was played, and that ended so many ms ago."""
    end = now_ms() - ago
    about = {"video": video, "mediaFrom": media[0], "mediaTo": media[1], "mediaDuration": 1000, "end": "paused"}
    return segment(**({"tab": "film", "from": end - length, "to": end} | about | changes))


def path(video: str, *more: str) -> str:
    return "/".join([VIDEOS, quote(video, safe=""), *more])


def audience(server: Dwell, video: str, viewers: int = 1) -> dict[str, Any]:
    """A video's audience once so many people are in it."""

    def found() -> dict[str, Any] | None:
        answer = server.api(path(video))
        if answer.status_code == 404:
            return None
        whole = succeeded(answer)
        return whole if whole["video"]["viewers"] == viewers and not whole["counting"] else None

    return eventually(found, 60, f"an audience of {viewers}")


def watched(server: Dwell, video: str, *lengths: int) -> list[Visitor]:
    """Guests who each watched a video of a second from its beginning for so long."""
    guests = [visitor(server) for _ in lengths]
    let_pass(max(lengths) / 1000 + 0.1)
    for guest, length in zip(guests, lengths, strict=True):
        succeeded(guest.beat(played(video, (0, length), length)))
    audience(server, video, len(lengths))
    return guests


def test_a_video_tells_who_saw_which_part_of_it(fresh_dwell) -> None:
    server = fresh_dwell()
    ann, bea = watched(server, "lesson", 950, 300)
    found = audience(server, "lesson", 2)
    record = {
        "name": "lesson", "durationMs": 1000, "completeAt": 0.9, "viewers": 2, "starts": 1, "finishes": 1,
        "completions": 1, "coverage": 0.625, "watchedMs": 1250,
    }  # fmt: skip
    assert found == {
        "video": record, "counting": False, "bucketMs": 1000, "curve": [1], "again": [0], "drops": [], "peaks": [],
    }  # fmt: skip
    assert succeeded(server.api(VIDEOS)) == {"videos": [record], "nextCursor": None}

    first, second = succeeded(server.api(path("lesson", "viewers")))["viewers"]
    assert [one["viewer"]["email"] for one in (first, second)] == [ann.email, bea.email]
    progress = first["progress"]
    assert progress["completedAt"] == progress["watchedAt"] == ann.record["sessionEndTime"]
    assert (progress["coveredMs"], progress["coverage"], progress["ranges"]) == (950, 0.95, [{"fromMs": 0, "toMs": 950}])
    # Less than a second from the end is the end.
    assert (progress["resumeMs"], progress["timesThrough"], progress["rewatched"]) == (0, 0.95, [])
    assert second["progress"]["completedAt"] is None


def test_what_was_watched_is_told_within_moments(fresh_dwell) -> None:
    server = fresh_dwell()
    guest = visitor(server)
    let_pass(0.6)
    for length in (100, 300, 500):
        succeeded(guest.beat(played("lesson", (0, length), length, n=length)))
        eventually(
            lambda length=length: server.api(path("lesson")).status_code == 200
            and succeeded(server.api(path("lesson")))["video"]["coverage"] == length / 1000,
            what=f"{length} ms",
        )  # fmt: skip


def test_speed_and_players_side_by_side_earn_no_more_than_the_clock_allows(fresh_dwell) -> None:
    server = fresh_dwell()
    fast, many = visitor(server), visitor(server)
    let_pass(0.4)
    succeeded(fast.beat(played("lesson", (0, 1000), 100, rate=16)))
    # By one beat, so that all of them were played at the same time.
    players = [played("lesson", (n * 200, n * 200 + 200), 200, tab=f"film{n}") for n in range(5)]
    end = players[0]["to"]
    succeeded(many.beat(*(player | {"from": end - 200, "to": end} for player in players)))
    audience(server, "lesson", 2)
    first, second = succeeded(server.api(path("lesson", "viewers")))["viewers"]
    assert (first["progress"]["coveredMs"], first["progress"]["completedAt"]) == (200, None)
    assert (second["progress"]["coveredMs"], second["progress"]["completedAt"]) == (200, None)


def test_who_is_logged_in_goes_on_where_they_were(fresh_dwell) -> None:
    server = fresh_dwell()
    someone = person(server)
    phone, desk = someone.login(), someone.login()

    def progress(device: Device, video: str = "lesson") -> dict[str, Any]:
        return succeeded(device.client.get(path(video, "progress")))

    nothing = progress(phone)
    assert nothing == {
        "video": "lesson", "durationMs": None, "resumeMs": 0, "coveredMs": 0, "coverage": None, "watchedMs": 0,
        "timesThrough": None, "watchedAt": None, "completedAt": None, "ranges": [], "rewatched": [],
    }  # fmt: skip
    phone.init("lesson")
    let_pass(0.5)
    succeeded(phone.client.post(BEAT, json=beat_of(played("lesson", (0, 400), 400, mediaDuration=60_000))))
    # At once, not when it is folded.
    assert progress(desk)["resumeMs"] == 400
    desk.init("lesson")
    let_pass(0.3)
    succeeded(desk.client.post(BEAT, json=beat_of(played("lesson", (200, 500), 300, mediaDuration=60_000))))
    audience(server, "lesson")
    found = progress(phone)
    assert (found["resumeMs"], found["coveredMs"], found["watchedMs"], found["durationMs"]) == (500, 500, 700, 60_000)
    assert found["rewatched"] == [{"fromMs": 200, "toMs": 400}]
    assert progress(phone, "another")["ranges"] == []
    other = person(server).login()
    assert progress(other)["resumeMs"] == 0


def test_progress_is_for_who_is_logged_in(dwell: Dwell) -> None:
    assert problem(dwell.client().get(path("lesson", "progress")), 400)["code"]
    problem(visitor(dwell).client.get(path("lesson", "progress")), 400)
    device = person(dwell).login()
    token = device.token
    device.client.get("/auth/logout")
    answer = dwell.client().get(path("lesson", "progress"), headers={"Cookie": f"token={token}"})
    problem(answer, 401)


def test_the_operator_says_how_long_a_video_is_and_what_completes_it(fresh_dwell) -> None:
    server = fresh_dwell()
    watched(server, "lesson", 600)
    assert audience(server, "lesson")["video"]["completions"] == 0
    told = server.run("video", "set", "lesson", "--complete-at", "0.5")
    assert (told.returncode, told.stdout) == (0, "lesson: length: as players say; completed with 50 % of it\n")
    found = audience(server, "lesson")["video"]
    assert (found["completeAt"], found["completions"], found["durationMs"]) == (0.5, 1, 1000)
    told = server.run("video", "set", "lesson", "--duration", "0:02", "--complete-at", "default")
    assert told.stdout == "lesson: length: 0:02; completed with 90 % of it\n"
    found = audience(server, "lesson")
    assert (found["video"]["durationMs"], found["video"]["completions"], found["video"]["coverage"]) == (2000, 0, 0.3)
    assert found["curve"] == [1, 0]
    assert found["drops"] == [{"fromMs": 1000, "viewers": 1}]
    assert server.run("video", "set", "lesson").stdout == told.stdout
    server.run("video", "set", "lesson", "--duration", "default")
    assert audience(server, "lesson")["video"]["durationMs"] == 1000
    # Before anybody watched it.
    assert server.run("video", "set", "later", "--duration", "1:02:03.5").returncode == 0
    assert succeeded(server.api(path("later")))["video"]["durationMs"] == 3_723_500


@pytest.mark.parametrize(
    "arguments",
    [
        ("--duration", "0"), ("--duration", "1:60"), ("--duration", "soon"), ("--duration", "-5"),
        ("--complete-at", "0"), ("--complete-at", "1.01"), ("--complete-at", "90%"), ("--complete-at", "nan"),
    ],
)  # fmt: skip
def test_a_wrong_setting_of_a_video_is_refused(dwell: Dwell, arguments: tuple[str, str]) -> None:
    ended = dwell.run("video", "set", "lesson", f"{arguments[0]}={arguments[1]}")
    assert ended.returncode == CONFIGURATION_ERROR
    assert arguments[0] in ended.stderr and arguments[1] in ended.stderr


def test_reports_show_the_curve_and_the_people(fresh_dwell) -> None:
    server = fresh_dwell()
    guests = watched(server, "lesson", 900, 200)
    server.run("video", "set", "lesson", "--duration", "3")
    audience(server, "lesson", 2)
    drawn = server.run("report", "video", "lesson")
    assert drawn.returncode == 0, drawn.stderr
    assert "lesson: 0:03, completed with 90 % of it" in drawn.stdout
    assert "2 watched it, 1 its beginning, 0 its end; 0 completed it." in drawn.stdout
    assert "\n▅  \n" in drawn.stdout
    assert json.loads(server.run("report", "video", "lesson", "--format", "json").stdout) == audience(
        server, "lesson", 2
    )
    listed = server.run("report", "video", "lesson", "--format", "csv").stdout
    assert list(csv.DictReader(io.StringIO(listed))) == [
        {"fromMs": str(at), "viewers": viewers, "again": "0"} for at, viewers in ((0, "1"), (1000, "0"), (2000, "0"))
    ]
    people = server.run("report", "viewers", "lesson").stdout
    assert all(guest.email in people for guest in guests) and "30 %" in people
    found = json.loads(server.run("report", "viewers", "lesson", "--format", "json").stdout)
    assert found == succeeded(server.api(path("lesson", "viewers")))["viewers"]
    rows = list(csv.DictReader(io.StringIO(server.run("report", "viewers", "lesson", "--format", "csv").stdout)))
    assert [(row["email"], row["coveredMs"]) for row in rows] == [(guests[0].email, "900"), (guests[1].email, "200")]
    for command in ("video", "viewers"):
        ended = server.run("report", command, "nothing")
        assert ended.returncode == CONFIGURATION_ERROR and "nothing" in ended.stderr


def test_people_and_videos_are_read_page_by_page(fresh_dwell) -> None:
    server = fresh_dwell()
    guests = watched(server, "one", 300, 300, 300)
    watched(server, "two", 100)

    def all_of(where: str, name: str, limit: int) -> list[dict[str, Any]]:
        found, cursor = [], {}
        while True:
            page = succeeded(server.api(where, limit=limit, **cursor))
            assert len(page[name]) <= limit
            found += page[name]
            if page["nextCursor"] is None:
                return found
            cursor = {"cursor": page["nextCursor"]}

    assert [one["name"] for one in all_of(VIDEOS, "videos", 1)] == ["one", "two"]
    people = all_of(path("one", "viewers"), "viewers", 2)
    assert [one["viewer"]["email"] for one in people] == [guest.email for guest in guests]
    (found,) = succeeded(server.api(path("one", "viewers"), email=guests[1].email))["viewers"]
    assert found == people[1]
    assert succeeded(server.api(path("two", "viewers"), email=guests[1].email))["viewers"] == []


def test_those_are_live_who_watch_it_now(fresh_dwell) -> None:
    server = fresh_dwell()
    one, two = watched(server, "one", 100), watched(server, "two", 100)
    page = succeeded(server.api(path("two", "live")))
    assert [session["viewer"]["email"] for session in page["sessions"]] == [two[0].email]
    assert page["viewers"] == 1 and page["sessions"][0]["video"] == "two"
    assert one[0].email not in json.dumps(page)
    server.restart("--heartbeat-interval", "1")
    eventually(lambda: succeeded(server.api(path("two", "live")))["viewers"] == 0, what="nobody watching")


@pytest.mark.parametrize("name", ["a/b c", "ü?&#%2F", "100 %", "viewers"])
def test_videos_may_be_called_anything(fresh_dwell, name: str) -> None:
    server = fresh_dwell()
    watched(server, name, 300)
    assert audience(server, name)["video"]["name"] == name
    assert len(succeeded(server.api(path(name, "viewers")))["viewers"]) == 1
    device = person(server).login()
    assert succeeded(device.client.get(path(name, "progress")))["video"] == name


@pytest.mark.parametrize("where", ["", "/lesson", "/lesson/viewers", "/lesson/live"])
def test_without_a_key_nothing_is_read(dwell: Dwell, where: str) -> None:
    problem(dwell.client().get(VIDEOS + where), 401)
    problem(person(dwell).login().client.get(VIDEOS + where), 401)


@pytest.mark.parametrize("where", ["/NAME", "/NAME/viewers", "/NAME/live"])
def test_a_video_that_nobody_watched_is_not_found(dwell: Dwell, where: str) -> None:
    problem(dwell.api(VIDEOS + where.replace("NAME", unique())), 404)


@pytest.mark.parametrize(
    ("where", "parameters", "field"),
    [
        ("", {"limit": 0}, "limit"), ("", {"limit": 201}, "limit"), ("", {"cursor": "?"}, "cursor"),
        ("", {"email": "ann@example.org"}, "email"), ("/lesson", {"from": "2026-01-01"}, "from"),
        ("/lesson/viewers", {"limit": "x"}, "limit"), ("/lesson/viewers", {"email": "x"}, "email"),
        ("/lesson/viewers", {"page": "/"}, "page"), ("/lesson/live", {"cursor": "x"}, "cursor"),
    ],
)  # fmt: skip
def test_wrong_questions_are_refused(dwell: Dwell, where: str, parameters: dict[str, Any], field: str) -> None:
    problem(dwell.api(VIDEOS + where, **parameters), 400, field)


@pytest.mark.parametrize("duration", [0, -1, 10**15, 1.5, "60000", True])
def test_a_length_that_no_video_has_is_refused(dwell: Dwell, way: str, duration: object) -> None:
    guest = visitor(dwell)
    answer = guest.beat(segment(n=1), played("lesson", (0, 5), 10, n=2, mediaDuration=duration))
    refused = refused_by_gate(answer)
    assert refused["stored"] == 1
    assert [one["field"] for one in refused["refused"]] == ["segments[1].mediaDuration"]


def test_recompute_finds_what_was_watched_as_it_is(fresh_dwell) -> None:
    server = fresh_dwell()
    watched(server, "lesson", 300, 200)
    audience(server, "lesson", 2)
    ended = server.run("recompute")
    assert "2 times somebody watched a video were computed anew; 0 of them were different." in ended.stdout
    assert "1 videos were added up anew; 0 of them were different." in ended.stdout
    assert server.store.change("UPDATE video SET watched_ms = watched_ms + 7") == 1
    assert "1 videos were added up anew; 1 of them were different." in server.run("recompute").stdout
    assert audience(server, "lesson", 2)["video"]["watchedMs"] == 500


def test_who_is_deleted_is_taken_out_of_every_video(fresh_dwell) -> None:
    server = fresh_dwell()
    watched(server, "lesson", 950)
    device = person(server).login()
    let_pass(1)
    succeeded(device.client.post(BEAT, json=beat_of(played("lesson", (0, 950), 950))))
    before = audience(server, "lesson", 2)
    deleted = server.run("user", "delete", device.person.username, "--yes")
    assert deleted.returncode == 0, deleted.stderr
    after = audience(server, "lesson", 1)
    assert before["video"]["watchedMs"] - after["video"]["watchedMs"] == 950
    assert before["curve"] == [2] and after["curve"] == [1]
    ended = server.run("recompute")
    assert "1 times somebody watched a video were computed anew; 0 of them were different." in ended.stdout
    assert "1 videos were added up anew; 0 of them were different." in ended.stdout


def test_whoever_completes_a_video_is_told_of_in_the_log(fresh_dwell) -> None:
    server = fresh_dwell()
    watched(server, "lesson", 950)
    eventually(lambda: "video completed" in server.logs, 60, "the log's line")


def test_an_answer_is_for_no_cache(dwell: Dwell) -> None:
    answers: list[requests.Response] = [
        dwell.api(VIDEOS),
        person(dwell).login().client.get(path("lesson", "progress")),
    ]
    assert all("no-store" in answer.headers["Cache-Control"] for answer in answers)
