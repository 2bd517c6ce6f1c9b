"""Visitors, accounts and devices as the tests speak of them, and what an answer must look like."""

from __future__ import annotations

import base64
import glob
import hashlib
import hmac
import json
import os
import re
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

import stores
from dwell_process import Client, Dwell, eventually, let_pass

BEAT = "/api/session-heartbeat"
ROUTED_BEAT = f"{BEAT}?way=router"  # The lane takes no target but the one that scripts send.
PASSWORD = "correct horse battery staple"
DAY = 86_400
YEAR = 365 * DAY
SECRET = "a secret for tests, long enough for any taste: 0123456789abcdef"
TALKATIVE = {"DWELL_LOG_LEVEL": "trace"}  # A server that hides nothing, even then hides secrets.
ANDROID = (
    "Mozilla/5.0 (Linux; Android 13; SM-S901B) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/112.0.0.0 Mobile Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}
USER_KEYS = {
    "id", "username", "first_name", "last_name", "email", "is_verified", "phone_number",
    "devices_connected", "profile_picture_url", "country_code", "gender",
}  # fmt: skip
DEVICE_KEYS = {"id", "user_id", "device_name", "device_os", "last_logged_in"}
FAKETIME = os.environ.get("DWELL_FAKETIME_LIBRARY") or next(
    iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None
)
THE_ZERO = pytest.param("%00", marks=pytest.mark.one_node("a proxy may refuse it first"))
needs_faketime = pytest.mark.skipif(FAKETIME is None, reason="needs libfaketime, to look ahead")
ISO_MILLISECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

_numbers = count(1)


def unique(prefix: str = "ann") -> str:
    return f"{prefix}{next(_numbers)}x{uuid.uuid4().hex[:8]}"


def unique_email(prefix: str = "ann") -> str:
    return f"{unique(prefix)}@example.org"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def ms_of(iso: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 time in UTC."""
    assert iso.endswith("Z"), f"{iso} is not marked as UTC"
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def iso_of(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def restart_ahead(server: Dwell, days: int) -> Dwell:
    """Starts a server again whose clock is that many days ahead."""
    # libfaketime changes the environment of the first program it is loaded into, before that one
    # finds its arguments. `env` can bear it, and becomes the server.
    server.launcher = ["env"]
    ahead = {"FAKETIME": f"+{days}d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return server.restart(env={"LD_PRELOAD": str(FAKETIME)} | ahead)


def is_now(ms: int, since: int, until: int | None = None) -> bool:
    """Whether a time that a server tells lies between then and now, or another then.

    With PostgreSQL it is the database's, which a node knows to within half of the way there and back and 20 ms.
    """
    unsure = 0 if isinstance(stores.new(Path("none")), stores.SQLiteFile) else 250
    return since - unsure <= ms <= (until or now_ms()) + unsure


def await_removal(server: Dwell) -> None:
    """One node refuses at once what it has removed, the others within a second: decision 13."""
    if len(server.nodes) > 1:
        let_pass(1)


# Answers


def refused_by_gate(
    response: requests.Response, status: int = 400, naming: str | None = None
) -> dict[str, Any]:
    """The shape of a refusal under /api."""
    assert response.status_code == status, (response.status_code, response.text)
    answer = response.json()
    assert answer["success"] is False
    assert isinstance(answer["error"], str) and answer["error"]
    if naming is not None:
        assert naming in answer["error"], answer
    return answer


def refused(
    response: requests.Response,
    status: int,
    code: str | None = None,
    message: str | None = None,
    field: str | None = None,
) -> dict[str, Any]:
    """The shape of a refusal under /auth, /devices, /session and /cronjob."""
    assert response.status_code == status, (response.status_code, response.text)
    answer = response.json()
    assert answer["error"] is True
    assert isinstance(answer["msg"], str) and answer["msg"]
    assert re.fullmatch(r"[a-z_]+", answer["code"]), answer
    if code is not None:
        assert answer["code"] == code, answer
    if message is not None:
        assert answer["msg"] == message, answer
    if field is not None:
        assert answer["field"] == field, answer
    return answer


def problem(response: requests.Response, status: int, field: str | None = None) -> dict[str, Any]:
    """The shape of a refusal under /api/v1."""
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["Content-Type"].split(";")[0] == "application/problem+json"
    answer = response.json()
    assert answer["status"] == status
    assert isinstance(answer["title"], str) and answer["title"]
    if field is not None:
        assert answer["field"] == field, answer
    return answer


def succeeded(response: requests.Response) -> Any:
    """The JSON of an answer that must be 200."""
    assert response.status_code == 200, (response.status_code, response.text)
    return response.json()


def is_private(response: requests.Response) -> bool:
    return "no-store" in response.headers.get("Cache-Control", "")


def set_cookies(response: requests.Response) -> dict[str, Any]:
    """Cookies as the answer sets them, with their attributes."""
    cookies: dict[str, Any] = {}
    for line in response.raw.headers.getlist("Set-Cookie"):
        jar = SimpleCookie()
        jar.load(line)
        cookies |= dict(jar.items())
    return cookies


def tampered(value: str, at: int = -1) -> str:
    """The same value with one character changed, in a way that changes what it encodes."""
    at %= len(value)
    return value[:at] + ("A" if value[at] != "A" else "Q") + value[at + 1 :]


def is_local(location: str, server: Dwell) -> bool:
    """Whether a browser that follows this stays on the server."""
    parts = urlsplit(location)
    own = {server.host, "localhost"}
    return (not parts.scheme and not parts.netloc) or parts.hostname in own


# The gate


@dataclass
class Form(HTMLParser):
    """The first form of a page."""

    page: str
    action: str | None = None
    method: str = ""
    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    scripts: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None:
            self.action, self.method = given.get("action", ""), given.get("method", "").lower()
        elif tag == "input" and "name" in given:
            self.fields[given["name"]] = given
        elif tag == "script":
            self.scripts.append(given)


def enter(client: Client, email: object, form: bool = False, **fields: object) -> requests.Response:
    """Hands an email to the gate."""
    given = {"email": email, **fields}
    if form:
        return client.post("/api/verify-temp-access", data=given)
    return client.post("/api/verify-temp-access", json=given)


def segment(**changes: Any) -> dict[str, Any]:
    """A valid segment of 20 ms that ends now; a change to `None` leaves the key out."""
    now = now_ms()
    whole = {"tab": "tab1", "n": 1, "from": now - 20, "to": now, "attention": "active"} | changes
    return {name: value for name, value in whole.items() if value is not None}


def beat_of(*segments: Any, **changes: Any) -> dict[str, Any]:
    """A beat stamped now; a change to `None` leaves the key out."""
    whole = {"v": 1, "sentAt": now_ms(), "segments": list(segments)} | changes
    return {name: value for name, value in whole.items() if value is not None}


@dataclass
class Visitor:
    """A guest whom the gate has let in."""

    server: Dwell
    email: str
    client: Client
    token: str

    def beat(self, *segments: Any, **changes: Any) -> requests.Response:
        """Sends a beat with segments, or the empty one of the original script."""
        if not segments and not changes:
            return self.client.post(BEAT)
        return self.client.post(BEAT, json=beat_of(*segments, **changes))

    @property
    def record(self) -> dict[str, Any]:
        """This visitor's only session, as the API reads it back."""
        (session,) = self.server.sessions(email=self.email)
        return session

    def rows(self, tab: str = "tab1") -> list[dict[str, Any]]:
        """What is stored of one tab of this visitor's session."""
        return self.server.sql(
            "SELECT * FROM segment WHERE session_id = ? AND tab = ? ORDER BY n",
            self.record["id"],
            tab,
        )

    @property
    def stored(self) -> list[dict[str, Any]]:
        """What is stored of this visitor, in whatever session."""
        return self.server.sql(
            "SELECT segment.* FROM segment JOIN viewer ON viewer.id = segment.viewer_id"
            " WHERE viewer.email = ? ORDER BY tab, n",
            self.email,
        )

    @property
    def evidence(self) -> dict[str, Any]:
        """What the figures of this visitor's only session rest on."""
        return evidence(self.server, self.record["id"])


def evidence(server: Dwell, session: int | str) -> dict[str, Any]:
    """A session, and what its figures rest on, as the API reads it back."""
    return succeeded(server.api(f"/api/v1/sessions/{session}"))


def beat_by_token(
    server: Dwell, token: str, *segments: Any, client: Client | None = None, **changes: Any
) -> requests.Response:
    """Sends a beat that names its entry by a token, without cookies unless a client has some."""
    beat = beat_of(*segments, **({"token": token} | changes))
    return (client or server.client()).post(BEAT, json=beat)


def visitor(server: Dwell, email: str | None = None) -> Visitor:
    email = email or unique_email()
    client = server.client()
    token = succeeded(enter(client, email))["token"]
    return Visitor(server, email, client, token)


# Accounts


def registration(**changes: Any) -> dict[str, Any]:
    """What a person fills in; a change to `...` leaves the key out."""
    name = unique("bea")
    whole = {
        "username": name,
        "first_name": "Bea",
        "last_name": "Example",
        "email": f"{name}@example.org",
        "password": PASSWORD,
        "phone_number": "+4915112345678",
        "gender": "female",
    } | changes
    return {key: value for key, value in whole.items() if value is not ...}


@dataclass
class Device:
    """A client that has logged in."""

    person: Person
    client: Client
    answer: dict[str, Any]

    @property
    def id(self) -> str:
        return self.answer["thisDevice"]["id"]

    @property
    def token(self) -> str:
        return self.client.cookie("token")

    def list(self) -> list[dict[str, Any]]:
        return succeeded(self.client.get("/devices/list"))["device_list"]

    def init(self, video: str | None = None) -> str:
        """Opens a session and gives its id."""
        parameters = {} if video is None else {"videoId": video}
        return succeeded(self.client.get("/session/init", params=parameters))["sessionId"]

    def log(self) -> requests.Response:
        return self.client.get("/session/log")


@dataclass
class Person:
    """A registered account."""

    server: Dwell
    given: dict[str, Any]
    user: dict[str, Any]

    @property
    def username(self) -> str:
        return self.given["username"]

    def try_login(
        self, client: Client | None = None, password: str | None = None
    ) -> requests.Response:
        client = client or self.server.client(FIREFOX)
        given = {"username": self.username, "password": password or self.given["password"]}
        return client.post("/auth/login", json=given)

    def login(self, client: Client | None = None, user_agent: str = FIREFOX) -> Device:
        client = client or self.server.client(user_agent)
        return Device(self, client, succeeded(self.try_login(client)))

    def sessions(self, **filters: Any) -> list[dict[str, Any]]:
        return self.server.sessions(username=self.username, **filters)

    def session(self, id: str) -> dict[str, Any]:
        return next(one for one in self.sessions() if str(one["id"]) == id)


def person(server: Dwell, **changes: Any) -> Person:
    given = registration(**changes)
    return Person(server, given, succeeded(server.client().post("/auth/register", json=given)))


def log_until(device: Device, id: str, elapsed: int, within: float = 60) -> dict[str, Any]:
    """Logs a session again and again until it has lasted that many milliseconds."""

    def long_enough() -> dict[str, Any] | None:
        assert device.log().status_code == 200
        session = device.person.session(id)
        return session if session["elapsedMs"] >= elapsed else None

    return eventually(long_enough, within, f"a session of {elapsed} ms")


# Tokens made by hand


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token_parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A token's header and payload, unverified."""
    header, payload, _ = token.split(".")
    return tuple(  # type: ignore[return-value]
        json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        for part in (header, payload)
    )


def made_token(header: dict[str, Any], payload: dict[str, Any], key: bytes | None) -> str:
    """A token signed with the given key, or not at all."""
    hashes = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
    signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, payload))
    if key is None:
        return signed + "."
    digest = hashes.get(header.get("alg"), hashlib.sha256)
    return f"{signed}.{base64url(hmac.new(key, signed.encode(), digest).digest())}"
