"""Imports, what they leave on disk and in the database, and what is left when they fail."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import os
from pathlib import Path

import pytest

from tests.support.liveserver import PASSWORD, LiveServer


def picture(seed: int = 0, width: int = 60, height: int = 40) -> bytes:
    """A PNG that no other seed gives."""
    import pyvips

    return bytes(pyvips.Image.gaussnoise(width, height, mean=128, sigma=30, seed=seed).cast("uchar").pngsave_buffer())


def stored_files(server: LiveServer) -> set[Path]:
    """Files of the managed repository, markers of the repository apart."""
    return {path for path in server.managed.rglob("*") if path.is_file() and "repository" not in path.parts}


def test_an_import_arrives_whole(live_server: LiveServer) -> None:
    user = live_server.add_user()
    api = live_server.tls().login(user, PASSWORD)
    content = picture(1)
    done = api.import_files(("/images/cells.png", content))
    assert done.status == 201, done
    assert [image["name"] for image in done.document["images"]] == ["cells.png"]
    image = api.call("GET", f"/images/{done.document['images'][0]['id']}").document
    assert (image["owner"], image["group"]) == (user, f"group-of-{user}")
    assert [image[f"size_{axis}"] for axis in "xyzct"] == [60, 40, 1, 1, 1]
    assert (image["pixel_type"], image["files"], image["size"]) == ("uint8", 1, len(content))
    assert image["fileset_id"] == done.document["fileset_id"]
    [file] = api.call("GET", f"/images/{image['id']}/files").document["files"]
    assert file["hash"] == hashlib.sha1(content, usedforsecurity=False).hexdigest()
    assert file["hasher"] == "SHA1-160"
    assert file["path"].startswith(f"{user}_")
    assert (live_server.managed / file["path"] / file["name"]).read_bytes() == content
    downloaded = api.call("GET", f"/files/{file['id']}/content")
    assert downloaded.content == content
    [fileset] = api.call("GET", "/filesets").document["filesets"]
    assert fileset.pop("imported") > 0
    assert fileset == {
        "id": image["fileset_id"], "prefix": file["path"], "images": 1, "files": 1, "size": len(content),
        "owner": user, "group": f"group-of-{user}", "transfer": "upload",
    }  # fmt: skip


def test_an_import_leaves_events(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    done = api.import_files(("/events.png", picture(2)))
    image_id = done.document["images"][0]["id"]
    rows = live_server.sql(
        "SELECT l.action, l.entitytype, t.value FROM eventlog l JOIN event e ON e.id = l.event"
        " JOIN eventtype t ON t.id = e.type WHERE l.event = (SELECT creation_id FROM image WHERE id = %s)",
        image_id,
    )
    assert {kind for _, _, kind in rows} == {"Import"}
    logged = {(action, entity.rpartition(".")[2]) for action, entity, _ in rows}
    assert {("INSERT", "Image"), ("INSERT", "Fileset"), ("INSERT", "OriginalFile"), ("PIXELDATA", "Pixels")} <= logged
    jobs = live_server.sql(
        "SELECT j.type, s.value FROM image i JOIN filesetjoblink l ON l.parent = i.fileset JOIN job j ON j.id = l.child"
        " JOIN jobstatus s ON s.id = j.status WHERE i.id = %s ORDER BY l.parent_index",
        image_id,
    )
    assert jobs[:2] == [("UploadJob", "Finished"), ("MetadataImportJob", "Finished")]


def test_every_sample_is_imported(live_server: LiveServer, sample_images: Path) -> None:
    api = live_server.tls().login()
    for path in sorted(sample_images.iterdir()):
        done = api.import_files((str(path), path.read_bytes()))
        assert done.status == 201, (path, done)
        image = api.call("GET", f"/images/{done.document['images'][0]['id']}").document
        assert image["name"] == path.name
        if path.name.endswith(".ome.tif"):
            assert [image[f"size_{axis}"] for axis in "xyzct"] == [128, 96, 5, 3, 3]
            assert image["channels"] == ["DAPI", "GFP", "mCherry"]


def test_the_files_of_a_fileset_keep_their_arrangement(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    done = api.import_files(
        ("/data/plate/a/one.png", picture(3)), ("/data/plate/b/one.png", picture(4)), ("/data/plate/notes.txt", b"Hi")
    )
    assert done.status == 201, done
    assert len(done.document["images"]) == 2
    files = api.call("GET", f"/images/{done.document['images'][0]['id']}/files").document["files"]
    prefix = api.call("GET", "/filesets?limit=1000").document["filesets"][-1]["prefix"]
    assert [f"{file['path']}{file['name']}".removeprefix(prefix) for file in files] == [
        "a/one.png", "b/one.png", "notes.txt",
    ]  # fmt: skip


def test_a_name_can_be_given(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    done = api.import_files(("/x/one.png", picture(5)), name="Überblick")
    assert done.document["images"][0]["name"] == "Überblick"


def test_a_checksum_mismatch_leaves_nothing(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    before, images = stored_files(live_server), live_server.sql("SELECT count(*) FROM image")
    content = picture(6)
    number = api.begin_import(("/x/bad.png", content)).document["import_id"]
    assert api.call("PUT", f"/imports/{number}/files/0", content).status == 200
    answer = api.call("POST", f"/imports/{number}/complete", {"hashes": ["0" * 40]})
    assert (answer.status, answer.code) == (409, "checksum-mismatch")
    assert stored_files(live_server) == before
    assert live_server.sql("SELECT count(*) FROM image") == images
    assert api.call("POST", f"/imports/{number}/complete", {"hashes": []}).status == 404


def test_what_is_no_image_leaves_nothing(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    before = stored_files(live_server)
    for name, content in (("/x/text.png", b"no picture"), ("/x/cut.png", picture(7, 500, 500)[:2000]), ("/e.tif", b"")):
        answer = api.import_files((name, content))
        assert (answer.status, answer.code) == (422, "unreadable-image"), name
    assert stored_files(live_server) == before
    assert not list((live_server.managed / ".omero" / "imports").rglob("*.json"))


def test_a_cancelled_import_is_gone(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    before = stored_files(live_server)
    number = api.begin_import(("/x/never.png", picture(8))).document["import_id"]
    assert api.call("PUT", f"/imports/{number}/files/0", picture(8)).status == 200
    assert api.call("DELETE", f"/imports/{number}").status == 204
    assert api.call("DELETE", f"/imports/{number}").status == 404
    assert stored_files(live_server) == before


def test_other_sizes_than_announced_are_refused(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    number = api.begin_import(("/x/sizes.png", b"12345")).document["import_id"]
    for content in (b"1234", b"123456", b"", os.urandom(3 * 2**20)):
        answer = api.call("PUT", f"/imports/{number}/files/0", content)
        assert (answer.status, answer.code) == (400, "size-mismatch"), len(content)
    incomplete = api.call("POST", f"/imports/{number}/complete", {"hashes": ["00"]})
    assert (incomplete.status, incomplete.code) == (409, "import-incomplete")
    assert api.call("PUT", f"/imports/{number}/files/1", b"").status == 404
    assert api.call("DELETE", f"/imports/{number}").status == 204


def test_an_import_belongs_to_who_began_it(live_server: LiveServer) -> None:
    mine = live_server.tls().login(live_server.add_user(), PASSWORD)
    other = live_server.tls().login(live_server.add_user(), PASSWORD)
    number = mine.begin_import(("/x/mine.png", b"12345")).document["import_id"]
    for answer in (
        other.call("PUT", f"/imports/{number}/files/0", b"12345"),
        other.call("POST", f"/imports/{number}/complete", {"hashes": [""]}),
        other.call("DELETE", f"/imports/{number}"),
    ):
        assert answer.status == 404
    assert mine.call("DELETE", f"/imports/{number}").status == 204


@pytest.mark.parametrize(
    "body",
    [
        {"files": []},
        {"files": [{"client_path": "a.png"}]},
        {"files": [{"client_path": "a.png", "size": -1}]},
        {"files": [{"client_path": "a.png", "size": True}]},
        {"files": [{"client_path": "", "size": 1}]},
        {"files": [{"client_path": "/directory/", "size": 1}]},
        {"files": [{"client_path": "a.png", "size": 1}], "checksum_algorithms": ["SHA-999"]},
        {"files": [{"client_path": "a.png", "size": 1}], "checksum_algorithms": [1]},
    ],
    ids=json.dumps,
)
def test_an_import_that_makes_no_sense_is_refused(live_server: LiveServer, body: object) -> None:
    api = live_server.tls().login()
    before = stored_files(live_server)
    assert api.call("POST", "/imports", body).status == 400
    assert stored_files(live_server) == before


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../../../../etc/evil.png", "path-escapes"),
        ("/a/../../b.png", "path-escapes"),
        ("/a/b:c.png", "file-name-invalid"),
        ("/a/CON.png", "file-name-invalid"),
        ("/a/$b.png", "file-name-invalid"),
        ("/a/\0b.png", "request-invalid"),
    ],
)
def test_paths_that_leave_or_that_the_rules_forbid_are_refused(live_server: LiveServer, path: str, code: str) -> None:
    api = live_server.tls().login()
    before = stored_files(live_server)
    refused = api.begin_import((path, b"x"), ("/a/b.png", b"y"))
    assert (refused.status, refused.code) == (400, code)
    assert stored_files(live_server) == before


def test_concurrent_imports_all_arrive(live_server: LiveServer) -> None:
    keys = [live_server.tls().login().key for _ in range(4)]
    contents = [picture(100 + number, 300, 300) for number in range(12)]

    def run(number: int) -> int:
        api = live_server.tls()
        api.key = keys[number % 4]
        answer = api.import_files((f"/many/{number}.png", contents[number]))
        assert answer.status == 201, answer
        return int(answer.document["images"][0]["id"])

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        images = list(pool.map(run, range(12)))
    assert len(set(images)) == 12
    api = live_server.tls().login()
    for number, image in enumerate(images):
        [file] = api.call("GET", f"/images/{image}/files").document["files"]
        assert api.call("GET", f"/files/{file['id']}/content").content == contents[number]


def test_large_files_take_constant_memory(live_server: LiveServer) -> None:
    """128 MB through both servers; neither may keep more than a fraction of it."""
    api = live_server.tls().login()
    content = os.urandom(2**20) * 128
    number = api.begin_import(("/x/large.png", content)).document["import_id"]
    stored = api.call("PUT", f"/imports/{number}/files/0", content)
    assert stored.document == {
        "index": 0,
        "size": len(content),
        "hash": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
    }
    assert api.call("DELETE", f"/imports/{number}").status == 204
    for server in live_server.runtime.servers[:3]:
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        assert peak < 200 * 1024, (server.server_id, peak)


def test_known_client_paths_are_those_of_complete_imports(live_server: LiveServer) -> None:
    user = live_server.add_user()
    api = live_server.tls().login(user, PASSWORD)
    done = api.import_files(("/known/é.png", picture(9)))
    api.begin_import(("/known/begun.png", b"x"))
    paths = ["/known/é.png", "/known/begun.png", "/known/never.png"]
    answer = api.call("POST", "/filesets/client-paths", {"paths": paths})
    assert answer.document == {"known": [{"path": "/known/é.png", "fileset_id": done.document["fileset_id"]}]}
    stranger = live_server.tls().login(live_server.add_user(), PASSWORD)
    assert stranger.call("POST", "/filesets/client-paths", {"paths": paths}).document == {"known": []}
    assert api.call("POST", "/filesets/client-paths", {"paths": ["x"] * 1001}).status == 400
    assert api.call("POST", "/filesets/client-paths", {"paths": [1]}).status == 400


def test_no_data_goes_to_the_group_of_all_users(live_server: LiveServer, sample_images: Path) -> None:
    content = next(sample_images.glob("*.png")).read_bytes()
    api = live_server.tls().login(live_server.add_user(), PASSWORD)
    begun = api.begin_import(("/d/x.png", content), checksum_algorithms=["SHA1-160"]).document
    assert api.call("PUT", f"/imports/{begun['import_id']}/files/0", content).status == 200
    assert api.call("PATCH", "/sessions/current", {"group": "user"}).status == 200
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    scripts = api.call("GET", "/scripts").document["scripts"]
    refused = [
        api.call("POST", f"/imports/{begun['import_id']}/complete", {"hashes": [digest]}),
        api.begin_import(("/d/x.png", content)),
        api.call("POST", "/imports/targets", {"type": "Dataset", "name": "seen by all"}),
        api.call("POST", "/tables", {"columns": [{"name": "a", "type": "long"}]}),
        api.call("POST", "/objects/Dataset", {"fields": {"name": "seen by all"}}),
        *(api.call("POST", f"/scripts/{one['id']}/jobs", {}) for one in scripts),
    ]
    assert {(answer.status, answer.code) for answer in refused} == {(403, "permission-denied")}, refused
    assert live_server.sql("SELECT count(*) FROM image WHERE group_id = 1") == [(0,)]
    assert not (live_server.managed / begun["fileset_prefix"]).exists(), "the import is given up"


def test_a_file_where_another_needs_a_directory_is_refused(live_server: LiveServer) -> None:
    api = live_server.tls().login(live_server.add_user(), PASSWORD)
    answer = api.begin_import(("/d/x.tif", b"1"), ("/d/x.tif/y.tif", b"1"))
    assert (answer.status, answer.code) == (400, "file-name-invalid")
