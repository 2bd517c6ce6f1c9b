"""What must be refused without harm: wrong shapes, wrong sizes, wrong places, wrong ways."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from dwell_process import Dwell, raw_get, raw_http, read_response

from .helpers import (
    beat_of,
    is_private,
    person,
    problem,
    refused,
    refused_by_gate,
    registration,
    segment,
    succeeded,
    visitor,
)

JSON = {"Content-Type": "application/json"}
LOGIN, REGISTER = "/auth/login", "/auth/register"
GATE, BEAT = "/api/verify-temp-access", "/api/session-heartbeat"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
MALFORMED = [
    "", "{", "}", "[", "nonsense", '{"username":}', "{'username':'a'}",
    '{"username":"a" "password":"b"}', '{"username":"a\n"}', '{"username":"\\x"}',
    '{"username":"a"} {"username":"b"}', "\x00", "<user/>", "username=a&password=b",
]  # fmt: skip
NO_OBJECT = ["null", "1", "true", '"text"', "[]", '[{"username":"a"}]']
TOO_LARGE = 2 * 1024 * 1024


@pytest.fixture(autouse=True)
def still_serving(dwell: Dwell) -> Any:
    """Whatever a test sends, the server serves the next one."""
    yield
    assert dwell.is_running
    assert dwell.client().get("/health/live").status_code == 200


# JSON


@pytest.mark.parametrize("body", MALFORMED)
@pytest.mark.parametrize("path", [LOGIN, REGISTER])
def test_malformed_json_is_refused(dwell: Dwell, path: str, body: str) -> None:
    response = dwell.client().post(path, data=body.encode(), headers=JSON)
    refused(response, 400, "malformed_json")
    assert is_private(response)


@pytest.mark.parametrize("body", NO_OBJECT)
@pytest.mark.parametrize("path", [LOGIN, REGISTER])
def test_json_that_is_no_object_is_refused(dwell: Dwell, path: str, body: str) -> None:
    response = dwell.client().post(path, data=body, headers=JSON)
    assert refused(response, 400)["code"] in ("malformed_json", "invalid_field")


@pytest.mark.parametrize("body", [*MALFORMED[1:], *NO_OBJECT])
def test_malformed_json_is_refused_at_the_gate(dwell: Dwell, body: str) -> None:
    refused_by_gate(dwell.client().post(GATE, data=body.encode(), headers=JSON))


@pytest.mark.parametrize("path", [LOGIN, REGISTER])
def test_text_that_is_not_utf_8_is_refused(dwell: Dwell, path: str) -> None:
    body = b'{"username":"\xff\xfe","password":"x"}'
    refused(dwell.client().post(path, data=body, headers=JSON), 400)


@pytest.mark.parametrize("path", [LOGIN, REGISTER, GATE])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_json_that_is_nested_too_deeply_is_refused(
    dwell: Dwell, path: str, opening: str, closing: str
) -> None:
    for depth in (2000, 8000):
        nested = opening * depth + "1" + closing * depth
        for body in (nested, f'{{"username":{nested},"email":{nested}}}', opening * depth):
            response = dwell.client().post(path, data=body, headers=JSON)
            assert response.status_code in (400, 413), response.text


@pytest.mark.parametrize("path", [LOGIN, REGISTER])
def test_a_body_that_is_too_large_is_refused(dwell: Dwell, path: str) -> None:
    body = '{"username":"' + "u" * TOO_LARGE + '"}'
    refused(dwell.client().post(path, data=body, headers=JSON), 413, "body_too_large")


def test_a_body_that_is_too_large_is_refused_at_the_gate(dwell: Dwell) -> None:
    email = "a" * TOO_LARGE
    refused_by_gate(dwell.client().post(GATE, json={"email": email}), 413)
    assert dwell.client().post(GATE, data={"email": email}).status_code == 413


@pytest.mark.parametrize("path", [LOGIN, GATE, BEAT])
def test_a_body_that_only_claims_to_be_enormous_is_refused_without_waiting_for_it(
    dwell: Dwell, path: str
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    if path == BEAT:
        cookie = visitor(dwell).client.cookie("session_record_id")
        head += f"Cookie: session_record_id={cookie}\r\n"
    head += "Content-Length: 99999999999\r\n\r\n{"
    response = raw_http(dwell.host, dwell.port, head.encode(), timeout=10)
    assert response is None or response.status == 413


@pytest.mark.parametrize("path", [LOGIN, REGISTER])
@pytest.mark.parametrize(
    "type", ["text/plain", "application/xml", "image/png", "multipart/form-data"]
)
def test_a_body_of_another_type_is_refused(dwell: Dwell, path: str, type: str) -> None:
    given = '{"username":"a","password":"b"}'
    response = dwell.client().post(path, data=given, headers={"Content-Type": type})
    refused(response, 415, "unsupported_media_type")


def test_unknown_keys_are_ignored(dwell: Dwell) -> None:
    ann = person(dwell, favourite_colour="green", is_verified=True, devices_connected=99)
    assert ann.user["is_verified"] is False
    assert ann.user["devices_connected"] == 0
    ann.login()


# Places and ways that do not exist


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path", ["/auth/nothing", "/auth", "/devices/nothing", "/session/nothing", "/cronjob/nothing"]
)
def test_an_unknown_route_of_accounts(dwell: Dwell, method: str, path: str) -> None:
    refused(dwell.client().request(method, path), 404, "not_found")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/api/nothing", "/api/verify-temp-access/more", "/api"])
def test_an_unknown_route_of_the_gate(dwell: Dwell, method: str, path: str) -> None:
    refused_by_gate(dwell.client().request(method, path), 404)


def test_an_unknown_route_of_the_api(dwell: Dwell) -> None:
    problem(dwell.api("/api/v1/nothing"), 404)
    assert dwell.client().get("/api/v1/nothing").status_code in (401, 404)


@pytest.mark.parametrize("path", ["/nothing", "/nothing.html", "/style.css/nothing", "/a/b/c"])
def test_an_unknown_page_is_not_found_in_html(dwell: Dwell, path: str) -> None:
    response = dwell.client().get(path, headers=BROWSER)
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")


def test_an_unknown_page_is_escaped(dwell: Dwell) -> None:
    response = raw_get(dwell, "/<script>alert(1)</script>?<script>", "Accept: text/html")
    assert response is None or b"<script>alert(1)" not in response.body


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", REGISTER, "POST"),
        ("GET", LOGIN, "POST"),
        ("PUT", LOGIN, "POST"),
        ("DELETE", LOGIN, "POST"),
        ("PATCH", REGISTER, "POST"),
        ("DELETE", "/auth/logout", "GET POST"),
        ("POST", "/devices/list", "GET"),
        ("DELETE", "/devices/list", "GET"),
        ("PUT", "/session/init", "GET POST"),
        ("DELETE", "/session/log", "GET POST"),
        ("DELETE", "/cronjob/trigger", "GET POST"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    dwell: Dwell, method: str, path: str, allowed: str
) -> None:
    response = dwell.client().request(method, path)
    refused(response, 405, "method_not_allowed")
    listed = {one.strip() for one in response.headers["Allow"].split(",")}
    assert set(allowed.split()) <= listed
    assert method not in listed


@pytest.mark.parametrize("path", [GATE, BEAT])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_wrong_method_at_the_gate_is_told_the_right_one(
    dwell: Dwell, method: str, path: str
) -> None:
    response = dwell.client().request(method, path)
    refused_by_gate(response, 405)
    assert "POST" in response.headers["Allow"]


@pytest.mark.parametrize("path", ["/", "/style.css", "/gate"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_page_can_only_be_read(dwell: Dwell, method: str, path: str) -> None:
    response = dwell.client().request(method, path)
    assert response.status_code in (404, 405)


# Files outside the site


OUTSIDE = [
    "/../secret.txt",
    "/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/%2e%2e%2fsecret.txt",
    "/..%2fsecret.txt",
    "/..%5csecret.txt",
    "/..\\secret.txt",
    "/.%2e/secret.txt",
    "/....//secret.txt",
    "/..;/secret.txt",
    "/%252e%252e/secret.txt",
    "/%c0%ae%c0%ae/secret.txt",
    "/%u002e%u002e/secret.txt",
    "/folder/../../secret.txt",
    "/folder/%2e%2e/%2e%2e/secret.txt",
    "/folder/..%2f..%2fsecret.txt",
    "/index.html/../../secret.txt",
    "//../secret.txt",
    "/./../secret.txt",
    "/%00/../../secret.txt",
    "/..%00/secret.txt",
    "../secret.txt",
    "http://localhost/../secret.txt",
    "{absolute}",
    "/{absolute}",
    "/%2f{absolute}",
    "file://{absolute}",
    "/linked.txt",
    "/linked/secret.txt",
]


@pytest.fixture(scope="module")
def fenced(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server whose site lies beside a file that is none of its business."""
    folder = tmp_path_factory.mktemp("fenced")
    (folder / "secret.txt").write_text("OUTSIDE-THE-SITE")
    site = folder / "site"
    (site / "folder").mkdir(parents=True)
    (site / "index.html").write_text("<p>inside</p>")
    (site / "linked.txt").symlink_to(folder / "secret.txt")
    (site / "linked").symlink_to(folder, target_is_directory=True)
    with Dwell(folder, site=site) as server:
        yield server


