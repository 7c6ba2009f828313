"""Turns a command line into a running server and its end into an exit status."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.runtime.kernel import configuration, failure, logs, memory, supervision
from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.failure import NOT_INSTALLED, ServiceFailure
from omeroadmin.runtime.kernel.faults import Faults
from omeroadmin.runtime.kernel.health import Health
from omeroadmin.runtime.kernel.stop import Stop
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system import files

MODULES = {
    "Blitz": "blitz",
    "Glacier2": "glacier2",
    "IceStorm": "icestorm",
    "Indexer": "indexer",
    "PixelData": "pixeldata",
    "Processor": "processor",
    "Tables": "tables",
    "DropBox": "dropbox",
    "TestDropBox": "dropbox",
    "FileServer": "fileserver",
    "MonitorServer": "monitorserver",
}
"""Package below ``runtime/services`` that runs each kind of server."""


def main(arguments: Sequence[str]) -> int:
    """Run one server until it is told to stop.

    :return: exit status of the process
    """
    try:
        command = configuration.parse_command_line(arguments)
        context, handler = _prepare(command)
    except AdminError as error:
        sys.stderr.write(f"{' '.join(arguments[:1])}: {error.message}\n")
        return failure.MISCONFIGURED
    watch = supervision.Watch(context) if supervision.is_under_icegrid() else None

    def conclude(status: int = failure.CRASHED) -> None:
        if watch is not None:
            watch.conclude(status)

    faults = Faults(context.instance.run_directory / f"{context.server_id}.fault", _error_logs(context.instance))
    faults.report(context.log, memory.exhausted_message(command.heap_bytes))
    faults.watch()
    guard = _guard(command, context, handler, conclude)
    try:
        status = _run(context, guard)
    finally:
        context.health.close()
        guard.join()
        faults.forget()
        logging.getLogger().removeHandler(handler)
        handler.close()
    conclude(status)
    return status


def _prepare(command: configuration.CommandLine) -> tuple[ServiceContext, logging.Handler]:
    if command.kind not in MODULES:
        raise configuration_error(
            "server-kind-unknown", f"there is no server of kind {command.kind!r}; known: {', '.join(MODULES)}"
        )
    properties = {**configuration.read_properties(command.config_file), **command.properties}
    server_id = configuration.server_id_of(properties)
    instance = Instance(Path(os.environ.get("OMERODIR") or Path.cwd()).absolute())
    settings = Settings(properties)
    files.make_directory(instance.run_directory, mode=0o700)
    handler = logs.configure(command.kind, instance.log_directory / f"{server_id}.log", settings)
    failure.forget(instance, server_id)
    memory.limit(command.heap_bytes)
    stop = Stop()
    stop.install()
    if supervision.is_under_icegrid():
        supervision.follow_parent(stop)
    health = Health(server_id, instance.run_directory / f"{server_id}.health")
    log = logging.getLogger(f"omero.{command.kind.lower()}")
    return (
        ServiceContext(command.kind, server_id, instance, settings, command.heap_bytes, stop, health, log),
        handler,
    )


def _error_logs(instance: Instance) -> list[Path]:
    return list(instance.log_directory.glob("*.err"))


def _guard(
    command: configuration.CommandLine, context: ServiceContext, handler: logging.Handler, conclude: Callable[[], None]
) -> memory.Guard:
    """What happens when memory runs out.

    :param conclude: called right before the end
    """

    def leave_reason(reason: str) -> None:
        failure.record(context.instance, context.server_id, ServiceFailure(reason, failure.CRASHED))

    options = memory.HeapOptions(command.heap_bytes, command.heap_profile)
    guard = memory.Guard(options, context.log, leave_reason=leave_reason, conclude=conclude)
    guard.install(handler)
    context.health.on_first_ready(lambda: memory.settle(command.heap_bytes))
    return guard


def _run(context: ServiceContext, guard: memory.Guard) -> int:
    try:
        context.health.start()
        service = importlib.import_module(f"omeroadmin.runtime.services.{MODULES[context.kind]}.service")
        context.log.info("Starting %s (pid %d)", context.server_id, os.getpid())
        status: int | None = service.run(context)
    except ServiceFailure as reason:
        return _fail(context, reason)
    except AdminError as error:
        return _fail(context, failure.failure_of(error))
    except ModuleNotFoundError as error:
        context.log.exception("%s lacks a Python package", context.server_id)
        return _fail(context, failure.misconfigured(f"the Python package {error.name} is not installed"))
    except Exception as error:  # the boundary of the process
        if not guard.notice(error):
            context.log.exception("%s ended by an unexpected error", context.server_id)
        return failure.CRASHED
    context.log.info("Stopped %s", context.server_id)
    return status or 0


def _fail(context: ServiceContext, reason: ServiceFailure) -> int:
    level = logging.WARNING if reason.status == NOT_INSTALLED else logging.ERROR
    context.log.log(level, "%s", reason.reason)
    if reason.status != failure.CRASHED:
        failure.record(context.instance, context.server_id, reason)
    return reason.status
