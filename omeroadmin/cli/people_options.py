"""Options that name users and groups, declared once for ``omero user`` and ``omero group``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omeroadmin.cli.output import Style
from omeroadmin.errors import usage_error
from omeroadmin.schema.levels import PERMISSIONS, Level

if TYPE_CHECKING:
    from omeroadmin.access.client import Client
    from omeroadmin.access.people import Group, User
    from omeroadmin.access.session import Session
    from omeroadmin.workflows.people import Selection

UsersArgument = Annotated[list[str] | None, typer.Argument(metavar="[USER]...", help="Ids or names of users.")]
UserIdOption = Annotated[list[str] | None, typer.Option("--user-id", metavar="ID", help="Id of a user; repeatable.")]
UserNameOption = Annotated[
    list[str] | None, typer.Option("--user-name", metavar="NAME", help="Name of a user; repeatable.")
]
GroupsArgument = Annotated[list[str] | None, typer.Argument(metavar="[GROUP]...", help="Ids or names of groups.")]
GroupIdOption = Annotated[list[str] | None, typer.Option("--group-id", metavar="ID", help="Id of a group; repeatable.")]
GroupNameOption = Annotated[
    list[str] | None, typer.Option("--group-name", metavar="NAME", help="Name of a group; repeatable.")
]
OfUserIdOption = Annotated[str | None, typer.Option("--id", metavar="ID", help="Id of the user; you by default.")]
OfUserNameOption = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Name of the user; you by default.")
]
OfGroupIdOption = Annotated[str | None, typer.Option("--id", metavar="ID", help="Id of the group.")]
OfGroupNameOption = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the group.")]
AsOwnerOption = Annotated[bool, typer.Option("--as-owner", help="As owners, or out of the list of owners only.")]
StyleOption = Annotated[Style, typer.Option("--style", help="How to print the list.")]
CountOption = Annotated[bool, typer.Option("--count", help="Print how many groups or users, not which.")]
LongOption = Annotated[bool, typer.Option("--long", help="Print their ids.")]
IgnoreExistingOption = Annotated[bool, typer.Option("--ignore-existing", help="One that exists already is no error.")]
UserPasswordOption = Annotated[
    str | None,
    typer.Option(
        "-P", "--userpassword", metavar="PASSWORD", help="Discouraged: other users see it in the process list."
    ),
]
UserPasswordFileOption = Annotated[
    Path | None,
    typer.Option("--userpassword-file", metavar="FILE", help="File whose first line is the user's new password."),
]
SortById = Annotated[bool, typer.Option("--sort-by-id", help="Sort by id; the default.")]
SortByLogin = Annotated[bool, typer.Option("--sort-by-login", help="Sort by name of login.")]
SortByFirstName = Annotated[bool, typer.Option("--sort-by-first-name", help="Sort by first name.")]
SortByLastName = Annotated[bool, typer.Option("--sort-by-last-name", help="Sort by last name.")]
SortByEmail = Annotated[bool, typer.Option("--sort-by-email", help="Sort by address.")]
SortByName = Annotated[bool, typer.Option("--sort-by-name", help="Sort by name.")]
PermissionsOption = Annotated[
    str | None, typer.Option("--perms", metavar="PERMS", help="Permissions as OMERO writes them, e.g. rwr---.")
]
TypeOption = Annotated[Level | None, typer.Option("--type", help="Permissions by name; private by default.")]


def permissions_of(perms: str | None, kind: Level | None) -> str:
    """The permissions that ``--perms`` or ``--type`` names.

    :raises AdminError: ``options-conflict``
    """
    if perms is not None and kind is not None:
        raise usage_error("options-conflict", "--perms and --type exclude each other", "give one of them")
    return PERMISSIONS[kind or Level.PRIVATE] if perms is None else perms


def selection(
    either: list[str] | None = None, ids: list[str] | None = None, names: list[str] | None = None
) -> Selection:
    """Users or groups as they were typed."""
    from omeroadmin.workflows.people import Selection

    return Selection(tuple(either or ()), tuple(ids or ()), tuple(names or ()))


def users_meant(client: Client, session: Session, chosen: Selection) -> list[User]:
    """The users that were named, else the session's.

    :raises AdminError: as :func:`omeroadmin.workflows.people.find_users`
    """
    from omeroadmin.workflows.people import Selection, find_users

    return find_users(client, chosen or Selection(names=(session.user,)))


def groups_meant(client: Client, session: Session, chosen: Selection) -> list[Group]:
    """The groups that were named, else the session's.

    :raises AdminError: as :func:`omeroadmin.workflows.people.find_groups`
    """
    from omeroadmin.workflows.people import Selection, find_groups

    return find_groups(client, chosen or Selection(names=(session.group,)))


def the_one(number: str | None, name: str | None) -> Selection:
    """What ``--id`` or ``--name`` names; nothing where neither is given.

    :raises AdminError: ``options-conflict``
    """
    if number is not None and name is not None:
        raise usage_error("options-conflict", "--id and --name exclude each other", "give one of them")
    return selection(ids=[] if number is None else [number], names=[] if name is None else [name])


def needed(chosen: Selection, what: str) -> Selection:
    """A selection that isn't empty.

    :raises AdminError: ``selection-missing``
    """
    if not chosen:
        raise usage_error(
            "selection-missing", f"No input {what} is specified", f"name it by its id or its name: omero {what} list"
        )
    return chosen
