"""Devices: how many browsers one person may be logged in with, and how to put one out."""

from __future__ import annotations

import re
import uuid

import pytest

from dwell_process import Dwell

from .helpers import (
    ANDROID,
    CROSS_SITE,
    DEVICE_KEYS,
    FIREFOX,
    THE_ZERO,
    Device,
    Person,
    await_removal,
    is_now,
    is_private,
    ms_of,
    now_ms,
    person,
    refused,
    set_cookies,
    succeeded,
    tampered,
)

METHODS = pytest.mark.parametrize("method", ["DELETE", "POST"])


def full(server: Dwell, limit: int = 4) -> tuple[Person, list[Device]]:
    """A person who is logged in with as many devices as allowed."""
    someone = person(server)
    return someone, [someone.login() for _ in range(limit)]


# The list


def test_the_list_shows_every_device(dwell: Dwell) -> None:
    ann = person(dwell)
    devices = [ann.login(user_agent=ANDROID), ann.login(), ann.login()]
    response = devices[0].client.get("/devices/list")
    answer = succeeded(response)
    assert answer["error"] is False
    assert answer["user_id"] == ann.user["id"]
    assert answer["total_device"] == 3
    assert {one["id"] for one in answer["device_list"]} == {one.id for one in devices}
    for one in answer["device_list"]:
        assert set(one) >= DEVICE_KEYS
        assert one["user_id"] == ann.user["id"]
    assert is_private(response)


def test_the_list_shows_a_device_as_the_login_did(dwell: Dwell) -> None:
    device = person(dwell).login(user_agent=ANDROID)
    (listed,) = device.list()
    assert {key: listed[key] for key in DEVICE_KEYS} == {
        key: device.answer["thisDevice"][key] for key in DEVICE_KEYS
    }


def test_the_list_shows_nobody_elses_devices(dwell: Dwell) -> None:
    person(dwell).login()
    bea = person(dwell).login()
    assert [one["id"] for one in bea.list()] == [bea.id]


def test_the_number_of_devices_is_shown_to_the_user(dwell: Dwell) -> None:
    ann = person(dwell)
    counted = [ann.login().answer["user"]["devices_connected"] for _ in range(3)]
    assert counted == [1, 2, 3]


def test_the_list_says_which_one_asks_and_when_each_was_seen(dwell: Dwell) -> None:
    ann = person(dwell)
    before = now_ms()
    devices = [ann.login() for _ in range(3)]
    for device in devices:
        listed = device.list()
        assert [one["id"] for one in listed if one["is_current"]] == [device.id]
        assert all(is_now(ms_of(one["last_seen"]), since=before) for one in listed)


def test_the_list_tells_the_limit_and_what_happens_at_it(dwell: Dwell) -> None:
    answer = succeeded(person(dwell).login().client.get("/devices/list"))
    assert (answer["limit"], answer["policy"]) == (4, "deny")


@pytest.mark.one_node("a proxy says where it has it from")
@pytest.mark.parametrize(
    ("forwarded", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"), ("198.51.100.7, 203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:12:34::9", "2001:db8:12::/48"), (None, "127.0.0.0/24"), ("<script>", "127.0.0.0/24"),
    ],
)  # fmt: skip
def test_only_the_network_of_an_address_is_kept(
    dwell: Dwell, forwarded: str | None, network: str
) -> None:
    ann = person(dwell)
    client = dwell.client(FIREFOX)
    if forwarded is not None:
        client.headers["X-Forwarded-For"] = forwarded
    (listed,) = ann.login(client).list()
    assert listed["address"] == network
    (row,) = dwell.sql("SELECT * FROM device WHERE id = ?", listed["id"])
    assert row["address"] == network
    assert "203.0.113.77" not in map(str, row.values())


# Names


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_a_device_keeps_the_name_that_its_owner_gives_it(dwell: Dwell, method: str) -> None:
    ann = person(dwell)
    device, other = ann.login(), ann.login()
    response = other.client.request(
        method, f"/devices/rename/{device.id}", json={"device_name": "  The phone of Ann 📱 "}
    )
    assert succeeded(response)["error"] is False
    assert is_private(response)
    names = {one["id"]: one["device_name"] for one in other.list()}
    assert names[device.id] == "The phone of Ann 📱"
    assert names[other.id] == other.answer["thisDevice"]["device_name"]
    succeeded(device.client.get("/auth/logout"))
    again = ann.login(device.client)
    assert again.answer["thisDevice"]["device_name"] == "The phone of Ann 📱"


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\nb", "\u0000", None, 5, ["x"]], ids=repr)
def test_what_is_no_name_is_refused(dwell: Dwell, name: object) -> None:
    device = person(dwell).login()
    response = device.client.patch(f"/devices/rename/{device.id}", json={"device_name": name})
    refused(response, 400, "invalid_field", field="device_name")
    assert device.list()[0]["device_name"] == device.answer["thisDevice"]["device_name"]


