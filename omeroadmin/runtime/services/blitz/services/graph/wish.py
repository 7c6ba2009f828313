"""What a request for a delete, a move or a change of ownership wants."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.graph.shape import CHOOSABLE, is_annotation
from omeroadmin.runtime.services.blitz.services.levels import Level, level_of
from omeroadmin.runtime.services.blitz.services.model.lookup import entities_named
from omeroadmin.runtime.services.blitz.services.permissions import Action
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from omeroadmin.runtime.services.blitz.services.problems import invalid


class Operation(StrEnum):
    """OMERO's commands on graphs."""

    DELETE = "delete"
    CHGRP = "chgrp"
    CHOWN = "chown"

    @property
    def action(self) -> Action:
        """What somebody must be allowed to do."""
        return {"delete": Action.DELETE, "chgrp": Action.MOVE, "chown": Action.CHANGE_OWNERSHIP}[self.value]

    @property
    def privilege(self) -> Privilege:
        """What an administrator needs for it."""
        return {"delete": Privilege.DELETE_OWNED, "chgrp": Privilege.CHGRP, "chown": Privilege.CHOWN}[self.value]


@dataclass(frozen=True)
class Destination:
    """Where objects go: a group, or an owner.

    :param permissions: of a group, as a bit mask
    :param members: of a group: its users; of an owner: groups that the user is in
    """

    id: int
    name: str
    members: frozenset[int]
    permissions: int = 0

    @property
    def level(self) -> Level:
        """What members of a group share."""
        return level_of(self.permissions)


@dataclass(frozen=True)
class Wish:
    """A request, without its targets.

    :param actor: who asks; ``None``: nobody is asked for permission, to find what is below something
    :param include: types that go even where they usually stay
    :param exclude: types that stay
    :param followed: kinds of annotations that go like all others, though they usually stay
    """

    operation: Operation
    actor: Actor | None
    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    destination: Destination | None = None
    followed: frozenset[str] = frozenset()


def chosen_types(names: list[str]) -> frozenset[str]:
    """Types of ``--include`` or ``--exclude``; abstract ones stand for all their kinds.

    :raises AdminError: ``request-invalid``
    """
    chosen: set[str] = set()
    for name in names:
        for entity in entities_named(name):
            if entity.name not in CHOOSABLE and not is_annotation(entity.name):
                raise invalid(
                    f"{entity.name} can be neither included nor excluded: it goes with what it belongs to;"
                    f" choose among {', '.join(sorted(CHOOSABLE))} and annotations"
                )
            chosen.add(entity.name)
    return frozenset(chosen)