@pytest.mark.parametrize("target", OUTSIDE)
def test_no_file_outside_the_site_is_served(fenced: Dwell, target: str) -> None:
    secret: Path = fenced.folder / "secret.txt"
    response = raw_get(fenced, target.format(absolute=secret))
    assert response is None or b"OUTSIDE" not in response.body


@pytest.mark.sqlite("looks for the files")
def test_neither_the_database_nor_its_key_is_served(tmp_path: Path) -> None:
    """Not even when both lie in the folder of the site."""
    (tmp_path / "index.html").write_text("<p>inside</p>")
    with Dwell(tmp_path, site=tmp_path) as server:
        assert server.client().get("/").status_code == 200
        for name in ("dwell.sqlite", "dwell.sqlite.key", "dwell.sqlite-wal", "dwell.sqlite-shm"):
            assert server.client().get("/" + name).status_code in (403, 404), name


def test_a_folder_without_an_index_is_not_listed(fenced: Dwell) -> None:
    for path in ("/folder/", "/folder"):
        assert fenced.client().get(path).status_code in (301, 302, 303, 307, 308, 404)


# Requests that are none


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /% HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: five\r\n\r\n",
        b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
        b"Content-Length: 2\r\n\r\n{}",
        b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"zz\r\n{}\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200 + b"\r\n\r\n",
        bytes(range(256)) * 20 + b"\r\n\r\n",
    ],
    ids=lambda value: repr(value)[:48],
)
def test_a_malformed_request_is_refused_without_harm(dwell: Dwell, request_bytes: bytes) -> None:
    response = raw_http(dwell.host, dwell.port, request_bytes)
    assert response is None or 400 <= response.status < 500 or response.status == 505


