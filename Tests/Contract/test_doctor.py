"""`dwell doctor`: whether the server has what it needs."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

import stores
from dwell_process import Dwell, run_dwell
from mail_server import PASSWORD, MailServer
from stores import SQLiteFile, free_port

from .helpers import FAKETIME, SECRET, needs_faketime, visitor

STATES = {"ok", "warn", "fail"}


def doctor(server: Dwell, *arguments: str, code: int = 0, **env: str) -> dict[str, dict[str, Any]]:
    """The findings, by what was looked at."""
    ended = run_dwell(
        "doctor", "--format", "json", "--database-url", server.database_url, *arguments,
        folder=server.folder, env={**server.store.env, **server.env, **env},
    )  # fmt: skip
    assert ended.stderr == ""
    findings = json.loads(ended.stdout)
    assert all(set(one) >= {"state", "check", "found"} and one["state"] in STATES for one in findings)
    assert all(one.get("advice") for one in findings if one["state"] != "ok")
    assert ended.returncode == code == int(any(one["state"] == "fail" for one in findings)), findings
    assert len({one["check"] for one in findings}) == len(findings)
    return {one["check"]: one for one in findings}


def test_a_healthy_server_has_nothing_that_failed(dwell: Dwell) -> None:
    visitor(dwell)
    found = doctor(dwell)
    for check in ("configuration", "database", "schema", "clock", "versions", "mail", "door"):
        assert found[check]["state"] == "ok", found[check]
    assert "latest" in found["schema"]["found"]
    kind = "SQLite 3" if isinstance(dwell.store, SQLiteFile) else "PostgreSQL 1"
    assert kind in found["database"]["found"]
    assert "libpq 1" in found["versions"]["found"] and "uap-core" in found["versions"]["found"]
    assert "MB" in found["size"]["found"]


def test_people_get_a_table(dwell: Dwell) -> None:
    ended = dwell.run("doctor")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(line[:4].strip() in STATES or line.startswith("      → ") for line in ended.stdout.splitlines())


def test_each_setting_is_shown_with_where_it_comes_from_and_no_secret(tmp_path) -> None:
    file = tmp_path / "dwell.yaml"
    file.write_text("port: 9000\ndevice-limit: 3\n")
    server = Dwell(tmp_path)
    env = {
        "DWELL_SECRET_KEY": SECRET, "DWELL_DEVICE_LIMIT": "5", "DWELL_CRON_ACCESS_KEY": "the-cron-key",
        "DWELL_SMTP_URL": f"smtp://ann:the-password@127.0.0.1:{free_port()}", "DWELL_MAIL_FROM": "dwell@example.com",
    }  # fmt: skip
    found = doctor(server, "--config", str(file), code=1, **env)
    assert found["port"]["found"] == f"9000, by {file}"
    assert found["device-limit"]["found"] == "5, by the environment"
    assert found["database-url"]["found"].endswith(", by a flag")
    assert found["host"]["found"] == "not set"
    assert found["secret-key"]["found"] == "set, by the environment"
    assert found["mail"]["state"] == "fail"
    for secret in (SECRET, "the-cron-key", "the-password"):
        assert secret not in json.dumps(found)
    server.store.discard()


def test_a_password_in_the_database_url_is_not_shown(tmp_path) -> None:
    url = f"postgres://ann:the-password@127.0.0.1:{free_port()}/dwell"
    ended = run_dwell("doctor", "--database-url", url, folder=tmp_path, env={"DWELL_SECRET_KEY": SECRET})
    assert ended.returncode == 1
    assert "dwell at 127.0.0.1, by a flag" in ended.stdout
    assert "the-password" not in ended.stdout + ended.stderr


def test_a_wrong_setting_is_a_failure_and_the_rest_is_looked_at(dwell: Dwell) -> None:
    found = doctor(dwell, code=1, DWELL_HEARTBEAT_INTERVAL="often")
    assert found["configuration"]["state"] == "fail"
    assert "DWELL_HEARTBEAT_INTERVAL" in found["configuration"]["found"]
    assert found["schema"]["state"] == "ok"


# The database


@pytest.mark.sqlite("files")
def test_where_there_is_no_database_none_is_made(tmp_path) -> None:
    found = doctor(Dwell(tmp_path))
    assert found["database"]["state"] == "warn"
    assert "none yet" in found["secret"]["found"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.sqlite("files")
def test_a_damaged_database_is_a_failure(fresh_dwell, tmp_path) -> None:
    server = fresh_dwell()
    for _ in range(20):
        visitor(server)
    file = tmp_path / "damaged.sqlite"
    assert server.run("backup", str(file)).returncode == 0
    (page,) = SQLiteFile(file).rows("SELECT rootpage FROM sqlite_master WHERE name = 'viewer'")
    with file.open("r+b") as opened:
        opened.seek((page["rootpage"] - 1) * 4096)
        opened.write(b"\xff" * 2000)
    found = doctor(Dwell(tmp_path, store=SQLiteFile(file)), code=1)
    assert found["integrity"]["state"] == "fail"
    assert "dwell restore" in found["integrity"]["advice"]


@pytest.mark.sqlite("files")
def test_a_key_that_others_may_read_is_a_warning(fresh_dwell) -> None:
    server = fresh_dwell()
    key = Path(f"{server.database}.key")
    assert doctor(server)["secret"]["state"] == "ok"
    key.chmod(0o644)
    found = doctor(server)
    assert found["secret"]["state"] == "warn"
    assert "chmod 600" in found["secret"]["advice"]
    assert stat.S_IMODE(key.stat().st_mode) == 0o644


def test_an_older_schema_is_a_warning_and_a_later_one_a_failure(fresh_dwell) -> None:
    server = fresh_dwell()
    server.stop()
    server.store.change("INSERT INTO schema_migration (number, name, applied_at) VALUES (9999, 'later', 0)")
    assert doctor(server, code=1)["schema"]["state"] == "fail"
    server.store.change("DELETE FROM schema_migration WHERE number = 9999")
    latest = server.sql("SELECT max(number) AS number FROM schema_migration")[0]["number"]
    server.store.change("DELETE FROM schema_migration WHERE number = ?", latest)
    assert doctor(server)["schema"]["state"] == "warn"
    assert server.sql("SELECT max(number) AS number FROM schema_migration")[0]["number"] < latest


@needs_faketime
@pytest.mark.postgres("SQLite has no clock of its own")
def test_a_clock_that_is_off_is_a_warning(dwell: Dwell) -> None:
    ended = subprocess.run(
        ["env", os.environ.get("DWELL_BINARY") or str(stores.POSTGRES.parent.parent / ".build/debug/dwell"), "doctor",
         "--format", "json", "--database-url", dwell.database_url],
        env={**os.environ, **dwell.store.env, "LD_PRELOAD": str(FAKETIME), "FAKETIME": "+90s",
             "FAKETIME_DONT_FAKE_MONOTONIC": "1"},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    (clock,) = [one for one in json.loads(ended.stdout) if one["check"] == "clock"]
    assert clock["state"] == "warn"
    assert " s off" in clock["found"]


# Mail


def test_the_mail_server_is_greeted_and_gets_no_mail(dwell: Dwell, mails: MailServer) -> None:
    before = len(mails.mails)
    found = doctor(dwell, **mails.env)
    assert found["mail"]["state"] == "ok"
    assert len(mails.mails) == before
    assert PASSWORD not in json.dumps(found)


def test_a_mail_is_sent_when_it_is_asked_for(dwell: Dwell, mails: MailServer) -> None:
    before = len(mails.mails)
    found = doctor(dwell, "--mail-to", "ann@example.org", **mails.env)
    assert found["mail sent"]["state"] == "ok"
    (mail,) = mails.mails[before:]
    assert mail.recipient == "ann@example.org"
    assert "arrives" in mail.message["Subject"]


def test_a_mail_server_that_is_away_is_a_failure(dwell: Dwell) -> None:
    env = {"DWELL_SMTP_URL": f"smtp://127.0.0.1:{free_port()}", "DWELL_MAIL_FROM": "dwell@example.com"}
    assert doctor(dwell, code=1, **env)["mail"]["state"] == "fail"


def test_mail_into_a_folder_is_a_warning(dwell: Dwell, tmp_path) -> None:
    env = {"DWELL_SMTP_URL": f"file:{tmp_path}", "DWELL_MAIL_FROM": "dwell@example.com"}
    assert doctor(dwell, **env)["mail"]["state"] == "warn"
    assert list(tmp_path.iterdir()) == []


# How people come in


@pytest.mark.parametrize(
    ("env", "state"),
    [
        ({}, "ok"),
        ({"DWELL_HOST": "0.0.0.0"}, "warn"),
        ({"DWELL_PUBLIC_URL": "http://a.example"}, "warn"),
        ({"DWELL_PUBLIC_URL": "https://a.example"}, "ok"),
        ({"DWELL_PUBLIC_URL": "https://a.example", "DWELL_HOST": "0.0.0.0"}, "warn"),
        ({"DWELL_PUBLIC_URL": "http://localhost:8080", "DWELL_HOST": "0.0.0.0"}, "ok"),
    ],
)
def test_a_door_that_stands_open_is_a_warning(dwell: Dwell, env: dict[str, str], state: str) -> None:
    assert doctor(dwell, DWELL_SECRET_KEY=SECRET, **env)["door"]["state"] == state
