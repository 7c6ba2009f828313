"""Where a path leads, and nowhere else.

What the agent does as root below a directory of somebody else must not be led away by them: a link that a user makes in
their home or in ``/tmp`` may point at ``/etc/shadow``, and may come into being between a look and a deed. So a path is
walked by descriptors, and what is found stays that place, whatever is renamed meanwhile. Links of root and of the
agent's own user are followed; links of others are where they lead to something that is theirs.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import Iterator

from omeroadmin.provisioning.agent.change import HostError

_MOST_LINKS = 40
_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextlib.contextmanager
def held(path: str, follow: bool = True, make: bool = False) -> Iterator[str]:
    """Give another path of the same thing, whose directory is held and which is no link itself. A context.

    :param follow: whether the last name may be a link, and stands for what that leads to
    :param make: whether missing directories above it are made
    :raises OSError: as the system says, where there is no such directory
    :raises HostError: ``host-link-untrusted``
    """
    walk = _Walk(path)
    try:
        name = walk.go(follow, make)
        yield f"/proc/self/fd/{walk.directory}/{name}"
    finally:
        os.close(walk.directory)


class _Walk:
    """The way along a path.

    :ivar directory: descriptor of where it has come to
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._parts = _reversed(path)
        self._links = 0
        self._stranger = -1
        self.directory = os.open("/" if path.startswith("/") else ".", _DIRECTORY)

    def go(self, follow: bool, make: bool) -> str:
        """Walk to the directory of what the path names.

        :return: name there
        """
        while self._parts:
            name = self._parts.pop()
            status = self._status(name)
            if status is not None and stat.S_ISLNK(status.st_mode) and (follow or self._parts):
                self._follow(name, status)
            elif not self._parts and name != "..":
                self._require_theirs(status)
                return name
            else:
                if status is None and make:
                    self._require_theirs(None)
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(name, dir_fd=self.directory)
                self._enter(name)
        self._require_theirs(os.fstat(self.directory))
        return "."

    def _status(self, name: str) -> os.stat_result | None:
        try:
            return os.lstat(name, dir_fd=self.directory)
        except FileNotFoundError:
            return None

    def _enter(self, name: str, start: bool = False) -> None:
        entered = os.open(name, _DIRECTORY, dir_fd=None if start else self.directory)
        os.close(self.directory)
        self.directory = entered

    def _follow(self, name: str, status: os.stat_result) -> None:
        self._links += 1
        if self._links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if status.st_uid not in (0, os.geteuid()):
            if self._stranger not in (-1, status.st_uid):
                raise self._untrusted()
            self._stranger = status.st_uid
        target = os.readlink(name, dir_fd=self.directory)
        if target.startswith("/"):
            self._enter("/", start=True)
        self._parts += _reversed(target)

    def _require_theirs(self, status: os.stat_result | None) -> None:
        """Behind a link of somebody else is what is theirs, or nothing in a directory that is."""
        if self._stranger != -1 and (status or os.fstat(self.directory)).st_uid != self._stranger:
            raise self._untrusted()

    def _untrusted(self) -> HostError:
        from omeroadmin.provisioning.agent.accounts import user_name

        return HostError(
            "host-link-untrusted",
            f"{self._path} goes by a symbolic link of {user_name(self._stranger)} to what is not theirs",
            "give the path that it leads to; or, if it should lead there, the link to root",
        )


def _reversed(path: str) -> list[str]:
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]
