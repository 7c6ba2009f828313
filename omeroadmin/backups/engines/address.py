"""Addresses of backup targets, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from omeroadmin.errors import AdminError, usage_error

SSH = "ssh://"
RESTIC = "restic:"
BORG = "borg:"

_REMOTE = re.compile(r"[^/]*:")
"""Begins an address that is no directory: a URL, or a host as scp and rsync write it."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")


@dataclass(frozen=True)
class SshAddress:
    """A directory on another host.

    :param user: ``None``: as SSH's configuration says, else the present one
    :param port: ``None``: as SSH's configuration says, else 22
    :param path: absolute, or relative to the home directory there: ``ssh://host/~/backups``
    """

    host: str
    user: str | None
    port: int | None
    path: str


def is_directory(address: str) -> bool:
    """Whether an address is that of a directory of this machine."""
    return not address.startswith((SSH, RESTIC, BORG))


def require_known(address: str) -> str:
    """An address whose kind is known: a directory of the name ``host:`` is never what was meant.

    :raises AdminError: ``backup-target-invalid``
    """
    if not address.strip() or "\0" in address:
        raise _invalid("the backup target is empty")
    if is_directory(address) and _REMOTE.match(address):
        forms = "ssh://user@host/path; a directory with a colon in its name: ./NAME, or its full path"
        raise _invalid(f"{without_password(address)!r} is no kind of backup target", forms)
    return address


def parse_ssh(address: str) -> SshAddress:
    """The parts of ``ssh://user@host:port/path``.

    :raises AdminError: ``backup-target-invalid``
    """
    try:
        parts = urlsplit(address)
        host, port, user = parts.hostname, parts.port, parts.username
    except ValueError as error:
        raise _invalid(f"an ssh:// target can't be understood: {error}") from error
    if parts.password is not None:
        # Not repeated: it would stand in logs and in the list of processes.
        raise _invalid("an ssh:// target holds no password", "use a key: ssh-keygen, ssh-copy-id")
    path = unquote(parts.path).rstrip("/")
    if not host or not path or parts.query or parts.fragment or "\0" in path:
        raise _invalid(f"{address!r} names no host or no directory")
    if user is not None and not _NAME.fullmatch(user):
        raise _invalid(f"{address!r} names no user")
    return SshAddress(host, user, port, path.removeprefix("/~/") if path.startswith("/~/") else path)


def parse_repository(address: str) -> str:
    """The repository of ``restic:…`` or ``borg:…``, as these programs name it.

    :raises AdminError: ``backup-target-invalid``
    """
    repository = address.partition(":")[2].strip()
    if not repository or repository.startswith("-") or not repository.isprintable():
        raise _invalid(f"{address!r} names no repository")
    return repository


def local_path(repository: str) -> str | None:
    """The path of a repository on this machine; ``None`` if it is elsewhere."""
    if repository.startswith("local:"):
        return repository.removeprefix("local:")
    if repository.startswith("file://"):
        return repository.removeprefix("file://")
    return repository if ":" not in repository.split("/", 1)[0] else None


def without_password(address: str) -> str:
    """An address for messages: what stands between a user and its host is left out."""
    return re.sub(r"(//[^/@:]*):[^/@]*@", r"\1@", address)


def _invalid(message: str, hint: str = "") -> AdminError:
    forms = "a directory, ssh://user@host/path, restic:REPOSITORY or borg:REPOSITORY"
    return usage_error("backup-target-invalid", message, hint or f"targets are {forms}")
