"""Several gates, each with its rules: levels, lists, an end, passes of its own, and visitors who are kept out."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from dwell_process import CONFIGURATION_ERROR, Client, Dwell, eventually, raw_get, run_dwell
from mail_server import MailServer

from .gates import CONFIRM, GATES, ask, configured, confirm, opens, run, verified
from .helpers import (
    BEAT,
    DAY,
    ROUTED_BEAT,
    Form,
    beat_by_token,
    beat_of,
    enter,
    evidence,
    needs_faketime,
    now_ms,
    refused_by_gate,
    restart_ahead,
    set_cookies,
    succeeded,
    unique,
    unique_email,
    visitor,
)

HOURS = 3_600_000

# Which gate a page is behind


@pytest.mark.parametrize(
    ("path", "gate"),
    {
        "/clients/": "clients", "/clients": "clients", "/CLIENTS/none.html": "clients", "//clients/./": "clients",
        "/%63lients/": "clients", "/offers/2026/a.html": "clients", "/OFFERS/2026/a.html": "clients",
        "/clients/inner/": "inner", "/letters/?a=b": "letters", "/shortcut/": "letters", "/over/": "over",
    }.items(),
)  # fmt: skip
def test_a_page_leads_to_its_gate(gated: Dwell, path: str, gate: str) -> None:
    response = raw_get(gated, path)
    assert response and response.status == 303
    location = urlsplit(response.headers["Location"])
    assert location.path == "/gate"
    assert parse_qs(location.query) == {"gate": [gate], "next": [path]}


def test_what_no_gate_names_is_open(gated: Dwell) -> None:
    assert gated.client().get("/offers/").text == "OPEN"


def test_the_standard_gate_stays_when_the_file_does_not_name_it(gated: Dwell) -> None:
    response = gated.client().get("/confidential/")
    assert response.headers["Location"] == "/gate?next=/confidential/"
    assert opens(visitor(gated).client, "/confidential/")


def test_the_file_can_change_the_standard_gate(fresh_dwell, gated_site: Path, tmp_path: Path) -> None:
    text = "gates: [{name: default, paths: [/clients/], pass: 2h, deny: [denied.example]}]"
    server = fresh_dwell("--config", configured(tmp_path, text), site=gated_site)
    assert server.client().get("/confidential/").status_code == 200
    client = server.client()
    cookies = set_cookies(enter(client, unique_email()))
    assert {cookies[name]["max-age"] for name in ("dwell_access", "session_record_id")} == {"7200"}
    assert opens(client, "/clients/")
    refused_by_gate(enter(server.client(), "ann@denied.example"), 403)


def test_the_gates_page_names_its_gate(gated: Dwell) -> None:
    form = Form(gated.client().get("/gate?gate=clients&next=/clients/inner/").text)
    assert form.fields["gate"]["value"] == "clients"
    assert form.fields["next"]["value"] == "/clients/inner/"
    assert Form(gated.client().get("/gate?gate=clients").text).fields["next"]["value"] == "/clients/"
    assert "gate" not in Form(gated.client().get("/gate").text).fields


def test_a_gate_that_does_not_exist_is_refused(gated: Dwell) -> None:
    assert gated.client().get("/gate?gate=none").status_code == 400
    refused_by_gate(ask(gated.client(), unique_email(), "none"), naming="gate")
    assert gated.client().post("/api/verify-temp-access", data={"gate": "none", "email": "a@b.example"}).status_code == 400


def test_the_form_of_a_gate_opens_its_pages(gated: Dwell) -> None:
    client = gated.client()
    response = enter(client, unique_email(), form=True, gate="clients", next="/offers/2026/a.html")
    assert (response.status_code, response.headers["Location"]) == (303, "/offers/2026/a.html")
    assert client.get("/offers/2026/a.html").text == "OFFERS"


def test_a_pass_lasts_as_long_as_its_gate_says(gated: Dwell) -> None:
    cookies = set_cookies(ask(gated.client(), unique_email(), "clients"))
    assert {name: one["max-age"] for name, one in cookies.items()} == {
        "dwell_access_clients": str(7 * DAY), "session_record_id": str(7 * DAY),
    }  # fmt: skip


@needs_faketime
@pytest.mark.sqlite("the clock of the machine")
def test_a_pass_ends(fresh_dwell, gated_site: Path, tmp_path: Path) -> None:
    server = fresh_dwell("--config", configured(tmp_path, GATES.replace("verified", "open")), site=gated_site)
    week, day = server.client(), server.client()
    succeeded(ask(week, unique_email(), "clients"))
    succeeded(ask(day, "ada@example.org", "inner"))
    restart_ahead(server, 2)
    assert opens(week, "/clients/")
    assert not opens(day, "/clients/inner/")
    restart_ahead(server, 8)
    assert not opens(week, "/clients/")


# Lists


@pytest.mark.parametrize(
    "email",
    [
        "mallory@example.org", " MALLORY@example.ORG ", "ann@denied.example", "ann@DENIED.example", "ann@bücher.example",
        "ann@xn--bcher-kva.example", "ann@XN--BCHER-KVA.example", "ann@bu\u0308cher.example",
    ],
)  # fmt: skip
def test_who_is_denied_does_not_enter(gated: Dwell, email: str) -> None:
    response = ask(gated.client(), email, "clients")
    assert refused_by_gate(response, 403)["code"] == "address_refused"
    assert not set_cookies(response)


@pytest.mark.parametrize("email", ["ann@sub.denied.example", "ann@notdenied.example", "mallory2@example.org"])
def test_a_denied_domain_is_that_one_alone(gated: Dwell, email: str) -> None:
    succeeded(ask(gated.client(), email, "clients"))


def test_with_a_list_of_who_may_enter_nobody_else_does(gated: Dwell) -> None:
    for email in ("ada@example.org", "anybody@inner.example"):
        client = gated.client()
        succeeded(ask(client, email, "inner"))
        assert opens(client, "/clients/inner/")
    refused_by_gate(ask(gated.client(), "bea@example.org", "inner"), 403)


def test_the_form_tells_who_is_denied(gated: Dwell) -> None:
    response = enter(gated.client(), "mallory@example.org", form=True, gate="clients", next="/clients/x")
    assert response.status_code == 403
    form = Form(response.text)
    assert "may not enter" in response.text
    assert {name: form.fields[name]["value"] for name in ("gate", "email", "next")} == {
        "gate": "clients", "email": "mallory@example.org", "next": "/clients/x",
    }  # fmt: skip


def test_lists_hold_for_passes_that_were_given_before(fresh_dwell, gated_site: Path, tmp_path: Path) -> None:
    server = fresh_dwell("--config", configured(tmp_path, "gates: [{name: a, paths: [/clients/]}]"), site=gated_site)
    ann, bea = server.client(), server.client()
    succeeded(ask(ann, "ann@one.example", "a"))
    succeeded(ask(bea, "bea@two.example", "a"))
    configured(tmp_path, "gates: [{name: a, paths: [/clients/], deny: [one.example]}]")
    server.restart()
    assert (opens(ann, "/clients/"), opens(bea, "/clients/")) == (False, True)


# The end of a gate


def test_a_gate_that_has_closed_lets_nobody_in(gated: Dwell) -> None:
    page = gated.client().get("/gate?gate=over&next=/over/")
    assert page.status_code == 403
    assert "2026-01-01T00:00:00.000Z" in page.text
    assert refused_by_gate(ask(gated.client(), unique_email(), "over"), 403)["code"] == "gate_closed"


def test_passes_end_with_their_gate(fresh_dwell, gated_site: Path, tmp_path: Path) -> None:
    text = "gates: [{name: a, paths: [/clients/], closes: %s}]"
    server = fresh_dwell("--config", configured(tmp_path, text % "2100-01-01"), site=gated_site)
    client = server.client()
    succeeded(ask(client, unique_email(), "a"))
    assert opens(client, "/clients/")
    configured(tmp_path, text % "2026-01-01T10:00:00Z")
    server.restart()
    assert not opens(client, "/clients/")
    assert client.post(BEAT).status_code == 200, "what was open goes on to be counted"


# Codes


def test_a_verified_gate_opens_with_the_mailed_code(gated: Dwell, mails: MailServer) -> None:
    email, client = unique_email(), gated.client()
    response = ask(client, email, next="/letters/?a=b")
    assert succeeded(response) == {"success": True, "redirect": "/gate/code"}
    assert set(set_cookies(response)) == {"dwell_gate"}
    assert not opens(client, "/letters/")
    assert gated.sessions(email=email) == [], "nobody has entered yet"
    response = confirm(client, mails.to(email)[0].code)
    answer = succeeded(response)
    assert answer["redirect"] == "/letters/?a=b"
    assert set(set_cookies(response)) == {"session_record_id", "dwell_access_letters", "dwell_gate"}
    assert "dwell_gate" not in client.cookies
    assert opens(client, "/letters/")
    assert client.post(BEAT).status_code == 200
    assert beat_by_token(gated, answer["token"]).status_code == 200
    assert len(gated.sessions(email=email)) == 1


def test_a_verified_gate_opens_by_its_forms(gated: Dwell, mails: MailServer) -> None:
    email, client = unique_email(), gated.client()
    assert "A code comes" in client.get("/gate?gate=letters").text
    response = enter(client, email, form=True, gate="letters", next="/letters/?a=b")
    assert (response.status_code, response.headers["Location"]) == (303, "/gate/code")
    form = Form(client.get("/gate/code").text)
    assert (form.action, form.method, set(form.fields)) == (CONFIRM, "post", {"code"})
    code = mails.to(email)[0].code
    wrong = client.post(CONFIRM, data={"code": f"{(int(code) + 1) % 1_000_000:06}"})
    assert (wrong.status_code, Form(wrong.text).action) == (400, CONFIRM)
    response = client.post(CONFIRM, data={"code": f" {code} "})
    assert (response.status_code, response.headers["Location"]) == (303, "/letters/?a=b")
    assert opens(client, "/letters/")


def test_who_may_not_enter_gets_no_mail(gated: Dwell, mails: MailServer) -> None:
    for email in ("mallory@example.org", f"{unique()}@elsewhere.example"):
        succeeded(ask(gated.client(), email))
        eventually(lambda email=email: not gated.sql("SELECT id FROM mail WHERE recipient = ?", email))
        assert mails.now_to(email) == []


def test_who_was_revoked_meanwhile_does_not_enter_with_the_code(gated: Dwell, mails: MailServer) -> None:
    email, client = unique_email(), gated.client()
    succeeded(ask(client, email))
    code = mails.to(email)[0].code
    run(gated, "revoke", email)
    assert refused_by_gate(confirm(client, code), 403)["code"] == "address_refused"
    assert gated.sessions(email=email) == []


def test_a_gate_that_asks_for_codes_takes_no_pass_of_before(
    fresh_dwell, gated_site: Path, tmp_path: Path, mails: MailServer
) -> None:
    text = "gates: [{name: a, paths: [/clients/], level: %s}]"
    server = fresh_dwell("--config", configured(tmp_path, text % "open"), env=mails.env, site=gated_site)
    client = server.client()
    succeeded(ask(client, unique_email(), "a"))
    configured(tmp_path, text % "verified")
    server.restart()
    assert not opens(client, "/clients/")
    assert opens(verified(server, mails, "a")[1], "/clients/")


def test_a_page_of_another_origin_cannot_ask_for_a_code(
    fresh_dwell, gated_site: Path, tmp_path: Path, mails: MailServer
) -> None:
    origin = "https://www.example.com"
    server = fresh_dwell(
        "--config", configured(tmp_path), "--allowed-origins", origin, env=mails.env, site=gated_site
    )
    headers = {"Origin": origin}
    given = {"email": unique_email(), "gate": "letters"}
    refused_by_gate(server.client().post("/api/verify-temp-access", json=given, headers=headers), 403)
    assert server.sql("SELECT * FROM mailed_code") == []
    given["gate"] = "clients"
    assert succeeded(server.client().post("/api/verify-temp-access", json=given, headers=headers))["token"]


# What is told of a visitor


def test_each_record_says_how_sure_the_email_is(gated: Dwell, mails: MailServer) -> None:
    email, _, _ = verified(gated, mails)
    (sure,) = gated.sessions(email=email)
    assert (sure["gate"], sure["identity"]) == ("letters", "verified")
    assert evidence(gated, sure["id"])["session"] == sure
    typed = visitor(gated).record
    assert (typed["gate"], typed["identity"]) == ("default", "claimed")
    shown = gated.run("show", "session", str(sure["id"])).stdout
    assert "verified" in shown and "letters" in shown
    listed = json.loads(gated.run("report", "--email", email, "--format", "json").stdout)
    assert [one["identity"] for one in listed] == ["verified"]


def test_what_comes_after_a_silence_says_it_too(gated: Dwell, mails: MailServer) -> None:
    email, _, token = verified(gated, mails)
    gated.store.change(
        "UPDATE session SET started_at = ?, last_seen_at = ? WHERE id = ?",
        now_ms() - 2 * HOURS, now_ms() - 2 * HOURS, gated.sessions(email=email)[0]["id"],
    )  # fmt: skip
    assert beat_by_token(gated, token, {
        "tab": "t", "n": 1, "from": now_ms() - 20, "to": now_ms(), "attention": "active",
    }).status_code == 200  # fmt: skip
    sessions = gated.sessions(email=email)
    assert [(one["gate"], one["identity"]) for one in sessions] == [("letters", "verified")] * 2


def test_the_gates_and_who_came_can_be_listed(gated: Dwell, mails: MailServer) -> None:
    email, _, _ = verified(gated, mails)
    for _ in range(2):
        succeeded(ask(gated.client(), email, "clients"))
    visitors = [one for one in json.loads(run(gated, "visitors", "--format", "json")) if one["email"] == email]
    assert {(one["gate"], one["identity"], one["entries"], one["revoked"]) for one in visitors} == {
        ("letters", "verified", 1, False), ("clients", "claimed", 2, False),
    }  # fmt: skip
    assert email not in run(gated, "visitors", "--gate", "inner")
    file = str(gated.folder / "dwell.yaml")
    gates = json.loads(run(gated, "list", "--config", file, "--format", "json"))
    assert [one["name"] for one in gates] == ["default", "clients", "inner", "letters", "over"]
    assert gates[1]["paths"] == ["/clients/", "/Offers/2026/"]
    assert gates[3]["level"] == "verified"
    assert "2026-01-01" in run(gated, "list", "--config", file)


# Keeping a visitor out


def await_revocation(client: Client, path: str) -> None:
    """Every node hears of it, most often within a second; behind a proxy each is asked several times."""
    eventually(lambda: not any(opens(client, path) for _ in range(4)), what="the end of a pass")


@pytest.mark.parametrize("beat", [BEAT, ROUTED_BEAT], ids=["lane", "router"])
def test_who_is_revoked_is_out_at_once_and_stays_out(gated: Dwell, beat: str) -> None:
    ann, bea = visitor(gated), visitor(gated)
    assert opens(ann.client, "/confidential/") and opens(bea.client, "/confidential/")
    assert "1 entry" in run(gated, "revoke", f" {ann.email.upper()} ")
    await_revocation(ann.client, "/confidential/")
    for response in (ann.client.post(beat), gated.client().post(beat, json=beat_of(token=ann.token))):
        assert refused_by_gate(response, 401)["code"] == "pass_revoked"
    assert ann.record["elapsedMs"] == 0
    for gate in ("default", "clients"):
        response = ask(gated.client(), ann.email, gate)
        assert refused_by_gate(response, 403)["code"] == "address_refused"
        assert not set_cookies(response)
    assert opens(bea.client, "/confidential/")
    assert bea.client.post(beat).status_code == 200
    (seen,) = [one for one in json.loads(run(gated, "visitors", "--format", "json")) if one["email"] == ann.email]
    assert seen["revoked"] is True


def test_who_is_admitted_again_has_to_enter_again(gated: Dwell) -> None:
    ann = visitor(gated)
    run(gated, "revoke", ann.email)
    await_revocation(ann.client, "/confidential/")
    assert "may enter again" in run(gated, "admit", ann.email)
    assert "was not kept out" in run(gated, "admit", ann.email)
    assert not opens(ann.client, "/confidential/")
    assert ann.client.post(BEAT).status_code == 401
    succeeded(enter(ann.client, ann.email))
    assert opens(ann.client, "/confidential/")
    assert ann.client.post(BEAT).status_code == 200


def test_a_visitor_can_be_kept_out_of_one_gate(gated: Dwell) -> None:
    email, client = unique_email(), gated.client()
    succeeded(ask(client, email, "clients"))
    token = succeeded(enter(client, email))["token"]
    file = str(gated.folder / "dwell.yaml")
    run(gated, "revoke", email, "--gate", "clients", "--config", file)
    await_revocation(client, "/clients/")
    assert opens(client, "/confidential/")
    assert beat_by_token(gated, token).status_code == 200
    refused_by_gate(ask(gated.client(), email, "clients"), 403)
    run(gated, "revoke", email)
    refused = gated.run("gate", "admit", email, "--gate", "clients", "--config", file)
    assert (refused.returncode, "every gate" in refused.stderr) == (CONFIGURATION_ERROR, True)
    run(gated, "admit", email)
    succeeded(ask(gated.client(), email, "clients"))


def test_who_never_came_can_be_kept_out(gated: Dwell) -> None:
    email = unique_email()
    assert "0 entries" in run(gated, "revoke", email)
    refused_by_gate(enter(gated.client(), email), 403)


@pytest.mark.parametrize("arguments", [["revoke", "ann"], ["revoke", "ann@example.org", "--gate", "none"]])
def test_what_is_no_address_or_no_gate_keeps_nobody_out(gated: Dwell, arguments: list[str]) -> None:
    ended = gated.run("gate", *arguments)
    assert (ended.returncode, ended.stdout) == (CONFIGURATION_ERROR, "")
    assert gated.sql("SELECT * FROM gate_revocation WHERE gate = 'none' OR email = 'ann'") == []


def test_a_revocation_survives_a_restart(fresh_dwell, site: Path) -> None:
    server = fresh_dwell(site=site)
    ann = visitor(server)
    run(server, "revoke", ann.email)
    server.restart()
    assert not opens(ann.client, "/confidential/")
    assert ann.client.post(BEAT).status_code == 401


# The file


BAD: dict[str, tuple[str, str]] = {
    "no list": ("gates: clients", "a list of gates"),
    "no gate": ("gates: [clients]", "gates[0]"),
    "no name": ("gates: [{paths: [/a/]}]", "gates[0].name"),
    "a bad name": ("gates: [{name: My gate}]", "gates[0].name"),
    "a name twice": ("gates: [{name: a}, {name: a}]", "gates[1].name"),
    "an unknown key": ("gates: [{name: a, path: /a/}]", "gates[0].path"),
    "no list of paths": ("gates: [{name: a, paths: /a/}]", "gates[0].paths"),
    "no path": ("gates: [{name: a, paths: [a]}]", "gates[0].paths"),
    "all of the site": ("gates: [{name: a, paths: [/]}]", "gates[0].paths"),
    "the gate itself": ("gates: [{name: a, paths: [/Gate/x]}]", "gates[0].paths"),
    "a way up": ("gates: [{name: a, paths: [/a/../b]}]", "gates[0].paths"),
    "an unknown level": ("gates: [{name: a, level: closed}]", "open or verified, not closed"),
    "no address": ("gates: [{name: a, allow: [a, b@c.example]}]", "gates[0].allow"),
    "no domain": ("gates: [{name: a, deny: [\"*@\"]}]", "gates[0].deny"),
    "an endless pass": ("gates: [{name: a, pass: 401d}]", "gates[0].pass"),
    "no time": ("gates: [{name: a, closes: soon}]", "gates[0].closes"),
    "two origins in one": ("gates: [{name: a, sites: ['http://a.example,http://b.example']}]", "gates[0].sites"),
    "no origin": ("gates: [{name: a, sites: [wiki.example]}]", "gates[0].sites"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BAD.values(), ids=BAD)
def test_a_gate_that_is_not_as_it_must_be_ends_the_program(tmp_path: Path, text: str, expected: str) -> None:
    ended = run_dwell("serve", "--port", "0", "--config", configured(tmp_path, text), folder=tmp_path)
    assert ended.returncode == CONFIGURATION_ERROR
    assert expected in ended.stderr and "dwell.yaml" in ended.stderr, ended.stderr


def test_sites_that_browsers_would_drop_the_cookies_of_are_refused(tmp_path: Path) -> None:
    file = configured(tmp_path, "gates: [{name: a, sites: [https://wiki.example]}]")
    ended = run_dwell("serve", "--port", "0", "--config", file, folder=tmp_path)
    assert ended.returncode == CONFIGURATION_ERROR
    assert "the sites of the gate a must be http, as the public URL is" in ended.stderr


def test_a_gate_that_mails_codes_needs_mail(tmp_path: Path) -> None:
    ended = run_dwell("serve", "--port", "0", "--config", configured(tmp_path), folder=tmp_path)
    assert ended.returncode == CONFIGURATION_ERROR
    assert "DWELL_SMTP_URL must be set: the gate letters mails codes" in ended.stderr

