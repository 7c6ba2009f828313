"""Who may change which property of data, where it is not simply a matter of the object's permissions. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from omeroadmin.runtime.services.blitz.database import Row
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.model.entity import Column, Entity
from omeroadmin.runtime.services.blitz.services.permissions import Action, Holding, require
from omeroadmin.runtime.services.blitz.services.problems import invalid
from omeroadmin.runtime.services.blitz.services.servertypes import require_clients_mimetype


def require_edit(actor: Actor, row: Row, columns: Iterable[Column]) -> None:
    """Make sure that somebody may change an object.

    :param row: the object, as :func:`reading.read` gives it; it has an owner
    :param columns: what shall change; none: its pairs
    :raises AdminError: ``permission-denied``, ``request-invalid``
    """
    entity: Entity = row["entity"]
    names = {column.name for column in columns}
    what = f"{entity.name}:{row['id']}"
    require(actor, Action.EDIT, what, Holding(row["owner_id"], row["group_id"], row["group_permissions"]))
    if entity.link is not None and names:
        raise invalid(f"{what} is a link: delete it and make another")
    if entity.name == "OriginalFile" and row["repo"] is not None and names & {"name", "mimetype"}:
        raise invalid(f"{what} is a file of a repository; its {', '.join(sorted(names))} can't be changed here")


def require_value(column: Column, value: object) -> None:
    """Make sure that a value isn't one that only the server gives.

    :raises AdminError: ``request-invalid``
    """
    if column.name == "mimetype":
        require_clients_mimetype(str(value))
