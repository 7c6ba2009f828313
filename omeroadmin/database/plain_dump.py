"""Cleans a dump in SQL, as pg_dump and pg_dumpall write it, so that another role can load it with psql.

Owners and privileges name roles that may not exist here; of a dump of a whole cluster one database is wanted. It is a
filter of lines that knows what is data: lines of COPY, of strings and of functions pass as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

_COPY = re.compile(rb"COPY .* FROM stdin;\s*$")
_END_OF_COPY = b"\\."
_BODY = re.compile(rb"\bAS (\$\w*\$)")
_OWNER = re.compile(rb"ALTER [A-Z ]+ .* OWNER TO .*;\s*$")
_PRIVILEGE = re.compile(rb"(GRANT|REVOKE) .*;\s*$")
_OF_SUPERUSERS = re.compile(
    rb"(CREATE SCHEMA public|COMMENT ON SCHEMA public .*|(CREATE|COMMENT ON) EXTENSION .*\bplpgsql\b.*);\s*$"
)
_CONNECT = re.compile(rb"\\connect (?:-reuse-previous=on )?(?:\"dbname='(.*)'\"|\"(.*)\"|(\S+))\s*$")
_NOT_OMERO = frozenset({"template0", "template1", "postgres"})

CLUSTER_MARK = b"-- PostgreSQL database cluster dump"
MARK = b"-- PostgreSQL database dump"
_COMPLETE = b"-- PostgreSQL database dump complete"


class _In(Enum):
    """Where in a dump a line is."""

    SQL = "sql"
    COPY = "copy"
    STRING = "string"
    BODY = "body"


class PlainDump:
    """The statements of one database in a dump.

    :param database: the database of a cluster's dump that is wanted; empty: the first that isn't PostgreSQL's own
    """

    def __init__(self, database: str = "") -> None:
        self._wanted = database
        self._place = _In.SQL
        self._tag = b""
        self._passes = True
        self.found = ""
        """The database of a cluster's dump that was taken; empty for a dump of one."""
        self.complete = False
        """Whether the last line of the database's dump has passed."""

    def clean(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        """The lines to load.

        :param lines: with their ends
        """
        for line in lines:
            if self._place is not _In.SQL:
                self._follow(line)
                if self._passes:
                    yield line
            elif line.startswith((b"\\", b"--")):
                self._note(line)
            elif not self._is_dropped(line):
                self._enter(line)
                if self._passes:
                    yield line

    def _follow(self, line: bytes) -> None:
        """Look for the end of what isn't to be understood."""
        if self._place is _In.COPY:
            ends = line.rstrip(b"\r\n") == _END_OF_COPY
        elif self._place is _In.BODY:
            ends = self._tag in line
        else:
            ends = line.count(b"'") % 2 == 1
        if ends:
            self._place = _In.SQL

    def _enter(self, line: bytes) -> None:
        body = _BODY.search(line)
        if _COPY.match(line):
            self._place = _In.COPY
        elif body is not None:
            self._tag = body[1]
            if self._tag not in line[body.end() :]:
                self._place = _In.BODY
        elif line.count(b"'") % 2 == 1:
            self._place = _In.STRING

    def _note(self, line: bytes) -> None:
        """Comments and psql's own commands are not passed on; some say which database follows."""
        if line.startswith(_COMPLETE):
            self.complete |= self._passes
        elif line.startswith((CLUSTER_MARK, b'-- Database "')):
            self._passes = False
        connect = _CONNECT.match(line)
        if connect is None:
            return
        name = next(group for group in connect.groups() if group is not None).decode(errors="replace")
        is_wanted = name == self._wanted if self._wanted else name not in _NOT_OMERO
        self._passes = is_wanted and self.found in ("", name)
        if self._passes:
            self.found = name

    @staticmethod
    def _is_dropped(line: bytes) -> bool:
        return any(pattern.match(line) for pattern in (_OWNER, _PRIVILEGE, _OF_SUPERUSERS))
