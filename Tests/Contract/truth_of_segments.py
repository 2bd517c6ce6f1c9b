"""What segments add up to, by the plainest arithmetic there is. It shares nothing with the server's."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .helpers import ms_of

Span = tuple[int, int]
CLOCKS_MS = 1000  # How exact the clock of each tab is taken to be.
CREDIT_RATE = 2
COMPLETE_AT = 0.9


@dataclass(frozen=True)
class Seen:
    """A segment of the export."""

    session: int
    viewer: int
    tab: str
    n: int
    start: int
    end: int
    unsure: int
    active: bool
    page: str | None
    video: str | None
    media: Span | None
    refused: tuple[int, int, int]

    @classmethod
    def of(cls, line: dict[str, Any]) -> Seen:
        segment = line["segment"]
        media = segment["mediaFromMs"], segment["mediaToMs"]
        refused = segment["refused"]
        return cls(
            line["sessionId"], line["viewer"]["id"], segment["tab"], segment["n"], ms_of(segment["start"]),
            ms_of(segment["end"]), segment["unsureMs"], segment["attention"] == "active", segment["page"],
            segment["video"], None if media[0] is None else media,
            (refused["beforeSessionMs"], refused["futureMs"], refused["mediaMs"]),
        )  # fmt: skip


@dataclass(frozen=True)
class Sum:
    """What somebody spent, in milliseconds."""

    visible: int
    visible_error: int
    engaged: int
    engaged_error: int
    raw: int


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time without anything twice."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        elif end > start:
            joined.append((start, end))
    return joined


def length(spans: Iterable[Span]) -> int:
    return sum(end - start for start, end in union(spans))


def midnight(day: str, zone: ZoneInfo) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=zone).timestamp()) * 1000


def day_of(ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(ms / 1000, zone).date().isoformat()


def window(day: str, zone: ZoneInfo) -> Span:
    after = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    return midnight(day, zone), midnight(after, zone)


def total(seen: Iterable[Seen], within: Span = (0, 2**62)) -> Sum:
    """What segments come to in a window of time."""
    visible, engaged, tails = [], [], []
    tabs = defaultdict(list)
    for segment in seen:
        span = max(segment.start, within[0]), min(segment.end, within[1])
        visible.append(span)
        tabs[segment.tab].append(span)
        if segment.active:
            engaged.append(span)
        if segment.end <= within[1]:
            tails.append((segment.end, segment.end + segment.unsure))
    clocks = len(tabs) * CLOCKS_MS

    def error(spans: list[Span]) -> int:
        return length(spans + tails) - length(spans) + clocks

    return Sum(
        length(visible), error(visible), length(engaged), error(engaged),
        sum(length(spans) for spans in tabs.values()),
    )  # fmt: skip


Key = tuple[str, int, str | None, str | None]


def statistics(seen: Iterable[Seen], zone: ZoneInfo) -> dict[Key, Sum]:
    """What each person spent on each day: on everything, on each page and on each video."""
    groups: dict[Key, list[Seen]] = defaultdict(list)
    for segment in seen:
        first, last = day_of(segment.start, zone), day_of(max(segment.start, segment.end - 1), zone)
        day = first
        while day <= last:
            groups[day, segment.viewer, None, None].append(segment)
            for kind, name in (("page", segment.page), ("video", segment.video)):
                if name is not None:
                    groups[day, segment.viewer, kind, name].append(segment)
            day = day_of(window(day, zone)[1], zone)
    return {key: total(segments, window(key[0], zone)) for key, segments in groups.items()}


@dataclass(frozen=True)
class Watched:
    """What one person watched of one video."""

    covered: int
    watched: int
    ranges: list[Span]
    again: list[Span]
    completed: bool


def watched(runs: list[Seen], duration: int) -> Watched:
    """The wall clock decides: a moment belongs to the run that began first, and is worth two of the video at most."""
    taken: list[Span] = []
    counted: list[Span] = []
    for run in sorted(runs, key=lambda run: (run.start, run.session, run.tab, run.n)):
        assert run.media is not None
        own = length([*taken, (run.start, run.end)]) - length(taken)
        taken = union([*taken, (run.start, run.end)])
        first = run.media[0]
        last = min(run.media[1], first + own * CREDIT_RATE, duration)
        if last > first:
            counted.append((first, last))
    ends = sorted({end for span in counted for end in span})
    pieces = [
        (left, right, sum(start <= left and right <= end for start, end in counted))
        for left, right in zip(ends, ends[1:], strict=False)
    ]
    ranges = union((left, right) for left, right, plays in pieces if plays >= 1)
    again = union((left, right) for left, right, plays in pieces if plays >= 2)
    covered = length(ranges)
    return Watched(
        covered, sum(end - start for start, end in counted), ranges, again,
        covered >= math.ceil(duration * COMPLETE_AT),
    )  # fmt: skip


def bucket(duration: int) -> int:
    """How much of a video one number of its curve stands for: whole seconds, so that there are 1,000 at most."""
    return math.ceil(duration / 1_000_000) * 1000


def curve(people: Iterable[list[Span]], duration: int) -> list[int]:
    """How many people saw at least half of each bucket."""
    size = bucket(duration)
    counts = [0] * math.ceil(duration / size)
    for ranges in people:
        held = [0] * len(counts)
        for start, end in ranges:
            for index in range(start // size, math.ceil(end / size)):
                held[index] += min(end, (index + 1) * size) - max(start, index * size)
        for index, time in enumerate(held):
            counts[index] += 2 * time >= min(size, duration - index * size)
    return counts
