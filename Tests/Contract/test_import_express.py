"""`dwell import express`: people keep their accounts, passwords and hours."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import bcrypt as hashes
import psycopg
import pytest
from dwell_process import CONFIGURATION_ERROR, Dwell, run_dwell
from stores import PostgresCluster, PostgresDatabase, SQLiteFile, Store

from Contract.helpers import FIREFOX, USER_KEYS, succeeded

pytestmark = pytest.mark.sqlite("these tests choose their databases themselves")

SCHEMA = """
CREATE TABLE "User" (
    "id" UUID PRIMARY KEY, "username" TEXT NOT NULL, "firstName" TEXT, "lastName" TEXT,
    "passwordHash" TEXT, "email" TEXT, "phoneNumber" TEXT, "gender" TEXT, "countryCode" TEXT,
    "profilePictureUrl" TEXT, "isVerified" BOOLEAN NOT NULL DEFAULT false,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT now(), "updatedAt" TIMESTAMP(3), "lastLoggedIn" TIMESTAMP(3));
CREATE TABLE "Device" (
    "id" UUID PRIMARY KEY, "userId" UUID NOT NULL, "deviceName" TEXT, "deviceOs" TEXT,
    "lastLoggedIn" TIMESTAMP(3));
CREATE TABLE "Session" (
    "id" SERIAL PRIMARY KEY, "userId" UUID NOT NULL, "videoId" TEXT, "deviceId" UUID,
    "startTime" TIMESTAMP(3), "endTime" TIMESTAMP(3));
CREATE TABLE "Statistics" (
    "id" SERIAL PRIMARY KEY, "userId" UUID NOT NULL, "date" DATE, "watchTime" INTEGER, "screenTime" INTEGER);
"""


def bcrypt(password: str, cost: int = 5) -> str:
    """A hash as the old service made it, by a library that Dwell does not use. It took the first 72 bytes."""
    return hashes.hashpw(password.encode()[:72], hashes.gensalt(cost)).decode()


class Old:
    """The old service's database."""

    def __init__(self, store: PostgresDatabase) -> None:
        self.store = store.made()
        self.url = self.store.url

    def run(self, statement: str, *parameters: object) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement, parameters or None)

    def user(self, username: str, **changes: object) -> str:
        row = {
            "id": str(uuid.uuid4()), "username": username, "firstName": username.title(), "lastName": "Old",
            "passwordHash": bcrypt(f"password of {username}"), "email": f"{username}@example.org",
            "phoneNumber": "+49 151 1", "gender": "female", "countryCode": "DE", "isVerified": True,
            "createdAt": "2023-01-02 03:04:05.678", "updatedAt": "2023-02-02 00:00:00",
            "lastLoggedIn": "2024-01-01 00:00:00",
        } | changes  # fmt: skip
        self._insert("User", row)
        return str(row["id"])

    def session(self, user: str, start: str | None, end: str | None, **more: object) -> None:
        self._insert("Session", {"userId": user, "startTime": start, "endTime": end} | more)

    def _insert(self, table: str, row: dict[str, object]) -> None:
        columns = ", ".join(f'"{name}"' for name in row)
        values = ", ".join(["%s"] * len(row))
        self.run(f'INSERT INTO "{table}" ({columns}) VALUES ({values})', *row.values())


@pytest.fixture
def old(postgres: PostgresCluster) -> Iterator[Old]:
    store = postgres.database()
    service = Old(store)
    service.run(SCHEMA)
    yield service
    store.discard()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, postgres: PostgresCluster, tmp_path: Path) -> Iterator[Store]:
    made: Store = SQLiteFile(tmp_path / "new.sqlite") if request.param == "sqlite" else postgres.database()
    yield made
    made.discard()


def bring(folder: Path, old: Old, store: Store, *flags: str) -> subprocess.CompletedProcess[str]:
    return run_dwell(
        "import", "express", old.url, *flags, "--database-url", store.url, folder=folder, timeout=100
    )


def brought(folder: Path, old: Old, store: Store, *flags: str) -> str:
    done = bring(folder, old, store, *flags)
    assert done.returncode == 0, done.stderr
    return done.stdout


def part(report: str, things: str) -> list[str]:
    """The lines of a report about one kind of thing, without the spaces."""
    lines = report.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith(things))
    found = [lines[start].strip()]
    for line in lines[start + 1 :]:
        if not line.startswith(" "):
            break
        found.append(line.strip())
    return found


