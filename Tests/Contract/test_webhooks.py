"""Webhooks: what is told to whom, how it is signed, and what happens when it is not taken."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from standardwebhooks.webhooks import WebhookVerificationError

from dwell_process import CONFIGURATION_ERROR, Dwell, eventually, let_pass
from mail_server import certificate, tls
from stores import HOST
from webhook_receiver import Answer, Receiver

from .helpers import (
    CROSS_SITE,
    enter,
    ms_of,
    now_ms,
    person,
    problem,
    segment,
    succeeded,
    unique,
    unique_email,
    visitor,
)
from .test_operators import set_up, sign_in

WEBHOOKS = "/api/v1/webhooks"
PATIENCE_S = 15  # For an answer.
EVENTS = ["session.ended", "video.completed", "device.removed", "device.limit_reached", "gate.entered"]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


def asked(server: Dwell, method: str, path: str = "", **options: Any) -> requests.Response:
    """What the API answers to a program that may do everything with webhooks."""
    headers = {"Authorization": f"Bearer {server.key('audit', 'manage')}"} | options.pop("headers", {})
    return server.client().request(method, WEBHOOKS + path, headers=headers, **options)


def command(server: Dwell, *arguments: str) -> subprocess.CompletedProcess[str]:
    return server.run("webhook", *arguments)


@dataclass
class Endpoint:
    """An endpoint that was added by the command."""

    server: Dwell
    path: str
    id: str
    secret: str

    def deliveries(self) -> list[dict[str, Any]]:
        return succeeded(asked(self.server, "GET", f"/{self.id}/deliveries"))["deliveries"]

    def await_state(self, state: str, **others: Any) -> dict[str, Any]:
        """The latest delivery, when it stands so."""

        def found() -> dict[str, Any] | None:
            latest = next(iter(self.deliveries()), None)
            wanted = {"state": state, **others}
            return latest if latest and wanted.items() <= latest.items() else None

        return eventually(found, 30, f"a delivery that is {state}")

    def remove(self) -> None:
        assert command(self.server, "remove", self.id).returncode == 0


def added(server: Dwell, receiver: Receiver, *events: str) -> Endpoint:
    path = f"/{unique('hook')}"
    asked = [part for event in events or EVENTS for part in ("--event", event)]
    made = command(server, "add", receiver.url(path), *asked)
    assert made.returncode == 0, made.stderr
    sentence, secret = made.stdout.splitlines()
    return Endpoint(server, path, sentence.split()[1].rstrip("."), secret)


@pytest.fixture
def endpoint(dwell: Dwell, receiver: Receiver) -> Iterator[Endpoint]:
    endpoint = added(dwell, receiver)
    yield endpoint
    endpoint.remove()


def test_an_entry_is_told_once_and_signed_as_the_specification_says(endpoint: Endpoint, receiver: Receiver) -> None:
    before = now_ms()
    guest = visitor(endpoint.server)
    told = receiver.await_one(endpoint.path, "gate.entered", email=guest.email)
    event = told.verified(endpoint.secret)
    assert event["data"] == {
        "viewer": {"id": guest.record["viewer"]["id"], "kind": "guest", "email": guest.email, "username": None},
        "gate": "default", "identity": "claimed", "sessionId": guest.record["id"],
    }  # fmt: skip
    assert before - 1000 <= ms_of(event["timestamp"]) <= now_ms() + 1000
    assert told.headers["content-type"] == "application/json" and told.headers["user-agent"].startswith("Dwell/")
    with pytest.raises(WebhookVerificationError):
        told.verified("whsec_" + "A" * 44)
    forged = told.body.replace(b"claimed", b"certain")
    with pytest.raises(WebhookVerificationError):
        type(told)(told.path, told.headers, forged).verified(endpoint.secret)
    delivered = endpoint.await_state("delivered")
    assert delivered["eventId"] == told.id and delivered["status"] == 204 and delivered["attempts"] == 1
    assert len(receiver.of(endpoint.path, "gate.entered", email=guest.email)) == 1


def test_a_refused_login_and_the_end_of_a_device_are_told(fresh_dwell, receiver: Receiver) -> None:
    server = fresh_dwell("--device-limit", "1")
    endpoint = added(server, receiver, "device.limit_reached", "device.removed")
    ann = person(server)
    device = ann.login()
    assert ann.try_login().status_code == 421
    refusal = receiver.await_one(endpoint.path, "device.limit_reached", username=ann.username)
    (told,) = refusal.verified(endpoint.secret)["data"]["devices"]
    assert told.items() <= device.answer["thisDevice"].items() and told["id"] == device.id
    assert refusal.data["limit"] == 1 and refusal.data["policy"] == "deny"
    assert device.client.get("/auth/logout").status_code == 200
    removal = receiver.await_one(endpoint.path, "device.removed", username=ann.username)
    assert removal.verified(endpoint.secret)["data"]["reason"] == "logout"
    assert removal.data["device"]["id"] == device.id
    # A command tells of what it does, too.
    ann.login()
    assert server.run("user", "sign-out", ann.username).returncode == 0
    eventually(lambda: any(one.data.get("reason") == "operator" for one in receiver.of(endpoint.path)))
    assert len(receiver.of(endpoint.path)) == 3
    assert endpoint.secret not in server.written


def test_a_completed_video_and_the_end_of_a_session_are_told(endpoint: Endpoint, receiver: Receiver) -> None:
    ann = person(endpoint.server)
    device = ann.login()
    first = device.init("lesson")
    let_pass(1)
    media = {"video": "lesson", "mediaFrom": 0, "mediaTo": 950, "mediaDuration": 1000}
    played = segment(**{"tab": "film", "from": now_ms() - 950, "to": now_ms(), "end": "ended"} | media)
    for _ in range(2):
        succeeded(device.client.post("/api/session-heartbeat", json={"v": 1, "sentAt": now_ms(), "segments": [played]}))
    completion = receiver.await_one(endpoint.path, "video.completed", username=ann.username)
    assert completion.verified(endpoint.secret)["data"]["video"] == "lesson"
    assert completion.data["durationMs"] == 1000 and completion.data["coveredMs"] >= 900
    # Opening the next one closes the session.
    device.init("lesson")
    ended = receiver.await_one(endpoint.path, "session.ended", username=ann.username)
    assert ended.verified(endpoint.secret)["data"] == ann.session(first)
    assert ended.data["closed"] is True
    for measure in ("elapsed", "visible", "engaged"):
        assert ended.data[f"{measure}Ms"] >= 0 and ended.data[f"{measure}ErrorMs"] >= 0


def test_what_is_not_taken_comes_again(endpoint: Endpoint, receiver: Receiver) -> None:
    receiver.answers[:] = [Answer(503, {"Retry-After": "1"})]
    guest = visitor(endpoint.server)
    waiting = endpoint.await_state("waiting", status=503)
    assert waiting["error"] == "answered 503" and waiting["attempts"] == 1
    pause = ms_of(waiting["nextTime"]) - ms_of(waiting["triedTime"])
    assert 5000 <= pause <= 15_000
    assert endpoint.await_state("delivered")["attempts"] == 2
    first, second = receiver.of(endpoint.path, "gate.entered", email=guest.email)
    assert first.id == second.id and first.body == second.body
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    second.verified(endpoint.secret)


def test_an_answer_is_its_status_alone(endpoint: Endpoint, receiver: Receiver) -> None:
    elsewhere = f"/{unique('elsewhere')}"
    receiver.answers[:] = [Answer(302, {"Location": receiver.url(elsewhere)}), Answer(200, {}, b"x" * 20_000_000)]
    visitor(endpoint.server)
    assert "redirects are not followed" in endpoint.await_state("waiting", status=302)["error"]
    assert receiver.of(elsewhere) == []
    delivery = endpoint.deliveries()[0]["id"]
    assert asked(endpoint.server, "POST", f"/deliveries/{delivery}/replay").status_code == 202
    assert endpoint.await_state("delivered")["status"] == 200


def test_who_answers_410_is_told_nothing_more(dwell: Dwell, receiver: Receiver) -> None:
    endpoint = added(dwell, receiver, "gate.entered")
    receiver.answers[:] = [Answer(410)]
    visitor(dwell)
    failed = endpoint.await_state("failed")
    visitor(dwell)
    (listed,) = [one for one in succeeded(asked(dwell, "GET"))["webhooks"] if one["id"] == endpoint.id]
    assert listed["disabledTime"] and listed["failed"] == 1 and listed["refusal"] == "answered 410"
    assert len(receiver.of(endpoint.path)) == len(endpoint.deliveries()) == 1
    assert command(dwell, "replay", failed["id"]).returncode == CONFIGURATION_ERROR
    assert command(dwell, "enable", endpoint.id).returncode == 0
    assert command(dwell, "replay", "--failed").stdout == "Sent again: 1.\n"
    endpoint.await_state("delivered", id=failed["id"])
    endpoint.remove()


def test_an_endpoint_that_does_not_answer_holds_up_no_other(dwell: Dwell, receiver: Receiver) -> None:
    slow = Receiver()
    slow.open.clear()
    stuck, endpoint = added(dwell, slow, "gate.entered"), added(dwell, receiver, "gate.entered")
    for _ in range(3):
        guest = visitor(dwell)
        receiver.await_one(endpoint.path, "gate.entered", email=guest.email)
    # One at a time on each node, and the others wait until it is given up.
    eventually(lambda: slow.told, what="a delivery under way")
    came = [one.at for one in slow.told]
    assert all(later - earlier > PATIENCE_S - 1 for earlier, later in zip(came, came[len(dwell.nodes) :]))
    for one in (stuck, endpoint):
        one.remove()
    slow.stop()


@pytest.mark.one_node("the proxy would have to be told that a node is gone")
def test_killed_between_the_event_and_its_delivery_nothing_is_lost(fresh_dwell, receiver: Receiver) -> None:
    server = fresh_dwell()
    endpoint = added(server, receiver, "gate.entered")
    receiver.open.clear()
    first = visitor(server)
    eventually(lambda: receiver.of(endpoint.path), what="a delivery under way")
    # It waits behind the first: it is written, and nothing was sent of it.
    second = visitor(server)
    server.kill()
    receiver.open.set()
    server.start()
    assert receiver.await_one(endpoint.path, email=second.email).verified(endpoint.secret)
    rows = server.sql("SELECT event_id, state FROM webhook_delivery ORDER BY made_at")
    assert rows[0]["event_id"] == receiver.of(endpoint.path, email=first.email)[0].id
    assert rows[0]["state"] == "waiting"  # Its turn passes, and it is sent again.


def test_certificates_are_checked(fresh_dwell, tmp_path: Path) -> None:
    file = certificate(tmp_path, HOST)
    secure = Receiver(tls(file))
    server = fresh_dwell(env={"SSL_CERT_FILE": str(file)})
    endpoint = added(server, secure, "gate.entered")
    guest = visitor(server)
    assert secure.await_one(endpoint.path, email=guest.email).verified(endpoint.secret)
    assert "answered 204" in command(server, "test", endpoint.id).stdout
    server.env = {}
    untrusted = command(server, "test", endpoint.id)
    assert untrusted.returncode == CONFIGURATION_ERROR and "certificate" in untrusted.stderr
    secure.stop()


def test_a_ping_tells_how_it_goes(endpoint: Endpoint, receiver: Receiver) -> None:
    assert command(endpoint.server, "test", endpoint.id).stdout == "It answered 204.\n"
    event = receiver.await_one(endpoint.path, "ping").verified(endpoint.secret)
    assert event["data"] == {}
    receiver.answers[:] = [Answer(500)]
    failed = command(endpoint.server, "test", endpoint.id)
    assert failed.returncode == CONFIGURATION_ERROR and "answered 500" in failed.stderr
    assert endpoint.deliveries() == []


def test_the_commands_show_what_the_api_shows(endpoint: Endpoint, receiver: Receiver) -> None:
    server = endpoint.server
    visitor(server)
    delivered = endpoint.await_state("delivered")
    listed = json.loads(command(server, "deliveries", "--webhook", endpoint.id, "--format", "json").stdout)
    assert listed == [delivered]
    assert json.loads(command(server, "list", "--format", "json").stdout) == succeeded(asked(server, "GET"))["webhooks"]
    shown = command(server, "list").stdout + command(server, "deliveries").stdout + asked(server, "GET").text
    assert endpoint.id in shown and endpoint.secret not in shown
    assert command(server, "replay", delivered["id"]).returncode == 0
    eventually(lambda: len(receiver.of(endpoint.path)) == 2)
    assert len({one.id for one in receiver.of(endpoint.path)}) == 1
    for wrong in (["replay"], ["replay", "x", "--failed"]):
        assert command(server, *wrong).returncode == 64
    for unknown in (["remove", "x"], ["replay", "x"], ["test", endpoint.path], ["deliveries", "--webhook", "x"]):
        assert command(server, *unknown).returncode == CONFIGURATION_ERROR


def test_a_program_adds_and_removes_endpoints(dwell: Dwell, receiver: Receiver) -> None:
    url = receiver.url(f"/{unique('hook')}")
    made = asked(dwell, "POST", json={"url": url, "events": ["gate.entered"]})
    assert made.status_code == 201 and made.json()["secret"].startswith("whsec_")
    id = made.json()["webhook"]["id"]
    guests = [visitor(dwell) for _ in range(3)]
    eventually(lambda: len(receiver.of(url.removeprefix(receiver.url("")))) == 3)
    first = succeeded(asked(dwell, "GET", f"/{id}/deliveries?limit=2"))
    rest = succeeded(asked(dwell, "GET", f"/{id}/deliveries?limit=2&cursor={first['nextCursor']}"))
    assert len(first["deliveries"]) == 2 and len(rest["deliveries"]) == 1 and rest["nextCursor"] is None
    assert len({one["id"] for one in first["deliveries"] + rest["deliveries"]}) == len(guests)
    assert asked(dwell, "DELETE", f"/{id}").status_code == 204
    problem(asked(dwell, "DELETE", f"/{id}"), 404)
    problem(asked(dwell, "GET", f"/{id}/deliveries"), 404)
    problem(asked(dwell, "POST", f"/deliveries/{id}/replay"), 404)
    events = {event["event"] for event in json.loads(dwell.run("audit", "--format", "json").stdout)}
    assert {"webhook-addition", "webhook-removal"} <= events


def test_what_is_wrong_is_named(dwell: Dwell) -> None:
    right = {"url": "https://example.com/", "events": ["gate.entered"]}
    for change, field in [
        ({"url": "http://example.com/"}, "url"), ({"url": "ftp://localhost/"}, "url"), ({"url": 7}, "url"),
        ({"events": []}, "events"), ({"events": ["ping"]}, "events"), ({"events": "gate.entered"}, "events"),
    ]:  # fmt: skip
        problem(asked(dwell, "POST", json=right | change), 400, field)
    problem(asked(dwell, "POST", data="x" * 70_000, headers={"Content-Type": "application/json"}), 413)
    problem(asked(dwell, "GET", "/x/deliveries"), 404)
    problem(dwell.client().get(WEBHOOKS), 401)
    problem(dwell.client().post(WEBHOOKS, json=right), 401)
    for method, key in (("GET", dwell.key()), ("POST", dwell.key("audit"))):
        headers = {"Authorization": f"Bearer {key}"}
        problem(dwell.client().request(method, WEBHOOKS, json=right, headers=headers), 403)
    wrong = command(dwell, "add", "http://example.com/", "--event", "gate.entered")
    assert wrong.returncode == CONFIGURATION_ERROR and "https://" in wrong.stderr


def test_a_program_names_no_service_beside_a_public_server(fresh_dwell) -> None:
    server = fresh_dwell("--public-url", "https://course.example", env={"DWELL_SECRET_KEY": "k" * 48})
    for url in ("http://127.0.0.1:9/", "https://localhost/", "http://[::1]:9/", "http://127.1.2.3/"):
        problem(asked(server, "POST", json={"url": url, "events": ["gate.entered"]}), 400, "url")
    assert command(server, "add", "http://127.0.0.1:9/", "--event", "gate.entered").returncode == 0


def test_no_other_name_of_this_machine_leads_here_from_a_public_server(fresh_dwell) -> None:
    """Else a program could ask which ports are open beside it."""
    server = fresh_dwell("--public-url", "https://course.example", env={"DWELL_SECRET_KEY": "k" * 48})
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        for name in ("127.1", "2130706433", "[::ffff:127.0.0.1]"):
            url = f"https://{name}:{port}/"
            made = asked(server, "POST", json={"url": url, "events": ["gate.entered"]})
            assert made.status_code == 201, made.text
            added = Endpoint(server, "/", made.json()["webhook"]["id"], made.json()["secret"])
            succeeded(enter(server.client(), unique_email()))
            told = eventually(lambda added=added: added.deliveries()[0]["error"], what="a refusal")
            assert "leads to this machine" in told
            lines = [line for line in server.logs.splitlines() if "webhook refused" in line and added.id in line]
            assert lines and all("leads to this machine" in line for line in lines)
            tried = command(server, "test", added.id)
            assert tried.returncode == CONFIGURATION_ERROR and "leads to this machine" in tried.stderr
            added.remove()
        made = command(server, "add", f"https://127.1:{port}/", "--event", "gate.entered")
        assert made.returncode == 0, made.stderr
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_an_owner_sees_them_and_sends_one_again(endpoint: Endpoint, receiver: Receiver) -> None:
    server = endpoint.server
    assert set_up(server).status_code == 303
    olga = sign_in(server)
    guest = visitor(server)
    delivered = endpoint.await_state("delivered")
    page = olga.get("/dashboard/webhooks").text
    assert receiver.url(endpoint.path) in page and delivered["id"] in page and "takes what comes" in page
    assert guest.email not in page and endpoint.secret not in page
    form = {"id": delivered["id"]}
    again = "/dashboard/webhooks/replay"
    assert olga.post(again, data=form, headers=CROSS_SITE).status_code == 403
    stranger = server.client().post(again, data=form)
    assert stranger.status_code == 303 and stranger.headers["Location"].startswith("/dashboard/sign-in")
    assert len(receiver.of(endpoint.path)) == 1
    assert olga.post(again, data=form).headers["Location"] == "/dashboard/webhooks"
    eventually(lambda: len(receiver.of(endpoint.path)) == 2)
    assert olga.post(again, data={"id": "x"}).status_code == 404
    assert olga.post(again, data={"delivery": "x"}).status_code == 400


def test_where_nobody_asks_nothing_is_written(dwell: Dwell) -> None:
    before = dwell.sql("SELECT count(*) AS count FROM webhook_delivery")
    assert succeeded(enter(dwell.client(), "ann@example.org"))
    person(dwell).login()
    assert dwell.sql("SELECT count(*) AS count FROM webhook_delivery") == before
