"""The largest possible error beside every duration."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from dwell_process import Dwell, let_pass

from .helpers import Visitor, beat_of, now_ms, person, segment, succeeded, unique, visitor

RESOLUTION = 1000  # What a tab's clock and the way to the server may be off.
INTERVAL = 180_000  # What is asked of scripts that send no body.
MEASURES = ("elapsed", "visible", "engaged")
SURE = [
    "hidden", "left", "page", "attention", "frozen", "session",
    "paused", "sought", "rate", "ended", "stalled",
]  # fmt: skip


def errors(record: dict[str, Any]) -> tuple[int, int, int]:
    return tuple(record[f"{name}ErrorMs"] for name in MEASURES)  # type: ignore[return-value]


def report(server: Dwell, *arguments: str) -> list[dict[str, Any]]:
    ended = server.run("report", *arguments, "--format", "json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def guest_with(server: Dwell, *segments: dict[str, Any], **changes: Any) -> Visitor:
    """A guest with one beat of segments of 20 ms, which are what is said of them."""
    ann = visitor(server)
    let_pass(0.03)
    succeeded(ann.beat(*(segment(**one) for one in segments), **changes))
    return ann


@pytest.mark.parametrize("end", SURE)
def test_a_page_that_said_when_it_ended_is_right_to_a_second(dwell: Dwell, end: str) -> None:
    assert errors(guest_with(dwell, {"end": end}).record) == (1000, 1000, 1000)


@pytest.mark.parametrize(("end", "unsure"), [("asleep", 2000), ("lost", 65_000)])
def test_an_end_that_was_found_later_is_less_sure(dwell: Dwell, end: str, unsure: int) -> None:
    ann = guest_with(dwell, {"end": end})
    assert errors(ann.record) == (RESOLUTION + unsure,) * 3
    assert [row["unsureMs"] for row in ann.evidence["segments"]] == [unsure]


@pytest.mark.parametrize(("age", "pause"), [(0, 5000), (6000, 15_000), (25_000, 30_000)])
def test_an_open_page_may_have_gone_on_until_the_next_beat(
    dwell: Dwell, age: int, pause: int
) -> None:
    now = now_ms()
    ann = guest_with(dwell, {"from": now - age, "to": now})
    assert errors(ann.record) == (RESOLUTION + pause,) * 3


def test_an_idle_page_may_have_gone_on_for_twice_as_long(dwell: Dwell) -> None:
    ann = guest_with(dwell, {"attention": "idle"})
    assert ann.record["visibleErrorMs"] == RESOLUTION + 2 * INTERVAL


def test_a_client_with_a_pause_of_its_own_is_as_unsure_as_that(dwell: Dwell) -> None:
    ann = guest_with(dwell, {}, interval=42_000)
    assert errors(ann.record) == (RESOLUTION + 42_000,) * 3


def test_an_end_that_is_told_later_makes_it_sure(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.1)
    now = now_ms()
    succeeded(ann.beat(segment(**{"from": now - 80, "to": now - 50})))
    assert ann.record["visibleErrorMs"] == RESOLUTION + 5000
    succeeded(ann.beat(segment(**{"from": now - 80, "to": now - 10}, end="hidden")))
    assert errors(ann.record) == (1000, 1000, 1000)


def test_nothing_that_comes_after_the_end_makes_it_unsure_again(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.1)
    now = now_ms()
    ended = segment(**{"from": now - 80, "to": now - 10}, end="hidden")
    still_open = segment(**{"from": now - 80, "to": now - 50})
    for one in (ended, still_open, ended, still_open):
        succeeded(ann.beat(one))
    assert errors(ann.record) == (1000, 1000, 1000)


def test_beats_without_a_body_may_be_wrong_by_all_that_they_say(dwell: Dwell) -> None:
    ann = visitor(dwell)
    succeeded(ann.beat())
    let_pass(0.3)
    succeeded(ann.beat())
    record = ann.record
    assert record["visibleMs"] >= 300
    assert record["visibleErrorMs"] == RESOLUTION + record["visibleMs"] + INTERVAL
    assert record["engagedErrorMs"] == RESOLUTION + record["engagedMs"] + INTERVAL
    assert record["elapsedErrorMs"] == RESOLUTION + INTERVAL


def test_the_error_is_what_all_tails_together_would_add_and_every_tab_has_a_clock(dwell: Dwell) -> None:
    ann = guest_with(
        dwell,
        {"tab": "one", "n": 1, "end": "asleep"},
        {"tab": "one", "n": 2, "end": "lost"},
        {"tab": "two", "n": 1, "end": "hidden"},
        {"tab": "two", "n": 2},
    )
    assert ann.record["visibleErrorMs"] == 2 * RESOLUTION + 65_000
    assert ann.record["elapsedErrorMs"] >= RESOLUTION


def test_a_visit_without_beats_is_known_to_the_second(dwell: Dwell) -> None:
    record = visitor(dwell).record
    assert record["elapsedErrorMs"] == RESOLUTION
    assert [record[f"{name}Ms"] for name in MEASURES] == [0, 0, 0]


def test_no_figure_is_below_nothing_however_unsure_it_is(dwell: Dwell) -> None:
    record = guest_with(dwell, {"attention": "idle"}).record
    assert record["visibleMs"] < record["visibleErrorMs"]
    assert all(record[f"{name}Ms"] >= 0 for name in MEASURES)


def test_a_page_that_was_only_just_opened_is_unsure_in_every_report(dwell: Dwell) -> None:
    """Its only beat came at once. It may have stayed until the next one was due."""
    now = now_ms()
    ann = guest_with(dwell, {"from": now, "to": now})
    assert ann.record["visibleMs"] == 0
    assert ann.record["visibleErrorMs"] == RESOLUTION + 5000
    (total,) = report(dwell, "totals", "--email", ann.email)
    assert total["visibleErrorMs"] >= 5000
    (day,) = report(dwell, "days", "--email", ann.email)
    assert day["visibleErrorMs"] >= 5000


def test_the_real_length_lies_within_the_error(dwell: Dwell) -> None:
    """A page goes on after its last beat, and ends without a word before the next one is due."""
    ann = visitor(dwell)
    opened = now_ms()
    let_pass(0.1)
    succeeded(ann.beat(segment(**{"from": opened, "to": now_ms()})))
    let_pass(0.4)
    real = now_ms() - opened
    record = ann.record
    for name in MEASURES:
        assert record[f"{name}Ms"] <= real
        assert real <= record[f"{name}Ms"] + record[f"{name}ErrorMs"]


# Reports


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server with two guests, three sessions and a video, all of whose errors are known."""
    with Dwell(tmp_path_factory.mktemp("watched")) as server:
        ann = visitor(server)
        let_pass(0.2)
        now = now_ms()
        media = {"video": "lesson", "mediaFrom": 0, "mediaTo": 100, "rate": 1}
        times = {"from": now - 150, "to": now}
        succeeded(ann.beat(segment(n=1, end="lost", **times)))
        succeeded(ann.beat(segment(n=1, tab="player", end="paused", **times, **media)))
        later = visitor(server, ann.email)
        let_pass(0.05)
        succeeded(later.beat(segment(end="hidden")))
        guest_with(server, {"end": "asleep"})
        yield server, ann.email


