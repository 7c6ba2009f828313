"""Deletes against a running server: what goes, what stays, and what becomes of the files."""

from __future__ import annotations

import pytest

from omeroadmin.repository.layout import original_file_path, pyramid_path, thumbnail_path
from tests.support.graph import Person, kept, objects, parsed, person
from tests.support.liveserver import LiveServer

READ_ANNOTATE, READ_WRITE = -40, -8


@pytest.fixture
def user(live_server: LiveServer) -> Person:
    return person(live_server)


def exists(server: LiveServer, table: str, object_id: int) -> bool:
    return bool(server.sql(f"SELECT 1 FROM {table} WHERE id = %s", object_id))


def test_a_project_takes_what_only_it_holds(user: Person, live_server: LiveServer) -> None:
    project, other = user.make("Project"), user.make("Project")
    own, shared = user.make("Dataset"), user.make("Dataset")
    for dataset in (own, shared):
        user.link("Project", project, "Dataset", dataset)
    user.link("Project", other, "Dataset", shared)
    [image] = user.image()
    user.link("Dataset", own, "Image", image)
    [elsewhere] = user.image()
    for dataset in (own, shared):
        user.link("Dataset", dataset, "Image", elsewhere)
    dry = user.ask("delete", f"Project:{project}", dry_run=True)
    assert exists(live_server, "project", project)
    done = user.ask("delete", f"Project:{project}")
    assert objects(done) == objects(dry)
    assert objects(done)["Project"] == str(project)
    assert objects(done)["Dataset"] == str(own)
    assert objects(done)["Image"] == str(image)
    assert kept(done) == {
        f"Dataset:{shared}": "also in another Project",
        f"Image:{elsewhere}": "also in another Dataset",
    }
    assert [exists(live_server, *one) for one in (("dataset", shared), ("image", elsewhere), ("image", image))] == [
        True, True, False,
    ]  # fmt: skip
    assert user.ask("delete", f"Project:{project}").code == "not-found"


def test_everything_of_an_image_goes(user: Person, live_server: LiveServer) -> None:
    [image] = user.image()
    [[pixels]] = live_server.sql("SELECT id FROM pixels WHERE image = %s", image)
    [[fileset]] = live_server.sql("SELECT fileset FROM image WHERE id = %s", image)
    [[path, name]] = live_server.sql(
        "SELECT o.path, o.name FROM filesetentry e JOIN originalfile o ON o.id = e.originalfile WHERE e.fileset = %s",
        fileset,
    )
    thumbnail = user.make("Thumbnail", pixels=pixels, sizex=8, sizey=8, mimetype="image/jpeg")
    roi = user.make("Roi", image=image)
    places = [thumbnail_path(live_server.data, thumbnail), pyramid_path(live_server.data, pixels)]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"x")
    stored = live_server.managed / path / name
    assert stored.is_file()
    done = user.ask("delete", f"Image:{image}")
    deleted = objects(done)
    parts = {
        "Image",
        "Pixels",
        "Channel",
        "LogicalChannel",
        "Fileset",
        "FilesetEntry",
        "OriginalFile",
        "FilesetJobLink",
    }
    jobs = {"UploadJob", "MetadataImportJob", "PixelDataJob", "ThumbnailGenerationJob"}
    assert parts | jobs <= deleted.keys()
    assert (deleted["Thumbnail"], deleted["Roi"]) == (str(thumbnail), str(roi))
    # Image, thumbnail, pyramid, and the log of the import.
    assert done.document["files_removed"] == 4
    assert not any(place.exists() for place in (stored, stored.parent, *places))
    assert live_server.managed.is_dir()
    assert (live_server.data / "Thumbnails").is_dir()
    assert live_server.sql("SELECT count(*) FROM _fs_deletelog") == [(0,)]
    logged = live_server.sql(
        "SELECT entitytype, entityid FROM eventlog WHERE action = 'DELETE' AND entityid = %s"
        " AND entitytype = 'ome.model.core.Image'",
        image,
    )
    assert logged == [("ome.model.core.Image", image)]
    for table in ("pixels", "roi"):
        assert live_server.sql(f"SELECT count(*) FROM {table} WHERE image = %s", image) == [(0,)]


def test_a_fileset_is_not_split(user: Person, live_server: LiveServer) -> None:
    first, second = user.image("a", "b")
    [[fileset]] = live_server.sql("SELECT fileset FROM image WHERE id = %s", first)
    refused = user.ask("delete", f"Image:{first}")
    assert (refused.status, refused.code) == (409, "fileset-split")
    message = refused.document["error"]["message"]
    assert f"Fileset:{fileset}" in message
    assert f"Image:{second} would stay" in message
    dataset = user.make("Dataset")
    user.link("Dataset", dataset, "Image", second)
    assert user.ask("delete", f"Dataset:{dataset}", f"Image:{first}").status == 200
    first, second = user.image("a", "b")
    [[fileset]] = live_server.sql("SELECT fileset FROM image WHERE id = %s", first)
    excluded = user.ask("delete", f"Fileset:{fileset}", exclude=["Image"])
    assert (excluded.status, excluded.code) == (409, "fileset-split"), "who excludes images loses none"
    assert exists(live_server, "image", first)
    assert objects(user.ask("delete", f"Fileset:{fileset}"))["Image"] == f"{first},{second}"


