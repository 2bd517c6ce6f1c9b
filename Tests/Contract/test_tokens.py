"""Tokens: they name the entry that a beat belongs to, whatever the cookies say, and no more."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from dwell_process import Client, Dwell, let_pass

from .helpers import (
    BEAT,
    TALKATIVE,
    Device,
    Visitor,
    await_removal,
    beat_by_token,
    beat_of,
    enter,
    needs_faketime,
    person,
    problem,
    refused,
    refused_by_gate,
    restart_ahead,
    segment,
    set_cookies,
    succeeded,
    tampered,
    unique_email,
    visitor,
)

pytestmark = pytest.mark.usefixtures("way")


def by_header(server: Dwell, token: str, *segments: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return server.client().post(BEAT, json=beat_of(*segments), headers=headers)


def stored_of(device: Device) -> list[dict[str, Any]]:
    """What is stored of an account, in whatever session."""
    return device.person.server.sql(
        "SELECT segment.* FROM segment JOIN account ON account.viewer_id = segment.viewer_id"
        " WHERE account.id = ? ORDER BY tab, n",
        device.person.user["id"],
    )


def token_of(device: Device) -> str:
    """The token of a device's entry, as its first beat is told."""
    return succeeded(device.client.post(BEAT, json=beat_of()))["token"]


# Where tokens come from


def test_a_beat_that_names_no_token_is_told_one(dwell: Dwell) -> None:
    ann = visitor(dwell)
    assert "token" not in succeeded(ann.beat()), "a script without a body reads no answer"
    for response in (ann.beat(segment()), ann.beat(segments=[])):
        token = succeeded(response)["token"]
        assert succeeded(beat_by_token(dwell, token, segment(tab="other")))
    assert [row["tab"] for row in ann.stored if row["tab"] == "other"] == ["other"]


def test_a_beat_that_names_its_entry_is_told_no_token(dwell: Dwell) -> None:
    ann = visitor(dwell)
    for response in (
        beat_by_token(dwell, ann.token, segment()),
        by_header(dwell, ann.token, segment()),
        beat_by_token(dwell, ann.token, segment(), client=ann.client),
        beat_by_token(dwell, ann.token),
    ):
        assert "token" not in succeeded(response)


def test_the_gate_tells_a_token_in_json(dwell: Dwell) -> None:
    email = unique_email()
    token = succeeded(enter(dwell.client(), email))["token"]
    succeeded(beat_by_token(dwell, token, segment(n=4)))
    assert [row["n"] for row in Visitor(dwell, email, dwell.client(), token).stored] == [4]


def test_the_gate_keeps_tokens_out_of_addresses(dwell: Dwell) -> None:
    response = enter(dwell.client(), unique_email(), form=True)
    assert response.status_code in (302, 303)
    assert "AAAA" not in response.headers["Location"]


def test_a_session_that_is_opened_by_name_tells_a_token(dwell: Dwell) -> None:
    ann = person(dwell).login()
    answer = succeeded(ann.client.get("/session/init", params={"videoId": "lesson"}))
    succeeded(beat_by_token(dwell, answer["token"], segment(n=6)))
    (row,) = [row for row in stored_of(ann) if row["n"] == 6]
    assert str(row["entry_id"]) == answer["sessionId"]


# Beats by token alone


@pytest.mark.parametrize("send", [beat_by_token, by_header], ids=["body", "header"])
def test_a_token_is_all_that_a_beat_needs(dwell: Dwell, send: Any) -> None:
    ann, bea = visitor(dwell), visitor(dwell)
    response = send(dwell, ann.token, segment(n=1), segment(n=2))
    assert succeeded(response)["success"] is True
    assert set_cookies(response) == {}
    assert [row["n"] for row in ann.stored] == [1, 2]
    assert bea.stored == []
    assert ann.record["elapsedMs"] > 0


def test_beats_without_a_body_count_by_header_too(dwell: Dwell) -> None:
    ann = visitor(dwell)
    let_pass(0.05)
    headers = {"Authorization": f"Bearer {ann.token}"}
    assert "token" not in succeeded(dwell.client().post(BEAT, headers=headers))
    assert ann.record["elapsedMs"] >= 50


