"""API v1 as a platform: what keys may, how often, what is not sent twice, and what else it tells."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from dwell_process import Dwell, eventually

from .helpers import person, problem, segment, succeeded, unique, visitor

SCOPED = {
    "/api/v1/devices": "read",
    "/api/v1/gates": "read",
    "/api/v1/gates/default/visitors": "read",
    "/api/v1/audit": "audit",
    "/api/v1/settings": "audit",
    "/api/v1/operators": "audit",
    "/api/v1/keys": "audit",
}


def ask(
    server: Dwell, path: str, *scopes: str, headers: dict[str, str] | None = None, **parameters: Any
) -> requests.Response:
    sent = {"Authorization": f"Bearer {server.key(*scopes)}"} | (headers or {})
    return server.client().get(path, params=parameters, headers=sent)


def rows(server: Dwell, path: str, name: str, *scopes: str, limit: int) -> list[dict[str, Any]]:
    """What is on every page of a list."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = succeeded(ask(server, path, *scopes, limit=limit, **cursor))
        assert len(page[name]) <= limit
        found += page[name]
        if page["nextCursor"] is None:
            return found
        cursor = {"cursor": page["nextCursor"]}


# Scopes


@pytest.mark.parametrize("path", SCOPED)
def test_a_key_needs_the_scope_of_the_route(dwell: Dwell, path: str) -> None:
    scope = SCOPED[path]
    succeeded(ask(dwell, path, scope))
    others = [other for other in ("read", "audit", "manage") if other != scope]
    refused = ask(dwell, path, *others)
    assert problem(refused, 403)["code"] == "scope_missing"
    assert scope in refused.json()["detail"]
    assert refused.headers["WWW-Authenticate"] == f'Bearer error="insufficient_scope", scope="{scope}"'


def test_a_key_without_the_scope_is_noted(dwell: Dwell) -> None:
    name = unique("key")
    made = dwell.run("key", "create", "--name", name, "--scope", "manage")
    key = made.stdout.splitlines()[-1]
    answer = dwell.client().get("/api/v1/live", headers={"Authorization": f"Bearer {key}"})
    problem(answer, 403)

    def noted() -> list[dict[str, Any]]:
        entries = succeeded(ask(dwell, "/api/v1/audit", "audit"))["entries"]
        return [entry for entry in entries if entry["subject"] == name and entry["event"] == "api-key"]

    (entry,) = eventually(noted, what="a line of the audit log")
    assert entry["outcome"] == "denied" and entry["detail"] == {"reason": "no scope read"}


def test_keys_are_listed_and_removed(dwell: Dwell) -> None:
    name = unique("key")
    made = dwell.run("key", "create", "--name", name, "--scope", "manage", "--scope", "read")
    headers = {"Authorization": f"Bearer {made.stdout.splitlines()[-1]}"}
    assert dwell.client().get("/api/v1/live", headers=headers).status_code == 200
    (listed,) = [key for key in succeeded(ask(dwell, "/api/v1/keys", "audit"))["keys"] if key["name"] == name]
    assert listed["scopes"] == ["read", "manage"]
    assert listed["lastUsedTime"] >= listed["createdTime"]
    assert name in dwell.run("key", "list").stdout
    assert dwell.run("key", "remove", name).returncode == 0
    problem(dwell.client().get("/api/v1/live", headers=headers), 401)
    assert dwell.run("key", "remove", name).returncode != 0
    assert dwell.run("key", "create", "--name", name, "--scope", "write").returncode != 0


# Limits


