"""Mail: how it gets out, and what becomes of it when it does not."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dwell_process import CONFIGURATION_ERROR, Client, Dwell, eventually, let_pass, run_dwell
from mail_server import FAR, PASSWORD, USER, MailServer, authenticate, certificate, tls

from .helpers import Person, person, refused, succeeded, unique_email

MakeMailServer = Callable[..., MailServer]
# The mail server says that a test of a password without encryption is none of encryption.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")


@pytest.fixture
def mail_server() -> Iterator[MakeMailServer]:
    servers: list[MailServer] = []

    def make(**options: Any) -> MailServer:
        servers.append(MailServer(**options))
        return servers[-1].start()

    yield make
    for server in servers:
        server.stop()


def ask(one: Person, client: Client | None = None) -> Client:
    """Has a code mailed to a person."""
    client = client or one.server.client()
    succeeded(client.post("/auth/password/forgot", json={"email": one.given["email"]}))
    return client


def waiting(server: Dwell) -> list[dict[str, Any]]:
    return server.sql("SELECT * FROM mail")


def known(server: Dwell) -> Person:
    """Somebody who gets no mail but those asked for."""
    one = person(server)
    server.store.change("DELETE FROM mail")
    server.store.change("DELETE FROM mailed_code")
    return one


def stranded(server: Dwell, mails: MailServer) -> Person:
    """Somebody whose mail waits, as the mail server is away."""
    ann = known(server)
    mails.stop()
    ask(ann)
    eventually(lambda: "mail not sent yet" in server.logs)
    return ann


# Its form


def test_a_mail_has_all_that_a_mail_needs(fresh_dwell, mail_server: MakeMailServer) -> None:
    mails = mail_server()
    server = fresh_dwell(env=mails.env)
    ann = person(server)
    ask(ann)
    mail = eventually(lambda: [one for one in mails.mails if "code for" in one.message["Subject"]])[0]
    assert (mail.sender, mail.recipient) == ("dwell@example.com", ann.given["email"])
    assert str(mail.message["From"]) == "Dwéll <dwell@example.com>"
    assert mail.message["To"].addresses[0].addr_spec == ann.given["email"]
    assert mail.message["Date"].datetime is not None
    assert mail.message["Message-ID"].endswith("@example.com>")
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert all(len(line) <= 998 for line in mail.raw.split(b"\r\n"))
    assert mail.message.get_content_type() == "multipart/alternative"
    for kind in ("plain", "html"):
        assert mail.code in mail.part(kind)
        assert f"/auth/password/reset#{mail.code}" in mail.part(kind)


# Ways out


def test_without_the_setting_the_answer_says_so(dwell: Dwell) -> None:
    client = dwell.client()
    for method, path in (
        ("POST", "/auth/password/forgot"), ("GET", "/auth/password/forgot"), ("GET", "/auth/password/reset"),
        ("GET", "/auth/email/verify"),
    ):  # fmt: skip
        body = {"json": {"email": unique_email()}} if method == "POST" else {}
        answer = refused(client.request(method, path, **body), 501, "mail_not_set_up")
        assert "DWELL_SMTP_URL" in answer["msg"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_on_the_same_machine_needs_neither_encryption_nor_a_password(
    fresh_dwell, mail_server: MakeMailServer, host: str
) -> None:
    mails = mail_server(host="127.0.0.1")
    url = mails.env["DWELL_SMTP_URL"].replace("127.0.0.1", host)
    ann = known(fresh_dwell(env=mails.env | {"DWELL_SMTP_URL": url}))
    ask(ann)
    assert len(mails.to(ann.given["email"])) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_elsewhere_it_goes_encrypted_and_with_a_password(
    fresh_dwell, mail_server: MakeMailServer, tmp_path: Path, scheme: str
) -> None:
    file = certificate(tmp_path, FAR)
    encryption = {"tls_context": tls(file)} if scheme == "smtp" else {"ssl_context": tls(file)}
    extra = {} if scheme == "smtp" else {"auth_require_tls": False}  # aiosmtpd does not see the outer TLS.
    mails = mail_server(
        host=FAR, scheme=scheme, authenticator=authenticate, auth_required=True, **encryption, **extra
    )
    server = fresh_dwell(env=mails.env | {"SSL_CERT_FILE": str(file)})
    ann = known(server)
    ask(ann)
    (mail,) = mails.to(ann.given["email"])
    assert mail.user == USER
    assert scheme == "smtps" or mail.was_encrypted
    server.stop()
    assert PASSWORD not in server.written


def test_a_server_that_does_not_encrypt_gets_nothing(fresh_dwell, mail_server: MakeMailServer) -> None:
    mails = mail_server(host=FAR)
    server = fresh_dwell(env=mails.env)
    ask(known(server))
    eventually(lambda: "mail not sent yet" in server.logs)
    assert mails.mails == [] and mails.tries == 0


def test_a_certificate_that_nobody_vouches_for_gets_nothing(
    fresh_dwell, mail_server: MakeMailServer, tmp_path: Path
) -> None:
    mails = mail_server(host=FAR, tls_context=tls(certificate(tmp_path, FAR)))
    server = fresh_dwell(env=mails.env)
    ask(known(server))
    eventually(lambda: "mail not sent yet" in server.logs)
    assert mails.mails == [] and mails.tries == 0


def test_a_folder_gets_each_mail_as_a_file(fresh_dwell, tmp_path: Path) -> None:
    folder = tmp_path / "mails" / "of today"
    env = {"DWELL_SMTP_URL": f"file:{folder}", "DWELL_MAIL_FROM": "dwell@example.com"}
    server = fresh_dwell(env=env)
    ann = known(server)
    ask(ann)

    def written() -> list[str]:
        files = [email.message_from_bytes(one.read_bytes(), policy=email.policy.default) for one in folder.glob("*.eml")]
        return [str(one["Subject"]) for one in files if ann.given["email"] in str(one["To"])]

    assert eventually(lambda: "Your code for another password" in written())
    assert folder.stat().st_mode & 0o077 == 0


# When it does not get out


def test_a_refusal_for_now_is_tried_again(fresh_dwell, mail_server: MakeMailServer) -> None:
    mails = mail_server()
    server = fresh_dwell(env=mails.env)
    ann = known(server)
    mails.replies = ["451 busy", "421 come again"]
    ask(ann)
    assert len(mails.to(ann.given["email"])) == 1
    assert mails.tries == 3
    eventually(lambda: not waiting(server))
    assert server.logs.count("mail not sent yet") == 2
    assert ann.given["email"] not in server.logs


def test_a_refusal_for_good_is_not(fresh_dwell, mail_server: MakeMailServer) -> None:
    mails = mail_server()
    server = fresh_dwell(env=mails.env)
    ann = known(server)
    mails.replies = ["550 nobody here"]
    ask(ann)
    eventually(lambda: "mail given up" in server.logs)
    eventually(lambda: not waiting(server))
    let_pass(3)
    assert mails.tries == 1 and mails.mails == []


def test_a_wrong_password_of_the_operators_is_no_reason_to_give_up(
    fresh_dwell, mail_server: MakeMailServer
) -> None:
    mails = mail_server(authenticator=authenticate, auth_required=True, auth_require_tls=False)
    url = mails.env["DWELL_SMTP_URL"]
    server = fresh_dwell(env=mails.env | {"DWELL_SMTP_URL": url.replace("p%40ss", "wrong")})
    ann = known(server)
    ask(ann)
    eventually(lambda: "mail not sent yet" in server.logs)
    assert len(waiting(server)) == 1
    server.restart(env=mails.env)
    assert len(mails.to(ann.given["email"])) == 1


def test_what_waits_survives_a_restart(fresh_dwell, mail_server: MakeMailServer) -> None:
    mails = mail_server()
    server = fresh_dwell(env=mails.env)
    ann = stranded(server, mails)
    server.restart()
    mails.start()
    assert len(mails.to(ann.given["email"])) == 1
    eventually(lambda: not waiting(server))


def test_what_waits_survives_a_kill(fresh_dwell, mail_server: MakeMailServer) -> None:
    mails = mail_server()
    server = fresh_dwell(env=mails.env)
    ann = known(server)
    mails.stop()
    ask(ann)
    server.kill()
    mails.start()
    server.start()
    # One that was being sent is its node's for a minute.
    server.store.change("UPDATE mail SET next_at = 0")
    assert len(mails.to(ann.given["email"])) == 1


def test_a_server_that_says_nothing_does_not_hold_up_the_end(fresh_dwell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        server = fresh_dwell(env={"DWELL_SMTP_URL": url, "DWELL_MAIL_FROM": "dwell@example.com"})
        ask(person(server))
        silent.settimeout(10)
        connection, _ = silent.accept()
        with connection:
            assert server.stop() == 0


def test_a_mail_that_has_come_to_its_end_is_not_sent(fresh_dwell, mail_server: MakeMailServer) -> None:
    mails = mail_server()
    server = fresh_dwell(env=mails.env)
    ann = stranded(server, mails)
    assert server.store.change("UPDATE mail SET expires_at = 1, next_at = 1") == 1
    eventually(lambda: "mail given up" in server.logs)
    assert waiting(server) == []


def test_every_mail_is_sent_once(fresh_dwell, mail_server: MakeMailServer) -> None:
    """Also by two nodes that look at the same moment."""
    mails = mail_server()
    server = fresh_dwell(env=mails.env)
    people = [person(server) for _ in range(6)]
    for one in people * 2:
        ask(one)
    eventually(lambda: not waiting(server))
    codes = [mail.code for mail in mails.mails if "code for" in mail.message["Subject"]]
    assert len(codes) == len(set(codes)) == 12


def test_sent_mails_leave_nothing_behind(fresh_dwell, mail_server: MakeMailServer) -> None:
    mails = mail_server()
    server = fresh_dwell(env=mails.env | {"DWELL_LOG_LEVEL": "trace"})
    ann = known(server)
    ask(ann)
    (mail,) = mails.to(ann.given["email"])
    eventually(lambda: not waiting(server))
    server.stop()
    assert mail.code not in server.written
    (stored,) = server.sql("SELECT * FROM mailed_code")
    assert mail.code not in str(stored)


# Settings


@pytest.mark.parametrize(
    "url", ["mail.example", "http://mail.example", "smtp://", "smtp://user@mail.example", "smtp://mail.example/x", "file:"]
)
def test_a_wrong_url_is_named_and_not_shown(tmp_path: Path, url: str) -> None:
    env = {"DWELL_SMTP_URL": url, "DWELL_MAIL_FROM": "dwell@example.com"}
    ended = run_dwell("serve", "--port", "0", folder=tmp_path, env=env)
    assert ended.returncode == CONFIGURATION_ERROR
    assert "DWELL_SMTP_URL" in ended.stderr and "smtps://" in ended.stderr
    assert url not in ended.stderr or url in ("smtp://", "file:")


@pytest.mark.parametrize("sender", [None, "dwell", "Dwell <dwell>", "a\nb <dwell@example.com>"])
def test_a_wrong_or_missing_sender_is_named(tmp_path: Path, sender: str | None) -> None:
    env = {"DWELL_SMTP_URL": "smtp://localhost"} | ({"DWELL_MAIL_FROM": sender} if sender else {})
    ended = run_dwell("serve", "--port", "0", folder=tmp_path, env=env)
    assert ended.returncode == CONFIGURATION_ERROR
    assert "DWELL_MAIL_FROM" in ended.stderr
