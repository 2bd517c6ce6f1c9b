"""Runs scenarios beside one another, each in a process of its own that cannot outlast its time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from dwell_process import REPOSITORY

from .cost import Cost
from .play import Row
from .registry import SCENARIOS

CORES = os.cpu_count() or 1
WAITING_AT_ONCE = min(4, CORES)  # Those that wait in real time play films, which must not be kept waiting,
MOVING_AT_ONCE = max(1, CORES // 2)  # those that move clocks take as much as they get.
TIME_LIMIT_S = 450
GRACE_S = 20


def run_all(names: Iterable[str]) -> dict[str, Future[Row]]:
    """Starts all of them."""
    waiting, moving = ThreadPoolExecutor(WAITING_AT_ONCE), ThreadPoolExecutor(MOVING_AT_ONCE)
    futures = {
        name: (waiting if SCENARIOS[name].real else moving).submit(run, name) for name in names
    }
    for pool in (waiting, moving):
        pool.shutdown(wait=False)
    return futures


def run(name: str) -> Row:
    return Row.of(_in_a_process("one", name))


def run_cost() -> Cost:
    return Cost(**_in_a_process("cost"))


def _in_a_process(*words: str) -> dict[str, Any]:
    what = " ".join(words)
    process = subprocess.Popen(
        [sys.executable, "-m", "Truth", *words],
        cwd=REPOSITORY / "Tests",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=TIME_LIMIT_S + GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        raise AssertionError(f"{what}: it did not even give up\n{errors}") from None
    assert process.returncode == 0, f"{what}:\n{errors}"
    return json.loads(output.splitlines()[-1])
