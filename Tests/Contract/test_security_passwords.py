"""Passwords: which are taken, which are refused, how they are changed, and what guessing tells.

A number in a name is that of the statement of what Dwell must withstand.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import bcrypt
import pytest
import requests

from dwell_process import REPOSITORY, Client, Dwell, eventually
from mail_server import Mail, MailServer

from .helpers import (
    CROSS_SITE,
    FIREFOX,
    PASSWORD,
    Device,
    Form,
    Person,
    await_removal,
    now_ms,
    person,
    refused,
    registration,
    set_cookies,
    succeeded,
    tampered,
    unique,
    unique_email,
)

COMMON = (REPOSITORY / "Sources/WebAssets/files/common-passwords.txt").read_text().split()
OTHER = "another good password"


def register(server: Dwell, password: str) -> requests.Response:
    return server.client().post("/auth/register", json=registration(password=password))


def change(device: Device, new: str = OTHER, current: str = PASSWORD, **more: object) -> requests.Response:
    return device.client.post("/auth/password", json={"current": current, "new": new} | more)


def import_hash(one: Person, password: str, cost: int = 4) -> str:
    """Gives an account the hash that the Express service would have."""
    hash = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(cost)).decode()
    assert one.server.store.change("UPDATE account SET password_hash = ? WHERE id = ?", hash, one.user["id"]) == 1
    return hash


def stored_hash(one: Person) -> str:
    (row,) = one.server.sql("SELECT password_hash FROM account WHERE id = ?", one.user["id"])
    return row["password_hash"]


# What is taken and what is refused


@pytest.mark.parametrize("length", [8, 64, 128, 1024])
@pytest.mark.parametrize("letter", ["z", "ж", "🎈"])
def test_11_passwords_of_8_characters_and_more_of_any_script_are_taken(
    dwell: Dwell, length: int, letter: str
) -> None:
    password = letter * length
    ann = person(dwell, password=password)
    ann.login()
    refused(ann.try_login(password=password + letter), 401, "wrong_credentials")


@pytest.mark.parametrize("password", ["", "z" * 7, "🎈" * 7, "z" * 1025], ids=len)
def test_11_shorter_and_endless_ones_are_refused(dwell: Dwell, password: str) -> None:
    refused(register(dwell, password), 400, "invalid_field", field="password")
    refused(change(person(dwell).login(), password), 400, "invalid_field", field="new")


@pytest.mark.parametrize("length", [72, 511, 512, 1023])
def test_11_no_password_is_cut_off(dwell: Dwell, length: int) -> None:
    ann = person(dwell, password="z" * length + "a")
    refused(ann.try_login(password="z" * length + "b"), 401, "wrong_credentials")
    refused(ann.try_login(password="z" * length), 401, "wrong_credentials")
    ann.login()


@pytest.mark.parametrize("password", ["zzzzzzzz", "        ", "71940628", "~~~~~~~~", "ZWRTPSDF"])
def test_11_nothing_is_asked_of_what_a_password_is_made_of(dwell: Dwell, password: str) -> None:
    person(dwell, password=password).login()


def test_11_the_list_of_the_commonest_is_whole() -> None:
    assert len(set(COMMON)) == 3000
    assert all(len(one) >= 8 and one == one.lower() for one in COMMON)
    assert {"password", "12345678", "iloveyou", "sunshine"} <= set(COMMON)


@pytest.mark.parametrize("password", [*COMMON[:5], *COMMON[100::500], COMMON[-1]])
def test_11_the_commonest_are_refused_in_any_letters(dwell: Dwell, password: str) -> None:
    device = person(dwell).login()
    for form in (password, password.upper(), password.capitalize()):
        refused(register(dwell, form), 400, "invalid_field", field="password")
        refused(change(device, form), 400, "invalid_field", field="new")
    person(dwell, password=password + "~").login()


def test_11_who_has_a_common_password_already_can_still_log_in(dwell: Dwell) -> None:
    ann = person(dwell)
    import_hash(ann, "password")
    succeeded(ann.try_login(password="password"))


# Changing it


def test_a_changed_password_is_the_only_one(dwell: Dwell) -> None:
    device = person(dwell).login()
    answer = succeeded(change(device))
    assert answer == {"error": False, "msg": "Password changed"}
    refused(device.person.try_login(), 401, "wrong_credentials")
    succeeded(device.person.try_login(password=OTHER))


@pytest.mark.parametrize("wrong", ["", PASSWORD + "!", PASSWORD.upper(), OTHER])
def test_11_the_change_needs_the_old_password(dwell: Dwell, wrong: str) -> None:
    device = person(dwell).login()
    refused(change(device, current=wrong), 400, "invalid_field", field="current")
    succeeded(device.person.try_login())
    refused(device.person.try_login(password=OTHER), 401, "wrong_credentials")


@pytest.mark.parametrize("name", ["current", "new"])
@pytest.mark.parametrize("value", [None, 5, ["x"]], ids=repr)
def test_a_change_with_a_field_of_another_type_names_it(dwell: Dwell, name: str, value: object) -> None:
    given = {"current": PASSWORD, "new": OTHER} | {name: value}
    response = person(dwell).login().client.post("/auth/password", json=given)
    refused(response, 400, "invalid_field", field=name)


def test_a_change_needs_a_login(dwell: Dwell) -> None:
    given = {"current": PASSWORD, "new": OTHER}
    refused(dwell.client().post("/auth/password", json=given), 400, "bad_request")


def test_another_site_cannot_change_a_password(dwell: Dwell) -> None:
    device = person(dwell).login()
    given = {"current": PASSWORD, "new": OTHER}
    refused(device.client.post("/auth/password", json=given, headers=CROSS_SITE), 403, "cross_site")
    succeeded(device.person.try_login())


def test_4_a_change_signs_out_the_others_where_that_is_wished(dwell: Dwell) -> None:
    ann = person(dwell)
    own, other, third = ann.login(), ann.login(), ann.login()
    succeeded(change(own, signOutOthers=True))
    assert [one["id"] for one in own.list()] == [own.id]
    await_removal(dwell)
    for ended in (other, third):
        refused(ended.client.get("/devices/list"), 401, "device_removed")


@pytest.mark.parametrize("more", [{}, {"signOutOthers": False}], ids=str)
def test_4_a_change_leaves_the_others_alone_otherwise(dwell: Dwell, more: dict[str, bool]) -> None:
    ann = person(dwell)
    own, other = ann.login(), ann.login()
    succeeded(change(own, **more))
    await_removal(dwell)
    assert {one["id"] for one in other.list()} == {own.id, other.id}


def test_4_a_refused_change_signs_nobody_out(dwell: Dwell) -> None:
    ann = person(dwell)
    own, other = ann.login(), ann.login()
    refused(change(own, current="wrong", signOutOthers=True), 400)
    await_removal(dwell)
    assert len(other.list()) == 2


def test_of_two_changes_at_once_one_wins(dwell: Dwell) -> None:
    ann = person(dwell)
    device = ann.login()
    wanted = [f"{OTHER} {index}" for index in range(6)]
    with ThreadPoolExecutor() as threads:
        codes = list(threads.map(lambda new: change(device, new).status_code, wanted))
    assert sorted(codes) == [200] + [400] * 5
    (won,) = [new for new, code in zip(wanted, codes, strict=True) if code == 200]
    succeeded(ann.try_login(password=won))


# Hashes of the Express service


def test_an_imported_hash_is_replaced_at_the_next_login(dwell: Dwell) -> None:
    ann = person(dwell)
    old = import_hash(ann, OTHER)
    refused(ann.try_login(password=OTHER + "!"), 401)
    assert stored_hash(ann) == old, "a wrong password replaces nothing"
    succeeded(ann.try_login(password=OTHER))
    assert stored_hash(ann).startswith("$y$")
    succeeded(ann.try_login(password=OTHER))
    refused(ann.try_login(password=PASSWORD), 401)


def test_a_login_that_is_refused_at_the_limit_replaces_no_hash(fresh_dwell) -> None:
    ann = person(fresh_dwell("--device-limit", "1"))
    ann.login()
    old = import_hash(ann, OTHER)
    refused(ann.try_login(password=OTHER), 421)
    assert stored_hash(ann) == old


def test_an_imported_hash_that_does_not_know_the_end_stays(dwell: Dwell) -> None:
    """bcrypt knows 72 bytes: whether the rest was typed right nobody can say, and the next time it may be another."""
    ann = person(dwell)
    old = import_hash(ann, "z" * 72 + "right")
    succeeded(ann.try_login(password="z" * 72 + "wrong"))
    assert stored_hash(ann) == old
    succeeded(ann.try_login(password="z" * 72 + "right"))


def test_logins_at_once_upgrade_an_imported_hash_once_and_all_succeed(dwell: Dwell) -> None:
    ann = person(dwell)
    import_hash(ann, OTHER, cost=8)
    with ThreadPoolExecutor() as threads:
        answers = list(threads.map(lambda _: ann.try_login(password=OTHER).status_code, range(4)))
    assert answers == [200] * 4


def test_an_imported_password_can_be_changed(dwell: Dwell) -> None:
    ann = person(dwell)
    device = ann.login()
    import_hash(ann, "z" * 80)
    succeeded(change(device, current="z" * 80))
    succeeded(ann.try_login(password=OTHER))


# What guessing tells


def test_12_unknown_and_wrong_answer_alike_also_for_imported_accounts(dwell: Dwell) -> None:
    ann, bea = person(dwell), person(dwell)
    import_hash(bea, OTHER)
    nobody = dwell.client(FIREFOX).post("/auth/login", json={"username": unique("nobody"), "password": PASSWORD})
    for response in (ann.try_login(password="wrong one"), bea.try_login(password="wrong one"), nobody):
        refused(response, 401, "wrong_credentials", "Username or password didn't match")
        assert response.json() == nobody.json()
        assert set(response.headers) == set(nobody.headers)
        assert not set_cookies(response)


def test_12_the_answer_to_unknown_takes_the_time_of_the_dearest_hash(fresh_dwell) -> None:
    """How alike the times are is measured by `python -m Contract.login_times`; here the dearest is so dear that its lack
    could not be missed."""
    server = fresh_dwell()
    ann, bea = person(server), person(server)
    import_hash(bea, OTHER, cost=12)
    nobody = {"username": unique("nobody"), "password": PASSWORD}
    client = server.client(FIREFOX)
    ways = (
        lambda: ann.try_login(password="wrong one"),
        lambda: bea.try_login(password="wrong one"),
        lambda: client.post("/auth/login", json=nobody),
    )
    # The shortest of some is what it takes when nothing comes between; on a busy machine of more.
    times = [min(send().elapsed.total_seconds() for _ in range(2)) for send in ways]
    for _ in range(6):
        times = [min(time, send().elapsed.total_seconds()) for time, send in zip(times, ways, strict=True)]
        if min(times) > max(times) / 2:
            return
    raise AssertionError(times)


def test_passwords_are_not_in_the_store_nor_in_the_logs(fresh_dwell) -> None:
    server = fresh_dwell(env={"DWELL_LOG_LEVEL": "trace"})
    device = person(server).login()
    succeeded(change(device))
    refused(change(device, current="a wrong but secret word", new=OTHER), 400)
    server.stop()
    for secret in (PASSWORD, OTHER, "a wrong but secret word"):
        assert secret not in server.written
        assert secret.encode() not in server.store.bytes()


# Codes by mail


def forget(server: Dwell, email: str, client: Client | None = None) -> requests.Response:
    return (client or server.client()).post("/auth/password/forgot", json={"email": email})


def reset(client: Client, code: str, password: str = OTHER) -> requests.Response:
    return client.post("/auth/password/reset", json={"code": code, "password": password})


def reset_code(mails: MailServer, one: Person, count: int = 1) -> str:
    """The code of the latest of so many mails about a person's password."""
    return resets(mails, one, count)[-1].code


