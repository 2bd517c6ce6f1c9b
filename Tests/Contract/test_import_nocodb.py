"""`dwell import nocodb`: the heartbeat blueprint's records, as NocoDB exports them."""

from __future__ import annotations

import csv
import io
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dwell_process import CONFIGURATION_ERROR, Dwell, run_dwell
from stores import PostgresCluster, SQLiteFile, Store

from Contract.helpers import visitor

pytestmark = pytest.mark.sqlite("these tests choose their databases themselves")

HEADER = ["Id", "CreatedAt", "emailOfAccessor", "sessionStartTime", "sessionEndTime"]
ANN = "ann@example.org"


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, postgres: PostgresCluster, tmp_path: Path) -> Iterator[Store]:
    made: Store = SQLiteFile(tmp_path / "new.sqlite") if request.param == "sqlite" else postgres.database()
    yield made
    made.discard()


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def exported(folder: Path, *rows: list[object], header: list[str] = HEADER, **form: str) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, **form)  # type: ignore[arg-type]
    writer.writerow(header)
    writer.writerows(rows)
    path = folder / "records.csv"
    path.write_bytes(text.getvalue().encode())
    return path


def record(id: object, start: str, end: str, email: str = ANN) -> list[object]:
    return [id, "2024-05-01 09:59:59+00:00", email, start, end]


def bring(folder: Path, file: Path, store: Store, *flags: str) -> subprocess.CompletedProcess[str]:
    return run_dwell(
        "import", "nocodb", str(file), *flags, "--database-url", store.url, folder=folder, timeout=100
    )


def brought(folder: Path, file: Path, store: Store, *flags: str) -> list[str]:
    done = bring(folder, file, store, *flags)
    assert done.returncode == 0, done.stderr
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


def test_records_are_read_back_as_the_blueprint_had_them(store: Store, tmp_path: Path) -> None:
    file = exported(
        tmp_path,
        record(1, "2024-05-01 10:00:00+00:00", "2024-05-01 10:09:00+00:00", " Ann@Example.org "),
        record(2, "2024-05-02 10:00:00+00:00", "2024-05-02 10:30:00+00:00"),
        record(3, "2024-05-01 10:00:00+00:00", "2024-05-01 10:00:00+00:00", "bob@example.org"),
    )
    assert brought(tmp_path, file, store) == ["sessions: 3 read", "3 imported"]
    with Dwell(tmp_path, store=store, nodes=1) as server:
        sessions = server.sessions(email=ANN)
        assert [(one["sessionStartTime"], one["sessionEndTime"]) for one in sessions] == [
            ("2024-05-02T10:00:00.000Z", "2024-05-02T10:30:00.000Z"),
            ("2024-05-01T10:00:00.000Z", "2024-05-01T10:09:00.000Z"),
        ]
        for session in sessions:
            assert session["visibleMs"] == session["elapsedMs"] > 0
            assert session["visibleErrorMs"] >= session["visibleMs"], "its error is its whole length"
            assert session["closed"] is True
        assert len(server.sessions(email="bob@example.org")) == 1
        assert "0 of them were different" in server.run("recompute").stdout
        # Whoever comes again is the same person.
        assert len(visitor(server, ANN).client.cookies) > 0
        assert len(server.sessions(email=ANN)) == 3
    assert store.rows("SELECT count(*) AS n FROM viewer WHERE email = ?", ANN) == [{"n": 1}]


def test_many_forms_of_time(store: Store, tmp_path: Path) -> None:
    starts = {
        "2024-05-01 10:00:00+00:00": "2024-05-01T10:00:00",
        "2024-05-01T10:00:00.250Z": "2024-05-01T10:00:00.250",
        "2024-05-01T12:00:01+02:00": "2024-05-01T10:00:01",
        "2024-05-01 12:00:02.5+02": "2024-05-01T10:00:02.500",
        "2024-05-01 10:00:03": "2024-05-01T10:00:03",
        "2024-05-01 10:01": "2024-05-01T10:01:00",
        "2024-05-01 05:02:00-0500": "2024-05-01T10:02:00",
        "2024-02-29 10:00:00.123456+00": "2024-02-29T10:00:00.123",
    }
    rows = [record(n, start, "2024-05-01T11:00:00Z") for n, start in enumerate(starts)]
    brought(tmp_path, exported(tmp_path, *rows), store)
    found = {row["tab"]: row["started_at"] for row in store.rows("SELECT tab, started_at FROM segment")}
    assert found == {f":nocodb:{n}@{ms(time)}": ms(time) for n, time in enumerate(starts.values())}


