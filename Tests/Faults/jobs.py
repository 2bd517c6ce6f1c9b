"""Watches on which node a background job runs, and where it moves to.

Nodes look once a minute whether a job is due, so this goes on beside the other faults.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from dwell_process import eventually
from stores import PostgresCluster, PostgresDatabase

from .nodes import NamedNodes

LOOK_S = 60
JOB = "statistics"
NOTES = (
    "CREATE TABLE taken (node TEXT NOT NULL)",
    """
    CREATE FUNCTION note_taken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.name = 'statistics' AND NEW.due_at > OLD.due_at AND OLD.due_at <= 1 THEN
            INSERT INTO taken VALUES (current_setting('application_name'));
        END IF;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER note_taken AFTER UPDATE ON job FOR EACH ROW EXECUTE FUNCTION note_taken()",
)


@dataclass(frozen=True)
class Moved:
    """Which nodes ran the job, in order, and how long after the first one's end the second did."""

    first: str
    second: str
    moved_after: float
    runs: Counter[str]


class JobWatch:
    def __init__(self, cluster: PostgresCluster, folder: Path) -> None:
        self.store = PostgresDatabase(cluster)
        self.server = NamedNodes(folder, self.store)
        self._seen: Future[Moved] = Future()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> JobWatch:
        self.server.start()
        for statement in NOTES:
            self.store.change(statement)
        self._thread.start()
        return self

    def outcome(self, within: float) -> Moved:
        return self._seen.result(within)

    def discard(self) -> None:
        self._ended.set()
        self._thread.join(10)
        self.server.discard()

    def _run(self) -> None:
        try:
            self._seen.set_result(self._watch())
        except BaseException as error:
            self._seen.set_exception(error)

    def _watch(self) -> Moved:
        # The first look makes the row; it is due at once.
        first = self._taken(1)
        killed = self.server.nodes[int(first)]
        killed.kill()
        at = time.monotonic()
        self.store.change("UPDATE job SET due_at = 0 WHERE name = ?", JOB)
        second = self._taken(2)
        runs = Counter(row["node"] for row in self.store.rows("SELECT node FROM taken"))
        return Moved(first, second, time.monotonic() - at, runs)

    def _taken(self, times: int) -> str:
        """Waits until the job was taken so often, and gives the node that took it last."""

        def last() -> str | None:
            assert not self._ended.wait(0.2), "nobody waits any more"
            rows = self.store.rows("SELECT node FROM taken")
            return rows[-1]["node"] if len(rows) >= times else None

        return eventually(last, LOOK_S + 15, f"a job taken {times} times")
