"""Files that are wholly an operation's own, below /etc: as a wish for ``file``."""

from __future__ import annotations

import os

from omeroadmin.provisioning.agent.change import Wish

_NOTE = "# Written by omero hosts: what is changed here is lost.\n"


def owned_file(wish: Wish, path: str, lines: list[str]) -> Wish:
    """The wish for ``file`` that an operation comes down to.

    :param wish: with ``state``
    :param lines: without their ends
    """
    present = wish["state"] == "present"
    return {
        "path": path,
        "content": _NOTE + "".join(f"{line}\n" for line in lines) if present else "",
        "owner": "root" if present else "",
        "group": "root" if present else "",
        "mode": "0644" if present else "",
        "secret": False,
        "only_new": False,
        "state": wish["state"],
    }


def make_parent(path: str) -> None:
    """Make the directory of a file; small systems come without some below /etc.

    :raises OSError: as the system says
    """
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
