"""Watch time and activity time of accounts: a session is opened, then moved forward."""

from __future__ import annotations

import re

import pytest

from dwell_process import let_pass

from .helpers import (
    CROSS_SITE,
    is_now,
    is_private,
    log_until,
    ms_of,
    now_ms,
    person,
    refused,
    set_cookies,
    succeeded,
    unique,
    visitor,
)

METHODS = pytest.mark.parametrize("method", ["GET", "POST"])


@METHODS
def test_a_session_with_a_video_is_opened(dwell, method: str) -> None:
    ann = person(dwell).login()
    video = unique("video")
    response = ann.client.request(method, "/session/init", params={"videoId": video})
    answer = succeeded(response)
    assert answer["error"] is False
    assert isinstance(answer["sessionId"], str)
    assert re.fullmatch(r"[1-9]\d*", answer["sessionId"])
    assert is_private(response)
    assert [str(one["id"]) for one in dwell.sessions(video=video)] == [answer["sessionId"]]


@METHODS
def test_a_session_without_a_video_is_opened(dwell, method: str) -> None:
    ann = person(dwell).login()
    answer = succeeded(ann.client.request(method, "/session/init"))
    assert [str(one["id"]) for one in ann.person.sessions()] == [answer["sessionId"]]


def test_a_session_belongs_to_the_account(dwell) -> None:
    ann = person(dwell).login()
    session = ann.person.session(ann.init())
    assert session["viewer"]["kind"] == "account"
    assert session["viewer"]["username"] == ann.person.username
    assert session["viewer"]["email"] == ann.person.given["email"]


def test_a_session_starts_when_it_is_opened(dwell) -> None:
    ann = person(dwell).login()
    before = now_ms()
    session = ann.person.session(ann.init())
    assert is_now(ms_of(session["sessionStartTime"]), since=before)
    assert session["elapsedMs"] == 0


def test_opening_a_session_sets_its_cookies(dwell) -> None:
    ann = person(dwell).login()
    response = ann.client.get("/session/init")
    cookies = set_cookies(response)
    assert cookies["sessionId"].value == response.json()["sessionId"]
    assert cookies["initTime"].value
    for name in ("sessionId", "initTime"):
        assert cookies[name]["path"] == "/"
        assert cookies[name]["samesite"]
        assert not cookies[name]["domain"]
        assert not cookies[name]["secure"]


@METHODS
def test_logging_moves_the_session_forward(dwell, method: str) -> None:
    ann = person(dwell).login()
    id = ann.init(unique("video"))
    start = ann.person.session(id)["sessionStartTime"]
    let_pass(0.4)
    before = now_ms()
    response = ann.client.request(method, "/session/log")
    assert response.status_code == 200
    assert response.text == "Success"
    assert response.headers["Content-Type"].startswith("text/plain")
    assert is_private(response)
    session = ann.person.session(id)
    assert session["sessionStartTime"] == start
    assert is_now(ms_of(session["sessionEndTime"]), since=before)
    assert session["elapsedMs"] >= 400
    assert session["elapsedMs"] >= session["visibleMs"] >= 300


def test_logging_again_and_again_goes_on_in_the_same_session(dwell) -> None:
    ann = person(dwell).login()
    id = ann.init()
    log_until(ann, id, 500)
    assert len(ann.person.sessions()) == 1


def test_a_gap_that_is_too_long_is_not_watch_time(fresh_dwell) -> None:
    server = fresh_dwell("--heartbeat-interval", "1")
    ann = person(server).login()
    id = ann.init("lesson")
    let_pass(2)
    assert ann.log().status_code == 200
    session = ann.person.session(id)
    assert session["elapsedMs"] >= 2000
    assert session["visibleMs"] <= 150


def test_opening_the_next_session_brings_the_earlier_one_up_to_date(dwell) -> None:
    ann = person(dwell).login()
    first = ann.init("one")
    let_pass(0.4)
    before = now_ms()
    second = ann.init("two")
    assert first != second
    earlier = ann.person.session(first)
    assert is_now(ms_of(earlier["sessionEndTime"]), since=before)
    assert earlier["elapsedMs"] >= 400
    assert ann.person.session(second)["elapsedMs"] == 0


def test_the_earlier_session_is_closed(dwell) -> None:
    ann = person(dwell).login()
    first = ann.init("one")
    second = ann.init("two")
    ended = ann.person.session(first)["sessionEndTime"]
    log_until(ann, second, 200)
    assert ann.person.session(first)["sessionEndTime"] == ended


def test_without_the_cookies_the_earlier_session_is_left_alone(dwell) -> None:
    ann = person(dwell).login()
    first = ann.init("one")
    ended = ann.person.session(first)["sessionEndTime"]
    let_pass(0.1)
    ann.client.drop("initTime")
    ann.init("two")
    assert ann.person.session(first)["sessionEndTime"] == ended


def test_someone_elses_earlier_session_is_not_closed(dwell) -> None:
    ann, bea = person(dwell).login(), person(dwell).login()
    anns = ann.init("one")
    let_pass(0.1)
    bea.client.forge("sessionId", anns).forge("initTime", ann.client.cookie("initTime"))
    bea.client.get("/session/init")
    assert ann.person.session(anns)["elapsedMs"] == 0
    assert ann.log().status_code == 200