def test_the_same_segment_by_cookie_and_by_token_is_one(dwell: Dwell) -> None:
    ann = visitor(dwell)
    beat = beat_of(segment())
    succeeded(ann.client.post(BEAT, json=beat))
    succeeded(dwell.client().post(BEAT, json=beat | {"token": ann.token}))
    assert len(ann.stored) == 1


def test_the_token_in_the_body_wins_over_the_one_in_the_header(dwell: Dwell) -> None:
    ann, bea = visitor(dwell), visitor(dwell)
    headers = {"Authorization": f"Bearer {bea.token}"}
    beat = beat_of(segment(), token=ann.token)
    succeeded(dwell.client().post(BEAT, json=beat, headers=headers))
    assert (len(ann.stored), len(bea.stored)) == (1, 0)


@needs_faketime
@pytest.mark.sqlite("with PostgreSQL the database's clock counts")
def test_a_token_is_good_for_30_days_and_no_longer(fresh_dwell) -> None:
    server = fresh_dwell()
    ann = visitor(server)
    given = token_of(person(server).login())
    succeeded(beat_by_token(server, ann.token, segment(n=1)))
    restart_ahead(server, 29)
    # The gate's cookie is good for a day; a queue is kept longer.
    assert ann.client.twin().post(BEAT).status_code == 400
    succeeded(beat_by_token(server, ann.token, segment(n=2)))
    succeeded(beat_by_token(server, given, segment(n=2)))
    restart_ahead(server, 31)
    for token in (ann.token, given):
        for response in (
            beat_by_token(server, token, segment(n=3)),
            by_header(server, token, segment(n=3)),
            beat_by_token(server, token),
        ):
            refused_by_gate(response, 401)
    assert [row["n"] for row in ann.stored] == [1, 2]


def test_a_token_outlives_a_restart(fresh_dwell) -> None:
    server = fresh_dwell()
    ann, bea = visitor(server), person(server).login()
    tokens = [ann.token, token_of(bea)]
    server.restart()
    for token in tokens:
        succeeded(beat_by_token(server, token, segment(n=9)))
    assert [row["n"] for row in ann.stored + stored_of(bea)] == [9, 9]


# A token of one, and cookies of another


def test_what_a_guest_did_stays_the_guests_when_another_has_come_in_since(dwell: Dwell) -> None:
    ann, bea = visitor(dwell), visitor(dwell)
    held = {cookie.name: cookie.value for cookie in bea.client.cookies}
    response = beat_by_token(dwell, ann.token, segment(n=1), client=bea.client)
    token = succeeded(response)["token"]
    assert set_cookies(response) == {}
    assert {cookie.name: cookie.value for cookie in bea.client.cookies} == held
    assert ([row["n"] for row in ann.stored], bea.stored) == ([1], [])
    succeeded(beat_by_token(dwell, token, segment(n=2)))
    assert [row["n"] for row in bea.stored] == [2]
    succeeded(bea.beat(segment(n=3)))
    assert [row["n"] for row in bea.stored] == [2, 3]


def test_what_a_guest_did_stays_the_guests_when_somebody_has_logged_in_since(dwell: Dwell) -> None:
    ann, bea = visitor(dwell), person(dwell).login()
    answer = succeeded(beat_by_token(dwell, ann.token, segment(n=1), client=bea.client))
    assert [row["n"] for row in ann.stored] == [1]
    assert stored_of(bea) == []
    succeeded(beat_by_token(dwell, answer["token"], segment(n=2)))
    assert [row["n"] for row in stored_of(bea)] == [2]


def test_what_an_account_did_stays_the_accounts_when_a_guest_has_come_in_since(
    dwell: Dwell,
) -> None:
    ann = person(dwell).login()
    token, bea = token_of(ann), visitor(dwell)
    answer = succeeded(beat_by_token(dwell, token, segment(n=1), client=bea.client))
    assert [row["n"] for row in stored_of(ann)] == [1]
    succeeded(beat_by_token(dwell, answer["token"], segment(n=2)))
    assert [row["n"] for row in bea.stored] == [2]


