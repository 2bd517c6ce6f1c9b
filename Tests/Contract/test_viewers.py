"""People as programs read them: lists, figures, days and the timeline of a day."""

from __future__ import annotations

import pytest

from dwell_process import Dwell, let_pass

from .helpers import enter, now_ms, person, problem, segment, succeeded, unique, visitor


@pytest.fixture
def family(dwell: Dwell) -> tuple[str, list[str]]:
    """Three guests and an account whose names begin alike."""
    prefix = unique("kin")
    emails = [f"{prefix}{letter}@example.org" for letter in "abc"]
    for email in emails:
        succeeded(enter(dwell.client(), email))
    person(dwell, username=f"{prefix.upper()}d", email=f"{prefix}z@example.org")
    return prefix, emails


def listed(dwell: Dwell, **parameters: object) -> list[dict]:
    found: list[dict] = []
    while True:
        page = dwell.api("/api/v1/viewers", **parameters).json()
        found += page["viewers"]
        if page["nextCursor"] is None:
            return found
        parameters["cursor"] = page["nextCursor"]


def test_people_are_found_by_how_their_names_begin(dwell: Dwell, family: tuple[str, list[str]]) -> None:
    prefix, emails = family
    for limit in (1, 2, 200):
        found = listed(dwell, q=prefix.upper(), limit=limit)
        assert [one["viewer"]["email"] for one in found] == [*emails, f"{prefix}z@example.org"]
    assert [one["viewer"]["email"] for one in listed(dwell, q=emails[1])] == [emails[1]]
    assert listed(dwell, q=f"{prefix}nobody") == []


def test_everybody_is_listed_once_the_newest_first(dwell: Dwell, family: tuple[str, list[str]]) -> None:
    numbers = [one["viewer"]["id"] for one in listed(dwell, limit=3)]
    assert numbers == sorted(set(numbers), reverse=True)
    assert len(numbers) >= 4


def test_a_days_timeline_adds_up_to_its_statistic(dwell: Dwell) -> None:
    guest = visitor(dwell)
    let_pass(1)
    end = now_ms()
    start = end - 600
    succeeded(
        guest.beat(
            segment(tab="one", n=1, page="/a", end="hidden", **{"from": start, "to": start + 400}),
            segment(tab="two", n=1, page="/b", attention="idle", **{"from": start + 200, "to": end}),
        )
    )
    succeeded(dwell.client().get("/cronjob/trigger?accessKey=secretcronjob"))
    (one,) = listed(dwell, q=guest.email)
    path = f"/api/v1/viewers/{one['viewer']['id']}"
    days = dwell.api(f"{path}/days").json()
    assert days["total"] == one["total"] == dwell.api(path).json()["summary"]["total"]
    segments = []
    for day in days["days"]:
        timeline = dwell.api(f"{path}/timeline", day=day["day"]).json()
        assert timeline["total"] == day["total"]
        assert all(timeline["start"] <= part["start"] <= part["end"] <= timeline["end"] for part in timeline["segments"])
        segments += timeline["segments"]
    assert {part["page"] for part in segments} >= {"/a", "/b"}
    assert one["sessions"] == 1 and one["lastSeenTime"] is not None


def test_who_is_not_there_is_said(dwell: Dwell) -> None:
    for path in ("999999999", "x", "999999999/days", "999999999/timeline?day=2026-11-21"):
        problem(dwell.api(f"/api/v1/viewers/{path}"), 404)
    problem(dwell.api("/api/v1/viewers", cursor="?"), 400, "cursor")
    problem(dwell.api("/api/v1/viewers", limit=0), 400, "limit")
    problem(dwell.api("/api/v1/viewers", q="a" * 300), 400, "q")
    problem(dwell.api("/api/v1/viewers/1/timeline"), 400, "day")
    problem(dwell.api("/api/v1/viewers/1/days", to="soon"), 400, "to")
    assert dwell.client().get("/api/v1/viewers").status_code == 401
