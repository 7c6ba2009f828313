"""Moves between groups and changes of ownership against a running server."""

from __future__ import annotations

from tests.support.graph import Person, joins, kept, objects, person
from tests.support.liveserver import LiveServer

PRIVATE, READ_ONLY, READ_ANNOTATE, READ_WRITE = -120, -56, -40, -8


def groups_of(server: LiveServer, table: str, object_id: int) -> tuple[int, int]:
    """Owner and group of an object."""
    [found] = server.sql(f"SELECT owner_id, group_id FROM {table} WHERE id = %s", object_id)
    return int(found[0]), int(found[1])


def root(server: LiveServer) -> Person:
    return Person(server, "root", 0, 0, server.tls().login())


def test_a_move_takes_everything_along_and_no_link_spans_groups(live_server: LiveServer) -> None:
    user = person(live_server, permissions=PRIVATE)
    target = person(live_server, permissions=READ_ANNOTATE)
    project, dataset, shared = user.make("Project"), user.make("Dataset"), user.make("Dataset")
    moved_link = user.link("Project", project, "Dataset", dataset)
    lost_link = user.link("Project", project, "Dataset", shared)
    user.link("Project", user.make("Project"), "Dataset", shared)
    [image], [other] = user.image(), user.image()
    user.link("Dataset", dataset, "Image", image)
    roi = user.make("Roi", image=image)
    tag, common = user.make("TagAnnotation"), user.make("TagAnnotation")
    tagged = user.link("Image", image, "Annotation", tag)
    lost_tag = user.link("Image", image, "Annotation", common)
    user.link("Image", other, "Annotation", common)
    request = {"group_id": target.group}
    refused = user.ask("chgrp", f"Project:{project}", **request)
    assert (refused.status, refused.code) == (403, "permission-denied")
    joins(live_server, user, target.group)
    dry = user.ask("chgrp", f"Project:{project}", dry_run=True, **request)
    assert groups_of(live_server, "project", project) == (user.id, user.group)
    done = user.ask("chgrp", f"Project:{project}", **request)
    assert dry.document["plans"] == done.document["plans"]
    assert objects(done) == {"ProjectDatasetLink": str(lost_link), "ImageAnnotationLink": str(lost_tag)}
    assert kept(done) == {
        f"Dataset:{shared}": "also in another Project", f"TagAnnotation:{common}": "also linked to something else",
    }  # fmt: skip
    for table, one in (
        ("project", project), ("dataset", dataset), ("image", image), ("roi", roi), ("annotation", tag),
        ("imageannotationlink", tagged), ("projectdatasetlink", moved_link),
    ):  # fmt: skip
        assert groups_of(live_server, table, one) == (user.id, target.group), table
    [[fileset]] = live_server.sql("SELECT fileset FROM image WHERE id = %s", image)
    [[file, path]] = live_server.sql(
        "SELECT o.id, o.path || o.name FROM filesetentry e JOIN originalfile o ON o.id = e.originalfile"
        " WHERE e.fileset = %s AND e.group_id = %s AND o.group_id = e.group_id",
        fileset, target.group,
    )  # fmt: skip
    assert str(file) in objects(done, "included")["OriginalFile"].split(",")
    assert (live_server.managed / path).is_file()
    logged = live_server.sql("SELECT entitytype FROM eventlog WHERE action = 'CHGRP' AND entityid = %s", image)
    assert ("ome.model.core.Image",) in logged
    again = user.ask("chgrp", f"Project:{project}", **request)
    assert [plan["steps"] for plan in again.document["plans"]] == [0]
    assert target.api.call("GET", f"/images/{image}").status == 200


def test_others_annotations_stay_when_the_owner_moves(live_server: LiveServer) -> None:
    owner = person(live_server, permissions=READ_ANNOTATE)
    other = person(live_server, group=f"group-of-{owner.name}")
    target = person(live_server, permissions=READ_ANNOTATE)
    joins(live_server, owner, target.group)
    [image] = owner.image()
    comment = other.make("CommentAnnotation")
    link = other.link("Image", image, "Annotation", comment)
    dry = root(live_server).ask("chgrp", f"Image:{image}", group_id=target.group, dry_run=True)
    assert str(comment) in objects(dry, "included")["CommentAnnotation"].split(",")
    assert dry.document["plans"][0]["warnings"] == [
        f"user {other.id} owns some of this and is not a member of group group-of-{target.name}"
    ]
    assert other.ask("chgrp", f"Image:{image}", group_id=target.group).code == "permission-denied"
    done = owner.ask("chgrp", f"Image:{image}", group_id=target.group)
    assert objects(done) == {"ImageAnnotationLink": str(link)}
    assert kept(done) == {f"CommentAnnotation:{comment}": "owned by another user"}


def test_administrators_move_into_private_groups_without_others_annotations(live_server: LiveServer) -> None:
    owner = person(live_server, permissions=READ_ANNOTATE)
    other = person(live_server, group=f"group-of-{owner.name}")
    target = person(live_server, permissions=PRIVATE)
    [image] = owner.image()
    comment = other.make("CommentAnnotation")
    other.link("Image", image, "Annotation", comment)
    done = root(live_server).ask("chgrp", f"Image:{image}", group_id=target.group)
    assert kept(done) == {f"CommentAnnotation:{comment}": "owned by another user"}
    assert groups_of(live_server, "annotation", comment) == (other.id, owner.group)


