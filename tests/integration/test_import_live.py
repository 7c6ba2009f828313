"""``omero import`` with its options against the reference server."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from tests.integration.test_access_live import omero, root
from tests.support.liveserver import LiveServer, live_server
from tests.support.ome import write_set
from tests.support.omero import Omero

__all__ = ["live_server", "omero", "root"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory = tmp_path / "images" / "week 1"
    directory.mkdir(parents=True)
    return directory


def picture(path: Path, seed: int) -> Path:
    import pyvips

    pyvips.Image.gaussnoise(40, 30, seed=seed).cast("uchar").write_to_file(str(path))
    return path


def image_id(output: str) -> int:
    return int(output.strip().removeprefix("Image:"))


def dataset_of(server: LiveServer, image: int) -> list[tuple[object, ...]]:
    return server.sql(
        "SELECT d.name FROM datasetimagelink l JOIN dataset d ON d.id = l.parent WHERE l.child = %s", image
    )


@pytest.mark.parametrize("transfer", ["upload_rm", "ln", "ln_s", "cp", "ln_rm", "cp_rm"])
def test_transfers(live_server: LiveServer, root: Omero, folder: Path, transfer: str) -> None:
    path = picture(folder / "a.png", 1)
    content = path.read_bytes()
    document = root.json("import", "--json", f"--transfer={transfer}", str(path))
    [done] = document["imported"]
    assert done["kept"] == []
    assert path.exists() is not transfer.endswith("_rm")
    [(stored_path, stored_name)] = live_server.sql(
        "SELECT o.path, o.name FROM filesetentry e JOIN originalfile o ON o.id = e.originalfile WHERE e.fileset = %s",
        done["fileset"],
    )
    stored = live_server.managed / stored_path / stored_name
    assert stored.read_bytes() == content
    assert stored.is_symlink() is (transfer == "ln_s")
    if transfer == "ln":
        assert stored.samefile(path)


@pytest.mark.parametrize("transfer", ["ln", "ln_rm", "cp_rm"])
def test_of_a_link_the_content_is_taken_and_at_most_the_link_is_removed(
    live_server: LiveServer, root: Omero, folder: Path, transfer: str
) -> None:
    real = picture(folder / f"real-{transfer}.png", 3)
    link = folder / f"link-{transfer}.png"
    link.symlink_to(real.name)
    document = root.json("import", "--json", f"--transfer={transfer}", str(link))
    assert len(document["imported"]) == 1, document
    [stored] = live_server.managed.rglob(link.name)
    assert not stored.is_symlink()
    assert stored.samefile(real) is (transfer != "cp_rm")
    assert real.exists()
    assert link.is_symlink() is (transfer == "ln")


def test_a_source_stays_when_its_import_fails(live_server: LiveServer, root: Omero, folder: Path) -> None:
    broken = folder / "broken.png"
    broken.write_bytes(picture(folder / "a.png", 2).read_bytes()[:100])
    for transfer in ("upload_rm", "ln_rm", "cp_rm", "ln_s"):
        done = root.run("import", f"--transfer={transfer}", str(broken))
        assert (done.returncode, done.stdout) == (5, "")
        assert broken.exists()
    assert not list(live_server.managed.rglob("broken.png"))
    assert not [path for path in live_server.managed.rglob("*") if path.is_symlink() and not path.exists()]


def test_where_the_repository_can_not_be_written_the_system_decides(
    live_server: LiveServer, root: Omero, folder: Path
) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    path = picture(folder / "a.png", 3)
    unreadable = picture(folder / "b.png", 4)
    unreadable.chmod(0)
    done = root.run("import", "--transfer=cp", str(path), str(unreadable))
    assert (done.returncode, done.stdout.count("Image:")) == (5, 1)
    assert f"omero: {unreadable}: can't be read: Permission denied" in done.stderr


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("Dataset:name:cells", "cells"),
        ("Project:name:P/Dataset:@name:in P", "in P"),
        ("regex:.*/(?<Container1>[^/]*)", "week 1"),
    ],
)
def test_targets(live_server: LiveServer, root: Omero, folder: Path, target: str, name: str) -> None:
    image = image_id(root.ok("import", "-T", target, str(picture(folder / "a.png", 5))))
    assert dataset_of(live_server, image) == [(name,)]
    [(dataset,)] = live_server.sql("SELECT parent FROM datasetimagelink WHERE child = %s", image)
    for option in (("-d", str(dataset)), ("-T", f"Dataset:id:{dataset}"), ("--target", f"Dataset:{dataset}")):
        again = image_id(root.ok("import", *option, str(folder / "a.png")))
        assert live_server.sql("SELECT parent FROM datasetimagelink WHERE child = %s", again) == [(dataset,)]


def test_a_wrong_target_stops_before_anything_is_sent(live_server: LiveServer, root: Omero, folder: Path) -> None:
    path = picture(folder / "a.png", 6)
    before = live_server.sql("SELECT count(*) FROM image")
    for option, status in ((("-d", "999999"), 5), (("-T", "Image:1"), 2), (("-d", "1", "-r", "2"), 2)):
        done = root.run("import", *option, str(path))
        lines = [line for line in done.stderr.splitlines() if not line.startswith("  ->")]
        assert (done.returncode, len(lines)) == (status, 1), done.stderr
    done = root.run("import", "-r", "999999", str(path))
    assert done.returncode == 5
    assert live_server.sql("SELECT count(*) FROM image") == before


def test_a_plate_goes_to_a_screen(live_server: LiveServer, root: Omero, folder: Path) -> None:
    [path] = write_set(folder, ("a.ome.tif",), plate="p1")
    lines = root.ok("import", "-T", "Screen:name:screening", str(path)).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["Image", "Plate"]
    plate = int(lines[1].removeprefix("Plate:"))
    assert live_server.sql(
        "SELECT s.name FROM screenplatelink l JOIN screen s ON s.id = l.parent WHERE l.child = %s", plate
    ) == [("screening",)]


def test_several_files_of_an_image(live_server: LiveServer, root: Omero, folder: Path) -> None:
    files = write_set(folder, ("a.ome.tif", "b.ome.tif", "c.ome.tif"))
    listed = root.ok("import", "-f", str(folder)).splitlines()
    assert [line for line in listed if not line.startswith("#")] == [str(path) for path in files]
    assert sum(line.startswith("# Group:") for line in listed) == 1
    document = root.json("import", "--json", "--parallel-upload", "3", str(folder))
    [done] = document["imported"]
    assert [file["path"] for file in done["files"]] == [str(path) for path in files]
    assert len(done["images"]) == 1
    skipped = root.run("import", "--exclude", "clientpath", str(folder))
    assert "1 skipped" in skipped.stderr


def test_outputs(root: Omero, folder: Path, tmp_path: Path) -> None:
    path = str(picture(folder / "a.png", 7))
    legacy = root.run("import", "--output", "legacy", path)
    assert legacy.stdout.strip().isdigit()
    assert "Fileset:" in legacy.stderr
    [described] = yaml.safe_load(root.ok("import", "--output=yaml", path))
    assert set(described) == {"Fileset", "Image"}
    assert json.loads(root.ok("import", "--output", "json", path))["schema"] == "omeroadmin/import/1"
    done = root.run("import", "--file", "out", "--errs", "err", "--logprefix", str(tmp_path / "logs") + "/", path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "logs" / "out").read_text().startswith("Image:")
    assert "1 image imported" in (tmp_path / "logs" / "err").read_text()


def test_names_descriptions_and_comments(live_server: LiveServer, root: Omero, folder: Path) -> None:
    path = str(picture(folder / "a.png", 8))
    image = image_id(
        root.ok("import", path, "-n", "control image1", "-x", "PBS control", "--annotation-ns", "lab",
                "--annotation-text", "checked")
    )  # fmt: skip
    assert live_server.sql("SELECT name, description FROM image WHERE id = %s", image) == [
        ("control image1", "PBS control")
    ]
    assert live_server.sql(
        "SELECT a.ns, a.textvalue FROM imageannotationlink l JOIN annotation a ON a.id = l.child WHERE l.parent = %s",
        image,
    ) == [("lab", "checked")]
    image = image_id(root.ok("import", path, "--", "--name=test", "--description=TestDescription"))
    assert live_server.sql("SELECT name, description FROM image WHERE id = %s", image) == [("test", "TestDescription")]


def test_annotations_of_the_server_are_linked(live_server: LiveServer, root: Omero, folder: Path) -> None:
    path = picture(folder / "a.png", 10)
    one, two = (root.ok("obj", "new", "TagAnnotation", f"textValue={word}").strip()[14:] for word in ("one", "two"))
    linked = "SELECT child FROM imageannotationlink WHERE parent = %s ORDER BY child"
    image = image_id(root.ok("import", "--annotation-link", one, "--annotation_link", two, str(path)))
    assert live_server.sql(linked, image) == [(int(one),), (int(two),)]
    (folder / "list.tsv").write_text(f"{two}\t{path}\n")
    (folder / "bulk.yml").write_text(f"path: list.tsv\ncolumns: [annotation_link, path]\nannotation_link: [{one}]\n")
    image = image_id(root.ok("import", "--bulk", str(folder / "bulk.yml")))
    assert live_server.sql(linked, image) == [(int(one),), (int(two),)]
    before = live_server.sql("SELECT count(*) FROM image")
    for word, status in (("999999", 5), ("x", 2), ("-1", 2), ("9" * 30, 2), ("", 2)):
        done = root.run("import", "--annotation-link", one, f"--annotation-link={word}", str(path))
        lines = [line for line in done.stderr.splitlines() if not line.startswith("  ->")]
        assert (done.returncode, len(lines)) == (status, 1), done.stderr
    assert live_server.sql("SELECT count(*) FROM image") == before


def test_checksums_and_steps_left_out(root: Omero, folder: Path) -> None:
    path = str(picture(folder / "a.png", 9))
    for option, hasher in (
        (("--checksum-algorithm", "MD5-128"), "MD5-128"),
        (("--skip", "checksum", "--skip", "minmax"), "File-Size-64"),
        (("--skip", "all"), "File-Size-64"),
        (("--skip", "upgrade"), "SHA1-160"),
        (("--skip", "all", "--transfer=ln_s"), "File-Size-64"),
    ):
        assert root.json("import", "--json", *option, path)["imported"][0]["hasher"] == hasher
    assert root.run("import", "--checksum-algorithm", "ROT-13", path).returncode == 2


def test_bulk(live_server: LiveServer, root: Omero, folder: Path) -> None:
    for number in range(3):
        picture(folder / f"file{number}.png", 10 + number)
    (folder / "files.tsv").write_text(
        "Dataset:name:training-set\tone\tfile0.png\nDataset:name:training-set\ttwo\tfile1.png\n"
        "Dataset:name:test-set\tthree\tfile2.png\n"
    )
    bulk = folder / "bulk.yml"
    bulk.write_text("path: files.tsv\ncolumns: [target, name, path]\ntransfer: ln_s\nparallel_fileset: 2\n")
    document = root.json("import", "--json", "--bulk", str(bulk))
    images = {done["path"].rpartition("/")[2]: done["images"][0]["id"] for done in document["imported"]}
    assert [dataset_of(live_server, images[f"file{number}.png"]) for number in range(3)] == [
        [("training-set",)], [("training-set",)], [("test-set",)],
    ]  # fmt: skip
    (folder / "file1.png").rename(folder / "elsewhere.png")
    done = root.run("import", "--bulk", str(bulk))
    assert (done.returncode, done.stdout.count("Image:")) == (5, 2)
    assert "file1.png: no such file or folder" in done.stderr
    bulk.write_text(bulk.read_text() + "dry_run: true\n")
    before = live_server.sql("SELECT count(*) FROM image")
    shown = root.ok("import", "--bulk", str(bulk)).splitlines()
    assert len(shown) == 3
    assert shown[0].startswith("omero import --transfer=ln_s ")
    assert live_server.sql("SELECT count(*) FROM image") == before
    assert root.run("import", "--bulk", str(bulk), str(folder)).returncode == 2


def test_what_fails_may_stop_the_rest(root: Omero, folder: Path) -> None:
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    for number in range(3):
        picture(folder / f"b{number}.png", 20 + number)
    done = root.run("import", "--no-continue", str(folder))
    assert (done.returncode, done.stdout) == (5, "")
    assert "3 files not tried" in done.stderr
    done = root.run("import", "-c", "--parallel-fileset", "4", str(folder))
    assert (done.returncode, done.stdout.count("Image:")) == (5, 3)


def test_paths_from_stdin_and_by_name(root: Omero, folder: Path) -> None:
    path = picture(folder / "only-once.png", 30)
    done = root.run("import", "-", input_text=f"{path}\n")
    assert done.stdout.startswith("Image:"), done.stderr
    copy = folder / "copy"
    copy.mkdir()
    path.rename(copy / path.name)
    done = root.run("import", "--exclude", "filename", str(copy))
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 skipped" in done.stderr
    assert root.run("import", "--exclude", "clientpath", str(copy)).stdout.startswith("Image:")
    assert root.run("import").returncode == 2
