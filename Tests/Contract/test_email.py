"""Confirming an email, and what is mailed to those who did.

A number in a name is that of the statement of what Dwell must withstand.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from dwell_process import Client, Dwell, eventually
from mail_server import Mail, MailServer

from .helpers import (
    ANDROID,
    CROSS_SITE,
    FIREFOX,
    Form,
    Person,
    now_ms,
    refused,
    registration,
    set_cookies,
    succeeded,
    tampered,
)


def registered(server: Dwell) -> tuple[Person, Client]:
    """Somebody new, and the browser in which it happened."""
    client, given = server.client(), registration()
    return Person(server, given, succeeded(client.post("/auth/register", json=given))), client


def about(mails: MailServer, one: Person, words: str, count: int = 1) -> list[Mail]:
    def found() -> list[Mail] | None:
        all = [mail for mail in mails.now_to(one.given["email"]) if words in mail.message["Subject"]]
        return all if len(all) >= count else None

    return eventually(found, 60, f"{count} mails about {words!r}")


def code_of(mails: MailServer, one: Person, count: int = 1) -> str:
    return about(mails, one, "your address", count)[-1].code


def verify(client: Client, code: str):
    return client.post("/auth/email/verify", json={"code": code})


def is_verified(one: Person) -> bool:
    return succeeded(one.try_login())["user"]["is_verified"]


def test_the_code_that_comes_after_registering_confirms_the_email(mailing: Dwell, mails: MailServer) -> None:
    ann, client = registered(mailing)
    assert ann.user["is_verified"] is False
    code = code_of(mails, ann)
    assert len(code) == 6
    assert not is_verified(ann)
    assert succeeded(verify(client, code)) == {"error": False, "msg": "Email confirmed"}
    assert "dwell_verification" not in client.cookies
    assert is_verified(ann)


def test_registering_sets_no_cookie_where_nothing_is_mailed(dwell: Dwell) -> None:
    response = dwell.client().post("/auth/register", json=registration())
    succeeded(response)
    assert set_cookies(response) == {}
    refused(dwell.client().post("/auth/email/verify", json={"code": "123456"}), 400, "code_invalid")


def test_a_refused_registration_mails_nothing(mailing: Dwell, mails: MailServer) -> None:
    ann, _ = registered(mailing)
    about(mails, ann, "your address")
    response = mailing.client().post("/auth/register", json=ann.given)
    refused(response, 409)
    assert not set_cookies(response)
    assert len(mailing.sql("SELECT * FROM mailed_code WHERE email = ?", ann.given["email"])) == 1


def test_who_is_logged_in_can_ask_again(mailing: Dwell, mails: MailServer) -> None:
    ann, _ = registered(mailing)
    about(mails, ann, "your address")
    device = ann.login()
    succeeded(device.client.post("/auth/email/send"))
    succeeded(verify(device.client, code_of(mails, ann, 2)))
    assert succeeded(device.client.post("/auth/email/send"))["msg"] == "Email confirmed already"
    assert len(about(mails, ann, "your address", 2)) == 2


def test_asking_again_needs_a_login_and_mail(mailing: Dwell, dwell: Dwell) -> None:
    refused(mailing.client().post("/auth/email/send"), 400, "bad_request")
    ann, _ = registered(dwell)
    refused(ann.login().client.post("/auth/email/send"), 501, "mail_not_set_up")


def test_14_a_code_is_bound_to_the_browser_and_works_once(mailing: Dwell, mails: MailServer) -> None:
    ann, client = registered(mailing)
    code = code_of(mails, ann)
    refused(verify(mailing.client(), code), 400, "code_invalid", field="code")
    forged = mailing.client().forge("dwell_verification", tampered(client.cookie("dwell_verification")))
    refused(verify(forged, code), 400, "code_invalid")
    other = client.twin()
    succeeded(verify(client, code))
    refused(verify(other, code), 400, "code_invalid")


def test_14_a_code_for_the_email_opens_no_password(mailing: Dwell, mails: MailServer) -> None:
    ann, client = registered(mailing)
    code = code_of(mails, ann)
    client.forge("dwell_reset", client.cookie("dwell_verification"))
    given = {"code": code, "password": "another good password"}
    refused(client.post("/auth/password/reset", json=given), 400, "code_invalid")
    succeeded(verify(client, code))


def test_14_a_code_for_the_email_lives_for_ten_minutes(mailing: Dwell, mails: MailServer) -> None:
    ann, client = registered(mailing)
    code = code_of(mails, ann)
    mailing.store.change("UPDATE mailed_code SET expires_at = ? WHERE email = ?", now_ms() - 1000, ann.given["email"])
    refused(verify(client, code), 400, "code_invalid")


def test_14_the_link_shows_a_form_and_confirms_nothing(mailing: Dwell, mails: MailServer) -> None:
    ann, client = registered(mailing)
    (mail,) = about(mails, ann, "your address")
    address = urlsplit(mail.link)
    assert (address.path, address.query, address.fragment) == ("/auth/email/verify", "", mail.code)
    page = client.get(address.path, headers=CROSS_SITE)
    assert page.status_code == 200
    assert not is_verified(ann)
    form = Form(page.text)
    assert (form.action, form.method, set(form.fields)) == ("/auth/email/verify", "post", {"code"})
    assert "Email confirmed" in client.post(form.action, data={"code": mail.code}).text
    assert is_verified(ann)


def test_another_site_cannot_confirm(mailing: Dwell, mails: MailServer) -> None:
    ann, client = registered(mailing)
    response = client.post("/auth/email/verify", json={"code": code_of(mails, ann)}, headers=CROSS_SITE)
    refused(response, 403, "cross_site")
    assert not is_verified(ann)


# New devices


def confirmed(mailing: Dwell, mails: MailServer) -> Person:
    ann, client = registered(mailing)
    succeeded(verify(client, code_of(mails, ann)))
    return ann


def notices(mails: MailServer, one: Person, mailing: Dwell) -> list[Mail]:
    """All that were sent when none is left to send."""
    eventually(lambda: not mailing.sql("SELECT id FROM mail WHERE recipient = ?", one.given["email"]))
    return [mail for mail in mails.now_to(one.given["email"]) if "new device" in mail.message["Subject"]]


def test_a_login_on_a_new_device_is_told(mailing: Dwell, mails: MailServer) -> None:
    ann = confirmed(mailing, mails)
    ann.login(user_agent=FIREFOX)
    assert notices(mails, ann, mailing) == [], "the first is no news"
    ann.login(user_agent=ANDROID)
    (mail,) = notices(mails, ann, mailing)
    for kind in ("plain", "html"):
        assert "Chrome Mobile 112.0.0.0 on SM-S901B (Android 13)" in mail.part(kind)
        assert "/auth/password/forgot" in mail.part(kind)


def test_a_login_on_a_known_device_is_not_told(mailing: Dwell, mails: MailServer) -> None:
    ann = confirmed(mailing, mails)
    succeeded(ann.login(user_agent=FIREFOX).client.get("/auth/logout"))
    ann.login(user_agent=FIREFOX)
    ann.login(user_agent=FIREFOX.replace("128.0", "131.0"))
    assert notices(mails, ann, mailing) == []


def test_a_browser_that_is_logged_in_already_is_not_told(mailing: Dwell, mails: MailServer) -> None:
    ann = confirmed(mailing, mails)
    device = ann.login(user_agent=FIREFOX)
    device.client.headers["User-Agent"] = ANDROID
    ann.login(device.client)
    assert notices(mails, ann, mailing) == []


def test_who_has_not_confirmed_the_email_is_told_nothing(mailing: Dwell, mails: MailServer) -> None:
    ann, _ = registered(mailing)
    for agent in (FIREFOX, ANDROID):
        ann.login(user_agent=agent)
    assert notices(mails, ann, mailing) == []


def test_a_login_that_is_refused_is_not_told(fresh_dwell, mails: MailServer) -> None:
    server = fresh_dwell("--device-limit", "1", env=mails.env)
    ann = confirmed(server, mails)
    ann.login(user_agent=FIREFOX)
    refused(ann.try_login(server.client(ANDROID)), 421)
    refused(ann.try_login(server.client(ANDROID), password="wrong one"), 401)
    assert notices(mails, ann, server) == []


def test_what_a_device_says_of_itself_is_no_markup(mailing: Dwell, mails: MailServer) -> None:
    ann = confirmed(mailing, mails)
    ann.login(user_agent=FIREFOX)
    ann.login(user_agent='Browser"><a href=//evil.example>&amp; 1.0')
    (mail,) = notices(mails, ann, mailing)
    assert "<a href=//evil" not in mail.part("html")


# Another password


def test_who_gets_another_password_is_told(mailing: Dwell, mails: MailServer) -> None:
    ann = confirmed(mailing, mails)
    given = {"current": ann.given["password"], "new": "another good password"}
    succeeded(ann.login().client.post("/auth/password", json=given))
    (mail,) = about(mails, ann, "another password")
    assert "/auth/password/forgot" in mail.part("plain")
    assert given["new"] not in mail.part("plain") + mail.part("html")


def test_a_refused_change_is_not_told(mailing: Dwell, mails: MailServer) -> None:
    ann = confirmed(mailing, mails)
    given = {"current": "wrong one", "new": "another good password"}
    refused(ann.login().client.post("/auth/password", json=given), 400)
    assert not mailing.sql("SELECT id FROM mail WHERE recipient = ? AND kind = 'changed_password'", ann.given["email"])
    assert len(mails.now_to(ann.given["email"])) == 1


def test_a_password_that_was_chosen_by_mail_is_told(mailing: Dwell, mails: MailServer) -> None:
    ann, client = registered(mailing)
    succeeded(client.post("/auth/password/forgot", json={"email": ann.given["email"]}))
    code = about(mails, ann, "code for")[0].code
    succeeded(client.post("/auth/password/reset", json={"code": code, "password": "another good password"}))
    about(mails, ann, "Your account has another password")
