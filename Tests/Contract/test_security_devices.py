"""Devices and logins against those who mean harm. Each test names the statement of the security rules that it checks:

1 the limit is exact; 2 a known browser costs no place; 3 dead tokens stay dead; 4 an operator can end logins; 5 a device is
told why it ended; 6 logins have an end; 7 one kind of token, and keys that can be replaced; 8 cookies; 18 what is
somebody else's is not there.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests

from dwell_process import Client, Dwell, eventually

from .helpers import (
    BEAT,
    CROSS_SITE,
    FIREFOX,
    PASSWORD,
    SECRET,
    Device,
    Person,
    await_removal,
    beat_by_token,
    beat_of,
    is_private,
    made_token,
    needs_faketime,
    person,
    refused,
    refused_by_gate,
    restart_ahead,
    set_cookies,
    succeeded,
    tampered,
    token_parts,
    visitor,
)
from .test_parallel import LONG, at_once

BROWSER = "dwell_browser"
ASK = ("--device-policy", "ask")


def full(server: Dwell, limit: int) -> tuple[Person, list[Device]]:
    """A person who is logged in with as many devices as allowed."""
    someone = person(server)
    return someone, [someone.login() for _ in range(limit)]


def in_use(server: Dwell, who: Person) -> set[str]:
    rows = server.sql(
        "SELECT id FROM device WHERE account_id = ? AND removed_at IS NULL", who.user["id"]
    )
    return {row["id"] for row in rows}


def run(server: Dwell, *arguments: str) -> str:
    ended = server.run(*arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def log_out(device: Device) -> None:
    succeeded(device.client.get("/auth/logout"))


# 1. The limit


@pytest.mark.parametrize("limit", [1, 4, 10])
def test_security_1_of_100_logins_at_once_exactly_as_many_succeed_as_are_allowed(
    fresh_dwell, limit: int
) -> None:
    server = fresh_dwell("--device-limit", str(limit))
    ann = person(server)
    clients = [server.client(FIREFOX) for _ in range(100)]
    given = {"username": ann.username, "password": PASSWORD}
    responses = at_once(
        lambda client=client: client.post("/auth/login", json=given, timeout=LONG)
        for client in clients
    )
    assert Counter(one.status_code for one in responses) == {200: limit, 421: 100 - limit}
    let_in = [one for one in zip(clients, responses, strict=True) if one[1].status_code == 200]
    ids = {response.json()["thisDevice"]["id"] for _, response in let_in}
    for client, _ in let_in:
        answer = succeeded(client.get("/devices/list"))
        assert answer["total_device"] == limit
        assert {one["id"] for one in answer["device_list"]} == ids
    assert server.sql("SELECT count(*) AS devices FROM device") == [{"devices": limit}]
    for one in responses:
        if one.status_code == 421:
            assert len(one.json()["devices"]) == limit


def test_security_1_of_100_logins_of_ten_browsers_at_once_each_browser_gets_one_place_at_most(
    fresh_dwell,
) -> None:
    server = fresh_dwell("--device-limit", "10")
    ann, devices = full(server, 10)
    for device in devices:
        log_out(device)
    ann_given = {"username": ann.username, "password": PASSWORD}
    clients = [device.client.twin() for device in devices for _ in range(10)]
    responses = at_once(
        lambda client=client: client.post("/auth/login", json=ann_given, timeout=LONG)
        for client in clients
    )
    assert Counter(one.status_code for one in responses) == {200: 100}
    assert {one.json()["thisDevice"]["id"] for one in responses} == {one.id for one in devices}
    assert server.sql("SELECT count(*) AS devices FROM device") == [{"devices": 10}]
    await_removal(server)
    good = [client for client in clients if client.get("/devices/list").status_code == 200]
    assert len(good) == 10, "each login ends the one before"


def test_security_1_a_lower_limit_of_one_account_logs_nobody_out_and_lets_nobody_new_in(
    fresh_dwell,
) -> None:
    server = fresh_dwell()
    ann, devices = full(server, 4)
    bea, _ = full(server, 4)
    run(server, "user", "limit", ann.username, "--devices", "2")
    for device in devices:
        answer = succeeded(device.client.get("/devices/list"))
        assert (answer["total_device"], answer["limit"]) == (4, 2)
    refused(ann.try_login(), 421, "device_limit")
    again = ann.login(devices[0].client)
    assert again.id == devices[0].id
    for device in devices[1:3]:
        log_out(device)
    refused(ann.try_login(), 421, "device_limit")
    log_out(devices[3])
    ann.login()
    refused(ann.try_login(), 421, "device_limit")
    run(server, "user", "limit", ann.username, "--devices", "default")
    ann.login()
    ann.login()
    refused(ann.try_login(), 421, "device_limit")
    refused(bea.try_login(), 421, "device_limit")


@pytest.mark.parametrize("limit", [1, 2])
def test_security_1_under_evict_oldest_the_device_that_was_not_used_for_longest_goes(
    fresh_dwell, limit: int
) -> None:
    server = fresh_dwell("--device-limit", str(limit), "--device-policy", "evict-oldest")
    ann, devices = full(server, limit)
    new = ann.login()
    assert in_use(server, ann) == {one.id for one in devices[1:]} | {new.id}
    await_removal(server)
    answer = refused(devices[0].client.get("/devices/list"), 401, "device_removed")
    assert "make room" in answer["msg"]
    assert new.answer["user"]["devices_connected"] == limit


def test_security_1_under_evict_oldest_a_known_browser_makes_nobody_go(fresh_dwell) -> None:
    server = fresh_dwell("--device-limit", "2", "--device-policy", "evict-oldest")
    ann, devices = full(server, 2)
    ann.login(devices[0].client)
    assert in_use(server, ann) == {one.id for one in devices}


def test_security_1_the_policy_of_one_account_can_be_set(dwell: Dwell) -> None:
    ann, _ = full(dwell, 4)
    assert "ticket" not in refused(ann.try_login(), 421)
    said = run(dwell, "user", "limit", ann.username, "--policy", "ask")
    assert "ask" in said
    assert "ticket" in refused(ann.try_login(), 421)
    run(dwell, "user", "limit", ann.username, "--devices", "1", "--policy", "evict-oldest")
    last = ann.login()
    assert in_use(dwell, ann) == {last.id}
    assert "evict-oldest" in run(dwell, "user", "limit", ann.username)


@pytest.mark.parametrize(
    ("options", "naming"),
    [
        (("--devices", "0"), "--devices.*1 to 1000"), (("--devices", "1001"), "--devices"),
        (("--devices", "many"), "--devices"), (("--policy", "kick"), "--policy.*evict-oldest"),
    ],
)  # fmt: skip
def test_security_1_a_wrong_limit_is_named_and_changes_nothing(
    dwell: Dwell, options: tuple[str, str], naming: str
) -> None:
    ann = person(dwell)
    ended = dwell.run("user", "limit", ann.username, *options)
    assert ended.returncode == 78 and re.search(naming, ended.stderr), ended.stderr
    row = dwell.sql(
        "SELECT device_limit, device_policy FROM account WHERE id = ?", ann.user["id"]
    )
    assert row == [{"device_limit": None, "device_policy": None}]


def test_security_1_an_unknown_user_is_named(dwell: Dwell) -> None:
    for command in (("limit",), ("sign-out",)):
        ended = dwell.run("user", *command, "nobody at all")
        assert ended.returncode == 78 and "nobody at all" in ended.stderr


# 1. Replacing a device at the limit


def offered(response: requests.Response) -> str:
    return refused(response, 421, "device_limit", "Maximum user device logged in")["ticket"]


def replace(client: Client, ticket: object, device: object, **options: Any) -> requests.Response:
    return client.post("/devices/replace", json={"ticket": ticket, "deviceId": device}, **options)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server whose policy is to ask, for two devices a person."""
    server = Dwell(tmp_path_factory.mktemp("asking"), "--device-limit", "2", *ASK).start()
    yield server
    server.discard()


