"""Which keys hosts have: the files ``known_hosts``, and new lines in the user's own."""

from __future__ import annotations

import base64
import binascii
import contextlib
import fnmatch
import hashlib
import hmac
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from omeroadmin.system.files import file_error, named_file_error

_RECORDING = threading.Lock()
_ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
"""Ways to sign with a type of key, where they have other names than the type."""


class HostKey(NamedTuple):
    """A public key.

    :param kind: ``ssh-ed25519``
    :param blob: as it goes over the wire
    """

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As ``ssh-keygen -l`` shows it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


class Known(NamedTuple):
    """What the files say of a host.

    :param keys: keys that it may have
    :param revoked: keys that no host may have
    """

    keys: frozenset[HostKey]
    revoked: frozenset[HostKey]

    def algorithms(self, supported: Iterable[str]) -> list[str]:
        """Supported algorithms, those of its keys first: a host shows the key that it is asked for."""
        wanted = {name for key in self.keys for name in _ALGORITHMS.get(key.kind, (key.kind,))}
        every = list(supported)
        return [name for name in every if name in wanted] + [name for name in every if name not in wanted]


def look_up(files: Iterable[Path], name: str) -> Known:
    """What is known of a host.

    :param name: ``host``, or ``[host]:port`` where the port isn't 22
    :raises AdminError: ``file-not-read``
    """
    keys, revoked = set(), set()
    for line in _lines(files):
        marker, names, key = _parse(line)
        if key is None or not _matches(names, name):
            continue
        if marker == "@revoked":
            revoked.add(key)
        elif not marker:
            keys.add(key)
    return Known(frozenset(keys - revoked), frozenset(revoked))


def record(path: Path, name: str, key: HostKey) -> None:
    """Add a host; what stands in the file is left alone.

    :param path: the user's own file; it is made where it is missing
    :param name: ``host``, or ``[host]:port`` where the port isn't 22
    :raises AdminError: ``file-not-written``
    """
    line = f"{name} {key.kind} {base64.b64encode(key.blob).decode()}\n".encode()
    try:
        with _RECORDING:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with open(descriptor, "r+b", buffering=0) as stream:  # noqa: PTH123 - with this mode from the start
                size = stream.seek(0, os.SEEK_END)
                whole = size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
                # One write: others that add a line at the same time don't get into the middle of it.
                stream.write(line if whole else b"\n" + line)
                os.fsync(descriptor)
    except OSError as error:
        raise file_error("written", path, error) from error


def _lines(files: Iterable[Path]) -> Iterator[str]:
    for path in files:
        try:
            text = path.read_bytes().decode("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise named_file_error(path, error) from error
        yield from text.splitlines()


def _parse(line: str) -> tuple[str, str, HostKey | None]:
    words = line.split()
    marker = words.pop(0) if words and words[0].startswith("@") else ""
    if len(words) < 3 or words[0].startswith("#"):
        return marker, "", None
    with contextlib.suppress(binascii.Error, ValueError):
        return marker, words[0], HostKey(words[1], base64.b64decode(words[2], validate=True))
    return marker, "", None


def _matches(patterns: str, name: str) -> bool:
    if patterns.startswith("|1|"):
        return _matches_hash(patterns, name)
    found = False
    for pattern in patterns.lower().split(","):
        # A bracket belongs to the name and is no set of letters here.
        plain = pattern.removeprefix("!").replace("[", "[[]")
        if fnmatch.fnmatchcase(name, plain):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _matches_hash(text: str, name: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in text.split("|")[2:4])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.digest(salt, name.encode(), "sha1"), digest)
