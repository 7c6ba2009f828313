"""Shows users and groups with OMERO's columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from omeroadmin.cli.output import Style, print_json, print_lines, print_table, say

if TYPE_CHECKING:
    from omeroadmin.access.people import Group, User
    from omeroadmin.workflows.people import LevelChange, Moved

_USER_COLUMNS = ("id", "login", "first name", "last name", "email", "active", "ldap", "admin")
_GROUP_COLUMNS = ("id", "name", "perms", "ldap")


def print_users(users: Sequence[User], style: Style, *, count: bool) -> None:
    """Users; all that is known of them as JSON.

    :param count: how many groups each is in, instead of which
    """
    if style is Style.JSON:
        print_json("users", {"users": users})
        return
    last = ("# group memberships", "# group ownerships") if count else ("member of", "owner of")
    rows = [
        (
            user.id,
            user.name,
            user.first_name,
            user.last_name,
            user.email,
            _yes(user.active),
            user.ldap,
            _yes(user.admin),
            _ids(user.member_of, count=count),
            _ids(user.owner_of, count=count),
        )
        for user in users
    ]
    print_table("users", (*_USER_COLUMNS, *last), rows, style)


def print_groups(groups: Sequence[Group], style: Style, *, long: bool) -> None:
    """Groups; all that is known of them as JSON.

    :param long: which users are in each, instead of how many
    """
    if style is Style.JSON:
        print_json("groups", {"groups": groups})
        return
    last = ("owner ids", "member ids") if long else ("# of owners", "# of members")
    rows = [(group.id, group.name, group.permissions, group.ldap, *(_members(group, long=long))) for group in groups]
    print_table("groups", (*_GROUP_COLUMNS, *last), rows, style)


def print_emails(users: Sequence[User], *, names: bool, one: bool, ignore: bool, everybody: bool) -> None:
    """Addresses, ready for a mail program; who has none is named on stderr.

    :param names: with the users' names
    :param one: one a line
    :param ignore: say nothing of users without an address
    :param everybody: with those who can't log in
    """
    meant = [user for user in users if user.active or everybody]
    lines = [f'"{user.full_name}" <{user.email}>' if names else user.email for user in meant if user.email]
    print_lines(*(lines if one else [", ".join(lines)]))
    missing = [user.full_name for user in users if not user.email]
    if missing and not ignore:
        say("Missing email addresses:")
        for name in missing:
            say(name)


def print_added_user(user: User, *, is_new: bool, with_password: bool) -> None:
    """The line that scripts know from OMERO."""
    if is_new:
        words = "with" if with_password else "without"
        print_lines(f"Added user {user.name} (id={user.id}) {words} password")
    else:
        print_lines(f"User exists: {user.name} (id={user.id})")


def print_added_group(group: Group, *, is_new: bool) -> None:
    """The line that scripts know from OMERO."""
    if is_new:
        print_lines(f"Added group {group.name} (id={group.id}) with permissions {group.permissions}")
    else:
        print_lines(f"Group exists: {group.name} (id={group.id})")


def print_moved(moved: Moved, *, add: bool, as_owner: bool) -> None:
    """Lines that scripts know from OMERO."""
    relation = "owner of" if as_owner else "in"
    words = ("Added", "to") if add else ("Removed", "from")
    group_id = moved.group.id
    whose = f"the owner list of group {group_id}" if as_owner else f"group {group_id}"
    for user_id in moved.unchanged:
        print_lines(f"{user_id} is {'already' if add else 'not'} {relation} group {group_id}")
    for user_id in moved.changed:
        print_lines(f"{words[0]} {user_id} {words[1]} {whose}")


def print_level_change(change: LevelChange, *, dry_run: bool) -> None:
    """The line that scripts know from OMERO, and what was unlinked; all of it as a plan for ``--dry-run``."""
    of_group = f"for group {change.name} (id={change.group_id})"
    if dry_run:
        print_lines(*level_lines(change))
    elif change.before == change.after:
        print_lines(f"Permissions {of_group} already {change.after}")
    else:
        print_lines(f"Changed permissions {of_group} to {change.after}", *level_lines(change)[1:])


def level_lines(change: LevelChange) -> list[str]:
    """What a change of permissions does."""
    lines = [f"Group {change.name} (id={change.group_id}): {change.before} -> {change.after}"]
    return lines + [f"  {_loss(name, number)}" for name, number in sorted(change.removed.items())]


def print_privileges(users: Sequence[User], style: Style) -> None:
    """What administrators may, and what they may not."""
    from omeroadmin.schema.privileges import Privilege

    rows = [
        (user.id, user.name, _yes(user.admin), name.value, _yes(name in user.privileges))
        for user in users
        for name in Privilege
        if user.admin
    ]
    print_table("privileges", ("id", "login", "admin", "privilege", "granted"), rows, style)


def _loss(name: str, number: int) -> str:
    if name == "Roi":
        return f"{number} Roi lose{'s' if number == 1 else ''} the image of another user"
    return f"{number} {name} {'is' if number == 1 else 'are'} removed"


def _members(group: Group, *, long: bool) -> tuple[object, object]:
    if long:
        return ",".join(map(str, group.owners)), ",".join(map(str, group.members))
    return len(group.owners), len(group.members)


def _ids(ids: Sequence[int], *, count: bool) -> object:
    return (len(ids) or "") if count else ",".join(map(str, ids))


def _yes(value: bool) -> str:
    return "Yes" if value else ""