def test_security_1_a_ticket_lets_one_device_be_replaced_in_one_step(asking: Dwell) -> None:
    ann, devices = full(asking, 2)
    client = asking.client(FIREFOX)
    response = ann.try_login(client)
    ticket = offered(response)
    assert set(set_cookies(response)) == {BROWSER}
    assert is_private(response)
    response = replace(client, ticket, devices[0].id)
    answer = succeeded(response)
    login = devices[1].answer
    assert set(answer) == set(login)
    assert (answer["error"], answer["msg"]) == (False, login["msg"])
    assert set(answer["user"]) == set(login["user"])
    assert set(answer["thisDevice"]) == set(login["thisDevice"])
    assert answer["user"]["devices_connected"] == 2
    assert set(set_cookies(response)) >= {"token", BROWSER}
    assert is_private(response)
    new = Device(ann, client, answer)
    assert {one["id"] for one in new.list()} == {devices[1].id, new.id}
    await_removal(asking)
    gone = refused(devices[0].client.get("/devices/list"), 401, "device_removed")
    assert "removed from the access list" in gone["msg"]


def test_security_1_a_ticket_is_good_once(asking: Dwell) -> None:
    ann, devices = full(asking, 2)
    client = asking.client(FIREFOX)
    ticket = offered(ann.try_login(client))
    new = Device(ann, client, succeeded(replace(client, ticket, devices[0].id)))
    for used in (client.twin(), client.twin().drop("token")):
        answer = refused(replace(used, ticket, devices[1].id), 401, "ticket_invalid")
        assert "used already" in answer["msg"]
    assert in_use(asking, ann) == {devices[1].id, new.id}