def resets(mails: MailServer, one: Person, count: int) -> list[Mail]:
    def found() -> list[Mail] | None:
        all = [mail for mail in mails.now_to(one.given["email"]) if "code for" in mail.message["Subject"]]
        return all if len(all) >= count else None

    return eventually(found, 60, f"{count} mails about a password")


def asked(mailing: Dwell, mails: MailServer, one: Person | None = None) -> tuple[Person, Client, str]:
    """Somebody, the browser that asked for a code, and the code."""
    one = one or person(mailing)
    client = mailing.client()
    succeeded(forget(mailing, one.given["email"], client))
    return one, client, reset_code(mails, one)


def test_a_mailed_code_opens_another_password(mailing: Dwell, mails: MailServer) -> None:
    ann, client, code = asked(mailing, mails)
    answer = succeeded(reset(client, code))
    assert answer == {"error": False, "msg": f"Password changed. Log in as {ann.username}"}
    assert "dwell_reset" not in client.cookies
    refused(ann.try_login(), 401, "wrong_credentials")
    assert succeeded(ann.try_login(password=OTHER))["user"]["is_verified"] is True, "who got the mail reads it"


@pytest.mark.parametrize("form", ["{} ", " {}", "{}\n"])
def test_spaces_around_a_code_are_forgiven(mailing: Dwell, mails: MailServer, form: str) -> None:
    _, client, code = asked(mailing, mails)
    succeeded(reset(client, form.format(code)))


