"""Gates against those who mean harm. Each test names the statement of the security rules that it checks:

8 cookies; 10 headers, and no secret in a URL; 12 answers that tell nothing; 14 mailed codes; 17 redirects and paths; 18 what
is somebody else's.
"""

from __future__ import annotations

import re
import statistics
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from dwell_process import Client, Dwell, eventually, free_port, raw_get
from mail_server import MailServer

from .gates import CONFIRM, ask, configured, confirm, opens, run, verified
from .helpers import (
    BEAT,
    CROSS_SITE,
    SECRET,
    TALKATIVE,
    Form,
    beat_by_token,
    enter,
    is_private,
    now_ms,
    person,
    refused,
    refused_by_gate,
    set_cookies,
    succeeded,
    tampered,
    unique,
    unique_email,
)
from .test_gate import HOSTILE_NEXT, names


def asked(server: Dwell, mails: MailServer) -> tuple[str, Client, str]:
    """A visitor who asked for a code: the email, the browser, and the code."""
    email, client = unique_email(), server.client()
    succeeded(ask(client, email))
    return email, client, mails.to(email)[0].code


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def code_refused(response: requests.Response) -> None:
    assert refused_by_gate(response, 400)["code"] == "code_invalid"
    assert not set_cookies(response)


# 8. Cookies


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_security_8_every_cookie_of_a_gate_is_kept_to_its_site(
    fresh_dwell, gated_site: Path, tmp_path: Path, mails: MailServer, scheme: str
) -> None:
    server = fresh_dwell(
        "--config", configured(tmp_path), "--public-url", f"{scheme}://dwell.example",
        env={"DWELL_SECRET_KEY": SECRET, **mails.env}, site=gated_site, port=free_port(),
    )  # fmt: skip
    client, email = server.client(), unique_email()
    first = set_cookies(ask(client, email))
    # requests keeps Secure cookies from plain http: the browser is told by hand.
    client.forge("dwell_gate", first["dwell_gate"].value)
    second = set_cookies(confirm(client, mails.to(email)[0].code))
    cookies = first | {name: one for name, one in second.items() if name != "dwell_gate"}
    assert set(cookies) == {"dwell_gate", "dwell_access_letters", "session_record_id"}
    for name, cookie in cookies.items():
        assert bool(cookie["secure"]) == (scheme == "https")
        assert cookie["path"] == "/" and not cookie["domain"]
        assert bool(cookie["httponly"]) == (name != "session_record_id"), "the page's script reads that one"
        strict = {"dwell_gate": "strict", "session_record_id": "strict", "dwell_access_letters": "lax"}
        assert cookie["samesite"].lower() == strict[name]
    assert second["dwell_gate"]["max-age"] == "0"


# 10. Headers and URLs


def test_security_10_no_answer_of_a_gate_is_kept_or_framed(gated: Dwell, mails: MailServer) -> None:
    email, client, code = asked(gated, mails)
    answers = [
        client.get("/gate?gate=letters"), client.get("/gate?gate=over"), client.get("/gate?gate=none"),
        client.get("/gate/code"), client.get("/gate/check?gate=letters"), client.get("/letters/"),
        enter(client, "x", form=True, gate="letters"), client.post(CONFIRM, data={"code": wrong(code)}),
        confirm(client, wrong(code)), confirm(client, code), client.get("/letters/"),
        client.get("/gate/check?gate=letters"),
    ]  # fmt: skip
    for answer in answers:
        assert is_private(answer), answer.url
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        if answer.headers.get("Content-Type", "").startswith("text/html") and "LETTERS" not in answer.text:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy


def test_security_10_no_code_and_no_pass_is_in_a_url_or_a_log(
    fresh_dwell, gated_site: Path, tmp_path: Path, mails: MailServer
) -> None:
    server = fresh_dwell(
        "--config", configured(tmp_path), "--log-level", "trace", env=mails.env | TALKATIVE, site=gated_site
    )
    email, client = unique_email(), server.client()
    response = ask(client, email)
    (mail,) = mails.to(email)
    address = urlsplit(mail.link)
    # What is behind the # leaves no browser.
    assert (address.path, address.query, address.fragment) == ("/gate/code", "", mail.code)
    answer = confirm(client, mail.code)
    secrets = {
        set_cookies(response)["dwell_gate"].value, client.cookie("session_record_id"),
        client.cookie("dwell_access_letters"), answer.json()["token"],
    }  # fmt: skip
    assert opens(client, "/letters/")
    assert client.get("/gate/check?gate=letters").status_code == 204
    assert server.stop() == 0
    # Six digits may stand in any number.
    assert not re.search(rf"(?<![0-9a-f]){mail.code}(?![0-9a-f])", server.written)
    for secret in secrets:
        assert len(secret) > 20
        assert secret not in server.written
        assert secret.encode() not in server.store.bytes()
    assert email not in server.logs


