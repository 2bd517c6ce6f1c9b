"""The table as people read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from .clock import SECOND
from .cost import Cost
from .play import Row
from .registry import SCENARIOS
from .scene import Measures

MINUTE_S = 60
HOUR_S = 3600
TEMPLATE = """# How true it is

    script/truth

plays visits whose truth the test knows, in a real Chromium against the real program, and compares what Dwell tells of
them. `script/truth --write` writes this page. This is the run of {made}.

The last two columns are what the heartbeat blueprint reports of the very same visit, from a second script on the same
page: last beat minus first beat, a beat every 3 minutes, none while hidden. Its error is against the visible time.

\\* waits in real time, with no clock control at all. In the others the pages' clocks (Playwright) and the server's
(libfaketime) are moved together; nothing in Dwell knows. Where one figure stands for three, all three are the same.

{table}

The aim is an error of 1 s at most. **Bold** errors miss it:

{misses}

## What the script costs

{cost}
"""
HEAD = [
    "scenario",
    "what happens",
    "truth: elapsed / visible / engaged",
    "Dwell",
    "error (s)",
    "possible error (s)",
    "blueprint",
    "its error",
]


def markdown(rows: Iterable[Row]) -> str:
    lines = [HEAD, ["---"] * len(HEAD), *(_cells(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def misses(rows: Iterable[Row]) -> str:
    """A paragraph for every figure that is further off than the aim."""
    return "\n\n".join(
        f"**{row.name}**: {SCENARIOS[row.name].why or 'nobody knows why yet.'}"
        for row in rows
        if row.misses
    )


def document(rows: list[Row], cost: Cost, made: datetime) -> str:
    """docs/truth.md: what a run gave, and nothing else."""
    return TEMPLATE.format(
        made=f"{made:%Y-%m-%d, %H:%M} UTC",
        table=markdown(rows),
        misses=misses(rows),
        cost=cost,
    )


def _cells(row: Row) -> list[str]:
    scenario = SCENARIOS[row.name]
    return [
        row.name + ("*" if scenario.real else ""),
        scenario.what,
        _each(row.truth, duration),
        _each(row.told, duration),
        ("**{}**" if row.misses else "{}").format(_each(row.error, _signed)),
        _each(row.possible_error, _seconds) if row.possible_error else "",
        duration(row.blueprint),
        rough(row.blueprint_error),
    ]


def _each(measures: Measures, written: Callable[[int], str]) -> str:
    """Three figures; one when all are the same."""
    figures = [written(one) for one in (measures.elapsed, measures.visible, measures.engaged)]
    return figures[0] if len(set(figures)) == 1 else " / ".join(figures)


def duration(milliseconds: int) -> str:
    """`17.2 s`, `12:00 min`, `8:10:00 h`."""
    seconds = milliseconds / SECOND
    if seconds < 100:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < HOUR_S:
        return f"{whole // MINUTE_S}:{whole % MINUTE_S:02d} min"
    return f"{whole // HOUR_S}:{whole % HOUR_S // MINUTE_S:02d}:{whole % MINUTE_S:02d} h"


def rough(milliseconds: int) -> str:
    """A difference in the blueprint's own order of magnitude."""
    sign = "-" if milliseconds < 0 else "+"
    return sign + duration(abs(milliseconds))


def _signed(milliseconds: int) -> str:
    return f"{milliseconds / SECOND:+.2f}"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / SECOND:.2f}"
