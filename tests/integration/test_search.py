"""Searches with the real Indexer: what is found by what, who finds it, and what the options leave."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from omeroadmin.profiles.store import update_profile
from omeroadmin.system.clock import wait_until
from tests.support.liveserver import PASSWORD, Api, LiveServer, live, start_all
from tests.support.omero import Omero

TYPES = "ome.model.core.Image,ome.model.containers.Project,ome.model.containers.Dataset,ome.model.screen.Plate"
TYPES += ",ome.model.screen.Screen,ome.model.annotations.TagAnnotation"
INDEXING = {
    "omero.search.include_types": TYPES,
    "omero.search.cron": "* * * * * ?",
    "omero.search.max_file_size": "1000",
    "omero.search.excludes": "ome.model.annotations.ProjectAnnotationLink",
}
PRIVATE, READ_ONLY, READ_WRITE = -120, -56, -8


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Blitz, Glacier2, IceStorm and Indexer; tags can be found, too."""
    with live(tmp_path_factory.mktemp("search")) as made:
        start_all(made)
        made.runtime.start("Indexer", "Indexer-0", properties=INDEXING)
        yield made


@pytest.fixture
def api(server: LiveServer) -> Api:
    """A new user in a private group."""
    return server.local().login(server.add_user(), PASSWORD)


def new(api: Api, kind: str, maps: dict[str, Any] | None = None, **fields: Any) -> str:
    """A new object as ``Type:id``."""
    made = api.call("POST", f"/objects/{kind}", {"fields": fields, "maps": maps or {}})
    assert made.status == 201, made
    return f"{kind}:{made.document['id']}"


def annotate(api: Api, parent: str, child: str) -> None:
    """Link an annotation."""
    new(api, f"{parent.partition(':')[0]}AnnotationLink", parent=parent, child=child)


def found(api: Api, query: str, **options: Any) -> list[str]:
    """Objects that a search gives, in order."""
    answer = api.call("GET", f"/search?{urlencode({'query': query, **options}, doseq=True)}")
    assert answer.status == 200, answer
    return [f"{hit['type']}:{hit['id']}" for hit in answer.document["hits"]]


def is_found(api: Api, query: str, *expected: str, **options: Any) -> bool:
    """Whether a search soon gives exactly that."""
    return wait_until(lambda: sorted(found(api, query, **options)) == sorted(expected), timeout=20)


def caught_up(server: LiveServer, api: Api) -> None:
    """Wait until the index knows all that has happened."""
    [(last,)] = server.sql("SELECT max(id) FROM eventlog")
    assert wait_until(lambda: api.call("GET", "/search?query=x").document["indexed_to"] >= last, timeout=20)


def group_of(server: LiveServer, user: str) -> int:
    """A user's own group."""
    return int(server.sql("SELECT id FROM experimentergroup WHERE name = %s", f"group-of-{user}")[0][0])


@pytest.mark.parametrize("kind", ["Dataset", "Screen", "Plate"])
def test_containers_are_found_by_what_hangs_on_them(api: Api, kind: str) -> None:
    word = f"{kind.lower()}xyz"
    one = new(api, kind, name=f"{word}name", description=f"{word}description")
    for child in (
        new(api, "TagAnnotation", textValue=f"{word}tag"),
        new(api, "CommentAnnotation", textValue=f"{word}comment"),
        new(api, "MapAnnotation", {"mapValue": [[f"{word}key", f"{word}value"]]}),
        new(api, "TermAnnotation", termValue=f"{word}term"),
        new(api, "LongAnnotation", longValue=987654321),
    ):
        annotate(api, one, child)
    for ending in ("name", "description", "comment", "key", "value", "term"):
        assert is_found(api, word + ending, one), ending
    assert is_found(api, f"{word}name {word}key 987654321", one)
    assert found(api, f"{word}tag", type=kind) == [one]


