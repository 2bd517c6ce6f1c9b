"""Every route's headers, cookies and methods, and what other sites may ask: lines 8, 9, 10 and 15 of what Dwell must
withstand. The routes are those of the table in `Routes.swift`, which is compared with the code."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest
import requests

from dwell_process import REPOSITORY, Client, Dwell, eventually, raw_http, read_response
from mail_server import MailServer

from .helpers import (
    BEAT,
    CROSS_SITE,
    FIREFOX,
    ROUTED_BEAT,
    SECRET,
    beat_of,
    enter,
    person,
    refused,
    registration,
    segment,
    set_cookies,
    succeeded,
    visitor,
)

SOURCES = REPOSITORY / "Sources" / "DwellServer"
UNKNOWN = "0a75f4c5-71ae-47e8-b14d-52fc7595b693"
HTTPS = "https://course.example"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
#: What only shows something may be asked for from anywhere: by a link in a mail, or from another page.
SHOWN = (
    "/gate", "/gate/code", "/gate/check", "/auth/password/forgot", "/auth/password/reset", "/auth/email/verify",
    "/dashboard", "/dashboard/overview", "/dashboard/sessions", "/dashboard/sessions/{id}", "/dashboard/person",
    "/dashboard/videos", "/dashboard/video", "/dashboard/devices", "/dashboard/audit", "/dashboard/settings",
    "/dashboard/people", "/dashboard/gates", "/dashboard/gate", "/dashboard/webhooks", "/dashboard/live",
    "/dashboard/sign-in", "/dashboard/setup", "/dashboard/**",
)  # fmt: skip
ASSETS = (
    "/dwell.js", "/dwell-code.js", "/dwell.d.ts", "/dwell.css", "/dashboard/style.css", "/dashboard/live.js",
    "/dashboard/setup.js", "/dashboard/icon.svg", "/api/v1/openapi.json", "/api/v1/docs/style.css",
)  # fmt: skip
#: Cookies that the page's script reads.
READ_BY_SCRIPT = {"session_record_id"}

direct = pytest.mark.one_node("a proxy has its own way with connections")


@cache
def paths() -> list[str]:
    """Every path of the table, with something in place of what varies."""
    table = [line for line in (SOURCES / "App/Routes.swift").read_text().splitlines() if line.startswith("/// | `")]
    found = [path for line in table for path in re.findall(r"`(/[^`]*)`", line.split("|")[1])]
    assert len(found) > 25
    return [path for path in found if path != "/"]


def filled(path: str) -> str:
    return path.replace("{id}", UNKNOWN if path.startswith("/devices") else "1")


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, mails: MailServer) -> Iterator[Dwell]:
    """A server that people reach by https, with everything set up."""
    env = {**mails.env, "DWELL_SECRET_KEY": SECRET, "DWELL_CRON_ACCESS_KEY": "a key for the trigger"}
    folder = tmp_path_factory.mktemp("secure")
    (folder / "dwell.yaml").write_text("gates:\n  - name: board\n    paths: [/board]\n    level: verified\n")
    limits = ("--device-policy", "ask", "--device-limit", "1", "--viewing-limit", "1")
    server = Dwell(folder, "--public-url", HTTPS, "--config", "dwell.yaml", *limits, env=env).start()
    yield server
    server.discard()


def methods(server: Dwell, path: str) -> list[str]:
    """What a route says that it takes."""
    response = server.client().request("PROPFIND", filled(path))
    assert response.status_code == 405, (path, response.status_code)
    return [one for one in response.headers["Allow"].split(", ") if one != "HEAD"]


def ask(server: Dwell, method: str, path: str, **headers: str) -> requests.Response:
    return server.client().request(method, filled(path), headers=headers)


def test_security_10_the_table_of_routes_is_whole() -> None:
    code = "\n".join(file.read_text() for file in SOURCES.rglob("*.swift"))
    made = set(re.findall(r"\.(?:get|post|put|patch|delete|head)\(\s*\"(/[^\"]+)\"", code))
    # Some have their path from a name.
    made |= {"/api/session-heartbeat", "/api/viewing/take"} | set(re.findall(r"^\s+\(\"(/(?:dwell|dashboard/)[^\"]+)\"", code, re.MULTILINE))
    # Metrics have an address of their own.
    assert made - {"/metrics"} == set(paths())


@pytest.mark.parametrize("path", paths())
def test_security_10_every_answer_of_every_route_has_the_headers(secure: Dwell, path: str) -> None:
    answers = [ask(secure, method, path) for method in [*METHODS, "HEAD"]]
    answers.append(ask(secure, "POST", path, **CROSS_SITE))
    answers.append(secure.client().post(filled(path), json={}))
    for answer in answers:
        headers = answer.headers
        assert answer.status_code < 500, answer.text
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert int(headers["Strict-Transport-Security"].removeprefix("max-age=")) >= 31_536_000
        if path in ASSETS and answer.status_code == 200:
            assert headers["Cache-Control"] == "no-cache"
            continue
        assert "no-store" in headers["Cache-Control"], (answer.request.method, answer.status_code)
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert re.search(r"default-src '(self|none)'", policy)
        assert "unsafe" not in policy


def test_security_10_heartbeats_have_the_same_headers_on_both_ways(secure: Dwell) -> None:
    guest = visitor(secure)
    names = []
    for path in (BEAT, ROUTED_BEAT):
        for body in (beat_of(segment()), {"v": 9}):
            # The cookie is for https alone.
            cookie = {"Cookie": f"session_record_id={guest.client.cookie('session_record_id')}"}
            response = secure.client().post(path, json=body, headers=cookie)
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
            assert "Strict-Transport-Security" in response.headers
            names.append(sorted(name.lower() for name in response.headers))
    assert names[0] == names[2] and names[1] == names[3]


def test_security_10_without_https_nothing_is_said_of_it(dwell: Dwell) -> None:
    assert "Strict-Transport-Security" not in dwell.client().get("/health/live").headers


def test_security_10_confidential_pages_are_kept_by_no_cache(dwell: Dwell) -> None:
    guest = visitor(dwell)
    for client in (guest.client, dwell.client()):
        response = client.get("/confidential/index.html")
        assert response.headers["Cache-Control"] == "private, no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", paths())
def test_security_10_every_other_method_is_refused(secure: Dwell, path: str) -> None:
    allowed = methods(secure, path)
    assert allowed
    for method in set(METHODS) - set(allowed):
        response = ask(secure, method, path)
        assert response.status_code == 405, (method, response.status_code)
        assert set(response.headers["Allow"].split(", ")) - {"HEAD"} == set(allowed)
    for method in allowed:
        assert ask(secure, method, path).status_code not in (404, 405) or "{id}" in path


@pytest.mark.parametrize("path", paths())
def test_security_10_no_redirect_and_no_page_tells_a_secret(secure: Dwell, path: str) -> None:
    """In an address it would be in histories, logs and the Referer."""
    for answer in (ask(secure, "GET", path), secure.client().post(filled(path), data={"email": "ann@example.org"})):
        told = [answer.headers.get("Location", ""), *re.findall(r"(?:href|action|src)=\"([^\"]*)", answer.text)]
        for address in told:
            assert not re.search(r"token|key|[0-9a-f]{32}|eyJ", address), address


# 9. Other sites


@pytest.mark.parametrize(
    "headers",
    [
        CROSS_SITE, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"{HTTPS}.evil.example"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {**CROSS_SITE, "Origin": HTTPS},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("path", paths())
def test_security_9_no_route_changes_anything_for_another_site(
    secure: Dwell, path: str, headers: dict[str, str]
) -> None:
    for method in methods(secure, path):
        response = ask(secure, method, path, **headers)
        # What a person's cookie opens is for the site's own pages.
        is_open = path.startswith(("/api/v1/", "/health/")) and not path.endswith("/progress")
        if method == "GET" and (path in (*SHOWN, *ASSETS) or is_open):
            assert response.status_code != 403
            continue
        assert response.status_code == 403, (method, response.text)
        if path.startswith("/dashboard"):
            assert "from another site" in response.text  # People are told by a page.
        else:
            assert response.json()["code"] == "cross_site"
        assert not set_cookies(response)


def test_security_9_own_pages_and_programs_are_let_through(secure: Dwell) -> None:
    for headers in ({}, {"Origin": HTTPS}, {"Origin": HTTPS, "Sec-Fetch-Site": "same-origin"}):
        refused(secure.client().post("/auth/login", json={}, headers=headers), 400, "invalid_field")


def test_security_9_another_site_logs_nobody_in_and_nobody_out(dwell: Dwell) -> None:
    ann = person(dwell)
    device = ann.login()
    evil = {"Origin": "https://evil.example"}
    for headers in (CROSS_SITE, evil):
        for method in ("GET", "POST"):
            refused(device.client.request(method, "/auth/logout", headers=headers), 403, "cross_site")
        client = dwell.client(FIREFOX)
        given = {"username": ann.username, "password": ann.given["password"]}
        refused(client.post("/auth/login", json=given, headers=headers), 403, "cross_site")
        made = registration()
        refused(dwell.client().post("/auth/register", json=made, headers=headers), 403, "cross_site")
        refused(dwell.client().post("/auth/login", json=made), 401)
    assert [one["id"] for one in device.list()] == [device.id]


# 8. Cookies


def life(server: Dwell, mails: MailServer) -> dict[str, list[requests.Response]]:
    """Every way to a cookie, by what it is called."""
    ann = person(server)
    client = server.client(FIREFOX)

    def over_https(response: requests.Response) -> None:
        for name, cookie in set_cookies(response).items():
            client.forge(name, cookie.value)

    login = ann.try_login(client)
    over_https(login)
    init = client.get("/session/init")
    send = client.post("/auth/email/send")
    other = server.client(FIREFOX)
    refusal = ann.try_login(other)
    other.forge("dwell_browser", set_cookies(refusal)["dwell_browser"].value)
    given = {"ticket": refusal.json()["ticket"], "deviceId": login.json()["thisDevice"]["id"]}
    replaced = other.post("/devices/replace", json=given)
    other.forge("token", set_cookies(replaced)["token"].value)
    return {
        "registration": [server.client().post("/auth/register", json=registration())],
        "login": [login, replaced], "refusal": [refusal], "session": [init], "verification": [send],
        "gate": [enter(server.client(), "ann@example.org"), enter(server.client(), "ann@example.org", form=True)],
        "gate code": [
            server.client().post("/api/verify-temp-access", json={"email": "ann@example.org", "gate": "board"})
        ],
        "reset": [server.client().post("/auth/password/forgot", json={"email": "ann@example.org"})],
        "logout": [other.get("/auth/logout")],
    }  # fmt: skip


def test_security_8_every_cookie_is_for_this_site_and_kept_from_scripts(secure: Dwell, mails: MailServer) -> None:
    seen: set[str] = set()
    for way, answers in life(secure, mails).items():
        for answer in answers:
            cookies = set_cookies(answer)
            assert cookies, (way, answer.status_code, answer.text)
            for name, cookie in cookies.items():
                is_read = name in READ_BY_SCRIPT and cookie["max-age"] != "0"
                assert bool(cookie["httponly"]) is not is_read, (way, name)
                assert cookie["secure"] and cookie["path"] == "/" and not cookie["domain"], (way, name)
                assert cookie["samesite"] in ("Lax", "Strict"), (way, name)
                assert 0 <= int(cookie["max-age"]) <= 400 * 86_400, (way, name)
            seen |= set(cookies)
    code = (SOURCES / "HTTP/CookieMaker.swift").read_text()
    named = set(re.findall(r"CookieName\(rawValue: \"(\w+)", code))
    # The operators' is for the dashboard alone: test_operators.py.
    assert seen == named - {"dwell_operator"}


def test_security_8_over_plain_http_cookies_are_not_secure_only(dwell: Dwell) -> None:
    cookies = set_cookies(enter(dwell.client(), "ann@example.org"))
    assert not any(cookie["secure"] for cookie in cookies.values())


# 15. Sizes, depths, and connections


def bodies(server: Dwell) -> list[tuple[str, str]]:
    return [(path, method) for path in paths() for method in methods(server, path) if method != "GET"]


NO_BODY = (
    "/auth/logout", "/devices/remove", "/session/", "/cronjob/", "/auth/email/send", "/dashboard/sign-out",
    # Not before it is known who asks: test_webhooks.py, test_rights.py.
    "/api/v1/webhooks", "/dashboard/webhooks/replay", "/api/v1/viewers", "/dashboard/person/", "/dashboard/gate/",
)  # fmt: skip
#: What takes forms alone.
FORMS = ("/dashboard/sign-in", "/dashboard/setup")


def test_security_15_a_body_that_is_too_large_is_refused_on_every_route(secure: Dwell) -> None:
    tried = 0
    client = logged_in(secure)
    for path, method in bodies(secure):
        for body in (b'{"a":"' + b"x" * 70_000 + b'"}', b"x" * 70_000):
            kind = "x-www-form-urlencoded" if path in FORMS else "json"
            headers = {"Content-Type": f"application/{kind}"}
            response = asking(path, secure, client).request(method, filled(path), data=body, headers=headers)
            if path.startswith(NO_BODY):
                assert response.status_code < 500  # It is not read.
            else:
                assert response.status_code == 413, (path, response.status_code)
                tried += 1
    assert tried >= 16


def test_security_15_json_that_is_nested_too_deeply_is_refused_on_every_route(secure: Dwell) -> None:
    client = logged_in(secure)
    for path, method in bodies(secure):
        for bomb in ("[" * 30_000, '{"a":' * 10_000, "[" * 15_000 + "]" * 15_000):
            headers = {"Content-Type": "application/json"}
            response = asking(path, secure, client).request(method, filled(path), data=bomb, headers=headers)
            assert response.status_code < 500, path
            if not path.startswith(NO_BODY):
                assert response.status_code == (415 if path in FORMS else 400), (path, response.status_code)
    assert secure.is_running


def asking(path: str, server: Dwell, client: Client) -> Client:
    """A client that gets as far as the body, where one is read; others would log it out."""
    return server.client() if path.startswith(NO_BODY) else client.twin()


def logged_in(server: Dwell) -> Client:
    """A client with a login, though its cookies are for https alone."""
    response = person(server).try_login()
    return server.client(FIREFOX).forge("token", set_cookies(response)["token"].value)


@direct
@pytest.mark.parametrize("path", ["/health/live", BEAT, ROUTED_BEAT, "/auth/login", "/gate"])
@pytest.mark.parametrize(
    "header",
    ["X-Large: " + "x" * 100_000, "Cookie: " + "a=b; " * 20_000, "\r\n".join(f"X-{n}: {n}" for n in range(1100))],
    ids=["header", "cookie", "count"],
)
def test_security_15_headers_and_cookies_have_limits(dwell: Dwell, path: str, header: str) -> None:
    request = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n{header}\r\n\r\n"
    response = raw_http(dwell.host, dwell.port, request.encode())
    assert response is None or response.status in (400, 413, 431)
    assert dwell.client().get("/health/live").status_code == 200


@direct
@pytest.mark.parametrize("path", [BEAT, ROUTED_BEAT, "/auth/login", "/auth/register"])
@pytest.mark.parametrize("how", ["length", "chunks"])
def test_security_15_a_body_that_is_cut_off_is_the_clients_fault(dwell: Dwell, path: str, how: str) -> None:
    size = "Content-Length: 50" if how == "length" else "Transfer-Encoding: chunked"
    start = b'{"a"' if how == "length" else b'32\r\n{"a"'
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{size}\r\n\r\n"
    with socket.create_connection((dwell.host, dwell.port), timeout=15) as connection:
        connection.sendall(head.encode() + start)
        connection.shutdown(socket.SHUT_WR)
        response = read_response(connection)
    assert response is None or response.status == 400
    assert "request failed" not in dwell.logs


@direct
@pytest.mark.parametrize("path", ["/health/live", "/gate", "/nothing"])
@pytest.mark.parametrize(
    ("version", "header"),
    [("1.0", "Accept: */*"), ("1.1", "Connection: Close"), ("1.1", "Connection: close"), ("1.1", "connection: x, CLOSE")],
)
def test_security_15_a_connection_ends_with_the_answer_when_the_client_says_so(
    dwell: Dwell, path: str, version: str, header: str
) -> None:
    with socket.create_connection((dwell.host, dwell.port), timeout=15) as connection:
        connection.sendall(f"GET {path} HTTP/{version}\r\nHost: localhost\r\n{header}\r\n\r\n".encode())
        response = read_response(connection)
        assert response is not None and response.status < 500
        assert connection.recv(1) == b""


@pytest.mark.slow
@pytest.mark.sqlite("connections, whatever the store")
def test_security_15_a_client_that_drips_is_let_go(dwell: Dwell) -> None:
    """Within 90 seconds, though it never stands still; see also test_bad_input.py."""
    with ThreadPoolExecutor() as clients:
        lasted = clients.map(lambda path: drips(dwell, path), [BEAT, ROUTED_BEAT, "/auth/login"])
        assert min(lasted) > 20, "slow is not yet too slow"
    eventually(lambda: dwell.client().get("/health/live").status_code == 200)


def drips(dwell: Dwell, path: str) -> float:
    """Sends a byte of a body each second until the server has had enough, and tells for how long."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
    ended = threading.Event()
    with socket.create_connection((dwell.host, dwell.port), timeout=90) as connection:
        connection.sendall(head.encode())

        def drip() -> None:
            while not ended.wait(1):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        began = time.monotonic()
        try:
            assert connection.recv(65536) == b"" or connection.recv(1) == b""
        except ConnectionResetError:
            pass
        finally:
            ended.set()
            dripping.join()
        return time.monotonic() - began