def test_security_1_a_ticket_that_many_hand_in_at_once_is_good_once(asking: Dwell) -> None:
    ann, devices = full(asking, 2)
    client = asking.client(FIREFOX)
    ticket = offered(ann.try_login(client))
    responses = at_once(
        lambda device=device: replace(client.twin(), ticket, device.id) for device in devices * 10
    )
    assert Counter(one.status_code for one in responses) == {200: 1, 401: 19}
    assert len(in_use(asking, ann)) == 2
    (let_in,) = [one for one in responses if one.status_code == 200]
    assert let_in.json()["thisDevice"]["id"] in in_use(asking, ann)


def test_security_1_a_ticket_is_good_for_five_minutes(asking: Dwell) -> None:
    ann, devices = full(asking, 2)
    client = asking.client(FIREFOX)
    ticket = offered(ann.try_login(client))
    digest = hashlib.sha256(ticket.encode()).hexdigest()
    (row,) = asking.sql(
        "SELECT device_ticket.expires_at - account.last_logged_in_at AS good_for FROM device_ticket"
        " JOIN account ON account.id = account_id WHERE hash = ?", digest
    )  # fmt: skip
    assert 300_000 <= row["good_for"] < 330_000
    changed = asking.store.change(
        "UPDATE device_ticket SET expires_at = expires_at - 300000 WHERE hash = ?", digest
    )
    assert changed == 1
    answer = refused(replace(client, ticket, devices[0].id), 401, "ticket_invalid")
    assert "end" in answer["msg"]
    assert in_use(asking, ann) == {one.id for one in devices}


def test_security_1_a_ticket_is_good_in_its_own_browser_alone(asking: Dwell) -> None:
    ann, devices = full(asking, 2)
    client = asking.client(FIREFOX)
    ticket = offered(ann.try_login(client))
    held = client.cookie(BROWSER)
    for other in (
        asking.client(FIREFOX),
        asking.client(FIREFOX).forge(BROWSER, tampered(held, 5)),
        devices[1].client.twin(),
        person(asking).login().client,
    ):
        answer = refused(replace(other, ticket, devices[0].id), 401, "ticket_invalid")
        assert "another browser" in answer["msg"]
    assert in_use(asking, ann) == {one.id for one in devices}
    succeeded(replace(client, ticket, devices[0].id))


def test_security_1_a_ticket_ends_with_the_password(asking: Dwell) -> None:
    ann, devices = full(asking, 2)
    client = asking.client(FIREFOX)
    ticket = offered(ann.try_login(client))
    (row,) = asking.sql("SELECT password_hash FROM account WHERE id = ?", person(asking).user["id"])
    asking.store.change(
        "UPDATE account SET password_hash = ? WHERE id = ?", row["password_hash"], ann.user["id"]
    )
    refused(replace(client, ticket, devices[0].id), 401, "ticket_invalid")
    assert in_use(asking, ann) == {one.id for one in devices}


@pytest.mark.parametrize("ticket", ["", "x", "0" * 64, "é" * 64, "0" * 5000], ids=lambda one: one[:2])
def test_security_1_what_is_no_ticket_changes_nothing(asking: Dwell, ticket: str) -> None:
    ann, devices = full(asking, 2)
    client = asking.client(FIREFOX)
    offered(ann.try_login(client))
    refused(replace(client, ticket, devices[0].id), 401, "ticket_invalid")
    assert in_use(asking, ann) == {one.id for one in devices}


@pytest.mark.parametrize("name", ["ticket", "deviceId"])
@pytest.mark.parametrize("value", [None, 5, ["x"]], ids=repr)
def test_security_1_a_replacement_without_a_field_names_it(
    asking: Dwell, name: str, value: object
) -> None:
    body = {"ticket": "0" * 64, "deviceId": "0a75f4c5-71ae-47e8-b14d-52fc7595b693"} | {name: value}
    refused(asking.client().post("/devices/replace", json=body), 400, "invalid_field", field=name)
    del body[name]
    refused(asking.client().post("/devices/replace", json=body), 400, "invalid_field", field=name)


