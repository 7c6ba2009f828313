"""What commands that talk to a server share: the options that name server and session, declared once, and both opened.

A command takes all of them by one parameter::

    @connects
    def command(connection: Connection, query: …) -> None:
        with connection.open() as (client, session):
            …
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from omeroadmin.cli.context import user_directory
from omeroadmin.errors import usage_error

if TYPE_CHECKING:
    from omeroadmin.access.address import Target
    from omeroadmin.access.client import Client
    from omeroadmin.access.session import Session
    from omeroadmin.workflows.access import Place, Wish

CaFileOption = Annotated[
    Path | None,
    typer.Option(
        "--ca-file", metavar="FILE", envvar="OMERO_CA_FILE", help="Trust the authorities in this PEM file, no others."
    ),
]
_PREFIX = "connection_"
"""Lets a command have parameters of its own named user, group or password."""


@dataclass(frozen=True)
class Connection:
    """The connection options as they were typed; each field is an option of every command that :func:`connects`."""

    server: Annotated[
        str | None, typer.Option("-s", "--server", metavar="SERVER", help="Server: [USER@]HOST[:PORT].")
    ] = None
    port: Annotated[int | None, typer.Option("-p", "--port", metavar="PORT", help="Port of the server.")] = None
    user: Annotated[str | None, typer.Option("-u", "--user", metavar="USER", help="User to be.")] = None
    group: Annotated[
        str | None, typer.Option("-g", "--group", metavar="GROUP", help="Group to work in: its name or id.")
    ] = None
    key: Annotated[
        str | None,
        typer.Option(
            "-k", "--key", metavar="KEY", help="Session key to use; - reads it from stdin, where ps can't see it."
        ),
    ] = field(default=None, repr=False)
    password: Annotated[
        str | None,
        typer.Option(
            "-w", "--password", metavar="PASSWORD", help="Discouraged: other users see it in the process list."
        ),
    ] = field(default=None, repr=False)
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", metavar="FILE", help="File whose first line is the password; - is stdin."),
    ] = None
    sudo: Annotated[
        str | None,
        typer.Option(
            "--sudo", metavar="USER", help="Administrator or group owner whose password opens the session for --user."
        ),
    ] = None
    create: Annotated[
        bool, typer.Option("-C", "--create", help="Create a new session even if a stored one can be used.")
    ] = False
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")] = False
    ca_file: CaFileOption = None
    verify: Annotated[
        bool, typer.Option("--verify", help="Refuse a port without TLS; with TLS, certificates are always verified.")
    ] = False

    def wish(self, target: str | None = None, *, idle_seconds: int | None = None) -> Wish:
        """The options as one request; a key or password that is to come from stdin is read.

        :param target: server as an argument of the command, instead of ``--server``
        :param idle_seconds: after which an unused session ends, instead of the server's own
        :raises AdminError: ``server-invalid``, ``port-invalid``, ``options-conflict``, ``key-missing``
        """
        from omeroadmin.cli import credentials
        from omeroadmin.workflows.access import Wish

        if self.key is not None and self.sudo is not None:
            raise usage_error("options-conflict", "--key joins a session, --sudo opens one", "give one of them")
        return Wish(
            self._target(target),
            credentials.ask_user,
            lambda name, address: credentials.password(name, address, self.password, self.password_file),
            (credentials.from_stdin("key") if self.key == "-" else self.key) or "",
            self.ca_file,
            group=self.group or "",
            sudo=self.sudo or "",
            idle_ms=None if idle_seconds is None else idle_seconds * 1000,
            create=self.create,
            verify=self.verify,
            server=credentials.ask_server,
            again=credentials.Again(self.password, self.password_file),
        )

    @contextlib.contextmanager
    def open(self) -> Iterator[tuple[Client, Session]]:
        """A client and the session to use: that of the key, the stored one that fits, or a new one.

        :raises AdminError: as :meth:`wish` and :func:`omeroadmin.workflows.access.connect`
        """
        from omeroadmin.workflows.access import connect

        client, session = connect(place(), self.wish())
        with client:
            yield client, session

    def _target(self, argument: str | None) -> Target:
        from omeroadmin.access.address import Target, checked_port, parse_target

        if None not in (self.server, argument) and self.server != argument:
            raise usage_error("options-conflict", f"two servers are named: {argument} and {self.server}", "name one")
        text = self.server if argument is None else argument
        typed = Target() if text is None else parse_target(text)
        for one, other in ((typed.port, self.port), (typed.user, self.user)):
            if one is not None and other is not None and one != other:
                raise usage_error("options-conflict", f"{text} says {one} and an option says {other}", "say it once")
        return dataclasses.replace(
            typed,
            port=typed.port if self.port is None else checked_port(self.port),
            user=typed.user if self.user is None else self.user,
        )


def connects(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of :class:`Connection` after its own; it gets them as ``connection``."""
    hints = get_type_hints(Connection, include_extras=True)
    options = [
        inspect.Parameter(
            _PREFIX + one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name]
        )
        for one in dataclasses.fields(Connection)
    ]
    own_hints = get_type_hints(function, include_extras=True)
    own = [
        parameter.replace(annotation=own_hints[parameter.name])
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "connection"
    ]

    @functools.wraps(function)
    def command(**values: Any) -> None:
        typed = {option.name.removeprefix(_PREFIX): values.pop(option.name) for option in options}
        function(connection=Connection(**typed), **values)

    # What Typer reads.
    command.__dict__["__signature__"] = inspect.Signature([*own, *options])
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *options)}
    return command


def place() -> Place:
    """The session store, the instance and the account of whoever runs the command."""
    import getpass

    from omeroadmin.access.store import SessionStore
    from omeroadmin.schema.instance import Instance
    from omeroadmin.workflows.access import Place

    directory = os.environ.get("OMERO_SESSIONDIR", "")
    omerodir = os.environ.get("OMERODIR", "")
    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        account = "root"
    return Place(
        SessionStore(Path(directory) if directory else user_directory() / "sessions"),
        Instance(Path(omerodir).resolve()) if omerodir and Path(omerodir).is_dir() else None,
        account,
    )
