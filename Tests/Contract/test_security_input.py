"""What people and programs type: lines 16, 17 and 18 of what Dwell must withstand. The edges of each field are in
test_heartbeat.py and test_bad_input.py; here is what an attacker would try."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dwell_process import Dwell, raw_get

from .helpers import (
    BEAT,
    FIREFOX,
    ROUTED_BEAT,
    enter,
    evidence,
    now_ms,
    person,
    problem,
    refused,
    refused_by_gate,
    registration,
    segment,
    succeeded,
    unique,
    visitor,
)

DAY_MS = 86_400_000
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]
INJECTIONS = ["' OR '1'='1", "'; DROP TABLE account; --", '" OR ""="', "x' UNION SELECT password_hash FROM account --",
              "\\'; --", "%' --", "$1", "?1", "a\x00b"]  # fmt: skip
MARKUP = "<script>alert(1)</script>"


# 16. Values that can't be


@pytest.mark.parametrize("path", [BEAT, ROUTED_BEAT])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attention", "hypnotised"), ("end", "vanished"), ("from", -(10**30)), ("to", 10**30), ("n", -1),
        ("mediaFrom", -1), ("rate", 0), ("rate", -1), ("rate", 1e300), ("n", 2**63), ("tab", "a b"),
    ],
)  # fmt: skip
def test_security_16_what_cannot_be_is_refused_with_the_field_named(
    dwell: Dwell, path: str, field: str, value: object
) -> None:
    guest = visitor(dwell)
    video = {"video": "v", "mediaFrom": 0, "mediaTo": 9, "rate": 1}
    body = {"v": 1, "sentAt": now_ms(), "segments": [segment(**(video | {field: value}))]}
    refused_by_gate(guest.client.post(path, json=body), naming=f"segments[0].{field}")
    assert guest.stored == []


@pytest.mark.parametrize("path", [BEAT, ROUTED_BEAT])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "0x10", "01"])
@pytest.mark.parametrize("field", ["from", "rate", "sentAt"])
def test_security_16_what_is_no_number_of_json_is_refused(
    dwell: Dwell, path: str, field: str, value: str
) -> None:
    guest = visitor(dwell)
    body = {"v": 1, "sentAt": now_ms(), "segments": [segment(video="v", mediaFrom=0, mediaTo=9, rate=1)]}
    (body if field == "sentAt" else body["segments"][0])[field] = "HERE"  # type: ignore[index]
    text = json.dumps(body).replace('"HERE"', value)
    refused_by_gate(guest.client.post(path, data=text, headers={"Content-Type": "application/json"}))
    assert guest.stored == []


def test_security_16_times_that_run_backwards_are_refused(dwell: Dwell) -> None:
    guest, now = visitor(dwell), now_ms()
    refused_by_gate(guest.beat(segment(**{"from": now, "to": now - 1})), naming="segments[0].from")
    video = {"video": "v", "mediaFrom": 9, "mediaTo": 5, "rate": 1}
    refused_by_gate(guest.beat(segment(**video)), naming="segments[0].media")


def test_security_16_time_that_did_not_pass_is_clipped_and_counted(dwell: Dwell) -> None:
    guest, now = visitor(dwell), now_ms()
    entered = guest.record["id"]
    video = {"video": "v", "mediaFrom": 0, "mediaTo": DAY_MS, "rate": 1}
    succeeded(
        guest.beat(
            segment(n=1, **{"from": now - DAY_MS, "to": now}),
            segment(n=2, **{"from": now, "to": now + DAY_MS}),
            segment(n=3, **video),
        )
    )
    found = evidence(dwell, entered)
    reasons = {one["n"]: {name for name, ms in one["refused"].items() if ms > DAY_MS / 2} for one in found["segments"]}
    assert reasons == {1: {"beforeSessionMs"}, 2: {"futureMs"}, 3: {"mediaMs"}}
    assert found["session"]["visibleMs"] <= found["session"]["elapsedMs"] < 60_000


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/auth/register", {"country_code": "Atlantis"}, "country_code"),
        ("/auth/register", {"username": "a b"}, "username"),
        ("/auth/register", {"username": "u" * 65}, "username"),
        ("/auth/register", {"email": "x@" + "y" * 1000}, "email"),
        ("/auth/register", {"phone_number": "call me"}, "phone_number"),
    ],
)
def test_security_16_forms_name_the_field_too(dwell: Dwell, path: str, body: dict[str, str], field: str) -> None:
    refused(dwell.client().post(path, json=registration(**body)), 400, "invalid_field", field=field)


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=1e9", "cursor=x", "from=yesterday", "to=2026-02-30"])
def test_security_16_queries_name_the_field_too(dwell: Dwell, query: str) -> None:
    answer = problem(dwell.api(f"/api/v1/sessions?{query}"), 400)
    assert answer["field"] == query.split("=")[0]


# 17. Text that means something elsewhere


@pytest.mark.parametrize("text", INJECTIONS)
def test_security_17_sql_in_any_field_is_text(dwell: Dwell, text: str) -> None:
    ann = person(dwell, first_name=text.replace("\x00", "0"), last_name="O'Hara")
    assert ann.user["first_name"] == text.replace("\x00", "0")
    client = dwell.client(FIREFOX)
    given = {"username": text, "password": text}
    refused(client.post("/auth/login", json=given), 401, "wrong_credentials")
    given = {"username": f"{ann.username}{text}", "password": ann.given["password"]}
    refused(client.post("/auth/login", json=given), 401, "wrong_credentials")
    device = ann.login()
    for cookie in ("sessionId", "initTime"):
        device.client.forge(cookie, text.replace("\x00", "%00").replace(";", "%3B"))
    assert device.client.get("/session/log").status_code in (400, 404)
    device.client.drop("sessionId", "initTime")
    video = quote(text.replace("\x00", "0"), safe="")
    session = succeeded(device.client.get(f"/session/init?videoId={video}"))["sessionId"]
    (row,) = [one for one in ann.sessions() if str(one["id"]) == session]
    assert row["video"] == text.replace("\x00", "0")
    for parameter in ("username", "page", "video"):
        answer = dwell.api(f"/api/v1/sessions?{parameter}={video}no")
        assert succeeded(answer)["sessions"] == []
    assert dwell.run("user", "show", text.replace("\x00", "0")).returncode == 78
    audit = dwell.run("audit", "--user", text.replace("\x00", "0"), "--format", "json")
    assert json.loads(audit.stdout) == []


def test_security_17_markup_is_escaped_on_every_page(dwell: Dwell) -> None:
    for path in (f"/gate?next={MARKUP}", f'/gate?next="{MARKUP}', f"/{MARKUP}", f"/auth/password/reset?code={MARKUP}"):
        assert MARKUP not in dwell.client().get(path).text
    for email in (f"{MARKUP}@example.org", f'"><{MARKUP}'):
        assert MARKUP not in enter(dwell.client(), email, form=True, next=f"/{MARKUP}").text
    raw = raw_get(dwell, f"/{MARKUP}")
    assert raw is not None and MARKUP not in raw.text


@pytest.mark.parametrize("formula", FORMULAS)
def test_security_17_no_cell_of_any_csv_is_a_formula(fresh_dwell, formula: str) -> None:
    server = fresh_dwell()
    name = formula.strip() + unique("x")
    ann = person(server, username=name)
    ann.login().init(formula + "video")
    assert server.run("key", "create", f"--name={formula.strip()}key").returncode == 0
    cells: list[str] = []
    for command in (
        ("report", "sessions"), ("report", "totals"), ("report", "videos"), ("live",), ("audit",), ("user", "list"),
    ):  # fmt: skip
        ended = server.run(*command, "--format", "csv")
        assert ended.returncode == 0, ended.stderr
        for row in csv.reader(io.StringIO(ended.stdout, newline="")):
            cells += row
    assert f"'{name}" in cells
    assert not [cell for cell in cells if cell[:1] and cell[0] in "=+-@\t\r"]


@pytest.mark.parametrize(
    "target",
    [
        "/../dwell.sqlite", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/..\\..\\etc\\passwd",
        "/confidential/../../etc/passwd", "/style.css/../../../etc/passwd", "/.hidden", "/%2ehidden",
    ],
)  # fmt: skip
def test_security_17_files_outside_the_site_are_not_served(dwell: Dwell, target: str) -> None:
    response = raw_get(dwell, target)
    assert response is None or response.status in (303, 400, 404), response.status
    assert response is None or b"root:" not in response.body


def test_security_17_a_link_out_of_the_site_is_not_followed(fresh_dwell, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("SECRET")
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text("<p>Here</p>")
    (folder / "link.txt").symlink_to(outside)
    server = fresh_dwell(site=folder)
    assert server.client().get("/").status_code == 200
    response = server.client().get("/link.txt")
    assert response.status_code == 404 and "SECRET" not in response.text


# 18. What is somebody else's


def test_security_18_someone_elses_session_is_not_found_and_stays_as_it_is(dwell: Dwell) -> None:
    ann, eve = person(dwell).login(), person(dwell).login()
    session = ann.init("lesson")
    before = ann.person.session(session)
    thief = eve.client
    for name in ("sessionId", "initTime"):
        thief.forge(name, ann.client.cookie(name))
    for method in ("GET", "POST"):
        refused(thief.request(method, "/session/log"), 404, "not_found")
    # It is not closed by opening another one either.
    succeeded(thief.get("/session/init", params={"videoId": "another"}))
    assert ann.person.session(session) == before
    assert ann.log().status_code == 200


def test_security_18_beats_by_a_foreign_cookie_beside_ones_own_login_are_not_mixed_up(dwell: Dwell) -> None:
    guest, other = visitor(dwell), visitor(dwell)
    succeeded(guest.beat(segment(n=1)))
    other.client.forge("session_record_id", f"{other.client.cookie('session_record_id')}x")
    refused_by_gate(other.beat(segment(n=2)))
    assert [row["n"] for row in guest.stored] == [1]


@pytest.mark.parametrize("id", ["999999999", "0", "-1", "x", "1;2", "99999999999999999999", "%00"])
def test_security_18_a_record_that_there_is_not_is_not_found(dwell: Dwell, id: str) -> None:
    assert dwell.api(f"/api/v1/sessions/{id}").status_code in (400, 404)


def test_security_18_someone_elses_device_is_neither_removed_nor_named(dwell: Dwell) -> None:
    ann, eve = person(dwell).login(), person(dwell).login()
    before = ann.list()
    for method, path, body in (
        ("DELETE", f"/devices/remove/{ann.id}", None), ("POST", f"/devices/remove/{ann.id}", None),
        ("PATCH", f"/devices/rename/{ann.id}", {"device_name": "mine"}),
        ("POST", f"/devices/rename/{ann.id}", {"device_name": "mine"}),
    ):  # fmt: skip
        refused(eve.client.request(method, path, json=body), 404, "not_found")
    after: list[dict[str, Any]] = ann.list()
    assert [one["device_name"] for one in after] == [one["device_name"] for one in before]
    assert len(after) == 1


def test_security_18_what_answers_nobody_tells_nothing(dwell: Dwell) -> None:
    """Somebody else's and nobody's look alike."""
    ann, eve = person(dwell).login(), person(dwell).login()
    answers = [
        eve.client.delete(f"/devices/remove/{id}").text for id in (ann.id, "0a75f4c5-71ae-47e8-b14d-52fc7595b693")
    ]
    assert answers[0] == answers[1]
    assert len(ann.list()) == 1