def test_security_1_a_ticket_makes_no_room_where_the_limit_was_lowered_below_it(
    asking: Dwell,
) -> None:
    ann, devices = full(asking, 2)
    run(asking, "user", "limit", ann.username, "--devices", "1")
    client = asking.client(FIREFOX)
    ticket = offered(ann.try_login(client))
    answer = refused(replace(client, ticket, devices[0].id), 421, "device_limit")
    assert {one["id"] for one in answer["devices"]} == {one.id for one in devices}
    assert in_use(asking, ann) == {one.id for one in devices}
    log_out(devices[1])
    succeeded(replace(client, ticket, devices[0].id))
    assert len(in_use(asking, ann)) == 1


def test_security_1_by_default_a_refusal_offers_no_ticket(dwell: Dwell) -> None:
    ann, _ = full(dwell, 4)
    response = ann.try_login()
    assert "ticket" not in refused(response, 421, "device_limit")
    assert not set_cookies(response)


def test_security_1_tickets_are_not_stored(asking: Dwell) -> None:
    ann, _ = full(asking, 2)
    client = asking.client(FIREFOX)
    ticket = offered(ann.try_login(client))
    for secret in (ticket, client.cookie(BROWSER)):
        assert secret.encode() not in asking.store.bytes()
        assert secret not in asking.written


# 2. A browser that is known


def test_security_2_a_browser_that_logs_in_again_is_the_same_device(dwell: Dwell) -> None:
    ann = person(dwell)
    first = ann.login()
    log_out(first)
    again = ann.login(first.client)
    third = ann.login(again.client)
    assert first.id == again.id == third.id
    rows = dwell.sql("SELECT id FROM device WHERE account_id = ?", ann.user["id"])
    assert rows == [{"id": first.id}]


def test_security_2_a_browser_is_known_by_its_own_cookie_alone(dwell: Dwell) -> None:
    ann, devices = full(dwell, 4)
    again = ann.login(devices[1].client.twin().drop("token"))
    assert again.id == devices[1].id
    refused(ann.try_login(devices[1].client.twin().drop("token", BROWSER)), 421)
    forged = dwell.client(FIREFOX).forge(BROWSER, tampered(devices[1].client.cookie(BROWSER), 7))
    refused(ann.try_login(forged), 421)


@pytest.mark.parametrize("value", ["x", "0" * 64, "../..", "' OR '1'='1", "f" * 4000, "é"])
def test_security_2_only_the_server_makes_what_a_browser_is_known_by(
    dwell: Dwell, value: str
) -> None:
    ann = person(dwell)
    client = dwell.client(FIREFOX)
    response = client.post(
        "/auth/login", json=ann.given, headers={"Cookie": f"{BROWSER}={value}".encode()}
    )
    succeeded(response)
    made = set_cookies(response)[BROWSER].value
    assert re.fullmatch(r"[0-9a-f]{64}", made) and made != value


def test_security_2_a_browser_that_was_removed_needs_a_place_like_any_other(dwell: Dwell) -> None:
    ann, devices = full(dwell, 4)
    succeeded(devices[0].client.delete(f"/devices/remove/{devices[1].id}"))
    taking = ann.login()
    refused(ann.try_login(devices[1].client), 421)
    log_out(taking)
    assert ann.login(devices[1].client).id == devices[1].id


def test_security_2_two_people_on_one_browser_are_told_apart(dwell: Dwell) -> None:
    ann, bea = person(dwell), person(dwell)
    mine = ann.login()
    log_out(mine)
    hers = bea.login(mine.client)
    assert hers.id != mine.id
    log_out(hers)
    assert ann.login(mine.client).id == mine.id
    await_removal(dwell)
    assert [one["id"] for one in mine.list()] == [mine.id]


def test_security_2_a_device_id_is_the_servers_own(dwell: Dwell) -> None:
    ann, devices = full(dwell, 4)
    for name in ("id", "deviceId", "device_id", BROWSER):
        client = dwell.client(FIREFOX).forge(name, devices[0].id)
        body = ann.given | {name: devices[0].id}
        refused(client.post("/auth/login", json=body), 421, "device_limit")


def test_security_2_a_token_of_before_keeps_its_device_when_the_browser_has_no_name(
    dwell: Dwell,
) -> None:
    """Whoever logged in before browsers were recognised has the login's cookie alone."""
    ann, devices = full(dwell, 4)
    client = devices[2].client.drop(BROWSER)
    again = ann.login(client)
    assert again.id == devices[2].id
    log_out(again)
    assert ann.login(client).id == devices[2].id


