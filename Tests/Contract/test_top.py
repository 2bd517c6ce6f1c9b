"""`dwell top`: who is here now, on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator

import pytest

from dwell_process import BINARY, Dwell, clean_environment

from .helpers import segment, visitor


class Screen:
    """A terminal of 80 columns, and the command in it."""

    def __init__(self, server: Dwell, rows: int = 24) -> None:
        self.outer, self.inner = pty.openpty()
        fcntl.ioctl(self.inner, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 80, 0, 0))
        self.before = termios.tcgetattr(self.inner)
        self.written = b""
        self.process = subprocess.Popen(
            [str(BINARY), "top", "--database-url", server.database_url],
            env=clean_environment(dict(server.store.env)),
            stdin=self.inner, stdout=self.inner, stderr=subprocess.PIPE,
        )  # fmt: skip

    def await_text(self, condition: Callable[[str], bool], within: float = 60) -> str:
        deadline = time.monotonic() + within
        while not condition(self.written.decode(errors="replace")):
            assert time.monotonic() < deadline, self.written
            if select.select([self.outer], [], [], 0.2)[0]:
                self.written += os.read(self.outer, 65_536)
        return self.written.decode(errors="replace")

    def type(self, keys: bytes) -> None:
        os.write(self.outer, keys)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        os.close(self.outer)
        os.close(self.inner)


@pytest.fixture
def screen(fresh_dwell) -> Iterator[tuple[Dwell, Screen]]:
    server = fresh_dwell()
    terminal = Screen(server)
    yield server, terminal
    terminal.close()


def test_it_is_drawn_anew_until_q(screen: tuple[Dwell, Screen]) -> None:
    server, terminal = screen
    terminal.await_text(lambda text: "0 people here" in text)
    guest = visitor(server)
    guest.beat(segment(page="/portfolio"))
    text = terminal.await_text(lambda text: guest.email in text)
    assert text.startswith("\x1b[?1049h") and "/portfolio" in text and "1 person here" in text
    terminal.type(b"xq")
    assert terminal.process.wait(30) == 0
    assert terminal.await_text(lambda text: text.endswith("\x1b[?1049l"))
    assert "\x1b[?25h" in terminal.written.decode()
    assert termios.tcgetattr(terminal.inner) == terminal.before


@pytest.mark.parametrize("way", ["ctrl-c", "term", "hangup"])
def test_the_terminal_is_left_as_it_was(screen: tuple[Dwell, Screen], way: str) -> None:
    _, terminal = screen
    terminal.await_text(lambda text: "people here" in text)
    if way == "ctrl-c":
        terminal.type(b"\x03")
    else:
        terminal.process.send_signal({"term": signal.SIGTERM, "hangup": signal.SIGHUP}[way])
    assert terminal.process.wait(30) == 0
    terminal.await_text(lambda text: text.endswith("\x1b[?1049l"))
    assert termios.tcgetattr(terminal.inner) == terminal.before


def test_once_prints_it_and_ends(dwell: Dwell) -> None:
    guest = visitor(dwell)
    guest.beat(segment(page="/portfolio"))
    ended = dwell.run("top", "--once")
    assert (ended.returncode, ended.stderr) == (0, "")
    (line,) = [line for line in ended.stdout.splitlines() if guest.email in line]
    assert "/portfolio" in line and len(line) <= 80
    assert "\x1b" not in ended.stdout


def test_without_a_terminal_it_says_what_to_do(dwell: Dwell) -> None:
    ended = dwell.run("top")
    assert (ended.returncode, ended.stdout) == (64, "")
    assert "--once" in ended.stderr
