"""A borg repository: each of our archives is one of its archives, with our label as its name."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from omeroadmin.backups.engines.address import without_password
from omeroadmin.backups.engines.archiver import Archive, Label, Stored, Wanted, ended_by_zero, parse_label
from omeroadmin.backups.engines.program import Program
from omeroadmin.errors import AdminError, configuration_error

_PASSWORDS = ("BORG_PASSPHRASE", "BORG_PASSCOMMAND", "BORG_PASSPHRASE_FD", "BORG_NEW_PASSPHRASE")
_WARNING = 1
"""Exit status of a backup that left something out; the comparison with the manifest says what."""
_CHUNK = 1 << 20
_FORMAT = "{mode} {size} {isomtime} {bpath}{NUL}"
_CHECKPOINT = ".checkpoint"


class Borg:
    """The program ``borg`` with a repository.

    :param password_file: ``None``: as borg's own variables say
    """

    def __init__(self, repository: str, password_file: Path | None) -> None:
        # Times are printed in the local zone, without naming it.
        environment = {"BORG_REPO": repository, "TZ": "UTC", "BORG_DISPLAY_PASSPHRASE": "no"}
        # Names that are not UTF-8 come in by stdin as they are.
        environment["PYTHONIOENCODING"] = "utf-8:surrogateescape"
        if password_file is not None:
            environment["BORG_PASSCOMMAND"] = shlex.join(["cat", str(password_file)])
        self.repository = without_password(repository)
        self._program = Program("borg", self.repository, environment)
        self._has_password = password_file is not None or any(os.environ.get(name) for name in _PASSWORDS)

    def initialise(self) -> None:
        """See :class:`~omeroadmin.backups.engines.archiver.Archiver`, here and below."""
        try:
            self._program.run("list", "--last", "1")
        except AdminError as error:
            if error.code != "backup-target-missing":
                raise
            if not self._has_password:
                raise configuration_error(
                    "backup-password-missing",
                    f"a password is needed to make {self.repository}",
                    "omero config set omero.backup.password_file FILE, or set BORG_PASSCOMMAND",
                ) from error
            self._program.run("init", "--encryption", "repokey", "--make-parent-dirs")

    def settle(self) -> None:
        """Nothing: borg takes locks of ended processes away by itself."""

    def archives(self) -> list[Archive]:
        """Archives with a name of ours, and what is left of interrupted ones."""
        listed = self._program.run(
            "list", "--consider-checkpoints", "--glob-archives", "omero-*", "--json", "--format", "{hostname}{id}"
        )
        found = []
        for item in json.loads(listed)["archives"]:
            label = parse_label(item["name"].partition(_CHECKPOINT)[0])
            if label is not None:
                kind = f"{label.kind}{_CHECKPOINT}" if _CHECKPOINT in item["name"] else label.kind
                found.append(Archive(item["name"], item["id"], Label(label.snapshot, kind), item["hostname"]))
        return found

    def save_directory(self, label: Label, directory: Path) -> None:
        """Save the directory."""
        self._program.run("create", "--files-cache", "disabled", f"::{label.text()}", ".", directory=directory)

    def save_files(self, label: Label, wanted: Wanted) -> None:
        """Save just the files that are named; borg knows by itself what it has."""
        limit = ["--upload-ratelimit", str(max(1, wanted.limit >> 10))] if wanted.limit else []
        with wanted.places.open("rb") as stream:
            self._program.feed(
                *("create", *limit, "--paths-from-stdin", "--paths-delimiter", r"\0", f"::{label.text()}"),
                chunks=iter(lambda: stream.read(_CHUNK), b""),
                accepted=(0, _WARNING),
            )

    def files(self, archive: Archive) -> Iterator[Stored]:
        """Items that ``borg list`` prints."""
        # Not as JSON, which has question marks for bytes that are not UTF-8.
        with self._program.reading("list", "--format", _FORMAT, f"::{archive.name}") as output:
            for item in ended_by_zero(output):
                mode, size, time, path = item.split(b" ", 3)
                kind = mode[:1]
                if kind in b"-h":
                    moment = datetime.fromisoformat(time.decode("ascii")).replace(tzinfo=UTC)
                    microseconds = int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond
                    yield Stored(os.fsdecode(path), None if kind == b"h" else int(size), microseconds)

    def fetch(self, archive: Archive, directory: Path, only: Collection[str]) -> None:
        """Extract an archive."""
        patterns = [f"pp:{name}" for name in only]
        # A pattern that matches nothing is a warning; what is missing is noticed by whoever needs it.
        self._program.run("extract", f"::{archive.name}", *patterns, directory=directory, accepted=(0, _WARNING))

    def content(self, archive: Archive, path: str) -> bytes:
        """Extract a file."""
        with self._program.reading("extract", "--stdout", f"::{archive.name}", f"pp:{path}") as output:
            return output.read()

    @contextlib.contextmanager
    def tar(self, archive: Archive) -> Iterator[IO[bytes]]:
        """Export all files."""
        with self._program.reading("export-tar", f"::{archive.name}", "-") as output:
            yield output

    def delete(self, archives: Sequence[Archive]) -> None:
        """Delete archives, and give their room back."""
        if archives:
            self._program.run("delete", "::", *(archive.name for archive in archives))
        self._program.run("compact")
