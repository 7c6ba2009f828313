"""Keeps sessions between commands in the files that OMERO's clients use, so that both find each other's.

``<directory>/<host>/<user>/<session key>`` holds a session; ``._LASTHOST_``, ``._LASTUSER_`` and ``._LASTSESS_`` beside
them name the one used last, ``._LASTPORT_`` its port. The names of the files are credentials: directories are 0700, and
no message shows a key.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from omeroadmin.access.address import Address
from omeroadmin.errors import AdminError, failed_error
from omeroadmin.system.files import SECRET_MODE, make_directory, write_atomically

_DIRECTORY_MODE = 0o700
_LAST_HOST = "._LASTHOST_"
_LAST_PORT = "._LASTPORT_"
_LAST_USER = "._LASTUSER_"
_LAST_SESSION = "._LASTSESS_"
_LARGEST_FILE = 16384


@dataclass(frozen=True)
class StoredSession:
    """A session in the store.

    :param key: the bearer credential; never printed
    :param started: seconds since 1970 UTC at which it was stored
    :param sudoer: who opened it in this user's name, or empty
    """

    address: Address
    user: str
    group: str
    key: str = field(repr=False)
    started: float = field(default=0.0, compare=False)
    sudoer: str = ""

    def __str__(self) -> str:
        return f"{self.user}@{self.address}"


class SessionStore:
    """The sessions of one user of this machine.

    :param directory: ``$OMERO_SESSIONDIR`` or ``$OMERO_USERDIR/sessions``; made when something is stored
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def add(self, session: StoredSession) -> None:
        """Store a session and make it the last one used.

        :raises AdminError: ``session-not-stored``
        """
        self.update(session)
        self.use(session)

    def update(self, session: StoredSession) -> None:
        """Store a session or what has changed of it.

        :raises AdminError: ``session-not-stored``
        """
        lines = {
            "omero.host": session.address.host,
            "omero.port": str(session.address.port),
            "omero.user": session.user,
            "omero.group": session.group,
            "omero.sess": session.key,
        }
        if session.sudoer:
            lines["omero.sudo"] = session.sudoer
        if session.address.transport != "ssl":
            lines["omero.transport"] = session.address.transport
        if session.address.path:
            lines["omero.path"] = session.address.path
        for value in lines.values():
            if "\n" in value or "\r" in value:
                raise failed_error("session-not-stored", "a session whose names have line breaks can't be stored")
        content = "".join(f"{name}={value}\n" for name, value in lines.items())
        with self._writing():
            self._make_directories(session)
            write_atomically(self.file(session), content, mode=SECRET_MODE)

    def use(self, session: StoredSession) -> None:
        """Make a stored session the last one used.

        :raises AdminError: ``session-not-stored``
        """
        user_directory = self.file(session).parent
        marks = (
            (user_directory / _LAST_SESSION, session.key),
            (user_directory.parent / _LAST_USER, user_directory.name),
            (self.directory / _LAST_HOST, user_directory.parent.name),
            (self.directory / _LAST_PORT, str(session.address.port)),
        )
        with self._writing():
            for path, value in marks:
                if _content(path).strip() != value:
                    write_atomically(path, value, mode=SECRET_MODE)

    def remove(self, session: StoredSession) -> None:
        """Forget a session, and the mark of the last one if it is that; nothing happens where it is gone.

        :raises AdminError: ``session-not-stored``
        """
        path = self.file(session)
        if not path.is_file():
            return
        with self._writing():
            path.unlink(missing_ok=True)
            mark = path.with_name(_LAST_SESSION)
            if _content(mark).strip() == session.key:
                mark.unlink(missing_ok=True)
            for directory in (path.parent, path.parent.parent):
                self._remove_if_empty(directory)

    def sessions(self) -> list[StoredSession]:
        """All stored sessions, by host and user; files that are none are passed over."""
        return sorted(self._read_all(), key=lambda session: (session.address.host, session.user, session.started))

    def find(self, matches: Callable[[StoredSession], bool]) -> StoredSession | None:
        """The session used last among those that match."""

        def rank(session: StoredSession) -> tuple[bool, bool, bool, float]:
            directory = self.file(session).parent
            return (
                _content(self.directory / _LAST_HOST).strip() == directory.parent.name,
                _content(directory.parent / _LAST_USER).strip() == directory.name,
                _content(directory / _LAST_SESSION).strip() == session.key,
                session.started,
            )

        return max((session for session in self._read_all() if matches(session)), key=rank, default=None)

    def current(self, matches: Callable[[StoredSession], bool], host: str | None = None) -> StoredSession | None:
        """The session that is used where no user is named: one of the last user's, at the last server.

        Whoever logs out doesn't go on as somebody else.

        :param host: a server that is named
        """
        host = _content(self.directory / _LAST_HOST).strip() if host is None else _file_name(host)
        user = _content(self.directory / host / _LAST_USER).strip() if host else ""

        def is_last_users(session: StoredSession) -> bool:
            place = self.file(session).parent
            return not user or (place.parent.name, place.name) == (host, user)

        return self.find(lambda session: is_last_users(session) and matches(session))

    def is_last(self, session: StoredSession) -> bool:
        """Whether commands use this session unless they are told otherwise."""
        return session == self.current(lambda _: True)

    def _read_all(self) -> Iterator[StoredSession]:
        for host in _directories(self.directory):
            for user in _directories(host):
                for path in sorted(user.iterdir()):
                    session = None if path.name.startswith(".") else _read(path)
                    if session is not None:
                        yield session

    def file(self, session: StoredSession) -> Path:
        """The file of a session; its name is the key."""
        return self.directory / _file_name(session.address.host) / _file_name(session.user) / _file_name(session.key)

    def _make_directories(self, session: StoredSession) -> None:
        user_directory = self.file(session).parent
        if not self.directory.exists():
            # An existing directory keeps its mode: OMERO_SESSIONDIR may be one that others need, such as /tmp.
            make_directory(self.directory, mode=_DIRECTORY_MODE)
        for directory in (user_directory.parent, user_directory):
            make_directory(directory, mode=_DIRECTORY_MODE)

    def _remove_if_empty(self, directory: Path) -> None:
        """Remove a directory that holds nothing but a mark."""
        with contextlib.suppress(OSError):
            if {path.name for path in directory.iterdir()} <= {_LAST_USER, _LAST_SESSION}:
                for path in directory.iterdir():
                    path.unlink()
                directory.rmdir()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (AdminError, OSError) as error:
            # The usual message names the file, and the file's name is the key.
            cause = error.__cause__ if isinstance(error, AdminError) else error
            reason = (cause.strerror if isinstance(cause, OSError) else None) or "the file can't be written"
            raise failed_error(
                "session-not-stored",
                f"the session store {self.directory} can't be changed: {reason}",
                "check who owns it, or choose another: export OMERO_SESSIONDIR=DIR",
            ) from None


def _file_name(text: str) -> str:
    """A name that stays in its directory and isn't hidden."""
    name = quote(text, safe="@+ ,:[]=~")
    return "%2E" + name[1:] if name.startswith(".") else name


def _directories(parent: Path) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def _content(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            return stream.read(_LARGEST_FILE)
    except OSError:
        return ""


def _read(path: Path) -> StoredSession | None:
    values = dict(line.split("=", 1) for line in _content(path).splitlines() if "=" in line)
    key = values.get("omero.sess", "")
    host = values.get("omero.host", "")
    port = values.get("omero.port", "")
    if not host or not key or unquote(path.name) != key or not port.isascii() or not port.isdigit():
        return None
    transport = values.get("omero.transport", "ssl")
    path_of = values.get("omero.path", "/") if transport in ("ws", "wss") else ""
    address = Address(host, int(port), tls=transport not in ("tcp", "ws"), path=path_of)
    if not 0 < address.port < 65536:
        return None
    try:
        started = path.stat().st_mtime
    except OSError:
        return None
    return StoredSession(
        address,
        values.get("omero.user", ""),
        values.get("omero.group", ""),
        key,
        started,
        values.get("omero.sudo", ""),
    )
