"""What operators do, and what the audit log tells: lines 3, 4, 18, 19 and 20 of what Dwell must withstand."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from dwell_process import Dwell, eventually
from mail_server import MailServer

from .helpers import (
    BEAT,
    FIREFOX,
    PASSWORD,
    TALKATIVE,
    Device,
    beat_by_token,
    beat_of,
    enter,
    person,
    problem,
    refused,
    refused_by_gate,
    segment,
    succeeded,
    unique,
    unique_email,
    visitor,
)

FROM, NETWORK = "203.0.113.7", "203.0.113.0/24"


@pytest.fixture
def server(fresh_dwell) -> Iterator[Dwell]:
    yield fresh_dwell()


def run(server: Dwell, *arguments: str) -> str:
    made = server.run(*arguments)
    assert made.returncode == 0, made.stderr
    return made.stdout


def audit(server: Dwell, *arguments: str) -> list[dict[str, Any]]:
    return json.loads(run(server, "audit", "--format", "json", *arguments))


def await_audit(server: Dwell, event: str, outcome: str, *arguments: str) -> dict[str, Any]:
    """The latest line of a kind, which may be written in a moment."""

    def found() -> dict[str, Any] | None:
        lines = audit(server, "--event", event, *arguments)
        return next((line for line in lines if line["outcome"] == outcome), None)

    return eventually(found, what=f"a line {event}, {outcome}")


def await_end(*devices: Device) -> None:
    for device in devices:
        eventually(lambda device=device: device.client.get("/devices/list").status_code == 401)


# 4, 18. Accounts, by command


def test_security_4_disabling_an_account_ends_its_logins_and_lets_nobody_in(server: Dwell) -> None:
    ann, bea = person(server), person(server).login()
    devices = [ann.login() for _ in range(2)]
    tokens = [succeeded(device.client.post(BEAT, json=beat_of()))["token"] for device in devices]
    assert "2 devices" in run(server, "user", "disable", ann.username)
    await_end(*devices)
    for device, token in zip(devices, tokens, strict=True):
        answer = refused(device.client.get("/session/init"), 401, "device_removed")
        assert "by the operator" in answer["msg"]
        eventually(lambda token=token: beat_by_token(server, token).status_code == 401)
    for client in (devices[0].client, server.client(FIREFOX)):
        refused(ann.try_login(client), 403, "account_disabled")
    # Only who knows the password hears of it.
    refused(ann.try_login(password="wrong"), 401, "wrong_credentials")
    assert len(bea.list()) == 1
    server.restart()
    refused(ann.try_login(), 403, "account_disabled")
    refused(devices[1].client.get("/devices/list"), 401, "device_removed")


def test_security_4_an_account_can_be_enabled_again(server: Dwell) -> None:
    ann = person(server)
    old = ann.login()
    run(server, "user", "disable", ann.username)
    await_end(old)
    run(server, "user", "enable", ann.username)
    succeeded(ann.login().client.get("/devices/list"))
    # What was ended stays so.
    refused(old.client.get("/devices/list"), 401, "device_removed")


def test_security_4_a_ticket_of_a_disabled_account_opens_nothing(fresh_dwell) -> None:
    server = fresh_dwell("--device-policy", "ask", "--device-limit", "1")
    ann = person(server)
    device = ann.login()
    client = server.client(FIREFOX)
    ticket = refused(ann.try_login(client), 421)["ticket"]
    run(server, "user", "disable", ann.username)
    await_end(device)
    run(server, "user", "limit", ann.username, "--devices", "2")
    given = {"ticket": ticket, "deviceId": device.id}
    refused(client.post("/devices/replace", json=given), 403, "account_disabled")


def test_security_4_deleting_an_account_leaves_nothing_of_it(server: Dwell) -> None:
    ann, bea = person(server), person(server)
    devices, other = [ann.login() for _ in range(2)], bea.login()
    for device in (*devices, other):
        device.init("lesson")
        succeeded(device.client.post(BEAT, json=beat_of(segment())))
    token = succeeded(devices[0].client.post(BEAT, json=beat_of()))["token"]
    run(server, "report", "totals")
    assert run(server, "user", "delete", "--yes", ann.username).strip() == f"{ann.username} is deleted."
    for device in devices:
        eventually(lambda device=device: device.client.get("/devices/list").status_code == 401)
        answer = refused(device.client.twin().get("/devices/list"), 401, "token_invalid")
        assert "deleted" in answer["msg"]
        refused_by_gate(device.client.twin().post(BEAT, json=beat_of(segment())), 401)
        refused(device.client.twin().get("/session/log"), 401)
    refused_by_gate(beat_by_token(server, token, segment()), 401)
    refused(ann.try_login(), 401, "wrong_credentials")
    for table in ("account", "viewer", "device", "session", "segment", "daily_statistic", "dirty_day", "audit"):
        rows = json.dumps(server.sql(f"SELECT * FROM {table}"), default=str)
        for secret in (ann.username, ann.given["email"], *(device.id for device in devices)):
            assert secret not in rows, table
        assert ann.user["id"] not in rows or table == "audit", table
    assert len(bea.sessions()) == 1
    assert succeeded(other.client.post(BEAT, json=beat_of(segment(n=2))))["success"]
    # Nothing of it is left to be in the way.
    again = {**ann.given}
    succeeded(server.client().post("/auth/register", json=again))
    server.restart()
    refused(devices[0].client.get("/devices/list"), 401, "token_invalid")


def test_security_4_deleting_asks_first(server: Dwell) -> None:
    ann = person(server)
    device = ann.login()
    made = server.run("user", "delete", ann.username)
    assert made.returncode != 0
    assert ann.username in made.stdout and ann.given["email"] in made.stdout
    assert len(device.list()) == 1


@pytest.mark.parametrize("command", ["show", "disable", "enable", "delete"])
def test_security_18_an_unknown_user_is_named(server: Dwell, command: str) -> None:
    made = server.run("user", command, "nobody at all")
    assert made.returncode == 78
    assert "nobody at all" in made.stderr
    assert server.run("user", command).returncode != 0


def test_accounts_are_listed_and_shown(server: Dwell) -> None:
    ann, bea = person(server, username=unique("Ann")), person(server, username=unique("bea"))
    client = server.client(FIREFOX)
    client.headers["X-Forwarded-For"] = FROM
    device = ann.login(client)
    ann.login()
    run(server, "user", "disable", bea.username)
    listed = json.loads(run(server, "user", "list", "--format", "json"))
    assert [one["username"] for one in listed] == [ann.username, bea.username]
    assert [one["devices"] for one in listed] == [2, 0]
    assert listed[0]["disabledAt"] is None and listed[1]["disabledAt"] is not None
    assert listed[0]["email"] == ann.given["email"] and listed[0]["id"] == ann.user["id"]
    assert not re.search(r"\$y\$|password", json.dumps(listed))
    shown = json.loads(run(server, "user", "show", ann.username.upper(), "--format", "json"))
    assert shown["account"]["username"] == ann.username
    assert {one["id"] for one in shown["devices"]} >= {device.id} and len(shown["devices"]) == 2
    assert NETWORK in {one["address"] for one in shown["devices"]}
    table = run(server, "user", "show", ann.username)
    assert device.id in table and ann.given["email"] in table
    rows = list(csv.DictReader(io.StringIO(run(server, "user", "list", "--format", "csv"))))
    assert [row["username"] for row in rows] == [ann.username, bea.username]


# 19. The audit log


def test_security_19_logins_and_their_refusals_are_told_with_who_when_and_where(fresh_dwell) -> None:
    server = fresh_dwell("--device-limit", "1")
    ann = person(server)
    client = server.client(FIREFOX)
    client.headers["X-Forwarded-For"] = FROM
    device = ann.login(client)
    who = {"accountId": ann.user["id"], "subject": ann.username, "address": NETWORK, "actor": "person"}
    line = await_audit(server, "login", "success")
    assert line["deviceId"] == device.id
    assert line.items() >= who.items()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line["at"])

    other = server.client(FIREFOX)
    other.headers["X-Forwarded-For"] = FROM
    refused(ann.try_login(other), 421)
    line = await_audit(server, "login", "denied")
    assert line.items() >= who.items()
    assert line["detail"] == {"reason": "device limit"}

    refused(ann.try_login(other, "wrong"), 401)
    line = await_audit(server, "login", "failure")
    assert line.items() >= who.items()
    assert line["detail"] == {"reason": "wrong password"}

    succeeded(device.client.get("/auth/logout"))
    line = await_audit(server, "device-end", "success")
    assert line.items() >= {**who, "deviceId": device.id, "detail": {"reason": "logout"}}.items()

    run(server, "user", "disable", ann.username)
    refused(ann.try_login(), 403)
    eventually(
        lambda: await_audit(server, "login", "denied")["detail"] == {"reason": "account disabled"}
    )


def test_security_19_the_end_of_each_device_is_told_with_the_reason(fresh_dwell) -> None:
    server = fresh_dwell("--device-limit", "2", "--device-policy", "evict-oldest")
    ann = person(server)
    devices = [ann.login() for _ in range(3)]
    succeeded(devices[2].client.delete(f"/devices/remove/{devices[1].id}"))
    succeeded(
        devices[2].client.post(f"/devices/rename/{devices[2].id}", json={"device_name": "The phone"})
    )
    person(server).login(devices[2].client)
    run(server, "user", "sign-out", "--everyone")
    ends = {line["deviceId"]: line for line in audit(server, "--event", "device-end")}
    assert [ends[device.id]["detail"]["reason"] for device in devices] == ["evicted", "removed", "replaced"]
    assert {line["actor"] for line in ends.values() if line["detail"]["reason"] == "operator"} == {"operator"}
    assert len(ends) == 4
    (renamed,) = audit(server, "--event", "device-name")
    assert renamed["deviceId"] == devices[2].id


def test_security_19_registrations_and_passwords_are_told(fresh_dwell, mails: MailServer) -> None:
    server = fresh_dwell(env=mails.env)
    ann = person(server)
    device = ann.login()
    refused(server.client().post("/auth/register", json={**ann.given, "email": unique_email()}), 409)
    body = {"current": "wrong", "new": f"{PASSWORD} too"}
    refused(device.client.post("/auth/password", json=body), 400)
    succeeded(device.client.post("/auth/password", json={**body, "current": PASSWORD}))
    succeeded(device.client.post("/auth/email/send"))
    refused(device.client.post("/auth/email/verify", json={"code": "x"}), 400)
    client = server.client()
    succeeded(client.post("/auth/password/forgot", json={"email": ann.given["email"]}))
    refused(client.post("/auth/password/reset", json={"code": "x", "password": f"{PASSWORD} three"}), 400)
    for event, outcome in (
        ("registration", "success"), ("registration", "denied"), ("password-change", "failure"),
        ("password-change", "success"), ("email-code", "success"), ("email-verification", "failure"),
        ("password-code", "success"), ("password-reset", "failure"),
    ):  # fmt: skip
        await_audit(server, event, outcome)
    mine = {(line["event"], line["outcome"]) for line in audit(server, "--user", ann.username)}
    assert mine >= {("registration", "success"), ("password-change", "failure"), ("password-code", "success")}


def test_security_19_the_gate_and_keys_are_told(server: Dwell) -> None:
    guest = visitor(server)
    line = await_audit(server, "gate", "success", "--user", guest.email)
    assert line["subject"] == guest.email and line["viewerId"] is not None and line["accountId"] is None
    key = server.key()
    assert await_audit(server, "key-creation", "success")["actor"] == "operator"
    problem(server.client().get("/api/v1/sessions", headers={"Authorization": "Bearer dwell_wrong"}), 401)
    refused(server.client().get("/cronjob/trigger?accessKey=guessed"), 401)
    for event in ("api-key", "cron-key"):
        await_audit(server, event, "failure")
    whole = json.dumps(audit(server))
    assert key not in whole and "dwell_wrong" not in whole and "guessed" not in whole


def test_security_19_whom_a_gate_keeps_out_is_told(server: Dwell) -> None:
    guest = visitor(server)
    for _ in range(2):
        run(server, "gate", "revoke", guest.email)
        assert enter(server.client(), guest.email).status_code == 403
        run(server, "gate", "admit", guest.email)
    line = await_audit(server, "gate", "denied")
    assert line["detail"] == {"reason": "address kept out"} and line["subject"] is None
    for event in ("gate-revocation", "gate-admission"):
        lines = audit(server, "--event", event, "--user", guest.email)
        assert len(lines) == 2 and {line["actor"] for line in lines} == {"operator"}


def test_security_19_what_operators_do_is_told(server: Dwell) -> None:
    ann = person(server)
    for arguments in (("limit", "--devices", "2"), ("disable",), ("enable",)):
        run(server, "user", arguments[0], ann.username, *arguments[1:])
    assert {line["accountId"] for line in audit(server) if line["actor"] == "operator"} == {ann.user["id"]}
    run(server, "user", "delete", "--yes", ann.username)

    def lines() -> list[dict[str, Any]]:
        return [line for line in audit(server) if line["actor"] == "operator"]

    # Who it was is in no line about a deleted account.
    eventually(lambda: {line["accountId"] for line in lines()} == {None})
    assert {line["subject"] for line in lines()} == {None}
    assert [line["event"] for line in reversed(lines())] == [
        "account-limit", "account-disabling", "account-enabling", "account-deletion",
    ]  # fmt: skip


@pytest.mark.sqlite("where the key is in a file")
def test_security_19_a_new_secret_is_told(server: Dwell) -> None:
    run(server, "secret", "rotate")
    assert await_audit(server, "secret-rotation", "success")["actor"] == "operator"


def test_security_19_passwords_codes_and_tokens_are_never_told(
    fresh_dwell, mails: MailServer
) -> None:
    """Nor in the logs, nor what was typed where a name belongs: people type passwords there."""
    server = fresh_dwell(env={**mails.env, **TALKATIVE})
    ann = person(server)
    device = ann.login()
    typed = unique("typed-by-mistake")
    secrets = [ann.given["password"], typed, device.token, device.client.cookie("dwell_browser"), "unlucky guess"]
    refused(server.client().post("/auth/login", json={"username": typed, "password": "unlucky guess"}), 401)
    refused(ann.try_login(password="unlucky guess"), 401)
    refused(device.client.post("/auth/email/verify", json={"code": "unlucky guess"}), 400)
    client = server.client()
    succeeded(client.post("/auth/password/forgot", json={"email": f"{typed}@example.org"}))
    await_audit(server, "login", "failure", "--user", ann.username)
    await_audit(server, "email-verification", "failure")
    # The one without a name.
    assert [line for line in audit(server, "--event", "login") if line["subject"] is None]
    whole = json.dumps(audit(server)) + json.dumps(server.sql("SELECT * FROM audit"), default=str)
    for secret in secrets:
        assert secret not in whole
        assert secret not in server.logs


def test_security_19_the_log_can_be_read_as_a_table_and_as_csv(server: Dwell) -> None:
    ann = person(server, username=unique("ann"))
    client = server.client(FIREFOX)
    client.headers["X-Forwarded-For"] = FROM
    ann.login(client)
    table = run(server, "audit")
    assert ann.username in table and NETWORK in table and "success" in table
    rows = list(csv.DictReader(io.StringIO(run(server, "audit", "--format", "csv", "--event", "login"))))
    assert [row["subject"] for row in rows] == [ann.username]
    assert [line["event"] for line in audit(server, "--since", "1h")] == ["login", "registration"]
    assert audit(server, "--since", "2999-01-01") == []
    assert len(audit(server, "--user", ann.username.upper())) == 2
    for wrong in (("--since", "soon"), ("--event", "party"), ("--format", "pdf")):
        made = server.run("audit", *wrong)
        assert made.returncode != 0 and wrong[1] in made.stderr + made.stdout


def test_security_19_what_succeeds_is_in_the_log_when_it_is_answered(server: Dwell) -> None:
    """A node that is killed at that very moment has told of it."""
    ann = person(server)
    ann.login()
    server.kill()
    if server.proxy:
        server.proxy.stop()
    server.start()
    assert [line["event"] for line in audit(server)] == ["login", "registration"]


def test_security_19_refusals_that_wait_are_written_before_the_end(server: Dwell) -> None:
    ann = person(server)
    refused(ann.try_login(password="wrong"), 401)
    assert server.stop() == 0
    assert [line["outcome"] for line in audit(server, "--event", "login")] == ["failure"]


# 20. What breaks is tried in Tests/Faults and test_crash.py


@pytest.mark.sqlite("a file can be locked from outside")
def test_security_20_a_locked_database_gives_503_to_logins_and_it_recovers(server: Dwell) -> None:
    ann = person(server)
    with sqlite3.connect(server.database, isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        response = ann.try_login()
        assert response.status_code == 503 and int(response.headers["Retry-After"]) > 0
        refused(ann.try_login(password="wrong"), 401)
        holder.execute("ROLLBACK")
    holder.close()
    ann.login()
    # The refusal that could not be written meanwhile has waited.
    await_audit(server, "login", "failure")


def test_security_4_deleting_an_account_harms_nobodys_beats(server: Dwell) -> None:
    """Beats of others share transactions with those of the account that goes."""
    accounts = [person(server) for _ in range(5)]
    devices = [one.login() for one in accounts]
    tokens = [succeeded(device.client.post(BEAT, json=beat_of()))["token"] for device in devices]
    guests = [visitor(server) for _ in range(4)]
    over = threading.Event()
    seen: set[tuple[str, int]] = set()

    def beat(who: str, token: str) -> None:
        client = server.client()
        n = 0
        while not over.is_set():
            n += 1
            seen.add((who, beat_by_token(server, token, segment(n=n), client=client).status_code))

    senders = [threading.Thread(target=beat, args=("guest", guest.token)) for guest in guests]
    senders += [threading.Thread(target=beat, args=("account", token)) for token in tokens]
    for sender in senders:
        sender.start()
    try:
        for one in accounts:
            run(server, "user", "delete", "--yes", one.username)
    finally:
        over.set()
        for sender in senders:
            sender.join()
    assert {status for who, status in seen if who == "guest"} == {200}
    assert {status for who, status in seen if who == "account"} == {200, 401}
    assert server.sql("SELECT viewer_id FROM session WHERE viewer_id NOT IN (SELECT id FROM viewer)") == []


def test_security_20_what_was_acknowledged_survives_being_killed(server: Dwell) -> None:
    guest = visitor(server)
    acknowledged: list[int] = []
    over = threading.Event()

    def beat() -> None:
        client = server.client()
        for n in range(1, 10_000):
            try:
                if beat_by_token(server, guest.token, segment(n=n), client=client).status_code == 200:
                    acknowledged.append(n)
            except requests.RequestException:
                return
            if over.is_set():
                return

    sender = threading.Thread(target=beat)
    sender.start()
    eventually(lambda: len(acknowledged) > 20)
    server.kill()
    over.set()
    sender.join()
    server.start()
    assert {row["n"] for row in guest.stored} >= set(acknowledged)
