"""``omero admin fixpyramids``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.pyramid_options import AsJson, DryRun, Wait, Yes, deal_with_pyramids


def command(
    missing: Annotated[
        bool, typer.Option("--missing", help="Also have those made that large images should have and don't.")
    ] = False,
    dry_run: DryRun = False,
    wait: Wait = 0,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Remove empty pyramids and have PixelData make them again.

    An empty pyramid is what a server leaves that was ended while it made one. What is being written stays.

    Example: omero admin fixpyramids --dry-run
    """
    from omeroadmin.workflows.pyramids import PyramidWish

    wish = PyramidWish(only_empty=True, missing=missing)
    deal_with_pyramids(wish, dry_run=dry_run, wait=wait, yes=yes, as_json=as_json)
