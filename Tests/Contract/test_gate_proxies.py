"""A gate for a site that is not Dwell's: nginx and Caddy as docs/gate.md sets them up, and what Traefik sends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests

from dwell_process import Client, Dwell, eventually, free_port, let_pass
from guarded_site import Site, proxied
from mail_server import MailServer

from .helpers import BEAT, Form, beat_of, is_private, set_cookies, unique_email

CHECK = "/gate/check?gate=wiki"


@dataclass
class Guarded:
    """A site behind a gate, as people reach it."""

    url: str
    site: Site
    dwell: Dwell

    def client(self) -> Client:
        return Client(self.dwell)

    def get(self, client: Client, path: str, **options: object) -> requests.Response:
        return client.get(urljoin(self.url, path), **options)

    def post(self, client: Client, path: str, **options: object) -> requests.Response:
        return client.post(urljoin(self.url, path), headers={"Origin": self.url}, **options)

    def enter(self, client: Client, mails: MailServer, path: str = "/page?a=b&c=d") -> str:
        """All that a visitor does who asks for a page."""
        email = unique_email()
        way = self.get(client, path).headers["Location"]
        form = Form(self.get(client, way).text)
        given = {name: one.get("value", "") for name, one in form.fields.items()} | {"email": email}
        asked = self.post(client, form.action, data=given)
        assert (asked.status_code, asked.headers["Location"]) == (303, "/gate/code")
        mail = mails.to(email)[0]
        assert mail.link == f"{self.url}/gate/code#{mail.code}"
        opened = self.post(client, "/api/verify-temp-access/code", data={"code": mail.code})
        assert (opened.status_code, opened.headers["Location"]) == (303, path)
        return email


def wiki(sites: list[str], level: str = "verified") -> str:
    return f"""
public-url: http://dwell.example
gates:
  - name: wiki
    level: {level}
    sites: [{", ".join(sites)}]
    deny: [denied.example]
