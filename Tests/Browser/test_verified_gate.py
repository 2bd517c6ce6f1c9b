"""A gate that mails a code, as a visitor meets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from Contract.helpers import unique_email
from dwell_process import HOST, Dwell, eventually, free_port
from guarded_site import Site, proxied
from mail_server import Mail, MailServer

from .helpers import record

DEEP = "/confidential/deep/page.html?chapter=2"


@pytest.fixture(scope="module")
def gated(mails: MailServer, site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dwell]:
    """A server whose one gate mails codes."""
    folder, port = tmp_path_factory.mktemp("gated"), free_port()
    (folder / "dwell.yaml").write_text("gates: [{name: default, level: verified, deny: [denied.example]}]")
    flags = ("--config", str(folder / "dwell.yaml"), "--public-url", f"http://{HOST}:{port}")
    server = Dwell(folder, *flags, port=port, env=mails.env, site=site).start()
    yield server
    server.discard()


def ask(page: Page, url: str, email: str) -> None:
    """Opens a page, and leaves an email at its gate."""
    page.goto(url)
    expect(page.get_by_text("A code comes to it by mail.")).to_be_visible()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button").click()
    expect(page.get_by_label("Code")).to_be_visible()


def asked(page: Page, url: str, mails: MailServer) -> tuple[str, Mail]:
    email = unique_email()
    ask(page, url, email)
    return email, mails.to(email)[0]


def enter(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button").click()


def test_the_code_opens_the_very_page_that_was_asked_for(page: Page, gated: Dwell, mails: MailServer) -> None:
    email, mail = asked(page, gated.url + DEEP, mails)
    expect(page).to_have_url(gated.url + "/gate/code")
    enter(page, f" {mail.code} ")
    expect(page).to_have_url(gated.url + DEEP)
    expect(page.get_by_text("TOP-SECRET-2")).to_be_visible()
    assert record(gated, email)["identity"] == "verified"
    page.goto(f"{gated.url}/confidential/")
    expect(page.get_by_text("TOP-SECRET-1")).to_be_visible()


def test_the_link_fills_in_the_code_and_opens_the_page(page: Page, gated: Dwell, mails: MailServer) -> None:
    email, mail = asked(page, gated.url + DEEP, mails)
    tab = page.context.new_page()
    tab.goto(mail.link)
    expect(tab.get_by_label("Code")).to_have_value(mail.code)
    expect(tab).to_have_url(gated.url + "/gate/code")
    assert gated.sessions(email=email) == [], "a link alone opens nothing"
    tab.get_by_role("button").click()
    expect(tab).to_have_url(gated.url + DEEP)
    expect(tab.get_by_text("TOP-SECRET-2")).to_be_visible()


def test_a_link_in_a_mail_read_on_another_site_works(page: Page, gated: Dwell, mails: MailServer) -> None:
    _, mail = asked(page, gated.url + DEEP, mails)
    tab = page.context.new_page()
    elsewhere = "http://localhost/"  # Another site than 127.0.0.1, and never asked: see the route.
    letter = f"<!doctype html><title>Mail</title><a href='{mail.link}'>Open</a>"
    tab.route(elsewhere, lambda route: route.fulfill(body=letter, content_type="text/html"))
    tab.goto(elsewhere)
    tab.get_by_role("link").click()
    tab.get_by_role("button").click()
    expect(tab.get_by_text("TOP-SECRET-2")).to_be_visible()


def test_another_browser_cannot_use_the_link(
    page: Page, new_context: Callable[..., BrowserContext], gated: Dwell, mails: MailServer
) -> None:
    _, mail = asked(page, gated.url + DEEP, mails)
    other = new_context().new_page()
    other.goto(mail.link)
    other.get_by_role("button").click()
    expect(other.get_by_role("alert")).to_contain_text("another browser asked for it")
    enter(page, mail.code)
    expect(page.get_by_text("TOP-SECRET-2")).to_be_visible()


def test_a_wrong_code_can_be_corrected(page: Page, gated: Dwell, mails: MailServer) -> None:
    _, mail = asked(page, gated.url + DEEP, mails)
    enter(page, "1")
    expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
    assert "TOP-SECRET" not in page.content()
    enter(page, mail.code)
    expect(page.get_by_text("TOP-SECRET-2")).to_be_visible()


def test_who_may_not_enter_sees_what_everybody_sees(page: Page, gated: Dwell, mails: MailServer) -> None:
    ask(page, gated.url + DEEP, "ann@denied.example")
    expect(page.get_by_text("If this email may enter")).to_be_visible()
    eventually(lambda: not gated.sql("SELECT id FROM mail WHERE recipient = 'ann@denied.example'"), 15)
    assert mails.now_to("ann@denied.example") == []


def test_the_codes_page_needs_no_script(
    new_context: Callable[..., BrowserContext], gated: Dwell, mails: MailServer
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    _, mail = asked(page, gated.url + DEEP, mails)
    enter(page, mail.code)
    expect(page).to_have_url(gated.url + DEEP)


@pytest.mark.parametrize("kind", ["nginx", "caddy"])
def test_any_site_can_be_behind_the_gate(
    page: Page, tmp_path: Path, mails: MailServer, fresh_dwell: Callable[..., Dwell], kind: str
) -> None:
    port = free_port()
    config = tmp_path / "dwell.yaml"
    config.write_text(f"gates: [{{name: wiki, level: verified, sites: ['http://{HOST}:{port}']}}]")
    server = fresh_dwell("--config", str(config), env=mails.env)
    wiki = Site()
    with proxied(kind, tmp_path, port, server.port, wiki.port) as url:
        email, mail = asked(page, f"{url}/page?a=b", mails)
        page.goto(mail.link)
        expect(page.get_by_label("Code")).to_have_value(mail.code)
        page.get_by_role("button").click()
        expect(page).to_have_url(f"{url}/page?a=b")
        expect(page.get_by_text("THE-WIKI")).to_be_visible()
        # The site's page has the script: it tells that the page is looked at.
        eventually(lambda: server.sql("SELECT * FROM segment"), 60, "a beat from the site")
        assert record(server, email)["gate"] == "wiki"
    wiki.shutdown()
