"""Options of physical backups and of restores to a moment."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class PhysicalType(StrEnum):
    """How much of the database's files a physical backup takes."""

    AUTO = "auto"
    FULL = "full"
    DIFF = "diff"
    INCR = "incr"


Physical = Annotated[
    bool, typer.Option("--physical", help="With a physical backup, for restores to any moment (see backup archive).")
]
PhysicalKind = Annotated[
    PhysicalType | None, typer.Option("--physical-type", help="Its type; auto: full once a week, diff on other days.")
]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="No snapshot, but a moment (2026-11-24T09:30), or latest."),
]


def wanted_kind(physical: bool, kind: PhysicalType | None) -> str | None:
    """The kind of physical backup that is asked for; ``None``: none."""
    if kind is not None:
        return kind.value
    return PhysicalType.AUTO.value if physical else None
