"""Files of the controller that an operation needs: asked for while it is carried out, and only then.

They arrive in the state directory, block by block; what a lost connection has left is taken up by the next run. An
agent that is sent home removes them.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Callable, Protocol

from omeroadmin.provisioning.agent.change import HostError, Wish, system_failure
from omeroadmin.provisioning.agent.state import make_state_directory, state_directory

_BLOCK = 256 << 10
_AHEAD = 16
"""Blocks that are asked for before the first of them is there: round trips cost nothing then."""


class Supplier(Protocol):
    """The way to the controller's files."""

    def ask(self, digest: str, offset: int, length: int) -> None:
        """Ask for a block."""
        ...

    def take(self) -> bytes:
        """The next block that was asked for.

        :raises HostError: where the controller has none, or is gone
        """
        ...


_suppliers: list[Supplier] = []
_used: set[str] = set()
"""Digests of files that this agent has asked for, or found."""


def use_supplier(supplier: Supplier) -> None:
    """Say where files come from; the agent does when it starts."""
    _suppliers[:] = [supplier]


def fetch(name: str, digest: str, size: int) -> str:
    """Path of a copy of a file of the controller.

    :param name: the file, for messages
    :param digest: its SHA-256
    :param size: bytes
    :raises HostError: ``host-source-missing``, ``host-source-damaged``, ``host-file-not-written``
    """
    make_state_directory()
    whole = _place(digest)
    directory = os.path.dirname(whole)
    _used.add(digest)
    part = f"{whole}.part"
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        if os.path.exists(whole):
            return whole
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            found = _complete(name, descriptor, digest, size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if found != digest:
            os.unlink(part)
            raise HostError("host-source-damaged", f"{name} arrived otherwise than it was when the run began")
        os.rename(part, whole)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            # Others need the room, too.
            with contextlib.suppress(OSError):
                os.unlink(part)
        raise system_failure("written", part, error) from error
    return whole


def is_left(wish: Wish) -> bool:
    """Whether a run that was interrupted has left the file of a wish, which had arrived."""
    digest = wish.get("digest", "")
    return bool(digest) and digest not in _used and os.path.exists(_place(digest))


def drop(wish: Wish) -> None:
    """Remove what :func:`is_left` has found."""
    if wish.get("digest"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_place(wish["digest"]))


def _place(digest: str) -> str:
    return os.path.join(state_directory(), "arrived", os.path.basename(digest))


def _complete(name: str, descriptor: int, digest: str, size: int) -> str:
    """Fetch what is missing of a file; its digest then."""
    import hashlib

    hashed = hashlib.sha256()
    have = 0
    while have < size:
        block = os.read(descriptor, _BLOCK)
        if not block:
            break
        hashed.update(block)
        have += len(block)
    os.ftruncate(descriptor, have)
    if have < size and not _suppliers:
        raise HostError("host-source-missing", f"nobody brings {name}")
    asked: list[int] = []
    wanted = have
    try:
        while have < size:
            while wanted < size and len(asked) < _AHEAD:
                _suppliers[0].ask(digest, wanted, min(_BLOCK, size - wanted))
                asked.append(min(_BLOCK, size - wanted))
                wanted += asked[-1]
            expected = asked.pop(0)
            block = _suppliers[0].take()
            if len(block) != expected:
                raise HostError("host-source-damaged", f"{name} has become shorter since the run began")
            _append(descriptor, block)
            hashed.update(block)
            have += len(block)
    except (OSError, HostError):
        # What is on its way must not be taken for the answers to other questions.
        with contextlib.suppress(HostError):
            for _ in asked:
                _suppliers[0].take()
        raise
    return hashed.hexdigest()


def _append(descriptor: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(descriptor, view) :]


def sweep() -> None:
    """Remove what has arrived."""
    directory = os.path.join(state_directory(), "arrived")
    if os.path.isdir(directory):
        import shutil

        shutil.rmtree(directory, ignore_errors=True)


class Blocks:
    """A supplier by messages: what the agent's two threads share."""

    def __init__(self, send: Callable[[dict[str, object]], None]) -> None:
        import queue

        self._send = send
        self._queue: queue.SimpleQueue[dict[str, str] | None] = queue.SimpleQueue()

    def arrived(self, message: dict[str, str] | None) -> None:
        """Take a message with a block; ``None`` where there will be no more."""
        self._queue.put(message)

    def ask(self, digest: str, offset: int, length: int) -> None:
        """See :class:`Supplier`."""
        self._send({"wants": digest, "offset": offset, "length": length})

    def take(self) -> bytes:
        """See :class:`Supplier`."""
        import base64

        message = self._queue.get()
        if message is None:
            self._queue.put(None)
            raise HostError("host-source-missing", "the connection is gone", "run it again")
        if "error" in message:
            raise HostError("host-source-missing", message["error"], "run it again")
        return base64.b64decode(message["data"])
