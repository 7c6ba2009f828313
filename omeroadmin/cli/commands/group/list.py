"""``omero group list``."""

from __future__ import annotations

from omeroadmin.cli.output import Style
from omeroadmin.cli.people_options import CountOption, LongOption, SortById, SortByName, StyleOption
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    style: StyleOption = Style.SQL,
    long: LongOption = False,
    count: CountOption = False,
    sort_by_id: SortById = False,
    sort_by_name: SortByName = False,
) -> None:
    """List all groups, with how many users are in each.

    Example: omero group list --long --sort-by-name
    """
    from omeroadmin.access.people import all_groups
    from omeroadmin.cli.people_sorting import count_wanted, sorted_groups
    from omeroadmin.cli.views.people import print_groups

    count_wanted(count=count, long=long)
    with connection.open() as (client, _):
        groups = sorted_groups(all_groups(client), by_id=sort_by_id, by_name=sort_by_name)
    print_groups(groups, style, long=long)