# 3, 5. Dead tokens


def by_logout(device: Device) -> None:
    log_out(device)


def by_removal(device: Device) -> None:
    other = device.person.login()
    succeeded(other.client.delete(f"/devices/remove/{device.id}"))
    log_out(other)


def by_login(device: Device) -> None:
    device.person.login(device.client)


def by_logout_and_login(device: Device) -> None:
    log_out(device)
    device.person.login(device.client)


def by_removal_and_login(device: Device) -> None:
    by_removal(device)
    device.person.login(device.client)


def by_another_person(device: Device) -> None:
    person(device.person.server).login(device.client)


def by_operator(device: Device) -> None:
    run(device.person.server, "user", "sign-out", device.person.username)


def by_disabling(device: Device) -> None:
    run(device.person.server, "user", "disable", device.person.username)


def by_disabling_and_enabling(device: Device) -> None:
    by_disabling(device)
    run(device.person.server, "user", "enable", device.person.username)


def by_replacement(device: Device) -> None:
    server = device.person.server
    run(server, "user", "limit", device.person.username, "--devices", "1", "--policy", "ask")
    client = server.client(FIREFOX)
    ticket = offered(device.person.try_login(client))
    succeeded(replace(client, ticket, device.id))


def by_eviction(device: Device) -> None:
    server = device.person.server
    run(server, "user", "limit", device.person.username, "--devices", "1", "--policy", "evict-oldest")
    device.person.login()


ENDS = [
    (by_logout, "logged out"),
    (by_removal, "removed from the access list"),
    (by_login, "replaced by a new login"),
    (by_logout_and_login, "replaced by a new login"),
    (by_removal_and_login, "replaced by a new login"),
    (by_another_person, "replaced by a new login"),
    (by_operator, "by the operator"),
    (by_disabling, "by the operator"),
    (by_disabling_and_enabling, "by the operator"),
    (by_replacement, "removed from the access list"),
    (by_eviction, "make room"),
]


@pytest.mark.parametrize(("end", "reason"), ENDS, ids=[end.__name__ for end, _ in ENDS])
def test_security_3_5_a_dead_token_is_refused_with_the_reason_also_after_a_restart(
    fresh_dwell, end: Callable[[Device], None], reason: str
) -> None:
    server = fresh_dwell()
    device = person(server).login()
    entry = succeeded(device.client.post(BEAT, json=beat_of()))["token"]
    old = device.client.twin()
    end(device)
    if end in (by_operator, by_disabling, by_disabling_and_enabling):
        eventually(lambda: old.get("/devices/list").status_code == 401)
    await_removal(server)

    def check() -> None:
        for method, path in (
            ("GET", "/devices/list"), ("GET", "/session/init"), ("GET", "/auth/logout"),
            ("DELETE", f"/devices/remove/{device.id}"), ("POST", f"/devices/rename/{device.id}"),
        ):  # fmt: skip
            answer = refused(old.twin().request(method, path), 401, "device_removed")
            assert reason in answer["msg"]
            assert re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d", answer["msg"])
        beat = old.twin().post(BEAT, json=beat_of())
        assert refused_by_gate(beat, 401)["code"] == "device_removed"
        assert refused_by_gate(beat_by_token(server, entry), 401)["code"] == "device_removed"

    check()
    server.restart()
    check()


def test_security_3_the_token_of_a_deleted_account_is_refused(fresh_dwell) -> None:
    server = fresh_dwell()
    ann, bea = person(server).login(), person(server).login()
    server.stop()
    server.store.change("DELETE FROM account WHERE id = ?", ann.person.user["id"])
    server.start()
    refused(ann.client.get("/devices/list"), 401, "token_invalid")
    assert len(bea.list()) == 1


def test_security_3_a_login_makes_a_new_token_each_time(dwell: Dwell) -> None:
    device = person(dwell).login()
    tokens = [device.token]
    for _ in range(3):
        device = device.person.login(device.client)
        tokens.append(device.token)
    assert len(set(tokens)) == 4


def test_security_3_an_old_token_cannot_log_the_new_login_out(dwell: Dwell) -> None:
    device = person(dwell).login()
    old = device.client.twin()
    device.person.login(device.client)
    await_removal(dwell)
    refused(old.get("/auth/logout"), 401, "device_removed")
    refused(old.twin().post("/devices/rename/" + device.id, json={"device_name": "x"}), 401)
    assert [one["id"] for one in device.list()] == [device.id]


