"""`dwell recompute`: statistics follow from segments; computing them anew changes nothing."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from dwell_process import BINARY, PATIENCE, Dwell, clean_environment, let_pass

from .helpers import (
    Visitor,
    beat_by_token,
    beat_of,
    now_ms,
    person,
    refused_by_gate,
    segment,
    succeeded,
    visitor,
)

TABLES = ["session", "segment", "content", "viewer", "account", "device"]
DERIVED = "SELECT * FROM daily_statistic ORDER BY viewer_id, day, content_id"


@dataclass
class Recomputed:
    waiting: int
    days: int
    changed: int


def recompute(server: Dwell) -> Recomputed:
    ended = server.run("recompute")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    found = re.fullmatch(
        r"(\d+) days were waiting .*\n(\d+) days .* (\d+) of them were different\.\n"
        r"\d+ totals of everybody .*\n\d+ times somebody .* 0 of them were different\.\n\d+ videos .* 0 of them were different\.\n",
        ended.stdout,
    )
    assert found, ended.stdout
    return Recomputed(*(int(number) for number in found.groups()))


def trigger(server: Dwell) -> None:
    succeeded(server.client().get("/cronjob/trigger?accessKey=secretcronjob"))


def stored(server: Dwell) -> dict[str, Any]:
    """Everything that segments, and what leads to them, say."""
    return {
        table: sorted(server.sql(f"SELECT * FROM {table}"), key=repr) for table in TABLES
    }


def change(server: Dwell, statement: str, *values: object) -> None:
    """Changes the database behind the program's back."""
    assert server.store.change(statement, *values) > 0


def live(server: Dwell) -> Visitor:
    """A history with everything in it that days are made of."""
    ann, bea = visitor(server), person(server).login()
    bea.init("lesson")
    let_pass(0.6)
    now = now_ms()
    media = {"video": "lesson", "mediaFrom": 0, "mediaTo": 250, "rate": 1}
    first = segment(n=1, page="/a", **{"from": now - 500, "to": now - 300})
    succeeded(ann.beat(first))
    succeeded(ann.beat(segment(n=2, attention="idle", **{"from": now - 300, "to": now})))
    succeeded(ann.beat(first | {"to": now - 250, "end": "hidden"}))
    succeeded(ann.beat(segment(tab="two", end="lost", **{"from": now - 400, "to": now}, **media)))
    refused_by_gate(ann.beat(segment(n=3, end="asleep"), segment(n=-1)))
    succeeded(ann.beat())
    succeeded(beat_by_token(server, ann.token, segment(tab="later", page="/b")))
    succeeded(bea.client.post("/api/session-heartbeat", json=beat_of(segment(page="/a"))))
    bea.log()
    visitor(server)
    return ann


@pytest.fixture
def lived(fresh_dwell: Any) -> Iterator[Dwell]:
    server = fresh_dwell()
    live(server)
    trigger(server)
    yield server


def test_computing_everything_anew_changes_nothing(lived: Dwell) -> None:
    days, rest = lived.sql(DERIVED), stored(lived)
    assert len(days) > 4
    result = recompute(lived)
    assert (result.waiting, result.changed) == (0, 0)
    assert result.days >= 2
    assert lived.sql(DERIVED) == days
    assert stored(lived) == rest


def test_it_needs_no_server(lived: Dwell) -> None:
    days = lived.sql(DERIVED)
    lived.stop()
    assert recompute(lived).changed == 0
    assert lived.sql(DERIVED) == days


def test_days_that_were_waiting_are_computed_and_are_no_difference(fresh_dwell) -> None:
    server = fresh_dwell()
    live(server)
    assert server.sql("SELECT * FROM dirty_day")
    result = recompute(server)
    assert result.waiting >= 2
    assert result.changed == 0
    days = server.sql(DERIVED)
    assert days
    trigger(server)
    assert server.sql(DERIVED) == days


@pytest.mark.parametrize("column", ["visible_ms", "engaged_ms", "raw_ms", "visible_error_ms", "engaged_error_ms"])
def test_a_figure_that_was_tampered_with_is_put_right(lived: Dwell, column: str) -> None:
    days = lived.sql(DERIVED)
    # As far as the table's own checks let one go.
    changed = "engaged_ms / 2" if column == "engaged_ms" else f"{column} + 12345"
    change(
        lived,
        f"UPDATE daily_statistic SET {column} = {changed} WHERE content_id = 0"
        " AND viewer_id = (SELECT min(viewer_id) FROM daily_statistic)",
    )
    assert lived.sql(DERIVED) != days
    result = recompute(lived)
    assert result.changed == 1
    assert lived.sql(DERIVED) == days
    assert recompute(lived).changed == 0


