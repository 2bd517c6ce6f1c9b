"""The trigger that adds up everyone's time into daily statistics."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dwell_process import Dwell, free_port

from .helpers import (
    CROSS_SITE,
    SECRET,
    TALKATIVE,
    is_private,
    log_until,
    person,
    refused,
    succeeded,
    visitor,
)

DEFAULT_KEY = "secretcronjob"
OWN_KEY = "an-own-cron-key-of-some-length"
METHODS = pytest.mark.parametrize("method", ["GET", "POST"])


def trigger(server: Dwell, key: str | None = DEFAULT_KEY, method: str = "GET", **options: Any):
    parameters = {} if key is None else {"accessKey": key}
    return server.client().request(method, "/cronjob/trigger", params=parameters, **options)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def days(server: Dwell) -> list[dict[str, Any]]:
    report = server.run("report", "days", "--format", "json")
    assert report.returncode == 0, report.stderr
    return json.loads(report.stdout)


@METHODS
def test_the_trigger_counts_all_registered_users(fresh_dwell, method: str) -> None:
    server = fresh_dwell()
    for registered in range(3):
        response = trigger(server, method=method)
        answer = succeeded(response)
        assert answer["error"] is False
        assert answer["msg"] == f"Aggregated {registered} Users"
        assert is_private(response)
        person(server)


def test_guests_are_not_counted_as_users(fresh_dwell) -> None:
    server = fresh_dwell()
    person(server)
    visitor(server).beat()
    assert succeeded(trigger(server))["msg"] == "Aggregated 1 Users"


def test_users_who_never_watched_are_counted(fresh_dwell) -> None:
    server = fresh_dwell()
    ann = person(server).login()
    person(server)
    ann.init("lesson")
    assert succeeded(trigger(server))["msg"] == "Aggregated 2 Users"


def test_the_trigger_needs_no_login(dwell: Dwell) -> None:
    assert trigger(dwell).status_code == 200


def test_the_key_may_come_as_a_bearer(dwell: Dwell) -> None:
    assert trigger(dwell, key=None, headers=bearer(DEFAULT_KEY)).status_code == 200


@METHODS
@pytest.mark.parametrize(
    "key", [None, "", "wrong", "Secretcronjob", "secretcronjo", "secretcronjob ", "secretcronjobx"]
)
def test_a_wrong_key_is_refused(dwell: Dwell, method: str, key: str | None) -> None:
    response = trigger(dwell, key, method)
    refused(response, 401, "unauthorized", "Unauthorized")
    assert is_private(response)


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Bearer", "Basic secretcronjob"])
def test_a_wrong_bearer_is_refused(dwell: Dwell, header: str) -> None:
    response = trigger(dwell, key=None, headers={"Authorization": header})
    refused(response, 401, "unauthorized", "Unauthorized")


def test_the_own_key_replaces_the_default_one(fresh_dwell) -> None:
    server = fresh_dwell(env={"DWELL_CRON_ACCESS_KEY": OWN_KEY})
    assert trigger(server, OWN_KEY).status_code == 200
    assert trigger(server, None, headers=bearer(OWN_KEY)).status_code == 200
    refused(trigger(server, DEFAULT_KEY), 401, "unauthorized", "Unauthorized")


@pytest.mark.parametrize("url", ["https://dwell.example", "http://dwell.example"])
def test_the_default_key_is_refused_on_a_public_url(fresh_dwell, url: str) -> None:
    env = {"DWELL_SECRET_KEY": SECRET}
    server = fresh_dwell("--public-url", url, env=env, port=free_port())
    refused(trigger(server), 401, "unauthorized", "Unauthorized")
    bare = trigger(server, None, headers=bearer(DEFAULT_KEY))
    refused(bare, 401, "unauthorized", "Unauthorized")
    server.restart(env=env | {"DWELL_CRON_ACCESS_KEY": OWN_KEY})
    assert trigger(server, OWN_KEY).status_code == 200


@pytest.mark.parametrize("url", ["http://localhost.evil.example", "http://notlocalhost"])
def test_a_host_that_only_looks_like_localhost_is_public(fresh_dwell, url: str) -> None:
    server = fresh_dwell("--public-url", url, env={"DWELL_SECRET_KEY": SECRET}, port=free_port())
    refused(trigger(server), 401, "unauthorized", "Unauthorized")


def test_the_host_header_does_not_make_a_public_url_local(fresh_dwell) -> None:
    server = fresh_dwell(
        "--public-url", "https://dwell.example",
        env={"DWELL_SECRET_KEY": SECRET}, port=free_port(),
    )  # fmt: skip
    headers = {"Host": "localhost", "X-Forwarded-Host": "localhost"}
    refused(trigger(server, headers=headers), 401, "unauthorized")


@METHODS
def test_another_site_cannot_trigger(dwell: Dwell, method: str) -> None:
    refused(trigger(dwell, method=method, headers=CROSS_SITE), 403, "cross_site")


@pytest.mark.parametrize("sender", ["same-origin", "none"])
def test_the_own_site_may_trigger(dwell: Dwell, sender: str) -> None:
    assert trigger(dwell, headers={"Sec-Fetch-Site": sender}).status_code == 200


def test_triggering_again_changes_nothing(fresh_dwell) -> None:
    server = fresh_dwell()
    ann = person(server).login()
    log_until(ann, ann.init("lesson"), 300)
    succeeded(trigger(server))
    first = days(server)
    assert first
    succeeded(trigger(server))
    assert days(server) == first


def test_the_key_is_not_in_the_logs(fresh_dwell) -> None:
    server = fresh_dwell(env={"DWELL_CRON_ACCESS_KEY": OWN_KEY} | TALKATIVE)
    assert trigger(server, OWN_KEY).status_code == 200
    trigger(server, OWN_KEY + "-mistyped")
    trigger(server, None, headers=bearer(OWN_KEY))
    server.stop()
    assert OWN_KEY not in server.written
