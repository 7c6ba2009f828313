"""OMERO's tables of permissions, every cell of them, by way of the API of a running server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from omeroadmin.runtime.services.blitz.services.levels import Level, mask_of
from omeroadmin.runtime.services.blitz.services.permissions import Action
from omeroadmin.runtime.services.blitz.services.privileges import CONFIG_PREFIX, Privilege
from tests.support.graph import Person, joins, known, person
from tests.support.liveserver import Answer, LiveServer
from tests.support.permission_tables import CELLS, TABLES

NEEDED = {
    "view": None,
    "annotate": Privilege.WRITE_OWNED,
    "delete": Privilege.DELETE_OWNED,
    "edit": Privilege.WRITE_OWNED,
    "move to another group": Privilege.CHGRP,
    "remove annotations from": Privilege.DELETE_OWNED,
    "link": Privilege.WRITE_OWNED,
    "give away": Privilege.CHOWN,
}
"""The one privilege that a restricted administrator has to have for an action (2.6.2)."""


@dataclass
class Lab:
    """A group of one level, and people who look at it from all sides.

    :param target: another group, which everybody is a member of
    """

    server: LiveServer
    level: Level
    victim: Person
    other: Person
    target: int
    people: dict[str, Person] = field(default_factory=dict)

    def actor(self, role: str, privilege: Privilege | None = None) -> Person:
        """Somebody of a role; ``with``, ``without`` and ``member without`` are restricted administrators."""
        name = f"{role} {privilege}"
        if name not in self.people:
            self.people[name] = self._make(role, privilege)
        return fresh(self.people[name])

    def _make(self, role: str, privilege: Privilege | None) -> Person:
        if role == "administrator":
            return Person(self.server, "root", 0, 0, self.server.tls().login())
        inside = role in ("owner", "member", "member without")
        group = f"group-of-{self.victim.name}" if inside else None
        made = person(self.server, group=group, owns=role == "owner")
        joins(self.server, made, self.target)
        if role in ("with", "without", "member without"):
            self._restrict(made, privilege, keep=role == "with")
            made = known(self.server, made.name)
        return made

    def _restrict(self, someone: Person, privilege: Privilege | None, *, keep: bool) -> None:
        """Make somebody an administrator who lacks a privilege, or all others."""
        joins(self.server, someone, 0)
        taken = [one for one in Privilege if (one is privilege) is not keep]
        for index, one in enumerate(taken):
            self.server.sql(
                "INSERT INTO experimenter_config (experimenter_id, name, value, index) VALUES (%s, %s, 'false', %s)",
                someone.id, f"{CONFIG_PREFIX}{one}", index,
            )  # fmt: skip


def fresh(someone: Person) -> Person:
    """The same user on a new connection: the server closes those that were idle for long."""
    someone.api.connection.close()
    return someone


@pytest.fixture(scope="module")
def labs(live_server: LiveServer) -> dict[Level, Lab]:
    """A group of each level."""
    target = person(live_server, permissions=mask_of(Level.READ_WRITE)).group
    made = {}
    for level in Level:
        victim = person(live_server, permissions=mask_of(level))
        other = person(live_server, group=f"group-of-{victim.name}")
        for someone in (victim, other):
            joins(live_server, someone, target)
        made[level] = Lab(live_server, level, victim, other, target)
    return made


def view(lab: Lab, actor: Person) -> Answer:
    return actor.api.call("GET", f"/objects/Dataset/{lab.victim.make('Dataset')}")


def annotate(lab: Lab, actor: Person) -> Answer:
    """A comment of the actor's own, linked to another's dataset."""
    dataset = lab.victim.make("Dataset")
    fields = {"textValue": "seen"}
    made = actor.api.call("POST", "/objects/CommentAnnotation", {"fields": fields, "group": lab.victim.group})
    if made.status != 201:
        return made
    ends = {"parent": f"Dataset:{dataset}", "child": f"CommentAnnotation:{made.document['id']}"}
    return actor.api.call("POST", "/objects/DatasetAnnotationLink", {"fields": ends})


def delete(lab: Lab, actor: Person) -> Answer:
    return actor.ask("delete", f"Dataset:{lab.victim.make('Dataset')}")


def edit(lab: Lab, actor: Person) -> Answer:
    dataset = lab.victim.make("Dataset")
    return actor.api.call("PATCH", f"/objects/Dataset/{dataset}", {"fields": {"name": "another name"}})


def move(lab: Lab, actor: Person) -> Answer:
    return actor.ask("chgrp", f"Dataset:{lab.victim.make('Dataset')}", group_id=lab.target)


def remove_annotations(lab: Lab, actor: Person) -> Answer:
    dataset, comment = lab.victim.make("Dataset"), lab.victim.make("CommentAnnotation")
    return actor.ask("delete", f"DatasetAnnotationLink:{lab.victim.link('Dataset', dataset, 'Annotation', comment)}")


def mix(lab: Lab, actor: Person) -> Answer:
    """Another's dataset in the project of a third."""
    ends = {"parent": f"Project:{lab.other.make('Project')}", "child": f"Dataset:{lab.victim.make('Dataset')}"}
    return actor.api.call("POST", "/objects/ProjectDatasetLink", {"fields": ends})


