"""A forgotten password, as its owner meets it: an email, a link in a mail, another password."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from Contract.helpers import person, succeeded
from dwell_process import HOST, Dwell, free_port
from mail_server import Mail, MailServer

OTHER = "another good password"


@pytest.fixture(scope="module")
def mailing(mails: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dwell]:
    """A server whose mails have links that this browser can open."""
    port = free_port()
    flags = ("--public-url", f"http://{HOST}:{port}")
    server = Dwell(tmp_path_factory.mktemp("mailing"), *flags, port=port, env=mails.env).start()
    yield server
    server.discard()


def forget(page: Page, server: Dwell, email: str, mails: MailServer) -> Mail:
    page.goto(server.url + "/auth/password/forgot")
    page.get_by_label("Email").fill(email)
    page.get_by_role("button").click()
    expect(page.get_by_label("Code")).to_be_visible()
    return next(mail for mail in mails.to(email, 2) if "code for" in mail.message["Subject"])


def choose(page: Page, password: str) -> None:
    page.get_by_label("New password").fill(password)
    page.get_by_role("button").click()


def test_the_link_fills_in_the_code_and_takes_it_out_of_the_address(
    page: Page, mailing: Dwell, mails: MailServer
) -> None:
    ann = person(mailing)
    mail = forget(page, mailing, ann.given["email"], mails)
    page.goto(mail.link)
    expect(page.get_by_label("Code")).to_have_value(mail.code)
    expect(page).to_have_url(mailing.url + "/auth/password/reset")
    choose(page, OTHER)
    expect(page.get_by_text(f"Log in as {ann.username}")).to_be_visible()
    succeeded(ann.try_login(password=OTHER))


def test_the_code_can_be_typed_and_a_wrong_one_corrected(page: Page, mailing: Dwell, mails: MailServer) -> None:
    ann = person(mailing)
    mail = forget(page, mailing, ann.given["email"], mails)
    page.get_by_label("Code").fill("1")
    choose(page, OTHER)
    expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
    page.get_by_label("Code").fill(mail.code)
    choose(page, OTHER)
    expect(page.get_by_text("Password changed").first).to_be_visible()
    succeeded(ann.try_login(password=OTHER))
