"""Options that the commands of ``omero hosts`` share, and the inventory that they name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omeroadmin.errors import AdminError, usage_error

if TYPE_CHECKING:
    from omeroadmin.provisioning.inventory import Become, Inventory, InventoryHost


def refuse_empty(context: typer.Context, parameter: typer.CallbackParam, value: str) -> str:
    """What narrows a run is not given as nothing: a variable that a script hasn't set would mean everything.

    :raises AdminError: ``option-empty``
    """
    source = context.get_parameter_source(parameter.name or "")
    if source is not None and source.name == "COMMANDLINE" and not value.strip(" ,"):
        option = parameter.opts[0]
        raise usage_error(
            "option-empty", f"{option} is given, and is empty", f"leave {option} out, if all of them are meant"
        )
    return value


InventoryFile = Annotated[
    Path | None,
    typer.Option(
        "--inventory", "-i", metavar="FILE", help="The hosts [OMERO_HOSTS, else hosts.yml in this directory]."
    ),
]
Limit = Annotated[
    str,
    typer.Option(
        "--limit",
        "-l",
        metavar="PATTERN",
        callback=refuse_empty,
        help="Only these: web,db1; site,!web2 (not it); web,&new (both).",
    ),
]
Forks = Annotated[int, typer.Option("--forks", "-f", min=1, max=100, help="Hosts at a time.")]
BecomeRoot = Annotated[
    bool | None,
    typer.Option("--become/--no-become", help="Become root by sudo, or not, whatever the inventory says."),
]
AcceptNew = Annotated[
    bool,
    typer.Option("--accept-new", help="Record keys of unknown hosts in known_hosts; changed keys never pass."),
]
Local = Annotated[bool, typer.Option("--local", help="This machine, without SSH and inventory.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing unless something is wrong, as cron likes it.")]
QuietResult = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but the result and errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def inventory_path(chosen: Path | None) -> Path:
    """The file with the hosts: ``--inventory``, else ``OMERO_HOSTS``, else ``hosts.yml``; it need not exist."""
    return chosen or Path(os.environ.get("OMERO_HOSTS") or "hosts.yml")


def known_inventory(chosen: Path | None) -> Inventory:
    """The inventory, whether its secrets can be had or not.

    :raises AdminError: as :func:`omeroadmin.provisioning.inventory_file.read_inventory`
    """
    from omeroadmin.provisioning.inventory_file import read_inventory

    missing: list[AdminError] = []
    return read_inventory(inventory_path(chosen), os.environ, missing=missing)


def whole_inventory(chosen: Path | None) -> Inventory:
    """The inventory with all its secrets.

    :raises AdminError: as :func:`omeroadmin.provisioning.inventory_file.read_inventory`
    """
    from omeroadmin.provisioning.inventory_file import read_inventory

    return read_inventory(inventory_path(chosen), os.environ)


def limited(inventory: Inventory, limit: str) -> tuple[InventoryHost, ...]:
    """The hosts that ``--limit`` leaves; all, if it is empty.

    :raises AdminError: ``pattern-invalid``, ``host-unknown``, ``hosts-none``
    """
    hosts = inventory.select(limit) if limit else inventory.hosts
    if limit and not hosts:
        raise usage_error("hosts-none", f"--limit {limit!r} leaves no host", "omero hosts graph shows who is where")
    return hosts


def wished_rights(become: bool | None) -> Become | None:
    """What ``--become`` and ``--no-become`` mean; ``None``: as the inventory says."""
    from omeroadmin.provisioning.inventory import Become

    if become is None:
        return None
    return Become.SUDO if become else Become.NONE
