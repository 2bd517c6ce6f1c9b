"""The gate: a visitor types an email, and the confidential pages open."""

from __future__ import annotations

import html
from urllib.parse import parse_qs, urlsplit

import pytest

from dwell_process import Dwell, free_port, raw_get

from .helpers import (
    CROSS_SITE,
    DAY,
    ISO_MILLISECONDS,
    SECRET,
    Form,
    enter,
    is_local,
    is_now,
    is_private,
    ms_of,
    now_ms,
    person,
    refused_by_gate,
    set_cookies,
    succeeded,
    tampered,
    unique,
    unique_email,
    visitor,
)

BAD_EMAILS = {
    "empty": "",
    "blank": "   ",
    "no at sign": "ann.example.org",
    "nothing before the at sign": "@example.org",
    "nothing after the at sign": "ann@",
    "two at signs": "ann@bea@example.org",
    "a space inside": "ann bea@example.org",
    "a line break inside": "ann@example.org\r\nBcc: all@example.org",
    "a null character": "ann\x00@example.org",
    "endless": "a" * 400 + "@example.org",
}
HOSTILE_NEXT = {
    "another host": "https://evil.example/",
    "another host, http": "http://evil.example/confidential/",
    "no scheme": "//evil.example/",
    "three slashes": "///evil.example/",
    "a backslash": "/\\evil.example/",
    "two backslashes": "\\\\evil.example/",
    "a backslash and a slash": "\\/evil.example/",
    "one slash after the scheme": "https:/evil.example/",
    "no slash after the scheme": "https:evil.example",
    "a script": "javascript:alert(1)",
    "a script, in capitals": "JavaScript:alert(1)",
    "a document": "data:text/html,<script>alert(1)</script>",
    "a tab": "/\t/evil.example/",
    "a line break": "/\n/evil.example/",
    "a header": "/confidential/\r\nSet-Cookie: dwell_access=stolen",
    "a null character": "/confidential/\x00",
    "a leading space": " //evil.example/",
}


def names(cases: dict[str, str]) -> list[object]:
    return [pytest.param(value, id=name) for name, value in cases.items()]


def opens(client: object, path: str = "/confidential/") -> bool:
    """Whether the confidential page is served; the only other answer is the way to the gate."""
    response = client.get(path)  # type: ignore[attr-defined]
    if response.status_code == 200:
        assert "TOP-SECRET" in response.text
        return True
    assert response.status_code == 303, response.text
    assert urlsplit(response.headers["Location"]).path == "/gate"
    assert "TOP-SECRET" not in response.text
    return False


# What a visitor without access meets


def test_a_confidential_page_leads_to_the_gate(dwell: Dwell) -> None:
    response = dwell.client().get("/confidential/deep/page.html")
    assert response.status_code == 303
    location = urlsplit(response.headers["Location"])
    assert is_local(response.headers["Location"], dwell)
    assert location.path == "/gate"
    assert parse_qs(location.query) == {"next": ["/confidential/deep/page.html"]}
    assert "TOP-SECRET" not in response.text
    assert is_private(response)


def test_the_way_to_the_gate_remembers_the_query(dwell: Dwell) -> None:
    response = dwell.client().get("/confidential/deep/page.html?chapter=2&part=a%26b")
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    assert query == {"next": ["/confidential/deep/page.html?chapter=2&part=a%26b"]}


def test_asking_only_for_the_head_of_a_confidential_page_leads_to_the_gate_too(
    dwell: Dwell,
) -> None:
    response = dwell.client().head("/confidential/")
    assert response.status_code == 303
    assert "ETag" not in response.headers


def test_a_confidential_file_that_does_not_exist_leads_to_the_gate_too(dwell: Dwell) -> None:
    assert not opens(dwell.client(), "/confidential/no-such-page.html")


def test_pages_outside_the_confidential_folder_are_open(dwell: Dwell) -> None:
    page = dwell.client().get("/")
    assert page.status_code == 200
    assert "An open page." in page.text
    assert page.headers["Content-Type"].startswith("text/html")
    style = dwell.client().get("/style.css")
    assert style.status_code == 200
    assert style.headers["Content-Type"].startswith("text/css")


def test_the_gate_page_has_a_form_for_the_email(dwell: Dwell) -> None:
    response = dwell.client().get("/gate", params={"next": "/confidential/deep/page.html"})
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    form = Form(response.text)
    assert (form.method, form.action) == ("post", "/api/verify-temp-access")
    assert form.fields["next"]["type"] == "hidden"
    assert form.fields["next"]["value"] == "/confidential/deep/page.html"
    assert "email" in form.fields


def test_the_gate_page_leads_to_the_confidential_page_by_default(dwell: Dwell) -> None:
    page = dwell.client().get("/gate")
    assert page.status_code == 200
    assert Form(page.text).fields["next"]["value"] == "/confidential/"


