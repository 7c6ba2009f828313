"""Users of a running server in more roles than :meth:`LiveServer.add_user` makes."""

from __future__ import annotations

from tests.support.liveserver import LiveServer


def join(server: LiveServer, user: str, group: str, *, leads: bool = False) -> None:
    """Make a user a member of one more group.

    :param leads: whether as an owner of it
    """
    server.sql(
        "INSERT INTO groupexperimentermap (id, permissions, version, parent, child, child_index, owner)"
        " SELECT ome_nextval('seq_groupexperimentermap'), -52, 0, g.id, e.id,"
        " (SELECT coalesce(max(child_index), 0) + 1 FROM groupexperimentermap WHERE child = e.id), %s"
        " FROM experimentergroup g, experimenter e WHERE g.name = %s AND e.omename = %s",
        leads,
        group,
        user,
    )


def lead(server: LiveServer, user: str, group: str, *, leads: bool = True) -> None:
    """Make a member an owner of its group, or no longer."""
    server.sql(
        "UPDATE groupexperimentermap m SET owner = %s FROM experimentergroup g, experimenter e"
        " WHERE g.id = m.parent AND e.id = m.child AND g.name = %s AND e.omename = %s",
        leads,
        group,
        user,
    )


def administrator(server: LiveServer, *without: str) -> str:
    """A new administrator.

    :param without: privileges that this one lacks, e.g. ``Sudo``
    :return: the user's name
    """
    user = server.add_user()
    join(server, user, "system")
    for index, privilege in enumerate(without):
        server.sql(
            "INSERT INTO experimenter_config (experimenter_id, name, value, index)"
            " SELECT id, %s, 'false', %s FROM experimenter WHERE omename = %s",
            f"AdminPrivilege:{privilege}",
            index,
            user,
        )
    return user
