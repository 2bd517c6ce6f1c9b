"""Whether the description of the API is true: each operation is asked with what it allows, with what it does not, and with
what there is, and every answer has to be one that is described."""

from __future__ import annotations

import copy
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.errors import SchemathesisError
from schemathesis.specs.openapi import checks

from dwell_process import BINARY, Dwell
from mail_server import MailServer

from .helpers import CROSS_SITE, beat_of, person, segment, succeeded, unique, unique_email, visitor

pytestmark = pytest.mark.sqlite("what is answered does not depend on the store")

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
# How often each operation is asked.
ALLOWED, REFUSED = 30, 15
VIDEO = "lesson-1"
# Nothing can be made of what these need: a mailed code, a ticket.
NEVER_DONE = {"confirmGateCode", "replaceDevice", "resetPassword", "verifyEmail"}
# A number that is made up may be that of somebody who is needed.
NEVER_MADE_UP = {"eraseViewer"}


class World:
    """A server with something of everything, and whoever may ask it anything."""

    def __init__(self, server: Dwell) -> None:
        self.server = server
        self.guest = visitor(server)
        now = {"mediaFrom": 0, "mediaTo": 20, "mediaDuration": 60_000}
        succeeded(self.guest.beat(segment(page="/portfolio"), segment(tab="film", video=VIDEO, **now)))
        # The account of the examples.
        self.person = person(server, username="ada", email="ada@example.com")
        self.device = self.person.login()
        self.device.init(VIDEO)
        succeeded(self.device.client.post("/api/session-heartbeat", json=beat_of(segment(video=VIDEO, **now))))
        command = [str(BINARY), "operator", "add", "olga", "--database-url", server.database_url]
        subprocess.run(command, input="a calm and long phrase\n", text=True, check=True, capture_output=True)
        assert server.run("recompute").returncode == 0
        self.key = server.key("read", "audit", "manage")
        self.endpoints = self.told(server)
        answer = server.client().delete(
            f"/api/v1/viewers/{visitor(server).record['viewer']['id']}", headers={"Authorization": f"Bearer {self.key}"}
        )
        assert answer.status_code == 202, answer.text
        self.erasure = answer.json()["id"]
        # For those who log out, and for who is logged out by another.
        self.leavers = {id: self.person.login() for id in ("logOut", "logOutByPost")}
        self.others = {id: self.person.login() for id in ("removeDevice", "removeDeviceByPost")}
        self.known: dict[str, Any] = {
            "id": VIDEO, "name": "default", "kind": "sessions", "page": "/portfolio", "video": VIDEO,
            "email": self.guest.email, "username": self.person.username, "gate": "default",
            "next": "/confidential/", "from": "2026-01-01", "to": "2126-01-01", "limit": 1,
            "videoId": VIDEO, "format": "ndjson", "accessKey": "secretcronjob",
        }  # fmt: skip

    def told(self, server: Dwell) -> list[str]:
        """Endpoints to be removed, and one that was told of an entry: its id, then that of its delivery."""
        headers = {"Authorization": f"Bearer {self.key}"}
        # Nobody listens there; what waits for them stays to be looked at.
        asked = [{"url": f"http://127.0.0.1:{port}/", "events": ["gate.entered"]} for port in (1, 2)]
        made = [server.client().post("/api/v1/webhooks", json=one, headers=headers) for one in asked]
        ids = [answer.json()["webhook"]["id"] for answer in made]
        visitor(server)
        listed = server.client().get(f"/api/v1/webhooks/{ids[1]}/deliveries", headers=headers).json()
        return [*ids, listed["deliveries"][0]["id"]]

    def name(self, case: Case) -> None:
        """Has a request ask for what there is, as the description's example does it."""
        operation = case.operation
        id = operation.definition.raw["operationId"]
        named = dict(self.known)
        if operation.path == "/api/v1/sessions/{id}":
            named["id"] = self.guest.record["id"]
        elif operation.path.startswith("/api/v1/viewers"):
            # Who is erased is somebody else each time.
            named["id"] = (visitor(self.server) if id == "eraseViewer" else self.guest).record["viewer"]["id"]
            named["day"] = self.guest.record["sessionStartTime"][:10]
        elif operation.path.startswith("/api/v1/webhooks"):
            leaver, told, delivery = self.endpoints
            named["id"] = {"removeWebhook": leaver, "replayWebhookDelivery": delivery}.get(id, told)
        elif operation.path.startswith("/api/v1/erasures"):
            named["id"] = self.erasure
        elif operation.path == "/api/v1/overview":
            named = {"from": "2026-11-01", "to": "2026-12-01", "page": "/portfolio"}
        elif "/devices/" in operation.path:
            named["id"] = self.others.get(id, self.device).id
        elif operation.path == "/api/v1/contents":
            del named["page"], named["email"], named["username"]
        elif "/api/v1/export" in operation.path or operation.path == "/api/v1/sessions":
            named = {name: named[name] for name in ("kind", "email", "from", "to", "limit", "format")}
        elif operation.path.endswith("/viewers"):
            del named["username"]
        case.path_parameters = {name: named.get(name, value) for name, value in (case.path_parameters or {}).items()}
        case.query = {name: named[name] for name in (case.query or {}) if name in named}
        if operation.path == "/api/v1/contents":
            case.query["video"] = VIDEO
        for name in list(case.headers or {}):
            del case.headers[name]
        content = (operation.definition.raw.get("requestBody") or {}).get("content", {}).get("application/json")
        if content:
            case.media_type = "application/json"
            case.body = copy.deepcopy(content["example"])
        if id == "register":
            case.body |= {"username": unique(), "email": unique_email()}

    def keep_in(self, case: Case) -> None:
        """Has nothing be sent to anybody but this machine."""
        if isinstance(case.body, dict) and isinstance(case.body.get("url"), str):
            case.body["url"] = "http://127.0.0.1:1/"

    def let_in(self, case: Case) -> None:
        """Gives a request what its operation needs."""
        raw = case.operation.definition.raw
        ways = {name for way in raw["security"] for name in way}
        headers, cookies = {"User-Agent": "tests"}, {}
        if "key" in ways:
            headers["Authorization"] = f"Bearer {self.key}"
        if "cronKey" in ways:
            headers["Authorization"] = "Bearer secretcronjob"
        if "token" in ways:
            cookies = dict(self.leavers.get(raw["operationId"], self.device).client.cookies)
        if "gate" in ways:
            cookies = dict(self.guest.client.cookies)
        case.headers.update(headers)
        case.cookies.clear()
        case.cookies.update(cookies)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, site: Path, mails: MailServer) -> Iterator[World]:
    flags = ["--api-rate", "6000", "--viewing-limit", "2", "--device-limit", "1000"]
    server = Dwell(tmp_path_factory.mktemp("described"), *flags, env=mails.env, site=site).start()
    yield World(server)
    server.discard()