def test_what_one_account_did_stays_its_own_when_another_has_logged_in_since(dwell: Dwell) -> None:
    ann, bea = person(dwell).login(), person(dwell).login()
    token = token_of(ann)
    answer = succeeded(beat_by_token(dwell, token, segment(n=1), client=bea.client))
    assert ([row["n"] for row in stored_of(ann)], stored_of(bea)) == ([1], [])
    succeeded(beat_by_token(dwell, answer["token"], segment(n=2)))
    assert [row["n"] for row in stored_of(bea)] == [2]


def test_the_sessions_of_one_account_are_told_apart(dwell: Dwell) -> None:
    ann = person(dwell).login()
    first = succeeded(ann.client.get("/session/init", params={"videoId": "one"}))
    second = succeeded(ann.client.get("/session/init", params={"videoId": "two"}))
    response = beat_by_token(dwell, first["token"], segment(n=5), client=ann.client)
    # The answer leads to the entry that the cookies name.
    succeeded(beat_by_token(dwell, succeeded(response)["token"], segment(n=6)))
    entries = {row["n"]: str(row["entry_id"]) for row in stored_of(ann) if row["tab"] == "tab1"}
    assert entries == {5: first["sessionId"], 6: second["sessionId"]}


# What is no token


def refuses(server: Dwell, token: str, ann: Visitor, client: Client | None = None) -> None:
    """The token is refused in the body and in the header, and nothing is stored."""
    before = server.sql("SELECT count(*) AS count FROM segment")
    refused_by_gate(beat_by_token(server, token, segment(n=8), client=client), 401)
    refused_by_gate(by_header(server, token, segment(n=8)), 401)
    refused_by_gate(beat_by_token(server, token, client=client), 401)
    assert server.sql("SELECT count(*) AS count FROM segment") == before
    assert ann.record["elapsedMs"] == 0


MADE_UP = ["x", "1", "null", "A" * 54, "A" * 53, "A" * 5000, "a.b.c", "'; DROP TABLE segment; --"]


@pytest.mark.parametrize("token", MADE_UP, ids=lambda token: token[:20])
def test_a_made_up_token_is_refused(dwell: Dwell, token: str) -> None:
    refuses(dwell, token, visitor(dwell))


@pytest.mark.parametrize("token", ["", " ", "\0", "ä" * 54, "🎈", "A" * 53 + "\n"], ids=repr)
def test_a_made_up_token_that_fits_no_header_is_refused(dwell: Dwell, token: str) -> None:
    ann = visitor(dwell)
    refused_by_gate(beat_by_token(dwell, token, segment()), 401)
    refused_by_gate(beat_by_token(dwell, token, segment(), client=ann.client), 401)
    assert ann.stored == []