# 12. Answers


def kinds(server: Dwell, mails: MailServer) -> dict[str, str]:
    """An address of every kind there is for the gate `letters`."""
    revoked = unique_email()
    run(server, "revoke", revoked)
    return {
        "known": verified(server, mails)[0], "unknown": unique_email(), "revoked": revoked,
        "denied": "mallory@example.org", "not allowed": f"{unique()}@elsewhere.example",
        "account": person(server).given["email"],
    }  # fmt: skip


@pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
def test_security_12_a_gate_that_mails_answers_every_address_alike(
    gated: Dwell, mails: MailServer, form: bool
) -> None:
    answers = {
        kind: enter(gated.client(), email, form=form, gate="letters") for kind, email in kinds(gated, mails).items()
    }
    first = answers["unknown"]
    assert first.status_code == (303 if form else 200)
    for kind, answer in answers.items():
        assert (answer.status_code, answer.content) == (first.status_code, first.content), kind
        ignored = {"Date", "Set-Cookie"}
        assert {n: v for n, v in answer.headers.items() if n not in ignored} == {
            n: v for n, v in first.headers.items() if n not in ignored
        }, kind
        cookie, other = set_cookies(answer)["dwell_gate"], set_cookies(first)["dwell_gate"]
        assert len(cookie.value) == len(other.value)
        assert {name: cookie[name] for name in cookie} == {name: other[name] for name in other}


def test_security_12_asking_writes_the_same_for_every_address(gated: Dwell, mails: MailServer) -> None:
    """What takes the time is the same, so the time is: a row for the code, one for the mail that is dropped later."""
    for kind, email in kinds(gated, mails).items():
        before = gated.sql("SELECT count(*) AS n FROM mailed_code WHERE email = ? AND purpose = 'gate'", email)[0]["n"]
        succeeded(ask(gated.client(), email))
        rows = gated.sql(
            "SELECT purpose, gate, target, tries_left FROM mailed_code WHERE email = ? ORDER BY asked_at", email
        )
        assert rows[-1] == {"purpose": "gate", "gate": "letters", "target": "/letters/", "tries_left": 5}, kind
        assert len([row for row in rows if row["purpose"] == "gate"]) == before + 1, kind


def test_security_12_asking_takes_the_same_time_for_every_address(gated: Dwell, mails: MailServer) -> None:
    """A difference of several times could not be missed; the two are asked in turn, so that a busy machine is busy for
    both."""
    times: dict[str, list[float]] = {"may": [], "may not": []}
    for _ in range(25):
        for kind, email in (("may", unique_email()), ("may not", f"{unique()}@elsewhere.example")):
            times[kind].append(ask(gated.client(), email).elapsed.total_seconds())
    one, other = (statistics.median(some) for some in times.values())
    assert max(one, other) < 4 * min(one, other), times


def test_security_12_a_wrong_code_is_answered_alike_whoever_asked(gated: Dwell, mails: MailServer) -> None:
    answers = []
    for email in [*kinds(gated, mails).values(), None]:
        client = gated.client()
        if email:
            succeeded(ask(client, email))
        answers.append(confirm(client, "000000"))
    assert {(one.status_code, one.content) for one in answers} == {(400, answers[0].content)}


# 14. Codes


def test_security_14_a_code_works_once(gated: Dwell, mails: MailServer) -> None:
    _, client, code = asked(gated, mails)
    twins = [client.twin() for _ in range(5)]
    with ThreadPoolExecutor() as threads:
        answers = list(threads.map(lambda twin: confirm(twin, code).status_code, twins))
    assert sorted(answers) == [200, 400, 400, 400, 400]
    code_refused(confirm(client.twin(), code))


def test_security_14_a_code_is_good_in_the_browser_that_asked_for_it_alone(
    gated: Dwell, mails: MailServer
) -> None:
    _, client, code = asked(gated, mails)
    stranger = gated.client()
    code_refused(confirm(stranger, code))
    succeeded(ask(stranger, unique_email()))
    code_refused(confirm(stranger, code))
    code_refused(confirm(gated.client().forge("dwell_gate", tampered(client.cookie("dwell_gate"))), code))
    succeeded(confirm(client, code))


