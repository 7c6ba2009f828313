"""Asks the PostgreSQL of a host by its own psql, over the socket, as the account that owns it."""

from __future__ import annotations

import glob
import json
import os
from typing import Any

from omeroadmin.provisioning.agent.accounts import user_name
from omeroadmin.provisioning.agent.change import HostError, Wish
from omeroadmin.provisioning.agent.running import Done, find_program, run

_DIRECTORIES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
_CONNECT = "10"
"""Seconds to connect."""
_TIMEOUT = 300.0
_UNREACHABLE = 2
"""psql's exit status where it has no connection."""


def literal(text: str) -> str:
    """A text as SQL has it.

    :raises HostError: ``host-sql-text``
    """
    return "'" + _clean(text).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as SQL has it.

    :raises HostError: ``host-sql-text``
    """
    return '"' + _clean(name).replace('"', '""') + '"'


def _clean(text: str) -> str:
    if "\0" in text:
        raise HostError("host-sql-text", "PostgreSQL takes no text with a NUL character")
    return text


def ask(wish: Wish, query: str, database: str = "postgres") -> Any:
    """The one JSON value that a query gives; ``None`` where PostgreSQL isn't there or doesn't answer yet.

    :param wish: says where: ``port``, ``socket``, ``account``
    :param query: a SELECT of one row with one JSON column; empty results are ``[]``
    :raises HostError: ``host-database-failed``
    """
    done = _psql(wish, query, database)
    if done is None or done.status == _UNREACHABLE:
        return None
    if done.status != 0:
        raise _failed("asked", done)
    return json.loads(done.output or "[]")


def tell(wish: Wish, statements: str, doing: str, database: str = "postgres") -> None:
    """Carry statements out, each for itself.

    :param doing: what for, in the message: ``create role omero``
    :raises HostError: ``host-database-missing``, ``host-database-failed``
    """
    done = _psql(wish, statements, database)
    if done is None:
        raise HostError(
            "host-database-missing", f"{doing}: there is no psql on this host", "install PostgreSQL before it"
        )
    if done.status != 0:
        raise _failed(doing, done)


def unasked(words: str) -> str:
    """Words for a plan that nobody could compare with what is there."""
    return f"{words} (PostgreSQL isn't there yet)"


def _failed(doing: str, done: Done) -> HostError:
    lines = [line for line in done.error_output.splitlines() if "ERROR:" in line or "FATAL:" in line]
    words = lines[0].partition("ERROR:")[2].strip() or lines[0] if lines else done.last_words()
    return HostError("host-database-failed", f"{doing}: PostgreSQL says: {words}")


def _psql(wish: Wish, statements: str, database: str) -> "Done | None":
    program = find_program("psql") or _newest_psql()
    if program is None:
        return None
    arguments = [program, "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-p", str(wish["port"]), "-d", database]
    if wish["socket"]:
        arguments += ["-h", wish["socket"]]
    user = "" if wish["account"] == user_name(os.geteuid()) else wish["account"]
    environment = {"PGCONNECT_TIMEOUT": _CONNECT, "PGCLIENTENCODING": "UTF8"}
    # Through stdin: what statements hold is for nobody who lists processes.
    text = f"SET standard_conforming_strings = on;\nSET client_min_messages = warning;\n{statements};\n"
    try:
        return run([*arguments, "-f", "-"], timeout=_TIMEOUT, user=user, environment=environment, input_text=text)
    except HostError as error:
        if error.code == "host-user-unknown":
            return None
        raise


def _newest_psql() -> "str | None":
    found = [os.path.join(place, "psql") for pattern in _DIRECTORIES for place in glob.glob(pattern)]
    there = [path for path in found if os.access(path, os.X_OK)]
    return max(there, default=None, key=lambda path: [int(digits) for digits in path.split("/") if digits.isdigit()])
