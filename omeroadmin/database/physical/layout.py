"""Where pgBackRest's files of an instance lie, and what they say."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from omeroadmin.errors import configuration_error
from omeroadmin.render.engine import render

STANZA = "omero"
"""pgBackRest's name of the one cluster that a repository is for."""
SEGMENT_SECONDS = 60
"""PostgreSQL archives a segment of its log this many seconds after its first change, full or not."""
ARCHIVE_TIMEOUT = 120
"""Seconds that pgBackRest waits for a segment to arrive."""

BACKUP_MANIFEST = f"backup/{STANZA}/{{label}}/backup.manifest"
"""Where a repository has the list of a backup's files."""
PROGRAM = Path("/usr/bin/pgbackrest")
"""Where distributions have it; what is printed for other machines."""


@dataclass(frozen=True)
class PhysicalLayout:
    """The files by which one cluster is archived.

    :param directory: the cluster's: holds ``data`` and the files of pgBackRest beside it, never in what it saves
    :param repository: where pgBackRest keeps backups and archive
    """

    directory: Path
    repository: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.directory / "data"

    @property
    def configuration(self) -> Path:
        """pgBackRest's configuration."""
        return self.directory / "pgbackrest.conf"

    @property
    def settings(self) -> Path:
        """PostgreSQL's settings, included by ``omero.conf`` where the file is there."""
        return self.directory / "archive.conf"

    @property
    def work(self) -> Path:
        """What pgBackRest writes while it works."""
        return self.directory / "pgbackrest"


def configuration_text(layout: PhysicalLayout, external: Path | None = None) -> str:
    """pgBackRest's configuration for a cluster.

    :param external: data directory of a cluster on a host of its own, where pgBackRest works as it does by default;
        ``None``: the layout's
    :raises AdminError: ``path-unusable`` for a path that the format can't hold
    """
    for path in (layout.directory, layout.repository):
        _refuse_unusable(path)
    return render(
        "pgbackrest/pgbackrest.conf.j2",
        {
            "repository": layout.repository,
            "archive_timeout": ARCHIVE_TIMEOUT,
            "external": external is not None,
            "work": layout.work,
            "stanza": STANZA,
            "data": external or layout.data,
        },
    )


def _refuse_unusable(path: Path) -> None:
    text = str(path)
    if not text.isprintable() or text != text.strip() or "//" in text:
        raise configuration_error(
            "path-unusable",
            f"{text!r} can't be written into pgBackRest's configuration",
            "choose a path without line ends and without blanks at its ends",
        )


def settings_text(program: Path, configuration: Path) -> str:
    """PostgreSQL's settings that hand each finished segment of its log to pgBackRest.

    :param program: pgBackRest's
    :param configuration: its configuration's path
    """
    command = _shell_command(program, configuration, "archive-push") + ' "%p"'
    return render(
        "pgbackrest/archive.conf.j2",
        {"archive_command": _quoted(command), "segment_seconds": SEGMENT_SECONDS},
    )


def recovery_text(program: Path, configuration: Path, moment: datetime | None) -> str:
    """PostgreSQL's settings that fetch its log from the archive, up to a moment.

    :param program: pgBackRest's
    :param configuration: its configuration's path
    :param moment: ``None``: to the end of the archive
    """
    command = _shell_command(program, configuration, "archive-get") + ' %f "%p"'
    stamp = "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00")
    return render("pgbackrest/recovery.conf.j2", {"restore_command": _quoted(command), "moment": stamp})


def _shell_command(program: Path, configuration: Path, command: str) -> str:
    """A command line for PostgreSQL, which hands it to a shell: quoted for that, ``%`` doubled for PostgreSQL."""
    words = [str(program), f"--config={configuration}", f"--stanza={STANZA}", command]
    return shlex.join(words).replace("%", "%%")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