def test_annotations(user: Person, live_server: LiveServer) -> None:
    image, other = user.image()[0], user.image()[0]
    made = {
        name: user.make(name) for name in ("TagAnnotation", "CommentAnnotation", "TermAnnotation", "LongAnnotation")
    }
    file = user.make("OriginalFile", path="/", name="notes.txt")
    content = original_file_path(live_server.data, file)
    content.parent.mkdir(parents=True, exist_ok=True)
    content.write_bytes(b"notes")
    made["FileAnnotation"] = user.make("FileAnnotation", file=file)
    made["MapAnnotation"] = user.make("MapAnnotation")
    live_server.sql("INSERT INTO annotation_mapvalue VALUES (%s, 'key', 'value', 0)", made["MapAnnotation"])
    for one in made.values():
        user.link("Image", image, "Annotation", one)
    user.link("Image", other, "Annotation", made["LongAnnotation"])
    done = user.ask("delete", f"Image:{image}", dry_run=True)
    gone = {name for name in made if name in objects(done)}
    assert gone == {"CommentAnnotation", "MapAnnotation"}
    unless = "kept unless it is included"
    assert kept(done) == {
        f"LongAnnotation:{made['LongAnnotation']}": "also linked to something else",
        **{f"{name}:{made[name]}": unless for name in ("TagAnnotation", "TermAnnotation", "FileAnnotation")},
    }
    assert set(objects(user.ask("delete", f"Image:{image}", dry_run=True, include=["Annotation"]))) >= made.keys()
    excluded = user.ask("delete", f"Image:{image}", dry_run=True, exclude=["CommentAnnotation"])
    assert "CommentAnnotation" not in objects(excluded)
    assert "excluded" in kept(excluded).values()
    assert user.ask("delete", f"OriginalFile:{file}").code == "file-in-use"
    done = user.ask("delete", f"Image:{image}", include=["FileAnnotation"])
    assert file in [int(one) for one in objects(done)["OriginalFile"].split(",")]
    assert not content.exists()
    assert live_server.sql("SELECT count(*) FROM annotation WHERE id = ANY(%s)", list(made.values())) == [(3,)]
    assert user.ask("delete", f"TagAnnotation:{made['TagAnnotation']}").status == 200


def test_tag_sets_keep_their_tags(user: Person) -> None:
    tag, tag_set = user.make("TagAnnotation"), user.make("TagAnnotation")
    user.link("Annotation", tag_set, "Annotation", tag)
    assert objects(user.ask("delete", f"TagAnnotation:{tag_set}", dry_run=True))["TagAnnotation"] == str(tag_set)
    done = user.ask("delete", f"TagAnnotation:{tag_set}", include=["TagAnnotation"])
    assert objects(done)["TagAnnotation"] == f"{tag},{tag_set}"


def test_below_something(user: Person, live_server: LiveServer) -> None:
    project, dataset = user.make("Project"), user.make("Dataset")
    held = user.link("Project", project, "Dataset", dataset)
    [image] = user.image()
    link = user.link("Dataset", dataset, "Image", image)
    tag = user.make("TagAnnotation")
    user.link("Image", image, "Annotation", tag)
    for way in ("Project/DatasetImageLink", "project/datasetimagelink"):
        assert objects(user.ask("delete", f"{way}:{project}", dry_run=True)) == {"DatasetImageLink": str(link)}
    assert objects(user.ask("delete", f"Project/TagAnnotation:{project}", dry_run=True))["TagAnnotation"] == str(tag)
    done = user.ask("delete", f"Project/Dataset/Image:{project}")
    assert objects(done)["Image"] == str(image)
    assert exists(live_server, "dataset", dataset)
    assert exists(live_server, "projectdatasetlink", held)
    done = user.ask("delete", f"Project/Dataset:{project}", exclude=["Image"])
    assert objects(done)["Dataset"] == str(dataset)
    assert user.ask("delete", f"Project/Image:{project}").document["plans"][0]["steps"] == 0


def test_others_data_below_something_is_meant_as_well(live_server: LiveServer) -> None:
    owner = person(live_server, permissions=READ_ANNOTATE)
    other = person(live_server, group=f"group-of-{owner.name}")
    leader = person(live_server, group=f"group-of-{owner.name}", owns=True)
    project, own, foreign = owner.make("Project"), owner.make("Dataset"), other.make("Dataset")
    for one in (own, foreign):
        owner.link("Project", project, "Dataset", one)
    refused = owner.ask("delete", f"Project/Dataset:{project}")
    assert (refused.code, f"Dataset:{foreign}" in refused.document["error"]["message"]) == ("permission-denied", True)
    assert exists(live_server, "dataset", own)
    assert objects(leader.ask("delete", f"Project/Dataset:{project}"))["Dataset"] == f"{own},{foreign}"


