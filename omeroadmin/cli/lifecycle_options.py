"""Arguments and options that the commands around starting and stopping share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FILE]", help="Application descriptor, by default etc/grid/default.xml.", show_default=False
    ),
]
Targets = Annotated[
    list[str] | None, typer.Argument(metavar="[TARGETS]...", help="Targets of the descriptor, e.g. debug.")
]
Wait = Annotated[float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for all servers.")]
ForceRewrite = Annotated[
    bool, typer.Option("--force-rewrite", help="Write the grid's files also where nothing has changed.")
]
Keep = Annotated[bool, typer.Option("--keep", help="Leave running what was started, also where a server can't start.")]
