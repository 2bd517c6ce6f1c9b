"""Who is here now, and what a page, a video or days brought: `/api/v1/live`, `/api/v1/contents`, `/api/v1/overview`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dwell_process import Dwell, eventually, let_pass

from .helpers import (
    iso_of,
    now_ms,
    person,
    problem,
    segment,
    succeeded,
    unique,
    visitor,
)

LIVE = "/api/v1/live"
CONTENTS = "/api/v1/contents"
OVERVIEW = "/api/v1/overview"


def trigger(server: Dwell) -> None:
    succeeded(server.client().get("/cronjob/trigger?accessKey=secretcronjob"))


def contents(server: Dwell, **parameters: Any) -> Any:
    return succeeded(server.api(CONTENTS, **parameters))


# Live


def test_who_is_here_is_shown_with_page_video_and_since_when(fresh_dwell) -> None:
    server = fresh_dwell()
    ann, bea = visitor(server), person(server).login()
    bea.init("lesson")
    let_pass(0.3)
    now = now_ms()
    succeeded(ann.beat(segment(tab="one", n=1, page="/first", **{"from": now - 200, "to": now - 100})))
    succeeded(ann.beat(segment(tab="one", n=2, page="/second", **{"from": now - 100, "to": now})))
    page = succeeded(server.api(LIVE))
    assert page["viewers"] == 2
    assert page["nextCursor"] is None
    watching, reading = page["sessions"]
    assert set(reading) == {"id", "viewer", "since", "lastSeenTime", "page", "video"}
    assert (reading["viewer"]["email"], reading["page"], reading["video"]) == (ann.email, "/second", None)
    assert (watching["viewer"]["username"], watching["page"], watching["video"]) == (bea.person.username, None, "lesson")
    record = ann.record
    assert (reading["since"], reading["lastSeenTime"]) == (record["sessionStartTime"], record["sessionEndTime"])

    shown = server.run("live", "--format", "json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout) == page["sessions"]
    table = server.run("live").stdout
    assert "/second" in table and ann.email in table


def test_who_was_not_heard_of_for_two_intervals_is_gone(fresh_dwell) -> None:
    server = fresh_dwell()
    visitor(server)
    assert succeeded(server.api(LIVE))["viewers"] == 1
    server.restart("--heartbeat-interval", "1")
    eventually(lambda: succeeded(server.api(LIVE))["viewers"] == 0, what="nobody being here")
    assert succeeded(server.api(LIVE))["sessions"] == []
    assert json.loads(server.run("live", "--heartbeat-interval", "1", "--format", "json").stdout) == []
    assert len(json.loads(server.run("live", "--format", "json").stdout)) == 1


def test_everybody_who_is_here_is_read_page_by_page(fresh_dwell) -> None:
    server = fresh_dwell()
    guests = [visitor(server) for _ in range(5)]
    found, cursor = [], {}
    while True:
        page = succeeded(server.api(LIVE, limit=2, **cursor))
        assert page["viewers"] == 5
        found += page["sessions"]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert sorted(one["viewer"]["email"] for one in found) == sorted(guest.email for guest in guests)
    # Who came last comes first, by the nodes' clocks: they agree to some milliseconds.
    assert found == sorted(found, key=lambda one: (one["since"], one["id"]), reverse=True)


# What a page or a video brought


def test_a_page_and_a_video_bring_people_and_time_by_day(fresh_dwell) -> None:
    server = fresh_dwell()
    today = iso_of(now_ms())[:10]
    ann, bea = visitor(server), visitor(server)
    let_pass(0.5)
    now = now_ms()

    def reading(length: int) -> dict[str, Any]:
        return segment(tab="one", page="/a", end="hidden", **{"from": now - length, "to": now})

    media = {"video": "lesson", "mediaFrom": 0, "mediaTo": 100, "rate": 1}
    times = {"from": now - 100, "to": now}
    beside = segment(tab="two", page="/a", attention="idle", end="hidden", **times)
    succeeded(ann.beat(reading(400), beside, segment(tab="film", end="paused", **times, **media)))
    succeeded(bea.beat(reading(300)))
    trigger(server)

    found = contents(server, page="/a")
    assert (found["kind"], found["name"], found["viewers"]) == ("page", "/a", 2)
    assert found["total"]["engagedMs"] == 700
    assert (found["total"]["visibleMs"], found["total"]["rawMs"]) == (700, 800)
    assert found["total"]["visibleErrorMs"] == found["total"]["engagedErrorMs"] == 3000
    (day,) = found["days"]
    assert day == {"day": day["day"], "viewers": 2, "total": found["total"]}
    assert today <= day["day"] <= iso_of(now_ms())[:10]

    whole = succeeded(server.api(OVERVIEW))
    assert set(whole) == {"now", "before", "days", "pages", "videos"}
    assert (whole["now"]["viewers"], whole["now"]["sessions"]) == (2, 2)
    assert (whole["before"]["viewers"], whole["before"]["sessions"]) == (0, 0)
    assert whole["before"]["to"] == whole["now"]["from"]
    assert [(one["day"], one["viewers"]) for one in whole["days"]] == [(day["day"], 2)]
    assert whole["pages"] == [{"name": "/a", "viewers": 2, "total": found["total"]}]
    assert [one["name"] for one in whole["videos"]] == ["lesson"]
    of_page = succeeded(server.api(OVERVIEW, page="/a"))
    assert (of_page["days"], of_page["now"]["total"]) == (found["days"], found["total"])
    assert (of_page["now"]["sessions"], of_page["pages"], of_page["videos"]) == (None, None, None)
    one = succeeded(server.api(OVERVIEW, email=bea.email))
    assert (one["now"]["viewers"], one["now"]["sessions"]) == (1, 1)
    assert [page["total"]["visibleMs"] for page in one["pages"]] == [300]
    assert contents(server, video="lesson")["total"]["visibleMs"] == 100
    assert contents(server, page="/a", email=bea.email)["total"]["visibleMs"] == 300
    tomorrow = iso_of(now_ms() + 86_400_000)[:10]
    assert contents(server, page="/a", **{"from": today, "to": tomorrow}) == found
    for nothing in ({"from": tomorrow}, {"to": "2026-01-01"}, {"email": "nobody@example.org"}):
        empty = contents(server, page="/a", **nothing)
        assert (empty["viewers"], empty["days"], empty["total"]["visibleMs"]) == (0, [], 0)


def test_what_nobody_saw_is_not_found(dwell: Dwell) -> None:
    problem(dwell.api(CONTENTS, page=f"/{unique()}"), 404)
    problem(dwell.api(CONTENTS, video=unique()), 404)


def test_sessions_of_a_page_are_found_before_and_after_their_day_is_computed(fresh_dwell) -> None:
    server = fresh_dwell()
    guests = [visitor(server) for _ in range(5)]
    for index, guest in enumerate(guests):
        succeeded(guest.beat(segment(page="/rare" if index % 2 else "/other", video="v")))
    for _ in range(2):
        for found, wanted in (
            ({"page": "/rare"}, [3, 1]), ({"page": "/other"}, [4, 2, 0]), ({"video": "v"}, [4, 3, 2, 1, 0]),
            ({"page": "/rare", "video": "v"}, [3, 1]), ({"page": "/rare", "email": guests[1].email}, [1]),
        ):  # fmt: skip
            emails = [guests[index].email for index in wanted]
            assert [one["emailOfAccessor"] for one in server.sessions(**found)] == emails
            assert [one["emailOfAccessor"] for one in server.sessions(**found, limit=1)] == emails
        trigger(server)


# Refusals


@pytest.mark.parametrize("path", [LIVE, f"{CONTENTS}?page=/a", OVERVIEW])
def test_without_a_key_nothing_is_read(dwell: Dwell, path: str) -> None:
    problem(dwell.client().get(path), 401)


@pytest.mark.parametrize(
    ("path", "parameters", "field"),
    [
        (LIVE, {"limit": "0"}, "limit"), (LIVE, {"limit": "201"}, "limit"), (LIVE, {"cursor": "x"}, "cursor"),
        (LIVE, {"page": "/a"}, "page"),
        (CONTENTS, {}, "page"), (CONTENTS, {"page": "/a", "video": "v"}, "page"),
        (CONTENTS, {"page": "/a", "from": "yesterday"}, "from"), (CONTENTS, {"page": "/a", "to": "1"}, "to"),
        (CONTENTS, {"page": "/a", "from": "2026-01-01T10:00:00Z"}, "from"),
        (OVERVIEW, {"from": "2026-01-02", "to": "2026-01-02"}, "to"), (OVERVIEW, {"device": "1"}, "device"),
        (OVERVIEW, {"page": "/a", "video": "v"}, "video"), (OVERVIEW, {"days": "7"}, "days"),
        (CONTENTS, {"page": "/a", "limit": "5"}, "limit"), (CONTENTS, {"page": "/a", "email": "no"}, "email"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(dwell: Dwell, path: str, parameters: dict[str, str], field: str) -> None:
    problem(dwell.api(path, **parameters), 400, field=field)
