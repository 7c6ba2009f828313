"""``omero group info``."""

from __future__ import annotations

from omeroadmin.cli.output import Style
from omeroadmin.cli.people_options import (
    CountOption,
    GroupIdOption,
    GroupNameOption,
    GroupsArgument,
    LongOption,
    SortById,
    SortByName,
    StyleOption,
    groups_meant,
    selection,
)
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    groups: GroupsArgument = None,
    group_id: GroupIdOption = None,
    group_name: GroupNameOption = None,
    style: StyleOption = Style.SQL,
    long: LongOption = False,
    count: CountOption = False,
    sort_by_id: SortById = False,
    sort_by_name: SortByName = False,
) -> None:
    """Show some groups; that of your session by default.

    Example: omero group info --group-name read-only-1 --long
    """
    from omeroadmin.cli.people_sorting import count_wanted, sorted_groups
    from omeroadmin.cli.views.people import print_groups

    count_wanted(count=count, long=long)
    with connection.open() as (client, session):
        meant = groups_meant(client, session, selection(groups, group_id, group_name))
        found = sorted_groups(meant, by_id=sort_by_id, by_name=sort_by_name)
    print_groups(found, style, long=long)
