"""``omero fs``: lists, checks, sizes and directories against the reference server, as scripts use them."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.server.test_blitz_imports import picture
from tests.support.liveserver import PASSWORD, Api, LiveServer, command_line, live_server  # noqa: F401 - a fixture
from tests.support.omero import Omero


@pytest.fixture(scope="module")
def api(live_server: LiveServer) -> Api:  # noqa: F811
    """A user with three imports."""
    api = live_server.tls().login(live_server.add_user(), PASSWORD)
    for number in range(3):
        assert api.import_files((f"/fs/cell {number}.png", picture(700 + number))).status == 201
    return api


@pytest.fixture(scope="module")
def omero(live_server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Omero:  # noqa: F811
    """A command line."""
    return command_line(live_server, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def root(omero: Omero) -> Iterator[Omero]:
    """The same, logged in as root."""
    omero.ok("login", "root@localhost", "--password-file", "password")
    yield omero
    omero.run("logout")


def as_user(omero: Omero, api: Api, *arguments: str, status: int = 0) -> str:
    """What a command prints for the user of a session; of one that fails, its first line on stderr."""
    done = omero.run(*arguments, "-s", "localhost", "-k", "-", input_text=f"{api.key}\n")
    assert done.returncode == status, done
    return done.stdout if not status else done.stderr.splitlines()[0]


def filesets_of(api: Api) -> list[int]:
    return [fileset["id"] for fileset in api.call("GET", "/filesets").document["filesets"]]


def test_columns_of_the_manual(omero: Omero, api: Api) -> None:
    ids = filesets_of(api)
    lines = as_user(omero, api, "fs", "sets").splitlines()
    assert lines[0].split() == ["#", "|", "Id", "|", "Prefix", "|", "Images", "|", "Files", "|", "Transfer"]
    assert set(lines[1]) == {"-", "+"}
    assert [line.split(" | ")[1].strip() for line in lines[2:-1]] == [str(one) for one in reversed(ids)]
    assert lines[-1] == "(3 rows, starting at 0 of approx. 3)"
    lines = as_user(omero, api, "fs", "images", "--limit", "1", "--offset", "1").splitlines()
    assert lines[0].split() == ["#", "|", "Image", "|", "Name", "|", "FS", "|", "#", "Files", "|", "Size"]
    cells = [cell.strip() for cell in lines[2].split("|")]
    assert (cells[0], cells[2], cells[4]) == ("0", "cell 1.png", "1")
    assert cells[5].endswith(" KB")
    assert lines[-1] == "(1 row, starting at 1 of approx. 3)"
    assert as_user(omero, api, "fs", "images", "--extended", "--style", "csv").splitlines()[0] == (
        "#,Image,Name,FS,# Files,Size,Pixels,Pyramid"
    )


def test_orders_agree_page_by_page(api: Api) -> None:
    for kind, orders in (("filesets", ("oldest", "newest", "prefix")), ("images", ("largest", "prefix", "newest"))):
        for order in orders:
            whole = [one["id"] for one in api.call("GET", f"/{kind}?order={order}").document[kind]]
            paged, after = [], 0
            while after is not None:
                page = api.call("GET", f"/{kind}?order={order}&limit=1&after={after}").document
                paged += [one["id"] for one in page[kind]]
                after = page["next"]
            assert paged == whole
            assert len(whole) == 3
    sizes = [one["size"] for one in api.call("GET", "/images?order=largest").document["images"]]
    assert sizes == sorted(sizes, reverse=True)
    assert api.call("GET", "/filesets?order=prefix&after=999999999").code == "not-found"


def test_filters(omero: Omero, api: Api, live_server: LiveServer, tmp_path: Path) -> None:  # noqa: F811
    assert as_user(omero, api, "fs", "sets", "--without-images", "--style", "plain") == ""
    assert as_user(omero, api, "fs", "sets", "--with-transfer", "ln", "ln_s", "--style", "plain") == ""
    assert as_user(omero, api, "fs", "sets", "--with-transfer", "upload", "--style", "plain").count("\n") == 3
    assert as_user(omero, api, "fs", "images", "--archived", "--style", "plain") == ""
    assert "is not one of" in as_user(omero, api, "fs", "sets", "--with-transfer", "by_mail", status=2)
    other = live_server.tls().login(live_server.add_user(), PASSWORD)
    assert as_user(omero, other, "fs", "sets", "--style", "plain") == ""


def test_repositories(omero: Omero, api: Api, live_server: LiveServer) -> None:  # noqa: F811
    lines = as_user(omero, api, "fs", "repos", "--managed", "--style", "csv").splitlines()
    assert lines[0] == "#,Id,UUID,Type,Path"
    assert len(lines) == 2
    assert lines[1].split(",")[3:] == ["Managed", str(live_server.managed)]
    assert len(as_user(omero, api, "fs", "repos", "--style", "plain").splitlines()) == 3


def test_checks(root: Omero, api: Api, live_server: LiveServer) -> None:  # noqa: F811
    newest = filesets_of(api)[-1]
    listed = root.ok("fs", "sets", "--check", "--limit", "3").splitlines()
    assert listed[0].endswith("| Check")
    assert [line.split("|")[-1].strip() for line in listed[2:-1]] == ["OK"] * 3
    [file] = api.call("GET", f"/filesets/{newest}/files").document["files"]
    path = live_server.managed / file["path"] / file["name"]
    content = path.read_bytes()
    try:
        path.chmod(0o640)
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
        done = root.run("fs", "sets", "--check", "--limit", "2", "--style", "json")
        assert done.returncode == 5
        assert '"check": "ERROR!"' in done.stdout
        assert f"omero: Fileset:{newest}: {file['path']}{file['name']}: its SHA1-160 is " in done.stderr
        path.write_bytes(content[:-1])
        assert "bytes, not" in root.run("fs", "sets", "--check", "--limit", "1").stderr
        path.unlink()
        assert "it is missing" in root.run("fs", "sets", "--check", "--limit", "1").stderr
    finally:
        path.write_bytes(content)
    assert root.run("fs", "sets", "--check", "--limit", "1").returncode == 0
    assert "only administrators" in as_user(root, api, "fs", "sets", "--check", status=5)


def test_json_is_one_document(root: Omero, api: Api) -> None:
    document = root.json("fs", "sets", "--extended", "--limit", "2", "--style", "json")
    assert document["schema"] == "omeroadmin/filesets/1"
    assert {"id", "prefix", "images", "files", "size", "transfer", "owner", "group", "imported"} == set(
        document["filesets"][0]
    )
    assert root.json("fs", "images", "--limit", "0", "--style", "json")["images"] == []


def test_the_log_of_an_import(omero: Omero, api: Api, live_server: LiveServer, tmp_path: Path) -> None:  # noqa: F811
    number = filesets_of(api)[0]
    prefix = api.call("GET", f"/filesets/{number}/files").document["prefix"]
    name = as_user(omero, api, "fs", "logfile", f"Fileset:{number}", "--name").strip()
    assert name == f"{prefix.rstrip('/')}.log"
    log = (live_server.managed / name).read_text()
    assert as_user(omero, api, "fs", "logfile", str(number)) == log
    assert as_user(omero, api, "fs", "logfile", str(number), "--size") == f"{len(log.encode())}\n"
    assert "cell 0.png" in log
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO  \[", line) for line in log.splitlines())
    as_user(omero, api, "fs", "logfile", str(number), str(tmp_path / "log"))
    assert (tmp_path / "log").read_text() == log
    [row] = live_server.sql(
        "SELECT o.mimetype, j.type, o.size, h.value FROM filesetjoblink k JOIN job j ON j.id = k.child"
        " JOIN joboriginalfilelink l ON l.parent = j.id JOIN originalfile o ON o.id = l.child"
        " JOIN checksumalgorithm h ON h.id = o.hasher WHERE k.parent = %s",
        number,
    )
    assert row == ("application/omero-log-file", "UploadJob", len(log.encode()), "SHA1-160")
    other = live_server.tls().login(live_server.add_user(), PASSWORD)
    assert "there is no fileset" in as_user(omero, other, "fs", "logfile", str(number), status=5)


def test_import_times(omero: Omero, api: Api, live_server: LiveServer) -> None:  # noqa: F811
    number = filesets_of(api)[1]
    internal = live_server.local(internal=True)
    assert "isn't finished" in as_user(omero, api, "fs", "importtime", str(number), status=5)
    [(pixels,)] = live_server.sql(
        "SELECT p.id FROM pixels p JOIN image i ON i.id = p.image WHERE i.fileset = %s", number
    )
    channels = [[0, 255]]
    assert internal.call("POST", f"/internal/pixels/{pixels}/statistics", {"channels": channels}).status < 300
    assert internal.call("POST", "/internal/thumbnails", {"pixels_id": pixels, "size_x": 96, "size_y": 64}).status < 300
    lines = as_user(omero, api, "fs", "importtime", f"Fileset:{number}", "--cache").splitlines()
    assert [line.split()[0] for line in lines] == ["upload", "setId", "metadata", "pixels", "thumbnail"]
    assert re.fullmatch(r"   upload time of +\d+\.\d\ds for 1 file \(\d+\.\d{3}s/file\)", lines[0])
    assert as_user(omero, api, "fs", "importtime", str(number)).splitlines() == lines
    rows = list(csv.DictReader(as_user(omero, api, "fs", "importtime", "--summary").splitlines()))
    assert [(row["fileset"], row["# files"], row["# planes"], row["overlays (ms)"]) for row in rows] == [
        (str(number), "1", "1", "")
    ]
    assert live_server.sql(
        "SELECT count(*) FROM filesetannotationlink l JOIN annotation a ON a.id = l.child"
        " WHERE l.parent = %s AND a.ns = 'openmicroscopy.org/omero/import/metrics'",
        number,
    ) == [(1,)]
    assert "--summary is needed" in as_user(omero, api, "fs", "importtime", status=2)


def test_usage(root: Omero, omero: Omero, api: Api, live_server: LiveServer) -> None:  # noqa: F811
    images = {one["id"]: one["size"] for one in api.call("GET", "/images").document["images"]}
    ids = ",".join(map(str, images))
    whole = as_user(omero, api, "fs", "usage", f"Image:{ids}", "--report").splitlines()
    assert whole[1].split() == ["component", "|", "size", "(bytes)", "|", "files"]
    plain = as_user(omero, api, "fs", "usage", f"Image:{ids}", "--report", "--style", "plain").splitlines()
    assert f"FilesetEntry,{sum(images.values())},3" in plain[1:]
    document = json.loads(as_user(omero, api, "fs", "usage", f"Image:{ids}", "--style", "json"))
    logs = [part for part in document["parts"] if part["component"] == "Job"]
    assert (logs[0]["files"], document["size"]) == (3, sum(part["size"] for part in document["parts"]))
    total = str(document["size"])
    # The same files by way of other objects, and twice: they count once.
    filesets = ",".join(map(str, filesets_of(api)))
    for objects in ([f"Fileset:{filesets}"], [f"Image:{ids}", f"Fileset:{filesets}"], ["Image:*"], []):
        assert as_user(omero, api, "fs", "usage", *objects, "--size_only").strip() == total
    dataset = api.call("POST", "/objects/Dataset", {"fields": {"name": "usage"}}).document["id"]
    first = min(images)
    link = {"parent": f"Dataset:{dataset}", "child": f"Image:{first}"}
    assert api.call("POST", "/objects/DatasetImageLink", {"fields": link}).status == 201
    assert as_user(omero, api, "fs", "usage", f"Dataset:{dataset}", "--size-only") == as_user(
        omero, api, "fs", "usage", f"Image:{first}", "--size_only"
    )
    line = as_user(omero, api, "fs", "usage", "--units", "K").strip()
    assert line.startswith(f"Total disk usage: {round(document['size'] / 1024, 1)} KiB in ")
    user_id = document["parts"][0]["user_id"]
    report = root.ok(
        "fs", "usage", f"Experimenter:{user_id}", "--report", "--style", "csv", "--sum-by", "user", "group",
        "--sort-by", "size", "--reverse",
    ).splitlines()  # fmt: skip
    assert report[1] == "user,group,size (bytes),files"
    assert report[2].startswith(f"{user_id},{document['parts'][0]['group_id']},{total},")
    assert as_user(omero, api, "fs", "usage", "--groups", "--size_only").strip() == total
    other = live_server.tls().login(live_server.add_user(), PASSWORD)
    assert as_user(omero, other, "fs", "usage", f"Image:{ids}", "--report") == "Total disk usage: 0 bytes in 0 files\n"
    assert "nothing whose usage is known" in as_user(omero, api, "fs", "usage", "Well:1", status=2)


def test_directories(root: Omero, omero: Omero, api: Api, live_server: LiveServer) -> None:  # noqa: F811
    assert "only administrators" in as_user(omero, api, "fs", "mkdir", "volume-B", status=5)
    root.ok("fs", "mkdir", "volume-B")
    assert (live_server.managed / "volume-B").is_dir()
    assert live_server.sql(
        "SELECT path, mimetype, owner_id, group_id FROM originalfile WHERE name = 'volume-B' AND repo IS NOT NULL"
    ) == [("/", "Directory", 0, 1)]
    assert root.run("fs", "mkdir", "volume-B").returncode == 5
    root.ok("fs", "mkdir", "--parents", "/volume-B/deep/er/")
    root.ok("fs", "mkdir", "--parents", "volume-B/deep/er")
    assert (live_server.managed / "volume-B" / "deep" / "er").is_dir()
    assert live_server.sql("SELECT path FROM originalfile WHERE name = 'er' AND mimetype = 'Directory'") == [
        ("volume-B/deep/",)
    ]
    for path in ("missing/below", "../outside", ".omero/x", "a:b", "/"):
        done = root.run("fs", "mkdir", path)
        assert done.returncode in (2, 5), path
        assert len([line for line in done.stderr.splitlines() if "->" not in line]) == 1
    assert not (live_server.managed.parent / "outside").exists()
    assert "a:b" not in {path.name for path in live_server.managed.iterdir()}