"""


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def guarded(
    request: pytest.FixtureRequest, mails: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp(request.param)
    port = free_port()
    (folder / "dwell.yaml").write_text(wiki([f"http://127.0.0.1:{port}"]))
    server = Dwell(folder, "--config", str(folder / "dwell.yaml"), env=mails.env).start()
    site = Site()
    try:
        with proxied(request.param, folder, port, server.port, site.port) as url:
            yield Guarded(url, site, server)
    finally:
        site.shutdown()
        server.discard()


def test_a_page_leads_to_the_gate_on_the_same_site(guarded: Guarded) -> None:
    response = guarded.get(guarded.client(), "/page?a=b&c=d%26e")
    assert response.status_code == 303
    location = urlsplit(response.headers["Location"])
    assert f"{location.scheme}://{location.netloc}" == guarded.url
    assert location.path == "/gate"
    assert parse_qs(location.query) == {"gate": ["wiki"], "next": ["/page?a=b&c=d%26e"]}
    assert guarded.site.asked == [] or guarded.site.asked[-1][0] != "/page?a=b&c=d%26e"


def test_a_visitor_confirms_an_email_and_reads_on(guarded: Guarded, mails: MailServer) -> None:
    client = guarded.client()
    email = guarded.enter(client, mails)
    page = guarded.get(client, "/page?a=b&c=d")
    assert "THE-WIKI" in page.text
    path, headers = guarded.site.asked[-1]
    assert path == "/page?a=b&c=d"
    assert (headers["remote-email"], headers["remote-identity"]) == (email, "verified")
    assert guarded.post(client, "/form", data={"a": "b"}).text == page.text
    (session,) = guarded.dwell.sessions(email=email)
    assert (session["gate"], session["identity"]) == ("wiki", "verified")


def test_nobody_tells_the_site_who_they_are(guarded: Guarded, mails: MailServer) -> None:
    client = guarded.client()
    email = guarded.enter(client, mails)
    claims = {"Remote-Email": "boss@example.org", "Remote-Identity": "claimed"}
    assert guarded.get(client, "/claims", headers=claims).status_code == 200
    path, headers = guarded.site.asked[-1]
    assert (path, headers["remote-email"], headers["remote-identity"]) == ("/claims", email, "verified")


@pytest.mark.parametrize("name", ["X-Original-URI", "X-Forwarded-Uri", "X-Forwarded-Host", "X-Forwarded-Method"])
def test_headers_of_the_visitors_own_open_nothing(guarded: Guarded, name: str) -> None:
    response = guarded.get(guarded.client(), "/private", headers={name: "//evil.example/"})
    assert response.status_code in (303, 401)
    assert "THE-WIKI" not in response.text
    assert not urlsplit(response.headers["Location"]).netloc or response.headers["Location"].startswith(guarded.url)
    assert "evil.example" not in response.headers["Location"].partition("next=")[0]


def test_17_no_query_of_the_visitors_own_names_another_gate(guarded: Guarded) -> None:
    client = guarded.client()
    assert guarded.post(client, "/api/verify-temp-access", json={"email": unique_email()}).status_code == 200
    assert client.cookie("dwell_access"), "a pass for the standard gate, where an address is enough"
    for path in ("/page?gate=default", "/page?gate=", "/page?x&gate=default#", "/gate/check/?gate=default"):
        response = guarded.get(client, path)
        assert response.status_code == 303, path
        assert "THE-WIKI" not in response.text


def test_the_check_itself_is_not_shown(guarded: Guarded) -> None:
    response = guarded.get(guarded.client(), "/gate/check?gate=default")
    assert response.status_code in (303, 404)


def test_time_on_the_site_is_counted(guarded: Guarded, mails: MailServer) -> None:
    client = guarded.client()
    email = guarded.enter(client, mails)
    assert "heartbeat" in guarded.get(client, "/dwell.js").text
    assert guarded.get(client, "/dwell.css").headers["Content-Type"].startswith("text/css")
    let_pass(0.05)
    assert guarded.post(client, BEAT, json=beat_of()).status_code == 200
    assert guarded.post(client, BEAT).status_code == 200
    (session,) = guarded.dwell.sessions(email=email)
    assert session["elapsedMs"] > 0


def test_who_is_revoked_is_out_of_the_site(guarded: Guarded, mails: MailServer) -> None:
    client = guarded.client()
    email = guarded.enter(client, mails)
    assert guarded.get(client, "/page").status_code == 200
    assert guarded.dwell.run("gate", "revoke", email).returncode == 0
    eventually(lambda: all(guarded.get(client, "/page").status_code == 303 for _ in range(4)), what="the end of a pass")
    assert guarded.post(client, BEAT).status_code == 401


def test_when_dwell_is_away_nothing_opens(guarded: Guarded, mails: MailServer) -> None:
    client = guarded.client()
    guarded.enter(client, mails)
    guarded.dwell.stop()
    try:
        response = guarded.get(client, "/page")
        assert response.status_code >= 500
        assert "THE-WIKI" not in response.text
    finally:
        guarded.dwell.start()


# What proxies ask


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dwell]:
    """A gate for sites, where whoever types an address gets in."""
    folder = tmp_path_factory.mktemp("checked")
    (folder / "dwell.yaml").write_text(wiki(["http://wiki.example", "http://wiki.example:8443"], level="open"))
    server = Dwell(folder, "--config", str(folder / "dwell.yaml")).start()
    yield server
    server.discard()


def traefik(**changes: str) -> dict[str, str]:
    """The headers that Traefik's ForwardAuth adds."""
    return {
        "X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "wiki.example",
        "X-Forwarded-Uri": "/page?a=b&c=d", "X-Forwarded-For": "203.0.113.7",
    } | {name.replace("_", "-"): value for name, value in changes.items()}  # fmt: skip


def test_traefik_is_led_to_the_gate_on_the_site(checked: Dwell) -> None:
    response = checked.client().get(CHECK, headers=traefik())
    assert response.status_code == 303
    assert response.headers["Location"] == "http://wiki.example/gate?gate=wiki&next=/page%3Fa%3Db%26c%3Dd"
    assert is_private(response) and not set_cookies(response)


