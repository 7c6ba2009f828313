"""Runs ASGI applications on local sockets, several in one event loop, until the server shall stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from omeroadmin.runtime.kernel.stop import Stop
from omeroadmin.system import sockets

_SECONDS_TO_FINISH = 5


@dataclass(frozen=True)
class Site:
    """An ASGI application and the Unix socket where it listens."""

    application: Callable[..., Awaitable[Any]]
    socket: Path


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the kernel's."""
        yield


def serve(sites: Sequence[Site], stop: Stop, on_listening: Callable[[], None]) -> None:
    """Serve until the server shall stop; running requests get five seconds to finish.

    Nothing of a request is logged: its headers hold the session key.

    :param on_listening: called once all sites listen
    """
    asyncio.run(_serve(sites, stop, on_listening))


async def _serve(sites: Sequence[Site], stop: Stop, on_listening: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    servers = [_Server(_configuration(site)) for site in sites]
    listeners = [sockets.listen_unix(site.socket) for site in sites]

    def finish() -> None:
        for server in servers:
            server.should_exit = True

    def wake() -> None:
        loop.call_soon_threadsafe(finish)

    stop.on_request(wake)
    try:
        async with asyncio.TaskGroup() as group:
            for server, listener in zip(servers, listeners, strict=True):
                group.create_task(server.serve(sockets=[listener]))
            for server in servers:
                await server.listening.wait()
            on_listening()
    finally:
        for listener, site in zip(listeners, sites, strict=True):
            listener.close()
            site.socket.unlink(missing_ok=True)


def _configuration(site: Site) -> uvicorn.Config:
    return uvicorn.Config(
        site.application,
        log_config=None,
        access_log=False,
        lifespan="off",
        loop="asyncio",
        http="h11",
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        h11_max_incomplete_event_size=64 * 1024,
    )
