"""Settings: by flag, by environment variable, by file, and what happens when one is wrong."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
import requests

import stores
from dwell_process import CONFIGURATION_ERROR, Dwell, eventually, free_port, let_pass, run_dwell
from stores import Store

from .helpers import (
    BEAT,
    DAY,
    SECRET,
    TALKATIVE,
    beat_of,
    enter,
    log_until,
    now_ms,
    person,
    segment,
    set_cookies,
    succeeded,
    unique,
    visitor,
)

SOURCES = ("flag", "env", "file")
is_root = os.geteuid() == 0


# The settings, two values of each, and how to see from outside which of them holds


def reachable(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def host_of(server: Dwell) -> str:
    (host,) = [
        one for one in ("127.0.0.1", "127.0.0.2", "127.0.0.3") if reachable(one, server.port)
    ]
    return host


def port_of(server: Dwell) -> str:
    ports: tuple[int, ...] = server.ports  # type: ignore[attr-defined]
    (port,) = [one for one in ports if reachable(server.host, one)]
    server.nodes[0].port = port
    assert is_alive(server)
    return str(port)


def is_alive(server: Dwell) -> bool:
    return server.client().get("/health/live").status_code == 200


def database_of(server: Dwell) -> str:
    email = visitor(server).email
    (url,) = [url for url, store in named_stores.items() if holds(store, email)]
    return url


def holds(store: Store, email: str) -> bool:
    try:
        return bool(store.rows("SELECT email FROM viewer WHERE email = ?", email))
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):
        return False


def public_url_of(server: Dwell) -> str:
    cookies = set_cookies(enter(server.client(), "ann@example.org"))
    secure = {bool(cookie["secure"]) for cookie in cookies.values()}
    return {True: "https://a.example", False: "http://b.example"}[secure.pop()]


def site_of(server: Dwell) -> str:
    return server.client().get("/").text.strip()


def device_limit_of(server: Dwell) -> str:
    ann = person(server)
    allowed = 0
    while ann.try_login().status_code == 200:
        allowed += 1
        assert allowed < 20
    return str(allowed)


def viewing_limit_of(server: Dwell) -> str:
    """As many players of one account as none is told to stop."""
    client = person(server).login().client
    for allowed in range(20):
        claim = segment(tab=f"tab{allowed}", video="v")
        if "viewing" in succeeded(client.post(BEAT, json=beat_of(claim))):
            return str(allowed)
    raise AssertionError("no limit")


def device_policy_of(server: Dwell) -> str:
    return succeeded(person(server).login().client.get("/devices/list"))["policy"]


def login_lifetime_of(server: Dwell) -> str:
    age = int(set_cookies(person(server).try_login())["token"]["max-age"])
    return {40 * DAY: "40d", DAY // 2: "12h"}[age]


def login_idle_of(server: Dwell) -> str:
    device = person(server).login()
    let_pass(2.1)
    return "365d" if device.client.get("/devices/list").status_code == 200 else "2s"


def time_zone_of(server: Dwell) -> str:
    """Kiritimati is 26 hours ahead of Etc/GMT+12: no moment is the same day in both."""
    zones = ("Pacific/Kiritimati", "Etc/GMT+12")
    ann = person(server).login()
    began = datetime.now(UTC)
    log_until(ann, ann.init("lesson"), 300)
    trigger = server.client().get("/cronjob/trigger?accessKey=secretcronjob")
    assert trigger.status_code == 200, trigger.text
    report = server.run("report", "days", "--format", "json")
    assert report.returncode == 0, report.stderr
    reported = set(re.findall(r'"(\d{4}-\d\d-\d\d)"', report.stdout))
    moments = (began, datetime.now(UTC))
    (zone,) = [
        zone
        for zone in zones
        if reported & {one.astimezone(ZoneInfo(zone)).date().isoformat() for one in moments}
    ]
    return zone


def heartbeat_interval_of(server: Dwell) -> str:
    guest = visitor(server)
    return str(succeeded(guest.beat(segments=[]))["interval"] // 1000)


def allowed_origins_of(server: Dwell) -> str:
    """The one of two origins whose pages may send beats."""

    def is_let_in(origin: str) -> bool:
        response = server.client().options(BEAT, headers={"Origin": origin})
        return response.headers.get("Access-Control-Allow-Origin") == origin

    (origin,) = [one for one in ("https://one.example", "https://two.example") if is_let_in(one)]
    return origin


def keep_segments_of(server: Dwell) -> str:
    """What is folded takes months to see; see test_retention.py."""
    (kept,) = set(re.findall(r"kept=(\w+).*old segments are folded", server.logs))
    return kept


def keep_audit_of(server: Dwell) -> str:
    """What goes takes days to see; see AuditLogTests."""
    (kept,) = set(re.findall(r"kept=(\w+).*lines of the audit log go", server.logs))
    return kept


def trusted_proxies_of(server: Dwell) -> str:
    """Whether the proxy of the tests is one, or the address before it."""
    client = server.client()
    client.headers["X-Forwarded-For"] = "203.0.113.7, 10.1.2.3"
    (device,) = person(server).login(client).list()
    return {"10.1.2.0/24": "127.0.0.1", "203.0.113.0/24": "127.0.0.1,10.0.0.0/8"}[device["address"]]


def max_credit_rate_of(server: Dwell) -> str:
    """How much of a video counts that is played sixteen times as fast."""
    guest, video = visitor(server), unique()
    let_pass(0.3)
    now = now_ms()
    media = {"video": video, "mediaFrom": 0, "mediaTo": 3200, "rate": 16}
    succeeded(guest.beat(segment(tab="film", **{"from": now - 200, "to": now}, **media)))
    path = f"/api/v1/videos/{video}/viewers"
    found = eventually(lambda: succeeded(server.api(path))["viewers"], 60, "what was watched")
    return f"{found[0]['progress']['watchedMs'] / 200:g}"


metrics_addresses: list[str] = []  # That settings had.


def metrics_address() -> str:
    metrics_addresses.append(f"127.0.0.1:{free_port()}")
    return metrics_addresses[-1]


def metrics_address_of(server: Dwell) -> str:
    def answering() -> list[str]:
        return [one for one in metrics_addresses if reachable("127.0.0.1", int(one.split(":")[1]))]

    (address,) = eventually(answering, what="metrics")
    return address


def api_rate_of(server: Dwell) -> str:
    policy = server.api("/api/v1/live").headers["RateLimit-Policy"]
    return policy.removeprefix('"key";q=').removesuffix(";w=60")


@dataclass
class Setting:
    name: str
    values: Callable[[Path], tuple[str, str]]
    observed: Callable[[Dwell], str]
    env: dict[str, str] = field(default_factory=dict)

    @property
    def flag(self) -> str:
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        return "DWELL_" + self.name.upper().replace("-", "_")


def sites(folder: Path) -> tuple[str, str]:
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "index.html").write_text(str(folder / name))
    return str(folder / "one"), str(folder / "two")


def databases(folder: Path) -> tuple[str, str]:
    made = [stores.new(folder / name) for name in ("a.sqlite", "b.sqlite")]
    named_stores.update({store.url: store for store in made})
    return made[0].url, made[1].url


named_stores: dict[str, Store] = {}  # By the URLs that settings had.
SETTINGS = [
    Setting("host", lambda _: ("127.0.0.2", "127.0.0.3"), host_of),
    Setting("port", lambda _: (str(free_port()), str(free_port())), port_of),
    Setting("database-url", databases, database_of),
    Setting(
        "public-url",
        lambda _: ("https://a.example", "http://b.example"),
        public_url_of,
        {"DWELL_SECRET_KEY": SECRET},
    ),
    Setting("site", sites, site_of),
    Setting("device-limit", lambda _: ("1", "2"), device_limit_of),
    Setting("device-policy", lambda _: ("ask", "evict-oldest"), device_policy_of),
    Setting("login-lifetime", lambda _: ("40d", "12h"), login_lifetime_of),
    Setting("login-idle", lambda _: ("2s", "365d"), login_idle_of),
    Setting("viewing-limit", lambda _: ("1", "2"), viewing_limit_of),
    Setting("time-zone", lambda _: ("Pacific/Kiritimati", "Etc/GMT+12"), time_zone_of),
    Setting("heartbeat-interval", lambda _: ("11", "12"), heartbeat_interval_of),
    Setting("max-credit-rate", lambda _: ("2.5", "4"), max_credit_rate_of),
    Setting("keep-segments", lambda _: ("60d", "400d"), keep_segments_of),
    Setting("keep-audit", lambda _: ("1d", "90d"), keep_audit_of),
    Setting("trusted-proxies", lambda _: ("127.0.0.1", "127.0.0.1,10.0.0.0/8"), trusted_proxies_of),
    Setting("api-rate", lambda _: ("5", "6000"), api_rate_of),
    Setting("metrics-address", lambda _: (metrics_address(), metrics_address()), metrics_address_of),
    Setting(
        "allowed-origins",
        lambda _: ("https://one.example", "https://two.example"),
        allowed_origins_of,
    ),
]
each_setting = pytest.mark.parametrize(
    "setting",
    [
        pytest.param(one, id=one.name, marks=pytest.mark.sqlite("read before there is a store"))
        for one in SETTINGS
    ],
)


def yaml_of(name: str, value: str) -> str:
    return f"{name}: {value}\n" if value.isdigit() else f'{name}: "{value}"\n'


def arrange(folder: Path, setting: Setting, **values: str) -> tuple[list[str], dict[str, str]]:
    """Flags and environment that give the setting those values: `flag=`, `env=`, `file=`."""
    flags: list[str] = []
    env = dict(setting.env)
    if "flag" in values:
        flags += [setting.flag, values["flag"]]
    if "env" in values:
        env[setting.variable] = values["env"]
    if "file" in values:
        file = folder / "dwell.yaml"
        file.write_text(yaml_of(setting.name, values["file"]))
        flags += ["--config", str(file)]
    return flags, env


def observe(folder: Path, setting: Setting, **values: str) -> str:
    flags, env = arrange(folder, setting, **values)
    host = next(iter(values.values())) if setting.name == "host" else "127.0.0.1"
    server = Dwell(
        folder, *flags, env=env, host=host, port=free_port(host), leave_out=[setting.flag]
    )
    if setting.name == "port":
        server.ports = tuple(int(one) for one in values.values())  # type: ignore[attr-defined]
    with server:
        return setting.observed(server)


@each_setting
@pytest.mark.parametrize("source", SOURCES)
def test_each_setting_is_read_from(tmp_path: Path, setting: Setting, source: str) -> None:
    for index, folder in enumerate((tmp_path / "first", tmp_path / "second")):
        folder.mkdir()
        value = setting.values(folder)[index]
        assert observe(folder, setting, **{source: value}) == value


@each_setting
def test_a_flag_wins_over_the_environment(tmp_path: Path, setting: Setting) -> None:
    one, other = setting.values(tmp_path)
    assert observe(tmp_path, setting, flag=one, env=other) == one


@each_setting
def test_the_environment_wins_over_the_file(tmp_path: Path, setting: Setting) -> None:
    one, other = setting.values(tmp_path)
    assert observe(tmp_path, setting, env=one, file=other) == one


@each_setting
def test_a_flag_wins_over_the_file(tmp_path: Path, setting: Setting) -> None:
    one, other = setting.values(tmp_path)
    assert observe(tmp_path, setting, flag=one, file=other) == one


def test_a_file_may_hold_many_settings(fresh_dwell, tmp_path: Path) -> None:
    file = tmp_path / "dwell.yaml"
    file.write_text(
        "# For tests\nheartbeat-interval: 21\n\ndevice-limit: 3\ntime-zone: Asia/Tokyo\n"
    )
    server = fresh_dwell("--config", str(file))
    assert heartbeat_interval_of(server) == "21"
    assert device_limit_of(server) == "3"


# Defaults


@pytest.mark.sqlite("the default is a file")
def test_the_defaults(tmp_path: Path) -> None:
    """All but the port, which another program may be using."""
    server = Dwell(tmp_path, leave_out=["--database-url"])
    with server:
        assert (tmp_path / "dwell.sqlite").exists()
        assert host_of(server) == "127.0.0.1"
        assert heartbeat_interval_of(server) == "180"
        assert device_limit_of(server) == "4"
        assert not set_cookies(enter(server.client(), "a@example.org"))["dwell_access"]["secure"]


@pytest.mark.one_node("where a process listens")
def test_the_default_port_is_8080(tmp_path: Path) -> None:
    if reachable("127.0.0.1", 8080):
        pytest.skip("another program uses port 8080")
    with Dwell(tmp_path, port=0, leave_out=["--port"]) as server:
        assert server.output[-1].strip().endswith("http://localhost:8080")
        assert server.port == 8080


@pytest.mark.one_node("where a process listens")
def test_port_0_finds_a_free_port_and_prints_it(fresh_dwell) -> None:
    one, two = fresh_dwell(port=0), fresh_dwell(port=0)
    assert one.port != two.port
    for server in (one, two):
        assert f"Dwell is ready at http://localhost:{server.port}\n" in server.output
        assert is_alive(server)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_the_health_of_the_server_can_be_asked_for(dwell: Dwell, path: str) -> None:
    assert dwell.client().get(path).status_code == 200


def test_being_told_to_end_is_no_failure(fresh_dwell) -> None:
    assert fresh_dwell().stop() == 0


# Wrong values


WRONG = {
    "host": ["no such host", "999.999.999.999"],
    "port": ["eighty", "-1", "65536", "80.5", "99999999999999999999"],
    "database-url": ["dwell.sqlite", "mysql://localhost/dwell", "sqlite:"],
    "public-url": ["dwell.example", "ftp://dwell.example", "https://", "not a url"],
    "site": ["/no/such/folder"],
    "device-limit": ["0", "-1", "many", "1.5"],
    "device-policy": ["none", "kick", "Ask"],
    "login-lifetime": ["0d", "-1d", "90", "d", "1.5h", "3651d", "1y"],
    "login-idle": ["0s", "90 d", "99999999999999999999d", "ever"],
    "viewing-limit": ["0", "-1", "1001", "all"],
    "time-zone": ["Mars/Olympus", "../../etc/passwd", "UTC+25"],
    "heartbeat-interval": ["0", "-5", "often"],
    "keep-audit": ["0d", "90", "-1d", "1.5d", "d", "99999d"],
    "trusted-proxies": ["nonsense", "10.0.0.0/33", "127.0.0.1,", "example.com"],
    "max-credit-rate": ["0.9", "17", "-2", "nan", "fast"],
    "keep-segments": ["59d", "0", "400", "-60d", "2 months", "60.5d", "d", "99999d"],
    "api-rate": ["0", "-1", "6001", "many"],
    "metrics-address": ["9464", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "http://127.0.0.1:9464", "::1:9464", ":1"],
    "allowed-origins": ["www.a.example", "*", "null", "https://a.example/path", "ftp://a.example"],
}
EXPECTED = {
    "host": r"address|host",
    "port": r"65535",
    "database-url": r"sqlite:",
    "public-url": r"https?://|\bhttps?\b",
    "site": r"folder|directory",
    "device-limit": r"number|integer|at least|positive|\b1\b",
    "device-policy": r"deny, ask or evict-oldest",
    "login-lifetime": r"90d",
    "login-idle": r"90d",
    "viewing-limit": r"number from 1 to 1000",
    "time-zone": r"IANA|/",
    "heartbeat-interval": r"number|second|at least|positive|\b1\b",
    "keep-audit": r"days.*\b400d",
    "trusted-proxies": r"10\.0\.0\.0/8",
    "max-credit-rate": r"number from 1 to 16",
    "keep-segments": r"days.*\b60d",
    "api-rate": r"number from 1 to 6000",
    "metrics-address": r"address and a port.*127\.0\.0\.1:9464",
    "allowed-origins": r"origins.*https://",
}
by_name = {setting.name: setting for setting in SETTINGS}


def assert_configuration_error(
    folder: Path,
    naming: str,
    *flags: str,
    env: dict[str, str] | None = None,
    **defaults: str | None,
) -> str:
    """Tries to serve, and expects a message that names the setting. Gives what was written."""
    given = {"port": "0", "database-url": f"sqlite:{folder / 'dwell.sqlite'}"} | {
        name.replace("_", "-"): value for name, value in defaults.items()
    }
    arguments = [f"--{name}={value}" for name, value in given.items() if value is not None]
    ended = run_dwell("serve", *arguments, *flags, folder=folder, env=env, timeout=60)
    assert ended.returncode == CONFIGURATION_ERROR, (ended.returncode, ended.stdout, ended.stderr)
    assert re.search(naming, ended.stderr, re.IGNORECASE), ended.stderr
    assert "Dwell is ready" not in ended.stdout
    assert "Fatal error" not in ended.stderr
    assert len(ended.stderr) < 2000, "a message that nobody reads to its end"
    return ended.stderr


def spelled(name: str) -> str:
    """A setting's name as a flag, a variable or a key of the file."""
    return rf"--{name}\b|DWELL_{name.upper().replace('-', '_')}\b|\b{name}\b"


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_is_named(tmp_path: Path, name: str, value: str, source: str) -> None:
    setting = by_name[name]
    flags, env = arrange(tmp_path, setting, **{source: value})
    if source == "flag":
        flags = [f"{setting.flag}={value}"]
    if source == "file":
        (tmp_path / "dwell.yaml").write_text(f'{name}: "{value}"\n')
    message = assert_configuration_error(
        tmp_path, spelled(name), *flags, env=env, **{name.replace("-", "_"): None}
    )
    assert re.search(EXPECTED[name], message), message


