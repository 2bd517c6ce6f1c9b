"""What the tests of the wire contracts share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import make_site
from dwell_process import Client, Dwell
from mail_server import MailServer

from .gates import PAGES, configured
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


@pytest.fixture(scope="module")
def gated_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small site, and pages behind several gates."""
    folder = make_site(tmp_path_factory.mktemp("gated"))
    for name, text in PAGES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "shortcut").symlink_to("letters")
    return folder


@pytest.fixture(scope="module")
def gated(mails: MailServer, gated_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dwell]:
    """A server with several gates, shared by the tests of one file."""
    folder = tmp_path_factory.mktemp("gates")
    server = Dwell(folder, "--config", configured(folder), env=mails.env, site=gated_site).start()
    yield server
    server.discard()
