"""`--keep-segments`: old segments are folded into what they add up to, and every figure stays."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from typing import Any

import pytest

from dwell_process import CONFIGURATION_ERROR, Dwell, eventually, let_pass, run_dwell

from .helpers import (
    BEAT,
    beat_by_token,
    evidence,
    iso_of,
    ms_of,
    now_ms,
    person,
    segment,
    succeeded,
    visitor,
)

pytestmark = pytest.mark.slow

DAY = 86_400_000
AGE = 62
REPORTS = ["sessions", "totals", "days", "videos"]
PATIENCE = 120  # Every node looks every twelve seconds whether it is its turn.


def figures(server: Dwell) -> dict[str, Any]:
    """Everything that the reports say."""
    found = {}
    for name in REPORTS:
        ended = server.run("report", name, "--format", "json")
        assert ended.returncode == 0, ended.stderr
        found[name] = json.loads(ended.stdout)
    # By then every session is over.
    for session in found["sessions"]:
        session.pop("closed")
    assert all(found.values())
    return found


def live(server: Dwell) -> int:
    """A history with everything in it that figures are made of; gives a guest's session."""
    ann, bea = visitor(server), person(server).login()
    bea.init("lesson")
    let_pass(0.6)
    now = now_ms()
    media = {"video": "lesson", "mediaFrom": 0, "mediaTo": 250, "rate": 1}
    times = {"from": now - 500, "to": now - 300}
    succeeded(ann.beat(segment(n=1, page="/a", end="hidden", **times)))
    succeeded(ann.beat(segment(n=2, attention="idle", **{"from": now - 300, "to": now + 9000})))
    succeeded(ann.beat(segment(tab="two", end="lost", **{"from": now - 400, "to": now}, **media)))
    succeeded(ann.beat())
    bea.log()
    return ann.record["id"]


def age(server: Dwell) -> Dwell:
    """Starts a server again in whose store everything happened 62 days earlier.

    Setting its clock ahead instead would not do for PostgreSQL, nor for the jobs, which would sleep as long.
    """
    server.stop()
    for table, columns in {
        "session": ["started_at", "last_seen_at", "closed_at"],
        "segment": ["started_at", "ended_at", "first_beat_at", "last_beat_at"],
    }.items():
        moved = ", ".join(f"{column} = {column} - {AGE * DAY}" for column in columns)
        assert server.store.change(f"UPDATE {table} SET {moved}") > 0
    server.store.change(f"UPDATE session SET seen_slot = seen_slot - {AGE * DAY // 300_000}")
    for table in ("daily_statistic", "dirty_day"):
        server.store.change(f"UPDATE {table} SET day = day - {AGE}")
    # What they add up to is computed by whoever asks for figures next.
    for table in ("span_total", "span_viewers", "stale_span"):
        server.store.change(f"DELETE FROM {table}")
    server.store.change(
        "INSERT INTO stale_span (length, number, content_id, mark)"
        " SELECT DISTINCT 1, day, content_id, 0 FROM daily_statistic"
    )
    return server.start()


def earlier(found: dict[str, Any]) -> dict[str, Any]:
    """The same figures, 62 days earlier."""
    moved = json.loads(json.dumps(found))
    for session in moved["sessions"]:
        for name in ("sessionStartTime", "sessionEndTime"):
            session[name] = iso_of(ms_of(session[name]) - AGE * DAY)
    for day in moved["days"]:
        day["day"] = iso_of(ms_of(f"{day['day']}T00:00:00Z") - AGE * DAY)[:10]
    return moved


def await_folding(server: Dwell) -> None:
    def is_folded() -> bool:
        return server.sql("SELECT count(*) AS count FROM session WHERE folded_at IS NULL")[0]["count"] == 0

    eventually(is_folded, PATIENCE, "sessions without segments")


def test_old_segments_are_folded_and_every_figure_stays(fresh_dwell) -> None:
    server = fresh_dwell("--keep-segments", "60d")
    session = live(server)
    before, shown = figures(server), evidence(server, session)
    assert shown["foldedTime"] is None and shown["segments"]
    age(server)
    await_folding(server)
    assert server.sql("SELECT * FROM segment") == []
    assert figures(server) == earlier(before)

    after = evidence(server, session)
    assert after["foldedTime"] is not None
    assert (after["segments"], after["gaps"]) == ([], [])
    assert after["refused"] == shown["refused"] != {"beforeSessionMs": 0, "futureMs": 0, "mediaMs": 0}
    (same,) = [one for one in earlier(before)["sessions"] if one["id"] == session]
    assert after["session"] == same | {"closed": True}
    table = server.run("show", "session", str(session)).stdout
    assert table.count("Folded on ") == 2
    assert "in the future" in table

    recomputed = server.run("recompute").stdout
    assert "0 of them were different" in recomputed
    assert re.search(r"[1-9]\d* more were left as they are: their segments are folded", recomputed)
    assert figures(server) == earlier(before)
    assert "segments folded" in server.logs


