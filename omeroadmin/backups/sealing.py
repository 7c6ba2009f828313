"""Seals the dump and the configuration of a snapshot in age's format, file by file, and opens them again.

Whoever seals with public keys can't open: a server that is broken into gives away no earlier backup. A passphrase
doesn't seal the files themselves, but an identity made for the snapshot, which then is one more recipient: so it is
stretched once and not for each file, and ``age -d -i key.age FILE`` opens every one of them.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from omeroadmin.backups.keys import PASSPHRASE, Keys, Seal, parse_recipient
from omeroadmin.backups.snapshot import Snapshot
from omeroadmin.backups.target import PRIVATE
from omeroadmin.errors import AdminError, configuration_error, failed_error
from omeroadmin.system import files
from omeroadmin.system.scratch import scratch_directory

KEY_NAME = "key.age"
"""The snapshot's own identity, sealed with the passphrase."""
SUFFIX = ".age"

_NO_KEY = "No matching keys"


def seal_tree(source: Path, destination: Path, seal: Seal) -> None:
    """Write all files below a directory sealed below another, each with ``.age`` after its name.

    :param source: is only read
    :param destination: the snapshot's directory
    :raises AdminError: ``file-not-read``, ``file-not-written``, ``directory-not-created``
    """
    recipients = [parse_recipient(text) for text in seal.recipients]
    if seal.passphrase:
        recipients.append(_lock_with_passphrase(destination / KEY_NAME, seal.passphrase))
    for directory, names, contents in os.walk(source):
        place = destination / Path(directory).relative_to(source)
        for name in sorted(names):
            files.make_directory(place / name, mode=PRIVATE)
        for name in sorted(contents):
            seal_file(Path(directory, name), place / f"{name}{SUFFIX}", recipients)


def seal_file(source: Path, destination: Path, recipients: Sequence[Any]) -> None:
    """Write a file sealed, with mode 0600, in constant memory.

    :param recipients: as :func:`omeroadmin.backups.keys.parse_recipient` has them
    :raises AdminError: ``file-not-read``, ``file-not-written``
    """
    import pyrage

    with _streams(source, destination) as (plain, sealed):
        pyrage.encrypt_io(plain, sealed, list(recipients))


def open_file(source: Path, destination: Path, identities: Sequence[Any]) -> None:
    """Write a sealed file in the clear, with mode 0600, in constant memory; nothing is left of one that is damaged.

    :raises AdminError: ``backup-key-wrong``, ``part-damaged``, ``file-not-read``, ``file-not-written``
    """
    import pyrage

    try:
        with _streams(source, destination) as (sealed, plain):
            pyrage.decrypt_io(sealed, plain, list(identities))
    except (pyrage.DecryptError, OSError) as error:
        destination.unlink(missing_ok=True)
        if _NO_KEY in str(error):
            raise _wrong_key(source) from error
        raise failed_error(
            "part-damaged", f"{source} can't be opened, it is damaged: {error}", "use another snapshot"
        ) from error
    except BaseException:
        destination.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def opened(
    directory: Path, snapshot: Snapshot, keys: Keys, *, only: Sequence[str] = (), temporary: Path | None = None
) -> Iterator[Path]:
    """A directory with the parts of a snapshot in the clear, for the length of the block.

    :param directory: the snapshot's, as its engine gives it; this one itself where nothing is sealed
    :param only: parts that are wanted, by their first component; empty: all
    :param temporary: where the clear parts are put, in a directory of mode 0700; what killed runs left there goes
    :raises AdminError: ``backup-key-missing``, ``backup-key-wrong``, ``part-damaged``, ``file-not-read``,
        ``file-not-written``, ``path-escapes``
    """
    if not snapshot.sealed_to:
        yield directory
        return
    identities = identities_for(directory, snapshot, keys)
    with scratch_directory(temporary or Path(tempfile.gettempdir()), "omero-opened") as scratch:
        for part, clear in clear_names(snapshot).items():
            if not only or clear.partition("/")[0] in only:
                place = files.inside(scratch, clear)
                files.make_directory(place.parent, mode=PRIVATE)
                open_file(files.inside(directory, part), place, identities)
        yield scratch


