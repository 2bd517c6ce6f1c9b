"""Guessers are slowed down, and nobody else: lines 12 and 13 of what Dwell must withstand."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
import requests

from dwell_process import Client, Dwell, eventually

from .helpers import (
    FIREFOX,
    PASSWORD,
    Person,
    enter,
    person,
    problem,
    refused,
    registration,
    succeeded,
    unique,
    unique_email,
)

WRONG = "not the password"
GUESSES = 10  # Of one account from one address.
# How many tries there may be at once, and after how many seconds there is one more.
OF_AN_ACCOUNT, FROM_AN_ADDRESS = (GUESSES, 60), (100, 6)
#: Documentation addresses; what comes from this machine is believed about where it comes from.
HERE, ELSEWHERE = "203.0.113.7", "198.51.100.9"

Send = Callable[[], requests.Response]
one_counter = pytest.mark.one_node("each node counts for itself")


@pytest.fixture
def server(fresh_dwell) -> Iterator[Dwell]:
    yield fresh_dwell()


def client_from(server: Dwell, address: str) -> Client:
    client = server.client(FIREFOX)
    client.headers["X-Forwarded-For"] = address
    return client


def login(client: Client, username: str, password: str = PASSWORD) -> requests.Response:
    return client.post("/auth/login", json={"username": username, "password": password}, timeout=120)


def guess(client: Client, username: str, times: int) -> list[int]:
    return [login(client, username, f"{WRONG} {time}").status_code for time in range(times)]


def slowed(response: requests.Response) -> None:
    answer = refused(response, 429, "too_many_tries")
    after = int(response.headers["Retry-After"])
    assert 1 <= after <= 60
    assert f"{after} s" in answer["msg"]
    assert response.headers["Cache-Control"] == "no-store"


def first_refusal(send: Send, status: int, most: int, every: float, since: float | None = None) -> requests.Response:
    """Tries until there were too many: as many as there may be, and one more for each pause that passes meanwhile."""
    since = since or time.monotonic()
    tries = 0
    while (response := send()).status_code != 429:
        assert response.status_code == status, response.text
        tries += 1
        assert tries <= most + 1 + (time.monotonic() - since) / every
    assert tries >= most
    return response


def refusal(send: Send) -> requests.Response:
    """What is answered when there were too many tries. Since the last that was refused, one may have come back."""
    for _ in range(3):
        response = send()
        if response.status_code == 429:
            break
    return response


def exhaust(client: Client, ann: Person) -> None:
    """Guesses at an account for as long as that is possible."""
    slowed(first_refusal(lambda: login(client, ann.username, unique(WRONG)), 401, *OF_AN_ACCOUNT))


@one_counter
def test_security_13_guesses_at_one_account_from_one_address_are_slowed(server: Dwell) -> None:
    ann = person(server)
    exhaust(client_from(server, HERE), ann)
    # Even the right one: whoever guesses must not learn that it is.
    slowed(login(client_from(server, HERE), ann.username))
    # However the name is written.
    slowed(login(client_from(server, HERE), f" {ann.username.upper()} "))


@one_counter
def test_security_13_a_guesser_keeps_nobody_out_who_comes_from_elsewhere(server: Dwell) -> None:
    ann, bea = person(server), person(server)
    exhaust(client_from(server, HERE), ann)
    succeeded(login(client_from(server, ELSEWHERE), ann.username))
    # Nor whoever comes from the same address to another account.
    succeeded(login(client_from(server, HERE), bea.username))


@one_counter
def test_security_13_a_browser_that_was_here_before_has_tries_of_its_own(server: Dwell) -> None:
    ann = person(server)
    home = client_from(server, HERE)
    ann.login(home)
    succeeded(home.get("/auth/logout"))
    exhaust(client_from(server, HERE), ann)
    for _ in range(3):
        succeeded(login(home, ann.username))
    # As many as a guesser has.
    exhaust(home, ann)
    slowed(login(home, ann.username))


@one_counter
def test_security_13_being_known_to_one_account_opens_no_other(server: Dwell) -> None:
    ann, eve = person(server), person(server)
    client = client_from(server, HERE)
    eve.login(client)
    exhaust(client, ann)


@one_counter
def test_security_13_guesses_from_many_addresses_are_slowed_too(server: Dwell) -> None:
    ann = person(server)
    home = client_from(server, HERE)
    ann.login(home)
    clients = (client_from(server, f"198.51.100.{number // GUESSES}") for number in count())
    slowed(first_refusal(lambda: login(next(clients), ann.username, WRONG), 401, 100, 36))
    slowed(refusal(lambda: login(client_from(server, "192.0.2.1"), ann.username, WRONG)))
    succeeded(login(home, ann.username))


@one_counter
def test_security_13_guesses_at_many_accounts_from_one_address_are_slowed(server: Dwell) -> None:
    ann = person(server)
    client = client_from(server, HERE)
    slowed(first_refusal(lambda: login(client, unique("nobody"), WRONG), 401, *FROM_AN_ADDRESS))
    succeeded(login(client_from(server, ELSEWHERE), ann.username))


@one_counter
def test_security_13_addresses_of_one_connection_are_one(server: Dwell) -> None:
    """A connection of IPv6 has 2⁶⁴ of them."""
    ann = person(server)
    for number in range(GUESSES):
        assert guess(client_from(server, f"2001:db8:1:2::{number:x}"), ann.username, 1) == [401]
    slowed(login(client_from(server, "2001:db8:1:2:ffff::1"), ann.username))
    assert guess(client_from(server, "2001:db8:1:3::1"), ann.username, 1) == [401]


@one_counter
def test_security_13_of_many_guesses_at_once_only_a_few_are_looked_at(server: Dwell) -> None:
    ann = person(server)
    began = time.monotonic()
    with ThreadPoolExecutor(50) as pool:
        statuses = list(
            pool.map(
                lambda number: login(client_from(server, HERE), ann.username, f"{WRONG} {number}").status_code,
                range(100),
            )
        )
    assert 0 <= statuses.count(401) - GUESSES <= (time.monotonic() - began) / 60
    assert set(statuses) == {401, 429}


def test_security_13_many_right_logins_at_once_are_not_slowed(fresh_dwell) -> None:
    server = fresh_dwell("--device-limit", "100")
    ann = person(server)
    with ThreadPoolExecutor(50) as pool:
        answers = pool.map(lambda _: login(client_from(server, HERE), ann.username), range(100))
        assert [answer.status_code for answer in answers] == [200] * 100


@one_counter
def test_security_13_what_is_right_costs_nothing(server: Dwell) -> None:
    ann = person(server)
    began = time.monotonic()
    for _ in range(2):
        assert guess(client_from(server, HERE), ann.username, 4) == [401] * 4
        for _ in range(5):
            client = client_from(server, HERE)
            succeeded(login(client, ann.username))
            succeeded(client.get("/auth/logout"))
    left = GUESSES - 2 * 4
    slowed(first_refusal(lambda: login(client_from(server, HERE), ann.username, WRONG), 401, left, 60, since=began))
    slowed(login(client_from(server, HERE), ann.username))


@one_counter
def test_security_12_13_unknown_names_are_slowed_like_known_ones(server: Dwell) -> None:
    ann, nobody = person(server), unique("nobody")
    seen = []
    for name in (ann.username, nobody):
        client = client_from(server, HERE)
        answers = [login(client, name, WRONG) for _ in range(GUESSES + 1)]
        slowed(answers[-1])
        seen.append([(answer.status_code, answer.json()["code"], sorted(answer.headers)) for answer in answers])
    assert seen[0] == seen[1]


@one_counter
def test_security_13_the_old_password_cannot_be_guessed_by_who_has_the_cookie(server: Dwell) -> None:
    ann = person(server)
    device, other = ann.login(), ann.login()

    def change(client: Client, current: str) -> requests.Response:
        return client.post("/auth/password", json={"current": current, "new": f"{PASSWORD} too"})

    for number in range(GUESSES):
        refused(change(device.client, f"{WRONG} {number}"), 400, "invalid_field", field="current")
    slowed(change(device.client, PASSWORD))
    succeeded(change(other.client, PASSWORD))


@one_counter
def test_security_13_the_ticket_of_a_refusal_cannot_be_guessed(server: Dwell) -> None:
    client = client_from(server, HERE)
    client.cookies.set("dwell_browser", "ab" * 32)
    given = {"ticket": "cd" * 32, "deviceId": "0a75f4c5-71ae-47e8-b14d-52fc7595b693"}
    slowed(first_refusal(lambda: client.post("/devices/replace", json=given), 401, *FROM_AN_ADDRESS))
    refused(client_from(server, ELSEWHERE).post("/devices/replace", json=given), 401)


@one_counter
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/auth/password/reset", {"code": "12345678", "password": f"{PASSWORD} too"}),
        ("/auth/email/verify", {"code": "123456"}),
    ],
)
def test_security_13_codes_cannot_be_guessed(
    fresh_dwell, path: str, body: dict[str, str]
) -> None:
    server = fresh_dwell(env={"DWELL_SMTP_URL": "file:mails", "DWELL_MAIL_FROM": "dwell@example.com"})
    client = client_from(server, HERE)
    slowed(first_refusal(lambda: client.post(path, json=body), 400, *FROM_AN_ADDRESS))
    form = refusal(lambda: client.post(path, data=body))
    assert form.status_code == 429 and int(form.headers["Retry-After"]) >= 1
    assert "<form" in form.text
    refused(client_from(server, ELSEWHERE).post(path, json=body), 400, "code_invalid")


@one_counter
def test_security_13_codes_are_not_asked_for_without_end(fresh_dwell) -> None:
    server = fresh_dwell(env={"DWELL_SMTP_URL": "file:mails", "DWELL_MAIL_FROM": "dwell@example.com"})

    def ask(client: Client) -> requests.Response:
        return client.post("/auth/password/forgot", json={"email": unique_email("x")})

    here = client_from(server, HERE)
    slowed(first_refusal(lambda: ask(here), 200, 500, 7))
    succeeded(ask(client_from(server, ELSEWHERE)))


@one_counter
def test_security_13_accounts_are_not_made_without_end(server: Dwell) -> None:
    def register(address: str = HERE, **changes: str) -> requests.Response:
        return client_from(server, address).post("/auth/register", json=registration(**changes))

    # What is malformed costs nothing.
    for _ in range(20):
        refused(register(email="nobody"), 400)
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        assert {answer.status_code for answer in pool.map(register, [HERE] * 500)} == {200}
    slowed(first_refusal(register, 200, 0, 7, since=began))
    succeeded(register(ELSEWHERE))


@one_counter
def test_security_13_the_gate_is_not_entered_without_end(server: Dwell) -> None:
    client = client_from(server, HERE)
    email = unique_email()
    response = first_refusal(lambda: enter(client, email), 200, 1000, 4)
    assert int(response.headers["Retry-After"]) >= 1
    assert response.json()["success"] is False and response.json()["code"] == "too_many_tries"
    form = refusal(lambda: enter(client, email, form=True))
    assert form.status_code == 429 and int(form.headers["Retry-After"]) >= 1
    assert "<form" in form.text
    succeeded(enter(client_from(server, ELSEWHERE), email))


@one_counter
def test_security_13_the_key_of_the_trigger_cannot_be_guessed(fresh_dwell) -> None:
    server = fresh_dwell(env={"DWELL_CRON_ACCESS_KEY": "a key for the trigger"})

    def pull(client: Client, key: str) -> requests.Response:
        return client.post("/cronjob/trigger", headers={"Authorization": f"Bearer {key}"})

    def wrong_then_right() -> requests.Response:
        slowed(refusal(lambda: pull(here, "wrong")))
        return pull(here, "a key for the trigger")

    here = client_from(server, HERE)
    slowed(first_refusal(lambda: pull(here, "wrong"), 401, *FROM_AN_ADDRESS))
    slowed(refusal(wrong_then_right))
    succeeded(pull(client_from(server, ELSEWHERE), "a key for the trigger"))


@one_counter
def test_security_13_keys_cannot_be_guessed_and_a_right_one_always_works(server: Dwell) -> None:
    client = client_from(server, HERE)
    wrong = {"Authorization": "Bearer dwell_x"}
    response = first_refusal(lambda: client.get("/api/v1/sessions", headers=wrong), 401, *FROM_AN_ADDRESS)
    assert problem(response, 429)["code"] == "too_many_tries"
    assert int(response.headers["Retry-After"]) >= 1
    succeeded(client.get("/api/v1/sessions", headers={"Authorization": f"Bearer {server.key()}"}))


# Where a request comes from


def seen_from(server: Dwell, forwarded: str | None) -> str:
    client = server.client(FIREFOX)
    if forwarded is not None:
        client.headers["X-Forwarded-For"] = forwarded
    (device,) = person(server).login(client).list()
    return device["address"]


@pytest.mark.one_node("the proxy of the tests adds an address of its own")
@pytest.mark.parametrize(
    ("proxies", "forwarded", "network"),
    [
        ("127.0.0.1", "203.0.113.7", "203.0.113.0/24"),
        ("127.0.0.1,10.0.0.0/8", "198.51.100.9, 203.0.113.7, 10.1.2.3", "203.0.113.0/24"),
        ("127.0.0.1", "203.0.113.7, 10.1.2.3", "10.1.2.0/24"),
        ("10.0.0.0/8", "203.0.113.7", "127.0.0.0/24"),
        ("127.0.0.0/8, 2001:db8::/32", "2001:db9:1:2::3, 2001:db8::1", "2001:db9:1::/48"),
    ],
)
def test_security_13_only_the_word_of_trusted_proxies_counts(
    fresh_dwell, proxies: str, forwarded: str, network: str
) -> None:
    assert seen_from(fresh_dwell("--trusted-proxies", proxies), forwarded) == network
    assert seen_from(fresh_dwell(env={"DWELL_TRUSTED_PROXIES": proxies}), forwarded) == network


@one_counter
def test_security_13_nobody_gets_more_tries_by_making_addresses_up(fresh_dwell) -> None:
    server = fresh_dwell("--trusted-proxies", "10.0.0.0/8")
    ann = person(server)
    statuses = [login(client_from(server, f"203.0.113.{one}"), ann.username, WRONG).status_code for one in range(11)]
    assert statuses == [401] * GUESSES + [429]


@pytest.mark.parametrize("proxies", ["nonsense", "10.0.0.0/33", "127.0.0.1,", "example.com"])
def test_security_13_what_is_no_network_is_refused_at_the_start(dwell: Dwell, proxies: str) -> None:
    made = dwell.run("serve", "--port", "0", "--trusted-proxies", proxies)
    assert made.returncode == 78
    assert "--trusted-proxies" in made.stderr and proxies in made.stderr


# What guessing leaves behind


@one_counter
def test_security_19_a_flood_of_guesses_is_counted_and_not_written_line_by_line(server: Dwell) -> None:
    ann = person(server)
    client = client_from(server, HERE)
    guess(client, ann.username, 60)

    def lines() -> list[dict[str, object]]:
        return json.loads(server.run("audit", "--format", "json").stdout)

    left_out = eventually(
        lambda: next((line for line in lines() if line["event"] == "left-out"), None), what="a count"
    )
    refusals = [line for line in lines() if line["event"] == "login"]
    assert [line["outcome"] for line in refusals].count("failure") == GUESSES
    assert [line["detail"] for line in refusals if line["outcome"] == "denied"] == [{"reason": "too many tries"}]
    assert 1 <= int(left_out["detail"]["count"]) <= 60 - GUESSES - 1  # type: ignore[index]
