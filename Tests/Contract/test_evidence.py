"""The evidence for a session: what its figures rest on, for programs and in the terminal."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest

from dwell_process import Dwell, let_pass

from .helpers import (
    DEVICE_KEYS,
    ISO_MILLISECONDS,
    THE_ZERO,
    Visitor,
    beat_of,
    evidence,
    is_now,
    is_private,
    ms_of,
    now_ms,
    person,
    problem,
    segment,
    succeeded,
    visitor,
)

SESSIONS = "/api/v1/sessions"
SEGMENT_KEYS = {
    "tab", "n", "start", "end", "lengthMs", "unsureMs", "attention", "ended", "page", "video",
    "mediaFromMs", "mediaToMs", "rate", "refused", "beats", "firstBeatTime", "lastBeatTime",
}  # fmt: skip
REFUSED_KEYS = {"beforeSessionMs", "futureMs", "mediaMs"}
NEARLY = 250  # Milliseconds by which the clocks of nodes and of the test may differ.
HOUR_MS = 3_600_000
REASONS = {
    "hidden": "hidden", "left": "left", "frozen": "frozen", "asleep": "asleep", "lost": "lost",
    "paused": "player", "sought": "player", "rate": "player", "ended": "player",
    "stalled": "player", "page": "transit", "attention": "transit", "session": "transit",
    None: "silent",
}  # fmt: skip


def part(begins: int, ends: int, now: int | None = None, **changes: Any) -> dict[str, Any]:
    """A segment from that many milliseconds ago until that many. Parts that are compared need the same `now`."""
    now = now or now_ms()
    return segment(**{"from": now - begins, "to": now - ends}, **changes)


def show(server: Dwell, number: object, *arguments: str) -> str:
    """What `dwell show session` prints."""
    ended = server.run("show", "session", str(number), *arguments)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout


def assert_consistent(found: dict[str, Any]) -> None:
    """Gaps and visible time make up the whole session, and the parts add up to the sums."""
    session, segments, gaps = found["session"], found["segments"], found["gaps"]
    assert sum(gap["lengthMs"] for gap in gaps) + session["visibleMs"] == session["elapsedMs"]
    assert [one["start"] for one in segments] == sorted(one["start"] for one in segments)
    for one in segments + gaps:
        assert ISO_MILLISECONDS.fullmatch(one["start"]) and ISO_MILLISECONDS.fullmatch(one["end"])
        assert one["lengthMs"] == ms_of(one["end"]) - ms_of(one["start"]) >= 0
        assert session["sessionStartTime"] <= one["start"] <= one["end"]
        assert one["end"] <= session["sessionEndTime"]
    for name in REFUSED_KEYS:
        assert found["refused"][name] == sum(one["refused"][name] for one in segments)


def test_a_segment_is_shown_with_everything_that_is_known_of_it(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.5)
    before = now_ms()
    one = part(
        400, 100, tab="k3f9q2", n=3, page="/portfolio", video="lesson", mediaFrom=1000,
        mediaTo=1600, rate=2, end="hidden",
    )  # fmt: skip
    succeeded(ann.beat(one))
    answered = now_ms()
    found = ann.evidence
    assert set(found) == {"session", "segments", "gaps", "refused", "devices", "foldedTime"}
    assert found["foldedTime"] is None
    assert found["session"] == ann.record
    assert found["devices"] == []
    (row,) = found["segments"]
    assert set(row) == SEGMENT_KEYS
    assert set(row["refused"]) == set(found["refused"]) == REFUSED_KEYS
    expected = {
        "tab": "k3f9q2", "n": 3, "lengthMs": 300, "unsureMs": 0, "attention": "active",
        "ended": "hidden", "page": "/portfolio", "video": "lesson", "mediaFromMs": 1000,
        "mediaToMs": 1600, "rate": 2, "beats": 1,
        "refused": {"beforeSessionMs": 0, "futureMs": 0, "mediaMs": 0},
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert is_now(ms_of(row["start"]) + 400, before, answered)
    assert row["firstBeatTime"] == row["lastBeatTime"]
    assert is_now(ms_of(row["firstBeatTime"]), before, answered)
    assert_consistent(found)


def test_what_is_not_known_is_null(dwell: Dwell) -> None:
    ann = visitor(dwell)
    succeeded(ann.beat(segment()))
    (row,) = ann.evidence["segments"]
    unknown = {"ended", "page", "video", "mediaFromMs", "mediaToMs", "rate"}
    assert set(row) == SEGMENT_KEYS
    assert {name for name in row if row[name] is None} == unknown


def test_a_session_without_beats_rests_on_nothing(dwell: Dwell) -> None:
    found = visitor(dwell).evidence
    assert (found["segments"], found["gaps"], found["devices"]) == ([], [], [])
    assert_consistent(found)


def test_a_beat_without_a_body_is_shown_under_a_name_of_the_servers_own(dwell: Dwell) -> None:
    ann = visitor(dwell)
    for _ in range(3):
        let_pass(0.05)
        succeeded(ann.beat())
    (row,) = ann.evidence["segments"]
    assert row["tab"].startswith(":")
    assert row["ended"] is None
    assert row["lengthMs"] >= 100


@pytest.mark.parametrize(("end", "reason"), REASONS.items())
def test_a_gap_has_the_reason_that_the_segment_before_it_ended_with(
    dwell: Dwell, end: str | None, reason: str
) -> None:
    ann = visitor(dwell)
    let_pass(0.5)
    now = now_ms()
    succeeded(ann.beat(part(400, 300, now, n=1, end=end), part(200, 0, now, n=2, end="hidden")))
    found = ann.evidence
    assert [gap["reason"] for gap in found["gaps"]] == ["entered", reason]
    assert found["gaps"][1]["lengthMs"] == 100
    assert [row["ended"] for row in found["segments"]] == [end, "hidden"]
    assert_consistent(found)


def test_where_another_tab_was_visible_there_is_no_gap(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.6)
    now = now_ms()
    succeeded(
        ann.beat(
            part(500, 400, now, tab="one", n=1, end="hidden"),
            part(450, 150, now, tab="two", n=1, end="frozen"),
            part(100, 0, now, tab="one", n=2, end="hidden"),
        )
    )
    found = ann.evidence
    assert [gap["reason"] for gap in found["gaps"]] == ["entered", "frozen"]
    assert found["session"]["visibleMs"] == 450
    assert_consistent(found)


def test_a_session_that_began_with_its_first_segment_has_no_gap_before_it(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.1)
    succeeded(ann.beat(part(HOUR_MS, 0, end="hidden")))
    assert ann.evidence["gaps"] == []


def test_refused_time_is_shown_by_its_reason(dwell: Dwell) -> None:
    came = now_ms()
    ann = visitor(dwell)
    let_pass(0.3)
    media = {"video": "v", "mediaFrom": 0, "mediaTo": HOUR_MS, "rate": 1}
    now = now_ms()
    succeeded(
        ann.beat(
            part(2 * HOUR_MS, 0, now, n=1),
            part(3 * HOUR_MS, HOUR_MS, now, n=2),
            part(100, -3 * HOUR_MS, now, n=3),
            part(200, 100, now, n=4, **media),
        )
    )
    passed = now_ms() - came + NEARLY
    found = ann.evidence
    by_n = {row["n"]: row["refused"] for row in found["segments"]}
    assert 2 * HOUR_MS - passed <= by_n[1]["beforeSessionMs"] <= 2 * HOUR_MS
    assert by_n[2] == {"beforeSessionMs": 2 * HOUR_MS, "futureMs": 0, "mediaMs": 0}
    assert 3 * HOUR_MS - passed <= by_n[3]["futureMs"] <= 3 * HOUR_MS
    assert by_n[4] == {"beforeSessionMs": 0, "futureMs": 0, "mediaMs": HOUR_MS - 100}
    assert found["session"]["elapsedMs"] <= passed
    assert_consistent(found)
    text = show(dwell, found["session"]["id"])
    assert "before the session" in text and "in the future" in text and "media" in text
    for row in found["segments"]:
        claimed = row["lengthMs"] + row["refused"]["beforeSessionMs"] + row["refused"]["futureMs"]
        wanted = {1: 2 * HOUR_MS, 2: 2 * HOUR_MS, 3: 3 * HOUR_MS + 100, 4: 100}[row["n"]]
        assert claimed == wanted, "what was claimed is credited or refused, to the millisecond"


def test_every_beat_that_told_of_a_segment_is_counted(dwell: Dwell) -> None:
    ann = visitor(dwell)
    beat = beat_of(segment(n=1))
    times: list[int] = []
    for _ in range(4):
        # By the server's clock, which need not be the test's.
        times.append(succeeded(ann.client.post("/api/session-heartbeat", json=beat))["time"])
        let_pass(0.05)
    (row,) = ann.evidence["segments"]
    assert row["beats"] == 4
    assert [ms_of(row["firstBeatTime"]), ms_of(row["lastBeatTime"])] == [min(times), max(times)]


def test_the_device_of_an_account_is_shown(dwell: Dwell) -> None:
    ann = person(dwell).login()
    number = ann.init("lesson")
    succeeded(ann.client.post("/api/session-heartbeat", json=beat_of(segment())))
    found = evidence(dwell, number)
    (device,) = found["devices"]
    assert set(device) == DEVICE_KEYS
    assert device["id"] == found["session"]["deviceId"] == ann.id
    assert found["session"]["video"] == "lesson"
    assert_consistent(found)
    assert device["device_name"] in show(dwell, number)


def test_a_device_that_is_gone_is_shown_nevertheless(dwell: Dwell) -> None:
    ann = person(dwell).login()
    number = ann.init()
    succeeded(ann.client.get("/auth/logout"))
    assert [one["id"] for one in evidence(dwell, number)["devices"]] == [ann.id]


# Who may read it, and which there are


def test_the_evidence_may_not_be_cached(dwell: Dwell) -> None:
    assert is_private(dwell.api(f"{SESSIONS}/{visitor(dwell).record['id']}"))


NO_SESSION = [
    "123456789", "0", "-1", "9223372036854775807", "99999999999999999999", "x", "1.5", "1e3", THE_ZERO,
    "1'", "1%20OR%201=1", "%F0%9F%8E%88",
]  # fmt: skip


@pytest.mark.parametrize("number", NO_SESSION)
def test_there_is_no_session_of_that_number(dwell: Dwell, number: str) -> None:
    visitor(dwell)
    assert problem(dwell.api(f"{SESSIONS}/{number}"), 404)["code"] == "not_found"


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x", "Bearer dwell_", "Basic eDp4"])
def test_without_a_key_nothing_is_shown(dwell: Dwell, header: str | None) -> None:
    number = visitor(dwell).record["id"]
    headers = {"Authorization": header} if header else {}
    for path in (f"{SESSIONS}/{number}", f"{SESSIONS}/123456789", f"{SESSIONS}/x"):
        response = dwell.client().get(path, headers=headers)
        problem(response, 401)
        assert response.headers["WWW-Authenticate"] == "Bearer"


def test_neither_a_guest_nor_an_account_may_read_it(dwell: Dwell) -> None:
    ann, bea = visitor(dwell), person(dwell).login()
    for client in (ann.client, bea.client):
        problem(client.get(f"{SESSIONS}/{ann.record['id']}"), 401)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_evidence_can_only_be_read(dwell: Dwell, method: str) -> None:
    headers = {"Authorization": f"Bearer {dwell.key()}"}
    path = f"{SESSIONS}/{visitor(dwell).record['id']}"
    response = dwell.client().request(method, path, headers=headers)
    problem(response, 405)
    assert "GET" in response.headers["Allow"]


# In the terminal


def told(server: Dwell) -> Visitor:
    ann = visitor(server)
    let_pass(0.5)
    succeeded(ann.beat(part(400, 300, page="/a", end="hidden"), part(200, 0, n=2, page="/b")))
    return ann


def test_the_terminal_shows_what_the_api_answers(dwell: Dwell) -> None:
    ann = told(dwell)
    found = ann.evidence
    assert json.loads(show(dwell, found["session"]["id"], "--format", "json")) == found


def test_the_table_shows_segments_gaps_refused_time_and_devices(dwell: Dwell) -> None:
    ann = told(dwell)
    text = show(dwell, ann.record["id"])
    assert text == show(dwell, ann.record["id"], "--format", "table")
    for word in (ann.email, "SEGMENTS", "GAPS", "REFUSED", "DEVICES", "/a", "/b", "tab1"):
        assert word in text
    for word in ("entered", "hidden", "active", "±"):
        assert word in text


def test_what_is_shown_needs_no_server(fresh_dwell) -> None:
    server = fresh_dwell()
    ann = told(server)
    found = ann.evidence
    server.stop()
    assert json.loads(show(server, found["session"]["id"], "--format", "json")) == found


@pytest.mark.parametrize("number", ["123456789", "0", "9223372036854775807"])
def test_a_session_that_there_is_not_is_an_error_that_says_so(dwell: Dwell, number: str) -> None:
    ended = dwell.run("show", "session", number)
    assert ended.returncode > 0
    assert number in ended.stderr and "session" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [["x"], ["1.5"], [], ["99999999999999999999"], ["1", "--format", "xml"], ["1", "2"]],
    ids=str,
)
def test_what_cannot_be_shown_is_an_error_that_says_why(dwell: Dwell, arguments: list[str]) -> None:
    ended = dwell.run("show", "session", *arguments)
    assert ended.returncode == 64
    assert "session" in ended.stderr
    assert ended.stdout == ""


HOSTILE = [
    "\x1b[2J\x1b]0;pwned\x07/page", "/a\r\nb\tc\x08\x7f", "\x9b31m/c1", "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>", "/%1b[2J", "'; DROP TABLE segment; --", "\u2028/line\u2029",
    "/" + "🎈" * 500,
]  # fmt: skip


def seen(server: Dwell, name: str) -> int:
    """The session of a visitor who has seen one page, and a video of the same name."""
    ann = visitor(server)
    let_pass(0.05)
    succeeded(ann.beat(segment(page=name, video=name[:60])))
    return ann.record["id"]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_does_no_harm(dwell: Dwell, name: str) -> None:
    number, harmless = seen(dwell, name), seen(dwell, "/harmless")
    response = dwell.api(f"{SESSIONS}/{number}")
    assert response.headers["Content-Type"].split(";")[0] == "application/json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    (row,) = succeeded(response)["segments"]
    assert (row["page"], row["video"]) == (name, name[:60])
    table = show(dwell, number)
    assert not [one for one in table if unicodedata.category(one) == "Cc" and one != "\n"]
    assert table.count("\n") == show(dwell, harmless).count("\n")
    text = show(dwell, number, "--format", "json")
    assert not [one for one in text if one < " " and one != "\n"]
    (row,) = json.loads(text)["segments"]
    assert row["page"] == name