def test_attached_files_are_found_by_name(server: LiveServer, api: Api) -> None:
    import pyvips

    picture = bytes(pyvips.Image.black(8, 8).pngsave_buffer())
    image = api.import_files(("/p/attached_leaflet.png", picture)).document["images"][0]["id"]
    [file] = api.call("GET", f"/images/{image}/files").document["files"]
    dataset = new(api, "Dataset", name="with a file")
    annotate(api, dataset, new(api, "FileAnnotation", file=f"OriginalFile:{file['id']}"))
    assert is_found(api, "leaflet", dataset, f"Image:{image}")
    assert found(api, "leaflet", field="file") == [f"Image:{image}"]
    assert found(api, "leaflet", field="annotation") == [dataset]


def upload(api: Api, name: str, mimetype: str, content: bytes) -> str:
    """A new file as ``OriginalFile:id``."""
    begun = api.call("POST", "/uploads", {"name": name, "size": len(content), "mimetype": mimetype})
    assert begun.status == 201, begun
    number = begun.document["id"]
    stored = api.call("PUT", f"/uploads/{number}", content)
    done = api.call("POST", f"/uploads/{number}/complete", {"hash": stored.document["hash"]})
    assert done.status == 201, done
    return f"OriginalFile:{number}"


def test_attached_texts_are_found_by_their_contents(api: Api) -> None:
    dataset = new(api, "Dataset", name="with texts")
    for name, mimetype, content in (
        ("small.txt", "text/plain", b"protocolword and more"),
        ("large.txt", "text/plain", b"largeword " * 200),
        ("picture.png", "image/png", b"pictureword"),
    ):
        annotate(api, dataset, new(api, "FileAnnotation", file=upload(api, name, mimetype, content)))
    assert is_found(api, "protocolword", dataset)
    assert found(api, "protocolword", field="content") == [dataset]
    assert found(api, "protocolword", field="annotation") == []
    assert sorted(found(api, "large")) == sorted(found(api, "picture")) == [dataset]
    assert found(api, "largeword") == found(api, "pictureword") == []


def test_changes_of_types_that_are_excluded_do_not_count(server: LiveServer, api: Api) -> None:
    project = new(api, "Project", name="unlinked")
    assert is_found(api, "unlinked", project)
    tag = new(api, "TagAnnotation", textValue="excludedword")
    assert is_found(api, "excludedword", tag)
    annotate(api, project, tag)
    caught_up(server, api)
    assert found(api, "excludedword", type="Project") == []


def test_what_changes_is_found_anew(api: Api) -> None:
    dataset = new(api, "Dataset", name="changing")
    tag = new(api, "TagAnnotation", textValue="beforeword")
    pairs = new(api, "MapAnnotation", {"mapValue": [["a", "beforepair"]]})
    annotate(api, dataset, tag)
    annotate(api, dataset, pairs)
    assert is_found(api, "beforeword", dataset, tag)
    assert is_found(api, "beforepair", dataset)
    assert api.call("PATCH", f"/objects/{tag.replace(':', '/')}", {"fields": {"textValue": "afterword"}}).status == 200
    where = f"/objects/{pairs.replace(':', '/')}/maps/mapValue"
    assert api.call("PATCH", where, {"key": "a", "value": "afterpair"}).status == 200
    assert is_found(api, "afterword", dataset, tag)
    assert is_found(api, "afterpair", dataset)
    assert found(api, "beforeword") == found(api, "beforepair") == []


