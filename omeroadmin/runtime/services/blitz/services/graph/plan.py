"""What a delete, a move or a change of ownership does, as pure data: facts and a wish make a plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from omeroadmin.runtime.services.blitz.services.graph.facts import Facts, Ids
from omeroadmin.runtime.services.blitz.services.graph.reach import Reach, kind_of, reach
from omeroadmin.runtime.services.blitz.services.graph.spanning import links_of_changed
from omeroadmin.runtime.services.blitz.services.graph.wish import Operation, Wish
from omeroadmin.runtime.services.blitz.services.model.declared import ENTITIES, SEARCHED


@dataclass(frozen=True)
class Kept:
    """Objects that one might expect to go, and that stay.

    :param reason: completes "stays, because it …"
    """

    type: str
    ids: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class GraphPlan:
    """What is going to happen; ids are in order.

    :param deleted: objects that cease to exist, by type
    :param changed: objects that get another group or owner, by type
    :param kept: what stays
    :param reindexed: objects that stay and lose annotations, by type
    :param warnings: what the user should know, a sentence each
    """

    operation: Operation
    deleted: Mapping[str, tuple[int, ...]]
    changed: Mapping[str, tuple[int, ...]]
    kept: tuple[Kept, ...] = ()
    reindexed: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """Number of types that anything happens to."""
        return len(self.deleted) + len(self.changed)


def make_plan(facts: Facts, wish: Wish) -> GraphPlan:
    """Decide.

    :raises AdminError: ``permission-denied``, ``fileset-split``, ``file-in-use``
    """
    reached = reach(facts, wish)
    going = reached.going
    if wish.operation is Operation.DELETE:
        touching: Ids = {}
        for name, links in facts.links.items():
            touching[name] = {link.id for link in links.values() if _touches(name, link.parent, link.child, going)}
            touching[name] |= going.get(name, set())
        deleted = _merged(going, touching)
        return GraphPlan(
            wish.operation,
            _by_type(facts, deleted),
            {},
            _kept(facts, reached, deleted),
            _reindexed(facts, touching, going),
        )
    kept_links, lost = links_of_changed(facts, wish, going)
    changed = _merged(going, kept_links)
    return GraphPlan(
        wish.operation,
        _by_type(facts, lost),
        _by_type(facts, changed),
        _kept(facts, reached, changed),
        _reindexed(facts, lost, going),
        _warnings(facts, wish, going),
    )


def _touches(name: str, parent: int, child: int, going: Ids) -> bool:
    ends = ENTITIES[name].link
    if ends is None:
        return False
    return parent in going.get(ends.parent, ()) or child in going.get(ends.child, ())


def _merged(*groups: Ids) -> Ids:
    merged: Ids = defaultdict(set)
    for group in groups:
        for name, ids in group.items():
            merged[name] |= ids
    return merged


def _by_type(facts: Facts, ids: Ids) -> dict[str, tuple[int, ...]]:
    """Sorted, kinds of annotations and jobs apart."""
    named: Ids = defaultdict(set)
    for name, members in ids.items():
        if name in ("Annotation", "Job"):
            for one in members:
                named[kind_of(facts, name, one)].add(one)
        elif members:
            named[name] |= members
    return {name: tuple(sorted(named[name])) for name in sorted(named)}


def _kept(facts: Facts, reached: Reach, gone: Ids) -> tuple[Kept, ...]:
    grouped: dict[tuple[str, str], set[int]] = defaultdict(set)
    for (name, object_id), reason in reached.kept.items():
        if object_id not in gone.get(name, ()):
            grouped[kind_of(facts, name, object_id), reason].add(object_id)
    return tuple(Kept(name, tuple(sorted(ids)), reason) for (name, reason), ids in sorted(grouped.items()))


def _reindexed(facts: Facts, lost: Ids, going: Ids) -> dict[str, tuple[int, ...]]:
    """What stays and isn't found by an annotation any more."""
    found = {}
    for name in SEARCHED:
        links = facts.links.get(f"{name}AnnotationLink", {})
        parents: Iterable[int] = (links[one].parent for one in lost.get(f"{name}AnnotationLink", ()))
        staying = set(parents) - going.get(name, set())
        if staying:
            found[name] = tuple(sorted(staying))
    return found


def _warnings(facts: Facts, wish: Wish, going: Ids) -> tuple[str, ...]:
    """Data should be in a group that its owner is a member of; it need not (manual, 1.2)."""
    where = wish.destination
    if where is None:
        return ()
    known = {name: facts.objects[name] for name in going if name in facts.objects}
    whose = [objects[one] for name, objects in known.items() for one in going[name] if one in objects]
    if wish.operation is Operation.CHGRP:
        strangers = sorted({one.owner for one in whose} - where.members)
        return tuple(f"user {owner} owns some of this and is not a member of group {where.name}" for owner in strangers)
    groups = sorted({one.group for one in whose} - where.members)
    return tuple(f"user {where.name} is not a member of group {group}, which some of this is in" for group in groups)
