"""The scenarios by their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .clock import MORNING, SECOND
from .scene import Outcome, Scene

AIM = SECOND


@dataclass(frozen=True)
class Scenario:
    """A visit with a known truth.

    `real` ones take as long as they say; the others move the clocks. One that is expected to miss
    the aim has a larger `within`, and says `why`.
    """

    name: str
    what: str
    play: Callable[[Scene], Outcome]
    real: bool
    start: int
    flags: tuple[str, ...]
    within: int
    why: str
    off_by: int


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    name: str,
    what: str,
    *,
    real: bool = False,
    start: int = MORNING,
    flags: tuple[str, ...] = (),
    within: int = AIM,
    why: str = "",
    off_by: int = 0,
) -> Callable[[Callable[[Scene], Outcome]], Callable[[Scene], Outcome]]:
    """Registers a scenario under its name."""
    assert (within > AIM) == bool(why), f"{name}: a figure that misses the aim has a reason"

    def register(play: Callable[[Scene], Outcome]) -> Callable[[Scene], Outcome]:
        SCENARIOS[name] = Scenario(name, what, play, real, start, flags, within, why, off_by)
        return play

    return register
