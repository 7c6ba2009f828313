"""Why servers don't come up: what their words mean and what mends it, said once for the start and for diagnostics."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Sign:
    """Words in a reason or in a line of a log.

    :param marker: a part that stands in the text whenever the pattern matches; a plain search is much faster
    :param pattern: regular expression; its groups fill the places of the cause's texts
    """

    marker: str
    pattern: str


@dataclass(frozen=True)
class Cause:
    """A cause that is well known.

    :param code: stable, kebab-case
    :param meaning: what is wrong, a sentence
    :param mend: what mends it, a command where there is one; ``{name}`` is a group of the sign's pattern
    :param may_pass: whether it may end by itself, so that trying again makes sense
    """

    code: str
    meaning: str
    mend: str
    signs: tuple[Sign, ...]
    may_pass: bool = False


@dataclass(frozen=True)
class Finding:
    """A cause that was recognised.

    :param may_pass: whether it may end by itself, so that trying again makes sense
    """

    code: str
    meaning: str
    mend: str
    may_pass: bool = False


_ICESSL = "omero.glacier2.IceSSL"

CAUSES: tuple[Cause, ...] = (
    Cause(
        "database-password",
        "Your PostgreSQL password may be wrong.",
        "omero config set omero.db.pass PASSWORD",
        (
            Sign("password", r"password authentication failed for user|no password supplied"),
            Sign("refuses the password", r"refuses the password of user"),
        ),
    ),
    Cause(
        "database-role",
        "The PostgreSQL role does not exist.",
        "createuser --pwprompt ROLE, or: omero config set omero.db.user ROLE",
        (Sign("role ", r'role ".{1,80}?" does not exist|has no role '),),
    ),
    Cause(
        "database-missing",
        "The database does not exist.",
        "restore it, or make it: createdb --encoding UTF8 --owner ROLE {name} && omero db init",
        (
            Sign("database ", r'database "(?P<name>[^"]{1,80})" does not exist'),
            Sign("has no database ", r"has no database (?P<name>\S{1,80})"),
        ),
    ),
    Cause(
        "database-empty",
        "Did you create your database?",
        "omero db init",
        (
            Sign("create your database", r"did you create your database\?"),
            Sign("dbpatch", r"error connecting to database table dbpatch"),
        ),
    ),
    Cause(
        "database-version",
        "The database needs an upgrade.",
        "omero db upgrade --dry-run; or correct omero.db.version and omero.db.patch",
        (Sign("DB version", r"DB version \(.{1,80}?\) does not match"),),
    ),
    Cause(
        "database-refused",
        "The PostgreSQL server refuses connections.",
        "start PostgreSQL, or correct omero.db.host and omero.db.port: omero config get omero.db.port",
        (Sign("onnection", r"connection (?:to .{1,120}? )?(?:was )?refused"),),
        may_pass=True,
    ),
    Cause(
        "database-unreachable",
        "The PostgreSQL server does not answer.",
        "start PostgreSQL, or correct omero.db.host and omero.db.port: omero config get omero.db.port",
        (
            Sign("does not answer", r"database server at \S+ does not answer"),
            Sign("t answer", r"the database(?: \S+ on \S+)? (?:doesn't|does not) answer"),
        ),
        may_pass=True,
    ),
    Cause(
        "database-full",
        "The PostgreSQL server takes no more connections.",
        "raise PostgreSQL's max_connections, or: omero config set omero.db.poolsize NUMBER",
        (
            Sign("connections", r"takes no more connections|too many connections"),
            Sign("too many clients", r"too many clients"),
            Sign("connection slots", r"remaining connection slots"),
        ),
        may_pass=True,
    ),
    Cause(
        "port-taken",
        "Another program has a port that the server needs.",
        "see which: ss -ltnp 'sport = :{port}'; stop it, or move all ports: omero config set omero.ports.prefix 1",
        (
            Sign("is taken by", r"port (?P<port>\d{1,5}) \([\w.]+\) is taken by"),
            Sign("can't listen on", r"can't listen on \S*?:(?P<port>\d{1,5})\b.{0,60}(?:in use|already running)"),
            Sign("ddress already in use", r"address already in use"),
        ),
    ),
    Cause(
        "certificate-password",
        "The password of the certificate's file is wrong, or the file is damaged.",
        f"omero config set {_ICESSL}.Password PASSWORD, or make it anew: omero certificates",
        (
            Sign("PKCS#12", r"no PKCS#12 file, or \S+ is wrong|can't be opened with \S+Password"),
            Sign("password was incorrect", r"(?:keystore )?password was incorrect"),
            Sign("mac verify", r"mac verify (?:error|failure)"),
        ),
    ),
    Cause(
        "certificate-expired",
        "The certificate has expired.",
        "omero certificates",
        (Sign("certificate", r"certificate(?: \S{1,300})?(?: \(\S{1,80}\))? (?:has expired|ended on)"),),
    ),
    Cause(
        "certificate-missing",
        "The certificate is missing, or may not be read by the account of the servers.",
        f"omero certificates, or correct {_ICESSL}.DefaultDir and {_ICESSL}.CertFile",
        (
            Sign("CertFile", r"CertFile\)? (?:is not set|is missing|can't be read)"),
            Sign(".p12 can't be", r"\.p12 can't be (?:read|used)"),
        ),
    ),
    Cause(
        "out-of-memory",
        "The server ran out of memory.",
        "omero admin jvmcfg shows what each server has; more for one: omero config set"
        " omero.jvmcfg.heap_size.SERVICE SIZE",
        (
            Sign("OutOfMemoryError", r"java\.lang\.OutOfMemoryError"),
            Sign("MemoryError", r"\bMemoryError\b"),
            Sign("annot allocate memory", r"cannot allocate memory"),
            Sign("start new thread", r"can't start new thread"),
            Sign("reserve enough space", r"could not reserve enough space for (?:\S+ )?object heap"),
            Sign("insufficient memory", r"insufficient memory for the Java Runtime"),
        ),
    ),
    Cause(
        "disk-full",
        "A disk is full.",
        "make room; see where: df -h",
        (
            Sign("o space left", r"no space left on device"),
            Sign("uota exceeded", r"disk quota exceeded"),
            Sign("has no room left", r"has no room left"),
        ),
    ),
    Cause(
        "not-writable",
        "The account of the servers may not use a file or directory.",
        "give it back to that account, or mount it writable: ls -ld {path}",
        (
            Sign("ermission denied", r"(?P<path>/\S+) can't be \w+: permission denied"),
            Sign("ermission denied", r"permission denied:? '(?P<path>/[^']+)'"),
            Sign("ermission denied", r"permission denied"),
            Sign("ead-only file system", r"read-only file system"),
            Sign("is not writable for", r"(?P<path>/\S+) is not writable for"),
        ),
    ),
    Cause(
        "directory-missing",
        "A file or directory is missing.",
        "mount or restore it, or correct omero.data.dir: ls -ld {path}",
        (
            Sign("o such file or directory", r"no such file or directory: '(?P<path>/[^']+)'"),
            Sign("o such file or directory", r"(?P<path>/\S+) can't be \w+: no such file or directory"),
            Sign("is missing", r"directory(?: \([\w.]+\))? (?P<path>/\S+) is missing"),
        ),
    ),
    Cause(
        "index-damaged",
        "The full-text index is damaged, or another version wrote it.",
        "remove it, and everything is indexed anew at the next start: omero admin reindex --wipe; while the server"
        " runs, then start Indexer again: omero admin reindex --finish",
        (
            Sign("the index in", r"the index in (?P<path>/.{1,300}?) can't be opened: (?!.*(?:LockBusy|IoError))"),
            Sign("the index in", r"the index in (?P<path>/.{1,300}?) is damaged: "),
        ),
    ),
    Cause(
        "package-missing",
        "A Python package is missing.",
        "install it beside the toolkit, with the same pip: pip install {package}",
        (
            Sign("No module named", r"No module named '(?P<package>\w+)"),
            Sign("Python package", r"Python package (?P<package>\w+)\b.{0,40}? is (?:missing|not installed)"),
        ),
    ),
    Cause(
        "repository-in-use",
        "Another server uses the repository.",
        "stop that server, or give this one a data directory of its own: omero config get omero.data.dir",
        (Sign("another server uses the repository", r"another server uses the repository"),),
    ),
    Cause(
        "program-missing",
        "The program of a server can't be run.",
        "see the descriptor etc/grid/templates.xml and PATH; render it anew: omero admin rewrite --force",
        (
            Sign("can't be run", r"can't be run: "),
            Sign("cannot execute", r"cannot execute `"),
        ),
    ),
    Cause(
        "setting-invalid",
        "The value of a property is wrong.",
        "see what it may be: omero config describe {key}",
        (Sign(" is '", r"\b(?P<key>(?:omero|Ice|IceSSL)\.[\w.-]*\w) is '"),),
    ),
)
"""What is well known, the more particular before the more general."""

_MARKED = tuple(
    (sign.marker.encode(), re.compile(sign.pattern.encode(), re.IGNORECASE), cause)
    for cause in CAUSES
    for sign in cause.signs
)

MARKERS = frozenset(marker for marker, _, _ in _MARKED)
"""A text without any of them has no known cause."""


def cause_in(text: bytes) -> Finding | None:
    """What a line of a log, or a reason, stands for, if it is well known."""
    for marker, pattern, cause in _MARKED:
        found = pattern.search(text) if marker in text else None
        if found is not None:
            groups = {name: value.decode("utf-8", "replace") for name, value in found.groupdict().items() if value}
            return Finding(cause.code, cause.meaning, _fill(cause.mend, groups), cause.may_pass)
    return None


def first_cause(texts: Iterable[str]) -> Finding | None:
    """What the first text with a known cause stands for.

    :param texts: the most telling first
    """
    return next((found for text in texts if (found := cause_in(text.encode())) is not None), None)


def mend_for(meaning: str) -> str:
    """What mends the cause with this meaning; empty where there is none."""
    return next((_fill(cause.mend, {}) for cause in CAUSES if cause.meaning == meaning), "")


def _fill(text: str, groups: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda place: groups.get(place[1], place[1].upper()), text)
