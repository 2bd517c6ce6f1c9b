"""A server with several gates, and how visitors go through them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import requests

from dwell_process import Client, Dwell
from mail_server import MailServer

from .helpers import enter, succeeded, unique_email

CONFIRM = "/api/verify-temp-access/code"
GATES = """
gates:
  - name: clients
    paths: [/clients/, /Offers/2026]
    deny: [mallory@example.org, denied.example, BÜCHER.example]
    pass: 7d
  - name: inner
    paths: [/clients/inner/]
    allow: ["*@inner.example", ada@example.org]
  - name: letters
    paths: [/letters/]
    level: verified
    allow: [example.org]
    deny: [mallory@example.org]
  - name: over
    paths: [/over/]
    closes: 2026-01-01
"""
PAGES = {
    "clients/index.html": "CLIENTS", "clients/inner/index.html": "INNER", "offers/2026/a.html": "OFFERS",
    "offers/index.html": "OPEN", "letters/index.html": "LETTERS", "over/index.html": "OVER",
}  # fmt: skip


def configured(folder: Path, text: str = GATES) -> str:
    file = folder / "dwell.yaml"
    file.write_text(text)
    return str(file)


def opens(client: Client, path: str) -> bool:
    """Whether a page is served; the only other answer is the way to its gate."""
    response = client.get(path)
    if response.status_code == 200:
        return True
    assert response.status_code == 303, response.text
    assert urlsplit(response.headers["Location"]).path == "/gate"
    return False


def ask(client: Client, email: str, gate: str = "letters", **fields: object) -> requests.Response:
    return enter(client, email, gate=gate, **fields)


def confirm(client: Client, code: str) -> requests.Response:
    return client.post(CONFIRM, json={"code": code})


def verified(server: Dwell, mails: MailServer, gate: str = "letters") -> tuple[str, Client, str]:
    """A visitor who entered a verified gate: the email, the browser, and the token."""
    email, client = unique_email(), server.client()
    succeeded(ask(client, email, gate))
    return email, client, succeeded(confirm(client, mails.to(email)[-1].code))["token"]


def run(server: Dwell, *arguments: str) -> str:
    ended = server.run("gate", *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