def test_4_another_password_by_mail_signs_out_every_device(mailing: Dwell, mails: MailServer) -> None:
    ann = person(mailing)
    devices = [ann.login(), ann.login()]
    _, client, code = asked(mailing, mails, ann)
    succeeded(reset(client, code))
    await_removal(mailing)
    for device in devices:
        refused(device.client.get("/devices/list"), 401, "device_removed")


def test_11_the_reset_takes_no_common_password_and_keeps_the_code(mailing: Dwell, mails: MailServer) -> None:
    ann, client, code = asked(mailing, mails)
    for password in ("short", "password", "x" * 1025):
        refused(reset(client, code, password), 400, "invalid_field", field="password")
    succeeded(reset(client, code))


def test_12_known_and_unknown_addresses_are_answered_alike(mailing: Dwell, mails: MailServer) -> None:
    known = forget(mailing, person(mailing).given["email"])
    unknown = forget(mailing, unique_email("nobody"))
    assert succeeded(known) == succeeded(unknown)
    assert set(known.headers) == set(unknown.headers)
    one, other = set_cookies(known)["dwell_reset"], set_cookies(unknown)["dwell_reset"]
    assert len(one.value) == len(other.value) and one.value != other.value
    assert {name: one[name] for name in one} == {name: other[name] for name in other}