def test_a_wrong_value_that_is_overruled_by_a_flag_does_no_harm(fresh_dwell) -> None:
    server = fresh_dwell("--heartbeat-interval", "9", env={"DWELL_HEARTBEAT_INTERVAL": "9"})
    assert heartbeat_interval_of(server) == "9"


def test_an_unknown_flag_is_refused(tmp_path: Path) -> None:
    ended = run_dwell("serve", "--port", "0", "--no-such-flag", folder=tmp_path)
    assert ended.returncode not in (0, 1) and ended.returncode > 0
    assert "--no-such-flag" in ended.stderr


@pytest.mark.parametrize("flag", ["--secret-key", "--cron-access-key"])
def test_a_secret_cannot_be_a_flag_for_all_to_see(tmp_path: Path, flag: str) -> None:
    ended = run_dwell("serve", "--port", "0", flag, SECRET, folder=tmp_path)
    assert ended.returncode > 0
    assert flag in ended.stderr


@pytest.mark.parametrize("text", ["port: [", "\tport: 1", "{", "- port\n- 80\n", "port: {a: 1}\n"])
def test_a_malformed_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    assert_configuration_error(tmp_path, r"broken\.yaml|port", "--config", str(file), port=None)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "nowhere.yaml"
    assert_configuration_error(tmp_path, r"nowhere\.yaml", "--config", str(file))


