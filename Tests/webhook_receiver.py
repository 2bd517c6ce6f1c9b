"""An endpoint for webhooks: it keeps what it is sent, and answers as it is told."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook

from dwell_process import eventually
from stores import HOST


@dataclass
class Told:
    """A request that came."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def data(self) -> dict[str, Any]:
        return self.event["data"]

    def verified(self, secret: str) -> dict[str, Any]:
        """What the specification's own library makes of it; it raises what is forged."""
        return Webhook(secret).verify(self.body, dict(self.headers))


@dataclass
class Answer:
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Receiver:
    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.told: list[Told] = []
        self.answers: list[Answer] = []
        """What it says to the next requests, in place of 204."""
        self.open = threading.Event()
        """While it is not set, requests are kept waiting."""
        self.open.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.told.append(Told(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                receiver.open.wait(60)
                answer = receiver.answers.pop(0) if receiver.answers else Answer()
                try:
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer.body)
                except OSError:
                    pass  # Who asked is gone.

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self._scheme = "http"
        if tls:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, path: str = "/hook") -> str:
        return f"{self._scheme}://{HOST}:{self._server.server_port}{path}"

    def of(self, path: str, type: str | None = None, **about: Any) -> list[Told]:
        """What came to a path, of a type, and about a person."""
        return [
            one
            for one in list(self.told)
            if one.path == path
            and type in (None, one.event["type"])
            and all(one.data["viewer"][key] == value for key, value in about.items())
        ]

    def await_one(self, path: str, type: str | None = None, **about: Any) -> Told:
        """The only thing that came."""
        found = eventually(lambda: self.of(path, type, **about), 30, f"{type} to {path}")
        assert len(found) == 1, [one.event for one in found]
        return found[0]

    def stop(self) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
