"""Plans for random graphs: nothing outside of what hangs on the targets is touched, and nothing is left hanging."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.services.actor import Actor, Membership
from omeroadmin.runtime.services.blitz.services.graph.facts import Facts, Link, Whose
from omeroadmin.runtime.services.blitz.services.graph.plan import GraphPlan, make_plan
from omeroadmin.runtime.services.blitz.services.graph.ranges import parse_ranges, ranges_text
from omeroadmin.runtime.services.blitz.services.graph.wish import Destination, Operation, Wish
from omeroadmin.runtime.services.blitz.services.levels import Level, mask_of
from omeroadmin.runtime.services.blitz.services.model.declared import ENTITIES
from omeroadmin.runtime.services.blitz.services.privileges import ALL

GROUP, TARGET_GROUP, ME, HEIR = 10, 11, 1, 2
KINDS = {"CommentAnnotation": "/basic/text/comment/", "TagAnnotation": "/basic/text/tag/"}
NODES = ("Project", "Dataset", "Image", "Annotation")
LINKS = ("ProjectDatasetLink", "DatasetImageLink", "ImageAnnotationLink", "DatasetAnnotationLink")
INNER = frozenset({"Pixels", "Roi", "Fileset", "FilesetEntry", "OriginalFile"})


@dataclass(frozen=True)
class World:
    """All there is, as facts that leave nothing out.

    :param level: of the group
    """

    facts: Facts
    level: Level


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Up to four objects of each type, of two owners, linked at random; images have filesets, pixels, perhaps rois."""
    level = draw(st.sampled_from(Level))
    owners = st.just(ME) if level is Level.PRIVATE else st.sampled_from([ME, ME, 3])
    facts = Facts({}, levels={GROUP: mask_of(level), TARGET_GROUP: mask_of(draw(st.sampled_from(Level)))})
    for offset, name in enumerate(NODES):
        for number in range(draw(st.integers(1, 4))):
            facts.objects[name][100 * offset + number] = Whose(draw(owners), GROUP)
    for one in facts.objects["Annotation"]:
        facts.kinds[one] = draw(st.sampled_from(sorted(KINDS.values())))
    number = 1000
    for name in LINKS:
        ends = ENTITIES[name].link
        assert ends is not None
        pairs = [(one, other) for one in facts.objects[ends.parent] for other in facts.objects[ends.child]]
        for parent, child in draw(st.lists(st.sampled_from(pairs), unique=True, max_size=6)):
            number += 1
            facts.links[name][number] = Link(number, parent, child, draw(owners), GROUP)
    _inner(draw, facts)
    return World(facts, level)


def _inner(draw: st.DrawFn, facts: Facts) -> None:
    for image, whose in facts.objects["Image"].items():
        fileset = draw(st.integers(5000, 5002))
        # The images of a fileset are one user's.
        facts.objects["Fileset"].setdefault(fileset, whose)
        facts.objects["Image"][image] = facts.objects["Fileset"][fileset]
        facts.filesets[image] = fileset
        facts.parts["Pixels"][image + 6000] = (image, whose.owner)
        if draw(st.booleans()):
            facts.parts["Roi"][image + 7000] = (image, draw(st.sampled_from([ME, 3])))
        entry, file = fileset + 1000, fileset + 2000
        facts.parts["FilesetEntry"][entry] = (fileset, whose.owner)
        facts.objects["OriginalFile"][file] = facts.objects["Fileset"][fileset]
        facts.uses["OriginalFile"][file] = {("FilesetEntry", entry)}


def actor(*, admin: bool) -> Actor:
    moment = datetime(2026, 1, 1)  # noqa: DTZ001 - as the database gives it, UTC
    own = Membership(GROUP, "lab", 0, is_leader=False)
    groups = [own, Membership(TARGET_GROUP, "other", 0, is_leader=False), Membership(1, "user", -52, is_leader=False)]
    if admin:
        groups.append(Membership(0, "system", -52, is_leader=False))
    privileges = ALL if admin else frozenset()
    return Actor(1, "key", ME, "me", "", moment, moment, 0, 0, tuple(groups), privileges=privileges)


def by_node(plan_part: dict[str, set[int]]) -> dict[str, set[int]]:
    """Kinds of annotations as one."""
    found: dict[str, set[int]] = defaultdict(set)
    for name, ids in plan_part.items():
        found["Annotation" if name in KINDS else name] |= ids
    return found


def planned(world: World, data: st.DataObject, operation: Operation) -> tuple[GraphPlan, dict[str, set[int]]]:
    """A plan for some targets, and these; requests that are refused are left out."""
    facts = world.facts
    targets = {}
    for name in data.draw(st.lists(st.sampled_from([*NODES, "Fileset"]), min_size=1, max_size=2, unique=True)):
        targets[name] = data.draw(st.sets(st.sampled_from(sorted(facts.objects[name])), min_size=1, max_size=2))
    facts.targets.clear()
    facts.targets.update(targets)
    destination = None
    if operation is Operation.CHGRP:
        destination = Destination(TARGET_GROUP, "other", frozenset({ME, 3}), facts.levels[TARGET_GROUP])
    elif operation is Operation.CHOWN:
        destination = Destination(HEIR, "heir", frozenset({GROUP}))
    who = actor(admin=operation is Operation.CHOWN or data.draw(st.booleans()))
    try:
        return make_plan(facts, Wish(operation, who, destination=destination)), targets
    except AdminError as error:
        assert error.code in ("permission-denied", "fileset-split")  # noqa: PT017 - refusals are answers
        assume(False)
        raise