def test_a_site_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>")
    assert_configuration_error(tmp_path, spelled("site"), site=str(tmp_path / "page.html"))


def test_a_port_in_use_is_named(fresh_dwell, tmp_path: Path) -> None:
    port = fresh_dwell().port
    assert_configuration_error(tmp_path, rf"\b{port}\b", port=str(port))


# The database


about_a_file = pytest.mark.sqlite("the database is a file")


@about_a_file
def test_a_database_in_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    url = f"sqlite:{tmp_path / 'file' / 'dwell.sqlite'}"
    assert_configuration_error(tmp_path, spelled("database-url"), database_url=url)


@about_a_file
def test_a_database_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    url = f"sqlite:{tmp_path / 'folder'}"
    assert_configuration_error(tmp_path, spelled("database-url"), database_url=url)


@about_a_file
@pytest.mark.skipif(not Path("/proc/1/comm").exists(), reason="needs a file system that refuses")
def test_a_database_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    url = "sqlite:/proc/dwell.sqlite"
    assert_configuration_error(tmp_path, spelled("database-url"), database_url=url)


@about_a_file
@pytest.mark.skipif(is_root, reason="nothing is write-protected for root")
def test_a_database_that_is_write_protected_is_named(tmp_path: Path) -> None:
    with Dwell(tmp_path) as server:
        visitor(server)
    tmp_path.joinpath("dwell.sqlite").chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert_configuration_error(tmp_path, spelled("database-url"))
    finally:
        tmp_path.chmod(0o700)


