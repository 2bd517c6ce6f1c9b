"""nginx in front of several nodes: each request goes to the next one, and is passed on unchanged."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

CONFIGURATION = """\
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    server_tokens off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;

    upstream nodes {{
        {servers}
    }}
    server {{
        listen {host}:{port};
        # What is too much, or odd, is for Dwell to say.
        client_max_body_size 0;
        large_client_header_buffers 8 256k;
        ignore_invalid_headers off;
        underscores_in_headers on;
        merge_slashes off;
        location / {{
            proxy_pass http://nodes;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_pass_header Date;
            proxy_pass_header Server;
            proxy_request_buffering off;
            proxy_buffering off;
            proxy_buffer_size 256k;
            proxy_buffers 4 256k;
            proxy_read_timeout 180s;
            # No request is sent twice: a node that does not answer is seen.
            proxy_next_upstream off;
        }}
    }}
}}
"""


class Proxy:
    def __init__(self, folder: Path, host: str, port: int) -> None:
        assert NGINX is not None, "nginx is not installed"
        self.folder = folder / f"nginx-{port}"
        self.host = host
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, nodes: Sequence[int], within: float = 60) -> None:
        """Passes requests on to the nodes at these ports in turn."""
        self.folder.mkdir(exist_ok=True)
        configuration = self.folder / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(
                user="user root;" if os.geteuid() == 0 else "",
                folder=self.folder,
                servers=" ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in nodes),
                host=self.host,
                port=self.port,
            )
        )
        log = self.folder / "nginx.log"
        self._process = subprocess.Popen(
            [str(NGINX), "-e", str(log), "-c", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + within
        while True:
            try:
                return socket.create_connection((self.host, self.port), timeout=5).close()
            except ConnectionRefusedError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise AssertionError(f"nginx did not start\n{log.read_text()}") from None
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(15)
            self._process = None