@METHODS
@pytest.mark.parametrize("missing", [["sessionId"], ["initTime"], ["sessionId", "initTime"]])
def test_logging_without_its_cookies_is_a_bad_request(
    dwell, method: str, missing: list[str]
) -> None:
    ann = person(dwell).login()
    ann.init()
    ann.client.drop(*missing)
    response = ann.client.request(method, "/session/log")
    refused(response, 400, "bad_request", "Bad Request")


@METHODS
def test_someone_elses_session_is_not_found_and_does_not_move(dwell, method: str) -> None:
    ann, bea = person(dwell).login(), person(dwell).login()
    anns = ann.init("lesson")
    bea.init("lesson")
    before = ann.person.session(anns)
    let_pass(0.1)
    bea.client.forge("sessionId", anns)
    refused(bea.client.request(method, "/session/log"), 404, "not_found")
    assert ann.person.session(anns) == before


def test_a_guests_session_is_not_found_and_does_not_move(dwell) -> None:
    guest = visitor(dwell)
    ann = person(dwell).login()
    ann.init()
    let_pass(0.1)
    ann.client.forge("sessionId", str(guest.record["id"]))
    refused(ann.log(), 404, "not_found")
    assert guest.record["elapsedMs"] == 0


def test_an_unknown_session_is_not_found(dwell) -> None:
    ann = person(dwell).login()
    ann.init()
    for id in ("999999999", str(2**63 - 1)):
        refused(ann.client.forge("sessionId", id).get("/session/log"), 404, "not_found")


@pytest.mark.parametrize("id", ["abc", "-1", "0", "1.5", "1e3", "9" * 40, "%00", "1%20OR%201=1"])
def test_a_session_id_that_is_none_is_refused(dwell, id: str) -> None:
    ann = person(dwell).login()
    ann.init()
    response = ann.client.forge("sessionId", id).get("/session/log")
    assert response.status_code in (400, 404)
    refused(response, response.status_code)


@pytest.mark.parametrize("time", ["0", "-1", "1", "abc", "1970-01-01T00:00:00.000Z", "9" * 40])
def test_a_forged_start_makes_no_time(dwell, time: str) -> None:
    opened = now_ms()
    ann = person(dwell).login()
    id = ann.init("lesson")
    response = ann.client.forge("initTime", time).get("/session/log")
    assert response.status_code in (200, 400)
    succeeded(ann.client.get("/session/init"))
    session = ann.person.session(id)
    assert session["elapsedMs"] <= now_ms() - opened
    assert session["visibleMs"] <= now_ms() - opened
    assert is_now(ms_of(session["sessionStartTime"]), since=opened)


@METHODS
@pytest.mark.parametrize("path", ["/session/init", "/session/init?videoId=v", "/session/log"])
def test_another_site_can_neither_open_nor_move_a_session(dwell, method: str, path: str) -> None:
    ann = person(dwell).login()
    id = ann.init()
    before = ann.person.sessions()
    let_pass(0.05)
    refused(ann.client.request(method, path, headers=CROSS_SITE), 403, "cross_site")
    assert ann.person.sessions() == before
    assert ann.client.cookie("sessionId") == id


@pytest.mark.parametrize("sender", ["same-origin", "same-site", "none"])
def test_the_own_site_may_open_and_move_a_session(dwell, sender: str) -> None:
    ann = person(dwell).login()
    succeeded(ann.client.get("/session/init", headers={"Sec-Fetch-Site": sender}))
    response = ann.client.get("/session/log", headers={"Sec-Fetch-Site": sender})
    assert (response.status_code, response.text) == (200, "Success")


@pytest.mark.parametrize(
    "video", ["v" * 255, "Lesson 1: ünï", "' OR 1=1 --", "日本語", "a/b?c=d&e"]
)
def test_any_video_id_is_kept_as_given(dwell, video: str) -> None:
    ann = person(dwell).login()
    id = ann.init(video)
    assert id in {str(one["id"]) for one in ann.person.sessions(video=video)}


def test_a_video_id_that_is_too_long_is_refused(dwell) -> None:
    ann = person(dwell).login()
    response = ann.client.get("/session/init", params={"videoId": "v" * 256})
    refused(response, 400, "invalid_field", field="videoId")


def test_two_devices_of_one_person_have_sessions_of_their_own(dwell) -> None:
    ann = person(dwell)
    phone, laptop = ann.login(), ann.login()
    on_phone, on_laptop = phone.init("lesson"), laptop.init("lesson")
    assert on_phone != on_laptop
    log_until(phone, on_phone, 200)
    assert ann.session(on_laptop)["elapsedMs"] == 0


def test_a_session_goes_on_after_a_restart(fresh_dwell) -> None:
    server = fresh_dwell()
    ann = person(server).login()
    id = ann.init("lesson")
    server.restart()
    before = now_ms()
    assert ann.log().status_code == 200
    assert is_now(ms_of(ann.person.session(id)["sessionEndTime"]), since=before)
