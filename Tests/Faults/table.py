"""What came out, as a table for people."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass

from .load import NO_ANSWER, Load

IS_LONG = os.environ.get("DWELL_FAULTS") == "long"
"""Whether faults last as long as docs/faults.md says; else as long as it takes to see them, and whatever else the machine
does meanwhile may make things slower than it says there.
"""

HEAD = ("fault", "clients saw", "longest wait", "back after", "acknowledged", "lost")


@dataclass(frozen=True)
class Row:
    fault: str
    statuses: Counter[int]
    longest: float
    recovery: float | None
    acknowledged: int
    lost: int
    remark: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        return (
            self.fault + (f" ({self.remark})" if self.remark else ""),
            ", ".join(seen(status, number) for status, number in sorted(self.statuses.items())),
            f"{self.longest:.1f} s",
            "–" if self.recovery is None else f"{self.recovery:.1f} s",
            f"{self.acknowledged:,}",
            str(self.lost),
        )


def seen(status: int, number: int) -> str:
    if status == 200:
        return "200"
    return f"{number:,} × {'no answer' if status == NO_ANSWER else status}"


class Table:
    """The rows and the other measurements of one run."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.measured: list[tuple[str, str]] = []

    def add(
        self,
        fault: str,
        load: Load,
        recovery: float | None,
        remark: str = "",
        also: tuple[int, ...] = (),
    ) -> Row:
        """Notes what a load saw, and fails where it saw what it must not."""
        lost = load.lost()
        row = Row(
            fault, load.statuses, load.longest(), recovery, load.acknowledged, len(lost), remark
        )
        self.rows.append(row)
        assert not lost, lost[:5]
        for node in load.server.nodes:
            assert node.is_running, f"ended with {node.exit_code}\n{node.logs[-2000:]}"
        assert set(row.statuses) <= {200, 503, *also}, row
        refused = [reply for reply in load.during if reply.status == 503]
        assert all(int(reply.retry_after or 0) >= 1 for reply in refused), "503 without Retry-After"
        return row

    def measure(self, what: str, result: str) -> None:
        self.measured.append((what, result))

    def text(self) -> str:
        lines = [cells(HEAD), cells(("---",) * len(HEAD))]
        lines += [cells(row.cells) for row in self.rows]
        if self.measured:
            lines += ["", cells(("also", "measured")), cells(("---", "---"))]
            lines += [cells(pair) for pair in self.measured]
        return "\n".join(lines) + "\n"


def cells(texts: tuple[str, ...]) -> str:
    return f"| {' | '.join(texts)} |"
