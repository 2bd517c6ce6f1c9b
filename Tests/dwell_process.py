"""Runs the `dwell` program as its users do: a process with flags, an environment and a database.

Nothing here knows how Dwell works inside. Every wait is for a condition and has an end.
"""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests

import stores
from proxy import Proxy
from stores import HOST, SQLiteFile, Store, free_port  # noqa: F401

REPOSITORY = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("DWELL_BINARY", REPOSITORY / ".build" / "debug" / "dwell"))
READY = "Dwell is ready at "
PATIENCE = 30.0
CONFIGURATION_ERROR = 78

T = TypeVar("T")


def eventually(condition: Callable[[], T], within: float = 60.0, what: str = "a condition") -> T:
    """Asks until the answer is true, and gives that answer back."""
    deadline = time.monotonic() + within
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {within:g} s")
        time.sleep(0.02)


def let_pass(seconds: float) -> None:
    """Real time that has to pass, because what is tested is time itself."""
    assert seconds <= 3, "a test that waits longer than this should be about something else"
    time.sleep(seconds)


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without its Dwell settings, and with the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DWELL_")}
    return kept | dict(extra or {})


def run_dwell(
    *arguments: str,
    folder: Path,
    env: Mapping[str, str] | None = None,
    timeout: float = PATIENCE,
) -> subprocess.CompletedProcess[str]:
    """Runs a command that ends by itself. One that is still running after `timeout` fails."""
    process = subprocess.Popen(
        [str(BINARY), *arguments],
        cwd=folder,
        env=clean_environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
        raise AssertionError(
            f"`dwell {' '.join(arguments)}` was still running after {timeout:g} s\n{output}{errors}"
        ) from None
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


class Client(requests.Session):
    """A browser without a screen: keeps cookies, shows redirects instead of following them."""

    def __init__(self, server: Dwell, user_agent: str | None = None) -> None:
        super().__init__()
        self.server = server
        self.trust_env = False
        if user_agent is not None:
            self.headers["User-Agent"] = user_agent

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        options["allow_redirects"] = False
        options.setdefault("timeout", PATIENCE)
        if url.startswith("/"):
            url = self.server.url + url
        response = super().request(method, url, **options)
        if self.server.proxy and response.status_code >= 400:
            # A proxy hangs up on whoever sent more than was read before the refusal.
            self.close()
        return response

    def cookie(self, name: str) -> str:
        """The value of a cookie, a missing one being a failure that says which."""
        values = [cookie.value for cookie in self.cookies if cookie.name == name]
        assert values, f"no cookie {name}; there are {sorted(c.name for c in self.cookies)}"
        return values[-1] or ""

    def forge(self, name: str, value: str) -> Client:
        """Replaces a cookie's value, or adds it."""
        self.drop(name)
        self.cookies.set(name, value, domain=HOST, path="/")
        return self

    def drop(self, *names: str) -> Client:
        for cookie in list(self.cookies):
            if cookie.name in names:
                self.cookies.clear(cookie.domain, cookie.path, cookie.name)
        return self

    def twin(self) -> Client:
        """Another client that holds the same cookies: a replay of what this one has now."""
        other = Client(self.server, str(self.headers["User-Agent"]))
        for cookie in self.cookies:
            other.cookies.set(cookie.name, cookie.value, domain=HOST, path="/")
        return other


class Node:
    """One `dwell serve`."""

    def __init__(self, folder: Path, log: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.output: list[str] = []
        self.exit_code: int | None = None
        self._log_path = log
        self._process: subprocess.Popen[str] | None = None
        self._settled = threading.Event()
        self._reader: threading.Thread | None = None
        self._first_line = 0

    def launch(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Starts the program and returns at once."""
        assert self._process is None, "already running"
        self._settled = threading.Event()
        self.exit_code = None
        self._first_line = len(self.output)
        with self._log_path.open("a") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=clean_environment(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._reader = threading.Thread(
            target=self._read_output, args=(self._process,), daemon=True
        )
        self._reader.start()

    def await_ready(self) -> str | None:
        """Waits until it can be asked. Gives a sentence when that can't be."""
        assert self._process is not None
        in_time = self._settled.wait(PATIENCE)
        ready = [line for line in self.output[self._first_line :] if line.startswith(READY)]
        if not ready:
            if in_time:
                self._process.wait(PATIENCE)
            else:
                self._process.kill()
            command = " ".join(map(str, self._process.args))  # type: ignore[arg-type]
            code = self._ended()
            how = f"ended with {code}" if in_time else f"was not ready after {PATIENCE:g} s"
            return f"`{command}` {how}\n{''.join(self.output)}{self.logs}"
        if self.port == 0:
            announced = urlsplit(ready[-1].removeprefix(READY).strip()).port
            assert announced, f"no port in {ready[-1]!r}"
            self.port = announced
        return None

    def _read_output(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output.append(line)
            if line.startswith(READY):
                self._settled.set()
        self._settled.set()

    def _ended(self) -> int:
        assert self._process is not None
        self.exit_code = self._process.wait(PATIENCE)
        if self._reader is not None:
            self._reader.join(PATIENCE)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        return self.exit_code

    def terminate(self) -> None:
        """Asks it to end and returns at once."""
        self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    @property
    def process_id(self) -> int:
        assert self._process is not None, "not running"
        return self._process.pid

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def wait(self, within: float = PATIENCE) -> int:
        """Waits for the end and gives the exit code."""
        if self._process is None:
            return self.exit_code or 0
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._ended()
            raise AssertionError(f"still running {within:g} s after being told to end") from None
        return self._ended()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._ended()

    @property
    def has_process(self) -> bool:
        return self._process is not None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def logs(self) -> str:
        return self._log_path.read_text(errors="replace") if self._log_path.exists() else ""


class Dwell:
    """A server on a database of its own: one `dwell serve`, or several behind a proxy."""

    def __init__(
        self,
        folder: Path,
        *flags: str,
        env: Mapping[str, str] | None = None,
        site: Path | None = None,
        port: int | None = None,
        host: str = HOST,
        store: Store | None = None,
        nodes: int | None = None,
        leave_out: Sequence[str] = (),
    ) -> None:
        """`port` 0 lets the server find one, none takes a free one.
        `leave_out` names flags (`--port`, `--database-url`) that the harness is not to give.
        """
        self.folder = folder
        self.flags = list(flags)
        self.env = dict(env or {})
        self.site = site
        self.host = host
        self.store = store or stores.new(folder / "dwell.sqlite")
        self.leave_out = tuple(leave_out)
        self.launcher: list[str] = []  # What starts the program, if it does not start by itself.
        count = nodes or stores.nodes
        # The nodes' own ports are not asked for where the public URL hides them.
        port = free_port(host) if port is None else port
        ports = [port] if count == 1 else [free_port() for _ in range(count)]
        self.nodes = [
            Node(folder, folder / f"{index}.stderr.txt", port) for index, port in enumerate(ports)
        ]
        self.proxy = Proxy(folder, host, port) if count > 1 else None
        self._keys: dict[tuple[str, ...], str] = {}

    # Starting and ending

    @property
    def port(self) -> int:
        """Where people come in."""
        return self.proxy.port if self.proxy else self.nodes[0].port

    @property
    def database(self) -> Path:
        """The file, where there is one."""
        assert isinstance(self.store, SQLiteFile), "a test of files has to say so: see conftest.py"
        return self.store.path

    @property
    def database_url(self) -> str:
        return self.store.url

    def arguments(self, node: Node) -> list[str]:
        # The tests of a file share a key, and ask much.
        given = {"--port": str(node.port), "--database-url": self.database_url, "--api-rate": "6000"}
        if self.site is not None:
            given["--site"] = str(self.site)
        arguments = ["serve"]
        for flag, value in given.items():
            if flag not in self.leave_out and flag not in self.flags:
                arguments += [flag, value]
        return arguments + self.flags

    def start(self) -> Dwell:
        for node in self.nodes:
            self.launch(node)
        failures = [failure for node in self.nodes if (failure := node.await_ready())]
        if failures:
            self.kill()
            raise AssertionError("\n".join(failures))
        if self.proxy:
            try:
                self.proxy.start([node.port for node in self.nodes])
            except AssertionError:
                self.kill()
                raise
        return self

    def launch(self, node: Node, env: Mapping[str, str] | None = None) -> None:
        """Starts one node and returns at once."""
        command = [*self.launcher, str(BINARY), *self.arguments(node)]
        node.launch(command, {**self.store.env, **self.env, **(env or {})})

    def terminate(self) -> None:
        """Asks the server to end and returns at once."""
        for node in self.nodes:
            node.terminate()

    def wait(self, within: float = PATIENCE) -> int:
        """Waits for the end and gives the exit code: of several, one that is not 0."""
        deadline = time.monotonic() + within
        codes = [node.wait(max(deadline - time.monotonic(), 0.01)) for node in self.nodes]
        if self.proxy:
            self.proxy.stop()
        return next((code for code in codes if code != 0), 0)

    def stop(self) -> int:
        if not any(node.has_process for node in self.nodes):
            return next((node.exit_code for node in self.nodes if node.exit_code), 0)
        self.terminate()
        return self.wait()

    def kill(self) -> None:
        if self.proxy:
            self.proxy.stop()
        for node in self.nodes:
            node.kill()

    def restart(self, *flags: str, env: Mapping[str, str] | None = None) -> Dwell:
        """Ends the server, if it runs, and starts it again on its database and its port."""
        self.stop()
        if flags:
            self.flags = list(flags)
        if env is not None:
            self.env = dict(env)
        return self.start()

    def discard(self) -> None:
        """Ends the server and gives up its database."""
        try:
            self.stop()
        finally:
            self.store.discard()

    @property
    def is_running(self) -> bool:
        return any(node.is_running for node in self.nodes)

    def __enter__(self) -> Dwell:
        return self if any(node.has_process for node in self.nodes) else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # Talking to it

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def output(self) -> list[str]:
        """The lines that the server has written to stdout."""
        return [line for node in self.nodes for line in node.output]

    @property
    def logs(self) -> str:
        """Everything the server has written to stderr."""
        return "".join(node.logs for node in self.nodes)

    @property
    def written(self) -> str:
        """Everything the server has written at all."""
        return "".join(self.output) + self.logs

    def client(self, user_agent: str | None = None) -> Client:
        return Client(self, user_agent)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs another of the program's commands against the same database."""
        return run_dwell(
            *arguments,
            "--database-url",
            self.database_url,
            folder=self.folder,
            env={**self.store.env, **self.env},
        )

    def sql(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Reads the database; it cannot be written to through here."""
        return self.store.rows(query, *parameters)

    def key(self, *scopes: str) -> str:
        """An API key of these scopes, or of the default one, made on first use."""
        if scopes not in self._keys:
            options = [option for scope in scopes for option in ("--scope", scope)]
            made = self.run("key", "create", "--name", f"tests {secrets.token_hex(4)}", *options)
            assert made.returncode == 0, made.stderr
            self._keys[scopes] = [line.strip() for line in made.stdout.splitlines() if line.strip()][-1]
        return self._keys[scopes]

    def api(self, path: str = "/api/v1/sessions", **parameters: Any) -> requests.Response:
        return self.client().get(
            path, params=parameters, headers={"Authorization": f"Bearer {self.key()}"}
        )

    def sessions(self, **filters: Any) -> list[dict[str, Any]]:
        """The sessions that the API answers, newest first, from every page of them."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            response = self.api(**({"limit": 200} | filters | cursor))
            assert response.status_code == 200, response.text
            page = response.json()
            found += page["sessions"]
            if page["nextCursor"] is None:
                return found
            cursor = {"cursor": page["nextCursor"]}


@dataclass
class RawResponse:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


def read_response(connection: socket.socket, method: str = "GET") -> RawResponse | None:
    """Reads one answer. None: the server closed the connection without answering."""
    response = http.client.HTTPResponse(connection, method=method)
    try:
        response.begin()
        return RawResponse(response.status, response.headers, response.read())
    except (http.client.BadStatusLine, http.client.IncompleteRead, ConnectionError):
        return None
    finally:
        response.close()


def raw_http(host: str, port: int, request: bytes, timeout: float = 15) -> RawResponse | None:
    """Sends exactly these bytes. None: closed without an answer. Silence is a TimeoutError."""
    with socket.create_connection((host, port), timeout=timeout) as connection:
        try:
            connection.sendall(request)
        except ConnectionError:
            pass  # Refused before all was sent: an answer may still be there to read.
        return read_response(connection, request.split(b" ", 1)[0].decode("latin-1"))


def raw_get(server: Dwell, target: str, *headers: str, method: str = "GET") -> RawResponse | None:
    """Asks for a target exactly as written: no library tidies up its dots and slashes."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: localhost:{server.port}", *headers]
    lines += ["Connection: close", "", ""]
    return raw_http(server.host, server.port, "\r\n".join(lines).encode("latin-1"))
