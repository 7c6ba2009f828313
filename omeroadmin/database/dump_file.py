"""Restores dumps that others made: pg_dump's formats, custom, directory, tar and SQL, and pg_dumpall's."""

from __future__ import annotations

import gzip
import itertools
import os
import secrets
import tempfile
import zlib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import IO, cast

from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.database.dump import DUMP_TIMEOUT, check_restorable, conninfo
from omeroadmin.database.plain_dump import CLUSTER_MARK, MARK, PlainDump
from omeroadmin.database.programs import Programs
from omeroadmin.errors import AdminError, configuration_error, failed_error
from omeroadmin.system import files, process

_HEAD = 4096
_GZIP = b"\x1f\x8b"
_LIST_TIMEOUT = 300.0
_LEFT_OUT = ("COMMENT - EXTENSION plpgsql", "EXTENSION - plpgsql", "SCHEMA - public", "COMMENT - SCHEMA public")
"""What only superusers may make, and every database has."""

_RESTRICTED_SINCE = {13: 22, 14: 19, 15: 14, 16: 10, 17: 6}
"""Minor versions from which on psql knows restrict."""


class DumpFormat(Enum):
    """What a dump is, in the words of pg_dump."""

    CUSTOM = "custom"
    DIRECTORY = "directory"
    TAR = "tar"
    PLAIN = "plain"
    CLUSTER = "cluster"


def dump_format(path: Path) -> DumpFormat:
    """What a dump is, by its first bytes.

    :raises AdminError: ``dump-missing``, ``dump-unknown``, ``file-not-read``
    """
    if path.is_dir():
        # False as well where this user may not look.
        if not os.path.isfile(path / "toc.dat"):  # noqa: PTH113
            raise configuration_error("dump-missing", f"{path} holds no dump: it has no toc.dat")
        return DumpFormat.DIRECTORY
    if not path.exists():
        raise configuration_error("dump-missing", f"{path} is not there", f"check it: ls -ld {path.parent}")
    try:
        with _stream(path) as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise files.named_file_error(path, error) from error
    except (EOFError, zlib.error) as error:
        raise _unknown(path, "it ends too early") from error
    if head.startswith((b"PGDMP", b"toc.dat\0")):
        if _is_gzipped(path):
            raise _unknown(path, "it is pg_dump's own format inside gzip", f"unpack it: gunzip {path}")
        return DumpFormat.CUSTOM if head.startswith(b"PGDMP") else DumpFormat.TAR
    if CLUSTER_MARK in head:
        return DumpFormat.CLUSTER
    if MARK in head:
        return DumpFormat.PLAIN
    raise _unknown(path, "it begins as none of pg_dump's formats does")


def restore_file(
    address: DatabaseAddress,
    programs: Programs,
    path: Path,
    *,
    database: str = "",
    jobs: int = 2,
    timeout: float = DUMP_TIMEOUT,
) -> None:
    """Restore a dump into an existing, empty database, whose role comes to own everything.

    :param programs: not older than those that made the dump
    :param database: which database of a cluster's dump; empty: the first that isn't PostgreSQL's own
    :param jobs: connections that restore tables at the same time, where the format allows it
    :param timeout: seconds
    :raises AdminError: ``dump-missing``, ``dump-unknown``, ``database-not-empty``, ``postgresql-too-old``,
        ``restore-failed``, ``program-timeout``, and as :func:`omeroadmin.database.connection.connect`
    """
    kind = dump_format(path)
    check_restorable(address, programs)
    if kind in (DumpFormat.PLAIN, DumpFormat.CLUSTER):
        done = _load(address, programs, path, database, timeout)
    else:
        done = _restore(address, programs, path, jobs if kind is not DumpFormat.TAR else 1, timeout)
    if not done.succeeded:
        name = Path(done.arguments[0]).name
        raise failed_error(
            "restore-failed",
            f"{name} could not restore {path} into {address}: {done.last_words()}",
            "the database may hold a part of the dump: make it anew before the next try",
        )
    with connect(address, autocommit=True) as connection:
        connection.execute("ANALYZE")


def _restore(address: DatabaseAddress, programs: Programs, path: Path, jobs: int, timeout: float) -> process.Completed:
    listed = process.run([programs.path("pg_restore"), "--list", path], timeout=_LIST_TIMEOUT)
    if not listed.succeeded:
        return listed
    kept = [line for line in listed.output.splitlines() if not any(f" {what}" in line for what in _LEFT_OUT)]
    with tempfile.NamedTemporaryFile("w", prefix="omero-restore-", suffix=".list") as chosen:
        chosen.write("\n".join(kept) + "\n")
        chosen.flush()
        arguments: list[str | Path] = [
            programs.path("pg_restore"),
            f"--dbname={conninfo(address.name)}",
            f"--jobs={jobs}",
            f"--use-list={chosen.name}",
            "--no-owner",
            "--no-privileges",
            "--no-password",
            "--exit-on-error",
            path,
        ]
        with address.environment() as environment:
            return process.run(arguments, timeout=timeout, environment={**environment, "LC_ALL": "C"})


def _load(address: DatabaseAddress, programs: Programs, path: Path, database: str, timeout: float) -> process.Completed:
    arguments: list[str | Path] = [
        programs.path("psql"),
        "--no-psqlrc",
        "--quiet",
        "--no-password",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
        "--output=/dev/null",
        f"--dbname={conninfo(address.name)}",
        "--file=-",
    ]
    dump = PlainDump(database)
    try:
        with _stream(path) as stream, address.environment() as environment:
            lines = itertools.chain(_restricted(programs), dump.clean(iter(stream)), _end(dump, path))
            return process.feed(arguments, lines, timeout=timeout, environment={**environment, "LC_ALL": "C"})
    except (EOFError, zlib.error) as error:
        raise _cut(path) from error
    except OSError as error:
        raise files.named_file_error(path, error) from error


def _restricted(programs: Programs) -> Iterator[bytes]:
    """What follows can't make psql run programs, where psql is new enough to be told so."""
    major, minor = programs.version
    if major >= 18 or minor >= _RESTRICTED_SINCE.get(major, 1000):
        yield f"\\restrict {secrets.token_hex(16)}\n".encode()


def _end(dump: PlainDump, path: Path) -> Iterator[bytes]:
    """Raise where the end is missing, before psql commits: it takes the end of its input for the end of the data.

    :raises AdminError: ``restore-failed``
    """
    if not dump.complete:
        raise _cut(path)
    yield from ()


def _cut(path: Path) -> AdminError:
    return failed_error(
        "restore-failed", f"{path} ends too early, or holds no such database; nothing was restored", "take another dump"
    )


def _stream(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if _is_gzipped(path) else path.open("rb")


def _is_gzipped(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == _GZIP


def _unknown(path: Path, why: str, hint: str = "") -> AdminError:
    return configuration_error(
        "dump-unknown", f"{path} is no dump that can be restored: {why}", hint or "pg_dump -Fc makes one"
    )
