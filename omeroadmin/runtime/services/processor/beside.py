"""What runs beside a script: signs of life to Blitz, and, far from Blitz, a socket that leads to its API."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.runtime.kernel.endpoint import LONGEST_LINE, EndpointError, GridEndpoint, Service, watch_link
from omeroadmin.system import sockets

_LOG = logging.getLogger("omero.processor.api")
_BUFFER = 64 * 1024
_CONNECT_SECONDS = 10.0
_PAUSE_SECONDS = 0.5
_CLOSE_SECONDS = 2.0
_SIGNS_A_LEASE = 6
_LONGEST_PAUSE = 10.0
_MOST_CONNECTIONS = 32

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _nothing() -> str:
    await asyncio.Event().wait()
    return ""


@dataclass(frozen=True)
class Beside:
    """What accompanies one script.

    :param watch: returns when the script must end, with the reason
    :param gateway: entered before the script begins and left after its end
    """

    watch: Callable[[], Awaitable[str]] = _nothing
    gateway: Callable[[], contextlib.AbstractAsyncContextManager[object]] = contextlib.nullcontext


@dataclass(frozen=True)
class Lease:
    """Blitz's patience with a job.

    :param seconds: how long it goes without a sign of life
    :param renew: gives one; blocks
    """

    seconds: float
    renew: Callable[[], object]

    async def watch(self) -> str:
        """Give signs of life until Blitz doesn't want the job's result any more.

        A Blitz that can't be reached may come back in time: that is no reason to end a script.
        """
        pause = min(self.seconds / _SIGNS_A_LEASE, _LONGEST_PAUSE)
        while True:
            await asyncio.sleep(pause)
            try:
                await asyncio.to_thread(self.renew)
            except AdminError as error:
                if error.exit_status is not ExitStatus.UNREACHABLE:
                    return error.message


@dataclass(frozen=True)
class Gateway:
    """A local socket whose connections go on to the API at the master.

    What a script sends stays as it is; the grid's token is none of its business.

    :param path: of the socket, mode 0600
    """

    path: Path
    endpoint: GridEndpoint

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Listen as long as the block lasts."""
        running: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - for the type checker; this is a coroutine
            running.add(task)
            task.add_done_callback(running.discard)
            try:
                if len(running) <= _MOST_CONNECTIONS:
                    await self._serve((reader, writer))
            finally:
                await _close(writer)

        server = await asyncio.start_unix_server(accept, sock=sockets.listen_unix(self.path), limit=_BUFFER)
        try:
            yield
        finally:
            server.close()
            for task in list(running):
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            self.path.unlink(missing_ok=True)

    async def _serve(self, script: Streams) -> None:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                master = await self._connect_soon()
        except OSError as error:
            # The script sees a closed connection, and its admin the reason.
            _LOG.warning("The API can't be reached for a script: %s", error or type(error).__name__)
            return
        copies = [asyncio.create_task(_copy(script[0], master[1])), asyncio.create_task(_copy(master[0], script[1]))]
        try:
            await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for copy in copies:
                copy.cancel()
            await asyncio.gather(*copies, return_exceptions=True)
            await _close(master[1])

    async def _connect_soon(self) -> Streams:
        """Connect, also where the network is away for a moment.

        :raises EndpointError: because the endpoint refuses
        """
        while True:
            try:
                return await self._connect()
            except EndpointError:
                raise
            except OSError as error:
                _LOG.info("The API can't be reached for a script: %s; trying again", error or type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _connect(self) -> Streams:
        """:raises OSError: as the system says, or because the endpoint refuses."""
        endpoint = self.endpoint
        reader, writer = await asyncio.open_connection(
            endpoint.host, endpoint.port, ssl=endpoint.context(), limit=_BUFFER, ssl_shutdown_timeout=_CLOSE_SECONDS
        )
        try:
            watch_link(writer.get_extra_info("socket"))
            endpoint.check(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
            writer.write(endpoint.greeting(Service.API))
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError as error:
                line = error.partial
            endpoint.accept_answer(line[:LONGEST_LINE])
        except BaseException:
            await _close(writer)
            raise
        return reader, writer


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(_BUFFER):
            target.write(data)
            await target.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await writer.wait_closed()
