"""The gate as a visitor meets it: an email, and the page that was asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from Contract.helpers import unique_email
from dwell_process import Dwell

from .helpers import BEAT, record

DEEP = "/confidential/deep/page.html"
PHONE = {"viewport": {"width": 320, "height": 568}, "is_mobile": True, "has_touch": True}
REFUSED = "ann@example"  # An address for a browser's form, but not for the server.


def ask_for(page: Page, server: Dwell, path: str = DEEP) -> None:
    """Opens a confidential page, and sees the gate."""
    page.goto(server.url + path)
    expect(page.get_by_label("Email")).to_be_visible()


def submit(page: Page, email: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_role("button").click()


def cookie(context: BrowserContext, name: str) -> dict[str, object]:
    (found,) = [one for one in context.cookies() if one["name"] == name]
    return dict(found)


def test_a_confidential_page_leads_to_the_gate(page: Page, dwell: Dwell) -> None:
    ask_for(page, dwell, f"{DEEP}?chapter=2&part=a%26b#end")
    where = urlsplit(page.url)
    assert where.path == "/gate"
    assert parse_qs(where.query) == {"next": [f"{DEEP}?chapter=2&part=a%26b"]}
    assert "TOP-SECRET" not in page.content()


@pytest.mark.parametrize("target", [DEEP, f"{DEEP}?chapter=2&part=a%26b", "/confidential/"])
def test_an_email_opens_the_very_page_that_was_asked_for(
    page: Page, dwell: Dwell, target: str
) -> None:
    email = unique_email()
    ask_for(page, dwell, target)
    submit(page, f"  {email.upper()} ")
    expect(page).to_have_url(dwell.url + target)
    expect(page.get_by_text("TOP-SECRET")).to_be_visible()
    assert record(dwell, email)["emailOfAccessor"] == email


def test_who_is_inside_is_not_asked_again(page: Page, dwell: Dwell) -> None:
    ask_for(page, dwell)
    submit(page, unique_email())
    expect(page).to_have_url(dwell.url + DEEP)
    page.goto(f"{dwell.url}/confidential/")
    expect(page.get_by_text("TOP-SECRET-1")).to_be_visible()


def test_a_link_on_another_site_opens_the_page_without_asking_again(
    page: Page, dwell: Dwell
) -> None:
    ask_for(page, dwell)
    submit(page, unique_email())
    expect(page).to_have_url(dwell.url + DEEP)
    link = f"<!doctype html><title>Elsewhere</title><a href='{dwell.url + DEEP}'>Look</a>"
    elsewhere = "http://localhost/"  # Another site than 127.0.0.1, and never asked: see the route.
    page.route(elsewhere, lambda route: route.fulfill(body=link, content_type="text/html"))
    page.goto(elsewhere)
    page.get_by_role("link").click()
    expect(page).to_have_url(dwell.url + DEEP)
    assert page.evaluate(f"fetch('{BEAT}', {{method: 'POST'}}).then((answer) => answer.status)") == 200


def test_a_wrong_email_is_told_and_kept(page: Page, dwell: Dwell) -> None:
    ask_for(page, dwell)
    submit(page, REFUSED)
    expect(page.get_by_role("alert")).to_contain_text("email")
    field = page.get_by_label("Email")
    expect(field).to_have_value(REFUSED)
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("email"))
    assert "TOP-SECRET" not in page.content()


def test_after_a_wrong_email_the_page_asked_for_is_not_forgotten(page: Page, dwell: Dwell) -> None:
    ask_for(page, dwell)
    submit(page, REFUSED)
    expect(page.get_by_role("alert")).to_be_visible()
    submit(page, unique_email())
    expect(page).to_have_url(dwell.url + DEEP)


def test_a_wrong_email_sets_no_cookie(page: Page, dwell: Dwell) -> None:
    ask_for(page, dwell)
    submit(page, REFUSED)
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.context.cookies() == []


@pytest.mark.parametrize("email", ["", "ann", "ann@", "ann example.org"])
def test_what_is_no_email_at_all_is_not_even_sent(page: Page, dwell: Dwell, email: str) -> None:
    ask_for(page, dwell)
    posts: list[str] = []
    page.on("request", lambda request: request.method == "POST" and posts.append(request.url))
    submit(page, email)
    assert page.get_by_label("Email").evaluate("(field) => field.validity.valid") is False
    expect(page.get_by_label("Email")).to_be_focused()
    assert urlsplit(page.url).path == "/gate"
    assert posts == []


def test_the_gate_needs_no_script(new_context: Callable[..., BrowserContext], dwell: Dwell) -> None:
    page = new_context(java_script_enabled=False).new_page()
    ask_for(page, dwell)
    submit(page, unique_email())
    expect(page).to_have_url(dwell.url + DEEP)


def test_the_session_cookie_can_be_read_by_the_page_and_stays_on_its_site(
    page: Page, dwell: Dwell
) -> None:
    ask_for(page, dwell)
    submit(page, unique_email())
    expect(page).to_have_url(dwell.url + DEEP)
    session = cookie(page.context, "session_record_id")
    assert session["sameSite"] == "Strict"
    assert session["httpOnly"] is False
    assert session["path"] == "/"
    assert page.evaluate("document.cookie") == f"session_record_id={session['value']}"


def test_the_access_cookie_cannot_be_read_by_the_page(page: Page, dwell: Dwell) -> None:
    ask_for(page, dwell)
    submit(page, unique_email())
    expect(page).to_have_url(dwell.url + DEEP)
    assert cookie(page.context, "dwell_access")["httpOnly"] is True
    assert "dwell_access" not in page.evaluate("document.cookie")


def test_two_submits_make_two_records(page: Page, dwell: Dwell) -> None:
    email = unique_email()
    cookies = []
    for _ in range(2):
        page.goto(f"{dwell.url}/gate?next={DEEP}")
        submit(page, email)
        expect(page).to_have_url(dwell.url + DEEP)
        cookies.append(cookie(page.context, "session_record_id")["value"])
    latest, first = dwell.sessions(email=email)
    assert latest["id"] != first["id"]
    assert cookies[0] != cookies[1]


@pytest.mark.parametrize("refused", [False, True], ids=["empty", "refused"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_gate_fits_a_phone(
    new_context: Callable[..., BrowserContext], dwell: Dwell, refused: bool, scheme: str
) -> None:
    page = new_context(**PHONE, color_scheme=scheme).new_page()
    ask_for(page, dwell)
    if refused:
        submit(page, f"{'a' * 60}@example")
        expect(page.get_by_role("alert")).to_be_visible()
    assert page.evaluate("innerWidth") == PHONE["viewport"]["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]
    for part in (page.get_by_label("Email"), page.get_by_role("button")):
        expect(part).to_be_in_viewport(ratio=1)
        box = part.bounding_box()
        assert box and box["height"] >= 40, f"{box} is small for a finger"
        # Below 16 pixels a phone zooms in when the field is touched.
        size = part.evaluate("(element) => parseFloat(getComputedStyle(element).fontSize)")
        assert size >= 16
    page.get_by_label("Email").fill(unique_email())
    page.get_by_role("button").tap()
    expect(page).to_have_url(dwell.url + DEEP)


def test_the_gate_works_with_the_keyboard_only(page: Page, dwell: Dwell) -> None:
    ask_for(page, dwell)
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.type(REFUSED)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type(unique_email())
    page.keyboard.press("Tab")
    button = page.get_by_role("button")
    expect(button).to_be_focused()
    assert button.evaluate("(element) => getComputedStyle(element).outlineStyle") != "none"
    page.keyboard.press("Space")
    expect(page).to_have_url(dwell.url + DEEP)
