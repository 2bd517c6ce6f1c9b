"""Many at once: what is limited or unique stays so however the requests race."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from dwell_process import Dwell

from .helpers import (
    FIREFOX,
    beat_of,
    enter,
    person,
    registration,
    segment,
    succeeded,
    unique,
    unique_email,
    visitor,
)

T = TypeVar("T")
LONG = 120


def at_once(tasks: Iterable[Callable[[], T]]) -> list[T]:
    """Runs all tasks in threads that begin at the same moment."""
    waiting = list(tasks)
    barrier = threading.Barrier(len(waiting))

    def run(task: Callable[[], T]) -> T:
        barrier.wait(30)
        return task()

    with ThreadPoolExecutor(len(waiting)) as pool:
        return list(pool.map(run, waiting))


def test_logging_in_and_out_at_once_never_exceeds_the_limit(fresh_dwell) -> None:
    server = fresh_dwell("--device-limit", "2")
    ann = person(server)
    watcher = ann.login()
    done = threading.Event()
    most = 0

    def come_and_go() -> None:
        for _ in range(8):
            client = server.client(FIREFOX)
            response = ann.try_login(client)
            assert response.status_code in (200, 421), response.text
            if response.status_code == 200:
                succeeded(client.get("/auth/logout"))

    def watch() -> None:
        nonlocal most
        while not done.is_set():
            most = max(most, len(watcher.list()))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        at_once([come_and_go] * 8)
    finally:
        done.set()
        watching.join(30)
    assert most <= 2
    assert len(watcher.list()) == 1


def test_of_many_who_register_one_name_at_once_one_gets_it(dwell: Dwell) -> None:
    name = unique("wanted")
    responses = at_once(
        lambda given=given: dwell.client().post("/auth/register", json=given, timeout=LONG)
        for given in [registration(username=name) for _ in range(20)]
    )
    assert Counter(one.status_code for one in responses) == {200: 1, 409: 19}


def test_of_many_who_register_one_email_at_once_one_gets_it(dwell: Dwell) -> None:
    email = unique_email()
    responses = at_once(
        lambda given=given: dwell.client().post("/auth/register", json=given, timeout=LONG)
        for given in [registration(email=email) for _ in range(20)]
    )
    assert Counter(one.status_code for one in responses) == {200: 1, 409: 19}


def test_a_device_is_removed_once(dwell: Dwell) -> None:
    ann = person(dwell)
    removers = [ann.login() for _ in range(3)]
    leaving = ann.login()
    responses = at_once(
        lambda remover=remover: remover.client.twin().delete(f"/devices/remove/{leaving.id}")
        for remover in removers * 4
    )
    assert Counter(one.status_code for one in responses) == {200: 1, 404: 11}


def test_visitors_who_enter_at_once_all_get_a_record_and_are_one_viewer(dwell: Dwell) -> None:
    email = unique_email()
    responses = at_once([lambda: enter(dwell.client(), email)] * 40)
    assert {one.status_code for one in responses} == {200}
    sessions = dwell.sessions(email=email)
    assert len({one["id"] for one in sessions}) == 40
    assert len({one["viewer"]["id"] for one in sessions}) == 1


def test_a_segment_that_is_sent_many_times_at_once_is_stored_once(dwell: Dwell) -> None:
    ann = visitor(dwell)
    cookies = {"session_record_id": ann.client.cookie("session_record_id")}
    beat = beat_of(segment(n=3))
    responses = at_once(
        [lambda: dwell.client().post("/api/session-heartbeat", json=beat, cookies=cookies)] * 40
    )
    assert {one.status_code for one in responses} == {200}
    assert [row["n"] for row in ann.rows()] == [3]


def test_beats_of_many_tabs_at_once_are_all_stored(dwell: Dwell) -> None:
    ann = visitor(dwell)
    tabs = [f"tab-{n}" for n in range(40)]
    responses = at_once(
        lambda tab=tab: ann.client.twin().post(
            "/api/session-heartbeat", json=beat_of(segment(tab=tab))
        )
        for tab in tabs
    )
    assert {one.status_code for one in responses} == {200}
    assert [len(ann.rows(tab)) for tab in tabs] == [1] * 40


def test_sessions_that_are_opened_at_once_are_all_different(dwell: Dwell) -> None:
    ann = person(dwell).login()
    answers = at_once([lambda: succeeded(ann.client.twin().get("/session/init"))] * 30)
    assert len({one["sessionId"] for one in answers}) == 30


def test_the_trigger_may_be_pulled_by_many_at_once(fresh_dwell) -> None:
    server = fresh_dwell()
    person(server)
    path = "/cronjob/trigger?accessKey=secretcronjob"
    answers = at_once([lambda: succeeded(server.client().get(path))] * 10)
    assert {one["msg"] for one in answers} == {"Aggregated 1 Users"}