# The limit


def test_one_device_too_many_is_refused(dwell: Dwell) -> None:
    ann, devices = full(dwell)
    response = ann.try_login()
    answer = refused(response, 421, "device_limit", "Maximum user device logged in")
    assert {one["id"] for one in answer["devices"]} == {one.id for one in devices}
    for one in answer["devices"]:
        assert set(one) >= DEVICE_KEYS
        assert one["user_id"] == ann.user["id"]
    assert is_private(response)


def test_the_refusal_changes_nothing(dwell: Dwell) -> None:
    ann, devices = full(dwell)
    before = devices[0].list()
    response = ann.try_login()
    assert response.status_code == 421
    assert "token" not in set_cookies(response)
    assert devices[0].list() == before
    for device in devices:
        assert device.client.get("/devices/list").status_code == 200


def test_a_wrong_password_learns_nothing_about_the_devices(dwell: Dwell) -> None:
    ann, _ = full(dwell)
    answer = refused(ann.try_login(password="wrong password"), 401, "wrong_credentials")
    assert "devices" not in answer


def test_the_limit_is_each_persons_own(dwell: Dwell) -> None:
    full(dwell)
    full(dwell)


def test_logging_out_makes_room(dwell: Dwell) -> None:
    ann, devices = full(dwell)
    succeeded(devices[1].client.get("/auth/logout"))
    ann.login()
    assert ann.try_login().status_code == 421


def test_removing_a_device_makes_room(dwell: Dwell) -> None:
    ann, devices = full(dwell)
    succeeded(devices[0].client.delete(f"/devices/remove/{devices[3].id}"))
    ann.login()
    assert ann.try_login().status_code == 421


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_the_limit_can_be_configured(fresh_dwell, limit: int) -> None:
    server = fresh_dwell("--device-limit", str(limit))
    ann, devices = full(server, limit)
    assert len(refused(ann.try_login(), 421)["devices"]) == limit == len(devices)


def test_a_lower_limit_lets_those_who_are_in_stay_in(fresh_dwell) -> None:
    server = fresh_dwell("--device-limit", "3")
    ann, devices = full(server, 3)
    server.restart("--device-limit", "1")
    for device in devices:
        assert len(device.list()) == 3
    assert ann.try_login().status_code == 421


# A browser that is known


def test_logging_in_again_on_a_known_browser_costs_no_place(dwell: Dwell) -> None:
    ann = person(dwell)
    client = dwell.client(FIREFOX)
    for _ in range(6):
        device = ann.login(client)
    assert len(device.list()) == 1


def test_a_known_browser_may_log_in_when_all_places_are_taken(dwell: Dwell) -> None:
    ann, devices = full(dwell)
    again = ann.login(devices[2].client)
    assert len(again.list()) == 4
    assert {one.id for one in devices if one is not devices[2]} < {
        one["id"] for one in again.list()
    }


def test_a_browser_is_still_known_after_logging_out(dwell: Dwell) -> None:
    ann = person(dwell)
    device = ann.login()
    for _ in range(6):
        succeeded(device.client.get("/auth/logout"))
        device = ann.login(device.client)
    assert len(device.list()) == 1


def test_two_people_may_share_a_browser(dwell: Dwell) -> None:
    ann, bea = person(dwell), person(dwell)
    shared = ann.login()
    other = bea.login(shared.client)
    assert other.id != shared.id
    assert [one["id"] for one in other.list()] == [other.id]


def test_another_persons_browser_gives_no_extra_place(dwell: Dwell) -> None:
    ann, _ = full(dwell)
    stranger = person(dwell).login()
    succeeded(stranger.client.get("/auth/logout"))
    assert ann.try_login(stranger.client).status_code == 421


def test_a_browser_cannot_claim_to_be_known(dwell: Dwell) -> None:
    ann, devices = full(dwell)
    client = devices[0].client.twin().drop("token")
    for cookie in list(client.cookies):
        client.forge(cookie.name, tampered(cookie.value or "x"))
    assert ann.try_login(client).status_code == 421
    assert ann.try_login(dwell.client(FIREFOX).forge("deviceId", devices[0].id)).status_code == 421


def test_a_browser_cannot_choose_the_id_of_its_device(dwell: Dwell) -> None:
    ann = person(dwell)
    wanted = str(uuid.uuid4())
    chosen = {"deviceId": wanted, "device_id": wanted, "id": wanted}
    answer = succeeded(dwell.client().post("/auth/login", json=ann.given | chosen))
    assert answer["thisDevice"]["id"] != wanted


