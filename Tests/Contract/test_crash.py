"""What was acknowledged is kept, whatever happens to the process; and an orderly end is orderly."""

from __future__ import annotations

import random
import socket
import threading
from pathlib import Path

import pytest
import requests

from dwell_process import Dwell, RawResponse, eventually, let_pass, read_response

from .helpers import (
    PASSWORD,
    Visitor,
    beat_of,
    now_ms,
    person,
    registration,
    segment,
    succeeded,
    visitor,
)

KILLS = 20
BEATERS = 8
LINUX = Path("/proc/net/tcp").exists()


def entered(server: Dwell, count: int) -> list[Visitor]:
    """Visitors who came a moment ago: nodes tell the same time to some ten milliseconds, and none credits what it takes
    to lie before the entry.
    """
    guests = [visitor(server) for _ in range(count)]
    let_pass(0.2)
    return guests


class Beater(threading.Thread):
    """Sends beats until the server is gone, and remembers which were acknowledged.

    Every other beat is a segment of its own; the ones between make one segment grow.
    """

    def __init__(self, guest: Visitor, name: str) -> None:
        super().__init__(daemon=True)
        self.guest = guest
        self.tab = name
        self.acknowledged: list[int] = []
        self.grown = 0
        self.strange: list[str] = []

    def run(self) -> None:
        began = now_ms()
        cookies = {"session_record_id": self.guest.client.cookie("session_record_id")}
        url = self.guest.server.url + "/api/session-heartbeat"
        with requests.Session() as session:
            session.trust_env = False
            for n in range(1, 1_000_000):
                now = now_ms()
                growing = segment(tab=self.tab, n=0, **{"from": began, "to": now})
                beat = beat_of(growing if n % 2 else segment(tab=self.tab, n=n), sentAt=now)
                try:
                    response = session.post(url, json=beat, cookies=cookies, timeout=30)
                except requests.RequestException:
                    return
                if response.status_code != 200:
                    self.strange.append(f"{response.status_code} {response.text}")
                    return
                if n % 2:
                    self.grown = now - began
                else:
                    self.acknowledged.append(n)


def assert_all_is_stored(server: Dwell, beaters: list[Beater]) -> None:
    stored = {
        (row["tab"], row["n"]): row["ended_at"] - row["started_at"]
        for row in server.sql("SELECT tab, n, started_at, ended_at FROM segment")
    }
    for beater in beaters:
        lost = [n for n in beater.acknowledged if (beater.tab, n) not in stored]
        assert not lost, f"{len(lost)} of {len(beater.acknowledged)} of {beater.tab}: {lost[:5]}"
        if beater.grown:
            assert stored[beater.tab, 0] >= beater.grown, beater.tab


def await_beats(beaters: list[Beater], enough: int) -> None:
    """Waits until so many beats are acknowledged, or one was answered with something else."""

    def there() -> bool:
        acknowledged = sum(len(one.acknowledged) for one in beaters)
        return acknowledged >= enough or any(one.strange for one in beaters)

    eventually(there, 30, f"{enough} acknowledged beats")


@pytest.mark.slow
def test_no_acknowledged_beat_is_lost_however_often_the_server_is_killed(
    fresh_dwell,
) -> None:
    chance = random.Random(20)
    server = fresh_dwell()
    guests = entered(server, BEATERS)
    everyone: list[Beater] = []
    for round in range(KILLS):
        beaters = [Beater(guest, f"r{round}-{at}") for at, guest in enumerate(guests)]
        everyone += beaters
        for beater in beaters:
            beater.start()
        await_beats(beaters, chance.randint(5, 150))
        server.kill()
        for beater in beaters:
            beater.join(30)
            assert not beater.strange
        assert server.store.damage() == []
        server.start()
        assert_all_is_stored(server, beaters)
    assert_all_is_stored(server, everyone)
    assert sum(len(one.acknowledged) for one in everyone) >= KILLS * 5
    for guest in guests:
        assert succeeded(guest.beat())["success"] is True
    assert server.stop() == 0
    assert server.store.damage() == []


def test_what_was_answered_survives_being_killed(fresh_dwell) -> None:
    server = fresh_dwell()
    guest = visitor(server)
    ann = person(server)
    staying, leaving = ann.login(), ann.login()
    session = staying.init("lesson")
    succeeded(staying.client.delete(f"/devices/remove/{leaving.id}"))
    server.kill()
    server.start()
    assert guest.record["emailOfAccessor"] == guest.email
    assert [one["id"] for one in staying.list()] == [staying.id]
    assert leaving.client.get("/devices/list").status_code == 401
    assert str(ann.session(session)["id"]) == session
    assert staying.log().status_code == 200


def test_the_secret_survives_being_killed_on_the_first_run(fresh_dwell) -> None:
    server = fresh_dwell()
    device = person(server).login()
    server.kill()
    server.start()
    assert device.client.get("/devices/list").status_code == 200