def test_12_nobody_gets_no_mail_and_asking_writes_the_same(mailing: Dwell, mails: MailServer) -> None:
    ann, nobody = person(mailing), unique_email("nobody")
    client = mailing.client()
    for email in (nobody, ann.given["email"]):
        succeeded(forget(mailing, email, client))
        (row,) = mailing.sql("SELECT purpose, tries_left FROM mailed_code WHERE email = ? AND purpose = 'reset'", email)
        assert row == {"purpose": "reset", "tries_left": 5}
    reset_code(mails, ann)
    eventually(lambda: not mailing.sql("SELECT id FROM mail"))
    assert mails.now_to(nobody) == []


def test_14_a_code_works_once(mailing: Dwell, mails: MailServer) -> None:
    ann, client, code = asked(mailing, mails)
    twin = client.twin()
    succeeded(reset(client, code))
    refused(reset(twin, code, "yet another password"), 400, "code_invalid")
    succeeded(ann.try_login(password=OTHER))


def test_14_of_many_uses_at_once_one_works(mailing: Dwell, mails: MailServer) -> None:
    _, client, code = asked(mailing, mails)
    twins = [client.twin() for _ in range(5)]
    with ThreadPoolExecutor() as threads:
        answers = list(threads.map(lambda twin: reset(twin, code).status_code, twins))
    assert sorted(answers) == [200, 400, 400, 400, 400]


def test_14_a_code_lives_for_ten_minutes(mailing: Dwell, mails: MailServer) -> None:
    ann, client, code = asked(mailing, mails)
    (row,) = mailing.sql("SELECT * FROM mailed_code WHERE email = ? AND purpose = 'reset'", ann.given["email"])
    assert row["expires_at"] - row["asked_at"] == 600_000
    mailing.store.change("UPDATE mailed_code SET expires_at = ? WHERE email = ?", now_ms() - 1000, ann.given["email"])
    refused(reset(client, code), 400, "code_invalid", field="code")
    succeeded(ann.try_login())


def test_14_the_browser_that_asked_is_the_only_one(mailing: Dwell, mails: MailServer) -> None:
    ann, client, code = asked(mailing, mails)
    stranger = mailing.client()
    refused(reset(stranger, code), 400, "code_invalid")
    succeeded(forget(mailing, unique_email("nobody"), stranger))
    refused(reset(stranger, code), 400, "code_invalid")
    refused(reset(mailing.client().forge("dwell_reset", tampered(client.cookie("dwell_reset"))), code), 400)
    succeeded(reset(client, code))


def test_14_the_cookie_that_binds_is_kept_to_this_site(mailing: Dwell) -> None:
    cookie = set_cookies(forget(mailing, unique_email()))["dwell_reset"]
    assert cookie["httponly"] and cookie["samesite"].lower() == "strict"
    assert cookie["path"] == "/" and cookie["max-age"] == "600" and not cookie["domain"]


def test_14_a_code_bears_five_tries(mailing: Dwell, mails: MailServer) -> None:
    _, client, code = asked(mailing, mails)
    for _ in range(4):
        refused(reset(client, tampered_code(code)), 400, "code_invalid")
    succeeded(reset(client, code))
    _, client, code = asked(mailing, mails)
    for _ in range(5):
        refused(reset(client, tampered_code(code)), 400, "code_invalid")
    refused(reset(client, code), 400, "code_invalid")


