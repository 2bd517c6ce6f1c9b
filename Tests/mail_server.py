"""A mail server for tests: it takes mails over SMTP, and refuses them as it is told."""

from __future__ import annotations

import email
import email.policy
import re
import ssl
import subprocess
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from dwell_process import eventually
from stores import HOST, free_port

USER, PASSWORD = "dwell@example.com", "p@ss/wörd: 1"
FAR = "127.0.0.2"
"""An address that Dwell does not take for this machine."""


@dataclass
class Mail:
    sender: str
    recipient: str
    raw: bytes
    was_encrypted: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)  # type: ignore[return-value]

    def part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None, f"no {kind} in {self.raw!r}"
        return part.get_content().replace("\r\n", "\n")

    @property
    def code(self) -> str:
        (code,) = re.findall(r"^ +(\d+)$", self.part("plain"), re.MULTILINE)
        return code

    @property
    def link(self) -> str:
        (link,) = re.findall(r"https?://\S+", self.part("plain"))
        return link


class MailServer:
    def __init__(self, host: str = HOST, port: int | None = None, scheme: str = "smtp", **options: Any) -> None:
        self.host, self.port, self.scheme = host, port or free_port(), scheme
        self.mails: list[Mail] = []
        self.tries = 0
        self.replies: list[str] = []
        """What it says to the next recipients, in place of 250."""
        self._options = options
        self._controller: Controller | None = None

    @property
    def env(self) -> dict[str, str]:
        """What a server that sends by it has to be told."""
        user = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@" if "authenticator" in self._options else ""
        return {
            "DWELL_SMTP_URL": f"{self.scheme}://{user}{self.host}:{self.port}",
            "DWELL_MAIL_FROM": "Dwéll <dwell@example.com>",
        }

    def start(self) -> MailServer:
        self._controller = Controller(self, self.host, self.port, **self._options)
        self._controller.start()
        return self

    def stop(self) -> None:
        if self._controller:
            self._controller.stop()
            self._controller = None

    def to(self, recipient: str, count: int = 1, within: float = 60) -> list[Mail]:
        """The mails to an address, when there are that many."""
        what = f"{count} mails to {recipient}"
        return eventually(lambda: mails if len(mails := self.now_to(recipient)) >= count else None, within, what)

    def now_to(self, recipient: str) -> list[Mail]:
        return [mail for mail in self.mails if mail.recipient == recipient]

    # What aiosmtpd asks.

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        self.tries += 1
        if self.replies:
            return self.replies.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        user = session.auth_data.login.decode() if session.auth_data else None
        (recipient,) = envelope.rcpt_tos
        self.mails.append(
            Mail(envelope.mail_from, recipient, envelope.content, session.ssl is not None, user)
        )
        return "250 OK"


def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=right, auth_data=data if right else None)


def certificate(folder: Path, address: str) -> Path:
    """A self-signed certificate with its key, in one file."""
    file = folder / "certificate.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=mail", "-addext", f"subjectAltName=IP:{address}",
            "-keyout", str(folder / "key.pem"), "-out", str(file),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return file


def tls(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, file.with_name("key.pem"))
    return context
