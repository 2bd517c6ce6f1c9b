"""Operators sign in to the dashboard: the first run, roles, limits, and the end of a sign-in."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from dwell_process import BINARY, PATIENCE, Client, Dwell, clean_environment, eventually

from .helpers import CROSS_SITE, FAKETIME, needs_faketime, now_ms, person, segment, succeeded, visitor

PASSWORD = "a calm and long phrase"
COOKIE = "dwell_operator"
PAGES = ["/dashboard", "/dashboard/overview", "/dashboard/sessions", "/dashboard/videos", "/dashboard/devices", "/dashboard/webhooks", "/dashboard/audit", "/dashboard/settings"]


def setup_code(server: Dwell) -> str:
    """What the server printed at its first start: every node the same."""
    codes = {
        line.rpartition("/dashboard/setup#")[2].strip()
        for line in eventually(
            lambda: [line for line in server.output if "/dashboard/setup#" in line],
            what="a link to set up the dashboard",
        )
    }
    (code,) = codes
    return code


def set_up(server: Dwell, **fields: str) -> requests.Response:
    form = {"code": setup_code(server), "name": "olga", "password": PASSWORD} | fields
    return server.client().post("/dashboard/setup", data=form)


def sign_in(server: Dwell, name: str = "olga", password: str = PASSWORD, **fields: str) -> Client:
    client = server.client()
    client.answer = client.post(  # type: ignore[attr-defined]
        "/dashboard/sign-in", data={"name": name, "password": password} | fields
    )
    return client


def command(
    server: Dwell, *arguments: str, line: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BINARY), "operator", *arguments, "--database-url", server.database_url],
        cwd=server.folder, env=clean_environment({**server.store.env, **server.env}),
        input="" if line is None else f"{line}\n", capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip


def audit(server: Dwell, event: str) -> list[dict[str, Any]]:
    made = server.run("audit", "--format", "json", "--event", event)
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dwell]:
    """A server that olga, an owner, has set up."""
    server = Dwell(tmp_path_factory.mktemp("operators")).start()
    assert set_up(server).status_code == 303
    yield server
    server.discard()


def test_the_first_run_prints_a_link_that_works_once(fresh_dwell) -> None:
    server = fresh_dwell()
    page = server.client().get("/dashboard/sign-in")
    assert page.status_code == 200 and "Set up the dashboard" in page.text

    wrong = set_up(server, code="0" * 32)
    assert wrong.status_code == 401 and "not the code" in wrong.text
    assert COOKIE not in wrong.cookies
    short = set_up(server, password="short")
    assert short.status_code == 400 and "8 to 1024 characters" in short.text

    right = set_up(server)
    assert right.status_code == 303 and right.headers["Location"] == "/dashboard"
    again = set_up(server, name="mallory")
    assert again.status_code == 409 and "operator already" in again.text
    assert set_up(server, name="mallory").status_code == 409
    assert "Sign in" in server.client().get("/dashboard/setup").text

    assert setup_code(server) not in server.logs
    printed = [len(node.output) for node in server.nodes]
    server.restart()
    for node, count in zip(server.nodes, printed, strict=True):
        assert [line.split(" at ")[0] for line in node.output[count:]] == ["Dwell is ready"]


def test_of_many_that_set_up_at_once_one_does(fresh_dwell) -> None:
    server = fresh_dwell()
    answers: list[int] = []
    threads = [
        threading.Thread(
            target=lambda n=n: answers.append(set_up(server, name=f"olga{n}").status_code)
        )
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303] + [409] * 5
    assert len(server.sql("SELECT id FROM operator")) == 1


def test_the_cookie_is_for_the_dashboard_alone(server: Dwell) -> None:
    client = sign_in(server)
    assert client.answer.status_code == 303
    cookie = client.answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for part in ("Path=/dashboard", "HttpOnly", "SameSite=Strict", "Max-Age=604800"):
        assert part in cookie, cookie
    secret = re.match(rf"{COOKIE}=([0-9a-f]{{64}})", cookie)
    assert secret
    assert secret[1] not in json.dumps(server.sql("SELECT * FROM sign_in"))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_for_those_who_are_signed_in(server: Dwell, path: str) -> None:
    stranger = server.client().get(path)
    assert stranger.status_code == 303
    assert stranger.headers["Location"].startswith("/dashboard/sign-in?next=%2Fdashboard")
    forged = server.client().forge(COOKIE, "0" * 64).get(path)
    assert forged.status_code == 303

    page = sign_in(server).get(path)
    assert page.status_code == 200, page.text
    assert page.headers["Cache-Control"] == "no-store"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text)


def test_the_live_stream_is_for_those_who_are_signed_in(server: Dwell) -> None:
    assert server.client().get("/dashboard/live").status_code == 401


def test_one_goes_on_to_the_page_one_wanted_and_nowhere_else(server: Dwell) -> None:
    wanted = sign_in(server, next="/dashboard/overview?days=7").answer
    assert wanted.headers["Location"] == "/dashboard/overview?days=7"
    for elsewhere in ("https://evil.example", "//evil.example", "/confidential/", "/dashboardx"):
        assert sign_in(server, next=elsewhere).answer.headers["Location"] == "/dashboard"


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(server: Dwell) -> None:
    wrong = sign_in(server, password="wrong and long enough").answer
    unknown = sign_in(server, name="nobody", password="wrong and long enough").answer
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("olga", "nobody") == unknown.text


def test_guesses_are_slowed_down(fresh_dwell) -> None:
    server = fresh_dwell()
    assert set_up(server).status_code == 303
    nodes = len(server.nodes)
    answers = [
        sign_in(server, password=f"a wrong guess {n}").answer for n in range(10 * nodes + nodes)
    ]
    assert {answer.status_code for answer in answers[: 10 * nodes]} == {401}
    late = answers[-1]
    assert late.status_code == 429 and int(late.headers["Retry-After"]) > 0
    assert sign_in(server).answer.status_code == 429


def test_signing_out_ends_it_for_good(server: Dwell) -> None:
    client = sign_in(server)
    replay = client.twin()
    left = client.post("/dashboard/sign-out")
    assert left.status_code == 303
    assert f'{COOKIE}=""' in left.headers["Set-Cookie"] or f"{COOKIE}=;" in left.headers["Set-Cookie"]
    assert replay.get("/dashboard").status_code == 303


def test_other_sites_change_nothing(server: Dwell) -> None:
    client = sign_in(server)
    form = {"name": "olga", "password": PASSWORD}
    for path in ("/dashboard/sign-in", "/dashboard/setup", "/dashboard/sign-out", "/dashboard/gate/revoke", "/dashboard/gate/admit"):
        assert client.post(path, data=form, headers=CROSS_SITE).status_code == 403
    assert client.get("/dashboard").status_code == 200


@needs_faketime
@pytest.mark.sqlite("a clock that is moved is the machine's")
def test_a_sign_in_ends_when_it_is_not_used(fresh_dwell) -> None:
    server = fresh_dwell()
    set_up(server)
    client = sign_in(server)
    server.launcher = ["env"]
    ahead = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    server.restart(env={**ahead, "FAKETIME": "+11h"})
    assert client.get("/dashboard").status_code == 200
    server.restart(env={**ahead, "FAKETIME": "+22h"})
    assert client.get("/dashboard").status_code == 200
    server.restart(env={**ahead, "FAKETIME": "+35h"})
    assert client.get("/dashboard").status_code == 303


def test_commands_add_list_change_and_remove(fresh_dwell) -> None:
    server = fresh_dwell()
    set_up(server)
    added = command(server, "add", "vera", "--role", "viewer", line=PASSWORD)
    assert added.returncode == 0, added.stderr
    listed = json.loads(command(server, "list", "--format", "json").stdout)
    assert [(one["name"], one["role"]) for one in listed] == [("olga", "owner"), ("vera", "viewer")]
    assert PASSWORD not in json.dumps(listed) and "hash" not in json.dumps(listed).lower()

    vera = sign_in(server, "vera")
    page = vera.get("/dashboard")
    assert page.status_code == 200 and "/dashboard/audit" not in page.text
    for owners_only in ("/dashboard/webhooks", "/dashboard/audit", "/dashboard/settings"):
        assert vera.get(owners_only).status_code == 404
    form = {"gate": "default", "email": "ann@example.org"}
    for owners_only in ("/dashboard/gate/revoke", "/dashboard/gate/admit"):
        assert vera.post(owners_only, data=form).status_code == 404
    assert command(server, "password", "vera", line="another phrase").returncode == 0
    assert vera.get("/dashboard").status_code == 303
    assert sign_in(server, "vera").answer.status_code == 401
    vera = sign_in(server, "VERA", "another phrase")
    assert vera.get("/dashboard").status_code == 200
    assert command(server, "remove", "vera").returncode == 0
    assert vera.get("/dashboard").status_code == 303


@pytest.mark.parametrize(
    ("arguments", "line", "named"),
    [
        (["add", "olga"], PASSWORD, "name"),
        (["add", "a b"], PASSWORD, "name"),
        (["add", "vera"], "short", "password"),
        (["add", "vera"], None, "password"),
        (["add", "vera", "--role", "king"], PASSWORD, "--role"),
        (["remove", "olga"], None, "the last owner"),
        (["remove", "nobody"], None, "nobody"),
        (["password", "nobody"], PASSWORD, "nobody"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(
    server: Dwell, arguments: list[str], line: str | None, named: str
) -> None:
    made = command(server, *arguments, line=line)
    assert made.returncode != 0
    assert named in made.stderr, made.stderr
    assert [one["name"] for one in json.loads(command(server, "list", "--format", "json").stdout)] == ["olga"]


def test_everything_is_in_the_audit_log(fresh_dwell) -> None:
    server = fresh_dwell()
    set_up(server)
    sign_in(server).post("/dashboard/sign-out")
    sign_in(server, password="wrong and long enough")
    command(server, "add", "vera", line=PASSWORD)
    command(server, "password", "vera", line="another phrase")
    command(server, "remove", "vera")
    signed = eventually(
        lambda: audit(server, "operator-sign-in")
        if len(audit(server, "operator-sign-in")) == 3
        else None
    )
    assert {(line["subject"], line["outcome"]) for line in signed} == {
        ("olga", "success"), ("olga", "failure"),
    }  # fmt: skip
    assert [line["subject"] for line in audit(server, "operator-sign-out")] == ["olga"]
    assert [line["subject"] for line in audit(server, "operator-addition")] == ["vera", "olga"]
    assert [line["subject"] for line in audit(server, "operator-password")] == ["vera"]
    assert [line["subject"] for line in audit(server, "operator-removal")] == ["vera"]
    assert PASSWORD not in server.run("audit", "--format", "json").stdout


def test_a_stream_does_not_keep_the_server_from_ending_and_ends_with_the_sign_in(fresh_dwell) -> None:
    server = fresh_dwell()
    set_up(server)
    guest = visitor(server)
    command(server, "add", "vera", line=PASSWORD)
    streams = []
    for name in ("olga", "vera"):
        stream = sign_in(server, name).get("/dashboard/live", stream=True)
        assert stream.headers["Content-Type"] == "text/event-stream"
        lines = stream.iter_lines(decode_unicode=True)
        assert "here" in next(line for line in lines if "hero" in line)
        assert any(guest.email in line for line in lines if guest.email in line or line == "")
        streams.append(lines)
    command(server, "remove", "vera")
    for _ in streams[1]:
        pass  # It comes to its end by itself.
    server.terminate()
    assert server.wait(60) == 0


def test_what_people_typed_is_escaped(server: Dwell) -> None:
    guest = visitor(server)
    now = now_ms()
    page = "/<script>alert(1)</script>"
    succeeded(guest.beat(segment(page=page, **{"from": now - 100, "to": now})))
    for path in ("/dashboard", f"/dashboard/sessions/{guest.record['id']}"):
        text = sign_in(server).get(path).text
        assert guest.email in text and "/&lt;script&gt;" in text
        assert "<script>alert" not in text
    form = sign_in(server, name='"><script>alert(1)</script>').answer.text
    assert "<script>alert" not in form and "&lt;script&gt;" in form


def test_settings_hold_no_secret(fresh_dwell) -> None:
    key = "a secret key that is long enough, and nobody's business"
    server = fresh_dwell(env={"DWELL_SECRET_KEY": key, "DWELL_CRON_ACCESS_KEY": "a-cron-key-of-ours"})
    set_up(server)
    text = sign_in(server).get("/dashboard/settings").text
    assert "180 s" in text and "olga" in text
    for secret in (key, "a-cron-key-of-ours", PASSWORD, setup_code(server)):
        assert secret not in text


def test_devices_are_listed_page_by_page_until_they_end(fresh_dwell) -> None:
    server = fresh_dwell()
    set_up(server)
    owners = [person(server) for _ in range(52)]
    logins = [owner.login() for owner in owners]
    client = sign_in(server)

    def listed() -> list[str]:
        names: list[str] = []
        path: str | None = "/dashboard/devices"
        while path:
            text = client.get(path).text
            names += re.findall(r'<th scope="row"[^>]*><a href="[^"]*">([^<]*)</a>', text)
            more = re.search(r'class="next" href="([^"]*)"', text)
            path = more[1] if more else None
        return names

    assert sorted(listed()) == sorted(owner.username for owner in owners)
    succeeded(logins[0].client.get("/auth/logout"))
    assert sorted(listed()) == sorted(owner.username for owner in owners[1:])
