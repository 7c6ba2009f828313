"""``omero fs images``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from omeroadmin.cli.list_options import DEFAULT_LIMIT, ExtendedOption, LimitOption, OffsetOption, StyleOption
from omeroadmin.cli.output import Style
from omeroadmin.cli.session import Connection, connects


class Order(StrEnum):
    """Which images come first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"
    PREFIX = "prefix"


@connects
def command(
    connection: Connection,
    style: StyleOption = Style.SQL,
    limit: LimitOption = DEFAULT_LIMIT,
    offset: OffsetOption = 0,
    order: Annotated[Order, typer.Option("--order", help="Which come first.")] = Order.NEWEST,
    archived: Annotated[
        bool, typer.Option("--archived", help="Only images of OMERO 4 whose original files were archived.")
    ] = False,
    extended: ExtendedOption = False,
) -> None:
    """List images, with number and size of their files.

    With --extended also the sizes of their planes and pyramids on the server's disk.

    Example: omero fs images --style csv --limit 500

    Example: omero fs images --order largest
    """
    from omeroadmin.cli.views.files import print_images
    from omeroadmin.workflows.file_lists import Part, images

    with connection.open() as (client, _):
        found = images(client, Part(limit, offset, order.value, extended), archived=archived)
        print_images(found, style, extended=extended)
