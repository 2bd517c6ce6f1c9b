"""Reading back who spent how long on what: the API, its keys, and the report command."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest

from dwell_process import Dwell, let_pass

from .helpers import (
    ISO_MILLISECONDS,
    TALKATIVE,
    enter,
    iso_of,
    log_until,
    ms_of,
    now_ms,
    person,
    problem,
    segment,
    succeeded,
    tampered,
    unique,
    unique_email,
    visitor,
)

SESSIONS = "/api/v1/sessions"
SESSION_KEYS = {
    "id", "viewer", "emailOfAccessor", "sessionStartTime", "sessionEndTime",
    "elapsedMs", "visibleMs", "engagedMs",
}  # fmt: skip
DAY_MS = 86_400_000


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def report(server: Dwell, *arguments: str) -> list[dict[str, Any]]:
    ended = server.run("report", *arguments, "--format", "json")
    assert ended.returncode == 0, ended.stderr
    rows = json.loads(ended.stdout)
    assert isinstance(rows, list)
    return rows


# Keys


def test_a_key_is_made_on_the_command_line(dwell: Dwell) -> None:
    made = dwell.run("key", "create", "--name", unique("key"))
    assert made.returncode == 0, made.stderr
    key = [line for line in made.stdout.splitlines() if line.strip()][-1]
    assert re.fullmatch(r"dwell_\S{20,}", key)
    answer = succeeded(dwell.client().get(SESSIONS, headers=bearer(key)))
    assert set(answer) >= {"sessions", "nextCursor"}


def test_every_key_is_another(dwell: Dwell) -> None:
    keys = {dwell.run("key", "create", "--name", unique("key")).stdout for _ in range(3)}
    assert len(keys) == 3


def test_a_key_is_made_before_the_server_first_ran(tmp_path) -> None:
    server = Dwell(tmp_path)
    key = server.key()
    with server:
        assert server.client().get(SESSIONS, headers=bearer(key)).status_code == 200


def test_a_key_works_after_a_restart(fresh_dwell) -> None:
    server = fresh_dwell()
    key = server.key()
    server.restart()
    assert server.client().get(SESSIONS, headers=bearer(key)).status_code == 200


def test_a_key_needs_a_name(dwell: Dwell) -> None:
    made = dwell.run("key", "create")
    assert made.returncode != 0
    assert "--name" in made.stderr
    assert "dwell_" not in made.stdout


def test_a_key_is_stored_nowhere(fresh_dwell) -> None:
    server = fresh_dwell(env=TALKATIVE)
    key = server.key()
    server.client().get(SESSIONS, headers=bearer(key))
    server.client().get(SESSIONS, headers=bearer(tampered(key)))
    server.stop()
    assert key not in server.written
    assert key.removeprefix("dwell_").encode() not in server.store.bytes()


def test_without_a_key_nothing_is_read(dwell: Dwell) -> None:
    response = dwell.client().get(SESSIONS)
    problem(response, 401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer dwell_", "Bearer x", "Basic eDp4"])
def test_with_a_wrong_key_nothing_is_read(dwell: Dwell, header: str) -> None:
    problem(dwell.client().get(SESSIONS, headers={"Authorization": header}), 401)


def test_with_a_tampered_key_nothing_is_read(dwell: Dwell) -> None:
    key = dwell.key()
    for wrong in (tampered(key), tampered(key, 8), key[:-1], key + "A", key.upper()):
        problem(dwell.client().get(SESSIONS, headers=bearer(wrong)), 401)


def test_a_key_does_not_work_in_the_address(dwell: Dwell) -> None:
    for name in ("key", "token", "access_token", "accessKey"):
        problem(dwell.client().get(SESSIONS, params={name: dwell.key()}), 401)


def test_neither_a_guest_nor_an_account_may_read_the_sessions(dwell: Dwell) -> None:
    guest, ann = visitor(dwell), person(dwell).login()
    problem(guest.client.get(SESSIONS), 401)
    problem(ann.client.get(SESSIONS), 401)
    problem(ann.client.get(SESSIONS, headers=bearer(ann.token)), 401)


# Sessions


def test_a_guests_session_is_read_back(dwell: Dwell) -> None:
    guest = visitor(dwell)
    let_pass(0.2)
    guest.beat()
    session = guest.record
    assert set(session) >= SESSION_KEYS
    assert isinstance(session["id"], int)
    assert session["viewer"]["kind"] == "guest"
    assert session["viewer"]["email"] == guest.email == session["emailOfAccessor"]
    assert session["viewer"]["username"] is None
    assert session["viewer"]["id"] is not None
    for name in ("sessionStartTime", "sessionEndTime"):
        assert ISO_MILLISECONDS.fullmatch(session[name])
    start, end = ms_of(session["sessionStartTime"]), ms_of(session["sessionEndTime"])
    assert session["elapsedMs"] == end - start >= 200
    assert 0 <= session["engagedMs"] <= session["visibleMs"] <= session["elapsedMs"]


def test_an_accounts_session_is_read_back(dwell: Dwell) -> None:
    ann = person(dwell).login()
    session = ann.person.session(ann.init("lesson"))
    given = ann.person.given
    assert session["viewer"]["id"] is not None
    assert session["viewer"]["kind"] == "account"
    assert session["viewer"]["email"] == given["email"]
    assert session["viewer"]["username"] == given["username"]
    assert session["emailOfAccessor"] == given["email"]


def test_no_answer_may_be_cached(dwell: Dwell) -> None:
    assert "no-store" in dwell.api().headers["Cache-Control"]


def test_the_newest_session_comes_first(dwell: Dwell) -> None:
    emails = [visitor(dwell).email for _ in range(4)]
    newest = dwell.api(limit=4).json()["sessions"]
    assert [one["emailOfAccessor"] for one in newest] == emails[::-1]
    starts = [ms_of(one["sessionStartTime"]) for one in dwell.sessions()]
    assert starts == sorted(starts, reverse=True)


def test_all_sessions_are_read_page_by_page(dwell: Dwell) -> None:
    email = unique_email()
    for _ in range(7):
        visitor(dwell, email)
    pages = []
    cursor: dict[str, str] = {}
    while True:
        answer = succeeded(dwell.api(email=email, limit=3, **cursor))
        pages.append([one["id"] for one in answer["sessions"]])
        if answer["nextCursor"] is None:
            break
        cursor = {"cursor": answer["nextCursor"]}
        assert len(pages) < 10
    assert [len(page) for page in pages] == [3, 3, 1]
    read = [id for page in pages for id in page]
    assert len(set(read)) == 7
    assert read == sorted(read, reverse=True)


def test_a_page_that_is_just_full_is_the_last_one(dwell: Dwell) -> None:
    email = unique_email()
    for _ in range(3):
        visitor(dwell, email)
    answer = succeeded(dwell.api(email=email, limit=3))
    assert len(answer["sessions"]) == 3
    assert answer["nextCursor"] is None


def test_sessions_that_begin_while_one_reads_do_not_shift_the_pages(dwell: Dwell) -> None:
    email = unique_email()
    for _ in range(4):
        visitor(dwell, email)
    first = succeeded(dwell.api(email=email, limit=2))
    visitor(dwell, email)
    second = succeeded(dwell.api(email=email, limit=2, cursor=first["nextCursor"]))
    ids = [one["id"] for one in first["sessions"] + second["sessions"]]
    assert len(set(ids)) == 4


def test_a_page_holds_fifty_sessions_unless_asked_otherwise(fresh_dwell) -> None:
    server = fresh_dwell()
    client = server.client()
    for _ in range(51):
        succeeded(enter(client, "ann@example.org"))
    answer = succeeded(server.api())
    assert len(answer["sessions"]) == 50
    assert answer["nextCursor"]
    assert len(succeeded(server.api(limit=200))["sessions"]) == 51
    assert len(succeeded(server.api(limit=1))["sessions"]) == 1


# Filters


def test_sessions_of_one_email(dwell: Dwell) -> None:
    email = unique_email()
    for _ in range(2):
        visitor(dwell, email)
    visitor(dwell)
    sessions = dwell.sessions(email=email)
    assert [one["emailOfAccessor"] for one in sessions] == [email] * 2
    assert dwell.sessions(email=unique_email()) == []


def test_the_email_may_be_asked_for_in_any_letters(dwell: Dwell) -> None:
    guest = visitor(dwell)
    assert len(dwell.sessions(email=guest.email.upper())) == 1


def test_sessions_of_one_account(dwell: Dwell) -> None:
    ann, bea = person(dwell).login(), person(dwell).login()
    id = ann.init()
    bea.init()
    assert [str(one["id"]) for one in dwell.sessions(username=ann.person.username)] == [id]
    assert dwell.sessions(username=unique("nobody")) == []


def test_sessions_of_one_page_and_of_one_video(dwell: Dwell) -> None:
    page, video = f"/{unique('page')}", unique("video")
    ann, bea, other = visitor(dwell), visitor(dwell), visitor(dwell)
    ann.beat(segment(page=page))
    bea.beat(segment(video=video, mediaFrom=0, mediaTo=10, rate=1))
    other.beat(segment(page=page + "/2"))
    assert [one["emailOfAccessor"] for one in dwell.sessions(page=page)] == [ann.email]
    assert [one["emailOfAccessor"] for one in dwell.sessions(video=video)] == [bea.email]
    assert dwell.sessions(page=page, email=bea.email) == []


@pytest.mark.parametrize("value", ["' OR 1=1 --", "%", "_", "*", "a@b.example' OR ''='"])
def test_a_filter_is_a_value_and_no_pattern(dwell: Dwell, value: str) -> None:
    visitor(dwell)
    for name in ("username", "page", "video"):
        assert dwell.sessions(**{name: value}) == []


def test_sessions_of_a_span_of_time(dwell: Dwell) -> None:
    guest = visitor(dwell)
    start = ms_of(guest.record["sessionStartTime"])

    def found(**span: str) -> bool:
        return bool(dwell.sessions(email=guest.email, **span))

    assert found(**{"from": iso_of(start - 1000), "to": iso_of(start + 1000)})
    assert found(**{"from": iso_of(start - 1000)})
    assert found(to=iso_of(start + 1000))
    assert not found(**{"from": iso_of(start + 60_000)})
    assert not found(to=iso_of(start - 1000))
    assert found(**{"from": iso_of(start - 2 * DAY_MS)[:10], "to": iso_of(start + 2 * DAY_MS)[:10]})
    assert not found(**{"from": iso_of(start + 2 * DAY_MS)[:10]})
    assert not found(to=iso_of(start - 2 * DAY_MS)[:10])


def test_a_time_may_have_an_offset(dwell: Dwell) -> None:
    guest = visitor(dwell)
    hour_ago = iso_of(now_ms() - 3_600_000 + 2 * 3_600_000)[:-1] + "+02:00"
    in_an_hour = iso_of(now_ms() + 3_600_000 + 2 * 3_600_000)[:-1] + "+02:00"
    assert dwell.sessions(email=guest.email, **{"from": hour_ago, "to": in_an_hour})
    assert not dwell.sessions(email=guest.email, **{"from": in_an_hour})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"), ("limit", "201"), ("limit", "-1"), ("limit", "many"), ("limit", "1.5"),
        ("limit", ""), ("limit", "99999999999999999999"),
        ("from", "yesterday"), ("from", "2026-13-01"), ("from", "2026-02-30"), ("from", "1"),
        ("from", "2026-01-01T25:00:00Z"), ("to", "tomorrow"), ("to", "2026-01-01T10:00"),
        ("to", "'"),
        ("cursor", "x"), ("cursor", "0"), ("cursor", "' OR 1=1"), ("cursor", "%00"),
    ],
)  # fmt: skip
def test_a_bad_filter_is_named(dwell: Dwell, name: str, value: str) -> None:
    problem(dwell.api(**{name: value}), 400, field=name)


def test_a_tampered_cursor_is_named(dwell: Dwell) -> None:
    for _ in range(2):
        visitor(dwell)
    cursor = succeeded(dwell.api(limit=1))["nextCursor"]
    problem(dwell.api(cursor=cursor + "!"), 400, field="cursor")


def test_sessions_can_only_be_read(dwell: Dwell) -> None:
    for method in ("POST", "PUT", "DELETE"):
        response = dwell.client().request(method, SESSIONS, headers=bearer(dwell.key()))
        problem(response, 405)
        assert "GET" in response.headers["Allow"]


# The report


def test_the_report_of_sessions_is_what_the_api_answers(fresh_dwell) -> None:
    server = fresh_dwell()
    for _ in range(3):
        guest = visitor(server)
        let_pass(0.1)
        guest.beat()
    person(server).login().init("lesson")
    assert report(server, "sessions") == server.sessions()
    assert report(server) == server.sessions()


def test_the_report_can_be_limited_to_one_email(dwell: Dwell) -> None:
    guest = visitor(dwell)
    visitor(dwell)
    assert [one["id"] for one in report(dwell, "sessions", "--email", guest.email)] == [
        guest.record["id"]
    ]
    assert report(dwell, "sessions", "--email", unique_email()) == []


def test_the_report_can_be_limited_to_one_account(dwell: Dwell) -> None:
    ann = person(dwell).login()
    id = ann.init()
    rows = report(dwell, "sessions", "--username", ann.person.username)
    assert [str(one["id"]) for one in rows] == [id]


def test_the_report_can_be_limited_to_a_span_of_time(dwell: Dwell) -> None:
    guest = visitor(dwell)
    start = ms_of(guest.record["sessionStartTime"])
    of_guest = ("sessions", "--email", guest.email)
    assert report(dwell, *of_guest, "--from", iso_of(start - 1000), "--to", iso_of(start + 1000))
    assert report(dwell, *of_guest, "--from", iso_of(start - 2 * DAY_MS)[:10])
    assert not report(dwell, *of_guest, "--from", iso_of(start + 60_000))
    assert not report(dwell, *of_guest, "--to", iso_of(start - 2 * DAY_MS)[:10])


def test_the_total_time_of_one_email(dwell: Dwell) -> None:
    email = unique_email()
    for _ in range(3):
        guest = visitor(dwell, email)
        let_pass(0.2)
        guest.beat()
    sessions = dwell.sessions(email=email)
    (total,) = report(dwell, "totals", "--email", email)
    assert total["email"] == email
    assert total["username"] is None
    assert total["sessions"] == 3
    assert total["elapsedMs"] == sum(one["elapsedMs"] for one in sessions) >= 600
    assert 0 <= total["engagedMs"] <= total["visibleMs"] <= total["elapsedMs"]


def test_the_total_of_two_sessions_at_once_counts_seen_time_once(dwell: Dwell) -> None:
    email = unique_email()
    one, two = visitor(dwell, email), visitor(dwell, email)
    let_pass(0.5)
    now = now_ms()
    for guest in (one, two):
        guest.beat(segment(**{"from": now - 400, "to": now}))
    (total,) = report(dwell, "totals", "--email", email)
    assert 400 <= total["visibleMs"] < 700


def test_the_totals_of_all(fresh_dwell) -> None:
    server = fresh_dwell()
    guests = [visitor(server) for _ in range(2)]
    ann = person(server).login()
    log_until(ann, ann.init(), 100)
    rows = report(server, "totals")
    assert {row["email"] for row in rows} == {
        *(guest.email for guest in guests),
        ann.person.given["email"],
    }
    assert [row["sessions"] for row in rows] == [1, 1, 1]
    assert ann.person.username in {row["username"] for row in rows}


@pytest.mark.parametrize("kind", ["sessions", "totals", "days", "videos"])
def test_an_empty_report_is_empty(fresh_dwell, kind: str) -> None:
    assert report(fresh_dwell(), kind) == []


def test_the_report_of_days_names_the_day(fresh_dwell) -> None:
    server = fresh_dwell()
    guest = visitor(server)
    guest.beat()
    days = {iso_of(now_ms())[:10]}
    let_pass(0.3)
    guest.beat()
    days.add(iso_of(now_ms())[:10])
    (row,) = report(server, "days", "--email", guest.email)
    assert days & {value for value in row.values() if isinstance(value, str)}
    assert report(server, "days", "--email", unique_email()) == []


def test_the_report_of_videos_names_the_video(fresh_dwell) -> None:
    server = fresh_dwell()
    ann = person(server).login()
    video = unique("video")
    log_until(ann, ann.init(video), 300)
    rows = report(server, "videos")
    assert [row for row in rows if video in row.values()]


def test_the_report_reads_what_a_server_left_behind(fresh_dwell) -> None:
    server = fresh_dwell()
    guest = visitor(server)
    server.stop()
    (row,) = report(server, "sessions")
    assert row["emailOfAccessor"] == guest.email


def test_the_report_is_a_table_unless_asked_otherwise(dwell: Dwell) -> None:
    guest = visitor(dwell)
    for arguments in ([], ["sessions"], ["sessions", "--format", "table"]):
        ended = dwell.run("report", *arguments)
        assert ended.returncode == 0, ended.stderr
        assert guest.email in ended.stdout
        assert len(ended.stdout.splitlines()) >= 2
        with pytest.raises(ValueError):
            json.loads(ended.stdout)


def test_the_report_as_csv(dwell: Dwell) -> None:
    guest = visitor(dwell)
    ended = dwell.run("report", "sessions", "--email", guest.email, "--format", "csv")
    assert ended.returncode == 0, ended.stderr
    header, *rows = list(csv.reader(io.StringIO(ended.stdout)))
    assert len(rows) == 1
    assert len(rows[0]) == len(header) == len(set(header))
    assert guest.email in rows[0]


@pytest.mark.parametrize("start", ["=", "+", "-"])
def test_no_cell_of_the_csv_is_a_formula(fresh_dwell, start: str) -> None:
    server = fresh_dwell()
    email = f"{start}cmd@example.org"
    client = server.client()
    if enter(client, email).status_code == 400:
        pytest.skip("the gate takes no such email")
    for kind in ("sessions", "totals", "days"):
        ended = server.run("report", kind, "--format", "csv")
        assert ended.returncode == 0, ended.stderr
        for row in csv.reader(io.StringIO(ended.stdout)):
            for cell in row:
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), row


def test_no_name_is_a_formula_either(fresh_dwell) -> None:
    server = fresh_dwell()
    ann = person(server, first_name="=1+1", last_name="@SUM(A1)").login()
    log_until(ann, ann.init("=HYPERLINK(0)"), 100)
    for kind in ("sessions", "totals", "days", "videos"):
        ended = server.run("report", kind, "--format", "csv")
        for row in csv.reader(io.StringIO(ended.stdout)):
            assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@"))], row


@pytest.mark.parametrize(
    ("arguments", "naming"),
    [
        (["nonsense"], "nonsense"),
        (["sessions", "--format", "xml"], "format"),
        (["sessions", "--from", "yesterday"], "from"),
        (["sessions", "--to", "2026-13-01"], "to"),
    ],
    ids=str,
)
def test_a_report_that_cannot_be_made_says_why(
    dwell: Dwell, arguments: list[str], naming: str
) -> None:
    ended = dwell.run("report", *arguments)
    assert ended.returncode > 0
    assert naming in ended.stderr
    assert ended.stdout == ""


def test_a_report_on_a_database_that_is_not_there_makes_none(tmp_path) -> None:
    server = Dwell(tmp_path)
    ended = server.run("report")
    if ended.returncode == 0:
        assert json.loads(server.run("report", "--format", "json").stdout) == []
    else:
        assert "database" in ended.stderr
