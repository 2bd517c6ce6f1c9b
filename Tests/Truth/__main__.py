"""`python -m Truth`: see script/truth."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime

from dwell_process import REPOSITORY

from .cost import measure
from .play import play
from .registry import SCENARIOS
from .runs import TIME_LIMIT_S, run_all, run_cost
from .table import document, films, markdown, misses

DOCUMENT = REPOSITORY / "docs" / "truth.md"


def in_time(work: Callable[[], object]) -> None:
    """Does one thing, prints what came out for a program, and gives up in time."""

    def too_late(*_: object) -> None:
        raise TimeoutError(f"not over after {TIME_LIMIT_S} s")

    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(TIME_LIMIT_S)
    print(json.dumps(work()))


def table(write: bool) -> int:
    """Plays them all, prints the table, and says what failed."""
    began = datetime.now(UTC)
    rows, failed = [], []
    for name, future in run_all(SCENARIOS).items():
        try:
            rows.append(future.result())
        except AssertionError as error:
            failed.append(str(error))
    rows.sort(key=lambda row: list(SCENARIOS).index(row.name))
    spent = run_cost()
    lasted = (datetime.now(UTC) - began).total_seconds()
    parts = [markdown(rows), films(rows), misses(rows), spent, f"All of it took {lasted:.0f} s."]
    print(*parts, sep="\n\n")
    print(*failed, sep="\n\n", file=sys.stderr)
    wrong = [problem for row in rows for problem in row.problems]
    print(*wrong, sep="\n", file=sys.stderr)
    if write and not failed:
        DOCUMENT.write_text(document(rows, spent, began, lasted))
    return 1 if failed or wrong else 0


def main(words: list[str]) -> int:
    match words:
        case ["one", name]:
            in_time(lambda: asdict(play(name)))
            return 0
        case ["cost"]:
            in_time(lambda: asdict(measure()))
            return 0
        case [] | ["--write"]:
            return table(write=bool(words))
    print("script/truth [--write]", file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
