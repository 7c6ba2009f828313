"""What a test host has changed on its disk, told from the layer above the base, which nothing can change."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

LOGINS = (
    "home/*/.ssh", "root/.ssh", "var/lib/sudo/lectured/*",
    "var/log/btmp", "var/log/faillog", "var/log/lastlog", "var/log/wtmp",
)  # fmt: skip
"""What every login writes, and is left out. What is in memory (/dev, /proc, /run, /sys) isn't on the disk either."""


def changes(layer: Path, ignored: tuple[str, ...] = LOGINS) -> dict[str, str]:
    """All that differs from the base.

    :param layer: the upper layer of an overlay; what was removed is a device 0, 0 in it
    :param ignored: patterns of paths, relative to the root
    :return: by path: type and mode, owner, group, size, time of change in nanoseconds, extended attributes, and a
        digest of the content
    """
    found = {}
    pending = [layer]
    while pending:
        directory = pending.pop()
        for entry in os.scandir(directory):
            path = Path(entry.path)
            relative = path.relative_to(layer)
            if any(relative.match(pattern) for pattern in ignored):
                continue
            found[str(relative)] = _described(path)
            if entry.is_dir(follow_symlinks=False):
                pending.append(path)
    return found


def _described(path: Path) -> str:
    status = path.lstat()
    size = 0 if stat.S_ISDIR(status.st_mode) else status.st_size
    fields: list[Any] = [stat.filemode(status.st_mode), status.st_uid, status.st_gid, size, status.st_mtime_ns]
    # The overlay's own notes say where a file came from.
    fields += [
        f"{name}={os.getxattr(path, name, follow_symlinks=False).hex()}"
        for name in sorted(os.listxattr(path, follow_symlinks=False))
        if not name.startswith(("trusted.overlay.origin", "trusted.overlay.impure"))
    ]
    if stat.S_ISLNK(status.st_mode):
        fields.append(str(path.readlink()))
    elif stat.S_ISREG(status.st_mode):
        with path.open("rb") as stream:
            fields.append(hashlib.file_digest(stream, "blake2b").hexdigest()[:32])
    elif stat.S_ISCHR(status.st_mode):
        fields.append(status.st_rdev)
    return " ".join(map(str, fields))
