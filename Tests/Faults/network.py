"""The network between a node and its database, which can be cut, silenced and slowed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from stores import HOST, PostgresCluster, PostgresDatabase

CHUNK = 16 * 1024


class Wire:
    """Passes on what comes to a port of its own, as long as nothing is wrong with it."""

    def __init__(self, behind: int) -> None:
        self.port = 0
        self.delay = 0.0  # Seconds each way.
        self.rate = 0  # Bytes a second and direction; 0: as fast as it goes.
        self._behind = behind
        self._passable = asyncio.Event()
        self._passable.set()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.mend()

    # What happens to it

    def silence(self) -> None:
        """From here on nothing gets through, and nobody is told."""
        self._do(self._passable.clear)

    def cut(self) -> None:
        """Closes every connection and takes no new ones."""
        self._do(self._refuse)

    def mend(self) -> None:
        self.delay, self.rate = 0.0, 0
        self._do(self._passable.set)
        if self._server is None:
            asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def discard(self) -> None:
        self.cut()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    # How it works

    def _do(self, action: Callable[[], None]) -> None:
        async def do() -> None:
            action()

        asyncio.run_coroutine_threadsafe(do(), self._loop).result(10)

    def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self._writers.add(back)
        try:
            await self._passable.wait()
            far, forth = await asyncio.open_connection(HOST, self._behind)
        except OSError:
            back.transport.abort()
            return
        self._writers.add(forth)
        for reader, writer in ((near, forth), (far, back)):
            task = asyncio.ensure_future(self._pass(reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Each piece arrives late by itself: a long way is not a narrow one."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivery = asyncio.ensure_future(self._deliver(under_way, writer))
        try:
            while data := await reader.read(CHUNK):
                under_way.put_nowait((self._loop.time() + self.delay, data))
                if self.rate:
                    await asyncio.sleep(len(data) / self.rate)
            under_way.put_nowait((self._loop.time() + self.delay, b""))
            await delivery
        except (OSError, asyncio.CancelledError):
            delivery.cancel()
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _deliver(
        self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            await self._passable.wait()
            if not data:
                return
            writer.write(data)
            await writer.drain()


class DistantDatabase(PostgresDatabase):
    """A database that servers reach over a wire, and the tests do not."""

    def __init__(self, cluster: PostgresCluster, port: int, parameters: str = "") -> None:
        super().__init__(cluster)
        self._port = port
        self._parameters = parameters

    @property
    def url(self) -> str:
        return f"postgres://dwell@{HOST}:{self._port}/{self.made().name}{self._parameters}"
