"""Copies of files as they were before a change, for the way back: on the host, for its owner only."""

from __future__ import annotations

import hashlib
import os

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.files import read_whole, write_whole
from omeroadmin.provisioning.agent.state import make_state_directory, state_directory


def keep_copy(path: str) -> str:
    """Keep the present content of a file.

    :return: the name of the copy
    """
    content = read_whole(path) or b""
    name = hashlib.sha256(content).hexdigest()
    directory = os.path.join(make_state_directory(), "kept")
    os.makedirs(directory, mode=0o700, exist_ok=True)
    target = os.path.join(directory, name)
    if not os.path.exists(target):
        write_whole(target, content, 0o600)
    return name


def take_copy(name: str) -> bytes:
    """Content of a copy.

    :raises HostError: ``host-copy-missing``
    """
    content = read_whole(os.path.join(state_directory(), "kept", os.path.basename(name)))
    if content is None:
        raise HostError("host-copy-missing", f"the copy {name} of an earlier file is gone")
    return content