def test_rows_that_are_wrong_are_skipped_and_named(store: Store, tmp_path: Path) -> None:
    good = "2024-05-01 10:00:00+00:00"
    file = exported(
        tmp_path,
        record(1, good, "2024-05-01 09:00:00+00:00"),
        record(2, good, good, ""),
        record(3, good, good, "nobody"),
        record(4, "2024-02-30 10:00:00", good),
        record(5, "01.05.2024 10:00", good),
        record(6, "2024-05-01 25:00:00", good),
        record(7, "2024-05-01 10:00:00", "yesterday"),
        record(8, "", good),
        record(9, good, "2024-05-07 10:00:00"),
        record(10, good, ""),
        record(10, "2024-05-05 10:00:00", "2024-05-05 10:00:00"),
        record("\x1b[31m11", "2024-05-05", good),
        record("a\x00b", good, good),
        [12, "", ANN],
        [],
    )
    lines = brought(tmp_path, file, store)
    assert lines[0] == "sessions: 14 read"
    assert lines[1:3] == ["2 imported", "12 skipped"]
    for line in (
        "1 the end is before the start: row 2 (id 1)",
        "1 no email: row 3 (id 2)",
        "1 the email is none: row 4 (id 3)",
        "4 the start is no time: row 5 (id 4), row 6 (id 5), row 7 (id 6), …",
        "1 the end is no time: row 8 (id 7)",
        "2 no start: row 9 (id 8), row 15 (id 12)",
        "1 the id came before in this file: row 12 (id 10)",
        "1 longer than 24 h, credited 24 h: row 10 (id 9)",
        "1 no end, imported as a visit without length: row 11 (id 10)",
    ):
        assert line in lines, lines
    assert store.rows("SELECT max(ended_at - started_at) AS ms FROM segment") == [{"ms": 86_400_000}]
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize("header", [HEADER, HEADER[1:]], ids=["numbered", "without numbers"])
def test_a_second_run_imports_nothing_twice(store: Store, tmp_path: Path, header: list[str]) -> None:
    def export(end: str) -> Path:
        rows = [
            record(1, "2024-05-01 10:00:00", "2024-05-01 10:10:00"),
            record(2, "2024-05-01 10:00:00", "2024-05-01 10:10:00"),
            record(3, "2024-05-01 12:00:00", end),
            record(4, "2024-05-01 10:00:00", "2024-05-01 10:10:00", "bob@example.org"),
        ]
        return exported(tmp_path, *(row[len(HEADER) - len(header) :] for row in rows), header=header)

    file = export("2024-05-01 12:10:00")
    assert brought(tmp_path, file, store, "--dry-run")[1] == "4 would be imported"
    assert brought(tmp_path, file, store)[1] == "4 imported"
    assert brought(tmp_path, file, store)[1:] == ["0 imported", "4 known already"]
    later = export("2024-05-01 12:40:00")
    assert brought(tmp_path, later, store, "--dry-run")[2] == (
        "1 known and longer now: would be brought up to date"
    )
    assert brought(tmp_path, later, store)[1:] == [
        "0 imported", "1 known and longer now: brought up to date", "3 known already",
    ]  # fmt: skip
    assert brought(tmp_path, file, store)[1:] == ["0 imported", "4 known already"]
    assert store.rows("SELECT count(*) AS n FROM segment") == [{"n": 4}]
    assert store.rows("SELECT max(last_seen_at - started_at) AS ms FROM session") == [{"ms": 2_400_000}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_separator_that_nocodb_offers(store: Store, tmp_path: Path, delimiter: str) -> None:
    file = exported(
        tmp_path, record(1, "2024-05-01 10:00:00", "2024-05-01 10:10:00"), delimiter=delimiter
    )
    assert brought(tmp_path, file, store)[1] == "1 imported"


def test_quotes_marks_and_line_ends(store: Store, tmp_path: Path) -> None:
    row = '1,"a note, with ""quotes""\r\nand lines",ann@example.org,2024-05-01 10:00:00,2024-05-01 10:10:00\r\n'
    file = tmp_path / "records.csv"
    header = "Id,Note,emailOfAccessor,sessionStartTime,sessionEndTime\r\n"
    file.write_bytes(("\ufeff" + header + row).encode())
    assert brought(tmp_path, file, store)[1] == "1 imported"


def test_other_names_are_told_by_a_mapping(store: Store, tmp_path: Path) -> None:
    row = record(1, "2024-05-01 10:00:00", "2024-05-01 10:10:00")
    file = exported(tmp_path, row, header=["Id", "Created", "Who", "From", "To"])
    refused = bring(tmp_path, file, store)
    assert refused.returncode == CONFIGURATION_ERROR
    assert "records.email must be the name of a column" in refused.stderr and "Who" in refused.stderr
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("records:\n  email: Who\n  start: [Begin, From]\n  end: To\n")
    assert brought(tmp_path, file, store, "--mapping", str(mapping))[1] == "1 imported"
    printed = run_dwell("import", "nocodb", "--print-mapping", folder=tmp_path).stdout
    assert "email: [emailOfAccessor" in printed
    mapping.write_text("recrods: {}\n")
    wrong = bring(tmp_path, file, store, "--mapping", str(mapping))
    assert wrong.returncode == CONFIGURATION_ERROR and "recrods" in wrong.stderr


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    store = SQLiteFile(tmp_path / "new.sqlite")
    broken = tmp_path / "broken.csv"
    for content, naming in (
        (b'emailOfAccessor,sessionStartTime,sessionEndTime\n"a"b,c,d\n', "a quotation mark"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"", "the name of a column"),
    ):
        broken.write_bytes(content)
        refused = bring(tmp_path, broken, store)
        assert refused.returncode == CONFIGURATION_ERROR
        assert naming in refused.stderr
    missing = bring(tmp_path, tmp_path / "missing.csv", store)
    assert missing.returncode == CONFIGURATION_ERROR
    assert not store.path.exists()


def test_five_thousand_records(store: Store, tmp_path: Path) -> None:
    rows = [
        record(n, f"2024-05-{n % 28 + 1:02} 10:00:{n % 60:02}", f"2024-05-{n % 28 + 1:02} 10:10:00", f"v{n % 999}@example.org")
        for n in range(5000)
    ]  # fmt: skip
    assert brought(tmp_path, exported(tmp_path, *rows), store)[1] == "5000 imported"
