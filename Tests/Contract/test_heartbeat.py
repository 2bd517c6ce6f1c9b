"""Heartbeats: how long a visitor really stayed, whatever way the visit ended."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from dwell_process import Client, Dwell, let_pass

from .helpers import (
    BEAT,
    CROSS_SITE,
    YEAR,
    beat_of,
    enter,
    is_now,
    is_private,
    ms_of,
    now_ms,
    person,
    refused_by_gate,
    segment,
    succeeded,
    tampered,
    unique_email,
    visitor,
)

pytestmark = pytest.mark.usefixtures("way")

BODY_LIMIT = 64 * 1024
NEARLY = 250  # Milliseconds by which what a client measures may differ from what is stored.
TOLERANCE = 5000  # The most that a server may credit beyond the arrival of a beat.
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dwell]:
    """A server that expects a beat every second, and so bridges gaps of up to 1.5 s."""
    with Dwell(tmp_path_factory.mktemp("quick"), "--heartbeat-interval", "1") as server:
        yield server


# The original script's beat


def test_an_empty_beat_is_acknowledged(dwell: Dwell) -> None:
    response = visitor(dwell).beat()
    assert succeeded(response)["success"] is True
    assert is_private(response)


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "text/plain;charset=UTF-8", "application/json"]
)
def test_an_empty_beat_may_have_any_content_type(dwell: Dwell, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    response = visitor(dwell).client.post(BEAT, data=b"", headers=headers)
    assert succeeded(response)["success"] is True


def test_the_session_cookie_is_all_that_a_beat_needs(dwell: Dwell) -> None:
    client = visitor(dwell).client.drop("dwell_access")
    assert succeeded(client.post(BEAT))["success"] is True


def test_a_beat_moves_the_end_of_the_session(quick: Dwell) -> None:
    ann = visitor(quick)
    start = ann.record["sessionStartTime"]
    let_pass(1)
    before = now_ms()
    ann.beat()
    record = ann.record
    assert record["sessionStartTime"] == start
    assert is_now(ms_of(record["sessionEndTime"]), since=before)
    duration = ms_of(record["sessionEndTime"]) - ms_of(record["sessionStartTime"])
    assert record["elapsedMs"] == duration >= 1000


def test_a_beat_moves_only_its_own_session(quick: Dwell) -> None:
    email = unique_email()
    earlier, later = visitor(quick, email), visitor(quick, email)
    let_pass(0.3)
    later.beat()
    newest, oldest = quick.sessions(email=email)
    assert newest["elapsedMs"] >= 300
    assert oldest["elapsedMs"] == 0
    earlier.beat()
    assert quick.sessions(email=email)[1]["elapsedMs"] >= 300


def test_a_short_gap_between_empty_beats_is_bridged(fresh_dwell) -> None:
    """A little more than the interval; up to 4.5 s would be bridged, so that a beat may come late."""
    ann = visitor(fresh_dwell("--heartbeat-interval", "3"))
    ann.beat()
    first = now_ms()
    let_pass(3)
    last = now_ms()
    ann.beat()
    record = ann.record
    assert record["visibleMs"] >= last - first
    assert record["visibleMs"] <= record["elapsedMs"]


def test_a_long_gap_between_empty_beats_is_not_counted(quick: Dwell) -> None:
    ann = visitor(quick)
    ann.beat()
    let_pass(2)
    ann.beat()
    record = ann.record
    assert record["elapsedMs"] >= 2000
    assert record["visibleMs"] <= NEARLY


def test_beats_go_on_after_a_restart(fresh_dwell) -> None:
    server = fresh_dwell()
    ann = visitor(server)
    ann.beat()
    server.restart()
    before = now_ms()
    assert succeeded(ann.beat())["success"] is True
    assert is_now(ms_of(ann.record["sessionEndTime"]), since=before)


# Who is beating


def test_a_beat_without_a_cookie_is_refused(dwell: Dwell) -> None:
    for body in (None, beat_of(segment())):
        answer = refused_by_gate(dwell.client().post(BEAT, json=body))
        assert answer["error"] == "No session"


@pytest.mark.parametrize(
    "value", ["", "1", "2", "0", "-1", "undefined", "null", "1.abc", "a.b.c", "%00", "x" * 5000]
)
def test_a_made_up_cookie_is_refused(dwell: Dwell, value: str) -> None:
    visitor(dwell)
    response = dwell.client().forge("session_record_id", value).post(BEAT)
    assert refused_by_gate(response)["error"] == "No session"


@pytest.mark.parametrize("part", range(8))
def test_a_tampered_cookie_is_refused_and_moves_nothing(dwell: Dwell, part: int) -> None:
    ann = visitor(dwell)
    value = ann.client.cookie("session_record_id")
    forged = ann.client.twin().forge("session_record_id", tampered(value, part * len(value) // 8))
    let_pass(0.05)
    assert refused_by_gate(forged.post(BEAT))["error"] == "No session"
    assert ann.record["elapsedMs"] == 0


def test_a_shortened_cookie_is_refused(dwell: Dwell) -> None:
    ann = visitor(dwell)
    value = ann.client.cookie("session_record_id")
    for shorter in (value[:-1], value[: len(value) // 2], value[1:]):
        response = ann.client.twin().forge("session_record_id", shorter).post(BEAT)
        assert refused_by_gate(response)["error"] == "No session"


def test_a_cookie_of_another_installation_is_refused(dwell: Dwell, quick: Dwell) -> None:
    foreign = visitor(quick).client.cookie("session_record_id")
    response = dwell.client().forge("session_record_id", foreign).post(BEAT)
    assert refused_by_gate(response)["error"] == "No session"


def test_a_login_token_is_no_session_cookie(dwell: Dwell) -> None:
    token = person(dwell).login().token
    response = dwell.client().forge("session_record_id", token).post(BEAT)
    assert refused_by_gate(response)["error"] == "No session"


def test_an_access_cookie_is_no_session_cookie(dwell: Dwell) -> None:
    access = visitor(dwell).client.cookie("dwell_access")
    response = dwell.client().forge("session_record_id", access).post(BEAT)
    assert refused_by_gate(response)["error"] == "No session"


def test_a_beat_from_another_site_is_refused(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.05)
    refused_by_gate(ann.client.post(BEAT, headers=CROSS_SITE), 403)
    assert ann.record["elapsedMs"] == 0


def test_a_beat_can_only_be_posted(dwell: Dwell) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        response = visitor(dwell).client.request(method, BEAT)
        refused_by_gate(response, 405)
        assert "POST" in response.headers["Allow"]


# Beats that carry segments


def test_an_acknowledged_segment_is_stored(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.3)
    now = now_ms()
    succeeded(ann.beat(segment(n=7, **{"from": now - 200, "to": now})))
    (row,) = ann.rows()
    assert row["n"] == 7
    assert row["session_id"] == ann.record["id"]
    assert row["viewer_id"] == ann.record["viewer"]["id"]
    assert row["ended_at"] - row["started_at"] == 200
    assert is_now(row["ended_at"], since=now - NEARLY)


def test_one_beat_may_carry_many_segments(dwell: Dwell) -> None:
    ann = visitor(dwell)
    succeeded(ann.beat(*(segment(n=n) for n in range(500))))
    assert [row["n"] for row in ann.rows()] == list(range(500))


def test_sending_a_segment_again_adds_nothing(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.5)
    now = now_ms()
    one = segment(**{"from": now - 400, "to": now - 100})
    beat = beat_of(one, sentAt=now)
    succeeded(ann.client.post(BEAT, json=beat))
    first = ann.record["visibleMs"]
    for _ in range(4):
        # What is sent again is stamped again, as it leaves again.
        succeeded(ann.client.post(BEAT, json=beat | {"sentAt": now_ms()}))
    assert len(ann.rows()) == 1
    assert 300 <= first <= ann.record["visibleMs"] <= 300 + NEARLY


def test_a_segment_grows_in_any_order(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.6)
    now = now_ms()
    for to in (now - 100, now - 400, now - 250):
        succeeded(ann.beat(segment(**{"from": now - 500, "to": to})))
    (row,) = ann.rows()
    assert 400 <= row["ended_at"] - row["started_at"] <= 400 + NEARLY


def test_two_tabs_at_the_same_time_are_not_twice_the_time(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.5)
    now = now_ms()
    ann.beat(
        segment(tab="one", **{"from": now - 400, "to": now - 100}),
        segment(tab="two", **{"from": now - 300, "to": now}),
    )
    assert ann.record["visibleMs"] == 400


def test_time_between_segments_is_not_visible_time(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.7)
    now = now_ms()
    ann.beat(
        segment(n=1, **{"from": now - 600, "to": now - 500}),
        segment(n=2, **{"from": now - 100, "to": now}),
    )
    record = ann.record
    assert record["visibleMs"] == 200
    assert record["elapsedMs"] >= 600


def test_idle_time_is_visible_but_not_engaged(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.7)
    now = now_ms()
    ann.beat(
        segment(n=1, attention="active", **{"from": now - 600, "to": now - 400}),
        segment(n=2, attention="idle", **{"from": now - 400, "to": now - 100}),
    )
    record = ann.record
    assert record["visibleMs"] == 500
    assert record["engagedMs"] == 200


@pytest.mark.parametrize("off", [-YEAR * 1000, -HOUR_MS, HOUR_MS, YEAR * 1000])
def test_a_client_clock_that_is_wrong_changes_nothing(dwell: Dwell, off: int) -> None:
    ann = visitor(dwell)
    let_pass(0.4)
    now = now_ms()
    one = segment(**{"from": now + off - 300, "to": now + off - 100})
    succeeded(ann.beat(one, sentAt=now + off))
    answered = now_ms()
    (row,) = ann.rows()
    assert row["ended_at"] - row["started_at"] == 200
    assert is_now(row["ended_at"] + 100, now, answered)


@pytest.mark.parametrize(
    ("begins", "ends"),
    [(-24 * HOUR_MS, 0), (-24 * HOUR_MS, -23 * HOUR_MS), (0, HOUR_MS), (HOUR_MS, 2 * HOUR_MS)],
    ids=["longer than the session", "before the session", "into the future", "in the future"],
)
def test_time_that_did_not_pass_is_not_credited_but_kept_in_view(
    dwell: Dwell, begins: int, ends: int
) -> None:
    opened = now_ms()
    ann = visitor(dwell)
    let_pass(0.2)
    now = now_ms()
    one = segment(**{"from": now + begins, "to": now + ends})
    assert succeeded(ann.beat(one, sentAt=now))["success"] is True
    record = ann.record
    passed = now_ms() - opened
    assert record["visibleMs"] <= passed + TOLERANCE
    assert record["elapsedMs"] <= passed + TOLERANCE
    assert ms_of(record["sessionStartTime"]) >= opened
    (row,) = ann.rows()
    assert row["refused_before_ms"] + row["refused_future_ms"] >= HOUR_MS - passed - TOLERANCE


def test_a_video_cannot_advance_faster_than_its_rate(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.4)
    now = now_ms()
    claim = {"video": "lesson-1", "mediaFrom": 0, "mediaTo": 600_000, "rate": 2}
    succeeded(ann.beat(segment(**{"from": now - 300, "to": now}, **claim)))
    (row,) = ann.rows()
    assert (row["media_to_ms"] or 0) - (row["media_from_ms"] or 0) <= 2 * 300 + 2 * TOLERANCE


def test_a_page_and_a_video_are_found_again(dwell: Dwell) -> None:
    ann = visitor(dwell)
    page, video = f"/portfolio/{ann.email}", f"video-{ann.email}"
    watched = {"video": video, "mediaFrom": 100, "mediaTo": 110, "rate": 1}
    succeeded(ann.beat(segment(n=1, page=page), segment(n=2, **watched)))
    assert [one["id"] for one in dwell.sessions(page=page)] == [ann.record["id"]]
    assert [one["id"] for one in dwell.sessions(video=video)] == [ann.record["id"]]


def test_the_same_tab_name_in_two_sessions_is_two_tabs(dwell: Dwell) -> None:
    ann, bea = visitor(dwell), visitor(dwell)
    for one in (ann, bea):
        succeeded(one.beat(segment(tab="same", n=1)))
    assert len(ann.rows("same")) == len(bea.rows("same")) == 1


def test_unknown_keys_are_ignored(dwell: Dwell) -> None:
    ann = visitor(dwell)
    succeeded(ann.beat(segment(mood="curious"), battery=0.4, nested={"a": [1, 2]}))
    assert len(ann.rows()) == 1


# The edges of what is valid


VALID: dict[str, dict[str, Any]] = {
    "the shortest tab": {"tab": "k"},
    "the longest tab": {"tab": "k" * 32},
    "every kind of character in a tab": {"tab": "aZ09_-"},
    "the smallest n": {"n": 0},
    "the largest n": {"n": 2**31 - 1},
    "idle": {"attention": "idle"},
    "the longest page": {"page": "/" + "p" * 2047},
    "a page beyond ASCII": {"page": "/grüße/日本語?q=🎈"},
    "the longest video": {"video": "v" * 255},
    "the start of a video": {"video": "v", "mediaFrom": 0, "mediaTo": 0, "rate": 1},
    "a slow video": {"video": "v", "mediaFrom": 5, "mediaTo": 9, "rate": 0.25},
    "the fastest video": {"video": "v", "mediaFrom": 5, "mediaTo": 9, "rate": 16},
}
INVALID: dict[str, tuple[str, Any]] = {
    "a tab missing": ("tab", None),
    "a tab empty": ("tab", ""),
    "a tab too long": ("tab", "k" * 33),
    "a tab with a space": ("tab", "a b"),
    "a tab with an umlaut": ("tab", "ä"),
    "a tab with a slash": ("tab", "../x"),
    "a tab with a quote": ("tab", "a'b"),
    "a tab that is a number": ("tab", 5),
    "n missing": ("n", None),
    "n negative": ("n", -1),
    "n too large": ("n", 2**31),
    "n enormous": ("n", 10**30),
    "n broken": ("n", 1.5),
    "n a text": ("n", "1"),
    "n a truth": ("n", True),
    "from missing": ("from", None),
    "from a text": ("from", "2026-01-01"),
    "from broken": ("from", 1.5),
    "from a list": ("from", [1]),
    "from enormous": ("from", 10**30),
    "from the largest integer": ("from", 2**63 - 1),
    "to missing": ("to", None),
    "to a text": ("to", "1"),
    "to broken": ("to", 0.5),
    "attention missing": ("attention", None),
    "attention unknown": ("attention", "asleep"),
    "attention in capitals": ("attention", "Active"),
    "attention a number": ("attention", 1),
    "a page too long": ("page", "/" + "p" * 2048),
    "a page that is a number": ("page", 1),
    "a video too long": ("video", "v" * 256),
    "a video that is a list": ("video", ["v"]),
    "media from negative": ("mediaFrom", -1),
    "media from a text": ("mediaFrom", "0"),
    "media to negative": ("mediaTo", -1),
    "media to a text": ("mediaTo", "9"),
    "rate zero": ("rate", 0),
    "rate negative": ("rate", -1),
    "rate too fast": ("rate", 16.01),
    "rate a text": ("rate", "fast"),
}


@pytest.mark.parametrize("changes", VALID.values(), ids=VALID.keys())
def test_a_segment_at_the_edge_is_accepted(dwell: Dwell, changes: dict[str, Any]) -> None:
    assert succeeded(visitor(dwell).beat(segment(**changes)))["success"] is True


@pytest.mark.parametrize(("name", "value"), INVALID.values(), ids=INVALID.keys())
def test_a_segment_beyond_the_edge_is_refused_by_name(
    dwell: Dwell, name: str, value: object
) -> None:
    video = {"video": "v", "mediaFrom": 5, "mediaTo": 9, "rate": 1}
    refused_by_gate(visitor(dwell).beat(segment(**(video | {name: value}))), naming=f"[0].{name}")


def test_a_segment_that_ends_before_it_begins_is_refused(dwell: Dwell) -> None:
    now = now_ms()
    response = visitor(dwell).beat(segment(**{"from": now, "to": now - 1}))
    answer = refused_by_gate(response)
    assert "segments[0].from" in answer["error"] or "segments[0].to" in answer["error"]


def test_a_segment_of_no_length_is_accepted(dwell: Dwell) -> None:
    now = now_ms()
    succeeded(visitor(dwell).beat(segment(**{"from": now, "to": now})))


def test_a_video_that_runs_backwards_is_refused(dwell: Dwell) -> None:
    one = segment(video="v", mediaFrom=10, mediaTo=9, rate=1)
    assert "segments[0].media" in refused_by_gate(visitor(dwell).beat(one))["error"]


def test_the_refusal_says_which_segment(dwell: Dwell) -> None:
    response = visitor(dwell).beat(segment(n=1), segment(n=2), segment(n=-3))
    refused_by_gate(response, naming="segments[2].n")


@pytest.mark.parametrize("v", [None, 0, 2, -1, "1", 1.5, True, [1]], ids=repr)
def test_an_unknown_version_is_refused(dwell: Dwell, v: object) -> None:
    error = refused_by_gate(visitor(dwell).beat(segment(), v=v))["error"]
    assert error.split()[0].strip("\"'`:") == "v" or " v " in error, error


@pytest.mark.parametrize("sent_at", [None, "now", -1, 1.5, True, 10**30], ids=repr)
def test_a_beat_without_a_time_is_refused(dwell: Dwell, sent_at: object) -> None:
    refused_by_gate(visitor(dwell).beat(segment(), sentAt=sent_at), naming="sentAt")


@pytest.mark.parametrize("segments", [None, {}, "all", 1, [1], [None], ["x"], [[]]], ids=repr)
def test_segments_that_are_no_list_of_segments_are_refused(dwell: Dwell, segments: object) -> None:
    refused_by_gate(visitor(dwell).beat(v=1, segments=segments), naming="segments")


def test_more_than_500_segments_are_refused(dwell: Dwell) -> None:
    ann = visitor(dwell)
    response = ann.beat(*(segment(n=n) for n in range(501)))
    refused_by_gate(response, naming="segments")
    assert ann.rows() == []


def post(client: Client, body: bytes | str | Iterator[bytes]) -> Any:
    return client.post(BEAT, data=body, headers={"Content-Type": "application/json"})


def padded(length: int) -> bytes:
    """A valid beat of exactly that many bytes."""
    bare = len(json.dumps(beat_of(segment(), pad="")))
    body = json.dumps(beat_of(segment(), pad="x" * (length - bare))).encode()
    assert len(body) == length
    return body


def in_chunks(body: bytes) -> Iterator[bytes]:
    """A body that is sent in pieces, its size unknown until the end."""
    return (body[at : at + 1000] for at in range(0, len(body), 1000))


def test_a_body_as_large_as_allowed_is_accepted(dwell: Dwell) -> None:
    assert succeeded(post(visitor(dwell).client, padded(BODY_LIMIT)))["success"] is True


def test_a_body_one_byte_larger_is_refused(dwell: Dwell) -> None:
    refused_by_gate(post(visitor(dwell).client, padded(BODY_LIMIT + 1)), 413)


def test_a_body_that_does_not_tell_its_size_is_held_to_the_same_limit(dwell: Dwell) -> None:
    ann = visitor(dwell)
    assert succeeded(post(ann.client, in_chunks(padded(2000))))["success"] is True
    refused_by_gate(post(ann.client, in_chunks(padded(BODY_LIMIT + 1000))), 413)


@pytest.mark.parametrize(
    "body",
    [
        "{", "}", "[", "nonsense", '{"v":1,}', '{"v":1 "sentAt":2}', '{"v":01}', "{'v':1}",
        '{"v":1,"sentAt":NaN,"segments":[]}', '{"v":1,"sentAt":1e999,"segments":[]}',
        '{"v":1,"sentAt":1,"segments":[]} trailing', "\x00", '"\ud800"',
    ],
)  # fmt: skip
def test_malformed_json_is_refused(dwell: Dwell, body: str) -> None:
    ann = visitor(dwell)
    refused_by_gate(post(ann.client, body.encode("utf-8", "surrogatepass")))
    assert ann.rows() == []


@pytest.mark.parametrize("body", ["null", "1", "true", '"text"', "[]", "[1]"])
def test_json_that_is_no_object_is_refused(dwell: Dwell, body: str) -> None:
    refused_by_gate(post(visitor(dwell).client, body))


def test_text_that_is_not_utf_8_is_refused(dwell: Dwell) -> None:
    body = json.dumps(beat_of(segment(page="/PAGE"))).encode().replace(b"PAGE", b"\xff\xfe")
    refused_by_gate(post(visitor(dwell).client, body))


def test_json_that_is_nested_too_deeply_is_refused(dwell: Dwell) -> None:
    client = visitor(dwell).client
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        depth = BODY_LIMIT // (len(opening) + len(closing)) - 100
        nested = opening * depth + "1" + closing * depth
        refused_by_gate(post(client, nested))
        refused_by_gate(post(client, f'{{"v":1,"sentAt":1,"segments":{nested[:60_000]}'))
    assert succeeded(client.post(BEAT))["success"] is True


# A database that is away


def test_while_the_database_is_locked_a_beat_is_not_acknowledged(fresh_dwell) -> None:
    server = fresh_dwell()
    ann = visitor(server)
    with server.store.locked():
        response = ann.client.post(BEAT, json=beat_of(segment(n=1)), timeout=60)
        assert response.status_code == 503
        assert response.json()["success"] is False
        assert int(response.headers["Retry-After"]) >= 1
        for word in ("sqlite", "postgres", "lock"):
            assert word not in response.text.lower()
    assert succeeded(ann.beat(segment(n=1)))["success"] is True
    assert len(ann.rows()) == 1


# The script


def test_the_script_is_served(dwell: Dwell) -> None:
    response = dwell.client().get("/dwell.js")
    assert response.status_code == 200
    assert "javascript" in response.headers["Content-Type"]
    assert BEAT in response.text


def test_a_beat_is_answered_quickly(dwell: Dwell) -> None:
    """Not a benchmark: only that nothing waits for an interval or a timeout to pass."""
    ann = visitor(dwell)
    started = time.monotonic()
    for n in range(20):
        succeeded(ann.beat(segment(n=n)))
    assert time.monotonic() - started < 60


def test_the_original_client_needs_no_content_type_and_no_body(dwell: Dwell) -> None:
    email, client = unique_email(), dwell.client()
    enter(client, email, form=True)
    response = client.post(BEAT)
    assert response.status_code == 200
    assert response.json()["success"] is True
