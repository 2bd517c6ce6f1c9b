"""Other origins: pages of those that are listed may beat and enter the gate, without cookies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from dwell_process import CONFIGURATION_ERROR, Client, Dwell, run_dwell

from .helpers import (
    BEAT,
    Visitor,
    beat_of,
    person,
    refused,
    refused_by_gate,
    segment,
    set_cookies,
    succeeded,
    tampered,
    unique_email,
    visitor,
)

pytestmark = pytest.mark.usefixtures("way")

GATE = "/api/verify-temp-access"
PATHS = [BEAT, GATE]
SHOP = "https://shop.example"
SETTING = f"https://www.example.com, http://blog.example:8081/,https://Shop.Example:443,{SHOP}"
LISTED = ["https://www.example.com", "http://blog.example:8081", SHOP]
UNLISTED = [
    "null",
    "https://example.com",
    "https://www.example.com.evil.example",
    "https://evil.example",
    "http://www.example.com",
    "https://www.example.com:8443",
    "http://blog.example",
    "http://blog.example:8082",
    "https://blog.example:8081",
    "https://www.example.com/",
    "https://www.example.com, https://shop.example",
    "https://user@www.example.com",
    "*",
    "",
]
WRONG = [
    "www.example.com", "*", "null", " ", "ftp://a.example", "https://", "https://a.example/path",
    "https://a.example?q=1", "https://a.example#top", "https://a.example,*",
    "https://a.example;https://b.example", "https://a b.example", "https://*.example.com",
    "https://user:word@a.example", "https://a.example:99999",
]  # fmt: skip


@pytest.fixture(scope="module")
def dwell(tmp_path_factory: pytest.TempPathFactory, site: Path) -> Iterator[Dwell]:
    """A server that lists other origins, in all the ways that people write them."""
    folder = tmp_path_factory.mktemp("origins")
    with Dwell(folder, "--allowed-origins", SETTING, site=site) as server:
        yield server


def ask(client: Client, method: str, path: str, origin: str, **options: Any) -> requests.Response:
    """What a browser sends for a page of that origin."""
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    return client.request(method, path, headers=headers | options.pop("headers", {}), **options)


def preflight(server: Dwell, path: str, origin: str, method: str = "POST") -> requests.Response:
    headers = {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return ask(server.client(), "OPTIONS", path, origin, headers=headers)


def beat_from(origin: str, client: Client, *segments: Any, **changes: Any) -> requests.Response:
    return ask(client, "POST", BEAT, origin, json=beat_of(*segments, **changes))


def words(response: requests.Response, name: str) -> set[str]:
    return {word.strip().lower() for word in response.headers.get(name, "").split(",")}


def lets_in(response: requests.Response, origin: str) -> bool:
    """Whether a browser shows the answer to the page."""
    given = response.headers.get("Access-Control-Allow-Origin")
    assert given in (None, origin), f"an answer to {origin} for {given}"
    assert "Access-Control-Allow-Credentials" not in response.headers
    return given is not None


def closed_to(response: requests.Response) -> bool:
    return not [name for name in response.headers if name.lower().startswith("access-control-")]


# Asking first


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", LISTED)
def test_a_listed_origin_may_ask(dwell: Dwell, path: str, origin: str) -> None:
    response = preflight(dwell, path, origin)
    assert response.status_code in (200, 204)
    assert lets_in(response, origin)
    assert words(response, "Access-Control-Allow-Methods") == {"post"}
    assert words(response, "Access-Control-Allow-Headers") == {"authorization", "content-type"}
    assert "origin" in words(response, "Vary")
    assert response.content == b""
    assert set_cookies(response) == {}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", UNLISTED, ids=lambda origin: origin or "empty")
def test_any_other_origin_may_not_ask(dwell: Dwell, path: str, origin: str) -> None:
    response = preflight(dwell, path, origin)
    assert closed_to(response)
    assert response.status_code >= 400


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", [*LISTED, *UNLISTED], ids=lambda origin: origin or "empty")
def test_without_the_setting_nobody_may_ask(bare: Dwell, path: str, origin: str) -> None:
    assert closed_to(preflight(bare, path, origin))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dwell]:
    """A server that lists no origins."""
    with Dwell(tmp_path_factory.mktemp("bare")) as server:
        yield server


OTHER_PATHS = [
    "/auth/login", "/auth/register", "/auth/logout", "/devices/list", "/devices/remove/1",
    "/session/init", "/session/log", "/cronjob/trigger", "/api/v1/sessions", "/api/v1/sessions/1",
    "/gate", "/confidential/index.html", "/health/live", f"{BEAT}/more",
]  # fmt: skip


@pytest.mark.parametrize("path", OTHER_PATHS)
def test_a_listed_origin_may_ask_for_nothing_else(dwell: Dwell, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert closed_to(preflight(dwell, path, SHOP, method))


# Sending


@pytest.mark.parametrize("origin", LISTED)
def test_a_page_of_a_listed_origin_enters_and_beats(dwell: Dwell, origin: str) -> None:
    email, client = unique_email(), dwell.client()
    entered = ask(client, "POST", GATE, origin, json={"email": email})
    token = succeeded(entered)["token"]
    beaten = beat_from(origin, client, segment(n=1), token=token)
    assert succeeded(beaten)["interval"] > 0
    headers = {"Authorization": f"Bearer {token}"}
    by_header = ask(client, "POST", BEAT, origin, json=beat_of(segment(n=2)), headers=headers)
    for response in (entered, beaten, by_header):
        assert lets_in(response, origin)
        assert "origin" in words(response, "Vary")
        assert set_cookies(response) == {}
    assert [row["n"] for row in Visitor(dwell, email, client, token).stored] == [1, 2]


@pytest.mark.parametrize("origin", UNLISTED[:-1])
def test_a_page_of_another_origin_does_neither(dwell: Dwell, origin: str) -> None:
    ann, email = visitor(dwell), unique_email()
    entered = ask(dwell.client(), "POST", GATE, origin, json={"email": email})
    beaten = beat_from(origin, ann.client, segment(), token=ann.token)
    for response in (entered, beaten):
        refused_by_gate(response, 403)
        assert closed_to(response)
        assert set_cookies(response) == {}
    assert ann.stored == []
    assert dwell.sessions(email=email) == []


def test_a_beacon_of_a_listed_origin_needs_no_asking(dwell: Dwell) -> None:
    """`sendBeacon` sends text, so that browsers do not ask first, and sends cookies along."""
    ann = visitor(dwell)
    body = json.dumps(beat_of(segment(), token=ann.token))
    headers = {"Content-Type": "text/plain;charset=UTF-8"}
    response = ask(visitor(dwell).client, "POST", BEAT, SHOP, data=body, headers=headers)
    assert lets_in(response, SHOP) and response.status_code == 200
    assert len(ann.stored) == 1


# Cookies


def test_cookies_of_a_listed_origin_say_nothing(dwell: Dwell) -> None:
    ann, bea = visitor(dwell), person(dwell).login()
    for client in (ann.client, bea.client):
        response = beat_from(SHOP, client, segment())
        assert refused_by_gate(response)["code"] == "no_session"
        assert lets_in(response, SHOP)
        response = ask(client, "POST", BEAT, SHOP)
        assert refused_by_gate(response)["code"] == "no_session"
    assert ann.stored == []
    assert ann.record["elapsedMs"] == 0


def test_cookies_beside_a_token_say_nothing_either(dwell: Dwell) -> None:
    ann, bea, cat = visitor(dwell), visitor(dwell), person(dwell).login()
    for n, client in enumerate((bea.client, cat.client)):
        response = beat_from(SHOP, client, segment(n=n), token=ann.token)
        assert "token" not in succeeded(response), "whose cookies these are is nobody's business"
        assert set_cookies(response) == {}
    assert [row["n"] for row in ann.stored] == [0, 1]
    assert bea.stored == []
    assert cat.person.sessions() == []


def test_the_gate_gives_a_listed_origin_no_cookie(dwell: Dwell) -> None:
    client = dwell.client()
    succeeded(ask(client, "POST", GATE, SHOP, json={"email": unique_email()}))
    form = ask(client, "POST", GATE, SHOP, data={"email": unique_email()})
    assert set_cookies(form) == {}
    assert list(client.cookies) == []
    assert client.get("/confidential/index.html").status_code != 200


def test_cookies_are_as_good_as_ever_on_the_own_origin(dwell: Dwell) -> None:
    ann = visitor(dwell)
    for headers in ({}, {"Origin": dwell.url, "Sec-Fetch-Site": "same-origin"}):
        response = ann.client.post(BEAT, json=beat_of(segment()), headers=headers)
        assert succeeded(response)["token"]
        assert closed_to(response)
    assert ann.client.get("/confidential/index.html").status_code == 200


# Everything else stays shut


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/auth/login"), ("POST", "/auth/register"), ("POST", "/auth/logout"),
        ("GET", "/auth/logout"), ("GET", "/devices/list"), ("DELETE", "/devices/remove/1"),
        ("GET", "/session/init"), ("POST", "/session/log"), ("POST", "/cronjob/trigger"),
    ],
)  # fmt: skip
def test_a_listed_origin_is_any_other_site_elsewhere(dwell: Dwell, method: str, path: str) -> None:
    ann = person(dwell).login()
    response = ask(ann.client, method, path, SHOP, json=ann.person.given)
    refused(response, 403, "cross_site")
    assert closed_to(response)
    assert len(ann.list()) == 1


def test_a_listed_origin_reads_no_sessions(dwell: Dwell) -> None:
    headers = {"Authorization": f"Bearer {dwell.key()}"}
    response = ask(dwell.client(), "GET", "/api/v1/sessions", SHOP, headers=headers)
    assert closed_to(response)


# Errors are shown to the page too


def test_an_error_is_shown_to_a_listed_origin(dwell: Dwell) -> None:
    ann, client = visitor(dwell), dwell.client()
    beat = beat_of(segment())
    answers = {
        "no session": (400, ask(client, "POST", BEAT, SHOP, json=beat)),
        "no JSON": (400, ask(client, "POST", BEAT, SHOP, data="{")),
        "a wrong segment": (400, beat_from(SHOP, client, segment(n=-1), token=ann.token)),
        "a wrong token": (401, beat_from(SHOP, client, segment(), token=tampered(ann.token))),
        "a wrong method": (405, ask(client, "GET", BEAT, SHOP)),
        "too much": (413, ask(dwell.client(), "POST", BEAT, SHOP, data="x" * 70_000)),
        "a wrong email": (400, ask(client, "POST", GATE, SHOP, json={"email": "x"})),
        "a wrong type": (415, ask(client, "POST", GATE, SHOP, data="x")),
    }
    for what, (status, response) in answers.items():
        assert response.status_code == status, what
        assert lets_in(response, SHOP), what
        assert "origin" in words(response, "Vary"), what


def test_a_page_may_read_when_to_come_back(dwell: Dwell) -> None:
    """Browsers look for what is exposed in the answer itself, not in the one to the preflight."""
    response = beat_from(SHOP, dwell.client(), segment(), token=visitor(dwell).token)
    assert "retry-after" in words(response, "Access-Control-Expose-Headers")


# The setting


@pytest.mark.parametrize("value", WRONG)
def test_a_wrong_origin_is_named(tmp_path: Path, value: str) -> None:
    url = f"sqlite:{tmp_path / 'dwell.sqlite'}"
    try:
        ended = run_dwell(
            "serve", "--port=0", f"--database-url={url}", f"--allowed-origins={value}",
            folder=tmp_path, timeout=60,
        )  # fmt: skip
    except AssertionError:
        pytest.fail(f"serves with {value!r}, which no browser ever sends")
    assert ended.returncode == CONFIGURATION_ERROR
    assert "--allowed-origins" in ended.stderr
    assert "https://" in ended.stderr


@pytest.mark.parametrize(
    "value",
    ["https://A.Example", "https://a.example/", "https://a.example:443", " https://a.example ,"],
)
def test_an_origin_may_be_written_as_people_do(fresh_dwell, value: str) -> None:
    server = fresh_dwell("--allowed-origins", value)
    assert lets_in(preflight(server, BEAT, "https://a.example"), "https://a.example")
    assert closed_to(preflight(server, BEAT, "https://b.example"))