def test_security_14_a_code_lives_for_ten_minutes(gated: Dwell, mails: MailServer) -> None:
    email, client, code = asked(gated, mails)
    (row,) = gated.sql("SELECT asked_at, expires_at FROM mailed_code WHERE email = ?", email)
    assert row["expires_at"] - row["asked_at"] == 600_000
    gated.store.change("UPDATE mailed_code SET expires_at = ? WHERE email = ?", now_ms() - 1000, email)
    code_refused(confirm(client, code))


def test_security_14_a_code_bears_five_tries(gated: Dwell, mails: MailServer) -> None:
    _, client, code = asked(gated, mails)
    for _ in range(4):
        code_refused(confirm(client, wrong(code)))
    succeeded(confirm(client, code))
    _, client, code = asked(gated, mails)
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda twin: confirm(twin, wrong(code)), [client.twin() for _ in range(12)]))
    code_refused(confirm(client, code))


def test_security_14_an_address_gets_five_codes_an_hour(gated: Dwell, mails: MailServer) -> None:
    email = unique_email()
    clients = [gated.client() for _ in range(7)]
    answers = {ask(client, email).content for client in clients}
    assert len(answers) == 1, "nobody is told that there is none"
    eventually(lambda: not gated.sql("SELECT id FROM mail WHERE recipient = ?", email))
    assert len(mails.now_to(email)) == 5


def test_security_14_a_mail_scanner_uses_nothing_up(gated: Dwell, mails: MailServer) -> None:
    email, client, code = asked(gated, mails)
    address = urlsplit(mails.to(email)[0].link)
    scanner = gated.client()
    for method in ("GET", "HEAD", "GET"):
        page = scanner.request(method, address.path, headers=CROSS_SITE)
        assert (page.status_code, set_cookies(page)) == (200, {})
    form = Form(client.get(address.path).text)
    # Also one that presses the button: it has not asked.
    code_refused(confirm(scanner, code))
    response = client.post(form.action, data={"code": code})
    assert response.status_code == 303
    assert opens(client, "/letters/")


def test_security_14_a_code_opens_nothing_but_its_gate(gated: Dwell, mails: MailServer) -> None:
    ann = person(gated)
    email, client = ann.given["email"], gated.client()
    succeeded(ask(client, email))
    code = eventually(
        lambda: next((m.code for m in mails.now_to(email) if "confidential" in m.message["Subject"]), None), 15
    )
    for name, path, more in (
        ("dwell_reset", "/auth/password/reset", {"password": "another good password"}),
        ("dwell_verification", "/auth/email/verify", {}),
    ):
        other = gated.client().forge(name, client.cookie("dwell_gate"))
        refused(other.post(path, json={"code": code, **more}), 400, "code_invalid")
    succeeded(confirm(client, code))
    for path in ("/clients/", "/clients/inner/", "/confidential/", "/over/"):
        assert not opens(client, path)


def test_security_14_another_site_can_neither_ask_nor_confirm(gated: Dwell, mails: MailServer) -> None:
    email, client, code = asked(gated, mails)
    for headers in (CROSS_SITE, {"Origin": "https://evil.example"}):
        given = {"email": unique_email(), "gate": "letters"}
        refused_by_gate(client.post("/api/verify-temp-access", json=given, headers=headers), 403)
        refused_by_gate(client.post(CONFIRM, json={"code": code}, headers=headers), 403)
        assert gated.sql("SELECT * FROM mailed_code WHERE email = ?", given["email"]) == []
    succeeded(confirm(client, code))


def test_security_14_the_link_leads_to_this_server_whatever_host_was_asked(
    gated: Dwell, mails: MailServer
) -> None:
    email = unique_email()
    given = {"email": email, "gate": "letters"}
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    succeeded(gated.client().post("/api/verify-temp-access", json=given, headers=headers))
    assert "evil.example" not in mails.to(email)[0].part("plain") + mails.to(email)[0].part("html")


@pytest.mark.parametrize("code", ["", " ", "1", "abcdef", "1" * 5000, "١٢٣٤٥٦", "000000\x00"])
def test_security_16_what_is_no_code_is_refused(gated: Dwell, mails: MailServer, code: str) -> None:
    client = gated.client()
    succeeded(ask(client, unique_email()))
    code_refused(confirm(client, code))
    assert client.post(CONFIRM, data={"code": code}).status_code == 400