def test_a_queue_that_reaches_into_folded_days_is_refused_that_time(fresh_dwell) -> None:
    server = fresh_dwell("--keep-segments", "60d")
    live(server)
    late = visitor(server)
    began = now_ms() - AGE * DAY
    before = figures(server)
    age(server)
    await_folding(server)
    for n in range(2):
        told = segment(n=1, tab="late", end="hidden", **{"from": began, "to": began + 500})
        succeeded(beat_by_token(server, late.token, told))
    (stored,) = late.stored
    assert stored["ended_at"] - stored["started_at"] == 0
    assert stored["refused_before_ms"] == 500
    after = figures(server)
    ids = {one["id"] for one in before["sessions"]}
    assert [one for one in after["sessions"] if one["id"] in ids] == earlier(before)["sessions"]
    days = {one["day"] for one in earlier(before)["days"]}
    assert [one for one in after["days"] if one["day"] in days] == earlier(before)["days"]


def test_segments_are_kept_without_the_setting(fresh_dwell) -> None:
    server = fresh_dwell()
    session = live(server)
    before = evidence(server, session)
    age(server)
    let_pass(1)
    assert len(evidence(server, session)["segments"]) == len(before["segments"])
    assert server.sql("SELECT * FROM job WHERE name = 'old segments'") == []


def test_killed_in_the_middle_it_goes_on_and_every_figure_stays(fresh_dwell) -> None:
    """Beats go on meanwhile; how long they waited is printed, not asserted."""
    server = fresh_dwell("--keep-segments", "60d")
    live(server)
    ann = visitor(server)
    for part in range(40):
        now = now_ms()
        many = [
            segment(n=part * 500 + n, page=f"/{n % 7}", **{"from": now - 20, "to": now - 10}) for n in range(500)
        ]
        succeeded(ann.beat(*many))
    before = figures(server)
    total = len(server.sql("SELECT n FROM segment"))
    assert total > 20_000
    age(server)
    waits: list[float] = []
    done = threading.Event()

    def beat() -> None:
        guest = visitor(server)
        while not done.is_set():
            began = time.monotonic()
            try:
                guest.client.post(BEAT)
            except OSError:
                return
            waits.append(time.monotonic() - began)

    def count() -> int:
        return server.sql(f"SELECT count(*) AS count FROM segment WHERE started_at < {now_ms() - DAY}")[0]["count"]

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        eventually(lambda: count() < total, PATIENCE, "a fold in the middle")
    finally:
        for node in server.nodes:
            node.signal(signal.SIGKILL)
        done.set()
        thread.join(30)
        server.kill()
    left = count()
    longest = max(waits, default=0)
    print(f"\nkilled with {left} of {total} segments left; {len(waits)} beats, the longest {longest:.3f} s")
    assert server.store.damage() == []
    server.start()
    in_between = figures(server)
    # The next turn would come a minute after the one that was interrupted.
    assert server.store.change("UPDATE job SET due_at = 0 WHERE name = 'old segments'") == 1
    eventually(lambda: count() == 0, PATIENCE, "no old segments")
    for found in (in_between, figures(server)):
        ids = {one["id"] for one in before["sessions"]}
        assert [one for one in found["sessions"] if one["id"] in ids] == earlier(before)["sessions"]
        days = {one["day"] for one in earlier(before)["days"]}
        assert [one for one in found["days"] if one["day"] in days] == earlier(before)["days"]
    print("longest steps:", re.findall(r"longest=(\S+ seconds)", server.logs))


def test_another_time_zone_is_refused_once_days_are_folded(fresh_dwell) -> None:
    server = fresh_dwell("--keep-segments", "60d", "--time-zone", "Asia/Tokyo")
    live(server)
    age(server)
    await_folding(server)
    server.stop()
    ended = run_dwell(
        "serve", "--port", "0", "--database-url", server.database_url, "--time-zone", "Europe/Berlin",
        folder=server.folder, env={**server.store.env, **server.env}, timeout=60,
    )  # fmt: skip
    assert ended.returncode == CONFIGURATION_ERROR, ended.stderr
    assert "--time-zone" in ended.stderr and "Asia/Tokyo" in ended.stderr
