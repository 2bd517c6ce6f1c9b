"""Plays one scenario, and says what came out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from . import scenarios  # noqa: F401
from .clock import MovedClock, RealClock
from .registry import AIM, SCENARIOS, Scenario
from .scene import Film, Measures, Scene

LOADING = 500  # A page that is loading is there already, but its script has not begun.


@dataclass(frozen=True)
class Row:
    """A line of the table: milliseconds throughout."""

    name: str
    truth: Measures
    told: Measures
    possible_error: Measures
    blueprint: int
    film_truth: Film | None
    film_told: Film | None

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
        return [f"{self.name}: {problem}" for problem in self._problems()]

    def _problems(self) -> Iterator[str]:
        scenario = SCENARIOS[self.name]
        slack = LOADING if scenario.real else 0
        possible_errors = asdict(self.possible_error)
        for measure, error in asdict(self.error).items():
            possible = possible_errors[measure]
            if abs(error) > scenario.within:
                yield f"{measure} is {error} ms off"
            if abs(error) > possible + slack:
                yield f"{measure} is {error} ms off, which is said to be {possible} at most"
        if self.film_truth and self.film_told:
            told = asdict(self.film_told)
            for measure, truth in asdict(self.film_truth).items():
                if abs(told[measure] - truth) > AIM:
                    yield f"of the film, {measure} is {told[measure]} ms instead of {truth}"

    @staticmethod
    def of(given: dict[str, Any]) -> Row:
        """Reads a row that another process has written as JSON."""
        return Row(
            given["name"],
            Measures(**given["truth"]),
            Measures(**given["told"]),
            Measures(**given["possible_error"]),
            given["blueprint"],
            Film(**given["film_truth"]) if given["film_truth"] else None,
            Film(**given["film_told"]) if given["film_told"] else None,
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
    return Row(
        name,
        outcome.truth,
        outcome.told,
        outcome.possible_error,
        scene.blueprint.duration,
        outcome.film_truth,
        outcome.film_told,
    )


def _clock(scenario: Scenario, folder: Path) -> RealClock | MovedClock:
    return RealClock() if scenario.real else MovedClock(folder, scenario.start)