def clear_names(snapshot: Snapshot) -> dict[str, str]:
    """Names that the parts of a snapshot have in the clear, by the names that they have in it."""
    if not snapshot.sealed_to:
        return {part: part for part in snapshot.parts}
    return {part: part.removesuffix(SUFFIX) for part in snapshot.parts if part != KEY_NAME}


def identities_for(directory: Path, snapshot: Snapshot, keys: Keys) -> list[Any]:
    """What to open a snapshot's parts with.

    :raises AdminError: ``backup-key-missing``, ``backup-key-wrong``, ``file-not-read``
    """
    found = list(keys.identities)
    if keys.passphrase and PASSPHRASE in snapshot.sealed_to:
        try:
            found.append(_unlock(directory / KEY_NAME, keys.passphrase))
        except AdminError:
            # An identity may open it as well.
            if not found:
                raise
    if not found:
        raise configuration_error(
            "backup-key-missing",
            f"snapshot {snapshot.id} is sealed to {', '.join(snapshot.sealed_to)}",
            "add --identity-file FILE" + (" or --passphrase-file FILE" if PASSPHRASE in snapshot.sealed_to else ""),
        )
    return found


def _lock_with_passphrase(place: Path, passphrase: str) -> Any:
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    content = f"# opens one snapshot of omero backup\n{identity}\n".encode()
    files.write_atomically(place, pyrage.passphrase.encrypt(content, passphrase), mode=files.SECRET_MODE)
    return identity.to_public()


def _unlock(place: Path, passphrase: str) -> Any:
    import pyrage

    sealed = files.read_bytes(place)
    try:
        lines = pyrage.passphrase.decrypt(sealed, passphrase).decode().split()
        return pyrage.x25519.Identity.from_str(lines[-1])
    except (pyrage.DecryptError, pyrage.IdentityError, UnicodeDecodeError, IndexError) as error:
        raise configuration_error(
            "backup-key-wrong",
            f"the passphrase does not open {place}",
            "snapshots keep the passphrase that they were made with: try an earlier one",
        ) from error


def _wrong_key(source: Path) -> AdminError:
    return configuration_error(
        "backup-key-wrong",
        f"none of the keys given opens {source}",
        "omero backup show says in sealed_to whose key it takes",
    )


class _Watched:
    """A stream that remembers what went wrong: pyrage loses an error of its last write."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            self.error = error
            raise

    def write(self, content: bytes) -> int:
        try:
            return self._stream.write(content)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Closing flushes, and tells what failed."""


@contextlib.contextmanager
def _streams(source: Path, destination: Path) -> Iterator[tuple[_Watched, _Watched]]:
    """A file to read and a new one to write; what the system says of either is told as its own error.

    :raises AdminError: ``file-not-read``, ``file-not-written``
    """
    try:
        reader = source.open("rb")
    except OSError as error:
        raise files.file_error("read", source, error) from error
    with reader:
        given = _Watched(reader)
        with _created(destination) as writer:
            taken = _Watched(writer)
            try:
                yield given, taken
            finally:
                if given.error is not None:
                    raise files.file_error("read", source, given.error)
                if taken.error is not None:
                    raise files.file_error("written", destination, taken.error)


@contextlib.contextmanager
def _created(path: Path) -> Iterator[IO[bytes]]:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, files.SECRET_MODE)
        stream = os.fdopen(descriptor, "wb")
    except OSError as error:
        raise files.file_error("written", path, error) from error
    try:
        yield stream
    except BaseException:
        with contextlib.suppress(OSError):
            stream.close()
        raise
    try:
        stream.close()
    except OSError as error:
        raise files.file_error("written", path, error) from error
