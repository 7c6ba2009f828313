"""The life of the node's process: one per instance, detached or in the foreground, ended by a signal or a command."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import configuration_error, failed_error, usage_error
from omeroadmin.grid.application import Application, read_application
from omeroadmin.grid.driver import Watcher
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import MASTER
from omeroadmin.grid.node.control import Control, serve
from omeroadmin.grid.node.node import Node, run_until_stopped
from omeroadmin.grid.node.output import Output, Outputs, redirect
from omeroadmin.system import files
from omeroadmin.system.clock import wait_until
from omeroadmin.system.sockets import listen_unix

_READY = b"up"
_LOCK_TIMEOUT = 1.0
_PRIVATE = 0o700


@dataclass(frozen=True)
class Orders:
    """What a node is to run.

    :param registry: host and port of the registry, where the master answers pings
    :param file: the application descriptor
    :param targets: wanted targets of the descriptor
    """

    layout: NodeLayout
    registry: tuple[str, int]
    file: Path
    targets: tuple[str, ...] = ()


@dataclass
class _Prepared:
    """Everything that can be refused has been granted."""

    orders: Orders
    application: Application
    pid_file: int
    control: socket.socket
    registry: socket.socket | None


def run_foreground(orders: Orders, watcher: Watcher) -> None:
    """Run the node in this process until it is stopped.

    :param watcher: looks on, and may end it
    :raises AdminError: ``already-running``, ``port-taken``, ``descriptor-invalid``
    """
    with _prepared(orders) as prepared:
        outputs = Outputs(Output(1), Output(2))
        _configure_log(outputs)
        _write_pid(prepared)
        asyncio.run(_main(prepared, outputs, watcher=watcher, ready=None))


def run_detached(orders: Orders) -> None:
    """Run the node in a process of its own and return when it takes commands.

    :raises AdminError: ``already-running``, ``port-taken``, ``descriptor-invalid``, ``node-not-started``
    """
    with _prepared(orders) as prepared:
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.close(reading)
            outputs = _become_daemon(prepared.orders.layout)
            _configure_log(outputs)
            _write_pid(prepared)
            asyncio.run(_main(prepared, outputs, watcher=None, ready=writing))
            return
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            if stream.read() != _READY:
                raise failed_error(
                    "node-not-started",
                    f"the node {orders.layout.node} ended while it started",
                    f"see its log: tail {orders.layout.error_log}",
                )


@contextlib.contextmanager
def _prepared(orders: Orders) -> Iterator[_Prepared]:
    layout = orders.layout
    instance = layout.instance
    application = read_application(orders.file, orders.targets)
    _check_node(orders, {server.node for server in application.servers})
    for directory in (layout.directory, instance.run_directory, instance.registry_directory, instance.log_directory):
        files.make_directory(directory, mode=_PRIVATE)
    with contextlib.ExitStack() as stack:
        pid_file = _lock(layout)
        stack.callback(os.close, pid_file)
        registry = stack.enter_context(_listen_registry(*orders.registry)) if layout.node == MASTER else None
        control = stack.enter_context(listen_unix(layout.control_socket))
        yield _Prepared(orders, application, pid_file, control, registry)


def _check_node(orders: Orders, known: set[str]) -> None:
    """Before anything is made for a node, it must be one of the application's."""
    if orders.layout.node != MASTER and orders.layout.node not in known:
        raise usage_error(
            "node-unknown",
            f"{orders.file} gives the node {orders.layout.node!r} no server",
            f"nodes with servers: {', '.join(sorted(known))}; see omero config describe omero.server.nodedescriptors",
        )


def _lock(layout: NodeLayout) -> int:
    """Hold the pid file for as long as the node lives; a killed node's lock is gone with it."""
    descriptor = os.open(layout.pid_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, files.SECRET_MODE)

    def try_lock() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    if wait_until(try_lock, timeout=_LOCK_TIMEOUT):
        return descriptor
    os.close(descriptor)
    if layout.node == MASTER:
        raise configuration_error("already-running", "Server already running", "stop it first: omero admin stop")
    raise configuration_error(
        "already-running", f"node {layout.node} already running", f"stop it first: omero node {layout.node} stop"
    )


def _listen_registry(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise configuration_error(
            "port-taken",
            f"the registry can't listen on {host}:{port} (omero.ports.registry): {error.strerror or error}",
            f"see who does: ss -ltnp 'sport = :{port}'",
        ) from error


def _become_daemon(layout: NodeLayout) -> Outputs:
    os.setsid()
    os.chdir(layout.instance.omerodir)
    sys.stdout.flush()
    sys.stderr.flush()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    redirect(1, layout.output_log)
    redirect(2, layout.error_log)
    return Outputs(Output(1, layout.output_log), Output(2, layout.error_log))


def _write_pid(prepared: _Prepared) -> None:
    os.ftruncate(prepared.pid_file, 0)
    os.pwrite(prepared.pid_file, f"{os.getpid()}\n".encode(), 0)


async def _main(prepared: _Prepared, outputs: Outputs, *, watcher: Watcher | None, ready: int | None) -> None:
    node = Node(prepared.orders.layout, prepared.application, outputs)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, node.shut_down)
    # Not SIG_IGN: the servers would inherit it.
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    control = Control(node)
    commands = await asyncio.start_unix_server(serve(control.command), sock=prepared.control)
    listeners = [commands]
    if prepared.registry is not None:
        listeners.append(await asyncio.start_server(serve(control.ping), sock=prepared.registry))
    if ready is not None:
        os.write(ready, _READY)
        os.close(ready)
    try:
        await run_until_stopped(node, watcher)
    finally:
        for listener in listeners:
            listener.close()
        prepared.orders.layout.control_socket.unlink(missing_ok=True)


class _IceFormatter(logging.Formatter):
    """Ice's log lines: ``-! 11/24/26 01:02:03.456 node: warning: …``, which diagnostics and admins' scripts count."""

    _MARKS = ((logging.ERROR, "!!", "error: "), (logging.WARNING, "-!", "warning: "), (logging.NOTSET, "--", ""))

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback where there is one."""
        mark, word = next((mark, word) for level, mark, word in self._MARKS if record.levelno >= level)
        stamp = f"{self.formatTime(record, '%m/%d/%y %H:%M:%S')}.{int(record.msecs):03d}"
        text = f"{mark} {stamp} {record.name}: {word}{record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class _OutputHandler(logging.Handler):
    """Writes the node's own lines between those of its servers."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        self._output.write(self.format(record).encode("utf-8", "backslashreplace") + b"\n")


def _configure_log(outputs: Outputs) -> None:
    handler = _OutputHandler(outputs.errors)
    handler.setFormatter(_IceFormatter())
    log = logging.getLogger("node")
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(logging.INFO)
    logging.getLogger("asyncio").handlers = [handler]