def test_14_tries_at_once_are_counted_one_by_one(mailing: Dwell, mails: MailServer) -> None:
    ann, client, code = asked(mailing, mails)
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda _: reset(client.twin(), tampered_code(code)), range(12)))
    (row,) = mailing.sql("SELECT tries_left FROM mailed_code WHERE email = ? AND purpose = 'reset'", ann.given["email"])
    assert row["tries_left"] == 0
    refused(reset(client, code), 400, "code_invalid")


def test_14_an_older_code_is_worth_nothing_after_a_reset_or_a_change(mailing: Dwell, mails: MailServer) -> None:
    ann, older, old = asked(mailing, mails)
    newer = mailing.client()
    succeeded(forget(mailing, ann.given["email"], newer))
    new = reset_code(mails, ann, 2)
    succeeded(reset(newer, new))
    refused(reset(older, old), 400, "code_invalid")

    bea, client, code = asked(mailing, mails)
    succeeded(change(bea.login(), "her own password"))
    refused(reset(client, code), 400, "code_invalid")


def test_14_opening_the_link_uses_nothing_up(mailing: Dwell, mails: MailServer) -> None:
    ann, client, code = asked(mailing, mails)
    (mail,) = resets(mails, ann, 1)
    address = urlsplit(mail.link)
    assert (address.path, address.query, address.fragment) == ("/auth/password/reset", "", code)
    scanner = mailing.client()
    for _ in range(3):
        page = scanner.get(address.path, headers=CROSS_SITE)
        assert page.status_code == 200 and not set_cookies(page)
    assert code not in page.text
    # Not even a scanner that fills in the form and sends it.
    refused(reset(scanner, code), 400, "code_invalid")
    succeeded(reset(client, code))


def test_14_the_form_works_without_a_script(mailing: Dwell, mails: MailServer) -> None:
    ann = person(mailing)
    client = mailing.client()
    first = Form(client.get("/auth/password/forgot").text)
    assert (first.action, first.method, set(first.fields)) == ("/auth/password/forgot", "post", {"email"})
    second = Form(client.post(first.action, data={"email": ann.given["email"]}).text)
    assert (second.action, second.method, set(second.fields)) == ("/auth/password/reset", "post", {"code", "password"})
    code = reset_code(mails, ann)
    wrong = client.post(second.action, data={"code": tampered_code(code), "password": OTHER})
    assert wrong.status_code == 400 and "wrong, was used" in wrong.text
    missing = client.post(second.action, data={"password": OTHER})
    assert missing.status_code == 400 and "code must be present" in missing.text
    done = client.post(second.action, data={"code": code, "password": OTHER})
    assert done.status_code == 200 and f"Log in as {ann.username}" in done.text
    succeeded(ann.try_login(password=OTHER))


def test_14_an_address_gets_five_codes_an_hour(mailing: Dwell, mails: MailServer) -> None:
    ann = person(mailing)
    mailing.store.change("DELETE FROM mailed_code WHERE email = ?", ann.given["email"])
    answers = [forget(mailing, ann.given["email"]) for _ in range(7)]
    assert len({response.text for response in answers}) == 1
    assert {response.status_code for response in answers} == {200}
    resets(mails, ann, 5)
    eventually(lambda: not mailing.sql("SELECT id FROM mail"))
    assert len(resets(mails, ann, 5)) == 5
    hour = 3_600_000
    mailing.store.change(
        "UPDATE mailed_code SET asked_at = asked_at - ? WHERE email = ?", hour, ann.given["email"]
    )
    forget(mailing, ann.given["email"])
    resets(mails, ann, 6)


def test_another_site_can_neither_ask_nor_reset(mailing: Dwell, mails: MailServer) -> None:
    ann, client, code = asked(mailing, mails)
    given = {"code": code, "password": OTHER}
    refused(client.post("/auth/password/reset", json=given, headers=CROSS_SITE), 403, "cross_site")
    given = {"email": ann.given["email"]}
    refused(client.post("/auth/password/forgot", json=given, headers=CROSS_SITE), 403, "cross_site")
    assert len(resets(mails, ann, 1)) == 1


@pytest.mark.parametrize("value", [None, 5, ["x"], "no address"], ids=repr)
def test_what_is_no_address_is_named(mailing: Dwell, value: object) -> None:
    response = mailing.client().post("/auth/password/forgot", json={"email": value})
    refused(response, 400, "invalid_field", field="email")


def tampered_code(code: str) -> str:
    return str((int(code[0]) + 1) % 10) + code[1:]