def below(world: World, targets: dict[str, set[int]]) -> dict[str, set[int]]:
    """Everything that hangs on the targets, however loosely."""
    facts = world.facts
    reached: dict[str, set[int]] = defaultdict(set, {name: set(ids) for name, ids in targets.items()})
    for _ in range(6):
        for name in LINKS:
            ends = ENTITIES[name].link
            assert ends is not None
            reached[ends.child] |= {
                one.child for one in facts.links[name].values() if one.parent in reached[ends.parent]
            }
        reached["Image"] |= {image for image, fileset in facts.filesets.items() if fileset in reached["Fileset"]}
        reached["Fileset"] |= {fileset for image, fileset in facts.filesets.items() if image in reached["Image"]}
    return reached


@settings(max_examples=150, deadline=None)
@given(world=worlds(), data=st.data())
@pytest.mark.parametrize("operation", Operation)
def test_nothing_else_is_touched(operation: Operation, world: World, data: st.DataObject) -> None:
    plan, targets = planned(world, data, operation)
    gone = by_node({name: set(ids) for name, ids in {**plan.deleted, **plan.changed}.items()})
    reached = below(world, targets)
    for name in (*NODES, "Fileset"):
        assert gone[name] <= reached[name]
    named = targets.get("Fileset", set())
    for name in ("ProjectDatasetLink", "DatasetImageLink"):
        ends = ENTITIES[name].link
        assert ends is not None
        for link in world.facts.links[name].values():
            is_target = link.child in targets.get(ends.child, ()) or world.facts.filesets.get(link.child) in named
            if link.child in gone[ends.child] and not is_target:
                assert link.parent in gone[ends.parent], f"{name}: what another container holds went"
    for name in ("ImageAnnotationLink", "DatasetAnnotationLink"):
        ends = ENTITIES[name].link
        assert ends is not None
        for link in world.facts.links[name].values():
            if link.child in gone["Annotation"] - targets.get("Annotation", set()):
                assert link.parent in gone[ends.parent], "what is also linked to something else went"
    if operation is Operation.DELETE:
        tags = {one for one, kind in world.facts.kinds.items() if kind == KINDS["TagAnnotation"]}
        assert not (gone["Annotation"] & tags) - targets.get("Annotation", set())


@settings(max_examples=150, deadline=None)
@given(world=worlds(), data=st.data())
def test_a_delete_leaves_nothing_hanging(world: World, data: st.DataObject) -> None:
    plan, _ = planned(world, data, Operation.DELETE)
    facts, gone = world.facts, by_node({name: set(ids) for name, ids in plan.deleted.items()})
    for name in LINKS:
        ends = ENTITIES[name].link
        assert ends is not None
        for link in facts.links[name].values():
            loses = link.parent in gone[ends.parent] or link.child in gone[ends.child]
            assert (link.id in gone[name]) is loses
    for name, whole in (("Pixels", "Image"), ("Roi", "Image"), ("FilesetEntry", "Fileset")):
        for part, (one, _) in facts.parts[name].items():
            assert (part in gone[name]) is (one in gone[whole])
    for image, fileset in facts.filesets.items():
        assert (image in gone["Image"]) is (fileset in gone["Fileset"]), "a fileset is split"
    for file, users in facts.uses["OriginalFile"].items():
        assert (file in gone["OriginalFile"]) is all(user in gone[name] for name, user in users)


@settings(max_examples=150, deadline=None)
@given(world=worlds(), data=st.data())
def test_after_a_move_no_link_spans_groups(world: World, data: st.DataObject) -> None:
    plan, _ = planned(world, data, Operation.CHGRP)
    facts = world.facts
    moved = by_node({name: set(ids) for name, ids in plan.changed.items()})
    lost = by_node({name: set(ids) for name, ids in plan.deleted.items()})
    assert not lost.keys() - set(LINKS)
    for name in LINKS:
        ends = ENTITIES[name].link
        assert ends is not None
        for link in facts.links[name].values():
            places = {link.parent in moved[ends.parent], link.child in moved[ends.child], link.id in moved[name]}
            assert link.id in lost[name] or len(places) == 1
    for name, whole in (("Pixels", "Image"), ("Roi", "Image"), ("FilesetEntry", "Fileset")):
        for part, (one, _) in facts.parts[name].items():
            assert (part in moved[name]) is (one in moved[whole])
    for image, fileset in facts.filesets.items():
        assert (image in moved["Image"]) is (fileset in moved["Fileset"])


@settings(max_examples=150, deadline=None)
@given(world=worlds(), data=st.data())
def test_in_private_groups_no_link_spans_owners(world: World, data: st.DataObject) -> None:
    plan, _ = planned(world, data, Operation.CHOWN)
    facts = world.facts
    given_away = by_node({name: set(ids) for name, ids in plan.changed.items()})
    lost = by_node({name: set(ids) for name, ids in plan.deleted.items()})
    assert not lost.keys() - set(LINKS)
    pairs: dict[tuple[str, int, int, int], int] = defaultdict(int)
    for name in LINKS:
        ends = ENTITIES[name].link
        assert ends is not None
        for link in facts.links[name].values():
            if link.id in lost[name]:
                continue
            owner = HEIR if link.id in given_away[name] else link.owner
            pairs[name, link.parent, link.child, owner] += 1
            if world.level is Level.PRIVATE:
                ends_given = {link.parent in given_away[ends.parent], link.child in given_away[ends.child]}
                assert len(ends_given) == 1
    assert not [pair for pair, count in pairs.items() if count > 1]


@given(st.sets(st.integers(0, 300), min_size=1))
def test_ranges(ids: set[int]) -> None:
    text = ranges_text(ids)
    assert {one for low, high in parse_ranges(text) for one in range(low, high + 1)} == ids
    assert ranges_text(ids) == text
