"""``omero admin removepyramids``."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from omeroadmin.cli.pyramid_options import AsJson, DryRun, Wait, Yes, deal_with_pyramids


class Endianness(StrEnum):
    """Byte orders, and both."""

    LITTLE = "little"
    BIG = "big"
    BOTH = "both"


def command(
    endian: Annotated[Endianness, typer.Option("--endian", help="Only those of this byte order.")] = Endianness.BOTH,
    imported_after: Annotated[
        datetime | None,
        typer.Option("--imported-after", formats=["%Y-%m-%d"], help="Only of images of this day (UTC) or later."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many at most.")] = 500,
    dry_run: DryRun = False,
    wait: Wait = 0,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Remove pyramids and have PixelData make new ones.

    For pyramids that an earlier version made wrongly. Locks are respected in every directory: what is being written
    stays.

    Example: omero admin removepyramids --endian little --dry-run
    """
    from omeroadmin.repository.pyramid_files import Endian
    from omeroadmin.workflows.pyramids import PyramidWish

    wish = PyramidWish(
        endian=None if endian is Endianness.BOTH else Endian(endian.value),
        imported_after=None if imported_after is None else imported_after.replace(tzinfo=UTC),
        limit=limit,
    )
    deal_with_pyramids(wish, dry_run=dry_run, wait=wait, yes=yes, as_json=as_json)
