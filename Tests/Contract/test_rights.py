"""What one person may ask for: all that is known, that it be forgotten, and not to be counted."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests

from dwell_process import BINARY, Dwell, clean_environment, eventually, let_pass

from .helpers import (
    BEAT,
    Person,
    Visitor,
    beat_by_token,
    beat_of,
    now_ms,
    person,
    problem,
    segment,
    succeeded,
    unique,
    visitor,
)
from .test_operators import COOKIE, set_up, sign_in

VIEWERS, ERASURES, EXCLUSIONS = "/api/v1/viewers", "/api/v1/erasures", "/api/v1/exclusions"
FILES = {
    "README.txt", "person.json", "sessions.ndjson", "segments.ndjson", "statistics.ndjson", "videos.ndjson",
    "devices.ndjson", "entries.ndjson", "audit.ndjson",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dwell]:
    """A server that olga, an owner, has set up."""
    server = Dwell(tmp_path_factory.mktemp("rights")).start()
    assert set_up(server).status_code == 303
    yield server
    server.discard()


def ask(server: Dwell, method: str, path: str, **options: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {server.key('read', 'audit', 'manage')}"}
    return server.client().request(method, path, headers=headers, **options)


def run(server: Dwell, *arguments: str) -> str:
    made = server.run("person", *arguments)
    assert made.returncode == 0, made.stderr
    return made.stdout


def archive_of(content: bytes) -> dict[str, Any]:
    """The files of an archive: text, JSON, or the lines' JSON."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    return {
        name: [json.loads(line) for line in text.splitlines()] if name.endswith(".ndjson")
        else json.loads(text) if name.endswith(".json") else text
        for name, text in texts.items()
    }  # fmt: skip