def test_the_gate_page_escapes_what_it_is_given(dwell: Dwell) -> None:
    hostile = '/confidential/"><script/src=x>alert(1)</script>'
    response = dwell.client().get("/gate", params={"next": hostile})
    assert "<script/src=x" not in response.text
    if response.status_code == 200:
        assert Form(response.text).fields["next"]["value"] == hostile


@pytest.mark.parametrize("hostile", names(HOSTILE_NEXT))
def test_the_gate_page_offers_no_way_to_another_host(dwell: Dwell, hostile: str) -> None:
    response = dwell.client().get("/gate", params={"next": hostile})
    assert response.status_code in (200, 400)
    form = Form(response.text)
    assert form.fields.get("next", {}).get("value", "/confidential/") == "/confidential/"
    assert "evil.example" not in response.text.replace(html.escape(hostile), "")


# Typing an email


def test_a_form_post_redirects_to_the_confidential_page(dwell: Dwell) -> None:
    client = dwell.client()
    response = enter(client, unique_email(), form=True)
    assert response.status_code == 303
    assert is_local(response.headers["Location"], dwell)
    assert urlsplit(response.headers["Location"]).path == "/confidential/"
    assert is_private(response)
    assert opens(client)


def test_a_form_post_redirects_to_the_page_that_was_asked_for(dwell: Dwell) -> None:
    client = dwell.client()
    response = enter(client, unique_email(), form=True, next="/confidential/deep/page.html?a=b")
    assert response.status_code == 303
    location = urlsplit(response.headers["Location"])
    assert (location.path, location.query) == ("/confidential/deep/page.html", "a=b")


def test_a_json_post_answers_with_the_confidential_page(dwell: Dwell) -> None:
    client = dwell.client()
    response = enter(client, unique_email())
    answer = succeeded(response)
    assert answer["success"] is True
    assert answer["redirect"] == "/confidential/"
    assert is_private(response)
    assert opens(client)


def test_a_json_post_answers_with_the_page_that_was_asked_for(dwell: Dwell) -> None:
    answer = succeeded(enter(dwell.client(), unique_email(), next="/confidential/deep/page.html"))
    assert answer["redirect"] == "/confidential/deep/page.html"


