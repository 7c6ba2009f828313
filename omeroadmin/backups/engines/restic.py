"""A restic repository: each of our archives is one of its snapshots, with our label as a tag."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

from omeroadmin.backups.engines.address import without_password
from omeroadmin.backups.engines.archiver import Archive, Label, Stored, Wanted, ended_by_zero, parse_label
from omeroadmin.backups.engines.program import Program
from omeroadmin.backups.scan import TEMPORARY, Root
from omeroadmin.errors import AdminError, configuration_error

_PASSWORDS = ("RESTIC_PASSWORD", "RESTIC_PASSWORD_FILE", "RESTIC_PASSWORD_COMMAND")
_INCOMPLETE = 3
"""Exit status of a backup that left out what it couldn't read; the comparison with the manifest says what."""


class Restic:
    """The program ``restic`` with a repository.

    :param password_file: ``None``: as restic's own variables say
    """

    def __init__(self, repository: str, password_file: Path | None) -> None:
        # Not among the arguments: a repository behind a URL may have a password in it.
        environment = {"RESTIC_REPOSITORY": repository, "RESTIC_PROGRESS_FPS": "0.01"}
        if password_file is not None:
            environment["RESTIC_PASSWORD_FILE"] = str(password_file)
        self.repository = without_password(repository)
        self._program = Program("restic", self.repository, environment)
        self._has_password = password_file is not None or any(os.environ.get(name) for name in _PASSWORDS)

    def initialise(self) -> None:
        """See :class:`~omeroadmin.backups.engines.archiver.Archiver`, here and below."""
        try:
            self._run("cat", "config")
        except AdminError as error:
            if error.code != "backup-target-missing":
                raise
            self._run("init")

    def settle(self) -> None:
        """Remove locks of processes that have ended."""
        self._run("unlock")

    def archives(self) -> list[Archive]:
        """Snapshots with a tag of ours."""
        found = []
        for item in sorted(json.loads(self._run("snapshots", "--json") or "[]") or [], key=lambda item: item["time"]):
            for tag in item.get("tags") or ():
                label = parse_label(tag)
                if label is not None:
                    found.append(Archive(item["id"], item["id"], label, item.get("hostname", "")))
        return found

    def save_directory(self, label: Label, directory: Path) -> None:
        """Save the directory as the root of a snapshot."""
        self._run("backup", "--force", "--tag", label.text(), ".", directory=directory)

    def save_files(self, label: Label, wanted: Wanted) -> None:
        """Save the trees, and what links lead to outside of them.

        A list of all files would become part of each of restic's snapshots, and slow down all that reads them.
        """
        roots, places = wanted.roots, wanted.places
        targets, excluded = places.with_name("targets"), places.with_name("excluded")
        directories = [os.path.realpath(root.directory) for root in roots]
        excluded.write_bytes(b"".join(os.fsencode(pattern) + b"\n" for pattern in _excluded(roots)))
        with targets.open("wb") as stream, places.open("rb") as listed:
            for directory in directories:
                stream.write(os.fsencode(directory) + b"\0")
            for place in ended_by_zero(listed):
                if not any(place.startswith(os.fsencode(f"{directory}/")) for directory in directories):
                    stream.write(place + b"\0")
        parent = ["--force"] if wanted.previous is None else ["--parent", wanted.previous.name]
        limit = ["--limit-upload", str(max(1, wanted.limit >> 10))] if wanted.limit else []
        options = ["--tag", label.text(), *parent, "--exclude-file", str(excluded), "--files-from-raw", str(targets)]
        self._run("backup", "--quiet", *limit, *options, accepted=(0, _INCOMPLETE))

    def files(self, archive: Archive) -> Iterator[Stored]:
        """Nodes that ``restic ls`` prints."""
        with self._program.reading("ls", "--json", archive.name) as output:
            for line in output:
                node = json.loads(line)
                if node.get("struct_type") == "node" and node["type"] == "file":
                    moment = datetime.fromisoformat(node["mtime"])
                    microseconds = int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond
                    yield Stored(node["path"].lstrip("/"), node.get("size", 0), microseconds)

    def fetch(self, archive: Archive, directory: Path, only: Collection[str]) -> None:
        """Restore a snapshot."""
        included = [word for name in only for word in ("--include", f"/{name}")]
        self._run("restore", archive.name, "--target", str(directory), *included)

    def content(self, archive: Archive, path: str) -> bytes:
        """Dump a file."""
        with self._program.reading("dump", archive.name, f"/{path}") as output:
            return output.read()

    @contextlib.contextmanager
    def tar(self, archive: Archive) -> Iterator[IO[bytes]]:
        """Dump all files."""
        with self._program.reading("dump", "--archive", "tar", archive.name, "/") as output:
            yield output

    def delete(self, archives: Sequence[Archive]) -> None:
        """Forget snapshots, and prune."""
        if archives:
            self._run("forget", *(archive.name for archive in archives))
        self._run("prune")

    def _run(self, *arguments: str, directory: Path | None = None, accepted: Sequence[int] = (0,)) -> str:
        if not self._has_password:
            raise configuration_error(
                "backup-password-missing",
                f"the password of {self.repository} is not known",
                "omero config set omero.backup.password_file FILE, or set RESTIC_PASSWORD_FILE",
            )
        return self._program.run(*arguments, directory=directory, accepted=accepted)


def _excluded(roots: Sequence[Root]) -> Iterator[str]:
    """Patterns for what the walk leaves out as well."""
    for root in roots:
        for name in sorted(root.skip):
            yield _escaped(f"{os.path.realpath(root.directory)}/{name}")
    yield from TEMPORARY


def _escaped(path: str) -> str:
    for character in "\\*?[":
        path = path.replace(character, f"\\{character}")
    return path.replace("$", "$$")