@about_a_file
@pytest.mark.parametrize(
    "content",
    [b"this is no database\n" * 500, os.urandom(8192), b"SQLite format 3\x00" + b"\xff" * 8176],
    ids=["text", "noise", "a broken header"],
)
def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "dwell.sqlite"
    file.write_bytes(content)
    assert_configuration_error(tmp_path, spelled("database-url"))
    assert file.read_bytes() == content


@about_a_file
def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    with Dwell(tmp_path) as server:
        person(server)
    file = tmp_path / "dwell.sqlite"
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + b"\x5a" * (len(whole) - 100))
    for rest in ("-wal", "-shm"):
        file.with_name(file.name + rest).unlink(missing_ok=True)
    assert_configuration_error(tmp_path, spelled("database-url"))


def test_starting_again_keeps_what_was_stored(fresh_dwell) -> None:
    server = fresh_dwell()
    ann = person(server)
    for _ in range(3):
        server.restart()
    ann.login()


# The secret


beside_the_file = pytest.mark.sqlite("the secret is kept beside the file")


def key_file(server: Dwell) -> Path:
    return server.database.with_name(server.database.name + ".key")


@beside_the_file
def test_the_secret_is_made_on_the_first_run_for_its_owner_alone(fresh_dwell) -> None:
    before = os.umask(0)
    try:
        server = fresh_dwell()
    finally:
        os.umask(before)
    file = key_file(server)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_bytes().strip()) >= 32