# 4. The operator


def test_security_4_an_operator_ends_the_logins_of_one_person(fresh_dwell) -> None:
    server = fresh_dwell()
    ann, devices = full(server, 3)
    bea = person(server).login()
    assert "3 devices" in run(server, "user", "sign-out", ann.username)
    for device in devices:
        eventually(lambda device=device: device.client.get("/devices/list").status_code == 401)
    assert in_use(server, ann) == set()
    assert len(bea.list()) == 1
    ann.login()


def test_security_4_an_operator_ends_everybodys_logins(fresh_dwell) -> None:
    server = fresh_dwell()
    devices = [person(server).login() for _ in range(3)]
    assert "3 devices" in run(server, "user", "sign-out", "--everyone")
    for device in devices:
        eventually(lambda device=device: device.client.get("/devices/list").status_code == 401)


@pytest.mark.parametrize("arguments", [[], ["ann", "--everyone"]])
def test_security_4_logging_out_needs_to_be_told_whom(dwell: Dwell, arguments: list[str]) -> None:
    device = person(dwell).login()
    assert dwell.run("user", "sign-out", *arguments).returncode != 0
    assert len(device.list()) == 1


# 6. Ends


def test_security_6_a_login_that_is_not_used_ends_and_frees_its_place(fresh_dwell) -> None:
    server = fresh_dwell("--device-limit", "2", "--login-idle", "8s")
    ann = person(server)
    used, unused = ann.login(), ann.login()

    def ended() -> bool:
        assert used.client.get("/devices/list").status_code == 200, "using it keeps it"
        return {one["id"] for one in used.list()} == {used.id}

    eventually(ended, 60, "the end of the other")
    answer = refused(unused.client.get("/devices/list"), 401, "device_removed")
    assert "not used" in answer["msg"]
    new = ann.login()
    assert in_use(server, ann) == {used.id, new.id}
    answer = refused(unused.client.get("/devices/list"), 401, "device_removed")
    assert "not used" in answer["msg"]


def test_security_6_a_login_ends_however_much_it_is_used(fresh_dwell) -> None:
    server = fresh_dwell("--device-limit", "1", "--login-lifetime", "4s")
    ann = person(server)
    response = ann.try_login()
    device = Device(ann, server.client(FIREFOX).forge("token", set_cookies(response)["token"].value), {})
    assert set_cookies(response)["token"]["max-age"] == "4"
    assert device.client.get("/devices/list").status_code == 200
    eventually(lambda: device.client.get("/devices/list").status_code == 401, 60, "the end")
    refused(device.client.get("/devices/list"), 401, "token_expired", "Token Expired")
    eventually(lambda: ann.try_login().status_code == 200, 60, "a free place")
    refused(device.client.get("/devices/list"), 401, "token_expired", "Token Expired")


def test_security_6_a_shorter_lifetime_holds_for_logins_of_before(fresh_dwell) -> None:
    server = fresh_dwell()
    device = person(server).login()
    held = device.client.twin()
    server.restart("--login-lifetime", "1s")
    eventually(lambda: held.get("/devices/list").status_code == 401, 60, "the end")
    refused(held.get("/devices/list"), 401, "token_expired", "Token Expired")


@needs_faketime
@pytest.mark.sqlite("with PostgreSQL the database's clock counts")
def test_security_6_by_default_a_login_that_is_not_used_lasts_a_year(fresh_dwell) -> None:
    server = fresh_dwell()
    device = person(server).login()
    token = device.token
    restart_ahead(server, 364)
    assert device.client.twin().forge("token", token).get("/devices/list").status_code == 200
    restart_ahead(server, 366)
    refused(device.client.twin().forge("token", token).get("/devices/list"), 401, "token_expired")


# 7. Tokens


def derived(secret: str, purpose: str) -> bytes:
    """HKDF with SHA-256, without salt, 32 bytes: RFC 5869."""
    key = hmac.new(b"\0" * 32, secret.encode(), hashlib.sha256).digest()
    return hmac.new(key, purpose.encode() + b"\x01", hashlib.sha256).digest()