@pytest.mark.parametrize("kind", ["Dataset", "Screen"])
def test_what_lost_its_annotation_is_not_found_by_it(server: LiveServer, kind: str) -> None:
    somebody = server.add_user(permissions=READ_WRITE)
    api = server.local().login(somebody, PASSWORD)
    other = server.local().login(server.add_user(group=f"group-of-{somebody}"), PASSWORD)
    one = new(api, kind, name="annotated")
    annotate(api, one, new(api, "CommentAnnotation", textValue=f"unlinked{kind}"))
    annotate(other, one, new(other, "CommentAnnotation", textValue=f"separated{kind}"))
    assert is_found(api, f"unlinked{kind} separated{kind}", one)
    [link, _] = api.call("GET", f"/objects/{one.replace(':', '/')}/lists/annotationLinks").document["items"]
    name, _, number = link.partition(":")
    deleted = api.call("POST", "/delete", {"targets": [{"type": name, "ids": number}]})
    assert deleted.status == 200, deleted
    assert is_found(api, f"unlinked{kind}")
    assert found(api, f"separated{kind}") == [one]
    group = group_of(server, somebody)
    root = server.local().login()
    assert root.call("PUT", f"/groups/{group}/permissions", {"permissions": "rw----"}).status == 200
    assert is_found(api, f"separated{kind}")
    assert found(api, "annotated", type=kind) == [one]


def test_who_finds_it_is_decided_at_the_search(server: LiveServer) -> None:
    owner = server.add_user(permissions=PRIVATE)
    group = group_of(server, owner)
    colleague = server.local().login(server.add_user(group=f"group-of-{owner}"), PASSWORD)
    stranger = server.local().login(server.add_user(), PASSWORD)
    restricted = server.local().login(server.add_user(), PASSWORD)
    [(restricted_id,)] = server.sql("SELECT max(id) FROM experimenter")
    server.sql(
        "INSERT INTO groupexperimentermap (id, permissions, version, parent, child, child_index, owner)"
        " VALUES (ome_nextval('seq_groupexperimentermap'), -52, 0, 0, %s, 9, false)",
        restricted_id,
    )
    server.sql("INSERT INTO experimenter_config VALUES (%s, 'AdminPrivilege:WriteOwned', 'false', 0)", restricted_id)
    api = server.local().login(owner, PASSWORD)
    dataset = new(api, "Dataset", name="confidential")
    assert is_found(api, "confidential", dataset)
    assert found(colleague, "confidential") == []
    assert found(restricted, "confidential") == [dataset]
    server.sql("UPDATE experimentergroup SET permissions = %s WHERE id = %s", READ_ONLY, group)
    assert found(colleague, "confidential") == [dataset]
    assert found(stranger, "confidential") == []
    server.sql("UPDATE experimentergroup SET permissions = %s WHERE id = %s", PRIVATE, group)
    assert found(colleague, "confidential") == []
    # Who has left a group finds nothing there, not even what was theirs.
    server.sql(
        "DELETE FROM groupexperimentermap m USING experimenter e"
        " WHERE e.id = m.child AND e.omename = %s AND m.parent = %s",
        owner,
        group,
    )
    assert found(api, "confidential") == []


def test_an_index_that_lags_behind_betrays_nothing(server: LiveServer) -> None:
    owner, other = server.add_user(permissions=READ_ONLY), server.add_user(permissions=READ_ONLY)
    api, reader = (server.local().login(name, PASSWORD) for name in (owner, server.add_user(group=f"group-of-{owner}")))
    datasets = [new(api, "Dataset", name=f"lagging {number}") for number in range(40)]
    last = new(api, "Dataset", name="not short at all, and found behind everything else: lagging")
    assert is_found(api, "lagging", *datasets, last, limit=100)
    # No event says so: the index doesn't know.
    server.sql("UPDATE dataset SET group_id = %s WHERE name LIKE 'lagging%%'", group_of(server, other))
    assert found(reader, "lagging", limit=5) == [last]
    assert found(server.local().login(other, PASSWORD), "lagging") == []
    admin = server.local().login()
    assert found(admin, "lagging", group=f"group-of-{owner}") == [last]


