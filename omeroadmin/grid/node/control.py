"""Takes commands on a Unix socket and pings on the registry's port: a line of JSON asks, a line of JSON answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError, usage_error
from omeroadmin.grid.application import read_application
from omeroadmin.grid.driver import DeployReport
from omeroadmin.grid.node.node import Node
from omeroadmin.grid.node.supervisor import Supervisor

_IDLE = 30.0
_log = logging.getLogger("node")

Document = dict[str, Any]
Handler = Callable[[Document], Awaitable[Document]]


class Control:
    """What may be asked of a node."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def command(self, request: Document) -> Document:
        """Carry out a command of an admin, who alone reaches the Unix socket.

        :raises AdminError: as the command does
        """
        name = str(request.get("command", ""))
        match name:
            case "ping":
                return await self.ping(request)
            case "state":
                return {**asdict(self._node.state), "elsewhere": self._elsewhere()}
            case "application":
                return self._application()
            case "deploy":
                return asdict(await self._deploy(request))
            case "shutdown":
                self._node.shut_down()
                return {}
            case "describe" | "start" | "stop" | "enable" | "disable" | "signal":
                return await _server_command(name, self._node.supervisor(str(request.get("server", ""))), request)
        raise usage_error("command-unknown", f"the node knows no command {name!r}")

    def _elsewhere(self) -> list[Document]:
        """The servers of other nodes, which say themselves how they are as long as their node is up."""
        return [
            {"id": server.identifier, "node": server.node, "always": server.starts_always}
            for server in self._node.application.servers
            if server.node != self._node.layout.node
        ]

    def _application(self) -> Document:
        application = self._node.application
        return {
            "name": application.name,
            "file": str(application.file),
            "targets": application.targets,
            "deployed_at": self._node.deployed_at,
            "servers": [{"id": server.identifier, "node": server.node} for server in application.servers],
        }

    async def _deploy(self, request: Document) -> DeployReport:
        targets = tuple(str(target) for target in request.get("targets", ()))
        application = read_application(Path(str(request.get("file", ""))), targets)
        if request.get("preview"):
            return self._node.preview(application)
        return await self._node.deploy(application, only_remove=bool(request.get("only_remove")))

    async def ping(self, request: Document) -> Document:
        """Say that the node is up: all that the network may ask.

        :raises AdminError: ``command-unknown``
        """
        if request.get("command") != "ping":
            raise usage_error("command-unknown", "the registry answers pings only")
        return {"node": self._node.layout.node}


async def _server_command(name: str, supervisor: Supervisor, request: Document) -> Document:
    match name:
        case "describe":
            return asdict(supervisor.server)
        case "start":
            await supervisor.start()
        case "stop":
            await supervisor.stop()
        case "enable":
            supervisor.enable()
        case "disable":
            supervisor.disable()
        case "signal":
            supervisor.signal(_signal_number(str(request.get("signal", ""))))
    return {}


def serve(handler: Handler) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """A callback for asyncio's servers that answers each line of a connection."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await asyncio.wait_for(reader.readline(), _IDLE):
                writer.write(json.dumps(await _answer(handler, line)).encode() + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, ValueError) as error:
            # Whoever asked has gone, is idle, or sends more than a command can be.
            _log.debug("connection closed: %s", error)
        except asyncio.CancelledError:
            # The node is going down; asyncio would report a cancelled callback as an error.
            return
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    return connection


async def _answer(handler: Handler, line: bytes) -> Document:
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise usage_error("request-invalid", "a request is a JSON object")
        return {"ok": True, **await handler(request)}
    except AdminError as error:
        return failure(error)
    except ValueError as error:
        return failure(usage_error("request-invalid", f"a request is a line of JSON: {error}"))


def failure(error: AdminError) -> Document:
    """A failure as the document that goes back to whoever asked."""
    return {
        "ok": False,
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "exit_status": int(error.exit_status),
    }


def _signal_number(text: str) -> int:
    name = text.upper() if text.upper().startswith("SIG") else f"SIG{text.upper()}"
    try:
        return signal.Signals(int(text)) if text.isdigit() else signal.Signals[name]
    except (KeyError, ValueError):
        raise usage_error("signal-unknown", f"there is no signal {text!r}", "e.g. SIGTERM") from None
