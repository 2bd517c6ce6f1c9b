"""What every test of the running program shares: servers that are ended when their test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("dwell_process", "Contract.helpers")

from dwell_process import BINARY, Dwell  # noqa: E402


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes more than a few seconds by its nature")


def pytest_sessionstart(session: pytest.Session) -> None:
    if not session.config.option.collectonly and not BINARY.exists():
        pytest.exit(f"There is no {BINARY}: build it, or name another with DWELL_BINARY.", 2)


def make_site(folder: Path) -> Path:
    """A small site with open pages and confidential ones."""
    pages = {
        "index.html": "<!doctype html><title>Open</title><p>An open page.</p>",
        "style.css": "body { color: black }",
        "confidential/index.html": "<!doctype html><title>Confidential</title><p>TOP-SECRET-1</p>",
        "confidential/deep/page.html": "<!doctype html><title>Deep</title><p>TOP-SECRET-2</p>",
    }
    for name, text in pages.items():
        page = folder / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text)
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def dwell(tmp_path_factory: pytest.TempPathFactory, site: Path) -> Iterator[Dwell]:
    """A server with the default configuration, shared by the tests of one file."""
    server = Dwell(tmp_path_factory.mktemp("dwell"), site=site).start()
    yield server
    server.stop()


@pytest.fixture
def fresh_dwell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Dwell]]:
    """Starts servers for one test: `fresh_dwell("--device-limit", "2", env={...}, site=site)`."""
    servers: list[Dwell] = []

    def start(*flags: str, **options: object) -> Dwell:
        folder = options.pop("folder", None) or tmp_path_factory.mktemp("fresh")
        server = Dwell(folder, *flags, **options)  # type: ignore[arg-type]
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        server.stop()
