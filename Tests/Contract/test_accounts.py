"""Accounts: registering, logging in and out, and what a token is good for."""

from __future__ import annotations

import contextlib
import json
import socket
import uuid
from typing import Any

import pytest

from dwell_process import Client, Dwell, free_port

from .helpers import (
    ANDROID,
    CROSS_SITE,
    DEVICE_KEYS,
    FIREFOX,
    ISO_MILLISECONDS,
    PASSWORD,
    SECRET,
    TALKATIVE,
    USER_KEYS,
    YEAR,
    Person,
    base64url,
    is_private,
    made_token,
    ms_of,
    needs_faketime,
    now_ms,
    person,
    refused,
    registration,
    restart_ahead,
    set_cookies,
    succeeded,
    tampered,
    token_parts,
    unique,
    unique_email,
    visitor,
)

NO_DEVICE = "6f1c2a52-1f0e-4bd2-9d7c-0d9b8c1e5a77"
NEEDS_TOKEN = [
    ("GET", "/auth/logout"),
    ("POST", "/auth/logout"),
    ("GET", "/devices/list"),
    ("DELETE", f"/devices/remove/{NO_DEVICE}"),
    ("POST", f"/devices/remove/{NO_DEVICE}"),
    ("GET", "/session/init"),
    ("GET", "/session/init?videoId=v"),
    ("POST", "/session/init"),
    ("GET", "/session/log"),
    ("POST", "/session/log"),
]
each_that_needs_a_token = pytest.mark.parametrize(("method", "path"), NEEDS_TOKEN)


def register(server: Dwell, **changes: Any) -> Any:
    return server.client().post("/auth/register", json=registration(**changes))


def works(client: Client) -> bool:
    """Whether the client's token is accepted; the only other answer is 401."""
    response = client.get("/devices/list")
    assert response.status_code in (200, 401), response.text
    return response.status_code == 200


# Registering


def test_registering_answers_the_user(dwell: Dwell) -> None:
    given = registration()
    before = now_ms()
    response = dwell.client().post("/auth/register", json=given)
    user = succeeded(response)
    assert set(user) >= USER_KEYS | {"created_at", "updated_at", "last_logged_in"}
    for name in ("username", "first_name", "last_name", "email", "phone_number", "gender"):
        assert user[name] == given[name]
    assert str(uuid.UUID(user["id"])) == user["id"].lower()
    assert user["is_verified"] is False
    assert user["devices_connected"] == 0
    assert user["profile_picture_url"] is None
    for name in ("created_at", "updated_at", "last_logged_in"):
        assert ISO_MILLISECONDS.fullmatch(user[name]), user
        assert before - 1 <= ms_of(user[name]) <= now_ms()
    assert is_private(response)


def test_no_answer_ever_holds_the_password_or_its_hash(dwell: Dwell) -> None:
    ann = person(dwell)
    device = ann.login()
    answers = [json.dumps(ann.user), json.dumps(device.answer), json.dumps(device.list())]
    for answer in answers:
        assert "password" not in answer.lower()
        assert PASSWORD not in answer
        assert "$" not in answer, "this looks like a hash"


def test_registering_does_not_log_in(dwell: Dwell) -> None:
    client = dwell.client()
    response = client.post("/auth/register", json=registration())
    assert "token" not in set_cookies(response)


def test_a_taken_username_is_refused(dwell: Dwell) -> None:
    ann = person(dwell)
    refused(register(dwell, username=ann.username), 409, "username_taken")


def test_a_taken_email_is_refused(dwell: Dwell) -> None:
    ann = person(dwell)
    refused(register(dwell, email=ann.given["email"]), 409, "email_taken")


def test_a_taken_email_in_other_letters_is_refused(dwell: Dwell) -> None:
    ann = person(dwell)
    refused(register(dwell, email=ann.given["email"].upper()), 409, "email_taken")


def test_a_refused_registration_leaves_nothing_behind(dwell: Dwell) -> None:
    ann = person(dwell)
    name = unique()
    refused(register(dwell, username=name, email=ann.given["email"]), 409)
    succeeded(register(dwell, username=name))


def test_the_email_of_a_guest_may_be_registered(dwell: Dwell) -> None:
    guest = visitor(dwell)
    assert succeeded(register(dwell, email=guest.email))["email"] == guest.email


@pytest.mark.parametrize("name", ["username", "email", "password"])
def test_registering_without_a_field_names_it(dwell: Dwell, name: str) -> None:
    refused(register(dwell, **{name: ...}), 400, "invalid_field", field=name)