# Three tabs of one person, one of them lost; the other person slept. What the third tab saw in the meantime is no error.
OF_ANN = pytest.approx(3 * RESOLUTION + 65_000, abs=500)
OF_BEA = RESOLUTION + 2000
BOTH = pytest.approx(4 * RESOLUTION + 67_000, abs=500)


def test_the_totals_tell_their_errors(watched: Any) -> None:
    server, email = watched
    by_email = {row["email"]: row for row in report(server, "totals")}
    ann = by_email.pop(email)
    (bea,) = by_email.values()
    assert ann["visibleErrorMs"] == ann["engagedErrorMs"]
    assert ann["visibleErrorMs"] == OF_ANN
    assert bea["visibleErrorMs"] == bea["engagedErrorMs"] == OF_BEA
    for total in (ann, bea):
        assert total["elapsedErrorMs"] >= total["sessions"] * RESOLUTION
        assert total["rawMs"] >= total["visibleMs"] >= total["engagedMs"] >= 0
    assert ann["rawMs"] > ann["visibleMs"], "two tabs at once"


def test_the_days_tell_their_errors(watched: Any) -> None:
    server, _ = watched
    days = report(server, "days")
    if len(days) == 1:  # Not at midnight.
        assert days[0]["visibleErrorMs"] == BOTH
        assert days[0]["engagedErrorMs"] == BOTH


def test_the_videos_tell_their_errors(watched: Any) -> None:
    server, _ = watched
    (video,) = report(server, "videos")
    assert video["visibleErrorMs"] == video["engagedErrorMs"] == RESOLUTION
    assert video["rawMs"] == video["visibleMs"] == 150


KINDS = {
    "sessions": ("elapsed", "visible", "engaged"),
    "totals": ("elapsed", "visible", "engaged"),
    "days": ("visible", "engaged"),
    "videos": ("visible", "engaged"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_csv_has_the_same_errors_as_the_json(watched: Any, kind: str) -> None:
    server, _ = watched
    ended = server.run("report", kind, "--format", "csv")
    assert ended.returncode == 0, ended.stderr
    rows = list(csv.DictReader(io.StringIO(ended.stdout)))
    wanted = report(server, kind)
    assert len(rows) == len(wanted) > 0
    for name in KINDS[kind]:
        column = f"{name}ErrorMs"
        assert [int(row[column]) for row in rows] == [row[column] for row in wanted]
    if kind != "sessions":
        assert [int(row["rawMs"]) for row in rows] == [row["rawMs"] for row in wanted]


def test_the_tables_tell_the_error_beside_the_figure(watched: Any) -> None:
    server, email = watched
    for kind, measures in KINDS.items():
        ended = server.run("report", kind)
        assert ended.returncode == 0, ended.stderr
        head, _, *rows = ended.stdout.splitlines()
        assert rows
        assert all(line.count("±") == len(measures) for line in rows), kind
        assert ("tabs added up" in head) == (kind != "sessions")
    totals = server.run("report", "totals", "--email", email).stdout
    assert "±1m8s" in totals.replace(" ", "")


def test_an_error_is_never_rounded_down(fresh_dwell) -> None:
    server = fresh_dwell()
    guest_with(server, {}, interval=1001)
    assert "±3s" in server.run("report", "sessions").stdout.replace(" ", "")


def test_an_account_has_errors_too(dwell: Dwell) -> None:
    ann = person(dwell).login()
    video = unique("video")
    ann.init(video)
    (session,) = ann.person.sessions()
    assert session["elapsedErrorMs"] == RESOLUTION + INTERVAL
    assert session["visibleErrorMs"] == RESOLUTION + INTERVAL + session["visibleMs"]
    succeeded(ann.client.post("/api/session-heartbeat", json=beat_of(segment(end="paused"))))
    (session,) = ann.person.sessions()
    assert session["visibleErrorMs"] == pytest.approx(2 * RESOLUTION + INTERVAL, abs=500)
