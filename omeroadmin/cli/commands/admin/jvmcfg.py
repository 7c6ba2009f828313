"""``omero admin jvmcfg``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.context import require_instance


def command(
    explain: Annotated[
        bool, typer.Option("--explain", help="Say which property decided, and show the arithmetic.")
    ] = False,
    table: Annotated[
        bool, typer.Option("--table", help="Show what each strategy gives on machines of 4 to 512 GB.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False,
) -> None:
    """Print the memory that the next start gives to each service.

    Warns where the heaps add up to more than the machine, or the control group, has.

    Example: omero admin jvmcfg --explain
    """
    from omeroadmin.cli.views.memory import print_memory, print_memory_json, print_offers
    from omeroadmin.workflows.memory import memory_offers, memory_report

    instance = require_instance()
    offers = memory_offers(instance) if table else None
    if as_json:
        print_memory_json(memory_report(instance), offers)
    elif offers is not None:
        print_offers(offers)
    else:
        print_memory(memory_report(instance), explain=explain)
