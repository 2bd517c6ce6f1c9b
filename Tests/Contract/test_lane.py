"""Heartbeats have a way of their own through the server: it answers as the router does, whatever a connection does."""

from __future__ import annotations

import http.client
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dwell_process import Dwell, RawResponse, eventually, raw_http

from .helpers import (
    BEAT,
    ROUTED_BEAT,
    Visitor,
    await_removal,
    beat_of,
    person,
    segment,
    succeeded,
    tampered,
    visitor,
)

SHOP = "https://shop.example"
PATIENCE = 15
ASK = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"

direct = pytest.mark.one_node("a proxy has its own way with connections")


@pytest.fixture(scope="module")
def dwell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dwell]:
    with Dwell(tmp_path_factory.mktemp("lane"), "--allowed-origins", SHOP) as server:
        yield server


def request(
    *headers: str, body: bytes | dict[str, Any] = b"", target: str = BEAT, version: str = "1.1"
) -> bytes:
    """A heartbeat as it stands on the wire; its length is told unless a header says how it comes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"POST {target} HTTP/{version}", "Host: localhost", *headers]
    if not any(line.startswith("Transfer-Encoding") for line in headers):
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


def cookie_of(guest: Visitor) -> str:
    return f"Cookie: session_record_id={guest.client.cookie('session_record_id')}"


class Connection:
    """A connection that a client keeps, and on which it may send before it has read."""

    def __init__(self, server: Dwell) -> None:
        self.socket = socket.create_connection((server.host, server.port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def reset(self) -> None:
        """Goes away without a farewell."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def send(self, *requests: bytes) -> None:
        self.socket.sendall(b"".join(requests))

    def say_no_more(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def answer(self) -> RawResponse:
        line = self.file.readline()
        assert line, "closed without an answer"
        headers = http.client.parse_headers(self.file)
        body = self.file.read(int(headers["Content-Length"]))
        return RawResponse(int(line.split()[1]), headers, body)

    def is_at_its_end(self) -> bool:
        return self.file.read(1) == b""


def let_be_read(connections: list[Connection]) -> None:
    """Returns when the server has read what was sent before on other connections: it reads in the order of coming."""
    for connection in connections:
        connection.send(ASK)
    for connection in connections:
        assert connection.answer().status == 200


def open_connections(server: Dwell, count: int = 16) -> list[Connection]:
    """Connections that the server has taken up, enough for each of its threads to have some."""
    connections = [Connection(server) for _ in range(count)]
    let_be_read(connections)
    return connections


def stored(guest: Visitor) -> list[int]:
    return [row["n"] for row in guest.stored]


# The same answers as the router's


def with_cookie(server: Dwell) -> list[str]:
    return [cookie_of(visitor(server))]


def with_login(server: Dwell, *cookies: str) -> list[str]:
    return [f"Cookie: {'; '.join([f'token={person(server).login().token}', *cookies])}"]


def with_removed_login(server: Dwell) -> list[str]:
    ann = person(server).login()
    token = ann.token
    succeeded(ann.client.post(BEAT))
    succeeded(ann.client.get("/auth/logout"))
    await_removal(server)
    return [f"Cookie: token={token}"]


def with_bearer(server: Dwell) -> list[str]:
    return [f"Authorization: Bearer {visitor(server).token}"]


def with_two(server: Dwell) -> list[str]:
    """The token of one, and cookies of another."""
    return [*with_bearer(server), *with_cookie(server)]


def own_origin(server: Dwell) -> list[str]:
    host = f"{server.host}:{server.port}"
    return ["Sec-Fetch-Site: same-origin", f"Origin: http://{host}", f"X-Host: {host}"]


WHO: dict[str, Callable[[Dwell], list[str]]] = {
    "nobody": lambda server: [],
    "a guest": with_cookie,
    "a guest among other cookies": lambda server: [
        f"Cookie: a=b; x; {cookie_of(visitor(server))[8:]}; session_record_id=second"
    ],
    "a guest with a comma": lambda server: [cookie_of(visitor(server)) + ", a=b"],
    "a guest in two headers": lambda server: ["Cookie: a=b", *with_cookie(server)],
    "a forged cookie": lambda server: [tampered(cookie_of(visitor(server)), at=20)],
    "cookies that are none": lambda server: ["Cookie: ;; =; session_record_id; token=;"],
    "a cookie with an equals sign": lambda server: ["Cookie: session_record_id==x; token==y"],
    "a login": with_login,
    "a login with an entry that is not its own": lambda server: with_login(server, "sessionId=1"),
    "a login with an entry that is none": lambda server: with_login(server, "sessionId=x"),
    "a forged login": lambda server: [tampered(with_login(server)[0], at=60)],
    "a login that was removed": with_removed_login,
    "a bearer": with_bearer,
    "a bearer in other letters": lambda server: [
        f"authorization: bEARER  {visitor(server).token} "
    ],
    "another scheme": lambda server: ["Authorization: Basic YTpi"],
    "a forged bearer": lambda server: [tampered(with_bearer(server)[0])],
    "two bearers": lambda server: with_bearer(server) + with_bearer(server),
    "a bearer beside other cookies": with_two,
    "a bearer beside a login": lambda server: with_bearer(server) + with_login(server),
}
WHENCE: dict[str, Callable[[Dwell], list[str]]] = {
    "nowhere": lambda server: [],
    "here": lambda server: ["Origin: http://localhost", "Sec-Fetch-Site: same-origin"],
    "here under https": lambda server: ["Origin: https://localhost"],
    "here in capitals": lambda server: ["Origin: http://LOCALHOST"],
    "another port": lambda server: ["Origin: http://localhost:81"],
    "a listed origin": lambda server: [f"Origin: {SHOP}", "Sec-Fetch-Site: cross-site"],
    "another origin": lambda server: ["Origin: https://evil.example"],
    "another site": lambda server: ["Sec-Fetch-Site: cross-site"],
    "a sandbox": lambda server: ["Origin: null"],
    "an empty origin": lambda server: ["Origin:"],
}
NOW = beat_of()["sentAt"]
WHAT: dict[str, bytes | dict[str, Any]] = {
    "nothing": b"",
    "a segment": beat_of(segment(n=1)),
    "no segment": beat_of(),
    "a wrong segment": beat_of(segment(n=-1)),
    "a wrong segment among others": beat_of(segment(n=1), segment(n=-1), segment(n=2, page=7)),
    "a wrong version": beat_of(segment(), v=2),
    "a wrong token": beat_of(segment(), token="x"),
    "an interval": beat_of(segment(), interval=20_000),
    "no JSON": b"{",
    "no object": b"[1]",
    "no UTF-8": b'{"v":1,"sentAt":1,"segments":[{"tab":"\xff"}]}',
    "much": beat_of(*(segment(n=n) for n in range(200))),
    "too much": b"x" * 70_000,
    "too many": beat_of(*([{}] * 501)),
}


def shown(response: RawResponse | None) -> tuple[int, list[tuple[str, str]], Any]:
    """An answer without what differs from one moment to the next."""
    assert response is not None
    # A cookie's attributes stand in no order.
    headers = sorted(
        (name.lower(), "; ".join(sorted(value.split("; "))) if name == "Set-Cookie" else value)
        for name, value in response.headers.items()
    )
    body = json.loads(response.body)
    for name in ("time", "token"):
        if name in body:
            body[name] = len(str(body[name]))
    dates = [value for name, value in headers if name == "date"]
    assert [re.sub(r"\d", "0", date)[3:8] for date in dates] == [", 00 "], dates
    return response.status, [header for header in headers if header[0] != "date"], body


def ask_both(server: Dwell, headers: list[str], body: bytes | dict[str, Any]) -> list[Any]:
    # Twice by the lane: what a login needs it knows from the second time on.
    return [
        shown(raw_http(server.host, server.port, request(*headers, body=body, target=target)))
        for target in (BEAT, ROUTED_BEAT, BEAT)
    ]


@direct
@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("who", WHO)
def test_both_ways_answer_the_same(dwell: Dwell, who: str, what: str) -> None:
    first, routed, again = ask_both(dwell, WHO[who](dwell), WHAT[what])
    assert first == routed == again


@pytest.mark.parametrize("who", ["nobody", "a guest", "a login", "a bearer"])
@pytest.mark.parametrize("whence", WHENCE)
def test_both_ways_tell_their_own_pages_from_others(dwell: Dwell, whence: str, who: str) -> None:
    for body in (b"", beat_of(segment())):
        first, routed, again = ask_both(dwell, WHENCE[whence](dwell) + WHO[who](dwell), body)
        assert first == routed == again


REFERERS = [
    "http://localhost/portfolio", "http://localhost", "http://localhost/a%20b?c#d", "localhost",
    "http://localhost:99/p", "http://other/p", "http://localhost/gr%C3%BC%C3%9Fe", "http://[", "/p",
    "http://localhost/" + "p" * 2047, "http://localhost/" + "p" * 2048, "http://localhost/a b",
]  # fmt: skip


@pytest.mark.parametrize("referer", REFERERS, ids=lambda referer: referer[:30])
def test_both_ways_find_the_same_page(dwell: Dwell, referer: str) -> None:
    pages = []
    for target in (BEAT, ROUTED_BEAT):
        ann = visitor(dwell)
        sent = request(cookie_of(ann), f"Referer: {referer}", target=target)
        response = raw_http(dwell.host, dwell.port, sent)
        assert response is not None and response.status == 200
        pages.append([segment["page"] for segment in ann.evidence["segments"]])
    assert len(pages[0]) == 1
    assert pages[0] == pages[1]


# One connection, many requests


@direct
def test_a_connection_is_kept_for_the_next_beat(dwell: Dwell) -> None:
    ann = visitor(dwell)
    with Connection(dwell) as connection:
        for n in range(5):
            connection.send(request(cookie_of(ann), body=beat_of(segment(n=n))))
            assert connection.answer().status == 200
            connection.send(ASK)
            assert connection.answer().status == 200
    assert stored(ann) == [0, 1, 2, 3, 4]


@direct
def test_what_is_sent_in_one_go_is_answered_in_its_order(dwell: Dwell) -> None:
    ann = visitor(dwell)
    idle = segment(n=2, attention="idle")
    # Checking a password takes long: what comes behind must not overtake.
    login = json.dumps({"username": person(dwell).username, "password": "x" * 20}).encode()
    slow = (
        b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(login), login)
    )
    sent = [
        (request(cookie_of(ann), body=beat_of(segment(n=1))), 200, b'"interval":5000'),
        (request(), 400, b"no_session"),
        (ASK, 200, b""),
        (request(cookie_of(ann), body=beat_of(idle)), 200, b'"interval":360000'),
        (slow, 401, b"wrong_credentials"),
        (request(cookie_of(ann)), 200, b'"interval":180000'),
        (request(cookie_of(ann), body=b"{"), 400, b"malformed_json"),
        (request(cookie_of(ann), body=b"x" * 70_000), 413, b"body_too_large"),
        (request(cookie_of(ann), body=beat_of(segment(n=3))), 200, b'"interval":5000'),
    ]
    with Connection(dwell) as connection:
        connection.send(*(one for one, _, _ in sent))
        for n, (_, status, words) in enumerate(sent):
            response = connection.answer()
            assert response.status == status, n
            assert words in response.body, n
    assert [n for n in stored(ann) if n > 0] == [1, 2, 3]


