"""What commands that talk to a server share: their options, and the session they are to use."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omeroadmin.cli.context import user_directory
from omeroadmin.errors import configuration_error, usage_error

if TYPE_CHECKING:
    from omeroadmin.access.address import Address, Target
    from omeroadmin.access.client import Client
    from omeroadmin.access.session import Session
    from omeroadmin.workflows.access import Place, Wish

ServerOption = Annotated[
    str | None, typer.Option("-s", "--server", metavar="SERVER", help="Server: [USER@]HOST[:PORT].")
]
PortOption = Annotated[int | None, typer.Option("-p", "--port", metavar="PORT", help="Port of the server.")]
UserOption = Annotated[str | None, typer.Option("-u", "--user", metavar="USER", help="User to be.")]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "-k", "--key", metavar="KEY", help="Session key to use; - reads it from stdin, where ps can't see it."
    ),
]
CaFileOption = Annotated[
    Path | None,
    typer.Option(
        "--ca-file", metavar="FILE", envvar="OMERO_CA_FILE", help="Trust the authorities in this PEM file, no others."
    ),
]


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


def wish(
    server: str | None = None,
    port: int | None = None,
    user: str | None = None,
    key: str | None = None,
    ca_file: Path | None = None,
    *,
    connection: str | None = None,
    password: str | None = None,
    password_file: Path | None = None,
) -> Wish:
    """The options as one request.

    :raises AdminError: ``server-invalid``, ``port-invalid``, ``options-conflict``, ``file-not-read``
    """
    from omeroadmin.workflows.access import Wish

    given = _secret_from_stdin("key") if key == "-" else key or ""
    target = _target(server, port, user, connection)
    return Wish(
        target, _ask_user, lambda name, address: _password(name, address, password, password_file), given, ca_file
    )


@contextlib.contextmanager
def connected(request: Wish) -> Iterator[tuple[Client, Session]]:
    """A client with the session to use; closed at the end.

    :raises AdminError: as :func:`omeroadmin.workflows.access.connect`
    """
    from omeroadmin.workflows.access import connect

    client, session = connect(place(), request)
    with client:
        yield client, session


def _target(server: str | None, port: int | None, user: str | None, connection: str | None) -> Target:
    from omeroadmin.access.address import Target, checked_port, parse_target

    if server is not None and connection is not None and server != connection:
        raise usage_error("options-conflict", f"two servers are named: {connection} and {server}", "name one")
    text = server if connection is None else connection
    typed = Target() if text is None else parse_target(text)
    for one, other in ((typed.port, port), (typed.user, user)):
        if one is not None and other is not None and one != other:
            raise usage_error("options-conflict", f"{text} says {one} and an option says {other}", "say it once")
    return Target(
        typed.host,
        typed.port if port is None else checked_port(port),
        typed.user if user is None else user,
        typed.tls,
    )


def _ask_user(likely: str) -> str:
    if not sys.stdin.isatty():
        return likely
    sys.stderr.write(f"Username: [{likely}] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() or likely


def _password(user: str, address: Address, typed: str | None, file: Path | None) -> str:
    if typed is not None:
        return typed
    if file is not None:
        return _secret_from_stdin("password") if str(file) == "-" else _first_line(file)
    from_environment = os.environ.get("OMERO_PASSWORD")
    if from_environment is not None:
        return from_environment
    if not sys.stdin.isatty():
        raise configuration_error(
            "password-missing",
            f"no password for {user}@{address}, and no terminal to ask at",
            "give it by --password-file FILE (- is stdin) or OMERO_PASSWORD, or join a session: -k -",
        )
    import getpass

    return getpass.getpass(f"Password for {user}@{address}: ")


def _first_line(file: Path) -> str:
    from omeroadmin.system.files import read_text

    return read_text(file).partition("\n")[0].rstrip("\r")


def _secret_from_stdin(what: str) -> str:
    line = sys.stdin.readline().strip("\r\n")
    if not line:
        raise usage_error(f"{what}-missing", f"stdin has no {what}", f"write the {what} as one line to stdin")
    return line