def test_people_log_in_with_their_old_passwords(old: Old, store: Store, tmp_path: Path) -> None:
    passwords = {"ada": "password of ada", "Zoë": "pässwörd 🔒", "long": "x" * 100, "Bob": "short"}
    ids = {}
    for name, password in passwords.items():
        given = {"passwordHash": bcrypt(password), "email": f"{len(ids)}@example.org"}
        ids[name] = old.user(name, **given)
    assert part(brought(tmp_path, old, store), "accounts") == ["accounts: 4 read", "4 imported"]

    with Dwell(tmp_path, store=store, nodes=1) as server:
        for name, password in passwords.items():
            client = server.client(FIREFOX)
            wrong = client.post("/auth/login", json={"username": name, "password": password[:-30] + "!"})
            assert wrong.status_code == 401
            answer = succeeded(client.post("/auth/login", json={"username": name, "password": password}))
            assert set(answer["user"]) >= USER_KEYS
            assert answer["user"]["id"] == ids[name]
            assert answer["user"]["is_verified"] is True
            assert answer["user"]["devices_connected"] == 1
        assert "$2b$" not in server.written
    (row,) = store.rows("SELECT created_at, country_code FROM account WHERE id = ?", ids["ada"])
    created = datetime.fromisoformat("2023-01-02T03:04:05.678+00:00")
    assert row == {"created_at": round(created.timestamp() * 1000), "country_code": "DE"}


def test_sessions_become_segments_of_which_nothing_is_proven(old: Old, store: Store, tmp_path: Path) -> None:
    ada = old.user("ada")
    old.session(ada, "2024-05-01 23:30:00", "2024-05-02 00:30:00", videoId="film")
    old.session(ada, "2024-05-03 10:00:00", "2024-05-03 10:10:00")
    old.session(ada, "2024-05-03 10:05:00", "2024-05-03 10:20:00")
    report = brought(tmp_path, old, store)
    assert part(report, "sessions") == ["sessions: 3 read", "3 imported"]

    with Dwell(tmp_path, store=store, nodes=1) as server:
        sessions = server.sessions(username="ada")
        assert [(one["video"], one["visibleMs"], one["engagedMs"]) for one in reversed(sessions)] == [
            ("film", 3_600_000, 3_600_000), (None, 600_000, 600_000), (None, 900_000, 900_000),
        ]  # fmt: skip
        for session in sessions:
            assert session["visibleErrorMs"] >= session["visibleMs"], "its error is its whole length"
        (shown,) = server.api(f"/api/v1/sessions/{sessions[0]['id']}").json()["segments"]
        assert shown["tab"].startswith(":express:")
        assert shown["ended"] is None
        days = server.run("report", "days", "--username", "ada", "--format", "csv").stdout
        assert "2024-05-01" in days and "2024-05-02" in days
        # Two at once count once: twenty minutes, not twenty-five.
        assert "1200000" in next(line for line in days.splitlines() if "2024-05-03" in line)
        recomputed = server.run("recompute").stdout
        assert "0 of them were different" in recomputed


def test_rows_that_are_wrong_are_skipped_and_named(old: Old, store: Store, tmp_path: Path) -> None:
    ada = old.user("ada", id="00000000-0000-4000-8000-000000000001")  # Read first.
    nobody = str(uuid.uuid4())
    unsafe = old.user("nohash", passwordHash=None)
    old.user("plain", passwordHash="hunter2 in plain text")
    old.user("dear", passwordHash=bcrypt("x").replace("$05$", "$31$"))
    old.user("nomail", email=None)
    old.user("badmail", email="not an address")
    twin = old.user("ADA", email="other@example.org")
    old.user("same", email="ADA@example.org")
    old.session(ada, "2024-05-01 10:00:00", "2024-05-01 09:00:00")
    old.session(ada, None, "2024-05-01 09:00:00")
    old.session(ada, "2999-01-01 00:00:00", "2999-01-01 00:00:01")
    old.session(nobody, "2024-05-01 10:00:00", "2024-05-01 11:00:00")
    old.session(unsafe, "2024-05-01 10:00:00", "2024-05-01 11:00:00")
    old.session(ada, "infinity", "2024-05-01 11:00:00")
    old.session(ada, "2024-05-01 10:00:00", "2024-05-09 10:00:00")
    old.session(ada, "2024-06-01 10:00:00", None)
    report = brought(tmp_path, old, store)
    accounts = " ".join(part(report, "accounts"))
    assert "accounts: 8 read" in accounts
    assert "3 no bcrypt hash of a password" in " ".join(accounts.split())
    assert unsafe in accounts
    for reason in ("no email", "the email is none", "has the username", "has the email"):
        assert reason in accounts, reason
    assert twin in accounts and ada not in accounts
    sessions = " ".join(" ".join(part(report, "sessions")).split())
    for reason in (
        "1 the end is before the start: 1", "1 no start: 2", "1 the start is in the future: 3",
        "1 of a user that there is not: 4", "1 of a user that was skipped: 5", "1 the start is no time: 6",
        "1 longer than 24 h, credited 24 h: 7", "1 no end, imported as a visit without length: 8",
    ):  # fmt: skip
        assert reason in sessions, sessions
    assert "$2" not in report and "hunter2" not in report


