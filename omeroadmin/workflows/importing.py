"""Imports files and folders: finds them, leaves out what the server has, sends one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.access.client import Client
from omeroadmin.access.transfer import Checksums, Imported, KeepAlive, import_file, known_paths
from omeroadmin.access.walk import Candidate, Found
from omeroadmin.errors import AdminError
from omeroadmin.repository.checksums import ALGORITHMS, new_hasher

STOPPING_CODES = frozenset({"server-unreachable", "certificate-untrusted", "session-expired"})
"""Errors after which no further file can succeed."""


@dataclass(frozen=True)
class FailedFile:
    """A file that is not on the server.

    :param code: code of the error
    :param message: what went wrong, without the path
    """

    path: Path
    code: str
    message: str


@dataclass(frozen=True)
class ImportResult:
    """What became of each file.

    :param skipped: files whose paths the server knew
    :param failed: files that can't be read or weren't taken
    :param not_tried: files left when the server could not be used any more
    :param seconds: how long it took
    """

    imported: tuple[Imported, ...]
    skipped: tuple[Path, ...]
    failed: tuple[FailedFile, ...]
    not_tried: tuple[Path, ...]
    seconds: float


@dataclass(frozen=True)
class Watcher:
    """Hears of an import's progress.

    :param starts: so many bytes are to be sent in all
    :param begins: a file is about to be sent
    :param sent: so many more bytes of it are on the way
    :param done: it is on the server
    :param fails: it is not
    """

    starts: Callable[[int], object]
    begins: Callable[[Candidate], object]
    sent: Callable[[int], object]
    done: Callable[[Imported], object]
    fails: Callable[[FailedFile], object]


def import_files(
    client: Client,
    found: Found,
    watcher: Watcher,
    *,
    idle_seconds: float,
    name: str | None = None,
    exclude_known: bool = False,
) -> ImportResult:
    """Import files one by one; one that fails doesn't stop the others.

    :param found: the files, and the problems met while looking for them
    :param idle_seconds: seconds without a request after which the session ends; 0: never
    :param name: name for the images instead of the files'
    :param exclude_known: leave out files whose paths are those of earlier imports
    :raises AdminError: what :meth:`Client.get` raises, before the first file only
    """
    began = time.monotonic()
    known = known_paths(client, found.files) if exclude_known else set()
    run = _Run(client, watcher, name)
    for path, error in found.problems:
        run.fail(path, error)
    files = [file for file in found.files if file.path not in known]
    watcher.starts(sum(file.size for file in files))
    with KeepAlive(client.again(), idle_seconds / 3):
        not_tried = run.all(files)
    return ImportResult(
        tuple(run.imported),
        tuple(file.path for file in found.files if file.path in known),
        tuple(run.failed),
        not_tried,
        time.monotonic() - began,
    )


class _Run:
    def __init__(self, client: Client, watcher: Watcher, name: str | None) -> None:
        self.client = client
        self.watcher = watcher
        self.name = name
        self.imported: list[Imported] = []
        self.failed: list[FailedFile] = []
        self.checksums = Checksums(ALGORITHMS, new_hasher)

    def all(self, files: list[Candidate]) -> tuple[Path, ...]:
        """Import each; gives those that weren't tried because the server is gone."""
        for number, file in enumerate(files, start=1):
            self.watcher.begins(file)
            try:
                done = import_file(self.client, file, self.checksums, name=self.name, progress=self.watcher.sent)
            except AdminError as error:
                self.fail(file.path, error)
                if error.code in STOPPING_CODES:
                    return tuple(other.path for other in files[number:])
            else:
                self.imported.append(done)
                self.watcher.done(done)
        return ()

    def fail(self, path: Path, error: AdminError) -> None:
        failure = FailedFile(path, error.code, error.message.removeprefix(f"{self.client.address}: "))
        self.failed.append(failure)
        self.watcher.fails(failure)