def change_ownership(lab: Lab, actor: Person) -> Answer:
    return actor.ask("chown", f"Dataset:{lab.victim.make('Dataset')}", user_id=lab.other.id)


ACTIONS: dict[str, Callable[[Lab, Person], Answer]] = {
    "view": view,
    "annotate": annotate,
    "delete": delete,
    "edit": edit,
    "move to another group": move,
    "remove annotations from": remove_annotations,
    "link": mix,
    "give away": change_ownership,
}


def outcome(answer: Answer) -> bool:
    """Whether it was done; a refusal is one of two: it may not be, or one may not even know."""
    if answer.status in (200, 201):
        return True
    assert (answer.status, answer.code) in ((403, "permission-denied"), (404, "not-found")), answer
    return False


def test_every_action_is_tried() -> None:
    assert set(ACTIONS) == set(NEEDED) == {action.value for action in Action}


@pytest.mark.parametrize(("role", "action", "level", "allowed"), CELLS)
def test_the_cell(labs: dict[Level, Lab], role: str, action: str, level: Level, allowed: bool) -> None:
    lab = labs[level]
    assert outcome(ACTIONS[action](lab, lab.actor(role))) is allowed


RESTRICTED = [
    (standing, action, level, letter == "Y")
    for standing, like in (("with", "administrator"), ("without", "stranger"), ("member without", "member"))
    for action in ACTIONS
    for level, letter in zip(Level, TABLES[like][action] if action != "view" else "YYYY", strict=True)
    if standing == "with" or action != "view"
]
"""All administrators see everything. For what they lack the privilege for they are what they are in the group."""


@pytest.mark.parametrize(("standing", "action", "level", "allowed"), RESTRICTED)
def test_restricted_administrators(
    labs: dict[Level, Lab], standing: str, action: str, level: Level, allowed: bool
) -> None:
    lab = labs[level]
    assert outcome(ACTIONS[action](lab, lab.actor(standing, NEEDED[action]))) is allowed


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("action", ["view", "annotate", "delete", "edit", "move to another group"])
def test_ones_own_data(labs: dict[Level, Lab], action: str, level: Level) -> None:
    assert outcome(ACTIONS[action](labs[level], fresh(labs[level].victim)))


@pytest.mark.parametrize("level", [Level.READ_ANNOTATE, Level.READ_WRITE])
def test_ones_own_link_to_others_data_can_be_removed(labs: dict[Level, Lab], level: Level) -> None:
    lab = labs[level]
    member = lab.actor("member")
    link = member.link("Dataset", lab.victim.make("Dataset"), "Annotation", member.make("CommentAnnotation"))
    assert outcome(member.ask("delete", f"DatasetAnnotationLink:{link}"))
