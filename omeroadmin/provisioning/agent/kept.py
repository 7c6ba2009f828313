"""Copies of files as they were before a change, for the way back: on the host, for its owner only."""

from __future__ import annotations

import contextlib
import os

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.files import open_to_read, read_whole, sync_directory
from omeroadmin.provisioning.agent.state import drop_old_runs, make_state_directory, state_directory

_INCOMING = ".incoming.omeroadmin-new"


def keep_copy(path: str) -> str:
    """Keep the present content of a file, of any size.

    :return: the name of the copy
    :raises OSError: as the system says
    """
    import hashlib

    directory = os.path.join(make_state_directory(), "kept")
    os.makedirs(directory, mode=0o700, exist_ok=True)
    sweep()
    incoming = os.path.join(directory, _INCOMING)
    hashed = hashlib.sha256()
    descriptor = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as copy, os.fdopen(open_to_read(path), "rb") as stream:
            while block := stream.read(1 << 20):
                hashed.update(block)
                copy.write(block)
            copy.flush()
            os.fsync(copy.fileno())
        name = hashed.hexdigest()
        os.replace(incoming, os.path.join(directory, name))
    finally:
        sweep()
    sync_directory(directory)
    return name


def copy_path(name: str) -> str:
    """Where a copy is.

    :raises HostError: ``host-copy-missing``
    """
    path = os.path.join(state_directory(), "kept", os.path.basename(name))
    if not os.path.isfile(path):
        raise HostError("host-copy-missing", f"the copy {name} of an earlier file is gone")
    return path


def take_copy(name: str) -> bytes:
    """Content of a copy that isn't large.

    :raises HostError: ``host-copy-missing``
    """
    return read_whole(copy_path(name)) or b""


def drop_old(run: str) -> None:
    """Before a new run: drop what takes old ones back, with the copies that no run needs any more."""
    if not drop_old_runs(run):
        return
    runs, directory = (os.path.join(state_directory(), name) for name in ("runs", "kept"))
    needed = b"".join(read_whole(os.path.join(runs, name)) or b"" for name in os.listdir(runs))
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        if name.encode() not in needed:
            os.unlink(os.path.join(directory, name))


def sweep() -> None:
    """Remove a copy that was being made."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(state_directory(), "kept", _INCOMING))
