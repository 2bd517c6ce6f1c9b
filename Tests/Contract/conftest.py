"""What the tests of the wire contracts share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dwell_process import Client, Dwell
from mail_server import MailServer

from .helpers import BEAT, ROUTED_BEAT


@pytest.fixture(params=["lane", "router"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Sends a test's heartbeats by the lane, and once more by the router: both must do the same."""
    if request.param == "router":
        send = Client.request

        def send_by_router(self: Client, method: str, url: str, **options: Any) -> Any:
            return send(self, method, ROUTED_BEAT if url == BEAT else url, **options)

        monkeypatch.setattr(Client, "request", send_by_router)
    return request.param


@pytest.fixture(scope="module")
def mailing(mails: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dwell]:
    """A server that sends mail, shared by the tests of one file."""
    server = Dwell(tmp_path_factory.mktemp("mailing"), env=mails.env).start()
    yield server
    server.discard()