@beside_the_file
def test_the_secret_is_kept_between_runs(fresh_dwell) -> None:
    server = fresh_dwell()
    made = key_file(server).read_bytes()
    server.restart()
    assert key_file(server).read_bytes() == made


@beside_the_file
def test_every_installation_makes_another_secret(fresh_dwell) -> None:
    assert key_file(fresh_dwell()).read_bytes() != key_file(fresh_dwell()).read_bytes()


def test_a_given_secret_is_used_and_none_is_kept(fresh_dwell) -> None:
    server = fresh_dwell(env={"DWELL_SECRET_KEY": SECRET})
    assert not list(server.folder.glob("*.key"))
    device = person(server).login()
    server.restart()
    assert device.client.get("/devices/list").status_code == 200
    server.restart(env={"DWELL_SECRET_KEY": SECRET[::-1]})
    assert device.client.get("/devices/list").status_code == 401


def test_a_given_secret_opens_what_it_signed_on_another_machine(fresh_dwell) -> None:
    one = fresh_dwell(env={"DWELL_SECRET_KEY": SECRET})
    device = person(one).login()
    one.stop()
    two = fresh_dwell(store=one.store, env={"DWELL_SECRET_KEY": SECRET})
    client = two.client().forge("token", device.token)
    assert client.get("/devices/list").status_code == 200


