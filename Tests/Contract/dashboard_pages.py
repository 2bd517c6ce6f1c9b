"""Reads the numbers on the dashboard's pages, as people see them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from dwell_process import Client

Row = dict[str, LexborNode]


@dataclass(frozen=True)
class Page:
    """A page of the dashboard."""

    tree: LexborHTMLParser

    @classmethod
    def get(cls, reader: Client, path: str, **parameters: Any) -> Page:
        answer = reader.get(path, params=parameters)
        assert answer.status_code == 200, (path, answer.status_code, answer.headers.get("Location"))
        return cls(LexborHTMLParser(answer.text))

    def figure(self, title: str) -> LexborNode:
        """The figure of a title, with what stands below it."""
        (found,) = [
            term.parent
            for term in self.tree.css("dl.figures dt")
            if text(term) == title and term.parent
        ]
        return found

    def table(self, label: str) -> list[Row]:
        """The rows of the table in a region, by the headings of its columns; none where there is no such table."""
        region = self.tree.css_first(f'[role=region][aria-label="{label}"]')
        if region is None:
            return []
        heads = [text(head) for head in region.css("thead th")]
        return [dict(zip(heads, row.css("th, td"), strict=True)) for row in region.css("tbody tr")]

    @property
    def next(self) -> str | None:
        link = self.tree.css_first("a.next")
        return link.attributes["href"] if link else None


def all_pages(reader: Client, path: str, **parameters: Any) -> list[Page]:
    """A list's pages, to the last."""
    pages = [Page.get(reader, path, **parameters)]
    while following := pages[-1].next:
        pages.append(Page.get(reader, following))
    return pages


def text(node: LexborNode) -> str:
    return node.text(separator=" ", strip=True)


def main(node: LexborNode) -> str:
    """A figure or a cell, without what is small beside it."""
    strong = node.css_first("strong")
    small = node.css_first("small")
    shown = text(strong or node)
    return shown.removesuffix(text(small)).strip() if small and not strong else shown


def number(node: LexborNode) -> int:
    return int(re.sub(r"\D", "", main(node)))


def seconds(shown: str) -> int:
    """What a duration such as `12:06:52` says."""
    hours, minutes, rest = shown.replace(",", "").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


def says(node: LexborNode, ms: int, error: int | None = None) -> bool:
    """Whether a duration is shown as long, to the second; and its largest possible error, up to the next."""
    if abs(seconds(main(node)) * 1000 - ms) > 500:
        return False
    small = node.css_first("small")
    return error is None or bool(small) and error_seconds(text(small)) == -(-error // 1000)


def error_seconds(shown: str) -> int:
    """What an error such as `±1h 2m 5s` says."""
    units = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
    return sum(int(count) * units[unit] for count, unit in re.findall(r"(\d+)\s*([dhms])", shown))


def moment(node: LexborNode) -> str:
    """The time that programs read."""
    time = node.css_first("time")
    assert time is not None
    return time.attributes["datetime"] or ""
