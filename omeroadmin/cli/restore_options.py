"""Options by which ``omero backup restore`` names what is restored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.errors import usage_error

SnapshotId = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="The snapshot: its id, the beginning of it, or latest.")
]
DataDirectory = Annotated[
    Path | None, typer.Option("--data-dir", metavar="DIR", help="Its images; by default DIR-data beside it.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="WHAT",
        help="config, database, repository, or the path of a file or directory. Files alone go to DIR itself.",
    ),
]
FromDump = Annotated[
    Path | None,
    typer.Option("--from-dump", metavar="FILE", help="No snapshot, but what pg_dump or pg_dumpall made, any format;"),
]
FromMirror = Annotated[
    Path | None,
    typer.Option("--from-mirror", metavar="DIR", help="and a copy of omero.data.dir, plain or rdiff-backup's."),
]
FromConfig = Annotated[
    Path | None,
    typer.Option("--from-config", metavar="FILE", help="Its properties: what config get printed, or config.xml."),
]


def check_source(
    snapshot: str | None,
    at: str | None,
    dump: Path | None,
    mirror: Path | None,
    configuration: Path | None,
    only: list[str] | None,
) -> None:
    """Make sure that either a snapshot is named, or a moment, or a dump and a mirror.

    :raises AdminError: ``restore-source-unclear``, ``only-with-dump``
    """
    if only and dump is not None:
        raise usage_error(
            "only-with-dump", "--from-dump and --from-mirror restore everything", "leave --only out, or copy the files"
        )
    from_files = dump is not None or mirror is not None or configuration is not None
    if (snapshot is None) != (at is None) and not from_files:
        return
    if snapshot is None and at is None and dump is not None and mirror is not None:
        return
    raise usage_error(
        "restore-source-unclear",
        "name either a snapshot, or --at, or --from-dump and --from-mirror",
        "omero backup restore latest --into DIR, or --from-dump FILE --from-mirror DIR --into DIR",
    )