def strict(value: Any) -> Any:
    """The same description, by which an answer may have nothing that is not described."""
    if isinstance(value, list):
        return [strict(part) for part in value]
    if not isinstance(value, dict):
        return value
    copied = {name: strict(part) for name, part in value.items()}
    if copied.get("type") == "object" and "properties" in copied:
        copied.setdefault("additionalProperties", False)
    return copied


def ask(world: World, operation: Any, mode: GenerationMode, count: int, seen: dict[str, Counter[int]]) -> None:
    """Asks an operation so many times."""
    id = operation.definition.raw["operationId"]
    session = requests.Session()
    asked: list[GenerationMode] = []

    @hypothesis.settings(
        max_examples=count, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Case) -> None:
        # Every other time: most of what is made up is nowhere to be found.
        if mode == GenerationMode.POSITIVE and (id in NEVER_MADE_UP or sum(seen[id].values()) % 2 == 0):
            world.name(case)
        world.keep_in(case)
        # Each is asked once by somebody who may not.
        if mode == GenerationMode.POSITIVE or asked:
            world.let_in(case)
        asked.append(mode)
        answer = case.call(base_url=world.server.url, session=session, allow_redirects=False)
        session.cookies.clear()
        seen[id][answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    check()


@pytest.mark.timeout(600)
def test_every_answer_is_one_that_is_described(world: World) -> None:
    described = succeeded(world.server.client().get("/api/v1/openapi.json"))
    schema = schemathesis.openapi.from_dict(strict(described))
    # Wrong keys would make the server slow whoever sends them down.
    schema.config.generation.with_security_parameters = False
    seen: dict[str, Counter[int]] = defaultdict(Counter)
    for found in schema.get_all_operations():
        operation = found.ok()
        ask(world, operation, GenerationMode.POSITIVE, ALLOWED, seen)
        try:
            ask(world, operation, GenerationMode.NEGATIVE, REFUSED, seen)
        except (SchemathesisError, hypothesis.errors.Unsatisfiable):
            pass  # There is nothing that it could refuse.
    assert sum(count.total() for count in seen.values()) >= 2000, seen
    # None was refused each time: then nothing would be known of what it answers.
    done = {id for id, counts in seen.items() if any(status < 400 for status in counts)}
    assert set(seen) - done == NEVER_DONE, seen


def test_what_another_site_asks_for_is_refused_as_described(world: World) -> None:
    answer = world.device.client.get(f"/api/v1/videos/{VIDEO}/progress", headers=CROSS_SITE)
    assert answer.status_code == 403
    assert answer.headers["Content-Type"].startswith("application/problem+json")
