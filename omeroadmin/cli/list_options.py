"""Options that lists share."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import Style

StyleOption = Annotated[Style, typer.Option("--style", help="How to print the list.")]
LimitOption = Annotated[int, typer.Option("--limit", min=0, metavar="N", help="How many at most.")]
OffsetOption = Annotated[int, typer.Option("--offset", min=0, metavar="N", help="How many to pass over.")]
ExtendedOption = Annotated[bool, typer.Option("--extended", help="Tell more of each; this takes longer.")]
DEFAULT_LIMIT = 25
