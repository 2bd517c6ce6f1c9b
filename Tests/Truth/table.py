"""The table as people read it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable
from datetime import datetime

from .chromium import CHROMIUM
from .clock import SECOND
from .cost import Cost
from .play import Row
from .registry import SCENARIOS
from .runs import CORES
from .scene import Measures

TEMPLATE = """# How true it is

    script/truth

plays visits whose truth is known to the test, in a real Chromium against the real program, and
compares what Dwell tells of them. `script/truth --write` writes this page. These are the figures of
{made}, all of one run of {lasted} on {cores} cores with {chromium}.

{table}

{films}

- Truth and Dwell: elapsed / visible / engaged; one figure where all three are the same.
- `*` waits in real time, without any control of clocks. In the others the clocks of the pages
  (Playwright) and of the server (libfaketime) are moved together; nothing in Dwell knows of that.
- *May be*: the largest possible error, as Dwell itself gives it with every figure.
- *Blueprint*: what the [heartbeat blueprint](switching.md#from-the-heartbeat-blueprint), which keeps
  one end time a session, reports of the very same visit, from a second script on the same page: last
  beat minus first beat, a beat every 3 minutes, none while hidden. Its error is against the visible
  time.

The aim is an error of 1 s at most. {misses}

## What the script costs

{cost}
"""
HEAD = ["scenario", "what happens", "truth", "Dwell", "error, s", "may be, s", "blueprint", "error"]
FILM_HEAD = ["film", "truth: played / of the film", "Dwell", "error, s"]
MINUTE_S = 60
HOUR_S = 3600


def markdown(rows: Iterable[Row]) -> str:
    return _table(HEAD, (_cells(row) for row in rows))


def films(rows: Iterable[Row]) -> str:
    return _table(FILM_HEAD, (_film_cells(row) for row in rows if row.film_truth))


def misses(rows: Iterable[Row]) -> str:
    """A paragraph for every scenario that is further off than the aim."""
    missing = [row for row in rows if row.misses]
    if not missing:
        return "All are within it."
    reasons = [f"**{row.name}**: {SCENARIOS[row.name].why or 'not known yet.'}" for row in missing]
    return "\n\n".join([f"**Bold** ones miss it, {len(missing)} scenarios:", *reasons])


def document(rows: list[Row], cost: Cost, made: datetime, lasted: float) -> str:
    """docs/truth.md: what a run gave, and nothing else."""
    return TEMPLATE.format(
        made=f"{made:%Y-%m-%d, %H:%M} UTC",
        lasted=f"{lasted:.0f} s",
        cores=CORES,
        chromium=_version(),
        table=markdown(rows),
        films=films(rows),
        misses=misses(rows),
        cost=cost,
    )


def _version() -> str:
    """What the browser calls itself."""
    asked = subprocess.run([CHROMIUM, "--version"], capture_output=True, text=True, check=True)
    return " ".join(asked.stdout.split()[:2])


def duration(milliseconds: int) -> str:
    """`17.2 s`, `12:00 min`, `8:10:00 h`."""
    seconds = milliseconds / SECOND
    if seconds < 100:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < HOUR_S:
        return f"{whole // MINUTE_S}:{whole % MINUTE_S:02d} min"
    return f"{whole // HOUR_S}:{whole % HOUR_S // MINUTE_S:02d}:{whole % MINUTE_S:02d} h"


def _table(head: list[str], lines: Iterable[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *lines])


def _cells(row: Row) -> list[str]:
    scenario = SCENARIOS[row.name]
    error = _each(row.error, _signed)
    return [
        _name(row),
        scenario.what,
        _each(row.truth, duration),
        _each(row.told, duration),
        f"**{error}**" if row.misses else error,
        _each(row.possible_error, _seconds),
        duration(row.blueprint),
        _difference(row.blueprint_error),
    ]


def _film_cells(row: Row) -> list[str]:
    truth, told = row.film_truth, row.film_told
    assert truth and told
    return [
        _name(row),
        f"{duration(truth.played)} / {duration(truth.seen)}",
        f"{duration(told.played)} / {duration(told.seen)}",
        f"{_signed(told.played - truth.played)} / {_signed(told.seen - truth.seen)}",
    ]


def _name(row: Row) -> str:
    return row.name + ("*" if SCENARIOS[row.name].real else "")


def _each(measures: Measures, written: Callable[[int], str]) -> str:
    """Three figures; one when all are the same."""
    figures = [written(one) for one in (measures.elapsed, measures.visible, measures.engaged)]
    return figures[0] if len(set(figures)) == 1 else " / ".join(figures)


def _difference(milliseconds: int) -> str:
    return ("-" if milliseconds < 0 else "+") + duration(abs(milliseconds))


def _signed(milliseconds: int) -> str:
    return f"{round(milliseconds / SECOND, 2) + 0.0:+.2f}"  # Never -0.00.


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / SECOND:.1f}"
