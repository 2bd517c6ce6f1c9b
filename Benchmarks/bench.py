"""Measures Dwell beside what it should reach: one run, one machine. See Benchmarks/README.md, or script/bench."""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from pathlib import Path

from cases import CASES, QUICK, Bench, Sizes
from table import Figure, as_json, machine


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"all without one: {', '.join(CASES)}")
    parser.add_argument("--quick", action="store_true", help="little data and short measures: minutes, and no proof")
    parser.add_argument("--scale", type=float, default=1, help="so much of the data, such as 0.1; the table says so")
    parser.add_argument("--history", type=Path, metavar="FOLDER", help="keep the long history there, and use it again")
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--connections", type=int, default=256)
    parser.add_argument("--seconds", type=int, help="of one measure (default: 10, with --quick 3)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for case in options.cases:
        if case not in CASES:
            parser.error(f"no case {case}; there are {', '.join(CASES)}")
    if not 0 < options.scale <= 1:
        parser.error("--scale must be more than 0 and at most 1")
    if options.history and options.store != "sqlite":
        parser.error("--history is a folder for SQLite")
    return options


def main() -> None:
    options = read_options()
    seconds = options.seconds or (3 if options.quick else 10)
    conditions: dict[str, object] = {
        "date": time.strftime("%Y-%m-%d"), "store": options.store, "connections": options.connections,
        "seconds": seconds, "quick": options.quick, "scale": options.scale,
    }
    if not options.json:
        print(
            f"{machine()['cores']} cores, {options.store}, {options.connections} connections, {seconds} s a measure"
            + (f", {options.scale:g} of the data" if options.scale < 1 else "")
            + (", QUICK: scaled down, compare nothing with the aims" if options.quick else ""),
            flush=True,
        )
    figures: list[Figure] = []
    with ExitStack() as run:
        sizes = QUICK if options.quick else Sizes().scaled(options.scale)
        bench = Bench(run, sizes, options.store, options.connections, seconds, options.history)
        for name in options.cases or CASES:
            with ExitStack() as bench.stack:
                for figure in CASES[name](bench):
                    figures.append(figure)
                    if not options.json:
                        print(figure.line(), flush=True)
    if options.json:
        print(as_json(conditions, figures))


if __name__ == "__main__":
    main()
