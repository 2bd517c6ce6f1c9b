"""What a benchmark runs beside itself: servers, stores, and what a look at a process tells."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
RELEASE = REPOSITORY / ".build" / "release"
ENVIRONMENT = os.environ | {"DWELL_SECRET_KEY": "a secret for the benchmark, of more than 32 bytes"}


def say(text: str) -> None:
    print(f"==> {text}", file=sys.stderr, flush=True)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    port: int
    process: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def memory(self, kind: str = "VmRSS") -> float:
        """Resident memory now, or `VmHWM`: the most since `forget_peak`. In MB."""
        lines = Path(f"/proc/{self.process}/status").read_text().splitlines()
        (kilobytes,) = (line.split()[1] for line in lines if line.startswith(f"{kind}:"))
        return int(kilobytes) / 1024

    def cpu(self) -> float:
        """How many seconds of a core it has taken."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process}/clear_refs").write_text("5")


@contextmanager
def running(command: list[str | Path]) -> Iterator[Server]:
    """A server, from its line that says where it is to its end."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=ENVIRONMENT
    )
    try:
        assert process.stdout is not None
        ready = next((line for line in process.stdout if " is ready at " in line), "")
        port = urllib.parse.urlsplit(ready.strip().rpartition(" ")[2]).port
        if port is None:
            raise SystemExit(f"{command[0]} did not start: {ready!r}")
        yield Server(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def node(database: str, core: int | None = None) -> AbstractContextManager[Server]:
    """One `dwell serve`, on any core or on one of its own."""
    pinned: list[str | Path] = [] if core is None else ["taskset", "-c", str(core)]
    # One key asks everything.
    flags = ["--port", "0", "--database-url", database, "--log-level", "error", "--api-rate", "6000"]
    return running([*pinned, RELEASE / "dwell", "serve", *flags])


def baseline(kind: str, *arguments: str) -> AbstractContextManager[Server]:
    """A server that does less than Dwell: `no-op`, `discard`, or `one-update` with its database."""
    return running([RELEASE / "dwell-benchmark", "baseline", kind, *arguments])


def tool(*arguments: str | Path, program: str = "dwell-benchmark", typed: str | None = None) -> str:
    """Runs a command to its end; gives what it printed."""
    done = subprocess.run([RELEASE / program, *arguments], env=ENVIRONMENT, input=typed, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{program} {arguments[0]} failed:\n{done.stderr}")
    return done.stdout


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for data, which is gone afterwards. TMPDIR says where."""
    path = Path(tempfile.mkdtemp(prefix="dwell-bench-"))
    # PostgreSQL does not run as root, and its user must get in.
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextmanager
def cluster(sync_ms: int = 0, core: int | None = None) -> Iterator[tuple[str, Path]]:
    """A PostgreSQL cluster with everything as it comes: every commit waits for the disk, or as if for one that takes so
    much longer; on any core or on one of its own. Gives its URL and folder."""
    script = REPOSITORY / "Tests" / "postgres.sh"
    with folder() as path:
        port, environment = free_port(), dict(os.environ)
        if sync_ms:
            library = path / "slow_sync.so"
            source = REPOSITORY / "Benchmarks" / "slow_sync.c"
            subprocess.run(["clang", "-shared", "-fPIC", "-o", library, source], check=True)
            environment |= {"LD_PRELOAD": str(library), "DWELL_BENCH_SYNC_MS": str(sync_ms)}
        pinned = [] if core is None else ["taskset", "-c", str(core)]
        subprocess.run([*pinned, script, "start", path, str(port)], check=True, timeout=60, env=environment)
        try:
            yield f"postgres://dwell@127.0.0.1:{port}/postgres", path
        finally:
            subprocess.run([script, "stop", path], check=True, timeout=60)
