"""Whose time it is: cookies, tokens, pages on other origins, and pages with strict policies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route

from Contract.helpers import now_ms, unique_email
from dwell_process import HOST, Dwell, eventually, free_port, let_pass

from .helpers import (
    BEAT,
    Beats,
    Console,
    Moment,
    beat_while,
    beats_answered,
    lasted,
    let_in,
    moment_of,
    record,
    record_up_to,
    write_pages,
)
from .script_site import confidential

STRICT = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'"
)


@pytest.fixture(scope="module")
def site(script_site: Path) -> Path:
    return script_site


def visitor(server: Dwell) -> tuple[str, str]:
    """Somebody who came through the gate without a cookie: the email and the token."""
    email = unique_email()
    answer = server.client().post("/api/verify-temp-access", json={"email": email})
    assert answer.status_code == 200, answer.text
    return email, answer.json()["token"]


def token_of(page: Page) -> str:
    return page.evaluate("localStorage['dwell:token'] || ''")


# Tokens


def test_the_token_that_the_server_gives_is_kept_and_used(page: Page, dwell: Dwell) -> None:
    email = let_in(page.context, dwell)
    beats = Beats(page)
    beat_while(page, lambda: page.goto(confidential(dwell, "hour")))
    page.evaluate("dwell.flush()")
    assert "token" not in beats.bodies[0]
    assert beats.bodies[1]["token"] == token_of(page)
    assert {one["n"] for one in beats.segments} == {0}  # It is still the same session.
    assert record(dwell, email)


def test_without_the_cookie_the_token_is_enough(page: Page, dwell: Dwell) -> None:
    email = let_in(page.context, dwell)
    came = moment_of(lambda: beat_while(page, lambda: page.goto(f"{dwell.url}/open.html")))
    page.context.clear_cookies()
    let_pass(1.5)
    left = moment_of(lambda: page.goto(dwell.url))
    assert lasted(record_up_to(dwell, email, left.first)["visibleMs"], (came, left))


WAYS: dict[str, Callable[[Page, str], object]] = {
    "identify": lambda page, token: page.evaluate("(token) => dwell.identify(token)", token),
    "the element": lambda page, token: page.evaluate(
        """(token) => {
            const element = document.createElement('session-heartbeat');
            element.setAttribute('token', token);
            document.body.append(element);
        }""",
        token,
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_page_can_say_whose_time_it_is(page: Page, dwell: Dwell, way: str) -> None:
    email, token = visitor(dwell)
    # What was seen since the server said that it knows nobody belongs to whom the page then names.
    came = moment_of(lambda: beat_while(page, lambda: page.goto(f"{dwell.url}/stranger.html")))
    beat_while(page, lambda: WAYS[way](page, token))
    let_pass(1.5)
    left = moment_of(lambda: page.goto(f"{dwell.url}/index.html"))
    assert token_of(page) == token
    assert lasted(record_up_to(dwell, email, left.first)["visibleMs"], (came, left))


def test_from_another_session_on_time_is_its_own(page: Page, dwell: Dwell) -> None:
    (first, token), (second, other) = visitor(dwell), visitor(dwell)
    beats = Beats(page)
    came = moment_of(lambda: comes_as(page, f"{dwell.url}/stranger.html", token))
    let_pass(1.5)
    changed = moment_of(lambda: page.evaluate("(token) => dwell.identify(token)", other))
    let_pass(1.5)
    left = moment_of(lambda: page.evaluate("dwell.flush()"))
    ended = [one for one in beats.segments if one.get("end") == "session"]
    assert len(ended) == 1
    assert lasted(record(dwell, first)["visibleMs"], (came, changed))
    assert lasted(record(dwell, second)["visibleMs"], (changed, left))
    for body in beats.bodies:
        mine = {token: ended, other: beats.segments}.get(body.get("token", ""), [])
        assert not mine or body["segments"]


def comes_as(page: Page, url: str, token: str) -> None:
    """Opens a page that nobody knows, and says who it is."""
    page.goto(url)
    page.evaluate("(token) => dwell.identify(token)", token)


def test_who_logs_out_is_followed_no_more(page: Page, dwell: Dwell) -> None:
    email, token = visitor(dwell)
    page.goto(f"{dwell.url}/stranger.html")
    page.evaluate("(token) => dwell.identify(token)", token)
    let_pass(1.2)
    page.evaluate("dwell.identify()")
    before = record(dwell, email)["visibleMs"]
    let_pass(1.2)
    page.evaluate("dwell.flush()")
    page.goto(f"{dwell.url}/index.html")
    assert token_of(page) == ""
    assert record(dwell, email)["visibleMs"] == before


def test_other_tabs_hear_of_another_session(context: BrowserContext, dwell: Dwell) -> None:
    (_, token), (_, other) = visitor(dwell), visitor(dwell)
    first, second = context.new_page(), context.new_page()
    for page in (first, second):
        page.goto(f"{dwell.url}/stranger.html")
        page.evaluate("(token) => dwell.identify(token)", token)
    beats = Beats(second)
    first.evaluate("(token) => dwell.identify(token)", other)

    def follows() -> bool:
        second.evaluate("dwell.flush()")
        return beats.bodies[-1].get("token") == other

    eventually(follows)


def test_a_cookie_that_names_another_session_wins(page: Page, dwell: Dwell) -> None:
    first = let_in(page.context, dwell)
    beats = Beats(page)
    came = moment_of(lambda: beat_while(page, lambda: page.goto(confidential(dwell, "hour"))))
    let_pass(1.2)
    began = now_ms()
    page.evaluate("dwell.flush()")
    old = token_of(page)
    second = let_in(page.context, dwell)
    page.evaluate("dwell.flush()")
    changed = Moment(began, now_ms())
    assert token_of(page) not in ("", old)
    let_pass(1.2)
    left = moment_of(lambda: page.evaluate("dwell.flush()"))
    assert lasted(record(dwell, first)["visibleMs"], (came, changed))
    assert lasted(record(dwell, second)["visibleMs"], (changed, left))
    assert [one.get("end") for one in beats.segments] == ["session", None]


def test_segments_of_two_sessions_never_travel_together(page: Page, dwell: Dwell) -> None:
    (_, token), (_, other) = visitor(dwell), visitor(dwell)
    beats = Beats(page)
    page.goto(f"{dwell.url}/stranger.html")
    with beats_answered(page, Route.abort):
        for name in (token, other, token, other):
            page.evaluate("(token) => dwell.identify(token)", name)
            page.wait_for_timeout(50)
    page.evaluate("dwell.flush()")
    told = [
        (one["n"], body["token"])
        for body in beats.bodies
        if "token" in body  # The first was sent before anybody was known.
        for one in body["segments"]
    ]
    assert len(set(told)) == len({n for n, _ in told})  # Each under one token only.
    assert {who for _, who in told} == {token, other}


def test_a_token_of_nobody_is_dropped(page: Page, dwell: Dwell) -> None:
    """The server has lost its database, say: the cookie that came after it counts."""
    page.goto(f"{dwell.url}/index.html")
    page.evaluate("localStorage['dwell:token'] = 'A'.repeat(54)")
    email = let_in(page.context, dwell)
    page.goto(f"{dwell.url}/open.html")
    eventually(lambda: token_of(page) not in ("", "A" * 54))
    assert record(dwell, email)


# Other origins


@pytest.fixture(scope="module")
def origins(
    tmp_path_factory: pytest.TempPathFactory, site: Path
) -> Iterator[tuple[Dwell, Dwell]]:
    """A server whose pages load the script of another, and that other server."""
    folder = tmp_path_factory.mktemp("origins")
    port = free_port()
    with Dwell(
        tmp_path_factory.mktemp("there"), "--allowed-origins", f"http://{HOST}:{port}", site=site
    ) as there:
        script = f'<script src="{there.url}/dwell.js" data-interval="1000" {{}} defer></script>'
        write_pages(
            folder,
            {
                "index.html": (script.format(""), "A page of somebody else."),
                "token.html": (script.format('data-token="TOKEN"'), "It knows who reads it."),
            },
        )
        with Dwell(tmp_path_factory.mktemp("here"), site=folder, port=port) as here:
            yield here, there


def test_a_page_on_another_origin_reports_to_the_server_of_its_script(
    page: Page, origins: tuple[Dwell, Dwell]
) -> None:
    here, there = origins
    email, token = visitor(there)
    console = Console(page.context)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if BEAT in request.url else None)
    came = moment_of(lambda: comes_as(page, here.url, token))
    let_pass(2.5)
    told = moment_of(lambda: page.evaluate("dwell.flush()"))
    assert lasted(record(there, email)["visibleMs"], (came, told))
    assert {request.url for request in sent} == {there.url + BEAT}
    assert {request.method for request in sent} == {"POST"}, "it asked first"
    assert all("text/plain" in request.headers["content-type"] for request in sent)
    assert console.written == []


def test_a_page_on_another_origin_can_carry_the_token_itself(
    page: Page, origins: tuple[Dwell, Dwell]
) -> None:
    here, there = origins
    email, token = visitor(there)

    assert here.site
    file = here.site / "token.html"
    file.write_text(file.read_text().replace("TOKEN", token))
    came = moment_of(lambda: page.goto(f"{here.url}/token.html"))
    let_pass(2.2)
    told = moment_of(lambda: page.evaluate("dwell.flush()"))
    assert lasted(record(there, email)["visibleMs"], (came, told))


def test_a_page_on_another_origin_tells_when_it_is_left(
    page: Page, origins: tuple[Dwell, Dwell]
) -> None:
    here, there = origins
    email, token = visitor(there)
    came = moment_of(lambda: comes_as(page, here.url, token))
    let_pass(1.7)
    left = moment_of(lambda: page.goto("about:blank"))
    session = record_up_to(there, email, left.first)
    assert lasted(session["visibleMs"], (came, left)), session


def test_on_another_origin_a_busy_server_is_left_alone_too(
    page: Page, origins: tuple[Dwell, Dwell]
) -> None:
    """`Retry-After` can be read there only because the server says so."""
    here, there = origins
    page.goto(here.url)
    allowed = {
        "access-control-allow-origin": here.url,
        "access-control-expose-headers": "retry-after",
        "retry-after": "60",
    }
    with beats_answered(page, lambda route: route.fulfill(status=503, headers=allowed)):
        page.evaluate("dwell.identify('x')")
    beats = Beats(page)
    let_pass(2.5)
    page.evaluate("dwell.flush()")
    assert beats.sent == []


# Policies, and how the script is loaded


def test_it_works_under_the_strictest_policy(page: Page, dwell: Dwell) -> None:
    def with_policy(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        headers = answer.headers | {"content-security-policy": STRICT}
        route.fulfill(response=answer, headers=headers)

    email = let_in(page.context, dwell)
    console = Console(page.context)
    page.route("**/confidential/second.html", with_policy)
    began = now_ms()
    answer = page.goto(confidential(dwell, "second"))
    came = Moment(began, now_ms())
    assert answer and answer.headers["content-security-policy"] == STRICT
    let_pass(1.5)
    left = moment_of(lambda: page.goto(dwell.url))
    assert lasted(record_up_to(dwell, email, left.first)["visibleMs"], (came, left))
    ours = [m.text for m in console.messages if "dwell" in m.text or "Trusted" in m.text]
    assert ours == []


LOADED = {
    "classic in the head": ('<script src="/dwell.js"></script>', ""),
    "classic in the body": ("", '<script src="/dwell.js"></script>'),
    "async": ('<script src="/dwell.js" async></script>', ""),
    "defer": ('<script src="/dwell.js" defer></script>', ""),
    "module": ('<script src="/dwell.js" type="module"></script>', ""),
    "twice": ('<script src="/dwell.js"></script><script src="/dwell.js"></script>', ""),
    "beside an element of its name": ('<script src="/dwell.js" defer></script>', '<p id="dwell">'),
}


@pytest.mark.parametrize("how", LOADED)
def test_it_works_however_it_is_loaded(page: Page, dwell: Dwell, how: str) -> None:
    head, body = LOADED[how]
    let_in(page.context, dwell)
    page.route(
        "**/loaded.html",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f"<!doctype html><link rel=icon href=data:,>{head}<main></main>{body}",
        ),
    )
    beats = Beats(page)
    beat_while(page, lambda: page.goto(f"{dwell.url}/loaded.html"))
    page.evaluate("dwell.flush()")
    assert page.evaluate("dwell.version") == 2
    assert len({one["tab"] for one in beats.segments}) == 1
