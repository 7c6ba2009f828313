"""Files of the controller that operations need on hosts: small texts go with the wish, others when they are needed."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

from omeroadmin.errors import configuration_error

_SMALL = 256 << 10
"""Bytes up to which a text is part of its wish, so that a plan can show what differs."""


def with_source(wish: dict[str, Any], path: Path) -> dict[str, Any]:
    """A wish with what an agent must know of the file that is its ``source``.

    Where the result has a ``digest``, the file must be offered to the session
    (:meth:`omeroadmin.provisioning.session.AgentSession.offer`): the agent asks for it while it applies, if it needs
    it.

    :param path: the file, on this machine
    :return: with ``content``, for a small text of a wish that has such a field, else with ``digest`` and ``size``
    :raises AdminError: ``source-not-read``
    """
    try:
        status = path.stat()
        if "content" in wish and status.st_size <= _SMALL:
            text = _text(path.read_bytes())
            if text is not None:
                return {**wish, "source": path.name, "content": text}
        digest = _digest(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise configuration_error("source-not-read", f"{path} can't be read: {error.strerror or error}") from error
    return {**wish, "source": path.name, "digest": digest, "size": status.st_size}


def _text(content: bytes) -> str | None:
    try:
        return None if b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return None


@functools.lru_cache(maxsize=256)
def _digest(path: Path, size: int, changed: int) -> str:  # noqa: ARG001 - a file that has changed is another one
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
