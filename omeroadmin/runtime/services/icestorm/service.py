"""OMERO.IceStorm: passes the database's notifications on to whoever connects, as lines of JSON."""

from __future__ import annotations

import asyncio
import contextlib

import psycopg

from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.database import connection_string, why_not
from omeroadmin.runtime.kernel.events import parse_event
from omeroadmin.runtime.services.icestorm.subscribers import Subscribers
from omeroadmin.system import sockets

CHANNEL = "omero_events"
"""PostgreSQL channel that Blitz notifies."""
_LONGEST_PAUSE = 10.0
_QUIET_SECONDS = 30.0


def run(context: ServiceContext) -> int:
    """Pass events on until the server shall stop."""
    asyncio.run(_serve(context))
    return 0


async def _serve(context: ServiceContext) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()

    def wake() -> None:
        loop.call_soon_threadsafe(stopping.set)

    context.stop.on_request(wake)
    subscribers = Subscribers(context.health, context.logger("subscribers"))
    path = context.socket_path()
    server = await asyncio.start_unix_server(subscribers.accept, sock=sockets.listen_unix(path))
    try:
        listening = asyncio.create_task(_follow_forever(context, subscribers))
        await asyncio.wait({listening, asyncio.create_task(stopping.wait())}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    finally:
        server.close()
        subscribers.close()
        path.unlink(missing_ok=True)


async def _follow_forever(context: ServiceContext, subscribers: Subscribers) -> None:
    where = connection_string(context.settings, server_id=context.server_id)
    pause = 0.25
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(where, autocommit=True)
            async with connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                pause = 0.25
                context.health.ready()
                context.log.info("Listening on channel %s", CHANNEL)
                await _follow(connection, subscribers)
        except psycopg.OperationalError as error:
            reason = await asyncio.to_thread(why_not, context.settings, error)
            context.health.not_ready(reason.message)
            context.log.warning("%s; trying again in %.2f s", reason.message, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def _follow(connection: psycopg.AsyncConnection[object], subscribers: Subscribers) -> None:
    while True:
        async for notification in connection.notifies(timeout=_QUIET_SECONDS):
            if parse_event(notification.payload) is not None:
                subscribers.publish(notification.payload)
        # A connection whose peer vanished without a word says nothing either: ask.
        await connection.execute("SELECT 1")
