"""What becomes of links when objects get another group or owner: none may span groups, nor owners in a private one.
Pure.
"""

from __future__ import annotations

from collections import defaultdict

from omeroadmin.runtime.services.blitz.services.graph.facts import Facts, Ids, Link
from omeroadmin.runtime.services.blitz.services.graph.wish import Destination, Operation, Wish
from omeroadmin.runtime.services.blitz.services.levels import Level, level_of
from omeroadmin.runtime.services.blitz.services.model.declared import ENTITIES
from omeroadmin.runtime.services.blitz.services.model.entity import LinkEnds


def links_of_changed(facts: Facts, wish: Wish, going: Ids) -> tuple[Ids, Ids]:
    """Sort the links of objects that change.

    :return: links that change with them, and links that are removed, by type
    """
    changed: Ids = defaultdict(set)
    lost: Ids = defaultdict(set)
    where = wish.destination
    for name, links in facts.links.items():
        ends = ENTITIES[name].link
        if ends is None or where is None:
            continue
        given = {(link.parent, link.child) for link in links.values() if link.owner == where.id}
        for link in links.values():
            if link.parent not in going.get(ends.parent, ()) and link.child not in going.get(ends.child, ()):
                continue
            if wish.operation is Operation.CHGRP:
                stays = _may_move(facts, going, ends, link, where)
                (changed if stays else lost)[name].add(link.id)
                continue
            fate = _fate_of_owned(facts, going, ends, link, where)
            if fate == "changed" and (link.parent, link.child) in given:
                # Two links of one owner between the same objects can't be.
                fate = "lost"
            if fate == "changed":
                given.add((link.parent, link.child))
                changed[name].add(link.id)
            elif fate == "lost":
                lost[name].add(link.id)
    return changed, lost


def _may_move(facts: Facts, going: Ids, ends: LinkEnds, link: Link, where: Destination) -> bool:
    """Whether both ends will be in the new group, and may be linked there."""
    owners = {link.owner}
    for name, end in ((ends.parent, link.parent), (ends.child, link.child)):
        whose = facts.objects.get(name, {}).get(end)
        if end not in going.get(name, ()) and (whose is None or whose.group != where.id):
            return False
        owners.add(whose.owner if whose is not None else facts.parts[name][end][1])
    if len(owners) == 1:
        return True
    separate = (Level.PRIVATE, Level.READ_ONLY) if ends.child == "Annotation" else (Level.PRIVATE,)
    return where.level not in separate


def _fate_of_owned(facts: Facts, going: Ids, ends: LinkEnds, link: Link, where: Destination) -> str:
    """``changed``, ``lost``, or empty where the link stays as it is."""
    owners = set()
    both = True
    for name, end in ((ends.parent, link.parent), (ends.child, link.child)):
        whose = facts.objects.get(name, {}).get(end)
        if end in going.get(name, ()):
            owners.add(whose.owner if whose is not None else facts.parts[name][end][1])
        elif whose is None or whose.owner != where.id:
            both = False
    if both:
        return "changed" if link.owner in owners else ""
    return "lost" if level_of(facts.levels[link.group]) is Level.PRIVATE else ""
