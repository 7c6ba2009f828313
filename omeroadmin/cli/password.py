"""Where a new password comes from: the command line, a file, or twice from the terminal."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.errors import usage_error

PasswordOption = Annotated[
    str | None,
    typer.Option("--password", metavar="PASSWORD", help="Discouraged: other users see it in the process list."),
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="File whose first line is the password; - is stdin."),
]
NoSaltOption = Annotated[bool, typer.Option("--no-salt", help="Leave the user's id out of the hash.")]


@dataclass(frozen=True)
class NewPassword:
    """A password and where it came from.

    :param source: ``commandline``, ``file`` or ``terminal``
    """

    text: str = field(repr=False)
    source: str


def new_password(
    whose: str, password: str | None, password_file: Path | None, *, option: str = "--password"
) -> NewPassword:
    """The password that was given, or typed twice.

    :param whose: for the prompt, e.g. ``OMERO root user``
    :param option: the password's; that of its file ends with ``-file``
    :raises AdminError: ``password-twice``, ``password-needed``, ``password-empty``, ``passwords-differ``,
        ``file-not-read``
    """
    if password is not None and password_file is not None:
        raise usage_error("password-twice", f"{option} and {option}-file exclude each other", "give one of them")
    if password is not None:
        return NewPassword(_not_empty(password), "commandline")
    if password_file is not None:
        return NewPassword(_not_empty(_first_line(password_file)), "file")
    if not sys.stdin.isatty():
        raise usage_error(
            "password-needed",
            f"the password for {whose} is needed, and there is no terminal to ask at",
            f"write it into a file of mode 0600 and add {option}-file FILE",
        )
    return NewPassword(_typed_twice(whose), "terminal")


def _first_line(path: Path) -> str:
    from omeroadmin.system import files

    text = sys.stdin.readline() if str(path) == "-" else files.read_text(path)
    return text.partition("\n")[0].rstrip("\r")


def _typed_twice(whose: str) -> str:
    import getpass

    first = _not_empty(getpass.getpass(f"Please enter password for {whose}: "))
    if getpass.getpass(f"Please re-enter password for {whose}: ") != first:
        raise usage_error("passwords-differ", "the two passwords differ", "try again")
    return first


def _not_empty(password: str) -> str:
    if not password:
        raise usage_error("password-empty", "the password is empty", "choose one that is not")
    return password