def test_figures_that_were_taken_away_come_back(lived: Dwell) -> None:
    days = lived.sql(DERIVED)
    change(lived, "DELETE FROM daily_statistic")
    assert recompute(lived).changed >= 2
    assert lived.sql(DERIVED) == days


def test_figures_that_rest_on_nothing_go(lived: Dwell) -> None:
    days = lived.sql(DERIVED)
    change(
        lived,
        "INSERT INTO daily_statistic (viewer_id, day, content_id, visible_ms, engaged_ms)"
        " SELECT max(id), 3, 0, 5, 5 FROM viewer",
    )
    assert recompute(lived).changed == 1
    assert lived.sql(DERIVED) == days


def test_an_empty_database_has_nothing_to_compute(fresh_dwell) -> None:
    assert recompute(fresh_dwell()) == Recomputed(0, 0, 0)


def test_it_runs_beside_a_server_that_takes_beats(lived: Dwell) -> None:
    guests = [visitor(lived) for _ in range(3)]
    statuses: list[int] = []
    done = threading.Event()

    def beat(guest: Visitor) -> None:
        deadline = time.monotonic() + 20
        n = 0
        while not done.is_set() and time.monotonic() < deadline:
            n += 1
            statuses.append(guest.beat(segment(n=n, page=f"/{n % 5}")).status_code)

    threads = [threading.Thread(target=beat, args=(guest,)) for guest in guests]
    for thread in threads:
        thread.start()
    try:
        results = [lived.run("recompute") for _ in range(5)]
    finally:
        done.set()
        for thread in threads:
            thread.join(30)
    for ended in results:
        assert (ended.returncode, ended.stderr) == (0, "")
    assert len(statuses) > 20
    assert set(statuses) == {200}
    trigger(lived)
    days = lived.sql(DERIVED)
    assert recompute(lived).changed == 0
    assert lived.sql(DERIVED) == days
    assert [len(guest.stored) for guest in guests] == [
        max(row["n"] for row in guest.stored) for guest in guests
    ]


# How far it has come


def on_a_terminal(server: Dwell, *arguments: str) -> tuple[int, str, str]:
    """Runs a command whose stderr is a terminal: its exit code, what it printed, and drew."""
    ours, theirs = pty.openpty()
    drawn = b""
    try:
        process = subprocess.Popen(
            [str(BINARY), *arguments, "--database-url", server.database_url],
            cwd=server.folder, env=clean_environment(server.env), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        deadline = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < deadline and select.select([ours], [], [], PATIENCE)[0]:
                try:
                    piece = os.read(ours, 4096)
                except OSError:  # Linux: nobody holds the other end any more.
                    break
                if not piece:
                    break
                drawn += piece
            output, _ = process.communicate(timeout=PATIENCE)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    finally:
        os.close(ours)
    return process.returncode, output.decode(), drawn.decode()


def test_a_terminal_is_shown_how_far_it_has_come(lived: Dwell) -> None:
    code, output, drawn = on_a_terminal(lived, "recompute")
    assert code == 0
    assert "0 of them were different" in output
    percents = [int(number) for number in re.findall(r"(\d+) %", drawn)]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert "█" in drawn
    assert drawn.endswith("\r\x1b[K"), "the bar is taken away in the end"
    assert "\n" not in drawn
    assert "%" not in output and "█" not in output


def test_what_is_no_terminal_is_shown_no_bar(lived: Dwell) -> None:
    ended = lived.run("recompute")
    assert ended.stderr == ""
    assert not re.search(r"[█░%\r\x1b]", ended.stdout)


def test_a_database_that_is_not_there_is_not_made_for_it(tmp_path) -> None:
    server = Dwell(tmp_path)
    ended = server.run("recompute")
    assert ended.returncode == 0 or "database" in ended.stderr


def test_an_unknown_argument_is_refused(lived: Dwell) -> None:
    ended = lived.run("recompute", "everything")
    assert ended.returncode == 64
    assert "everything" in ended.stderr