@direct
def test_a_thousand_beats_in_one_go_are_all_answered(dwell: Dwell) -> None:
    ann = visitor(dwell)
    beats = [request(cookie_of(ann), body=beat_of(segment(n=n))) for n in range(1000)]
    with Connection(dwell) as connection:
        sending = threading.Thread(target=connection.send, args=beats)
        sending.start()
        assert [connection.answer().status for _ in range(1000)] == [200] * 1000
        sending.join(PATIENCE)
    assert stored(ann) == list(range(1000))


@direct
def test_a_client_that_reads_no_answers_is_read_no_further_until_it_does(dwell: Dwell) -> None:
    one, limit = request(), 500_000
    with Connection(dwell) as connection:
        connection.socket.settimeout(1)
        count, left = 0, one
        try:
            while count < limit:
                left = left[connection.socket.send(left) :]
                if not left:
                    count, left = count + 1, one
        except TimeoutError:
            pass
        assert 0 < count < limit, "it is read on and on"
        connection.socket.settimeout(PATIENCE)
        sending = threading.Thread(target=connection.send, args=[left])
        sending.start()
        assert {connection.answer().status for _ in range(count + 1)} == {400}
        sending.join(PATIENCE)


# Connections that end


@direct
@pytest.mark.parametrize(
    ("version", "header"),
    [("1.1", "Connection: close"), ("1.0", "Connection: close"), ("1.0", "Accept: */*")],
)
@pytest.mark.parametrize("body", [b"", b"{"], ids=["stored", "refused"])
def test_a_connection_ends_with_the_answer_when_the_client_says_so(
    dwell: Dwell, version: str, header: str, body: bytes
) -> None:
    ann = visitor(dwell)
    with Connection(dwell) as connection:
        connection.send(request(cookie_of(ann), header, body=body, version=version))
        assert connection.answer().status == (400 if body else 200)
        assert connection.is_at_its_end()