def exported(server: Dwell, *selection: str) -> dict[str, Any]:
    made = subprocess.run(
        [str(BINARY), "person", "export", *selection, "--database-url", server.database_url],
        env=clean_environment({**server.store.env}), capture_output=True, timeout=60,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return archive_of(made.stdout)


def watch(who: Visitor | Person, page: str, video: str = "lesson") -> None:
    """Some time on a page and some of a video of a second."""
    let_pass(0.6)
    end = now_ms()
    about = {"video": video, "mediaFrom": 0, "mediaTo": 500, "mediaDuration": 1000}
    beats = [
        segment(tab="page", page=page, **{"from": end - 500, "to": end}),
        segment(tab="film", end="paused", **about, **{"from": end - 500, "to": end}),
    ]
    if isinstance(who, Visitor):
        succeeded(who.beat(*beats))
    else:
        succeeded(who.login().client.post(BEAT, json=beat_of(*beats)))


def number(server: Dwell, email: str) -> int:
    return server.sessions(email=email)[0]["viewer"]["id"]


def completed(server: Dwell, id: str) -> dict[str, Any]:
    def receipt() -> dict[str, Any] | None:
        answer = succeeded(ask(server, "GET", f"{ERASURES}/{id}"))
        return answer if answer["completedTime"] else None

    return eventually(receipt, what="a complete erasure")


# The archive


def test_an_archive_has_all_that_the_api_tells(server: Dwell) -> None:
    ann = person(server)
    guest = visitor(server, ann.given["email"])
    watch(guest, "/archived")
    watch(ann, "/archived")
    eventually(lambda: succeeded(server.api("/api/v1/videos/lesson/viewers", email=guest.email))["viewers"])
    found = exported(server, "--email", guest.email)
    assert set(found) == FILES
    for name in FILES - {"README.txt"}:
        assert name in found["README.txt"] and found[name], name
    assert found["sessions.ndjson"] == server.sessions(email=guest.email)
    assert len(found["sessions.ndjson"]) == 2
    for kind in ("segments", "statistics"):
        lines = server.api(f"/api/v1/export/{kind}", email=guest.email).content.splitlines()
        assert found[f"{kind}.ndjson"] == [json.loads(line) for line in lines] and lines
    watched = succeeded(server.api("/api/v1/videos/lesson/viewers", email=guest.email))["viewers"]
    assert sorted(found["videos.ndjson"], key=lambda one: one["viewer"]["id"]) == watched
    viewers = found["person.json"]["viewers"]
    assert [one["viewer"]["kind"] for one in viewers] == ["account", "guest"]
    account = viewers[0]["account"]
    assert account["username"] == ann.username and account["phoneNumber"] == ann.given["phone_number"]
    assert found["devices.ndjson"][0]["viewerId"] == viewers[0]["viewer"]["id"]
    assert [one["gate"] for one in found["entries.ndjson"]] == ["default"]
    assert {"registration", "login", "gate"} <= {one["event"] for one in found["audit.ndjson"]}

    everything = json.dumps(found)
    hashes = server.sql("SELECT password_hash FROM account") + server.sql("SELECT browser_hash FROM device")
    assert all(value not in everything for row in hashes for value in row.values())
    one = exported(server, "--username", ann.username)["person.json"]["viewers"]
    assert [viewer["viewer"]["kind"] for viewer in one] == ["account"]


def test_an_archive_is_one_viewer_s_by_the_api_and_is_noted(server: Dwell) -> None:
    guest = visitor(server)
    watch(guest, "/archived")
    id = number(server, guest.email)
    answer = ask(server, "GET", f"{VIEWERS}/{id}/archive")
    assert answer.headers["Content-Type"] == "application/zip"
    assert "attachment" in answer.headers["Content-Disposition"] and "no-store" in answer.headers["Cache-Control"]
    found = archive_of(answer.content)
    assert found["sessions.ndjson"] == server.sessions(email=guest.email)
    assert found["audit.ndjson"][-1]["event"] == "archive"
    assert found["audit.ndjson"][-1]["detail"]["by"].startswith("key ")
    for path in ("0", "nobody", str(2**70)):
        problem(ask(server, "GET", f"{VIEWERS}/{path}/archive"), 404)
    problem(server.client().get(f"{VIEWERS}/{id}/archive"), 401)


def test_nobody_is_named_who_is_not_there(server: Dwell) -> None:
    for command in (["export"], ["erase", "--yes"], ["exclude", "--reason", "a bot"], ["include"]):
        made = server.run("person", *command, "--email", "nobody@example.org")
        assert made.returncode == 78 and "nobody@example.org" in made.stderr
        assert server.run("person", *command).returncode == 64
        assert server.run("person", *command, "--id", "1", "--username", "ann").returncode == 64


# Erasing


def exports_of(server: Dwell) -> str:
    texts = [server.api(f"/api/v1/export/{kind}").text for kind in ("sessions", "segments", "statistics")]
    listed = [
        server.run(*command).stdout
        for command in (
            ["audit", "--since", "2020-01-01"], ["user", "list"], ["gate", "list"], ["report", "totals"],
            ["person", "receipts", "--format", "json"], ["person", "excluded"],
        )
    ]  # fmt: skip
    return "".join(texts + listed)


def traces(server: Dwell, secrets: list[str]) -> list[tuple[str, str]]:
    """Which of the secrets are anywhere in what is stored, in whatever table, and in which file."""
    if hasattr(server.store, "path"):
        path = server.store.path
        files = [path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm"))]
        stored = {file.name: file.read_bytes() for file in files if file.exists()}
    else:
        stored = {"dump": server.store.bytes()}
    return [
        (secret, name) for name, content in stored.items() for secret in secrets if secret.encode() in content
    ]


def vacuum(server: Dwell) -> None:
    """As docs/privacy.md says."""
    if hasattr(server.store, "path"):
        with closing(sqlite3.connect(server.store.path, timeout=30)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_nothing_is_left_of_whoever_is_erased(fresh_dwell) -> None:
    server = fresh_dwell()
    name = unique("erasable")
    ann = person(
        server, username=name, email=f"{name}@example.org", first_name=f"First{name}", last_name=f"Last{name}",
        phone_number="+4915198765432",
    )  # fmt: skip
    bea = visitor(server)
    watch(bea, "/everybody")
    guest = visitor(server, ann.given["email"])
    watch(guest, f"/for/{name}/alone", f"film of {name}")
    watch(ann, "/everybody")
    device = ann.login()
    device.client.patch(f"/devices/rename/{device.id}", json={"device_name": f"{name}'s phone"})
    ann.try_login(password="not the right one")
    server.run("gate", "revoke", guest.email)
    run(server, "exclude", "--username", name, "--reason", f"{name} works here")
    exported(server, "--username", name)
    server.run("report", "totals")
    secrets = [
        name, ann.given["email"], f"First{name}", f"Last{name}", "+4915198765432", ann.user["id"], device.id,
        f"/for/{name}/alone", f"film of {name}", f"{name}'s phone",
    ]  # fmt: skip
    eventually(lambda: "login" in server.run("audit", "--user", name, "--event", "login").stdout)
    assert {secret for secret, _ in traces(server, secrets)} == set(secrets)
    assert name in exports_of(server)

    receipt = json.loads(run(server, "erase", "--yes", "--email", guest.email, "--format", "json"))
    assert receipt["completedTime"] and receipt["askedBy"] == "command line"
    assert receipt["removed"]["viewer"] == 2 and receipt["removed"]["account"] == 1
    assert receipt["removed"]["content"] == 2 and receipt["removed"]["segment"] == 4
    assert name not in json.dumps(receipt)
    for table in server.sql(TABLES[hasattr(server.store, "path")]):
        rows = json.dumps(server.sql(f'SELECT * FROM "{table["name"]}"'), default=str)
        assert [secret for secret in secrets if secret in rows] == [], table["name"]
    everything = exports_of(server)
    assert [secret for secret in secrets if secret in everything] == []
    assert bea.email in everything
    vacuum(server)
    assert traces(server, secrets) == []
    # What is left is whole.
    assert server.store.damage() == []
    recomputed = server.run("recompute").stdout
    assert recomputed.count("0 of them were different") == 3, recomputed
    assert len(server.sessions()) == 1


TABLES = {
    True: "SELECT name FROM sqlite_master WHERE type = 'table'",
    False: "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
}


def test_whoever_is_erased_by_the_api_is_refused_at_once_and_never_comes_back(server: Dwell) -> None:
    ann, guest = person(server), visitor(server)
    device = ann.login()
    watch(ann, "/page")
    watch(guest, "/page")
    others = visitor(server)
    over = threading.Event()
    seen: dict[str, set[int]] = {"guest": set(), "account": set(), "other": set()}

    def beat(who: str, token: str) -> None:
        client = server.client()
        n = 100
        while not over.is_set():
            n += 1
            seen[who].add(beat_by_token(server, token, segment(n=n), client=client).status_code)

    token = succeeded(device.client.post(BEAT, json=beat_of()))["token"]
    tokens = {"guest": guest.token, "account": token, "other": others.token}
    senders = [threading.Thread(target=beat, args=one) for one in tokens.items()]
    for sender in senders:
        sender.start()
    try:
        ids = [number(server, guest.email), number(server, ann.given["email"])]
        answers = [ask(server, "DELETE", f"{VIEWERS}/{id}") for id in ids]
        for answer in answers:
            assert answer.status_code == 202, answer.text
            assert answer.headers["Location"] == f"{ERASURES}/{answer.json()['id']}"
        # No name is left from now on.
        assert server.sessions(email=guest.email) == [] and server.sessions(username=ann.username) == []
        for answer in answers:
            completed(server, answer.json()["id"])
    finally:
        over.set()
        for sender in senders:
            sender.join()
    assert seen["other"] == {200}
    assert seen["account"] <= {200, 400, 401} and seen["guest"] <= {200, 400, 401}
    for token in (guest.token, token):
        assert beat_by_token(server, token, segment(n=1)).status_code in (400, 401)
    assert device.client.get("/devices/list").status_code == 401
    for id in ids:
        for table in ("viewer", "session", "segment", "daily_statistic", "dirty_day", "coverage", "dirty_video"):
            column = "id" if table == "viewer" else "viewer_id"
            assert server.sql(f"SELECT 1 FROM {table} WHERE {column} = ?", id) == [], table
        problem(ask(server, "DELETE", f"{VIEWERS}/{id}"), 404)
    # Who comes again is somebody new.
    again = visitor(server, guest.email)
    assert again.record["viewer"]["id"] not in ids


def test_whoever_is_being_erased_is_neither_found_nor_let_in(server: Dwell) -> None:
    """By the name that their rows have until the last is gone: two seconds after the first, or later."""

    def is_seen() -> bool:
        ann = person(server)
        (found,) = succeeded(server.api(VIEWERS, q=ann.username))["viewers"]
        assert ask(server, "DELETE", f"{VIEWERS}/{found['viewer']['id']}").status_code == 202
        called = "SELECT username FROM account WHERE viewer_id = ?", found["viewer"]["id"]
        name = f"erased {found['viewer']['id']}"
        listed = succeeded(server.api(VIEWERS, q="erased"))["viewers"]
        given = {"username": name, "password": ann.given["password"]}
        answers = [server.client().post("/auth/login", json=given), ann.try_login()]
        is_there = server.sql(*called) == [{"username": name}]
        assert listed == []
        assert [answer.status_code for answer in answers] == [401, 401]
        return is_there

    eventually(is_seen, what="an erasure that lasts while it is looked at")


@pytest.mark.one_node("each node would go on with it")
def test_what_a_killed_server_began_to_erase_the_next_one_completes(fresh_dwell) -> None:
    server = fresh_dwell()
    guest = visitor(server)
    watch(guest, "/page")
    id = number(server, guest.email)
    receipt = ask(server, "DELETE", f"{VIEWERS}/{id}").json()
    server.kill()
    assert server.sql("SELECT 1 FROM viewer WHERE id = ?", id) != []
    server.start()
    assert completed(server, receipt["id"])["removed"]["viewer"] == 1
    assert server.sql("SELECT 1 FROM viewer WHERE id = ?", id) == []


def test_receipts_are_listed_page_by_page(server: Dwell) -> None:
    made = [
        json.loads(run(server, "erase", "--yes", "--email", visitor(server).email, "--format", "json"))["id"]
        for _ in range(2)
    ]
    first = succeeded(ask(server, "GET", f"{ERASURES}?limit=1"))
    second = succeeded(ask(server, "GET", ERASURES, params={"limit": 1, "cursor": first["nextCursor"]}))
    assert [page["erasures"][0]["id"] for page in (first, second)] == made[::-1]
    problem(ask(server, "GET", f"{ERASURES}?cursor=nonsense"), 400, "cursor")
    problem(ask(server, "GET", f"{ERASURES}/nonsense"), 404)
    assert made[0] in run(server, "receipts")


def test_erasing_asks_first(server: Dwell) -> None:
    guest = visitor(server)
    made = server.run("person", "erase", "--email", guest.email)
    assert made.returncode != 0 and guest.email in made.stdout
    assert len(server.sessions(email=guest.email)) == 1


# Excluding


def figures(server: Dwell) -> dict[str, Any]:
    """What the API and the commands say of everybody."""
    reports = {
        name: json.loads(server.run("report", name, "--format", "json").stdout) for name in ("totals", "days", "videos")
    }
    audience = eventually(lambda: succeeded(server.api("/api/v1/videos/lesson"))["video"]["viewers"] > 0) and succeeded(
        server.api("/api/v1/videos/lesson")
    )
    return reports | {
        "page": succeeded(server.api("/api/v1/contents", page="/page")),
        "live": succeeded(server.api("/api/v1/live"))["viewers"],
        "audience": audience,
        "viewers": succeeded(server.api("/api/v1/videos/lesson/viewers")),
        "statistics": server.api("/api/v1/export/statistics").text,
    }


def test_whoever_is_excluded_counts_nowhere_and_everywhere_again(fresh_dwell) -> None:
    server = fresh_dwell()
    watch(visitor(server), "/page")
    without = figures(server)
    owner = visitor(server)
    watch(owner, "/page")
    eventually(lambda: succeeded(server.api("/api/v1/videos/lesson"))["video"]["viewers"] == 2)
    with_owner = figures(server)
    for name, figure in with_owner.items():
        assert figure != without[name], name

    id = number(server, owner.email)
    answer = ask(server, "PUT", f"{VIEWERS}/{id}/exclusion", json={"reason": "the owner"})
    assert succeeded(answer)["viewer"]["email"] == owner.email and answer.json()["reason"] == "the owner"
    assert figures(server) == without
    assert succeeded(ask(server, "GET", EXCLUSIONS))["exclusions"] == [answer.json()]
    assert "the owner" in run(server, "excluded")
    # What is theirs stays readable.
    assert len(server.sessions(email=owner.email)) == 1 and owner.evidence["segments"]
    assert "0 of them were different" in server.run("recompute").stdout

    assert ask(server, "DELETE", f"{VIEWERS}/{id}/exclusion").status_code == 204
    eventually(lambda: succeeded(server.api("/api/v1/videos/lesson"))["video"]["viewers"] == 2)
    assert figures(server) == with_owner
    events = json.loads(server.run("audit", "--user", owner.email, "--format", "json").stdout)
    assert [one["event"] for one in events][:2] == ["inclusion", "exclusion"]
    problem(ask(server, "PUT", f"{VIEWERS}/{id}/exclusion", json={"reason": ""}), 400, "reason")
    problem(ask(server, "PUT", f"{VIEWERS}/{id}/exclusion", json={}), 400, "reason")
    problem(ask(server, "PUT", f"{VIEWERS}/0/exclusion", json={"reason": "a bot"}), 404)
    problem(ask(server, "DELETE", f"{VIEWERS}/0/exclusion"), 404)
    problem(server.client().put(f"{VIEWERS}/{id}/exclusion", json={"reason": "a bot"}), 401)


def test_a_key_needs_the_scope(server: Dwell) -> None:
    for method, path, scope in [
        ("GET", f"{VIEWERS}/0/archive", "manage"), ("DELETE", f"{VIEWERS}/0", "manage"),
        ("PUT", f"{VIEWERS}/0/exclusion", "manage"), ("DELETE", f"{VIEWERS}/0/exclusion", "manage"),
        ("GET", EXCLUSIONS, "manage"), ("GET", ERASURES, "audit"), ("GET", f"{ERASURES}/0", "audit"),
    ]:  # fmt: skip
        for scopes in ({"read", "audit", "manage"} - {scope}, {scope}):
            headers = {"Authorization": f"Bearer {server.key(*sorted(scopes))}"}
            answer = server.client().request(method, path, headers=headers, json={"reason": "a bot"})
            assert (answer.status_code == 403) == (scope not in scopes), (path, scopes, answer.text)


# The page


def test_owners_ask_by_the_person_s_page_and_nobody_else(server: Dwell) -> None:
    guest = visitor(server)
    watch(guest, "/page")
    olga = sign_in(server)
    who = {"email": guest.email, "username": ""}
    path = f"/dashboard/person?email={guest.email.replace('@', '%40')}"
    answer = olga.post("/dashboard/person/export", data=who)
    assert archive_of(answer.content)["sessions.ndjson"] == server.sessions(email=guest.email)
    excluded = olga.post("/dashboard/person/exclude", data=who | {"reason": "a <bot>"})
    assert (excluded.status_code, excluded.headers["Location"]) == (303, path)
    assert "a &lt;bot&gt;" in olga.get(path).text and "a &lt;bot&gt;" in olga.get("/dashboard/settings").text
    assert olga.post("/dashboard/person/include", data=who).status_code == 303
    assert "a &lt;bot&gt;" not in olga.get(path).text
    refused = olga.post("/dashboard/person/erase", data=who | {"confirm": "somebody else"})
    assert refused.status_code == 400 and guest.email in refused.text
    assert len(server.sessions(email=guest.email)) == 1

    made = subprocess.run(
        [str(BINARY), "operator", "add", "vera", "--database-url", server.database_url],
        env=clean_environment(dict(server.store.env)), input="a calm and long phrase\n", text=True, timeout=60,
    )  # fmt: skip
    assert made.returncode == 0
    vera = sign_in(server, "vera")
    assert COOKIE in vera.cookies
    assert "Erase" in olga.get(path).text and "Erase" not in vera.get(path).text
    for form in ("export", "exclude", "include", "erase"):
        data = who | {"reason": "a bot", "confirm": guest.email}
        assert vera.post(f"/dashboard/person/{form}", data=data).status_code == 404
        assert server.client().post(f"/dashboard/person/{form}", data=data).status_code == 401
        cross = {"Sec-Fetch-Site": "cross-site"}
        assert olga.post(f"/dashboard/person/{form}", data=data, headers=cross).status_code == 403

    erased = olga.post("/dashboard/person/erase", data=who | {"confirm": guest.email})
    assert (erased.status_code, erased.headers["Location"]) == (303, "/dashboard/settings#erasures")
    receipt = succeeded(ask(server, "GET", f"{ERASURES}?limit=1"))["erasures"][0]
    assert receipt["askedBy"] == "operator olga"
    assert completed(server, receipt["id"])["removed"]["viewer"] == 1
    assert receipt["id"] in olga.get("/dashboard/settings").text
