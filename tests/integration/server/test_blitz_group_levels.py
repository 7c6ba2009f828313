"""Levels of groups with data in them: what a lower one removes, what it refuses, and what all see at once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest

from tests.support.liveserver import Answer, LiveServer
from tests.support.people import People, Person

MASKS = {"rw----": -120, "rwr---": -56, "rwra--": -40, "rwrw--": -8}


@pytest.fixture(scope="module")
def people(live_server: LiveServer) -> People:
    return People(live_server)


@dataclass
class Lab:
    """A group with an owner, two members, and data that somebody made."""

    people: People
    id: int
    owner: Person
    ada: Person
    bob: Person

    def sql(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        return self.people.server.sql(statement, *parameters)

    def insert(self, table: str, owner: Person, **values: object) -> int:
        """A row of somebody in the group."""
        number = self.sql("SELECT ome_nextval(%s)", f"seq_{table}")[0][0]
        assert isinstance(number, int)
        columns = {
            "id": number, "permissions": -8, "owner_id": owner.id, "group_id": self.id, "creation_id": 0,
            "update_id": 0, **values,
        }  # fmt: skip
        places = ", ".join(["%s"] * len(columns))
        self.sql(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", *columns.values())
        return number

    def image(self, owner: Person) -> int:
        return self.insert("image", owner, name="cell", series=0)

    def tag(self, owner: Person) -> int:
        return self.insert("annotation", owner, discriminator="/basic/text/tag/", textvalue="good")

    def tagged(self, image: int, tag: int, by: Person) -> int:
        return self.insert("imageannotationlink", by, parent=image, child=tag)

    def pixels(self, owner: Person, image: int, relatedto: int | None = None) -> int:
        sizes = dict.fromkeys(("sizex", "sizey", "sizez", "sizec", "sizet"), 1)
        return self.insert(
            "pixels", owner, image=image, image_index=0, pixelstype=1, dimensionorder=1, sha1="x",
            relatedto=relatedto, **sizes,
        )  # fmt: skip

    def left(self, table: str) -> set[object]:
        return {number for (number,) in self.sql(f"SELECT id FROM {table} WHERE group_id = %s", self.id)}

    def change(self, permissions: str, *, by: Person | None = None, dry_run: bool = False) -> Answer:
        body = {"permissions": permissions, "dry_run": dry_run}
        return (by or self.people.root).call("PUT", f"/groups/{self.id}/permissions", body)


@pytest.fixture
def lab(people: People) -> Lab:
    group = people.group("rwrw--")
    return Lab(people, group, people.user(group, owner=True), people.user(group), people.user(group))


def test_read_only_keeps_what_owners_of_the_group_and_of_the_data_linked(lab: Lab) -> None:
    image, tag = lab.image(lab.ada), lab.tag(lab.bob)
    own = lab.tagged(image, tag, lab.ada)
    of_bob = lab.tagged(image, tag, lab.bob)
    of_owner = lab.tagged(image, tag, lab.owner)
    of_root = lab.tagged(image, tag, lab.people.root)
    dataset = lab.insert("dataset", lab.bob, name="cells")
    contained = lab.insert("datasetimagelink", lab.bob, parent=dataset, child=image)
    planned = lab.change("rwr---", dry_run=True)
    assert planned.document["removed"] == {"ImageAnnotationLink": 1}
    assert lab.left("imageannotationlink") == {own, of_bob, of_owner, of_root}
    done = lab.change("rwr---")
    assert (done.document["before"], done.document["after"]) == ("rwrw--", "rwr---")
    assert done.document["removed"] == {"ImageAnnotationLink": 1}
    assert lab.left("imageannotationlink") == {own, of_owner, of_root}
    assert lab.left("datasetimagelink") == {contained}
    assert lab.left("annotation") == {tag}


def test_restricted_administrators_count_as_members(lab: Lab) -> None:
    image, tag = lab.image(lab.ada), lab.tag(lab.ada)
    without, with_it = lab.people.admin("Sudo"), lab.people.admin("WriteOwned")
    lab.tagged(image, tag, without)
    kept = lab.tagged(image, tag, with_it)
    assert lab.change("rwr---").document["removed"] == {"ImageAnnotationLink": 1}
    assert lab.left("imageannotationlink") == {kept}


def test_private_parts_what_belongs_to_different_users(lab: Lab) -> None:
    image, other = lab.image(lab.ada), lab.image(lab.bob)
    kept = lab.tagged(image, lab.tag(lab.ada), lab.ada)
    lab.tagged(image, lab.tag(lab.bob), lab.ada)
    lab.tagged(image, lab.tag(lab.ada), lab.owner)
    mine = lab.insert("dataset", lab.ada, name="cells")
    stays = lab.insert("datasetimagelink", lab.ada, parent=mine, child=image)
    lab.insert("datasetimagelink", lab.ada, parent=mine, child=other)
    roi = lab.insert("roi", lab.bob, image=image)
    own_roi = lab.insert("roi", lab.ada, image=image)
    answer = lab.change("rw----")
    assert answer.document["removed"] == {"DatasetImageLink": 1, "ImageAnnotationLink": 2, "Roi": 1}
    assert lab.left("imageannotationlink") == {kept}
    assert lab.left("datasetimagelink") == {stays}
    assert lab.sql("SELECT id, image FROM roi WHERE group_id = %s ORDER BY id", lab.id) == [
        (roi, None), (own_roi, image),
    ]  # fmt: skip
    logged = lab.sql(
        "SELECT action, entitytype FROM eventlog WHERE event = (SELECT max(event) FROM eventlog"
        " WHERE entitytype = 'ome.model.meta.ExperimenterGroup' AND entityid = %s) ORDER BY id",
        lab.id,
    )
    assert logged == [
        ("DELETE", "ome.model.containers.DatasetImageLink"),
        ("DELETE", "ome.model.annotations.ImageAnnotationLink"),
        ("DELETE", "ome.model.annotations.ImageAnnotationLink"),
        ("REINDEX", "ome.model.core.Image"),
        ("UPDATE", "ome.model.roi.Roi"),
        ("UPDATE", "ome.model.meta.ExperimenterGroup"),
    ]


def test_a_projection_of_anothers_data_keeps_a_group_from_becoming_private(lab: Lab) -> None:
    source = lab.pixels(lab.ada, lab.image(lab.ada))
    own = lab.pixels(lab.ada, lab.image(lab.ada), relatedto=source)
    assert lab.change("rw----", dry_run=True).status == 200
    image = lab.image(lab.bob)
    lab.pixels(lab.bob, image, relatedto=own)
    tagged = lab.tagged(image, lab.tag(lab.ada), lab.ada)
    for dry_run in (True, False):
        answer = lab.change("rw----", dry_run=dry_run)
        assert (answer.status, answer.code) == (409, "data-inseparable")
        assert f"Image:{image} was made by one member from data of another" in answer.document["error"]["message"]
    assert lab.left("imageannotationlink") == {tagged}
    assert lab.change("rwr---").status == 200


def test_an_object_whose_parts_are_anothers_keeps_it_from_becoming_private(lab: Lab) -> None:
    lab.pixels(lab.bob, lab.image(lab.ada))
    answer = lab.change("rw----")
    assert (answer.status, answer.code) == (409, "data-inseparable")
    assert "Pixels" in answer.document["error"]["message"]


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(MASKS, 2)))
def test_every_change_is_seen_at_once_and_stored_in_every_row(people: People, before: str, after: str) -> None:
    group = people.group(before)
    lab = Lab(people, group, people.root, people.user(group), people.user(group))
    image = lab.image(lab.ada)

    def seen() -> bool:
        return lab.bob.call("GET", f"/images/{image}").status == 200

    assert seen() is (before != "rw----")
    assert lab.change(after).status == 200
    assert seen() is (after != "rw----")
    assert lab.sql("SELECT permissions FROM image WHERE id = %s", image) == [(MASKS[after],)]
    assert lab.bob.call("GET", f"/groups/{group}").document["permissions"] == after


def test_who_may_change_the_level(lab: Lab) -> None:
    assert lab.change("rwra--", by=lab.ada).code == "permission-denied"
    assert lab.change("rwra--", by=lab.owner).status == 200
    assert lab.change("rw----", by=lab.owner).status == 200
    assert lab.change("rwr---", by=lab.owner).status == 200
    refused = lab.change("rwrw--", by=lab.owner)
    assert (refused.status, refused.code) == (403, "permission-denied")
    assert lab.change("rwrw--", by=lab.people.admin("ModifyGroup")).status == 200
    assert lab.change("rwrw--", by=lab.owner).status == 200
    assert lab.people.root.call("PUT", "/groups/999999/permissions", {"permissions": "rw----"}).status == 404