@pytest.mark.parametrize(
    ("headers", "site"),
    [
        ({"X_Forwarded_Host": "WIKI.example:8443"}, "http://wiki.example:8443"),
        ({"X_Forwarded_Host": "wiki.example:8080"}, ""),
        ({"X_Forwarded_Host": "evil.example"}, ""),
        ({"X_Forwarded_Host": "wiki.example@evil.example"}, ""),
    ],
)
def test_17_the_way_to_the_gate_leads_to_listed_sites_alone(
    checked: Dwell, headers: dict[str, str], site: str
) -> None:
    response = checked.client().get(CHECK, headers=traefik(**headers))
    assert response.headers["Location"].partition("/gate?")[0] == site


@pytest.mark.parametrize("uri", ["//evil.example/", "https://evil.example/", "/\\evil.example", "x", "/\u00e9"])
def test_17_the_way_back_is_a_path_of_the_site(checked: Dwell, uri: str) -> None:
    for name in ("X-Forwarded-Uri", "X-Original-URI"):
        response = checked.client().get(CHECK, headers=traefik() | {name: uri.encode()})
        assert parse_qs(urlsplit(response.headers["Location"]).query)["next"] == ["/"]


def test_nginx_is_told_401_with_the_way(checked: Dwell) -> None:
    headers = {"X-Original-URI": "/page", "Host": "wiki.example"}
    response = checked.client().get(CHECK, headers=headers | {"X-Forwarded-Uri": "/other"})
    assert (response.status_code, response.text) == (401, "")
    assert response.headers["Location"] == "http://wiki.example/gate?gate=wiki&next=/page"
    assert checked.client().get(CHECK).status_code == 401


def test_a_pass_is_told_with_who_holds_it(checked: Dwell) -> None:
    client, email = checked.client(), unique_email()
    assert client.post("/api/verify-temp-access", json={"email": email, "gate": "wiki"}).status_code == 200
    for headers in (traefik(), {"X-Original-URI": "/"}):
        response = client.get(CHECK, headers=headers)
        assert (response.status_code, response.text) == (204, "")
        assert (response.headers["Remote-Email"], response.headers["Remote-Identity"]) == (email, "claimed")
        assert is_private(response)


def test_an_email_beyond_ascii_is_percent_encoded(checked: Dwell) -> None:
    client = checked.client()
    given = {"email": "jörg%0d@bücher.example", "gate": "wiki"}
    assert client.post("/api/verify-temp-access", json=given).status_code == 200
    assert client.get(CHECK).headers["Remote-Email"] == "j%C3%B6rg%250d@b%C3%BCcher.example"


def test_the_check_of_a_gate_that_does_not_exist_opens_nothing(checked: Dwell) -> None:
    assert checked.client().get("/gate/check?gate=none").status_code == 400
    assert checked.client().get("/gate/check?gate=").status_code == 400


def test_without_a_name_the_standard_gate_is_asked(checked: Dwell) -> None:
    client = checked.client()
    assert client.get("/gate/check").headers["Location"] == "/gate?next=/confidential/"
    assert client.post("/api/verify-temp-access", json={"email": unique_email()}).status_code == 200
    assert client.get("/gate/check").status_code == 204
    assert client.get(CHECK).status_code == 401, "another gate"


@pytest.mark.sqlite("a file can be locked and read all the same; here nothing must even be read")
def test_a_known_pass_needs_no_database(checked: Dwell) -> None:
    client = checked.client()
    assert client.post("/api/verify-temp-access", json={"email": unique_email(), "gate": "wiki"}).status_code == 200
    assert client.get(CHECK).status_code == 204
    # A revocation that nobody announced is not seen: the answer came from memory.
    checked.store.change("UPDATE session SET revoked_at = 1")
    assert client.get(CHECK).status_code == 204
    checked.store.change("UPDATE session SET revoked_at = NULL")
