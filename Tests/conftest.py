"""What every test of the running program shares: servers that are ended when their test ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("dwell_process", "Contract.helpers")

import stores  # noqa: E402
from dwell_process import BINARY, Dwell  # noqa: E402
from mail_server import MailServer  # noqa: E402

MARKERS = {
    "slow": "takes more than a few seconds by its nature",
    "sqlite(reason)": "only with SQLite",
    "postgres(reason)": "only with PostgreSQL, and one node",
    "one_node(reason)": "not with several nodes behind a proxy",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store",
        choices=stores.KINDS,
        default=os.environ.get("DWELL_TEST_STORE", "sqlite"),
        help="where servers keep their data; cluster: in PostgreSQL, two nodes behind nginx",
    )


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    elsewhere = {
        "sqlite": ["sqlite", "one_node"], "postgres": ["postgres", "one_node"], "cluster": [],
    }  # fmt: skip
    for item in items:
        for name in ("sqlite", "postgres", "one_node"):
            marker = item.get_closest_marker(name)
            if marker and name not in elsewhere[config.option.store]:
                item.add_marker(pytest.mark.skip(reason=f"{name}: {marker.args[0]}"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[stores.PostgresCluster]:
    """A PostgreSQL server for this run of the tests."""
    cluster = stores.PostgresCluster()
    try:
        yield cluster.start()
    finally:
        cluster.discard()


@pytest.fixture(scope="session", autouse=True)
def chosen_store(request: pytest.FixtureRequest) -> Iterator[None]:
    """What servers that are told no store get."""
    kind = request.config.option.store
    if kind == "sqlite":
        yield
        return
    cluster: stores.PostgresCluster = request.getfixturevalue("postgres")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores, "new", lambda path: cluster.database())
        patch.setattr(stores, "nodes", 2 if kind == "cluster" else 1)
        yield


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
    server.discard()


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
    # Two may share a store.
    for server in servers:
        server.stop()
    for server in servers:
        server.discard()


@pytest.fixture(scope="module")
def mails() -> Iterator[MailServer]:
    """A mail server, shared by the tests of one file."""
    server = MailServer().start()
    yield server
    server.stop()