def test_excluded_datasets_stay(user: Person, live_server: LiveServer) -> None:
    project, dataset = user.make("Project"), user.make("Dataset")
    user.link("Project", project, "Dataset", dataset)
    done = user.ask("delete", f"Project:{project}", exclude=["Dataset"])
    assert objects(done).keys() == {"Project", "ProjectDatasetLink"}
    assert exists(live_server, "dataset", dataset)


def test_what_others_hang_on_it(live_server: LiveServer) -> None:
    owner = person(live_server, permissions=READ_ANNOTATE)
    other = person(live_server, group=f"group-of-{owner.name}")
    [image] = owner.image()
    comment, roi = other.make("CommentAnnotation"), other.make("Roi", image=image)
    link = other.link("Image", image, "Annotation", comment)
    dataset, foreign = owner.make("Dataset"), other.make("Dataset")
    project = owner.make("Project")
    for one in (dataset, foreign):
        owner.link("Project", project, "Dataset", one)
    owner.link("Dataset", dataset, "Image", image)
    assert other.ask("delete", f"Image:{image}").code == "permission-denied"
    assert owner.ask("delete", f"ImageAnnotationLink:{link}").code == "permission-denied"
    done = owner.ask("delete", f"Project:{project}")
    assert (objects(done)["Roi"], objects(done)["ImageAnnotationLink"]) == (str(roi), str(link))
    assert kept(done) == {
        f"CommentAnnotation:{comment}": "owned by another user", f"Dataset:{foreign}": "owned by another user",
    }  # fmt: skip


def test_in_order_and_all_or_nothing(user: Person, live_server: LiveServer) -> None:
    project, dataset, other = user.make("Project"), user.make("Dataset"), user.make("Dataset")
    user.link("Project", project, "Dataset", dataset)
    targets = (f"Dataset:{dataset}", f"Project:{project}", f"Dataset:{other}")
    dry = user.ask("delete", *targets, ordered=True, dry_run=True)
    assert [sorted(one["type"] for one in plan["deleted"]) for plan in dry.document["plans"]] == [
        ["Dataset", "ProjectDatasetLink"], ["Project"], ["Dataset"],
    ]  # fmt: skip
    assert user.ask("delete", *targets, f"Dataset:{dataset}", ordered=True).code == "not-found"
    assert exists(live_server, "project", project)
    assert user.ask("delete", *targets, ordered=True).status == 200
    assert not exists(live_server, "project", project)


def test_ranges(user: Person) -> None:
    ids = [user.make("Dataset") for _ in range(5)]
    stranger = person(user.server)
    assert stranger.ask("delete", f"Dataset:{ids[0]}-{ids[-1]}").code == "not-found"
    assert user.ask("delete", f"Dataset:{ids[1]}").status == 200
    done = user.ask("delete", f"Dataset:{ids[0]}-{ids[-1] + 1000},{ids[4]}")
    assert objects(done)["Dataset"] == f"{ids[0]},{ids[2]}-{ids[4]}"


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("Experimenter:1", "request-invalid"),
        ("ExperimenterGroup:1", "request-invalid"),
        ("Pixels:1", "request-invalid"),
        ("Nonsense:1", "request-invalid"),
        ("Project/Nonsense/Image:1", "request-invalid"),
        ("Project:999999999", "not-found"),
        ("Project:5-1", "request-invalid"),
        ("/Image:1", "request-invalid"),
    ],
)
def test_what_can_not_be_deleted(user: Person, target: str, code: str) -> None:
    assert user.ask("delete", target).code == code


@pytest.mark.parametrize(
    "more",
    [
        {"targets": []}, {"targets": "Image:1"}, {"targets": [{"type": "Image"}]},
        {"targets": [{"type": 5, "ids": "1"}]},
        {"targets": [{"type": "Image", "ids": [1]}]}, {"targets": [{"type": "Image", "ids": "1-2-3"}]},
        {"targets": [{"type": "Image", "ids": str(2**63)}]}, {"targets": [parsed("Image:1")], "include": ["Pixels"]},
        {"targets": [parsed("Image:1")], "include": ["Image"], "exclude": ["Image"]},
        {"targets": [parsed("Image:1")], "dry_run": "yes"},
    ],
)  # fmt: skip
def test_requests_that_can_not_be_meant(user: Person, more: dict[str, object]) -> None:
    assert user.api.call("POST", "/delete", more).code == "request-invalid"


def test_repositories_and_scripts_are_not_data(live_server: LiveServer) -> None:
    root = live_server.tls().login()
    [[repository]] = live_server.sql("SELECT min(id) FROM originalfile WHERE mimetype = 'Repository'")
    refused = root.call("POST", "/delete", {"targets": [parsed(f"OriginalFile:{repository}")]})
    assert refused.code == "file-in-use"