def test_a_second_run_imports_nothing_twice(old: Old, store: Store, tmp_path: Path) -> None:
    ada = old.user("ada")
    for minute in range(10):
        old.session(ada, f"2024-05-01 1{minute}:00:00", f"2024-05-01 1{minute}:10:00")
    brought(tmp_path, old, store)
    old.user("new")
    old.session(ada, "2024-05-02 10:00:00", "2024-05-02 10:10:00")
    old.run("""UPDATE "Session" SET "endTime" = "startTime" + interval '20 minutes' WHERE "id" = 1""")
    report = brought(tmp_path, old, store)
    assert part(report, "accounts") == ["accounts: 2 read", "1 imported", "1 known already"]
    assert part(report, "sessions") == [
        "sessions: 11 read", "1 imported", "1 known and longer now: brought up to date", "9 known already",
    ]  # fmt: skip
    assert store.rows("SELECT count(*) AS n FROM segment") == [{"n": 11}]
    assert store.rows("SELECT max(ended_at - started_at) AS ms FROM segment") == [{"ms": 1_200_000}]
    assert part(brought(tmp_path, old, store), "sessions")[1:] == ["0 imported", "11 known already"]


def test_a_dry_run_says_the_same_and_stores_nothing(old: Old, store: Store, tmp_path: Path) -> None:
    ada = old.user("ada", id="00000000-0000-4000-8000-000000000001")  # Read first.
    old.user("Ada2", email="ADA@example.org")
    old.session(ada, "2024-05-01 10:00:00", "2024-05-01 10:10:00")
    old.session(ada, "2024-05-01 10:00:00", "2024-05-01 09:10:00")
    dry = brought(tmp_path, old, store, "--dry-run")
    assert dry.endswith("A dry run: nothing was stored.\n")
    if isinstance(store, SQLiteFile):
        assert not store.path.exists()
    else:
        assert store.rows("SELECT count(*) AS n FROM pg_tables WHERE schemaname = 'public'") == [{"n": 0}]
    real = brought(tmp_path, old, store)
    said = dry.replace("would be imported", "imported").removesuffix("A dry run: nothing was stored.\n")
    assert said == real
    again = brought(tmp_path, old, store, "--dry-run")
    assert part(again, "sessions")[1:3] == ["0 would be imported", "1 known already"]
    assert store.rows("SELECT count(*) AS n FROM segment") == [{"n": 1}]


def test_devices_are_not_logged_in(old: Old, store: Store, tmp_path: Path) -> None:
    ada = old.user("ada")
    devices = [str(uuid.uuid4()) for _ in range(4)]
    for device in devices:
        old.run(
            """INSERT INTO "Device" VALUES (%s, %s, 'Chrome on SM-S901B', 'Android 13', '2024-01-01')""", device, ada
        )
    old.session(ada, "2024-05-01 10:00:00", "2024-05-01 10:10:00", deviceId=devices[0])
    skipped = part(brought(tmp_path, old, store, "--dry-run"), "devices")
    assert skipped[1:3] == ["0 would be imported", "4 skipped"]
    assert "can't be used" in skipped[3]

    report = part(brought(tmp_path, old, store, "--devices"), "devices")
    assert report[:2] == ["devices: 4 read", "4 imported"]
    assert part(brought(tmp_path, old, store, "--devices"), "devices")[2] == "4 known already"
    with Dwell(tmp_path, store=store, nodes=1) as server:
        client = server.client(FIREFOX)
        succeeded(client.post("/auth/login", json={"username": "ada", "password": "password of ada"}))
        assert succeeded(client.get("/devices/list"))["total_device"] == 1
        (session,) = server.sessions(username="ada")
        (device,) = server.api(f"/api/v1/sessions/{session['id']}").json()["devices"]
        assert (device["id"], device["device_name"]) == (devices[0], "Chrome on SM-S901B")


