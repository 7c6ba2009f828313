"""Objects through the API: made, read, found and changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.liveserver import PASSWORD, Answer, Api, LiveServer

READ_WRITE = -8


@pytest.fixture
def api(live_server: LiveServer) -> Api:
    """A new user in a private group."""
    return live_server.tls().login(live_server.add_user(), PASSWORD)


def new(api: Api, kind: str, **fields: Any) -> str:
    """A new object as ``Type:id``."""
    made = api.call("POST", f"/objects/{kind}", {"fields": fields})
    assert made.status == 201, made
    assert made.document["type"] == kind
    return f"{kind}:{made.document['id']}"


def path(reference: str) -> str:
    """Where an object is."""
    return f"/objects/{reference.replace(':', '/')}"


def fields(api: Api, reference: str) -> dict[str, Any]:
    """An object's properties."""
    answer = api.call("GET", path(reference))
    assert answer.status == 200, answer
    return dict(answer.document["fields"])


def found(api: Api, query: str) -> list[str]:
    """Objects that a listing has."""
    answer = api.call("GET", f"/objects/{query}")
    assert answer.status == 200, answer
    return [f"{one['type']}:{one['id']}" for one in answer.document["objects"]]


def refused(answer: Answer, status: int, code: str) -> str:
    """Message of a failure."""
    assert (answer.status, answer.code) == (status, code), answer
    return str(answer.document["error"]["message"])


def test_a_dataset(live_server: LiveServer, api: Api) -> None:
    dataset = new(api, "Dataset", name="NewDVSet")
    one = api.call("GET", path(dataset)).document
    assert one["fields"] == {"name": "NewDVSet", "description": None}
    assert one["version"] == 0
    assert (one["details"]["permissions"], one["details"]["created"]) == ("rw----", one["details"]["updated"])
    changed = api.call("PATCH", path(dataset), {"fields": {"description": "for new DV images"}}).document
    assert changed["fields"] == {"name": "NewDVSet", "description": "for new DV images"}
    assert changed["version"] == 1
    assert changed["details"]["updated"] >= one["details"]["updated"]
    assert api.call("PATCH", path(dataset), {"fields": {"description": None}}).document["fields"]["description"] is None
    rows = live_server.sql(
        "SELECT l.action, l.entitytype, t.value FROM eventlog l JOIN event e ON e.id = l.event"
        " JOIN eventtype t ON t.id = e.type WHERE l.entityid = %s AND l.entitytype LIKE '%%Dataset' ORDER BY l.id",
        one["id"],
    )
    name = "ome.model.containers.Dataset"
    assert rows == [("INSERT", name, "User"), ("UPDATE", name, "User"), ("UPDATE", name, "User")]


def test_what_is_no_change_leaves_no_event(live_server: LiveServer, api: Api) -> None:
    dataset = new(api, "Dataset", name="same")
    [(before,)] = live_server.sql("SELECT max(id) FROM event")
    assert api.call("PATCH", path(dataset), {"fields": {"name": "same"}}).document["version"] == 0
    assert live_server.sql("SELECT max(id) FROM event WHERE id > %s", before) == [(None,)]


def test_versions(api: Api) -> None:
    dataset = new(api, "Dataset", name="a")
    assert api.call("PATCH", path(dataset), {"fields": {"name": "b"}, "version": 0}).status == 200
    late = api.call("PATCH", path(dataset), {"fields": {"name": "c"}, "version": 0})
    assert "at version 1, not 0" in refused(late, 409, "version-conflict")
    assert fields(api, dataset)["name"] == "b"