@pytest.mark.parametrize("size", [20_000, 200_000, 2_000_000])
def test_a_huge_header_is_refused(dwell: Dwell, size: int) -> None:
    response = raw_get(dwell, "/health/live", "X-Huge: " + "x" * size)
    if size > 100_000:
        assert response is None or response.status in (400, 413, 431)


def test_too_many_headers_are_refused(dwell: Dwell) -> None:
    response = raw_get(dwell, "/health/live", *(f"X-{n}: {n}" for n in range(50_000)))
    assert response is None or response.status in (400, 413, 431)


def test_a_huge_address_is_refused(dwell: Dwell) -> None:
    for target in ("/" + "a" * 500_000, "/?" + "a=b&" * 100_000):
        response = raw_get(dwell, target)
        assert response is None or response.status in (400, 404, 413, 414, 431)


@pytest.mark.parametrize(
    "cookie",
    [
        ";", "=", "=;=;=", "token", "token=", "token=;token=", 'token="', "token=%", "a" * 30_000,
        "; ".join(f"c{n}=1" for n in range(500)), "token=a; token=b", "sessionId=\x01",
    ],
    ids=lambda value: repr(value)[:32],
)  # fmt: skip
def test_odd_cookies_do_no_harm(dwell: Dwell, cookie: str) -> None:
    for path, method in (("/devices/list", "GET"), (BEAT, "POST"), ("/confidential/", "GET")):
        length = ["Content-Length: 0"] if method == "POST" else []
        response = raw_get(dwell, path, f"Cookie: {cookie}", *length, method=method)
        assert response is None or 300 <= response.status < 500