@direct
def test_an_old_client_may_keep_its_connection(dwell: Dwell) -> None:
    ann = visitor(dwell)
    with Connection(dwell) as connection:
        for _ in range(2):
            connection.send(request(cookie_of(ann), "Connection: keep-alive", version="1.0"))
            assert connection.answer().status == 200


@direct
@pytest.mark.parametrize("count", [1, 3])
def test_a_client_that_has_said_all_is_still_answered(dwell: Dwell, count: int) -> None:
    ann = visitor(dwell)
    with Connection(dwell) as connection:
        for n in range(count):
            connection.send(request(cookie_of(ann), body=beat_of(segment(n=n))))
        connection.say_no_more()
        assert [connection.answer().status for _ in range(count)] == [200] * count
        assert connection.is_at_its_end()
    assert stored(ann) == list(range(count))


@direct
@pytest.mark.parametrize("leave", [Connection.close, Connection.reset])
def test_a_beat_is_stored_though_its_client_has_gone(
    fresh_dwell: Any, leave: Callable[[Connection], None]
) -> None:
    server = fresh_dwell()
    ann = visitor(server)
    connections, others = open_connections(server), open_connections(server)
    with server.store.locked():
        for n, connection in enumerate(connections):
            connection.send(request(cookie_of(ann), body=beat_of(segment(n=n))))
        let_be_read(others)
        for connection in connections:
            leave(connection)
        let_be_read(others)
    eventually(lambda: stored(ann) == list(range(16)), what="every beat stored")
    let_be_read(others)
    for connection in others:
        connection.close()


