"""Blitz: the API, and the only writer of the data model."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid

import psycopg

from omeroadmin.errors import AdminError
from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.web import Site, serve
from omeroadmin.runtime.services.blitz.application import Blitz, Identity, assemble, server_version
from omeroadmin.runtime.services.blitz.database import Database, next_id
from omeroadmin.runtime.services.blitz.http.routes import internal_application, public_application
from omeroadmin.runtime.services.blitz.services import repositories
from omeroadmin.runtime.services.blitz.services.readonly import find_read_only
from omeroadmin.runtime.services.blitz.services.sessions import FLUSH_SECONDS
from omeroadmin.system import sockets

_VERSION_LOG = logging.getLogger("ome.services.util.ServerVersionCheck")
_DATABASE_LOG = logging.getLogger("ome.services.util.DBPatchCheck")
_LINE = "-" * 49
_CHECK_SECONDS = 3.0


def run(context: ServiceContext) -> int:
    """Start, serve the public and the internal socket until the server shall stop, and leave no traces."""
    with contextlib.ExitStack() as stack:
        blitz = _start(context, stack)
        maintenance = threading.Thread(target=_maintain, args=(context, blitz), name="maintenance", daemon=True)

        def listening() -> None:
            _VERSION_LOG.info(_LINE)
            _VERSION_LOG.info("OMERO Version: %s Ready.", blitz.identity.version)
            _VERSION_LOG.info(_LINE)
            context.health.ready()
            maintenance.start()

        serve(
            [
                Site(public_application(blitz), context.socket_path()),
                Site(internal_application(blitz), context.socket_path("-internal")),
            ],
            context.stop,
            listening,
        )
        context.log.info("Stopping OMERO...")
        _end(context, blitz)
    return 0


def _start(context: ServiceContext, stack: contextlib.ExitStack) -> Blitz:
    settings, instance = context.settings, context.instance
    database = Database(settings, server_id=context.server_id)
    stack.callback(database.close)
    version = database.open()
    _DATABASE_LOG.info("Verified database patch: %s", version)
    with database.transaction() as connection:
        database_uuid = repositories.uuid_of(connection)
    read_only = find_read_only(database, settings)
    context.health.note("read_only", {"db": read_only.database, "repo": read_only.repository})
    found = (repositories.look_up if read_only.any else repositories.register)(database, settings, instance)
    if not read_only.any:
        repositories.lock_all(stack, found, database_uuid, shared_with_others=_others_run(context))
    node_id, node_uuid = (0, "") if read_only.database else _register_node(database, context)
    identity = Identity(
        context.server_id, server_version(settings), database_uuid, context.heap_bytes, node_id, node_uuid
    )
    blitz = assemble(identity, read_only, database, found, settings, instance)
    stack.callback(blitz.imports.close)
    if not read_only.any:
        _tidy(context, blitz)
    context.health.add_source(lambda: {"imports": blitz.imports.count()})
    return blitz


def _tidy(context: ServiceContext, blitz: Blitz) -> None:
    """Clean up behind earlier runs, and make rows for the scripts on disk."""
    removed = blitz.imports.clean_up()
    blitz.filestore.received.clean_up()
    if removed:
        context.log.warning("Removed %d import(s) that an earlier run had not ended", removed)
    gone = blitz.removals.run()
    if gone:
        context.log.warning("Removed %d file(s) of objects that an earlier run had deleted", gone)
    context.log.info("%d script(s) in %s", blitz.scripts.register(), context.instance.scripts_directory)
    blitz.scripts.renew_all()


def _others_run(context: ServiceContext) -> bool:
    """Whether another Blitz of this instance answers."""
    for path in context.instance.run_directory.glob("Blitz-*.health"):
        if path.stem != context.server_id:
            with contextlib.suppress(OSError):
                sockets.connect_unix(path, timeout=2).close()
                return True
    return False


def _register_node(database: Database, context: ServiceContext) -> tuple[int, str]:
    """A row for this run; one that was killed left its own row open."""
    node_uuid = str(uuid.uuid4())
    connection_text = f"{context.server_id}:{context.socket_path()}"
    with database.transaction() as connection:
        connection.execute(
            "UPDATE node SET down = timezone('UTC', now()) WHERE down IS NULL AND conn = %s", (connection_text,)
        )
        node_id = next_id(connection, "node")
        connection.execute(
            "INSERT INTO node (id, permissions, version, uuid, conn, up)"
            " VALUES (%s, -52, 0, %s, %s, timezone('UTC', now()))",
            (node_id, node_uuid, connection_text),
        )
    return node_id, node_uuid


def _maintain(context: ServiceContext, blitz: Blitz) -> None:
    """Look after sessions and imports, and say when the database is gone."""
    due = time.monotonic() + FLUSH_SECONDS
    while not context.stop.wait(_CHECK_SECONDS):
        try:
            context.health.note("sessions", blitz.sessions.count())
            overdue = 0 if blitz.read_only.database else blitz.scripts.end_overdue()
            if overdue:
                context.log.warning("Ended %d job(s) whose Processor was not heard of", overdue)
            if time.monotonic() >= due:
                due = time.monotonic() + FLUSH_SECONDS
                blitz.sessions.flush()
                closed = blitz.sessions.close_expired()
                abandoned = blitz.imports.cancel_abandoned()
                blitz.filestore.received.cancel_abandoned()
                blitz.removals.run()
                if closed or abandoned:
                    context.log.info("Closed %d expired session(s), gave up %d import(s)", closed, abandoned)
            context.health.ready()
        except (AdminError, psycopg.Error) as error:
            reason = error.message if isinstance(error, AdminError) else "the database doesn't answer"
            context.log.warning("%s", reason)
            context.health.not_ready(reason)


def _end(context: ServiceContext, blitz: Blitz) -> None:
    try:
        blitz.sessions.flush()
        if blitz.read_only.database:
            return
        with blitz.database.transaction() as connection:
            connection.execute("UPDATE node SET down = timezone('UTC', now()) WHERE id = %s", (blitz.identity.node_id,))
    except (AdminError, psycopg.Error) as error:
        context.log.warning("The database was gone before this server: %s", type(error).__name__)