def test_old_totals_are_compared_and_never_stored(old: Old, store: Store, tmp_path: Path) -> None:
    ada = old.user("ada")
    old.session(ada, "2024-05-01 10:00:00", "2024-05-01 10:10:00", videoId="film")
    old.session(ada, "2024-05-01 10:05:00", "2024-05-01 10:15:00", videoId="film")
    old.session(ada, "2024-05-02 10:00:00", "2024-05-02 10:10:00")
    # The old service added two sessions up that went on at the same time.
    for day, watched, active in (("2024-05-01", 1200, 0), ("2024-05-02", 0, 600), ("2024-05-03", 60, None)):
        old.run(
            'INSERT INTO "Statistics" ("userId", "date", "watchTime", "screenTime") VALUES (%s, %s, %s, %s)',
            ada, day, watched, active,
        )  # fmt: skip
    report = brought(tmp_path, old, store)
    lines = part(report, "daily totals")
    assert lines[0].endswith("3 read")
    assert "1 agree" in lines
    assert "watched 1200 s, its sessions 900 s" in report
    assert "2024-05-03 (watched 60 s, its sessions 0 s)" in report
    minutes = brought(tmp_path, old, store, "--unit", "minutes")
    assert "watched 72000 s" in minutes


def test_other_names_are_told_by_a_mapping(old: Old, store: Store, tmp_path: Path) -> None:
    ada = old.user("ada")
    old.session(ada, "2024-05-01 10:00:00", "2024-05-01 10:10:00")
    old.run('ALTER TABLE "Session" RENAME TO "PlaySession"')
    refused = bring(tmp_path, old, store)
    assert refused.returncode == CONFIGURATION_ERROR
    assert "sessions.table must be the name of a table" in refused.stderr

    printed = run_dwell("import", "express", "--print-mapping", folder=tmp_path).stdout
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(printed.replace("[Session, session, sessions]", "[PlaySession]"))
    assert part(brought(tmp_path, old, store, "--mapping", str(mapping)), "sessions")[1] == "1 imported"

    mapping.write_text("sessions:\n  table: PlaySession\n  start: begunAt\n")
    refused = bring(tmp_path, old, store, "--mapping", str(mapping))
    assert refused.returncode == CONFIGURATION_ERROR
    assert "sessions.start must be the name of a column" in refused.stderr and "startTime" in refused.stderr
    mapping.write_text("sessions:\n  begin: startTime\n")
    refused = bring(tmp_path, old, store, "--mapping", str(mapping))
    assert refused.returncode == CONFIGURATION_ERROR and "sessions.begin" in refused.stderr


def test_an_url_as_prisma_has_it(old: Old, store: Store, tmp_path: Path) -> None:
    old.run('CREATE SCHEMA "old house"')
    for table in ("User", "Device", "Session", "Statistics"):
        old.run(f'ALTER TABLE "{table}" SET SCHEMA "old house"')
    old.url += "?schema=old%20house&connection_limit=5"
    assert part(brought(tmp_path, old, store), "accounts") == ["accounts: 0 read", "0 imported"]


def test_zones_are_minded(old: Old, store: Store, tmp_path: Path) -> None:
    ada = old.user("ada")
    old.session(ada, "2024-07-01 12:00:00", "2024-07-01 12:10:00")
    brought(tmp_path, old, store, "--old-time-zone", "Europe/Berlin")
    (row,) = store.rows("SELECT started_at FROM session")
    assert row["started_at"] == datetime.fromisoformat("2024-07-01T10:00:00+00:00").timestamp() * 1000


def test_many_sessions_come_over_pages(old: Old, store: Store, tmp_path: Path) -> None:
    ada = old.user("ada")
    old.run(
        """
        INSERT INTO "Session" ("userId", "videoId", "startTime", "endTime")
        SELECT %s, 'v' || n %% 7, timestamp '2024-01-01' + n * interval '1 hour',
            timestamp '2024-01-01' + n * interval '1 hour' + interval '5 minutes' FROM generate_series(1, 1001) AS n
        """,
        ada,
    )
    assert part(brought(tmp_path, old, store), "sessions") == ["sessions: 1001 read", "1001 imported"]
    assert store.rows("SELECT count(*) AS n FROM content WHERE kind = 'video'") == [{"n": 7}]


def test_an_import_beside_the_server(old: Old, store: Store, tmp_path: Path) -> None:
    old.user("ada")
    with Dwell(tmp_path, store=store, nodes=1) as server:
        brought(tmp_path, old, store)
        given = {"username": "ada", "password": "password of ada"}
        succeeded(server.client(FIREFOX).post("/auth/login", json=given))


@pytest.mark.parametrize("url", ["mysql://x", "postgres://dwell:geheim@127.0.0.1:1/x", "nonsense"])
def test_a_database_that_is_none_is_refused(url: str, tmp_path: Path) -> None:
    refused = run_dwell("import", "express", url, "--database-url", "sqlite:x.sqlite", folder=tmp_path)
    assert refused.returncode == CONFIGURATION_ERROR
    assert "the Express service's database" in refused.stderr
    assert "geheim" not in refused.stderr
    assert not (tmp_path / "x.sqlite").exists()
