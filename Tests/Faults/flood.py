"""Very many beats at once, with next to no cost of their own."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field

from Contract.helpers import BEAT, beat_of, segment
from stores import HOST

CONNECTIONS = 100
PATIENCE_S = 60


@dataclass
class Seen:
    statuses: Counter[int] = field(default_factory=Counter)
    longest: float = 0.0
    without_retry_after: int = 0


def flood(port: int, token: str, beats: int) -> Seen:
    """Sends so many beats over a hundred connections, and gives what was answered."""
    seen = Seen()
    asyncio.run(_flood(port, _request(token), beats // CONNECTIONS, seen))
    assert seen.without_retry_after == 0, f"{seen.without_retry_after} × 503 without Retry-After"
    return seen


def _request(token: str) -> bytes:
    body = json.dumps(beat_of(segment(tab="flood"), token=token)).encode()
    head = [
        f"POST {BEAT} HTTP/1.1", f"Host: {HOST}", "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]  # fmt: skip
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


async def _flood(port: int, request: bytes, each: int, seen: Seen) -> None:
    async with asyncio.timeout(400):
        await asyncio.gather(*(_client(port, request, each, seen) for _ in range(CONNECTIONS)))


async def _client(port: int, request: bytes, beats: int, seen: Seen) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    for _ in range(beats):
        sent = time.monotonic()
        writer.write(request)
        async with asyncio.timeout(PATIENCE_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            fields = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
            await reader.readexactly(int(fields["content-length"]))
        status = int(head.split(" ", 2)[1])
        seen.statuses[status] += 1
        seen.longest = max(seen.longest, time.monotonic() - sent)
        seen.without_retry_after += status == 503 and "retry-after" not in fields
    writer.close()