def test_links(api: Api) -> None:
    project, dataset = new(api, "Project", name="NewImages"), new(api, "Dataset", name="x")
    link = new(api, "ProjectDatasetLink", parent=project, child=dataset)
    assert fields(api, link) == {"parent": project, "child": dataset}
    again = api.call("POST", "/objects/ProjectDatasetLink", {"fields": {"parent": project, "child": dataset}})
    assert refused(again, 409, "link-exists") == f"you have linked {project} and {dataset} already"
    assert found(api, f"Dataset?parent={project}") == [dataset]
    assert found(api, f"Project?child={dataset}") == [project]
    assert found(api, f"ProjectDatasetLink?parent={project}") == [link]
    for owner, name in ((project, "datasetLinks"), (dataset, "projectLinks")):
        assert api.call("GET", f"{path(owner)}/lists/{name}").document["items"] == [link]
    assert api.call("GET", f"{path(dataset)}/lists/imageLinks").document["items"] == []
    message = refused(api.call("GET", f"{path(dataset)}/lists/wells"), 400, "request-invalid")
    assert message == "a Dataset has no list 'wells'; its lists: annotationLinks, imageLinks, projectLinks"
    other = new(api, "Dataset", name="other")
    moved = api.call("PATCH", path(link), {"fields": {"child": other}})
    assert "delete it and make another" in refused(moved, 400, "request-invalid")


def test_annotations_of_all_kinds(live_server: LiveServer, api: Api) -> None:
    image = api.import_files(("/p/a.png", picture())).document["images"][0]["id"]
    [(file,)] = live_server.sql(
        "SELECT x.originalfile FROM filesetentry x JOIN image i ON i.fileset = x.fileset WHERE i.id = %s", image
    )
    values: dict[str, dict[str, Any]] = {
        "TagAnnotation": {"textValue": "mitosis", "ns": "a/b"},
        "CommentAnnotation": {"textValue": "Hello World!"},
        "XmlAnnotation": {"textValue": "<a/>"},
        "TermAnnotation": {"termValue": "GO:1"},
        "LongAnnotation": {"longValue": 2**62},
        "DoubleAnnotation": {"doubleValue": 0.1},
        "BooleanAnnotation": {"boolValue": True},
        "TimestampAnnotation": {"timeValue": 1700000000123},
        "FileAnnotation": {"file": f"OriginalFile:{file}"},
        "MapAnnotation": {},
        "ListAnnotation": {"name": "list"},
    }
    made = {kind: new(api, kind, **wanted) for kind, wanted in values.items()}
    for kind, wanted in values.items():
        assert {name: fields(api, made[kind])[name] for name in wanted} == wanted
        link = new(api, "ImageAnnotationLink", parent=f"Image:{image}", child=made[kind])
        assert fields(api, link)["child"] == made[kind]
    assert sorted(found(api, f"Annotation?parent=Image:{image}")) == sorted(made.values())
    assert found(api, "Annotation?where=textValue=mitosis") == [made["TagAnnotation"]]
    assert found(api, f"TextAnnotation?parent=Image:{image}") == [
        made[kind] for kind in ("TagAnnotation", "CommentAnnotation", "XmlAnnotation")
    ]
    assert found(api, "TagAnnotation?where=ns=a/b&where=textValue=other") == []
    # The kind is a part of the name: a tag isn't a comment.
    number = made["TagAnnotation"].partition(":")[2]
    assert api.call("GET", f"/objects/CommentAnnotation/{number}").status == 404
    assert api.call("GET", f"/objects/Annotation/{number}").document["type"] == "TagAnnotation"


def test_pairs(api: Api) -> None:
    body = {"maps": {"mapValue": [["b", "1"], ["a", "2"], ["b", "3"]]}}
    made = api.call("POST", "/objects/MapAnnotation", body).document
    where = f"/objects/MapAnnotation/{made['id']}/maps/mapValue"
    assert made["maps"] == body["maps"] == {"mapValue": api.call("GET", where).document["pairs"]}
    changed = api.call("PATCH", where, {"key": "b", "value": "ü"}).document["pairs"]
    assert changed == [["b", "ü"], ["a", "2"], ["b", "3"]]
    assert api.call("PATCH", where, {"key": "c", "value": ""}).document["pairs"][-1] == ["c", ""]
    assert api.call("PATCH", where, {"key": "b", "value": None}).document["pairs"] == [["a", "2"], ["c", ""]]
    assert api.call("PUT", where, {"pairs": [["x", "y"]]}).document["pairs"] == [["x", "y"]]
    assert api.call("GET", f"/objects/MapAnnotation/{made['id']}").document["version"] == 4
    wrong = api.call("GET", where.replace("mapValue", "other"))
    assert "has no pairs 'other'" in refused(wrong, 400, "request-invalid")