# Removing


@METHODS
def test_a_removed_device_is_gone_at_once(dwell: Dwell, method: str) -> None:
    ann = person(dwell)
    staying, leaving = ann.login(), ann.login()
    response = staying.client.request(method, f"/devices/remove/{leaving.id}")
    answer = succeeded(response)
    assert answer["error"] is False
    assert answer["msg"] == "Device Deleted from the access list"
    assert is_private(response)
    assert [one["id"] for one in staying.list()] == [staying.id]
    await_removal(dwell)
    refused(leaving.client.get("/devices/list"), 401, "device_removed")


def test_a_removed_device_can_do_nothing_any_more(dwell: Dwell) -> None:
    ann = person(dwell)
    staying, leaving = ann.login(), ann.login()
    leaving.init("lesson")
    succeeded(staying.client.delete(f"/devices/remove/{leaving.id}"))
    await_removal(dwell)
    for method, path in (
        ("GET", "/devices/list"),
        ("GET", "/session/init"),
        ("GET", "/session/log"),
        ("DELETE", f"/devices/remove/{staying.id}"),
        ("GET", "/auth/logout"),
    ):
        refused(leaving.client.twin().request(method, path), 401, "device_removed")
    assert [one["id"] for one in staying.list()] == [staying.id]


def test_a_removed_device_is_told_when_it_was_removed(dwell: Dwell) -> None:
    ann = person(dwell)
    staying, leaving = ann.login(), ann.login()
    succeeded(staying.client.delete(f"/devices/remove/{leaving.id}"))
    await_removal(dwell)
    response = leaving.client.get("/devices/list")
    refused(response, 401, "device_removed")
    assert re.search(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", response.text), response.text


def test_a_removed_device_stays_removed_after_a_restart(fresh_dwell) -> None:
    server = fresh_dwell()
    ann = person(server)
    staying, leaving = ann.login(), ann.login()
    succeeded(staying.client.delete(f"/devices/remove/{leaving.id}"))
    server.restart()
    refused(leaving.client.get("/devices/list"), 401, "device_removed")
    assert len(staying.list()) == 1


@METHODS
def test_the_own_device_cannot_be_removed(dwell: Dwell, method: str) -> None:
    device = person(dwell).login()
    response = device.client.request(method, f"/devices/remove/{device.id}")
    refused(response, 400, "own_device", "Can't remove this device! Try logging out.")
    assert len(device.list()) == 1


@METHODS
def test_someone_elses_device_is_not_found(dwell: Dwell, method: str) -> None:
    ann, bea = person(dwell).login(), person(dwell).login()
    refused(ann.client.request(method, f"/devices/remove/{bea.id}"), 404, "not_found")
    assert len(bea.list()) == 1


@METHODS
@pytest.mark.parametrize(
    "id",
    ["0a75f4c5-71ae-47e8-b14d-52fc7595b693", "1", "not-a-uuid", "%27%20OR%201=1", THE_ZERO],
)
def test_an_unknown_device_is_not_found(dwell: Dwell, method: str, id: str) -> None:
    device = person(dwell).login()
    refused(device.client.request(method, f"/devices/remove/{id}"), 404, "not_found")
    assert len(device.list()) == 1


def test_someone_elses_device_and_an_unknown_one_look_alike(dwell: Dwell) -> None:
    ann, bea = person(dwell).login(), person(dwell).login()
    someones = ann.client.delete(f"/devices/remove/{bea.id}")
    unknown = ann.client.delete(f"/devices/remove/{uuid.uuid4()}")
    assert someones.json() == unknown.json()


def test_a_device_cannot_be_removed_twice(dwell: Dwell) -> None:
    ann = person(dwell)
    staying, leaving = ann.login(), ann.login()
    succeeded(staying.client.delete(f"/devices/remove/{leaving.id}"))
    refused(staying.client.delete(f"/devices/remove/{leaving.id}"), 404, "not_found")


@METHODS
def test_another_site_cannot_remove_a_device(dwell: Dwell, method: str) -> None:
    ann = person(dwell)
    staying, other = ann.login(), ann.login()
    path = f"/devices/remove/{other.id}"
    refused(staying.client.request(method, path, headers=CROSS_SITE), 403, "cross_site")
    assert len(staying.list()) == 2


def test_a_device_cannot_be_removed_by_merely_looking(dwell: Dwell) -> None:
    ann = person(dwell)
    staying, other = ann.login(), ann.login()
    response = staying.client.get(f"/devices/remove/{other.id}")
    refused(response, 405, "method_not_allowed")
    assert {"DELETE", "POST"} <= {one.strip() for one in response.headers["Allow"].split(",")}
    assert len(staying.list()) == 2