@pytest.mark.one_node("each node counts for itself")
def test_a_key_may_make_so_many_requests(fresh_dwell) -> None:
    server = fresh_dwell("--api-rate", "5")
    answers = [ask(server, "/api/v1/live") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert [answer.headers["RateLimit-Policy"] for answer in answers] == ['"key";q=5;w=60'] * 6
    left = [re.fullmatch(r'"key";r=(\d+);t=(\d+)', answer.headers["RateLimit"]) for answer in answers]
    assert [int(match[1]) for match in left if match] == [4, 3, 2, 1, 0, 0]
    assert problem(answers[-1], 429)["code"] == "too_many_tries"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12
    # Another key has its own, and what is refused says as well what is left.
    refused = ask(server, "/api/v1/audit", "manage")
    problem(refused, 403)
    assert '"key";r=4;' in refused.headers["RateLimit"]
    assert "RateLimit" not in server.client().get("/api/v1/live").headers


# What is not sent twice


@pytest.mark.parametrize(
    "path", ["/api/v1/videos", "/api/v1/videos/{video}", "/api/v1/contents?video={video}", "/api/v1/gates"]
)
def test_what_is_known_is_not_sent_again(dwell: Dwell, path: str) -> None:
    path = path.format(video=watched(dwell))
    first = ask(dwell, path)
    tag = first.headers["ETag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    assert first.headers["Cache-Control"] == "no-store"
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = ask(dwell, path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == tag
        assert again.headers["Cache-Control"] == "no-store"
    changed = ask(dwell, path, headers={"If-None-Match": '"other"'})
    assert changed.json() == first.json()
    # Who has no key is not told whether anything changed.
    problem(dwell.client().get(path, headers={"If-None-Match": tag}), 401)


def test_who_is_here_is_sent_each_time(dwell: Dwell) -> None:
    answer = ask(dwell, "/api/v1/live")
    assert "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def watched(server: Dwell) -> str:
    """A video that was played to somewhere."""
    guest = visitor(server)
    video = unique("film")
    played = segment(video=video, mediaFrom=0, mediaTo=20, mediaDuration=60_000)
    succeeded(guest.beat(played))
    assert server.run("recompute").returncode == 0
    return video


# What else it tells


def test_devices_are_listed_with_their_accounts(dwell: Dwell) -> None:
    ann = person(dwell)
    device = ann.login()
    listed = rows(dwell, "/api/v1/devices", "devices", "read", limit=1)
    mine = [row["device"] for row in listed if row["username"] == ann.username]
    assert [row["id"] for row in mine] == [device.id]
    assert mine[0]["last_seen"] and mine[0]["address"]
    assert [row["device"]["last_logged_in"] for row in listed] == sorted(
        (row["device"]["last_logged_in"] for row in listed), reverse=True
    )


def test_visitors_of_a_gate_are_listed(dwell: Dwell) -> None:
    guests = [visitor(dwell) for _ in range(3)]
    listed = rows(dwell, "/api/v1/gates/default/visitors", "visitors", "read", limit=2)
    mine = [row for row in listed if row["email"] in {guest.email for guest in guests}]
    assert [row["email"] for row in mine] == [guest.email for guest in reversed(guests)]
    assert all(row["identity"] == "claimed" and row["entries"] == 1 and not row["revoked"] for row in mine)
    assert dwell.run("gate", "revoke", guests[0].email).returncode == 0
    listed = rows(dwell, "/api/v1/gates/default/visitors", "visitors", "read", limit=200)
    assert [row["revoked"] for row in listed if row["email"] == guests[0].email] == [True]
    problem(ask(dwell, "/api/v1/gates/none/visitors"), 404)
    (gate,) = succeeded(ask(dwell, "/api/v1/gates"))["gates"]
    assert gate["name"] == "default" and gate["paths"] == ["/confidential/"]


def test_the_audit_log_is_read_by_pages(dwell: Dwell) -> None:
    whole = succeeded(ask(dwell, "/api/v1/audit", "audit", limit=200))["entries"]
    # Refusals are written a moment after they happen: some may come between.
    paged = rows(dwell, "/api/v1/audit", "entries", "audit", limit=3)
    assert [entry for entry in paged if entry in whole] == whole
    assert [entry["at"] for entry in whole] == sorted((entry["at"] for entry in whole), reverse=True)


def test_settings_are_told_without_secrets(fresh_dwell) -> None:
    secret = "b" * 48
    server = fresh_dwell("--api-rate", "700", env={"DWELL_SECRET_KEY": secret, "DWELL_CRON_ACCESS_KEY": secret})
    answer = ask(server, "/api/v1/settings", "audit")
    told = succeeded(answer)
    assert (told["apiRate"], told["deviceLimit"], told["mail"]) == (700, 4, False)
    assert told["publicUrl"].startswith("http://localhost:")
    assert secret not in answer.text and ":dwell@" not in answer.text


def test_operators_are_listed(dwell: Dwell) -> None:
    assert succeeded(ask(dwell, "/api/v1/operators", "audit"))["operators"] == []


@pytest.mark.parametrize("path", SCOPED)
def test_what_can_not_be_asked_is_refused(dwell: Dwell, path: str) -> None:
    problem(ask(dwell, path, SCOPED[path], nonsense="1"), 400, "nonsense")


# The description


def test_the_description_is_there_for_everybody(dwell: Dwell) -> None:
    answer = dwell.client().get("/api/v1/openapi.json")
    assert succeeded(answer)["openapi"] == "3.1.0"
    again = dwell.client().get("/api/v1/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    page = dwell.client().get("/api/v1/docs")
    assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
    for path in answer.json()["paths"]:
        assert f"<code>{path}</code>" in page.text
    assert "<script" not in page.text
    assert "{{" not in page.text
    # A page may use what is this server's own, and nothing else.
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