def test_options(server: LiveServer, api: Api) -> None:
    user = api.call("GET", "/sessions/current").document
    project = new(api, "Project", name="optional thing")
    dataset = new(api, "Dataset", name="optional thing", description="narrowing")
    tag = new(api, "TagAnnotation", textValue="optional thing")
    annotate(api, project, tag)
    caught_up(server, api)
    every = [project, dataset, tag]
    assert is_found(api, "optional", *every)
    assert found(api, "optional", type="Project") == [project]
    assert sorted(found(api, "optional", type=["Project", "dataset"])) == sorted([project, dataset])
    assert found(api, "optional", type="Annotation") == [tag]
    assert found(api, "narrowing", field="name") == []
    assert found(api, "narrowing", field=["name", "description"]) == [dataset]
    for owner in (user["user"], user["user_id"]):
        assert sorted(found(api, "optional", owner=owner)) == sorted(every)
    assert found(api, "optional", owner="root") == []
    assert sorted(found(api, "optional", group=user["group"])) == sorted(every)
    assert found(api, "optional", group="system") == []
    order = found(api, "optional")
    assert [found(api, "optional", limit=1, offset=number)[0] for number in range(3)] == order
    assert found(api, "optional", offset=3) == []
    now = round(time.time() * 1000)
    assert sorted(found(api, "optional", since=now - 600_000, until=now + 1000)) == sorted(every)
    assert found(api, "optional", until=now - 600_000) == found(api, "optional", since=now + 600_000) == []
    assert found(api, "optional", since=0, date="acquisitionDate") == []


@pytest.mark.parametrize(
    "options",
    [
        {"type": "Nothing"},
        {"type": "Experimenter"},
        {"field": "colour"},
        {"owner": "nobody of this name"},
        {"group": "none of this name"},
        {"date": "birthday"},
        {"offset": 900, "limit": 200},
        {"query": "  "},
    ],
)
def test_bad_requests(api: Api, options: dict[str, Any]) -> None:
    answer = api.call("GET", f"/search?{urlencode({'query': 'x', **options})}")
    assert (answer.status, answer.code) == (400, "request-invalid")


def test_the_command(server: LiveServer, tmp_path: Path) -> None:
    instance = server.runtime.instance
    instance.grid_directory.mkdir(parents=True, exist_ok=True)
    properties = {**server.runtime.properties, "omero.ports.ssl": str(server.ssl_port)}
    update_profile(instance.config_xml, {**properties, "omero.ports.tcp": str(server.tcp_port)})
    (tmp_path / "password").write_text(PASSWORD)
    omero = Omero(tmp_path, extra={"OMERODIR": str(instance.omerodir)})
    name = server.add_user()
    omero.ok("login", f"{name}@localhost", "--password-file", "password")
    dataset = omero.ok("obj", "new", "Dataset", "name=commanded").strip()
    tag = omero.ok("obj", "new", "TagAnnotation", "textValue=commandtag").strip()
    omero.ok("obj", "new", "DatasetAnnotationLink", f"parent={dataset}", f"child={tag}")
    today = datetime.now(UTC).date()
    search = ("search", "Dataset", "commandtag", "--ids-only")
    assert wait_until(lambda: omero.ok(*search) == f"{dataset}\n", timeout=20)
    assert omero.ok("search", "commandtag", "--ids-only", "--field", "name") == f"{tag}\n"
    assert (
        omero.ok(*search, "--owner", name, "--from", f"{today - timedelta(days=1)}", "--to", f"{today}")
        == f"{dataset}\n"
    )
    assert omero.ok(*search, "--to", f"{today - timedelta(days=2)}") == ""
    [hit] = omero.json("search", "Dataset", "command", "--style", "json")["hits"]
    assert (hit["name"], hit["owner"], hit["group"]) == ("commanded", name, f"group-of-{name}")
    for arguments, status in (
        (("a", "b", "c"), 2),
        (("a", "--from", "yesterday"), 2),
        (("a", "--to", "9999-12-31"), 2),
        (("Nothing", "a"), 5),
        (("a", "--owner", "nobody of this name"), 5),
    ):
        done = omero.run("search", *arguments)
        lines = [line for line in done.stderr.splitlines() if not line.startswith("  ->")]
        assert (done.returncode, len(lines)) == (status, 1), done
    omero.ok("logout")
