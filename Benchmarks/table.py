"""What a benchmark found, beside what it should be."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from dataclasses import dataclass


@dataclass(frozen=True)
class Aim:
    """What a figure should be; it is printed, never asserted."""

    bound: float
    is_least: bool

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {self.bound:,g}"

    def is_met(self, value: float) -> bool:
        return value >= self.bound if self.is_least else value <= self.bound


def at_least(bound: float) -> Aim:
    return Aim(bound, is_least=True)


def at_most(bound: float) -> Aim:
    return Aim(bound, is_least=False)


@dataclass(frozen=True)
class Figure:
    """One line of the table. Ratios have no unit."""

    name: str
    value: float
    unit: str = ""
    aim: Aim | None = None
    #: What the figure is made of.
    detail: str = ""

    def line(self) -> str:
        digits = 2 if self.unit == "" else 1 if self.value < 100 else 0
        value = f"{self.value:,.{digits}f} {self.unit}".strip()
        aim, verdict = "", ""
        if self.aim is not None:
            aim = str(self.aim)
            verdict = "met" if self.aim.is_met(self.value) else "missed"
        return f"{self.name:<64}{value:>19}{aim:>11}  {verdict:<7} {self.detail}".rstrip()


def ratio(name: str, value: float, base: float, unit: str, aim: Aim) -> Figure:
    """A figure that is one rate divided by another."""
    return Figure(name, value / base, aim=aim, detail=f"{value:,.0f} ÷ {base:,.0f} {unit}")


def cores() -> int:
    return os.cpu_count() or 1


def machine() -> dict[str, object]:
    return {"cores": cores(), "system": platform.platform()}


def as_json(conditions: dict[str, object], figures: list[Figure]) -> str:
    lines = [
        dataclasses.asdict(figure)
        | {"aim": str(figure.aim) if figure.aim else None}
        | {"met": figure.aim.is_met(figure.value) if figure.aim else None}
        for figure in figures
    ]
    return json.dumps(machine() | conditions | {"figures": lines}, indent=2, ensure_ascii=False)