def test_a_secret_that_is_too_short_is_named(tmp_path: Path) -> None:
    env = {"DWELL_SECRET_KEY": "abc"}
    assert_configuration_error(tmp_path, "DWELL_SECRET_KEY", env=env)


@pytest.mark.parametrize("env", [{}, {"DWELL_SECRET_KEY": ""}], ids=["none", "empty"])
def test_a_secret_is_required_of_a_public_site(tmp_path: Path, env: dict[str, str]) -> None:
    assert_configuration_error(
        tmp_path, "DWELL_SECRET_KEY", env=env, public_url="https://dwell.example"
    )


def assert_never_written_down(server: Dwell, secret: str) -> None:
    person(server).login()
    visitor(server).beat()
    server.client().get("/no/such/page")
    server.stop()
    assert secret not in server.written
    assert server.written, "a server that says nothing proves nothing"


@beside_the_file
def test_the_own_secret_is_never_written_down(fresh_dwell) -> None:
    server = fresh_dwell(env=TALKATIVE)
    assert_never_written_down(server, key_file(server).read_text(errors="replace").strip())


def test_a_given_secret_is_never_written_down(fresh_dwell) -> None:
    server = fresh_dwell(env={"DWELL_SECRET_KEY": SECRET} | TALKATIVE)
    assert_never_written_down(server, SECRET)


def test_a_wrong_secret_is_not_repeated_in_the_message(tmp_path: Path) -> None:
    message = assert_configuration_error(
        tmp_path, "DWELL_SECRET_KEY", env={"DWELL_SECRET_KEY": "qwx"}
    )
    assert "qwx" not in message


def test_the_database_password_is_not_repeated_in_the_message(tmp_path: Path) -> None:
    ended = run_dwell(
        "serve", "--port", "0", "--database-url", "postgres://dwell:hunter22@127.0.0.1:1/dwell",
        folder=tmp_path, env={"DWELL_SECRET_KEY": SECRET},
    )  # fmt: skip
    assert ended.returncode > 0
    assert "hunter22" not in ended.stdout + ended.stderr


# Help


@pytest.mark.parametrize("command", [[], ["serve"], ["report"], ["key", "create"]], ids=str)
def test_help_is_given(tmp_path: Path, command: list[str]) -> None:
    ended = run_dwell(*command, "--help", folder=tmp_path)
    assert ended.returncode == 0
    assert "USAGE" in ended.stdout


def test_the_help_names_every_flag(tmp_path: Path) -> None:
    text = run_dwell("serve", "--help", folder=tmp_path).stdout
    for setting in SETTINGS:
        assert setting.flag in text
    assert "--config" in text


# Sign of life


def test_a_client_that_only_connects_does_not_keep_the_server_from_ending(fresh_dwell) -> None:
    server = fresh_dwell()
    with socket.create_connection((server.host, server.port)):
        assert server.stop() == 0


def test_many_can_be_served_at_once(dwell: Dwell) -> None:
    answers: list[int] = []

    def ask() -> None:
        answers.append(requests.get(dwell.url + "/health/live", timeout=30).status_code)

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 50
