"""What an import can be told: where its images go, how files get to their place, what is skipped, what is noted."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.integration.server.test_blitz_imports import picture, stored_files
from tests.support.liveserver import PASSWORD, Answer, Api, LiveServer
from tests.support.ome import write_set
from tests.support.people import People, Person


def sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def begin_in_place(api: Api, path: Path, transfer: str) -> dict[str, Any]:
    begun = api.begin_import((str(path), path.read_bytes()), checksum_algorithms=["SHA1-160"], transfer=transfer)
    assert begun.status == 201, begun
    return dict(begun.document)


def comments_of(server: LiveServer, kind: str, object_id: int) -> list[tuple[Any, ...]]:
    return server.sql(
        f"SELECT a.ns, a.textvalue FROM {kind}annotationlink l JOIN annotation a ON a.id = l.child"
        " WHERE l.parent = %s ORDER BY a.id",
        object_id,
    )


@pytest.mark.parametrize(
    ("transfer", "place", "recorded"),
    [
        ("ln", os.link, "Hardlink"),
        ("ln_s", os.symlink, "Symlink"),
        ("cp", shutil.copyfile, "Copy"),
        ("ln_rm", os.link, "Move"),
        ("cp_rm", shutil.copyfile, "CopyMove"),
    ],
)
def test_a_file_put_in_its_place_is_verified_and_recorded(
    live_server: LiveServer, tmp_path: Path, transfer: str, place: Any, recorded: str
) -> None:
    api = live_server.tls().login()
    source = tmp_path / "there.png"
    source.write_bytes(picture(40))
    begun = begin_in_place(api, source, transfer)
    [file] = begun["files"]
    assert Path(file["place"]) == live_server.managed / file["path"] / file["name"]
    number = begun["import_id"]
    missing = api.call("POST", f"/imports/{number}/files/0/placed")
    assert (missing.status, missing.code) == (400, "file-not-placed")
    assert api.call("PUT", f"/imports/{number}/files/0", b"x").code == "request-invalid"
    place(source, file["place"])
    verified = api.call("POST", f"/imports/{number}/files/0/placed")
    assert verified.document == {"index": 0, "size": source.stat().st_size, "hash": sha1(source.read_bytes())}
    done = api.call("POST", f"/imports/{number}/complete", {"hashes": [verified.document["hash"]]})
    assert done.status == 201, done
    assert comments_of(live_server, "fileset", done.document["fileset_id"]) == [
        ("openmicroscopy.org/omero/import/fileTransfer", f"ome.formats.importer.transfers.{recorded}FileTransfer")
    ]
    image = done.document["images"][0]["id"]
    [stored] = api.call("GET", f"/images/{image}/files").document["files"]
    assert api.call("GET", f"/files/{stored['id']}/content").content == source.read_bytes()


def test_what_is_put_in_place_must_be_that_file(live_server: LiveServer, tmp_path: Path) -> None:
    api = live_server.tls().login()
    before = stored_files(live_server)
    source = tmp_path / "there.png"
    source.write_bytes(picture(41))
    for transfer, place in (("cp", os.symlink), ("ln", os.symlink), ("ln_s", lambda _, to: Path(to).mkdir())):
        begun = begin_in_place(api, source, transfer)
        place(source, begun["files"][0]["place"])
        answer = api.call("POST", f"/imports/{begun['import_id']}/files/0/placed")
        assert (answer.status, answer.code) == (400, "file-not-placed"), transfer
        assert api.call("DELETE", f"/imports/{begun['import_id']}").status == 204
    begun = begin_in_place(api, source, "cp")
    Path(begun["files"][0]["place"]).write_bytes(source.read_bytes()[:-1])
    answer = api.call("POST", f"/imports/{begun['import_id']}/files/0/placed")
    assert (answer.status, answer.code) == (400, "size-mismatch")
    assert api.call("DELETE", f"/imports/{begun['import_id']}").status == 204
    assert source.exists()
    assert stored_files(live_server) == before


def test_images_go_to_a_dataset_that_is_found_or_made(live_server: LiveServer) -> None:
    api = live_server.tls().login(live_server.add_user(), PASSWORD)
    wish = {"type": "Dataset", "name": "cells", "project": {"type": "Project", "name": "study"}}
    made = api.call("POST", "/imports/targets", wish).document
    assert (made["type"], made["name"], made["created"]) == ("Dataset", "cells", True)
    assert api.call("POST", "/imports/targets", wish).document == {**made, "created": False}
    links = live_server.sql("SELECT count(*) FROM projectdatasetlink WHERE child = %s", made["id"])
    assert links == [(1,)]
    done = api.import_files(("/a/b.png", picture(42)), target={"type": "Dataset", "id": made["id"]}, description="seen")
    image = done.document["images"][0]["id"]
    assert live_server.sql("SELECT parent FROM datasetimagelink WHERE child = %s", image) == [(made["id"],)]
    assert live_server.sql("SELECT description FROM image WHERE id = %s", image) == [("seen",)]


def test_a_name_can_be_that_of_several(live_server: LiveServer) -> None:
    api = live_server.tls().login(live_server.add_user(), PASSWORD)

    def find(choice: str) -> Answer:
        return api.call("POST", "/imports/targets", {"type": "Dataset", "name": "twice", "choose": choice})

    first, second = find("unique").document, find("new").document
    assert (first["created"], second["created"]) == (True, True)
    assert find("oldest").document["id"] == first["id"]
    assert find("newest").document["id"] == second["id"]
    assert (find("unique").status, find("unique").code) == (409, "target-ambiguous")
    assert find("any").status == 400


def test_a_container_of_others_is_no_target(live_server: LiveServer) -> None:
    owner = live_server.tls().login(live_server.add_user(), PASSWORD)
    theirs = owner.call("POST", "/imports/targets", {"type": "Dataset", "name": "private"}).document
    target = {"type": "Dataset", "id": theirs["id"]}
    other = live_server.tls().login(live_server.add_user(), PASSWORD)
    before = stored_files(live_server)
    for answer in (
        other.call("POST", "/imports/targets", target),
        other.import_files(("/a/x.png", picture(43)), target=target),
    ):
        assert (answer.status, answer.code) == (404, "target-not-found")
    shared = live_server.add_user(permissions=-56)  # rwr---
    member = live_server.add_user(group=f"group-of-{shared}")
    made = (
        live_server.tls()
        .login(shared, PASSWORD)
        .call("POST", "/imports/targets", {"type": "Dataset", "name": "to look at"})
    )
    target = {"type": "Dataset", "id": made.document["id"]}
    answer = live_server.tls().login(member, PASSWORD).import_files(("/a/y.png", picture(44)), target=target)
    assert (answer.status, answer.code) == (403, "permission-denied")
    assert stored_files(live_server) == before


def test_a_screen_takes_plates_only(live_server: LiveServer, tmp_path: Path) -> None:
    api = live_server.tls().login(live_server.add_user(), PASSWORD)
    screen = api.call("POST", "/imports/targets", {"type": "Screen", "name": "all wells"}).document
    target = {"type": "Screen", "id": screen["id"]}
    answer = api.import_files(("/a/z.png", picture(45)), target=target)
    assert (answer.status, answer.code) == (409, "target-unsuitable")
    files = write_set(tmp_path / "set", ("a.ome.tif",), plate="week 1")
    done = api.import_files((str(files[0]), files[0].read_bytes()), target=target)
    assert done.status == 201, done
    [plate] = done.document["plates"]
    assert live_server.sql(
        'SELECT p.name, p."rows", p.columns, l.parent FROM plate p JOIN screenplatelink l ON l.child = p.id'
        " WHERE p.id = %s",
        plate,
    ) == [("week 1", 8, 12, screen["id"])]


@pytest.mark.parametrize("companion", ["", "all.companion.ome"])
def test_an_image_of_several_files_is_one_fileset(live_server: LiveServer, tmp_path: Path, companion: str) -> None:
    api = live_server.tls().login()
    files = write_set(tmp_path / "set", ("a.ome.tif", "b.ome.tif", "c.ome.tif"), companion=companion)
    done = api.import_files(*((str(path), path.read_bytes()) for path in files))
    assert done.status == 201, done
    [image] = done.document["images"]
    found = api.call("GET", f"/images/{image['id']}").document
    assert (found["name"], found["size_c"], found["files"]) == ("spread", 3, len(files))
    assert found["channels"] == ["C0", "C1", "C2"]
    before = stored_files(live_server)
    lacking = api.import_files(*((str(path), path.read_bytes()) for path in files[:-1]))
    assert (lacking.status, lacking.code) == (422, "unreadable-image")
    assert "c.ome.tif" in lacking.document["error"]["message"]
    assert stored_files(live_server) == before


def test_comments_and_what_is_skipped(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    done = api.import_files(
        ("/a/noted.png", picture(46)),
        annotations=[{"namespace": "lab/x", "text": "one"}, {"text": "two"}],
        skip=["minmax", "thumbnails"],
    )
    assert comments_of(live_server, "image", done.document["images"][0]["id"]) == [("lab/x", "one"), (None, "two")]
    jobs = live_server.sql(
        "SELECT j.type, s.value FROM filesetjoblink l JOIN job j ON j.id = l.child JOIN jobstatus s ON s.id = j.status"
        " WHERE l.parent = %s AND s.value = 'Cancelled' ORDER BY j.type",
        done.document["fileset_id"],
    )
    assert jobs == [("PixelDataJob", "Cancelled"), ("ThumbnailGenerationJob", "Cancelled")]
    known = api.call("POST", "/filesets/file-names", {"names": ["noted.png", "never.png"]})
    assert known.document == {"known": [{"name": "noted.png", "fileset_id": done.document["fileset_id"]}]}


def test_annotations_that_are_there_are_linked(live_server: LiveServer) -> None:
    people = People(live_server)
    group = people.group("rwra--")
    owner, member, stranger = people.user(group), people.user(group), people.user()

    def tag(person: Person) -> int:
        made = person.call("POST", "/objects/TagAnnotation", {"fields": {"textValue": f"of {person.id}"}})
        return int(made.document["id"])

    def imported(*ids: int) -> Answer:
        return owner.api.import_files(("/a/tagged.png", picture(48)), annotation_ids=list(ids))

    own, others, foreign = tag(owner), tag(member), tag(stranger)
    done = imported(own, others, own)
    assert comments_of(live_server, "image", done.document["images"][0]["id"]) == [
        (None, f"of {owner.id}"),
        (None, f"of {member.id}"),
    ]
    for ids in ([own, 2**62], [foreign]):
        assert refusal(imported(*ids)) == (404, "not-found")
    both = people.group("rwra--")
    people.root.call("POST", f"/groups/{both}/members", {"users": [owner.id]})
    elsewhere = owner.call(
        "POST", "/objects/TagAnnotation", {"fields": {"textValue": "elsewhere"}, "group": both}
    ).document["id"]
    assert refusal(imported(elsewhere)) == (409, "group-mismatch")
    people.root.call("PUT", f"/groups/{group}/permissions", {"permissions": "rwr---"})
    assert refusal(imported(others)) == (403, "permission-denied")
    assert live_server.sql("SELECT count(*) FROM image WHERE name = 'tagged.png'") == [(1,)]


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.code


@pytest.mark.parametrize(
    "more",
    [
        {"target": {"type": "Dataset", "id": 2**62}},
        {"target": {"type": "Image", "id": 1}},
        {"target": {"type": "Dataset", "name": "x"}},
        {"annotations": [{"text": 1}]},
        {"annotation_ids": ["1"]},
        {"annotation_ids": [-1]},
        {"skip": ["everything"]},
        {"description": 1},
    ],
)
def test_wishes_that_make_no_sense_are_refused(live_server: LiveServer, more: dict[str, Any]) -> None:
    api = live_server.tls().login()
    begun = api.begin_import(("/a/refused.png", picture(47)), checksum_algorithms=["SHA1-160"]).document["import_id"]
    assert api.call("PUT", f"/imports/{begun}/files/0", picture(47)).status == 200
    answer = api.call("POST", f"/imports/{begun}/complete", {"hashes": [sha1(picture(47))], **more})
    assert answer.status in (400, 404), answer
    api.call("DELETE", f"/imports/{begun}")
    assert live_server.sql("SELECT count(*) FROM image WHERE name = 'refused.png'") == [(0,)]


def test_a_user_name_that_fills_a_directory_name_is_told_in_words(live_server: LiveServer) -> None:
    person = People(live_server).user(name="n" * 254)
    begun = person.api.begin_import(("a.png", picture(40)))
    assert (begun.status, begun.code) == (409, "directory-name-too-long")
    assert not list((live_server.managed / ".omero" / "imports").rglob("*.json"))