# Bodies that come in their own way


@direct
def test_a_body_may_come_byte_by_byte(dwell: Dwell) -> None:
    ann = visitor(dwell)
    with Connection(dwell) as connection:
        sent = request(cookie_of(ann), body=beat_of(segment(n=4)))
        for at in range(len(sent)):
            connection.send(sent[at : at + 1])
        assert connection.answer().status == 200
    assert stored(ann) == [4]


@direct
@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"0\r\nX-Trailer: 1\r\n\r\n"])
def test_a_body_may_come_in_chunks(dwell: Dwell, end: bytes) -> None:
    ann = visitor(dwell)
    body = json.dumps(beat_of(segment(n=6))).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + end
    with Connection(dwell) as connection:
        connection.send(request(cookie_of(ann), "Transfer-Encoding: chunked", body=chunks), ASK)
        assert connection.answer().status == 200
        assert connection.answer().status == 200
    assert stored(ann) == [6]


@direct
def test_a_body_that_grows_too_large_is_refused(dwell: Dwell) -> None:
    chunks = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    with Connection(dwell) as connection:
        connection.send(request("Transfer-Encoding: chunked", body=chunks * 17 + b"0\r\n\r\n"), ASK)
        assert connection.answer().status == 413
        assert connection.answer().status == 200


