"""Plays one scenario, and says what came out."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from . import scenarios  # noqa: F401
from .clock import MovedClock, RealClock
from .registry import AIM, SCENARIOS, Scenario
from .scene import Measures, Scene

LOADING = 500  # A page that is loading is there already, but its script has not begun.


@dataclass(frozen=True)
class Row:
    """A line of the table: milliseconds throughout."""

    name: str
    truth: Measures
    told: Measures
    possible_error: Measures | None
    blueprint: int

    @property
    def error(self) -> Measures:
        return self.told.minus(self.truth)

    @property
    def blueprint_error(self) -> int:
        return self.blueprint - self.truth.visible

    @property
    def misses(self) -> bool:
        return self.error.largest > AIM

    @property
    def problems(self) -> list[str]:
        """What is wrong with these figures; nothing, if all is well."""
        scenario = SCENARIOS[self.name]
        slack = LOADING if scenario.real else 0
        found = []
        for measure, error in asdict(self.error).items():
            if abs(error) > scenario.within:
                found.append(f"{self.name}: {measure} is {error} ms off")
            possible = asdict(self.possible_error)[measure] if self.possible_error else None
            if possible is not None and abs(error) > possible + slack:
                found.append(f"{self.name}: {measure} is {error} ms off, said to be {possible}")
        return found

    @staticmethod
    def of(given: dict[str, Any]) -> Row:
        possible = given["possible_error"]
        return Row(
            given["name"],
            Measures(**given["truth"]),
            Measures(**given["told"]),
            Measures(**possible) if possible else None,
            given["blueprint"],
        )


def play(name: str) -> Row:
    """Plays a scenario in this process."""
    scenario = SCENARIOS[name]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        with sync_playwright() as playwright:
            clock = _clock(scenario, Path(folder))
            scene = Scene(Path(folder), playwright, clock, scenario.flags, scenario.off_by)
            try:
                outcome = scenario.play(scene)
            finally:
                scene.close()
    blueprint = scene.blueprint.duration
    return Row(name, outcome.truth, outcome.told, outcome.possible_error, blueprint)


def _clock(scenario: Scenario, folder: Path) -> RealClock | MovedClock:
    return RealClock() if scenario.real else MovedClock(folder, scenario.start)