def test_a_restart_loses_no_acknowledged_beat(fresh_dwell) -> None:
    server = fresh_dwell()
    beaters = [Beater(guest, f"t{at}") for at, guest in enumerate(entered(server, 4))]
    for beater in beaters:
        beater.start()
    eventually(lambda: all(len(one.acknowledged) >= 5 for one in beaters), 30, "beats")
    assert server.stop() == 0
    for beater in beaters:
        beater.join(30)
        # 502 is what a proxy answers that finds nobody any more.
        assert all(one.startswith(("502", "503")) for one in beater.strange)
    server.start()
    assert_all_is_stored(server, beaters)


# An orderly end


def unread_by(server: Dwell, connection: socket.socket) -> int | None:
    """How many bytes sent over a connection the server has not taken yet. None: not accepted."""
    own = connection.getsockname()[1]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        local, remote = (int(address.split(":")[1], 16) for address in fields[1:3])
        if (local, remote) == (server.port, own):
            return int(fields[4].split(":")[1], 16) if fields[9] != "0" else None
    return None


def connect(server: Dwell) -> socket.socket:
    """A connection that has been accepted for certain: it has had an answer before."""
    connection = socket.create_connection((server.host, server.port), timeout=60)
    connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    response = read_response(connection)
    assert response is not None and response.status == 200
    return connection


def post(path: str, body: bytes, *headers: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answers_after(
    server: Dwell, connections: list[socket.socket], rest: bytes = b""
) -> list[RawResponse]:
    """Waits until the server has taken all that was sent, ends it, and reads the answers."""
    eventually(
        lambda: all(unread_by(server, one) == 0 for one in connections), 30, "everything taken"
    )
    server.terminate()
    answers = []
    for connection in connections:
        if rest:
            connection.sendall(rest)
        answer = read_response(connection, "POST")
        assert answer is not None, "a connection was closed without an answer"
        answers.append(answer)
        connection.close()
    return answers


@pytest.mark.skipif(not LINUX, reason="reads /proc/net/tcp")
@pytest.mark.one_node("watches the connections of one process")
def test_requests_that_are_being_worked_on_are_answered_before_the_end(fresh_dwell) -> None:
    server = fresh_dwell()
    # Logging in takes a while, because checking a password does.
    bodies = [
        f'{{"username": "{person(server).username}", "password": "{PASSWORD}"}}'.encode()
        for _ in range(24)
    ]
    connections = [connect(server) for _ in bodies]
    for connection, body in zip(connections, bodies, strict=True):
        connection.sendall(post("/auth/login", body))
    answers = answers_after(server, connections)
    assert [one.status for one in answers] == [200] * len(answers)
    assert server.wait() == 0


@pytest.mark.skipif(not LINUX, reason="reads /proc/net/tcp")
@pytest.mark.one_node("watches the connections of one process")
def test_a_request_that_has_half_arrived_may_arrive_wholly_before_the_end(fresh_dwell) -> None:
    server = fresh_dwell()
    guest = visitor(server)
    cookie = f"Cookie: session_record_id={guest.client.cookie('session_record_id')}"
    request = post("/api/session-heartbeat", b'{"v":1,"sentAt":1,"segments":[]}', cookie)
    connections = [connect(server) for _ in range(10)]
    for connection in connections:
        connection.sendall(request[:-10])
    answers = answers_after(server, connections, request[-10:])
    assert [one.status for one in answers] == [200] * len(answers)
    assert server.wait() == 0


def test_an_ending_server_takes_no_new_connections(fresh_dwell) -> None:
    server = fresh_dwell()
    person(server)
    server.terminate()
    assert server.wait() == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port), timeout=5)


def test_connections_that_wait_for_nothing_do_not_delay_the_end(fresh_dwell) -> None:
    server = fresh_dwell()
    connections = [connect(server) for _ in range(20)]
    server.terminate()
    assert server.wait(within=60) == 0
    for connection in connections:
        assert connection.recv(1) == b""
        connection.close()


def test_a_second_request_to_end_does_no_harm(fresh_dwell) -> None:
    server = fresh_dwell()
    guest = visitor(server)
    succeeded(guest.beat(segment(n=1)))
    server.terminate()
    server.terminate()
    assert server.wait() == 0
    server.start()
    assert len(guest.rows()) == 1


def test_registering_while_ending_is_done_or_refused_but_never_halved(fresh_dwell) -> None:
    server = fresh_dwell()
    given = [registration() for _ in range(12)]
    outcomes: dict[str, int] = {}

    def register(one: dict[str, str]) -> None:
        try:
            response = server.client().post("/auth/register", json=one)
            outcomes[one["username"]] = response.status_code
        except requests.RequestException:
            outcomes[one["username"]] = 0

    threads = [threading.Thread(target=register, args=(one,)) for one in given]
    for thread in threads:
        thread.start()
    eventually(lambda: 200 in outcomes.values(), 30, "a registration")
    server.terminate()
    for thread in threads:
        thread.join(60)
    assert server.wait() == 0
    server.start()
    for one in given:
        login = {"username": one["username"], "password": one["password"]}
        status = server.client().post("/auth/login", json=login).status_code
        if outcomes[one["username"]] == 200:
            assert status == 200
        else:
            assert status in (200, 401)
