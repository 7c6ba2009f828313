"""``omero fs sets``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from omeroadmin.cli.list_options import DEFAULT_LIMIT, ExtendedOption, LimitOption, OffsetOption, StyleOption
from omeroadmin.cli.output import Style
from omeroadmin.cli.session import Connection, connects
from omeroadmin.cli.several_values import SeveralValues
from omeroadmin.schema.transfers import Transfer

COMMAND_CLASS = SeveralValues


class Order(StrEnum):
    """Which filesets come first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    PREFIX = "prefix"


@connects
def command(
    connection: Connection,
    style: StyleOption = Style.SQL,
    limit: LimitOption = DEFAULT_LIMIT,
    offset: OffsetOption = 0,
    order: Annotated[Order, typer.Option("--order", help="Which come first.")] = Order.NEWEST,
    without_images: Annotated[
        bool, typer.Option("--without-images", help="Only filesets without images, which may be damaged.")
    ] = False,
    with_transfer: Annotated[
        list[Transfer] | None,
        typer.Option("--with-transfer", help="Only filesets whose files came in one of these ways."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Compute the files' checksums and compare them with the import's; for admins."),
    ] = False,
    extended: ExtendedOption = False,
) -> None:
    """List filesets: the files of each import, and its images.

    Example: omero fs sets --order oldest --limit 3 --offset 5 --check

    Example: omero fs sets --with-transfer ln_s ln
    """
    from omeroadmin.cli.views.files import print_filesets
    from omeroadmin.workflows.file_lists import Part, filesets

    part = Part(limit, offset, order.value, extended)
    with connection.open() as (client, _):
        found = filesets(client, part, without_images=without_images, transfers=[*(with_transfer or ())], check=check)
        print_filesets(found, style, extended=extended, check=check)