@pytest.mark.parametrize(
    "path",
    [
        "/devices/list?a=%zz", "/session/init?videoId=%ff%fe", "/session/init?videoId=%00",
        "/session/init?videoId=a&videoId=b", "/session/init?videoId", "/session/init?&&&=",
    ],
)  # fmt: skip
def test_odd_queries_do_no_harm(dwell: Dwell, path: str) -> None:
    token = person(dwell).login().token
    response = raw_get(dwell, path, f"Cookie: token={token}")
    assert response is not None and response.status < 500


@pytest.mark.parametrize(
    "body",
    [
        b"email",
        b"=",
        b"&&&",
        b"email=%",
        b"email=%zz",
        b"email=%ff",
        b"email=a&email=b",
        b"%",
        b"\xff",
    ],
)
def test_odd_forms_are_refused(dwell: Dwell, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert dwell.client().post(GATE, data=body, headers=headers).status_code == 400


def test_two_requests_in_one_go_get_two_answers(dwell: Dwell) -> None:
    one = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection((dwell.host, dwell.port), timeout=15) as connection:
        connection.sendall(one + one)
        received = b""
        while received.count(b"HTTP/1.1 200") < 2:
            more = connection.recv(65536)
            assert more, "the connection was closed too early"
            received += more


# Errors give nothing away


@pytest.mark.parametrize(
    "words", [("sqlite", "grdb", "select ", "insert "), (".swift", "swift.", "/sources/", "fatal")]
)
def test_an_error_gives_nothing_of_the_inside_away(dwell: Dwell, words: tuple[str, ...]) -> None:
    ann = person(dwell).login()
    answers = [
        dwell.client().post(REGISTER, json=registration(username="a\x00'\"")),
        dwell.client().post(LOGIN, data=b"{", headers=JSON),
        dwell.client().post(LOGIN, json={"username": 1, "password": []}),
        dwell.client().post(BEAT, json=beat_of(segment())),
        visitor(dwell).beat(segment(n="x")),
        ann.client.delete("/devices/remove/x'y"),
        ann.client.forge("sessionId", "x").forge("initTime", "y").get("/session/log"),
        dwell.api(cursor="x"),
        dwell.client().get("/nothing"),
    ]
    for answer in answers:
        assert answer.status_code < 500, answer.text
        assert not [word for word in words if word in answer.text.lower()], answer.text
        assert "hummingbird" not in str(answer.headers).lower()


# Clients that do not go on


@pytest.mark.slow
@pytest.mark.sqlite("connections, whatever the store")
def test_idle_and_slow_connections_are_closed(dwell: Dwell) -> None:
    """Within 90 seconds: how soon exactly is the server's affair."""
    sent = {
        "nothing": b"",
        "half a head": b"GET / HTTP/1.1\r\nHost: local",
        "half a body": b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        "a whole request": b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
    }
    deadline = time.monotonic() + 90
    connections = {}
    for how, data in sent.items():
        connections[how] = socket.create_connection((dwell.host, dwell.port))
        connections[how].sendall(data)
    try:
        for how, connection in connections.items():
            while True:
                connection.settimeout(max(deadline - time.monotonic(), 0.01))
                try:
                    if not connection.recv(65536):
                        break
                except ConnectionResetError:
                    break
                except TimeoutError:
                    pytest.fail(f"a client that sends {how} is kept for ever")
    finally:
        for connection in connections.values():
            connection.close()


def test_a_client_that_goes_away_does_no_harm(dwell: Dwell) -> None:
    for data in (b"GET /", b"POST /auth/login HTTP/1.1\r\nContent-Length: 50\r\n\r\n{"):
        for _ in range(50):
            with socket.create_connection((dwell.host, dwell.port), timeout=15) as connection:
                connection.sendall(data)


def test_a_connection_is_kept_open_for_the_next_request(dwell: Dwell) -> None:
    request = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection((dwell.host, dwell.port), timeout=15) as connection:
        for _ in range(3):
            connection.sendall(request)
            response = read_response(connection)
            assert response is not None and response.status == 200


def test_the_server_survived_all_of_this(dwell: Dwell) -> None:
    assert succeeded(visitor(dwell).beat())["success"] is True
    assert "Fatal error" not in dwell.logs
