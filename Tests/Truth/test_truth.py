"""Every scenario of the truth table is a test: Dwell tells what really happened."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, wait

import pytest

from . import scenarios  # noqa: F401
from .play import Row
from .registry import SCENARIOS
from .runs import run, run_all, run_cost

pytestmark = pytest.mark.timeout(900)  # The first one waits while those beside it run.
GZIPPED_LIMIT = 4 * 1024


@pytest.fixture(scope="module")
def rows(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Row]]]:
    """Starts every scenario that is asked for, beside one another."""
    here = [item for item in request.session.items if item.path == request.path]
    started = run_all(item.callspec.params["name"] for item in here if hasattr(item, "callspec"))
    yield started
    for future in started.values():
        future.cancel()


# Those that wait in real time come last, when those that take as much of the machine as they get have ended.
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SCENARIOS, key=lambda name: SCENARIOS[name].real))
def test_dwell_tells_the_truth(name: str, rows: dict[str, Future[Row]]) -> None:
    row = rows[name].result()
    if row.problems and SCENARIOS[name].real:
        # A film or a page that the others kept waiting is off by as much: what it tells when it is alone counts.
        wait(rows.values())
        row = run(name)
    assert not row.problems, row.problems


@pytest.mark.slow
def test_the_script_is_small() -> None:
    """How long it keeps the main thread busy is measured as well, and printed; that depends on the machine."""
    assert run_cost().gzipped <= GZIPPED_LIMIT