def test_groups_that_hold_no_data(live_server: LiveServer) -> None:
    user = person(live_server)
    dataset = user.make("Dataset")
    assert user.ask("chgrp", f"Dataset:{dataset}", group_id=1).code == "request-invalid"
    assert user.ask("chgrp", f"Dataset:{dataset}", group_id=987654).code == "not-found"
    assert user.ask("chgrp", f"Dataset:{dataset}").code == "request-invalid"
    assert user.ask("chgrp", f"Dataset:{dataset}", group_id=True).code == "request-invalid"
    assert user.ask("chown", f"Dataset:{dataset}", user_id=987654).code == "not-found"


def test_a_change_of_ownership(live_server: LiveServer) -> None:
    owner = person(live_server, permissions=READ_ANNOTATE)
    heir = person(live_server, group=f"group-of-{owner.name}")
    leader = person(live_server, group=f"group-of-{owner.name}", owns=True)
    project, dataset, foreign = owner.make("Project"), owner.make("Dataset"), heir.make("Dataset")
    inside = owner.link("Project", project, "Dataset", dataset)
    own_link = owner.link("Project", project, "Dataset", foreign)
    [image] = owner.image()
    owner.link("Dataset", dataset, "Image", image)
    roi = leader.make("Roi", image=image)
    comment = owner.make("CommentAnnotation")
    owner.link("Image", image, "Annotation", comment)
    for someone in (owner, heir):
        assert someone.ask("chown", f"Project:{project}", user_id=heir.id).code == "permission-denied"
    stranger = person(live_server)
    refused = leader.ask("chown", f"Project:{project}", user_id=stranger.id)
    assert refused.code == "permission-denied"
    warned = root(live_server).ask("chown", f"Project:{project}", user_id=stranger.id, dry_run=True)
    assert warned.document["plans"][0]["warnings"] == [
        f"user {stranger.name} is not a member of group {owner.group}, which some of this is in"
    ]
    done = leader.ask("chown", f"Project:{project}", user_id=heir.id)
    assert objects(done) == {}
    assert kept(done) == {f"CommentAnnotation:{comment}": "stays with whoever made it unless it is included"}
    for table, one in (("project", project), ("dataset", dataset), ("image", image), ("projectdatasetlink", inside)):
        assert groups_of(live_server, table, one) == (heir.id, owner.group), table
    assert groups_of(live_server, "projectdatasetlink", own_link) == (heir.id, owner.group)
    assert groups_of(live_server, "roi", roi) == (leader.id, owner.group)
    assert leader.ask("chown", f"Project:{project}", user_id=heir.id).document["plans"][0]["steps"] == 0
    [[clash]] = live_server.sql("SELECT id FROM datasetimagelink WHERE parent = %s AND child = %s", dataset, image)
    assert groups_of(live_server, "datasetimagelink", clash) == (heir.id, owner.group)


def test_owners_are_not_mixed_in_private_groups(live_server: LiveServer) -> None:
    owner = person(live_server, permissions=PRIVATE)
    heir = person(live_server, group=f"group-of-{owner.name}")
    dataset, [image] = owner.make("Dataset"), owner.image()
    link = owner.link("Dataset", dataset, "Image", image)
    comment, shared = owner.make("CommentAnnotation"), owner.make("TagAnnotation")
    owner.link("Image", image, "Annotation", comment)
    lost = owner.link("Image", image, "Annotation", shared)
    owner.link("Dataset", dataset, "Annotation", shared)
    done = root(live_server).ask("chown", f"Image:{image}", user_id=heir.id)
    assert objects(done) == {"DatasetImageLink": str(link), "ImageAnnotationLink": str(lost)}
    assert groups_of(live_server, "annotation", comment) == (heir.id, owner.group)
    assert groups_of(live_server, "annotation", shared) == (owner.id, owner.group)


def test_two_links_of_one_owner_become_one(live_server: LiveServer) -> None:
    owner = person(live_server, permissions=READ_WRITE)
    heir = person(live_server, group=f"group-of-{owner.name}")
    project, dataset = owner.make("Project"), owner.make("Dataset")
    first = owner.link("Project", project, "Dataset", dataset)
    heir.link("Project", project, "Dataset", dataset)
    done = root(live_server).ask("chown", f"Project:{project}", user_id=heir.id)
    assert objects(done) == {"ProjectDatasetLink": str(first)}


def test_everything_of_a_user(live_server: LiveServer) -> None:
    owner = person(live_server, permissions=READ_WRITE)
    heir = person(live_server, group=f"group-of-{owner.name}")
    leader = person(live_server, group=f"group-of-{owner.name}", owns=True)
    project, dataset, tag, [image] = (
        owner.make("Project"), owner.make("Dataset"), owner.make("TagAnnotation"), owner.image(),
    )  # fmt: skip
    first = owner.link("Project", project, "Dataset", dataset)
    heir.link("Project", project, "Dataset", dataset)
    assert owner.ask("chown", f"Experimenter:{owner.id}", user_id=heir.id).code == "permission-denied"
    assert owner.ask("delete", f"Experimenter:{owner.id}").code == "request-invalid"
    assert leader.ask("chown", "Experimenter:987654", user_id=heir.id).code == "not-found"
    other = leader.make("Dataset")
    done = leader.ask("chown", f"Experimenter:{owner.id}", f"Dataset:{other}", user_id=heir.id)
    assert objects(done)["ProjectDatasetLink"] == str(first)
    for table, one in (("project", project), ("annotation", tag), ("image", image), ("dataset", other)):
        assert groups_of(live_server, table, one) == (heir.id, owner.group), table
    assert live_server.sql("SELECT count(*) FROM originalfile WHERE owner_id = %s", owner.id) == [(0,)]