@pytest.mark.parametrize("part", range(9))
def test_a_tampered_token_is_refused(dwell: Dwell, part: int) -> None:
    ann = visitor(dwell)
    let_pass(0.02)
    refuses(dwell, tampered(ann.token, part * len(ann.token) // 9), ann)


def test_a_shortened_token_is_refused(dwell: Dwell) -> None:
    ann = visitor(dwell)
    for token in (ann.token[:-1], ann.token[1:], ann.token[:20], ann.token + "A", ann.token * 2):
        refuses(dwell, token, ann)


def test_a_token_of_another_installation_is_refused(dwell: Dwell, fresh_dwell) -> None:
    ann = visitor(dwell)
    refuses(dwell, visitor(fresh_dwell()).token, ann)


def test_a_wrong_token_is_refused_even_beside_good_cookies(dwell: Dwell) -> None:
    ann = visitor(dwell)
    refuses(dwell, tampered(ann.token), ann, client=ann.client)


def test_a_token_of_a_session_that_never_was_is_refused(fresh_dwell) -> None:
    """Signed with the right key: the database was put back, or is another one."""
    server = fresh_dwell()
    ann = visitor(server)
    server.stop()
    server.store.empty()
    server.start()
    response = beat_by_token(server, ann.token, segment())
    assert response.status_code in (400, 401)
    assert server.sql("SELECT * FROM segment") == []


# Nothing else is a token, and a token is nothing else


def test_no_other_secret_is_a_token(dwell: Dwell) -> None:
    ann, bea = visitor(dwell), person(dwell).login()
    for secret in (ann.client.cookie("dwell_access"), bea.token, dwell.key()):
        refuses(dwell, secret, ann)


def test_a_token_is_no_other_secret(dwell: Dwell) -> None:
    ann, bea = visitor(dwell), person(dwell).login()
    for token in (ann.token, token_of(bea)):
        headers = {"Authorization": f"Bearer {token}"}
        client = dwell.client().forge("dwell_access", token).forge("token", token)
        page = client.get("/confidential/index.html", headers=headers)
        assert page.status_code != 200 and "TOP-SECRET" not in page.text
        refused(client.get("/devices/list"), 401, "token_invalid")
        refused(client.get("/session/init"), 401, "token_invalid")
        refused(client.get("/auth/logout"), 401, "token_invalid")
        problem(dwell.client().get("/api/v1/sessions", headers=headers), 401)
        problem(dwell.client().get("/api/v1/sessions/1", headers=headers), 401)
        refused(dwell.client().get("/devices/list", headers=headers), 400)
        refused(dwell.client().get("/cronjob/trigger", headers=headers), 401)


def test_a_token_opens_no_page_for_the_browser_that_sends_it(dwell: Dwell) -> None:
    ann, client = visitor(dwell), dwell.client()
    succeeded(beat_by_token(dwell, ann.token, segment(), client=client))
    assert list(client.cookies) == []
    assert client.get("/confidential/index.html").status_code != 200
    assert ann.client.get("/confidential/index.html").status_code == 200


# A device that is gone


def leave(device: Device) -> None:
    succeeded(device.client.get("/auth/logout"))


def be_removed(device: Device) -> None:
    other = device.person.login()
    response = other.client.delete(f"/devices/remove/{device.id}")
    assert response.status_code == 200, response.text


def be_replaced(device: Device) -> None:
    device.person.login(device.client)


@pytest.mark.parametrize("end", [leave, be_removed, be_replaced])
@pytest.mark.parametrize("source", ["first beat", "session"])
def test_a_token_dies_with_its_device(dwell: Dwell, end: Any, source: str) -> None:
    ann = person(dwell).login()
    if source == "session":
        token = succeeded(ann.client.get("/session/init"))["token"]
    else:
        token = token_of(ann)
    succeeded(beat_by_token(dwell, token, segment(n=1)))
    end(ann)
    await_removal(dwell)
    before = stored_of(ann)
    for response in (
        beat_by_token(dwell, token, segment(n=2)),
        by_header(dwell, token, segment(n=2)),
        beat_by_token(dwell, token, segment(n=2), client=ann.client),
        beat_by_token(dwell, token),
    ):
        assert refused_by_gate(response, 401)["code"] == "device_removed"
    assert stored_of(ann) == before != []


def test_the_token_of_another_device_lives_on(dwell: Dwell) -> None:
    ann = person(dwell).login()
    other = ann.person.login()
    token = token_of(other)
    leave(ann)
    succeeded(beat_by_token(dwell, token, segment(n=3)))
    assert [row["n"] for row in stored_of(other)] == [3]


# Secrets are not written down


def test_no_token_is_in_the_logs(fresh_dwell) -> None:
    server = fresh_dwell(env=TALKATIVE)
    ann, bea = visitor(server), person(server).login()
    tokens = [ann.token, token_of(bea)]
    wrong = tampered(ann.token)
    for token in tokens:
        succeeded(beat_by_token(server, token, segment()))
        succeeded(by_header(server, token, segment()))
        refused_by_gate(beat_by_token(server, token, segment(n=-1)))
        refused_by_gate(by_header(server, token, segment(), "no segment"))
    refused_by_gate(beat_by_token(server, wrong, segment()), 401)
    refused_by_gate(by_header(server, wrong, segment()), 401)
    leave(bea)
    await_removal(server)
    refused_by_gate(beat_by_token(server, tokens[1], segment()), 401)
    # What goes wrong is logged with its cause.
    with server.store.locked():
        refused_by_gate(beat_by_token(server, ann.token, segment()), 503)
        refused_by_gate(by_header(server, ann.token, segment()), 503)
    server.stop()
    assert BEAT in server.written, "a server that says nothing proves nothing"
    for token in [*tokens, wrong]:
        assert token not in server.written
        assert token[-22:] not in server.written
