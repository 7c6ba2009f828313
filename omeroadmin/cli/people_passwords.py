"""Passwords that commands for users ask for: of a new user, and one's own as a proof."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from omeroadmin.errors import usage_error

if TYPE_CHECKING:
    from omeroadmin.access.address import Address
    from omeroadmin.cli.session import Connection


def password_of_new_user(name: str, password: str | None, file: Path | None, *, no_password: bool) -> str | None:
    """The password for a new user: an option's, a file's, or typed twice; none where none is wanted.

    :raises AdminError: ``options-conflict`` and as :func:`omeroadmin.cli.password.new_password`
    """
    if no_password:
        if password is not None or file is not None:
            raise usage_error("options-conflict", "--no-password and a password exclude each other", "give one of them")
        return None
    return user_password(f"your new user ({name})", password, file)


def user_password(whose: str, password: str | None, file: Path | None) -> str:
    """A password to be set: an option's, a file's, or typed twice.

    :param whose: for the prompt
    :raises AdminError: as :func:`omeroadmin.cli.password.new_password`
    """
    from omeroadmin.cli.password import new_password

    return new_password(whose, password, file, option="--userpassword").text


def with_typed_password(connection: Connection) -> Connection:
    """The same options, with a password that is to come from stdin read: it serves twice."""
    from omeroadmin.cli.credentials import from_stdin

    if connection.password_file is None or str(connection.password_file) != "-":
        return connection
    return dataclasses.replace(connection, password=from_stdin("password"), password_file=None)


def own_password(connection: Connection, user: str, address: Address) -> str:
    """The password of whoever runs the command: the login's options, ``OMERO_PASSWORD``, or the terminal.

    :raises AdminError: ``password-missing``, ``file-not-read``
    """
    from omeroadmin.cli import credentials

    return credentials.password(user, address, connection.password, connection.password_file)