def test_a_json_post_may_name_its_character_set(dwell: Dwell) -> None:
    response = dwell.client().post(
        "/api/verify-temp-access",
        data=f'{{"email": "{unique_email()}"}}',
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
    assert succeeded(response)["success"] is True


def test_access_opens_every_confidential_page_and_none_of_them_may_be_cached(
    dwell: Dwell,
) -> None:
    client = visitor(dwell).client
    for path in ("/confidential/", "/confidential/index.html", "/confidential/deep/page.html"):
        assert opens(client, path)
        assert is_private(client.get(path))


def test_a_confidential_file_that_does_not_exist_is_not_found_with_access(dwell: Dwell) -> None:
    assert visitor(dwell).client.get("/confidential/no-such-page.html").status_code == 404


@pytest.mark.parametrize("form", [True, False], ids=["form", "json"])
def test_the_email_is_trimmed_and_put_in_lower_case(dwell: Dwell, form: bool) -> None:
    name = unique("carl")
    enter(dwell.client(), f"  {name.upper()}@Example.ORG \t", form=form)
    (session,) = dwell.sessions(email=f"{name}@example.org")
    assert session["emailOfAccessor"] == f"{name}@example.org"


def test_a_plus_sign_in_an_email_is_kept(dwell: Dwell) -> None:
    email = f"{unique('dora')}+news@example.org"
    enter(dwell.client(), email, form=True)
    assert [one["emailOfAccessor"] for one in dwell.sessions(email=email)] == [email]


def test_every_submit_makes_a_new_session_record(dwell: Dwell) -> None:
    email, client = unique_email(), dwell.client()
    values = set()
    for _ in range(3):
        succeeded(enter(client, email))
        values.add(client.cookie("session_record_id"))
    assert len(values) == 3
    assert len({session["id"] for session in dwell.sessions(email=email)}) == 3


def test_all_records_of_one_email_belong_to_one_viewer(dwell: Dwell) -> None:
    email = unique_email()
    for _ in range(2):
        visitor(dwell, email)
    viewers = {session["viewer"]["id"] for session in dwell.sessions(email=email)}
    assert len(viewers) == 1


def test_the_session_record_starts_when_the_gate_opens(dwell: Dwell) -> None:
    before = now_ms()
    record = visitor(dwell).record
    assert is_now(ms_of(record["sessionStartTime"]), since=before)
    assert ms_of(record["sessionStartTime"]) == ms_of(record["sessionEndTime"])
    assert record["elapsedMs"] == 0
    assert ISO_MILLISECONDS.fullmatch(record["sessionStartTime"])


# Cookies


def test_the_session_cookie_can_be_read_by_script_and_lives_for_a_day(dwell: Dwell) -> None:
    cookie = set_cookies(enter(dwell.client(), unique_email()))["session_record_id"]
    assert not cookie["httponly"]
    assert cookie["samesite"].lower() == "strict"
    assert cookie["max-age"] == str(DAY)
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert not cookie["secure"]


def test_the_access_cookie_cannot_be_read_by_script(dwell: Dwell) -> None:
    cookie = set_cookies(enter(dwell.client(), unique_email()))["dwell_access"]
    assert cookie["httponly"]
    assert cookie["samesite"].lower() in ("strict", "lax")
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert not cookie["secure"]


def test_a_form_post_sets_the_same_cookies(dwell: Dwell) -> None:
    cookies = set_cookies(enter(dwell.client(), unique_email(), form=True))
    assert {"session_record_id", "dwell_access"} <= set(cookies)
    assert cookies["dwell_access"]["httponly"]


def test_cookies_are_secure_when_the_public_url_is_https(fresh_dwell) -> None:
    server = fresh_dwell(
        "--public-url", "https://dwell.example",
        env={"DWELL_SECRET_KEY": SECRET}, port=free_port(),
    )  # fmt: skip
    cookies = set_cookies(enter(server.client(), unique_email()))
    assert cookies["session_record_id"]["secure"]
    assert cookies["dwell_access"]["secure"]


def test_the_session_cookie_is_opaque(dwell: Dwell) -> None:
    ann = visitor(dwell)
    value = ann.client.cookie("session_record_id")
    assert value != str(ann.record["id"])
    assert len(value) >= 16
    assert ann.email not in value
    assert ann.email.split("@")[0] not in value


def test_the_session_cookie_alone_opens_nothing(dwell: Dwell) -> None:
    client = visitor(dwell).client
    assert not opens(client.twin().drop("dwell_access"))


def test_the_session_cookie_is_no_access_cookie(dwell: Dwell) -> None:
    client = visitor(dwell).client
    assert not opens(client.twin().forge("dwell_access", client.cookie("session_record_id")))


def test_a_login_token_is_no_access_cookie(dwell: Dwell) -> None:
    token = person(dwell).login().token
    assert not opens(dwell.client().forge("dwell_access", token))


@pytest.mark.parametrize("value", ["", "1", "true", "undefined", "a.b.c", "x" * 5000])
def test_a_made_up_access_cookie_opens_nothing(dwell: Dwell, value: str) -> None:
    assert not opens(dwell.client().forge("dwell_access", value))


@pytest.mark.parametrize("part", range(8))
def test_a_tampered_access_cookie_opens_nothing(dwell: Dwell, part: int) -> None:
    client = visitor(dwell).client
    value = client.cookie("dwell_access")
    assert opens(client)
    assert not opens(client.forge("dwell_access", tampered(value, part * len(value) // 8)))


def test_access_survives_a_restart(fresh_dwell, site) -> None:
    server = fresh_dwell(site=site)
    ann = visitor(server)
    server.restart()
    assert opens(ann.client)
    assert succeeded(ann.beat())["success"] is True


# What the gate refuses


@pytest.mark.parametrize("email", names(BAD_EMAILS))
def test_a_json_post_with_a_bad_email_is_refused(dwell: Dwell, email: str) -> None:
    response = enter(dwell.client(), email)
    refused_by_gate(response)
    assert not set_cookies(response)


@pytest.mark.parametrize("email", [None, 1, True, ["ann@example.org"], {"a": 1}], ids=repr)
def test_a_json_post_whose_email_is_no_text_is_refused(dwell: Dwell, email: object) -> None:
    refused_by_gate(enter(dwell.client(), email), naming="email")


@pytest.mark.parametrize("body", ["{}", '{"next": "/confidential/"}', '{"mail": "a@b.example"}'])
def test_a_json_post_without_an_email_is_refused(dwell: Dwell, body: str) -> None:
    response = dwell.client().post(
        "/api/verify-temp-access", data=body, headers={"Content-Type": "application/json"}
    )
    refused_by_gate(response, naming="email")


@pytest.mark.parametrize("email", names(BAD_EMAILS))
def test_a_form_post_with_a_bad_email_shows_the_gate_again(dwell: Dwell, email: str) -> None:
    client = dwell.client()
    response = enter(client, email, form=True, next="/confidential/deep/page.html")
    assert response.status_code == 400
    assert response.headers["Content-Type"].startswith("text/html")
    form = Form(response.text)
    assert (form.method, form.action) == ("post", "/api/verify-temp-access")
    assert form.fields["next"]["value"] == "/confidential/deep/page.html"
    assert response.text != client.get("/gate?next=/confidential/deep/page.html").text
    assert not set_cookies(response)
    assert not opens(client)


def test_a_form_post_without_an_email_shows_the_gate_again(dwell: Dwell) -> None:
    response = dwell.client().post("/api/verify-temp-access", data={"next": "/confidential/"})
    assert response.status_code == 400
    assert "email" in Form(response.text).fields


def test_the_gate_escapes_the_email_it_refuses(dwell: Dwell) -> None:
    response = enter(dwell.client(), '"><script src=x>alert(1)</script>', form=True)
    assert response.status_code == 400
    assert "<script src=x" not in response.text


@pytest.mark.parametrize("hostile", names(HOSTILE_NEXT))
def test_a_json_post_that_leads_to_another_host_is_refused(dwell: Dwell, hostile: str) -> None:
    email = unique_email()
    response = enter(dwell.client(), email, next=hostile)
    refused_by_gate(response, naming="next")
    assert not set_cookies(response)
    assert dwell.sessions(email=email) == []


@pytest.mark.parametrize("hostile", names(HOSTILE_NEXT))
def test_a_form_post_that_leads_to_another_host_is_refused(dwell: Dwell, hostile: str) -> None:
    email = unique_email()
    response = enter(dwell.client(), email, form=True, next=hostile)
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert Form(response.text).fields["next"]["value"] == "/confidential/"
    assert not set_cookies(response)
    assert dwell.sessions(email=email) == []


@pytest.mark.parametrize("next_page", [1, True, ["/confidential/"], {}], ids=repr)
def test_a_next_page_that_is_no_text_is_refused(dwell: Dwell, next_page: object) -> None:
    refused_by_gate(enter(dwell.client(), unique_email(), next=next_page), naming="next")


def test_an_email_from_another_site_is_refused(dwell: Dwell) -> None:
    for headers in (CROSS_SITE, {"Origin": "https://evil.example"}):
        email = unique_email()
        response = dwell.client().post(
            "/api/verify-temp-access", data={"email": email}, headers=headers
        )
        assert response.status_code == 403, headers
        assert not set_cookies(response)
        assert dwell.sessions(email=email) == []


def test_an_email_from_the_same_site_is_accepted(dwell: Dwell) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": dwell.url}
    response = dwell.client().post(
        "/api/verify-temp-access", data={"email": unique_email()}, headers=headers
    )
    assert response.status_code == 303


# The way around the gate


WAYS_AROUND = [
    "/%63onfidential/",
    "/confidentia%6C/",
    "//confidential/",
    "///confidential/index.html",
    "/./confidential/",
    "/%2e/confidential/",
    "/x/../confidential/",
    "/x/%2e%2e/confidential/",
    "/x/..%2fconfidential/",
    "/style.css/../confidential/index.html",
    "/confidential",
    "/confidential/.",
    "/confidential/index.html",
    "/confidential//index.html",
    "/confidential/./index.html",
    "/confidential%2findex.html",
    "/confidential%2Findex.html",
    "/confidential%5cindex.html",
    "/confidential\\index.html",
    "\\confidential\\index.html",
    "/%5cconfidential/index.html",
    "/confidential/%69ndex.html",
    "/confidential/deep/../index.html",
    "/confidential/index.html/",
    "/confidential/index.html?x=/",
    "/confidential;x=1/index.html",
    "/confidential/index.html%00",
    "/confidential/index.html%00.css",
    "/CONFIDENTIAL/",
    "/Confidential/index.html",
    "/%2563onfidential/",
    "/c%C3%B3nfidential/../confidential/",
    "confidential/",
    "http://127.0.0.1/confidential/",
    "http://localhost/x/../confidential/index.html",
    "/gate/../confidential/",
    "/api/../confidential/",
    "/health/live/../../confidential/",
    "/?/../confidential/",
    "/#/../confidential/",
]


@pytest.mark.parametrize("target", WAYS_AROUND)
def test_there_is_no_way_around_the_gate(dwell: Dwell, target: str) -> None:
    response = raw_get(dwell, target)
    assert response is None or b"TOP-SECRET" not in response.body


@pytest.mark.parametrize("target", WAYS_AROUND)
def test_not_even_the_size_of_a_confidential_page_can_be_asked_for(
    dwell: Dwell, target: str
) -> None:
    open_page = raw_get(dwell, "/", method="HEAD")
    response = raw_get(dwell, target, method="HEAD")
    if response is not None and response.status == 200:
        assert open_page is not None
        assert response.headers["Content-Length"] == open_page.headers["Content-Length"]


@pytest.mark.parametrize("header", ["Range: bytes=0-", 'If-None-Match: "x"', "X-Original-URL: /"])
def test_no_header_opens_the_gate(dwell: Dwell, header: str) -> None:
    response = raw_get(dwell, "/confidential/index.html", header)
    assert response is not None
    assert response.status == 303
    assert b"TOP-SECRET" not in response.body