@pytest.mark.parametrize("value", [None, 5, True, ["x"], {"a": 1}], ids=repr)
@pytest.mark.parametrize("name", ["username", "email", "password"])
def test_registering_with_a_field_of_another_type_names_it(
    dwell: Dwell, name: str, value: object
) -> None:
    refused(register(dwell, **{name: value}), 400, "invalid_field", field=name)


@pytest.mark.parametrize("value", [5, True, ["x"], {"a": 1}], ids=repr)
@pytest.mark.parametrize("name", ["first_name", "last_name", "phone_number", "gender"])
def test_registering_with_a_detail_of_another_type_names_it(
    dwell: Dwell, name: str, value: object
) -> None:
    refused(register(dwell, **{name: value}), 400, "invalid_field", field=name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("username", ""),
        ("username", "   "),
        ("username", "a\x00b"),
        ("username", "a\nb"),
        ("username", "u" * 5000),
        ("first_name", "f" * 5000),
        ("last_name", "l" * 5000),
        ("email", ""),
        ("email", "ann"),
        ("email", "ann@"),
        ("email", "@example.org"),
        ("email", "ann@bea@example.org"),
        ("email", "ann\r\n@example.org"),
        ("email", "a" * 400 + "@example.org"),
        ("password", ""),
        ("phone_number", "call me"),
        ("phone_number", "1" * 5000),
        ("gender", "g" * 5000),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_registering_with_a_bad_value_names_the_field(dwell: Dwell, name: str, value: str) -> None:
    refused(register(dwell, **{name: value}), 400, "invalid_field", field=name)


@pytest.mark.parametrize(
    "password",
    [
        "x" * 128, "пароль из многих букв", "密码密码密码密码密码", "🎈🎈🎈🎈🎈🎈🎈🎈🎈",
        "  with spaces around  ", "' OR 1=1; --", 'quo"te\\back',
    ],
)  # fmt: skip
def test_any_long_enough_password_works(dwell: Dwell, password: str) -> None:
    ann = person(dwell, password=password)
    ann.login()
    refused(ann.try_login(password=password[:-1]), 401, "wrong_credentials")


def test_a_long_password_is_not_cut_off(dwell: Dwell) -> None:
    ann = person(dwell, password="y" * 100 + "right")
    refused(ann.try_login(password="y" * 100 + "wrong"), 401, "wrong_credentials")
    ann.login()


@pytest.mark.parametrize(
    "name", ["Robert'); DROP TABLE account;--", "<b>bold</b>", "Ünïcödé", "李小龍", "=1+1"]
)
def test_a_name_is_kept_as_it_was_given(dwell: Dwell, name: str) -> None:
    ann = person(dwell, first_name=name)
    assert ann.user["first_name"] == name
    assert ann.login().answer["user"]["first_name"] == name


# Logging in


def test_logging_in_answers_the_user_and_the_device(dwell: Dwell) -> None:
    ann = person(dwell)
    response = ann.try_login(dwell.client(ANDROID))
    answer = succeeded(response)
    assert answer["error"] is False
    assert answer["msg"] == "Logged in successfully."
    assert set(answer["user"]) >= USER_KEYS
    for name in ("id", "username", "first_name", "last_name", "email", "phone_number", "gender"):
        assert answer["user"][name] == ann.user[name]
    assert answer["user"]["is_verified"] is False
    assert answer["user"]["devices_connected"] == 1
    device = answer["thisDevice"]
    assert set(device) >= DEVICE_KEYS
    assert uuid.UUID(device["id"])
    assert device["user_id"] == ann.user["id"]
    assert device["device_name"] == "Chrome Mobile 112.0.0.0 on SM-S901B (Android 13)"
    assert device["device_os"] == "Android 13"
    assert ISO_MILLISECONDS.fullmatch(device["last_logged_in"])
    assert is_private(response)


@pytest.mark.parametrize(
    "user_agent", ["", "curl/8.5.0", FIREFOX, "<script>alert(1)</script>", "\xff\xfe", "M" * 4000],
    ids=lambda value: repr(value)[:24],
)  # fmt: skip
def test_any_browser_gets_a_name(dwell: Dwell, user_agent: str) -> None:
    device = person(dwell).login(user_agent=user_agent).answer["thisDevice"]
    assert isinstance(device["device_name"], str) and 0 < len(device["device_name"]) <= 1000
    assert isinstance(device["device_os"], str) and device["device_os"]


def test_the_token_is_a_jwt_that_names_the_user_and_the_device(dwell: Dwell) -> None:
    device = person(dwell).login()
    header, payload = token_parts(device.token)
    assert payload["userId"] == device.person.user["id"]
    assert payload["deviceId"] == device.id
    assert payload["exp"] - payload["iat"] == YEAR
    assert abs(payload["iat"] * 1000 - now_ms()) < 60_000
    assert header["alg"] != "none"
    assert header["kid"]


def test_the_token_says_nothing_about_the_person(dwell: Dwell) -> None:
    ann = person(dwell)
    _, payload = token_parts(ann.login().token)
    for name in ("username", "email", "phone_number", "password"):
        assert ann.given[name] not in json.dumps(payload)


def test_the_token_cookie_cannot_be_read_by_script(dwell: Dwell) -> None:
    cookie = set_cookies(person(dwell).try_login())["token"]
    assert cookie["httponly"]
    assert cookie["samesite"].lower() in ("strict", "lax")
    assert cookie["path"] == "/"
    assert cookie["max-age"] == str(YEAR)
    assert not cookie["domain"]
    assert not cookie["secure"]


def test_every_cookie_of_a_login_is_kept_to_this_site(dwell: Dwell) -> None:
    for name, cookie in set_cookies(person(dwell).try_login()).items():
        assert cookie["path"] == "/", name
        assert cookie["samesite"], name
        assert not cookie["domain"], name


def test_every_cookie_of_a_login_is_secure_when_the_public_url_is_https(fresh_dwell) -> None:
    server = fresh_dwell(
        "--public-url", "https://dwell.example",
        env={"DWELL_SECRET_KEY": SECRET}, port=free_port(),
    )  # fmt: skip
    cookies = set_cookies(person(server).try_login())
    assert "token" in cookies
    for name, cookie in cookies.items():
        assert cookie["secure"], name


def test_a_wrong_password_is_refused(dwell: Dwell) -> None:
    response = person(dwell).try_login(password=PASSWORD + "!")
    message = "Username or password didn't match"
    refused(response, 401, "wrong_credentials", message)
    assert not set_cookies(response)
    assert is_private(response)


def test_an_unknown_user_is_refused_like_a_wrong_password(dwell: Dwell) -> None:
    known = person(dwell).try_login(password=PASSWORD + "!")
    unknown = dwell.client(FIREFOX).post(
        "/auth/login", json={"username": unique("nobody"), "password": PASSWORD}
    )
    assert unknown.status_code == known.status_code == 401
    assert unknown.json() == known.json()
    assert set(unknown.headers) == set(known.headers)


@pytest.mark.parametrize("name", ["username", "password"])
def test_logging_in_without_a_field_names_it(dwell: Dwell, name: str) -> None:
    given = {"username": unique(), "password": PASSWORD}
    del given[name]
    refused(dwell.client().post("/auth/login", json=given), 400, "invalid_field", field=name)


@pytest.mark.parametrize("value", [None, 5, True, ["x"], {"$ne": None}], ids=repr)
@pytest.mark.parametrize("name", ["username", "password"])
def test_logging_in_with_a_field_of_another_type_names_it(
    dwell: Dwell, name: str, value: object
) -> None:
    ann = person(dwell)
    given = {"username": ann.username, "password": PASSWORD} | {name: value}
    refused(dwell.client().post("/auth/login", json=given), 400, "invalid_field", field=name)


@pytest.mark.parametrize("username", ["' OR '1'='1", "%", "_", "*", "ann\x00", "x" * 5000])
def test_no_username_is_a_way_in(dwell: Dwell, username: str) -> None:
    person(dwell)
    response = dwell.client().post("/auth/login", json={"username": username, "password": PASSWORD})
    assert response.status_code in (400, 401)
    refused(response, response.status_code)


@pytest.mark.parametrize("path", ["/auth/login", "/auth/register"])
@pytest.mark.parametrize("headers", [CROSS_SITE, {"Origin": "https://evil.example"}], ids=str)
def test_another_site_can_neither_register_nor_log_in(
    dwell: Dwell, path: str, headers: dict[str, str]
) -> None:
    ann = person(dwell)
    given = registration() if path.endswith("register") else ann.given
    response = dwell.client().post(path, json=given, headers=headers)
    refused(response, 403, "cross_site")
    assert not set_cookies(response)


def test_the_own_site_may_log_in(dwell: Dwell) -> None:
    ann = person(dwell)
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": dwell.url}
    assert dwell.client().post("/auth/login", json=ann.given, headers=headers).status_code == 200


def test_logging_in_again_ends_the_token_that_was_presented(dwell: Dwell) -> None:
    device = person(dwell).login()
    old = device.client.twin()
    device.person.login(device.client)
    assert works(device.client)
    assert not works(old)


def test_a_login_survives_a_restart(fresh_dwell) -> None:
    server = fresh_dwell()
    device = person(server).login()
    server.restart()
    assert works(device.client)


# Logging out


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_logging_out_removes_the_device_and_clears_the_cookie(dwell: Dwell, method: str) -> None:
    ann = person(dwell)
    leaving, staying = ann.login(), ann.login()
    response = leaving.client.request(method, "/auth/logout")
    answer = succeeded(response)
    assert answer["error"] is False
    assert answer["msg"] == "Logout Successful"
    assert is_private(response)
    cookie = set_cookies(response)["token"]
    assert cookie.value == "" or cookie["max-age"] == "0" or "1970" in cookie["expires"]
    assert "token" not in leaving.client.cookies
    assert [one["id"] for one in staying.list()] == [staying.id]


def test_after_logging_out_the_old_cookie_is_worth_nothing(dwell: Dwell) -> None:
    device = person(dwell).login()
    old = device.client.twin()
    succeeded(device.client.get("/auth/logout"))
    refused(old.get("/devices/list"), 401)
    refused(old.get("/auth/logout"), 401)


def test_after_logging_out_the_old_cookie_is_worth_nothing_even_after_a_restart(
    fresh_dwell,
) -> None:
    server = fresh_dwell()
    device = person(server).login()
    old = device.client.twin()
    succeeded(device.client.get("/auth/logout"))
    server.restart()
    refused(old.get("/devices/list"), 401)


def test_logging_out_and_in_again_works(dwell: Dwell) -> None:
    device = person(dwell).login()
    succeeded(device.client.get("/auth/logout"))
    assert works(device.person.login(device.client).client)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_site_cannot_log_out(dwell: Dwell, method: str) -> None:
    device = person(dwell).login()
    refused(device.client.request(method, "/auth/logout", headers=CROSS_SITE), 403, "cross_site")
    assert works(device.client)


@pytest.mark.parametrize("sender", ["same-origin", "none"])
def test_the_own_site_and_a_typed_address_may_log_out(dwell: Dwell, sender: str) -> None:
    device = person(dwell).login()
    succeeded(device.client.get("/auth/logout", headers={"Sec-Fetch-Site": sender}))


# Without a token, and with a wrong one


@each_that_needs_a_token
def test_without_a_token_the_request_is_bad(dwell: Dwell, method: str, path: str) -> None:
    response = dwell.client().request(method, path)
    refused(response, 400, "bad_request", "Bad Request")
    assert is_private(response)


@each_that_needs_a_token
def test_with_a_made_up_token_the_request_is_unauthorized(
    dwell: Dwell, method: str, path: str
) -> None:
    response = dwell.client().forge("token", "made.up.token").request(method, path)
    refused(response, 401, "token_invalid")
    assert is_private(response)


@pytest.mark.parametrize("value", ["1", "null", "undefined", "..", "a.b", "é", "x" * 6000])
def test_a_token_that_is_none_is_refused(dwell: Dwell, value: str) -> None:
    response = dwell.client().get("/devices/list", headers={"Cookie": f"token={value}".encode()})
    refused(response, 401, "token_invalid")


@pytest.mark.parametrize("part", range(12))
def test_a_tampered_token_is_refused(dwell: Dwell, part: int) -> None:
    device = person(dwell).login()
    forged = device.client.twin().forge(
        "token", tampered(device.token, part * len(device.token) // 12)
    )
    refused(forged.get("/devices/list"), 401, "token_invalid")


def forgeries(own: str, other: str, jku: str) -> dict[str, str]:
    """Tokens that claim to be another person's, in every way a verifier has been fooled."""
    header, payload = token_parts(own)
    _, wanted = token_parts(other)
    start, middle, end = own.split(".")
    key = b"k" * 32
    embedded = {"kty": "oct", "k": base64url(key), "alg": header["alg"]}
    made = {
        "payload of another, own signature": f"{start}.{other.split('.')[1]}.{end}",
        "own payload edited, own signature": (
            f"{start}.{base64url(json.dumps(payload | wanted).encode())}.{end}"
        ),
        "no signature": f"{other.rsplit('.', 1)[0]}.",
        "no signature and no dot": other.rsplit(".", 1)[0],
        "a part too many": f"{other}.{end}",
        "an empty signature": made_token(header, wanted, None),
        "a wrong key": made_token(header, wanted, key),
        "an empty key": made_token(header, wanted, b""),
        "the default cron key": made_token(header, wanted, b"secretcronjob"),
        "the key's name as key": made_token(header, wanted, str(header.get("kid")).encode()),
        "an embedded key": made_token(header | {"jwk": embedded}, wanted, key),
        "a key elsewhere": made_token(header | {"jku": jku}, wanted, key),
        "a certificate elsewhere": made_token(header | {"x5u": jku}, wanted, key),
        "a key that is a file": made_token(header | {"kid": "../../../dev/null"}, wanted, b""),
        "a key that is a query": made_token(header | {"kid": "' UNION SELECT 'k"}, wanted, b"k"),
        "a key that is unknown": made_token(header | {"kid": "unknown"}, wanted, key),
        "a key that is a number": made_token(header | {"kid": 1}, wanted, key),
        "a critical extension": made_token(header | {"crit": ["exp"]}, wanted, key),
    }
    for algorithm in ("none", "None", "NONE", "nOnE", ""):
        made[f"algorithm {algorithm!r}"] = made_token(header | {"alg": algorithm}, wanted, None)
        made[f"algorithm {algorithm!r}, signed"] = (
            made_token(header | {"alg": algorithm}, wanted, None) + other.rsplit(".", 1)[1]
        )
    for algorithm in ("HS256", "HS384", "HS512", "RS256", "ES256", "EdDSA"):
        made[f"algorithm {algorithm}"] = made_token(header | {"alg": algorithm}, wanted, key)
    return made


def test_a_forged_token_is_refused_and_fetches_no_key(dwell: Dwell) -> None:
    ann, bea = person(dwell).login(), person(dwell).login()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        jku = f"http://127.0.0.1:{listener.getsockname()[1]}/keys"
        for how, token in forgeries(ann.token, bea.token, jku).items():
            response = dwell.client().forge("token", token).get("/devices/list")
            assert response.status_code == 401, (how, response.status_code, response.text)
            refused(response, 401, "token_invalid")
        with contextlib.suppress(TimeoutError):
            listener.accept()
            pytest.fail("the server asked a stranger for the key")


def test_the_cookies_of_the_gate_are_no_login_token(dwell: Dwell) -> None:
    guest = visitor(dwell)
    for name in ("session_record_id", "dwell_access"):
        client = dwell.client().forge("token", guest.client.cookie(name))
        refused(client.get("/devices/list"), 401, "token_invalid")


def test_a_token_of_another_installation_is_refused(dwell: Dwell, fresh_dwell) -> None:
    token = person(fresh_dwell()).login().token
    refused(dwell.client().forge("token", token).get("/devices/list"), 401, "token_invalid")


@needs_faketime
def test_after_a_year_the_token_has_expired(fresh_dwell) -> None:
    server = fresh_dwell()
    device = person(server).login()

    def after(days: int) -> Client:
        restart_ahead(server, days)
        return device.client.twin()

    token = device.token
    assert works(after(364).forge("token", token))
    client = after(366).forge("token", token)
    refused(client.get("/devices/list"), 401, "token_expired", "Token Expired")
    refused(client.get("/session/init"), 401, "token_expired", "Token Expired")


def test_passwords_and_tokens_are_not_in_the_logs(fresh_dwell) -> None:
    server = fresh_dwell(env=TALKATIVE)
    device = person(server).login()
    device.person.try_login(password="a wrong but secret word")
    device.client.twin().forge("token", tampered(device.token)).get("/devices/list")
    token = device.token
    device.init()
    succeeded(device.client.get("/auth/logout"))
    server.stop()
    for secret in (PASSWORD, "a wrong but secret word", token, token.rsplit(".", 1)[1]):
        assert secret not in server.written


def test_a_person_logs_in_with_what_was_registered(dwell: Dwell) -> None:
    given = registration(email=unique_email("eve"))
    user = succeeded(dwell.client().post("/auth/register", json=given))
    assert Person(dwell, given, user).login().answer["user"]["id"] == user["id"]
