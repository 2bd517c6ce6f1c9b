"""A site that knows nothing of Dwell, behind nginx or Caddy set up as docs/gate.md says."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from dwell_process import REPOSITORY, eventually
from proxy import NGINX
from stores import HOST

CADDY = shutil.which("caddy")
NGINX_FRAME = """\
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""
CADDY_FRAME = """\
{{
    admin off
    auto_https off
    storage file_system {folder}
}}
{server}
"""


def documented(language: str) -> str:
    """The only block of a language in docs/gate.md."""
    page = (REPOSITORY / "docs" / "gate.md").read_text()
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return block


def replaced(text: str, values: Mapping[str, str]) -> str:
    """The configuration with what differs from machine to machine: each must occur."""
    for old, new in values.items():
        assert old in text, f"no {old} in the documentation"
        text = text.replace(old, new)
    return text


class Site(ThreadingHTTPServer):
    """Shows a page at every path, and keeps the headers it was asked with."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        super().__init__((HOST, 0), self._handler())
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                body = b"<!doctype html><title>Wiki</title><p>THE-WIKI<script src='/dwell.js' defer></script>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def command(kind: str, folder: Path, port: int, dwell: int, site: int) -> list[str]:
    ports = {"127.0.0.1:8080": f"{HOST}:{dwell}", "127.0.0.1:3000": f"{HOST}:{site}"}
    file = folder / kind
    if kind == "nginx":
        server = replaced(documented(kind), ports | {"listen 443 ssl;": f"listen {HOST}:{port};"})
        user = "user root;" if os.geteuid() == 0 else ""
        file.write_text(NGINX_FRAME.format(folder=folder, server=server, user=user))
        return [str(NGINX), "-e", str(folder / "nginx.log"), "-c", str(file)]
    server = replaced(documented(kind), ports | {"wiki.example {": f"http://{HOST}:{port} {{"})
    file.write_text(CADDY_FRAME.format(folder=folder, server=server))
    return [str(CADDY), "run", "--adapter", "caddyfile", "--config", str(file)]


def accepts(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


@contextmanager
def proxied(kind: str, folder: Path, port: int, dwell: int, site: int) -> Iterator[str]:
    """The site behind nginx or Caddy: where people reach it. The arguments are ports."""
    log = folder / f"{kind}.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            command(kind, folder, port, dwell, site), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        )  # fmt: skip
    try:
        def is_up() -> bool:
            assert process.poll() is None, log.read_text()
            return accepts(port)

        eventually(is_up, what=kind)
        yield f"http://{HOST}:{port}"
    finally:
        process.terminate()
        process.wait(15)