@direct
def test_a_client_that_waits_to_be_asked_for_the_body_is_asked(dwell: Dwell) -> None:
    ann = visitor(dwell)
    sent = request(cookie_of(ann), "Expect: 100-continue", body=beat_of(segment(n=8)))
    length = sent.index(b"\r\n\r\n") + 4
    with Connection(dwell) as connection:
        connection.send(sent[:length])
        assert connection.file.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert connection.file.readline() == b"\r\n"
        connection.send(sent[length:])
        assert connection.answer().status == 200
    assert stored(ann) == [8]


@direct
@pytest.mark.parametrize(
    "rest",
    [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST /x HTTP/1.1\r\nBad Header: x\r\n\r\n"],
)
def test_what_is_no_request_behind_a_beat_is_refused_after_it(dwell: Dwell, rest: bytes) -> None:
    ann = visitor(dwell)
    with Connection(dwell) as connection:
        connection.send(request(cookie_of(ann), body=beat_of(segment(n=1))), rest)
        assert connection.answer().status == 200
        assert connection.answer().status == 400
        assert connection.is_at_its_end()
    assert stored(ann) == [1]


@direct
@pytest.mark.parametrize("how", ["cut off", "broken"])
def test_half_a_beat_is_not_stored(dwell: Dwell, how: str) -> None:
    ann = visitor(dwell)
    statuses = []
    for target in (BEAT, ROUTED_BEAT):
        with Connection(dwell) as connection:
            if how == "cut off":
                beat = request(cookie_of(ann), body=beat_of(segment(n=1)), target=target)
                connection.send(beat[:-1])
                connection.say_no_more()
            else:
                chunked = "Transfer-Encoding: chunked"
                connection.send(request(cookie_of(ann), chunked, body=b"1\r\n{\r\nzz", target=target))
                connection.send(b"\r\n")
            statuses.append(connection.answer().status)
            assert connection.is_at_its_end()
    assert statuses[0] == statuses[1] >= 400
    assert stored(ann) == []


@pytest.mark.slow
@pytest.mark.sqlite("connections, whatever the store")
def test_dead_clients_are_let_go_and_live_ones_kept(dwell: Dwell) -> None:
    """Within 90 seconds; a connection on which beats come is not idle."""
    beat = request(cookie_of(visitor(dwell)), body=beat_of(segment(n=1)))
    with Connection(dwell) as idle, Connection(dwell) as half, Connection(dwell) as alive:
        idle.send(beat)
        assert idle.answer().status == 200
        half.send(beat[:-1])
        for dead in (idle, half):
            dead.socket.settimeout(90)
        ended = threading.Thread(target=lambda: [idle.is_at_its_end(), half.is_at_its_end()])
        ended.start()
        while ended.is_alive():
            alive.send(beat)
            assert alive.answer().status == 200
            ended.join(5)
        assert idle.is_at_its_end() and half.is_at_its_end()
        alive.send(beat)
        assert alive.answer().status == 200


# The end of the server


@direct
def test_a_server_that_ends_answers_what_it_was_told(fresh_dwell: Any) -> None:
    server = fresh_dwell()
    ann = visitor(server)
    connections, others = open_connections(server), open_connections(server)
    with server.store.locked():
        for n, connection in enumerate(connections):
            connection.send(request(cookie_of(ann), body=beat_of(segment(n=n))))
        let_be_read(others)
        server.terminate()
        for connection in others:
            assert connection.is_at_its_end()
            connection.close()
    for connection in connections:
        assert connection.answer().status == 200
        assert connection.is_at_its_end()
        connection.close()
    assert server.wait(60) == 0
    assert stored(ann) == list(range(16))


@direct
def test_a_server_that_ends_does_not_wait_for_connections_that_say_nothing(fresh_dwell: Any) -> None:
    server = fresh_dwell()
    ann = visitor(server)
    with Connection(server) as connection:
        connection.send(request(cookie_of(ann)))
        assert connection.answer().status == 200
        server.terminate()
        assert server.wait(60) == 0
        assert connection.is_at_its_end()
