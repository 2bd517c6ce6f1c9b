"""Every number on a page is the one that `dwell report` prints, and the one that the demo's segments add up to."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dwell_process import PATIENCE, Client, Dwell, run_dwell

from .dashboard_pages import Page, all_pages, main, moment, number, says, seconds, text
from .helpers import ms_of, now_ms, succeeded
from .test_operators import setup_code
from .truth_of_segments import (
    CLOCKS_MS,
    Seen,
    Sum,
    Watched,
    bucket,
    curve,
    day_of,
    statistics,
    total,
    watched,
)

pytestmark = pytest.mark.one_node("numbers are the store's: two nodes read the same")

ZONE = ZoneInfo("America/New_York")
PEOPLE, DAYS, INTERVAL_MS = 200, 10, 180_000
FORGER = "mallory@forgers.example"


@dataclass
class Demo:
    """A server on a demo, an operator who reads its pages, and what its segments add up to."""

    server: Dwell
    reader: Client

    def export(self, kind: str) -> list[dict[str, Any]]:
        answer = self.server.api(f"/api/v1/export/{kind}", format="ndjson")
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.content.splitlines()]

    def report(self, *arguments: str) -> list[dict[str, Any]]:
        made = self.server.run("report", *arguments, "--format", "json")
        assert made.returncode == 0, made.stderr
        return json.loads(made.stdout)

    @cached_property
    def seen(self) -> list[Seen]:
        return [Seen.of(line) for line in self.export("segments")]

    @cached_property
    def sessions(self) -> dict[int, dict[str, Any]]:
        return {session["id"]: session for session in self.export("sessions")}

    @cached_property
    def names(self) -> dict[int, str]:
        """What pages call people."""
        return {
            viewer["id"]: viewer["username"] or viewer["email"]
            for viewer in (session["viewer"] for session in self.sessions.values())
        }

    @cached_property
    def of_session(self) -> dict[int, list[Seen]]:
        return grouped(self.seen, "session")

    @cached_property
    def statistics(self) -> dict[Any, Sum]:
        return statistics(self.seen, ZONE)

    @cached_property
    def videos(self) -> list[dict[str, Any]]:
        return succeeded(self.server.api("/api/v1/videos"))["videos"]

    @cached_property
    def watched(self) -> dict[str, dict[int, Watched]]:
        """By video and person."""
        found: dict[str, dict[int, Watched]] = {}
        for video in self.videos:
            runs = grouped(
                (seen for seen in self.seen if seen.video == video["name"] and seen.media), "viewer"
            )
            people = {who: watched(those, video["durationMs"]) for who, those in runs.items()}
            found[video["name"]] = {who: it for who, it in people.items() if it.covered}
        return found

    def sum(
        self, kind: str | None = None, name: str | None = None,
        days: tuple[str, str] = ("", "~"), viewer: int | None = None,
    ) -> tuple[Sum, int]:  # fmt: skip
        """What was spent on something, on some days, and how many people spent it."""
        found = {
            key: value
            for key, value in self.statistics.items()
            if (kind, name) == key[2:] and days[0] <= key[0] <= days[1]
            and viewer in (None, key[1])
        }  # fmt: skip
        return added(found.values()), len({viewer for _, viewer, _, _ in found})

    def session_ids(self, *days: str, viewer: int | None = None) -> list[int]:
        return [
            id
            for id, session in self.sessions.items()
            if (not days or days[0] <= day_of(ms_of(session["sessionStartTime"]), ZONE) <= days[1])
            and viewer in (None, session["viewer"]["id"])
        ]


def grouped(seen: Any, field: str) -> dict[int, list[Seen]]:
    groups: dict[int, list[Seen]] = defaultdict(list)
    for segment in seen:
        groups[getattr(segment, field)].append(segment)
    return groups


def added(sums: Any) -> Sum:
    fields = list(zip(*((s.visible, s.visible_error, s.engaged, s.engaged_error, s.raw) for s in sums), strict=True))
    return Sum(*(sum(field) for field in fields)) if fields else Sum(0, 0, 0, 0, 0)


def told(row: dict[str, Any]) -> Sum:
    """The measures of a row of a report, as far as it has them."""
    return Sum(
        row["visibleMs"], row["visibleErrorMs"], row["engagedMs"], row["engagedErrorMs"],
        row.get("rawMs", 0),
    )  # fmt: skip


def percent(part: float) -> str:
    return f"{int(part * 100)} %"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    server = Dwell(tmp_path_factory.mktemp("demo"), "--time-zone", ZONE.key)
    made = run_dwell(
        "demo", "--people", str(PEOPLE), "--days", str(DAYS), "--time-zone", ZONE.key,
        "--database-url", server.database_url, folder=server.folder, env=server.store.env,
        timeout=4 * PATIENCE,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    server.start()
    reader = server.client()
    form = {"code": setup_code(server), "name": "olga", "password": "a calm and long phrase"}
    assert reader.post("/dashboard/setup", data=form).status_code == 303
    yield Demo(server, reader)
    server.discard()


def test_who_is_here_now(demo: Demo) -> None:
    """First: six minutes after the demo was made nobody is here any more."""
    last: dict[int, int] = defaultdict(int)
    for segment in demo.seen:
        last[segment.viewer] = max(last[segment.viewer], segment.end)

    def here() -> int:
        return sum(end > now_ms() - 2 * INTERVAL_MS for end in last.values())

    before = here()
    page = Page.get(demo.reader, "/dashboard")
    (hero,) = page.tree.css("p.hero")
    assert here() <= number(hero) <= before
    assert before > 0
    assert len({text(row["Who"]) for row in page.table("Who is here")}) == number(hero)


# Reports, to the millisecond


def test_a_demo_is_there_and_comes_into_no_store_that_has_people(demo: Demo) -> None:
    assert len(demo.names) == PEOPLE
    again = demo.server.run("demo", "--people", "20")
    assert again.returncode == 78
    assert "nobody has come" in again.stderr


def test_statistics_are_what_the_segments_add_up_to(demo: Demo) -> None:
    stored = {
        (row["day"], row["viewer"]["id"], row["kind"], row["name"]): told(row["total"])
        for row in demo.export("statistics")
    }
    assert stored == demo.statistics


def test_reports_are_what_the_segments_add_up_to(demo: Demo) -> None:
    for row in demo.report("days"):
        assert (told(row), row["viewers"]) == demo.sum(days=(row["day"], row["day"])), row
    assert {row["day"] for row in demo.report("days")} == {key[0] for key in demo.statistics}

    for row in demo.report("videos"):
        assert (told(row), row["viewers"]) == demo.sum("video", row["video"]), row
    assert len(demo.report("videos")) == 12

    people = {row["username"] or row["email"]: row for row in demo.report("totals")}
    for viewer, name in demo.names.items():
        row = people.pop(name)
        own = demo.session_ids(viewer=viewer)
        assert told(row) == demo.sum(viewer=viewer)[0], row
        assert row["sessions"] == len(own)
        assert row["elapsedMs"] == sum(demo.sessions[id]["elapsedMs"] for id in own)
    assert not people


def test_sessions_are_what_their_segments_add_up_to(demo: Demo) -> None:
    assert {session["id"]: session for session in demo.report("sessions")} == demo.sessions
    assert demo.of_session.keys() <= demo.sessions.keys()
    for id, session in demo.sessions.items():
        seen = demo.of_session.get(id, [])
        start, end = ms_of(session["sessionStartTime"]), ms_of(session["sessionEndTime"])
        assert end == max([start, *(segment.end for segment in seen)])
        assert all(start <= segment.start for segment in seen)
        # A session begins with the first segment, or with an entry's moment.
        assert session["elapsedMs"] == end - start
        latest = max([end, *(segment.end + segment.unsure for segment in seen)])
        assert session["elapsedErrorMs"] == CLOCKS_MS + latest - end
        sums = total(seen)
        assert told(session) == Sum(
            sums.visible, sums.visible_error, sums.engaged, sums.engaged_error, 0
        )


def test_videos_are_what_was_watched_of_them(demo: Demo) -> None:
    assert len(demo.videos) == 12
    for video in demo.videos:
        people, duration = demo.watched[video["name"]], video["durationMs"]
        covered = sum(one.covered for one in people.values())
        assert video["viewers"] == len(people)
        assert video["completions"] == sum(one.completed for one in people.values())
        assert video["watchedMs"] == sum(one.watched for one in people.values())
        assert video["coverage"] == pytest.approx(covered / duration / len(people), abs=1e-12)
        audience = succeeded(demo.server.api(f"/api/v1/videos/{video['name']}"))
        assert audience["bucketMs"] == bucket(duration)
        assert audience["curve"] == curve((one.ranges for one in people.values()), duration)
        assert audience["again"] == curve((one.again for one in people.values()), duration)


# Pages, to the second


def test_the_overview(demo: Demo) -> None:
    today = date.fromisoformat(day_of(now_ms(), ZONE))
    page = Page.get(demo.reader, "/dashboard/overview", days="7")
    days = (today - timedelta(days=6)).isoformat(), today.isoformat()
    sums, people = demo.sum(days=days)
    assert number(page.figure("People")) == people
    assert number(page.figure("Sessions")) == len(demo.session_ids(*days))
    assert says(page.figure("Engaged time"), sums.engaged, sums.engaged_error)
    assert says(page.figure("Visible time"), sums.visible, sums.visible_error)

    rows = page.table("The days")
    assert {text(row["Day"]) for row in rows} == {
        key[0] for key in demo.statistics if days[0] <= key[0] <= days[1]
    }
    for row in rows:
        day = text(row["Day"])
        sums, people = demo.sum(days=(day, day))
        assert number(row["People"]) == people
        assert says(row["Engaged"], sums.engaged, sums.engaged_error)
        assert says(row["Visible"], sums.visible, sums.visible_error)

    for kind, title in (("page", "Pages"), ("video", "Videos")):
        names = {name for _, _, of, name in demo.statistics if of == kind}
        best = sorted(names, key=lambda name: -demo.sum(kind, name, days)[0].engaged)
        ranks = page.table(title)
        assert [text(row["Name"]) for row in ranks] == best[: len(ranks)]
        assert len(ranks) >= 10
        for row in ranks:
            sums, people = demo.sum(kind, text(row["Name"]), days)
            assert number(row["People"]) == people
            assert says(row["Engaged"], sums.engaged, sums.engaged_error)


def test_sessions_and_their_evidence(demo: Demo) -> None:
    rows = [
        row for page in all_pages(demo.reader, "/dashboard/sessions") for row in page.table("Sessions")
    ]  # fmt: skip
    assert {number(row["Session"]) for row in rows} == demo.sessions.keys()
    for row in rows:
        session = demo.sessions[number(row["Session"])]
        assert text(row["Who"]) == demo.names[session["viewer"]["id"]]
        assert moment(row["Start"]) == session["sessionStartTime"]
        assert moment(row["Last seen"]) == session["sessionEndTime"]
        assert_measures({"Visible": row["Visible"], "Engaged": row["Engaged"]}, session)

    forged = next(id for id, it in demo.sessions.items() if it["emailOfAccessor"] == FORGER)
    for id in [forged, *sorted(demo.of_session)[::40]]:
        assert_evidence(demo, id)


def assert_measures(cells: dict[str, Any], session: dict[str, Any]) -> None:
    for title, cell in cells.items():
        name = title.lower()
        assert says(cell, session[f"{name}Ms"], session[f"{name}ErrorMs"]), (title, session)


def assert_evidence(demo: Demo, id: int) -> None:
    page = Page.get(demo.reader, f"/dashboard/sessions/{id}")
    titles = ("Elapsed", "Visible", "Engaged")
    assert_measures({title: page.figure(title) for title in titles}, demo.sessions[id])
    seen = sorted(demo.of_session[id], key=lambda segment: segment.start)
    rows = page.table("Segments")
    assert len(rows) == min(len(seen), 500)
    for row in rows:
        (segment,) = [
            segment
            for segment in seen
            if segment.start == ms_of(moment(row["Start"])) and segment.tab == text(row["Tab"])
            and says(row["Length"], segment.end - segment.start, segment.unsure)
        ]  # fmt: skip
        assert text(row["Attention"]) == ("active" if segment.active else "idle")
        assert text(row["On"]) == (segment.video or segment.page)
    reasons = ("before the session", "in the future", "of media time beyond the clock")
    for index, reason in enumerate(reasons):
        refused = sum(segment.refused[index] for segment in seen)
        lines = [text(line) for line in page.tree.css("li") if text(line).endswith(reason)]
        assert bool(lines) == (refused > 0), (id, reason)
        for line in lines:
            assert abs(seconds(line.split(" ")[0]) * 1000 - refused) <= 500


def test_what_is_forged_is_refused_and_shown(demo: Demo) -> None:
    session = next(it for it in demo.sessions.values() if it["emailOfAccessor"] == FORGER)
    seen = demo.of_session[session["id"]]
    for index in range(3):
        assert sum(segment.refused[index] for segment in seen) > 60_000
    assert session["visibleMs"] <= session["elapsedMs"] < 900_000


def test_people(demo: Demo) -> None:
    for viewer, name in sorted(demo.names.items())[::10]:
        parameter = "email" if "@" in name else "username"
        pages = all_pages(demo.reader, "/dashboard/person", **{parameter: name})
        sums, _ = demo.sum(viewer=viewer)
        own = demo.session_ids(viewer=viewer)
        first = pages[0]
        assert number(first.figure("Sessions")) == len(own)
        assert says(first.figure("Visible"), sums.visible, sums.visible_error)
        assert says(first.figure("Engaged"), sums.engaged, sums.engaged_error)
        assert says(
            first.figure("Elapsed"), sum(demo.sessions[id]["elapsedMs"] for id in own),
            len(own) * CLOCKS_MS + sums.engaged_error,
        )  # fmt: skip
        for row in first.table("The days"):
            day = text(row["Day"])
            of_day, _ = demo.sum(days=(day, day), viewer=viewer)
            assert says(row["Engaged"], of_day.engaged, of_day.engaged_error)
            assert says(row["Visible"], of_day.visible, of_day.visible_error)
        videos = {
            name: people[viewer] for name, people in demo.watched.items() if viewer in people
        }
        assert {text(row["Video"]) for row in first.table("Videos")} == videos.keys()
        for row in first.table("Videos"):
            assert_progress(demo, text(row["Video"]), videos[text(row["Video"])], row)
        listed = {number(row["Session"]) for page in pages for row in page.table("Sessions")}
        assert listed == set(own)


def assert_progress(demo: Demo, video: str, one: Watched, row: dict[str, Any]) -> None:
    duration = next(it["durationMs"] for it in demo.videos if it["name"] == video)
    assert text(row["Coverage"]) == percent(one.covered / duration)
    assert says(row["Covered"], one.covered)
    assert says(row["Watched"], one.watched)
    assert (row["Completed"].css_first("time") is not None) == one.completed


def test_videos_and_their_audience(demo: Demo) -> None:
    rows = [
        row for page in all_pages(demo.reader, "/dashboard/videos") for row in page.table("Videos")
    ]  # fmt: skip
    assert sorted(text(row["Video"]) for row in rows) == sorted(demo.watched)
    for row in rows:
        name = text(row["Video"])
        people = demo.watched[name]
        duration = next(it["durationMs"] for it in demo.videos if it["name"] == name)
        coverage = percent(sum(one.covered for one in people.values()) / duration / len(people))
        completions = sum(one.completed for one in people.values())
        time = sum(one.watched for one in people.values())
        assert number(row["People"]) == len(people)
        assert number(row["Completions"]) == completions
        assert text(row["Coverage"]) == coverage
        assert says(row["Watched"], time)

        pages = all_pages(demo.reader, "/dashboard/video", name=name)
        assert number(pages[0].figure("People")) == len(people)
        assert number(pages[0].figure("Completions")) == completions
        assert main(pages[0].figure("Coverage")) == coverage
        assert says(pages[0].figure("Watched"), time)
        shown = pages[0].table("The curve")
        assert [number(row["People"]) for row in shown] == curve(
            (one.ranges for one in people.values()), duration
        )
        assert [number(row["Again"]) for row in shown] == curve(
            (one.again for one in people.values()), duration
        )
        viewers = [row for page in pages for row in page.table("People")]
        by_name = {demo.names[viewer]: one for viewer, one in people.items()}
        assert sorted(text(row["Who"]) for row in viewers) == sorted(by_name)
        for row in viewers:
            assert_progress(demo, name, by_name[text(row["Who"])], row)


def test_devices(demo: Demo) -> None:
    listed = demo.server.run("user", "list", "--format", "json")
    wanted = {row["username"]: row["devices"] for row in json.loads(listed.stdout) if row["devices"]}
    found: dict[str, int] = defaultdict(int)
    for page in all_pages(demo.reader, "/dashboard/devices"):
        for row in page.table("Devices"):
            found[text(row["Who"])] += 1
    assert found == wanted


def test_the_audit_log(demo: Demo) -> None:
    listed = demo.server.run("audit", "--since", "60d", "--format", "json")
    lines = json.loads(listed.stdout)
    rows = [
        row for page in all_pages(demo.reader, "/dashboard/audit") for row in page.table("The audit log")
    ]  # fmt: skip
    shown = sorted((moment(row["When"]), text(row["Event"])) for row in rows)
    assert shown == sorted((line["at"], line["event"]) for line in lines)
