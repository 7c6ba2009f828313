"""``omero hosts check``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from omeroadmin.cli.hosts_options import InventoryFile, Json, Quiet, inventory_path
from omeroadmin.errors import ExitStatus


def command(
    inventory: InventoryFile = None,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as errors do.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Find what is wrong with the inventory, without connecting.

    Keys and values, names that nothing has, circles, keys and secrets that are missing or that others can read.

    The exit status is 1 if there is an error.

    Example: omero hosts check --strict
    """
    from omeroadmin.cli.views import hosts as view
    from omeroadmin.provisioning.inventory_check import Severity, check_inventory

    report = check_inventory(inventory_path(inventory), os.environ)
    view.print_report(report, as_json=as_json, quiet=quiet)
    if report.count(Severity.ERROR) or (strict and report.findings):
        raise typer.Exit(ExitStatus.BUG)