def test_listing(api: Api) -> None:
    ids = [new(api, "Dataset", name=name) for name in ("b", "a", "c", "a")]
    assert found(api, "Dataset") == ids
    assert found(api, "Dataset?order=-id&limit=2") == ids[:-3:-1]
    assert found(api, "Dataset?order=name") == [ids[1], ids[3], ids[0], ids[2]]
    assert found(api, "Dataset?name=a") == [ids[1], ids[3]]
    page = api.call("GET", "/objects/Dataset?limit=3&offset=1").document
    assert ([one["id"] for one in page["objects"]], page["next"]) == ([int(one[8:]) for one in ids[1:]], None)
    assert api.call("GET", "/objects/Dataset?limit=3").document["next"] == 3
    details = api.call("GET", path(ids[0])).document["details"]
    for owner in (details["owner"], details["owner_id"]):
        assert found(api, f"Dataset?owner={owner}&group={details['group']}") == ids
    assert found(api, "Dataset?owner=root") == []
    assert found(api, "Dataset?group=nobody-s") == []


@pytest.mark.parametrize(
    ("method", "where", "body"),
    [
        ("POST", "Dataset", {"fields": {}}),
        ("POST", "Dataset", {"fields": {"name": "x" * 256}}),
        ("POST", "Dataset", {"fields": {"name": 5}}),
        ("POST", "Dataset", {"fields": {"name": "a", "owner": 0}}),
        ("POST", "Dataset", {"fields": {"name": "a"}, "maps": {"mapValue": []}}),
        ("POST", "Dataset", {"fields": {"name": "a"}, "group": 999999}),
        ("POST", "Nothing", {"fields": {"name": "a"}}),
        ("POST", "Annotation", {}),
        ("POST", "Image", {"fields": {"name": "a"}}),
        ("POST", "Experimenter", {"fields": {"omeName": "a"}}),
        ("POST", "ImportJob", {}),
        ("POST", "ProjectDatasetLink", {"fields": {"parent": "Dataset:1", "child": "Project:1"}}),
        ("POST", "Roi", {"fields": {"image": "all of them"}}),
        ("GET", "Dataset?where=name", None),
        ("GET", "Dataset?where=color=red", None),
        ("GET", "Dataset?parent=Screen:1", None),
        ("GET", "Dataset?parent=1", None),
        ("GET", "Dataset?order=color", None),
        ("GET", "Experimenter?owner=root", None),
        ("GET", "ScriptJob", None),
    ],
)
def test_bad_requests(api: Api, method: str, where: str, body: Any) -> None:
    refused(api.call(method, f"/objects/{where}", body), 400, "request-invalid")


def test_files_of_the_repository_keep_their_names(live_server: LiveServer, api: Api) -> None:
    image = api.import_files(("/p/b.png", picture())).document["images"][0]["id"]
    [file] = api.call("GET", f"/images/{image}/files").document["files"]
    for changed in ({"name": "other.png"}, {"mimetype": "Directory"}, {"path": "/etc"}):
        answer = api.call("PATCH", f"/objects/OriginalFile/{file['id']}", {"fields": changed})
        refused(answer, 400, "request-invalid")
    assert api.call("GET", f"/images/{image}/files").document["files"] == [file]
    renamed = api.call("PATCH", f"/objects/Image/{image}", {"fields": {"name": "better"}}).document
    assert renamed["fields"]["name"] == "better"
    assert renamed["fields"]["format"] == "APNG"


def picture() -> bytes:
    """A PNG."""
    import pyvips

    return bytes(pyvips.Image.black(8, 8).pngsave_buffer())
