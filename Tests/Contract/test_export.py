"""Everything at once: `/api/v1/export/…` and `dwell export`."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import pty
import socket
import sqlite3
import subprocess
from contextlib import closing
from typing import Any

import pytest

import stores
from dwell_process import BINARY, Dwell, clean_environment, eventually

from .helpers import (
    evidence,
    iso_of,
    log_until,
    ms_of,
    now_ms,
    person,
    problem,
    segment,
    succeeded,
    unique,
    unique_email,
    visitor,
)

KINDS = ("sessions", "segments", "statistics")
CSV, NDJSON = "text/csv", "application/x-ndjson"
DAY_MS = 86_400_000


def export(server: Dwell, kind: str, accept: str | None = None, **parameters: Any) -> Any:
    headers = {"Authorization": f"Bearer {server.key()}"} | ({"Accept": accept} if accept else {})
    return server.client().get(f"/api/v1/export/{kind}", params=parameters, headers=headers)


def rows(server: Dwell, kind: str, **parameters: Any) -> list[dict[str, Any]]:
    response = export(server, kind, format="ndjson", **parameters)
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.content.splitlines()]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def printed(server: Dwell, *arguments: str) -> str:
    ended = server.run("export", *arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def fill(server: Dwell, sessions: int, segments: int) -> str:
    """Stores sessions of one visitor, each with segments of a second, and gives the email."""
    email = unique_email("many")
    guest = visitor(server, email)
    record = guest.record
    viewer, start = record["viewer"]["id"], ms_of(record["sessionStartTime"]) - DAY_MS
    first = 1_000_000
    numbers = "WITH RECURSIVE number (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM number WHERE i < {})"
    server.store.change(
        f"INSERT INTO session (viewer_id, id, entry_id, started_at, last_seen_at, seen_slot)"
        f" {numbers.format(sessions - 1)} SELECT {viewer}, {first} + i, {first} + i, {start} + i, {start + 100_000} + i,"
        f" ({start + 100_000} + i) / 3600000 FROM number"
    )
    server.store.change(
        f"INSERT INTO segment (viewer_id, entry_id, tab, n, session_id, started_at, ended_at, attention, unsure_ms,"
        f" first_beat_at, last_beat_at) {numbers.format(sessions * segments - 1)}"
        f" SELECT {viewer}, {first} + i / {segments}, 'tab', i % {segments}, {first} + i / {segments},"
        f" {start} + 1000 * (i % {segments}), {start} + 1000 * (i % {segments}) + 1000, 'active', 0, {start}, {start}"
        f" FROM number"
    )
    return email


# What comes


def test_sessions_come_as_the_list_has_them(fresh_dwell) -> None:
    server = fresh_dwell()
    for _ in range(3):
        visitor(server).beat()
    person(server).login().init("lesson")
    assert rows(server, "sessions") == server.sessions()
    read = table(export(server, "sessions", format="csv").content.decode())
    assert read == table(server.run("report", "sessions", "--format", "csv").stdout)
    assert [int(row["id"]) for row in read] == [one["id"] for one in server.sessions()]


def test_segments_come_as_the_evidence_has_them(fresh_dwell) -> None:
    server = fresh_dwell()
    guest, now = visitor(server), now_ms()
    guest.beat(
        segment(n=2, page="/b", **{"from": now - 20, "to": now}), segment(n=1, page="/a", **{"from": now - 60, "to": now - 30})
    )
    guest.beat(segment(tab="tab2", video="lesson", mediaFrom=0, mediaTo=10, rate=1.5))
    other = visitor(server)
    other.beat(segment(page="/a"))
    found = rows(server, "segments")
    assert [row["viewer"]["email"] for row in found] == [other.email] + [guest.email] * 3
    assert all(set(row) == {"sessionId", "viewer", "segment"} for row in found)
    for visitor_ in (guest, other):
        session = visitor_.record["id"]
        of_session = [row["segment"] for row in found if row["sessionId"] == session]
        assert of_session == evidence(server, session)["segments"]
    (video,) = [row for row in table(export(server, "segments", accept=CSV).content.decode()) if row["video"]]
    assert (video["tab"], video["email"], video["rate"], video["mediaToMs"]) == ("tab2", guest.email, "1.5", "10")
    assert {video["page"], video["ended"], video["username"]} == {""}


def test_statistics_come_by_day_and_add_up_to_the_report(fresh_dwell) -> None:
    server = fresh_dwell()
    guest, now = visitor(server), now_ms()
    guest.beat(segment(page="/a", **{"from": now - 10, "to": now}))
    ann = person(server).login()
    log_until(ann, ann.init("lesson"), 100)
    succeeded(server.client().get("/cronjob/trigger?accessKey=secretcronjob"))
    found = rows(server, "statistics")
    assert [row["day"] for row in found] == sorted(row["day"] for row in found)
    whole = [row for row in found if row["kind"] is None]
    assert {row["viewer"]["email"] for row in whole} == {guest.email, ann.person.given["email"]}
    days = json.loads(server.run("report", "days", "--format", "json").stdout)
    assert sum(row["total"]["visibleMs"] for row in whole) == sum(day["visibleMs"] for day in days) > 0
    assert {(row["kind"], row["name"]) for row in found if row["kind"]} == {("page", "/a"), ("video", "lesson")}
    assert [row["viewer"]["username"] for row in rows(server, "statistics", video="lesson")] == [ann.person.username]
    assert table(printed(server, "statistics", "--page", "/a"))[0]["name"] == "/a"
    assert rows(server, "statistics", email=guest.email) == [row for row in found if row["viewer"]["email"] == guest.email]
    assert rows(server, "statistics", page="/nobody/saw/this") == []


def test_many_pages_come_whole_and_once(fresh_dwell) -> None:
    server = fresh_dwell()
    email = fill(server, sessions=450, segments=3)
    of_api = rows(server, "sessions", email=email)
    assert len({row["id"] for row in of_api}) == len(of_api) == 451
    keys = [(row["sessionId"], row["segment"]["n"]) for row in rows(server, "segments")]
    assert len(set(keys)) == len(keys) == 1350
    assert len(table(printed(server, "segments"))) == 1350
    assert len(table(export(server, "segments", accept=CSV).content.decode())) == 1350
    # Every one of a thousand days and more.
    succeeded(server.client().get("/cronjob/trigger?accessKey=secretcronjob"))
    viewer = of_api[0]["viewer"]["id"]
    server.store.change(
        "INSERT INTO daily_statistic (viewer_id, day, content_id, visible_ms, engaged_ms, raw_ms)"
        " WITH RECURSIVE number (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM number WHERE i < 1199)"
        f" SELECT {viewer}, i, 0, 5, 5, 5 FROM number"
    )
    for filters in ({}, {"email": email}):
        days = [row["day"] for row in rows(server, "statistics", to="1973-04-15", **filters)]
        assert len(set(days)) == len(days) == 1200
        assert days == sorted(days)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_export_is_empty(fresh_dwell, kind: str) -> None:
    server = fresh_dwell()
    assert rows(server, kind) == []
    response = export(server, kind, format="csv")
    assert response.content.endswith(b"\r\n")
    assert len(response.content.splitlines()) == 1
    assert printed(server, kind).splitlines() == response.text.splitlines()
    assert printed(server, kind, "--format", "ndjson") == ""


# Filters


def test_the_filters_of_the_lists(dwell: Dwell) -> None:
    page, video = f"/{unique('page')}", unique("video")
    ann, bea = visitor(dwell), visitor(dwell)
    now = now_ms()
    ann.beat(segment(n=1, page=page, **{"from": now - 20, "to": now - 10}), segment(n=2, page="/other"))
    bea.beat(segment(video=video, mediaFrom=0, mediaTo=10, rate=1))
    login = person(dwell).login()
    id = login.init()
    assert [row["id"] for row in rows(dwell, "sessions", page=page)] == [ann.record["id"]]
    assert [row["segment"]["n"] for row in rows(dwell, "segments", page=page)] == [1]
    assert [row["segment"]["n"] for row in rows(dwell, "segments", email=ann.email.upper())] == [1, 2]
    assert [row["viewer"]["email"] for row in rows(dwell, "segments", video=video)] == [bea.email]
    assert [str(row["id"]) for row in rows(dwell, "sessions", username=login.person.username)] == [id]
    start = ms_of(ann.record["sessionStartTime"])
    for kind in ("sessions", "segments"):
        assert rows(dwell, kind, email=ann.email, **{"from": iso_of(start), "to": iso_of(start + 1)})
        assert rows(dwell, kind, email=ann.email, to=iso_of(start)) == []
        assert rows(dwell, kind, email=ann.email, **{"from": iso_of(start + 1)}) == []
    day = ("--from", iso_of(start - DAY_MS)[:10], "--to", iso_of(start + 2 * DAY_MS)[:10])
    for kind in KINDS:
        lines = printed(dwell, kind, "--format", "ndjson", "--email", ann.email, *day).splitlines()
        assert lines, kind
        assert all(ann.email in line for line in lines)
        assert printed(dwell, kind, "--format", "ndjson", "--to", "2000-01-01") == ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "value"),
    [("format", "xml"), ("format", ""), ("from", "yesterday"), ("to", "2026-02-30"), ("limit", "5"), ("cursor", "x"), ("email", "x")],
)  # fmt: skip
def test_a_bad_filter_is_named(dwell: Dwell, kind: str, name: str, value: str) -> None:
    problem(export(dwell, kind, **{name: value}), 400, field=name)


def test_what_cannot_be_asked_is_named(dwell: Dwell) -> None:
    problem(export(dwell, "statistics", page="/a", video="b"), 400, field="page")
    problem(export(dwell, "statistics", **{"from": "2026-11-21T07:30:00Z"}), 400, field="from")
    problem(export(dwell, "sessions", **{"from": "2026-11-21", "to": "2026-11-21"}), 400, field="to")
    ended = dwell.run("export", "statistics", "--from", "2026-11-21T07:30:00Z")
    assert (ended.returncode, ended.stdout) == (78, "")
    assert "--from" in ended.stderr
    assert "kind" in dwell.run("export", "everything").stderr


# Who, and as what


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_key_nothing_is_exported(dwell: Dwell, kind: str) -> None:
    path = f"/api/v1/export/{kind}"
    problem(dwell.client().get(path), 401)
    problem(dwell.client().get(path, headers={"Authorization": "Bearer dwell_x"}), 401)
    problem(visitor(dwell).client.get(path), 401)


def test_there_is_nothing_else_to_export(dwell: Dwell) -> None:
    problem(export(dwell, "accounts"), 404)


@pytest.mark.parametrize(
    ("accept", "type"),
    [(None, NDJSON), ("*/*", NDJSON), (CSV, CSV), (NDJSON, NDJSON), (f"{NDJSON};q=0.2, {CSV};q=0.9", CSV)],
)
def test_the_client_says_what_it_takes(dwell: Dwell, accept: str | None, type: str) -> None:
    response = export(dwell, "sessions", accept or "*/*")
    assert response.headers["Content-Type"] == f"{type}; charset=utf-8"
    assert "no-store" in response.headers["Cache-Control"]
    assert "dwell-sessions." in response.headers["Content-Disposition"]


def test_a_client_that_takes_neither_is_told(dwell: Dwell) -> None:
    problem(export(dwell, "sessions", "text/html"), 406, field="Accept")
    # The address says it more clearly than the header.
    assert export(dwell, "sessions", "text/html", format="csv").headers["Content-Type"].startswith(CSV)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(dwell: Dwell, start: str) -> None:
    guest = visitor(dwell)
    video = f'{start}cmd("x", 1){unique()}'
    answer = guest.beat(segment(video=video, mediaFrom=0, mediaTo=1, rate=1))
    if answer.status_code == 400:
        pytest.skip("no video has such a name")
    text = export(dwell, "segments", accept=CSV, email=guest.email).content.decode()
    (row,) = table(text)
    assert row["video"] == "'" + video


# However much, however slow


def slow_reader(server: Dwell, path: str) -> socket.socket:
    """A client that has read the beginning of an answer, and nothing more."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(60)
    connection.connect((server.host, server.port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key()}\r\n\r\n".encode())
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


def transactions(server: Dwell) -> int:
    """How many are open in the database but the one that asks."""
    if not isinstance(server.store, stores.SQLiteFile):
        (row,) = server.sql(
            "SELECT count(*) AS count FROM pg_stat_activity"
            " WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
        )
        return row["count"]
    with closing(sqlite3.connect(server.store.path, timeout=0)) as connection:
        # All of the log can be thrown away only when nobody reads from it.
        return connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]