@pytest.mark.parametrize("body", ["{}", '{"code": 123456}', '{"code": null}', "[]", "x"])
def test_security_16_what_has_no_code_is_refused(gated: Dwell, body: str) -> None:
    response = gated.client().post(CONFIRM, data=body, headers={"Content-Type": "application/json"})
    refused_by_gate(response, 400)
    assert gated.client().post(CONFIRM, data=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
    assert gated.client().post(CONFIRM, data={}).status_code in (400, 415)


# 17. Redirects, paths, cells


@pytest.mark.parametrize("hostile", names(HOSTILE_NEXT))
@pytest.mark.parametrize("gate", ["clients", "letters"])
def test_security_17_no_gate_leads_to_another_host(gated: Dwell, gate: str, hostile: str) -> None:
    email = unique_email()
    refused_by_gate(ask(gated.client(), email, gate, next=hostile), naming="next")
    page = gated.client().get("/gate", params={"gate": gate, "next": hostile})
    assert Form(page.text).fields["next"]["value"] == f"/{gate}/"
    form = enter(gated.client(), email, form=True, gate=gate, next=hostile)
    assert form.status_code == 400
    assert "Location" not in form.headers and not set_cookies(form)
    assert gated.sql("SELECT * FROM mailed_code WHERE email = ?", email) == []


@pytest.mark.parametrize("target", ["/confidential/", "/offers/../letters/index.html", "/./letters/", "/%2e/letters/",
                                    "/letters%2Findex.html", "/shortcut/index.html", "/LETTERS/x", "/clients/../letters/"])  # fmt: skip
def test_security_17_a_pass_for_one_gate_leads_into_no_other(
    gated: Dwell, target: str
) -> None:
    client = gated.client()
    succeeded(ask(client, unique_email(), "clients"))
    cookies = "; ".join(f"{one.name}={one.value}" for one in client.cookies)
    response = raw_get(gated, target, f"Cookie: {cookies}")
    assert response is not None
    assert response.status in (303, 400, 404)
    assert "LETTERS" not in response.text and "SECRET" not in response.text


def test_security_17_cells_of_visitors_are_no_formulas(gated: Dwell) -> None:
    email = f"=cmd|'{unique()}'!a1@example.org"
    succeeded(ask(gated.client(), email, "clients"))
    lines = run(gated, "visitors", "--format", "csv").splitlines()
    (line,) = [line for line in lines if "=cmd" in line]
    assert line.startswith("'=cmd")


# 18. What is somebody else's


def forged(client: Client, value: str, *gates: str) -> Client:
    for gate in gates:
        client.forge(gate, value)
    return client


def test_security_18_a_pass_under_another_name_opens_nothing(gated: Dwell, mails: MailServer) -> None:
    places = {
        "dwell_access": "/confidential/", "dwell_access_clients": "/clients/", "dwell_access_inner": "/clients/inner/",
        "dwell_access_letters": "/letters/",
    }  # fmt: skip
    _, letters, _ = verified(gated, mails)
    clients = gated.client()
    succeeded(ask(clients, unique_email(), "clients"))
    for owner, name in ((letters, "dwell_access_letters"), (clients, "dwell_access_clients")):
        client = forged(gated.client(), owner.cookie(name), *places)
        for cookie, path in places.items():
            assert opens(client, path) == (cookie == name), (cookie, name)
        assert client.get("/gate/check?gate=inner").status_code == 401


def test_security_18_the_name_of_a_session_is_no_pass(gated: Dwell, mails: MailServer) -> None:
    _, owner, token = verified(gated, mails)
    for value in (owner.cookie("session_record_id"), token, owner.cookie("dwell_access_letters")[:-2], "x" * 54):
        assert not opens(forged(gated.client(), value, "dwell_access_letters"), "/letters/")
    assert beat_by_token(gated, owner.cookie("dwell_access_letters")).status_code == 401
    assert forged(gated.client(), owner.cookie("dwell_access_letters"), "session_record_id").post(BEAT).status_code == 400


def test_security_18_a_revocation_is_of_one_visitor(gated: Dwell, mails: MailServer) -> None:
    (email, mine, _), (_, other, token) = verified(gated, mails), verified(gated, mails)
    run(gated, "revoke", email)
    eventually(lambda: not any(opens(mine, "/letters/") for _ in range(4)), what="the end of a pass")
    assert all(opens(other, "/letters/") for _ in range(4))
    assert beat_by_token(gated, token).status_code == 200