@pytest.fixture(scope="module")
def known_key(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server whose secret the tests know."""
    server = Dwell(tmp_path_factory.mktemp("known"), env={"DWELL_SECRET_KEY": SECRET}).start()
    yield server
    server.discard()


LOGIN_KEY = derived(SECRET, "dwell login token")


def asks(server: Dwell, token: str) -> requests.Response:
    return server.client().forge("token", token).get("/devices/list")


def test_security_7_a_token_says_what_it_is_and_who_it_is_for(known_key: Dwell) -> None:
    header, payload = token_parts(person(known_key).login().token)
    assert set(header) == {"alg", "typ", "kid"}
    assert (header["alg"], header["typ"]) == ("HS256", "JWT")
    assert re.fullmatch(r"[0-9a-f]{16}", header["kid"])
    assert payload["aud"] == "login"


def test_security_7_one_kind_of_token_is_accepted_even_when_the_key_is_right(
    known_key: Dwell,
) -> None:
    device = person(known_key).login()
    header, payload = token_parts(device.token)
    assert asks(known_key, made_token(header, payload, LOGIN_KEY)).status_code == 200
    key = {"kty": "oct", "k": "AAAA"}
    for changes in (
        {"alg": "none"}, {"alg": "HS384"}, {"alg": "HS512"}, {"alg": "hs256"}, {"alg": "RS256"}, {"alg": None},
        {"typ": "at+jwt"}, {"typ": "JOSE"}, {"typ": None}, {"typ": "jwt-session"}, {"typ": 1},
        {"jku": "http://127.0.0.1/keys"}, {"jwk": key}, {"x5u": "http://127.0.0.1/x"}, {"x5c": ["AAAA"]},
        {"crit": ["exp"]}, {"b64": False}, {"kid": "unknown"}, {"kid": 1}, {"kid": None}, {"kid": ["1"]},
    ):  # fmt: skip
        forged = header | changes
        refused(asks(known_key, made_token(forged, payload, LOGIN_KEY)), 401, "token_invalid")
    for name in ("alg", "typ"):
        forged = {key: value for key, value in header.items() if key != name}
        refused(asks(known_key, made_token(forged, payload, LOGIN_KEY)), 401, "token_invalid")
    unsigned = made_token(header | {"alg": "none"}, payload, None)
    refused(asks(known_key, unsigned), 401, "token_invalid")


def test_security_7_a_token_for_something_else_is_refused(known_key: Dwell) -> None:
    header, payload = token_parts(person(known_key).login().token)
    for changes in ({"aud": "gate"}, {"aud": ""}, {"aud": None}, {"aud": ["login", "gate"]}, {"exp": 1},
                    {"exp": "never"}, {"deviceId": "x"}, {"userId": payload["deviceId"]},
                    {"login": 99}, {"login": 0}, {"login": -1}, {"login": "1"}):  # fmt: skip
        response = asks(known_key, made_token(header, payload | changes, LOGIN_KEY))
        assert response.status_code == 401, (changes, response.text)
    for name in ("aud", "exp", "userId", "deviceId"):
        rest = {key: value for key, value in payload.items() if key != name}
        refused(asks(known_key, made_token(header, rest, LOGIN_KEY)), 401, "token_invalid")


def test_security_7_tokens_of_before_stay_good(known_key: Dwell) -> None:
    """They named no login, and their key was called 1, or nothing."""
    device = person(known_key).login()
    known_key.store.change("UPDATE device SET login = 0 WHERE id = ?", device.id)
    header, payload = token_parts(device.token)
    del payload["login"]
    for changes in ({"kid": "1"}, {}):
        old = {key: value for key, value in header.items() if key != "kid"} | changes
        assert asks(known_key, made_token(old, payload, LOGIN_KEY)).status_code == 200, old
    again = device.person.login(device.client)
    assert again.id == device.id
    await_removal(known_key)
    refused(asks(known_key, made_token(header | {"kid": "1"}, payload, LOGIN_KEY)), 401)


def test_security_7_the_keys_of_other_purposes_sign_no_login(known_key: Dwell) -> None:
    header, payload = token_parts(person(known_key).login().token)
    for key in (SECRET.encode(), derived(SECRET, "dwell session cookie"),
                derived(SECRET, "dwell access cookie"), header["kid"].encode()):  # fmt: skip
        refused(asks(known_key, made_token(header, payload, key)), 401, "token_invalid")


def rotate(server: Dwell) -> None:
    """Puts a new secret before the present one, on every node."""
    said = run(server, "secret", "rotate").strip()
    if said.startswith("base64:"):
        server.store.env = dict(server.store.env) | {"DWELL_SECRET_KEY": said}
    server.restart()


def test_security_7_a_key_can_be_replaced_while_everybody_stays_logged_in(fresh_dwell) -> None:
    server = fresh_dwell()
    ann = person(server).login()
    guest = visitor(server)
    entry = succeeded(ann.client.post(BEAT, json=beat_of()))["token"]
    old_kid = token_parts(ann.token)[0]["kid"]
    rotate(server)
    assert len(ann.list()) == 1
    succeeded(guest.beat())
    succeeded(beat_by_token(server, entry))
    succeeded(beat_by_token(server, guest.token))
    bea = person(server).login()
    new_kid = token_parts(bea.token)[0]["kid"]
    assert new_kid != old_kid
    rotate(server)
    assert len(bea.list()) == 1, "the one before still counts"
    refused(ann.client.get("/devices/list"), 401, "token_invalid")
    assert guest.beat().status_code == 400
    for token in (entry, guest.token):
        assert refused_by_gate(beat_by_token(server, token), 401)["code"] == "token_invalid"
    again = ann.person.login(ann.client)
    assert again.id == ann.id, "the browser is known nevertheless"


@pytest.mark.sqlite("is about the file beside the database")
def test_security_7_the_file_of_the_key_stays_its_owners(fresh_dwell) -> None:
    server = fresh_dwell()
    file = server.database.with_name(server.database.name + ".key")
    before = file.read_text().split()
    said = run(server, "secret", "rotate")
    after = file.read_text().split()
    assert after[1:] == before and after[0] not in before
    assert file.stat().st_mode & 0o777 == 0o600
    assert not any(secret in said for secret in after)
    assert [one.name for one in file.parent.iterdir() if ".key" in one.name] == [file.name]


@pytest.mark.sqlite("is about the file beside the database")
def test_security_7_where_there_is_no_key_none_is_rotated(tmp_path, fresh_dwell) -> None:
    server = fresh_dwell(env={"DWELL_SECRET_KEY": SECRET})
    said = run(server, "secret", "rotate")
    assert said.startswith("base64:") and len(said.split()) == 2
    ended = server.run("secret", "rotate", "--database-url", f"sqlite:{tmp_path / 'none'}")
    assert ended.returncode == 0, "the variable wins"


# 8. Cookies


def test_security_8_the_cookie_that_a_browser_is_known_by_is_kept_from_scripts(
    dwell: Dwell,
) -> None:
    cookie = set_cookies(person(dwell).try_login())[BROWSER]
    assert cookie["httponly"] and cookie["samesite"].lower() == "lax"
    assert cookie["path"] == "/" and not cookie["domain"]
    assert int(cookie["max-age"]) >= 365 * 86_400


def test_security_8_logging_out_leaves_the_browser_known(dwell: Dwell) -> None:
    device = person(dwell).login()
    known_by = device.client.cookie(BROWSER)
    response = device.client.get("/auth/logout")
    assert BROWSER not in set_cookies(response)
    assert device.client.cookie(BROWSER) == known_by


@pytest.mark.parametrize("path", ["/devices/replace", "/devices/rename/x"])
def test_security_9_another_site_changes_nothing(asking: Dwell, path: str) -> None:
    for headers in (CROSS_SITE, {"Origin": "https://evil.example"}):
        response = asking.client().post(path, json={}, headers=headers)
        refused(response, 403, "cross_site")


# 18. What is somebody else's


def test_security_18_someone_elses_device_is_not_found(asking: Dwell) -> None:
    ann, devices = full(asking, 2)
    other = person(asking).login()
    for method in ("PATCH", "POST"):
        response = devices[0].client.request(
            method, f"/devices/rename/{other.id}", json={"device_name": "mine"}
        )
        refused(response, 404, "not_found")
    refused(devices[0].client.delete(f"/devices/remove/{other.id}"), 404, "not_found")
    client = asking.client(FIREFOX)
    ticket = offered(ann.try_login(client))
    for wrong in (other.id, "0a75f4c5-71ae-47e8-b14d-52fc7595b693", "not-a-uuid", ""):
        refused(replace(client, ticket, wrong), 404, "not_found")
    assert other.list()[0]["device_name"] == other.answer["thisDevice"]["device_name"]
    assert in_use(asking, ann) == {one.id for one in devices}
    succeeded(replace(client, ticket, devices[1].id))


def test_security_18_a_device_that_has_ended_is_not_found(asking: Dwell) -> None:
    ann, devices = full(asking, 2)
    log_out(devices[1])
    new = ann.login()
    client = asking.client(FIREFOX)
    ticket = offered(ann.try_login(client))
    refused(replace(client, ticket, devices[1].id), 404, "not_found")
    response = new.client.patch(f"/devices/rename/{devices[1].id}", json={"device_name": "x"})
    refused(response, 404, "not_found")
    assert in_use(asking, ann) == {devices[0].id, new.id}