@pytest.mark.one_node("a proxy reads what its client does not")
def test_a_slow_client_holds_no_transaction_and_one_that_is_gone_ends_the_work(fresh_dwell) -> None:
    server = fresh_dwell("--log-level", "debug")
    fill(server, sessions=8000, segments=5)
    guest = visitor(server)
    connection = slow_reader(server, "/api/v1/export/segments?format=ndjson")
    # Whatever goes on beside it, nothing stays open.
    eventually(lambda: transactions(server) == 0, what="no open transaction")
    assert guest.beat(segment()).status_code == 200
    eventually(lambda: transactions(server) == 0, what="no open transaction after a beat")
    assert "export not read to its end" not in server.logs
    connection.close()
    eventually(lambda: "export not read to its end" in server.logs, what="the end of the work")
    assert "export ended early" not in server.logs


@pytest.mark.sqlite("a table that is renamed under a reader")
def test_a_store_that_goes_away_in_the_middle_leaves_the_answer_without_an_end(fresh_dwell) -> None:
    server = fresh_dwell()
    fill(server, sessions=8000, segments=5)
    with closing(slow_reader(server, "/api/v1/export/segments?format=ndjson")) as connection:
        with closing(sqlite3.connect(server.database)) as other:
            other.execute("ALTER TABLE segment RENAME TO gone")
        with connection.makefile("rb") as answer:
            rest = answer.read()
    assert not rest.endswith(b"0\r\n\r\n")
    eventually(lambda: "export ended early" in server.logs, what="a line in the log")


def everything(terminal: int) -> bytes:
    """What was written to a terminal that nobody has open any more."""
    shown = b""
    try:
        while part := os.read(terminal, 65_536):
            shown += part
    except OSError as error:
        assert error.errno == errno.EIO  # How Linux tells the end of it.
    return shown


def test_the_bar_is_for_a_terminal(fresh_dwell) -> None:
    server = fresh_dwell()
    fill(server, sessions=450, segments=1)
    outer, inner = pty.openpty()
    with subprocess.Popen(
        [str(BINARY), "export", "sessions", "--database-url", server.database_url],
        env=clean_environment(dict(server.store.env)), stdout=subprocess.PIPE, stderr=inner,
    ) as process:  # fmt: skip
        os.close(inner)
        output = process.stdout.read()
        assert process.wait() == 0
        shown = everything(outer).decode()
    os.close(outer)
    assert len(table(output.decode())) == 451
    assert "% of 2 days" in shown and shown.endswith("\r\x1b[K")
