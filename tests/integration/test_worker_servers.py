"""Indexer, PixelData, DropBox, Processor and Tables as real processes around a real Blitz."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pyvips

from omeroadmin.repository import layout
from omeroadmin.repository.layout import plan_data_directories, plan_scripts
from omeroadmin.resources import templates_directory
from omeroadmin.runtime.kernel.client import local_request
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.clock import wait_until
from omeroadmin.system.local import LocalHost
from tests.support.liveserver import Api, LiveServer, live
from tests.support.runtime import Server
from tests.support.samples import sample_images  # noqa: F401 - a fixture

WORKERS = (
    ("Indexer", "Indexer-0"),
    ("PixelData", "PixelData-0"),
    ("FileServer", "FileServer"),
    ("MonitorServer", "MonitorServer"),
    ("DropBox", "DropBox"),
    ("Processor", "Processor-0"),
    ("Tables", "Tables-0"),
)
SCRIPTS = {
    "sleep.py": "import time; print('going to sleep', flush=True); time.sleep(60)",
    "fail.py": "import sys; print('before'); sys.exit('nothing works')",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """All servers but OMERO.Glacier2."""
    with live(tmp_path_factory.mktemp("workers")) as made:
        prepare(made)
        started = [made.runtime.start("IceStorm", "OMERO.IceStorm", wait=False)]
        started.append(made.runtime.start("Blitz", "Blitz-0", "-Xmx512m", wait=False))
        started += [made.runtime.start(kind, server_id, wait=False) for kind, server_id in WORKERS]
        for process in started:
            process.wait_ready()
        yield made


def prepare(made: LiveServer) -> None:
    """What an installation does."""
    host = LocalHost()
    settings = made.database.settings
    apply_plan(plan_data_directories(settings, layout.inspect_data_directories(settings, host)), host)
    scripts = made.runtime.instance.scripts_directory
    apply_plan(plan_scripts(scripts, templates_directory() / "scripts", host), host)
    for name, text in SCRIPTS.items():
        (scripts / "omero" / name).write_text(text)


@pytest.fixture
def api(server: LiveServer) -> Api:
    """Root's session."""
    return server.local().login()


def process_of(server: LiveServer, server_id: str) -> Server:
    """The latest process of a server."""
    return next(process for process in reversed(server.runtime.servers) if process.server_id == server_id)


def import_file(api: Api, path: Path, name: str | None = None) -> int:
    """Import a file and give the id of its first image."""
    done = api.import_files((name or str(path), path.read_bytes()))
    assert done.status == 201, done
    return int(done.document["images"][0]["id"])


def found_names(api: Api, query: str) -> list[str]:
    """Names that a search gives."""
    answer = api.call("GET", f"/search?query={query}&limit=50")
    assert answer.status == 200, answer
    return [hit["name"] for hit in answer.document["hits"]]


def run_job(server: LiveServer, api: Api, script: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Run a script to its end."""
    scripts = {entry["path"]: entry["id"] for entry in api.call("GET", "/scripts").document["scripts"]}
    submitted = api.call("POST", f"/scripts/{scripts[script]}/jobs", {"inputs": inputs})
    assert submitted.status == 202, submitted
    job: dict[str, Any] = {}

    def ended() -> bool:
        job.update(api.call("GET", f"/jobs/{submitted.document['job_id']}").document)
        return job["status"] not in ("Submitted", "Running")

    assert wait_until(ended, timeout=30), (job, process_of(server, "Processor-0").tail())
    return job


def test_an_imported_file_is_found_by_parts_of_its_name(server: LiveServer, api: Api, sample_images: Path) -> None:  # noqa: F811
    import_file(api, sample_images / "flower_garden.tif")
    assert wait_until(lambda: "flower_garden.tif" in found_names(api, "flower"), timeout=10)
    for query in ("garden", "flow", "GARDEN+flower", "ower", "tif"):
        assert "flower_garden.tif" in found_names(api, query), query
    assert found_names(api, "cactus") == []
    assert "INDEXED " in process_of(server, "Indexer-0").log.read_text()


def test_descriptions_are_searched(api: Api, sample_images: Path) -> None:  # noqa: F811
    import_file(api, sample_images / "zebrafish_embryo.ome.tif")
    assert wait_until(lambda: "zebrafish_embryo.ome.tif" in found_names(api, "nuclei"), timeout=10)


def test_others_images_are_not_found(server: LiveServer, api: Api, sample_images: Path) -> None:  # noqa: F811
    import_file(api, sample_images / "maple_leaf.png", "/x/private_maple.png")
    assert wait_until(lambda: "private_maple.png" in found_names(api, "private"), timeout=10)
    stranger = server.local().login(server.add_user(), "a user's password")
    assert found_names(stranger, "private") == []


def test_a_killed_indexer_misses_nothing_and_repeats_nothing(server: LiveServer, api: Api, sample_images: Path) -> None:  # noqa: F811
    process_of(server, "Indexer-0").kill()
    names = [f"killed{number}_leaf.png" for number in range(3)]
    for name in names:
        import_file(api, sample_images / "maple_leaf.png", f"/x/{name}")
    server.runtime.start("Indexer", "Indexer-0")
    assert wait_until(lambda: sorted(found_names(api, "killed")) == names, timeout=15), found_names(api, "killed")
    before = indexed_to(api)
    # A position that was not stored means that rows are dealt with again.
    process_of(server, "Indexer-0").kill()
    server.sql("UPDATE configuration SET value = '0' WHERE name = 'PersistentEventLogLoader.v2.current_id'")
    server.runtime.start("Indexer", "Indexer-0")
    assert wait_until(lambda: indexed_to(api) >= before, timeout=15)
    assert sorted(found_names(api, "killed")) == names


def indexed_to(api: Api) -> int:
    """How far the index is."""
    return int(api.call("GET", "/search?query=x").document["indexed_to"])


def test_an_index_that_was_wiped_is_made_anew(server: LiveServer, api: Api, sample_images: Path) -> None:  # noqa: F811
    import_file(api, sample_images / "maple_leaf.png", "/x/wiped.png")
    assert wait_until(lambda: "wiped.png" in found_names(api, "wiped"), timeout=10)
    assert process_of(server, "Indexer-0").stop() == 0
    for path in (server.data / "FullText").iterdir():
        path.unlink()
    server.runtime.start("Indexer", "Indexer-0")
    assert wait_until(lambda: "wiped.png" in found_names(api, "wiped"), timeout=15)


def test_thumbnail_and_extremes_come_with_the_import(server: LiveServer, api: Api, sample_images: Path) -> None:  # noqa: F811
    image = import_file(api, sample_images / "zebrafish_embryo.ome.tif", "/x/thumb.ome.tif")
    thumbnail = f"/images/{image}/thumbnail?size=96"
    assert wait_until(lambda: api.call("GET", thumbnail).status == 200, timeout=20), server.runtime.servers[3].tail()
    answer = api.call("GET", thumbnail)
    assert answer.headers["content-type"] == "image/jpeg"
    picture = pyvips.Image.new_from_buffer(answer.content, "")
    assert (picture.width, picture.height) == (96, 72)
    extremes = server.sql(
        "SELECT s.globalmin, s.globalmax FROM channel c JOIN statsinfo s ON s.id = c.statsinfo"
        " JOIN pixels p ON p.id = c.pixels WHERE p.image = %s ORDER BY c.pixels_index",
        image,
    )
    assert len(extremes) == 3
    assert all(low < high for low, high in extremes)
    rows = server.sql("SELECT t.id FROM thumbnail t JOIN pixels p ON p.id = t.pixels WHERE p.image = %s", image)
    assert layout.thumbnail_path(server.data, rows[0][0]).is_file()


def test_a_large_image_gets_a_pyramid(server: LiveServer, api: Api, sample_images: Path) -> None:  # noqa: F811
    image = import_file(api, sample_images / "tissue_slide.tif")
    ((pixels,),) = server.sql("SELECT id FROM pixels WHERE image = %s", image)
    pyramid = layout.pyramid_path(server.data, pixels)
    assert wait_until(pyramid.exists, timeout=60), process_of(server, "PixelData-0").tail()
    assert pyramid.stat().st_size > 100_000


def test_a_picture_that_vanished_is_left_and_the_next_is_done(
    server: LiveServer,
    api: Api,
    sample_images: Path,  # noqa: F811
) -> None:
    pixel_data = process_of(server, "PixelData-0")
    pixel_data.stop()
    gone = import_file(api, sample_images / "sunset_harbour.jpg", "/x/gone.jpg")
    good = import_file(api, sample_images / "sunset_harbour.jpg", "/x/good.jpg")
    ((path, name),) = server.sql("SELECT path, name FROM pixels WHERE image = %s", gone)
    (server.managed / path / name).write_bytes(b"rotten")
    server.runtime.start("PixelData", "PixelData-0")
    assert wait_until(lambda: api.call("GET", f"/images/{good}/thumbnail").status == 200, timeout=20)
    assert api.call("GET", f"/images/{gone}/thumbnail").code == "thumbnail-missing"
    assert "is left as it is: gone.jpg is not an image" in process_of(server, "PixelData-0").log.read_text()


def test_pixeldata_waits_for_blitz(server: LiveServer, api: Api, sample_images: Path) -> None:  # noqa: F811
    process_of(server, "PixelData-0").stop()
    image = import_file(api, sample_images / "sunset_harbour.jpg", "/x/later.jpg")
    process_of(server, "Blitz-0").stop()
    pixel_data = server.runtime.start("PixelData", "PixelData-0", wait=False)
    assert wait_until(lambda: "no Blitz answers" in pixel_data.tail(), timeout=20)
    server.runtime.start("Blitz", "Blitz-0", "-Xmx512m")
    again = server.local().login()
    assert wait_until(lambda: again.call("GET", f"/images/{image}/thumbnail").status == 200, timeout=20)


def drop(server: LiveServer, source: Path, user: str, name: str) -> Path:
    """Copy a file into a user's folder."""
    target = server.data / "DropBox" / user / name
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(source.read_bytes())
    return target


def count_images(server: LiveServer, name: str) -> int:
    """Images of this name."""
    return int(server.sql("SELECT count(*) FROM image WHERE name = %s", name)[0][0])


def test_a_dropped_file_is_imported_once_as_its_user(server: LiveServer, sample_images: Path) -> None:  # noqa: F811
    user = server.add_user()
    name = f"dropped_{secrets.token_hex(3)}.png"
    drop(server, sample_images / "maple_leaf.png", user, name)
    assert wait_until(lambda: count_images(server, name) == 1, timeout=20), process_of(server, "DropBox").tail()
    ((owner,),) = server.sql(
        "SELECT e.omename FROM image i JOIN experimenter e ON e.id = i.owner_id WHERE i.name = %s", name
    )
    assert owner == user
    # Neither a restart, nor a lost memory, nor a MonitorServer that tells of everything again makes a second one.
    assert process_of(server, "DropBox").stop() == 0
    second = f"second_{secrets.token_hex(3)}.png"
    drop(server, sample_images / "maple_leaf.png", user, second)
    (server.data / "DropBox" / ".imported" / "files.jsonl").unlink()
    server.runtime.start("DropBox", "DropBox")
    assert wait_until(lambda: count_images(server, second) == 1, timeout=20), process_of(server, "DropBox").tail()
    assert count_images(server, name) == 1
    assert "is imported already" in process_of(server, "DropBox").log.read_text()


def test_what_cannot_be_imported_is_told_once(server: LiveServer, sample_images: Path) -> None:  # noqa: F811
    junk = drop(server, sample_images / "maple_leaf.png", "root", "junk.png")
    junk.write_bytes(b"no image at all")
    drop(server, sample_images / "maple_leaf.png", "nobody-of-this-name", "lost.png")
    log = process_of(server, "DropBox").log
    assert wait_until(lambda: "junk.png is not imported" in log.read_text(), timeout=20), log.read_text()
    assert wait_until(lambda: "lost.png is not imported" in log.read_text(), timeout=20), log.read_text()
    process_of(server, "DropBox").stop()
    server.runtime.start("DropBox", "DropBox")
    better = drop(server, sample_images / "maple_leaf.png", "root", "after_junk.png")
    assert wait_until(lambda: count_images(server, better.name) == 1, timeout=20)
    assert log.read_text().count("junk.png is not imported") == 1
    junk.write_bytes((sample_images / "maple_leaf.png").read_bytes())
    assert wait_until(lambda: count_images(server, "junk.png") == 1, timeout=20), log.read_text()


def test_testdropbox_imports_from_its_own_folder(server: LiveServer, sample_images: Path) -> None:  # noqa: F811
    properties = {"omero.fstest.srcFile": str(sample_images / "sunset_harbour.jpg"), "omero.dropbox.settle": "0"}
    before = count_images(server, "sunset_harbour.jpg")
    process = server.runtime.start("TestDropBox", "TestDropBox", properties=properties)
    assert wait_until(lambda: count_images(server, "sunset_harbour.jpg") == before + 1, timeout=20), process.tail()
    health = process.health()
    assert health is not None
    folder = Path(health["detail"]["folder"])
    assert process.stop() == 0
    assert not folder.exists()


def test_testdropbox_names_a_missing_file(server: LiveServer) -> None:
    process = server.runtime.start(
        "TestDropBox", "TestDropBox", properties={"omero.fstest.srcFile": "/none.tif"}, wait=False
    )
    assert process.process.wait(20) == 78
    assert "/none.tif, which is no file" in process.failure


def test_scripts_run_and_answer(server: LiveServer, api: Api, sample_images: Path) -> None:  # noqa: F811
    job = run_job(server, api, "/omero/ping.py", {"word": "hé", "n": 3})
    assert (job["status"], job["message"]) == ("Finished", "pong")
    assert job["outputs"]["inputs"] == {"word": "hé", "n": 3}
    assert job["stdout"].startswith("ping from Python")
    import_file(api, sample_images / "maple_leaf.png", "/x/counted.png")
    job = run_job(server, api, "/omero/count_images.py", {})
    assert job["status"] == "Finished", job
    assert job["outputs"]["total"] == server.sql("SELECT count(*) FROM image")[0][0]


def test_a_failing_script_says_why(server: LiveServer, api: Api) -> None:
    job = run_job(server, api, "/omero/fail.py", {})
    assert (job["status"], job["stdout"]) == ("Error", "before\n")
    assert job["message"] == "Script ended with status 1: nothing works"


def test_a_script_ends_with_processor(server: LiveServer, api: Api) -> None:
    scripts = {entry["path"]: entry["id"] for entry in api.call("GET", "/scripts").document["scripts"]}
    job_id = api.call("POST", f"/scripts/{scripts['/omero/sleep.py']}/jobs", {"inputs": {}}).document["job_id"]
    assert wait_until(lambda: api.call("GET", f"/jobs/{job_id}").document["status"] == "Running", timeout=10)
    assert wait_until(lambda: sleepers(server) == 1, timeout=10)
    process_of(server, "Processor-0").kill()
    assert wait_until(lambda: sleepers(server) == 0, timeout=10)
    server.runtime.start("Processor", "Processor-0")
    assert wait_until(lambda: api.call("GET", f"/jobs/{job_id}").document["status"] == "Error", timeout=10)
    job_id = api.call("POST", f"/scripts/{scripts['/omero/sleep.py']}/jobs", {"inputs": {}}).document["job_id"]
    assert wait_until(lambda: sleepers(server) == 1, timeout=10)
    assert process_of(server, "Processor-0").stop() == 0
    assert sleepers(server) == 0
    assert api.call("GET", f"/jobs/{job_id}").document["status"] == "Cancelled"
    server.runtime.start("Processor", "Processor-0")


def sleepers(server: LiveServer) -> int:
    """Running copies of the sleeping script of this instance."""
    script = os.fsencode(server.runtime.instance.scripts_directory / "omero" / "sleep.py")
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            count += len(words) > 2 and words[2] == script
    return count


def test_tables_are_kept(server: LiveServer, api: Api) -> None:
    table = {"columns": [{"name": "n", "type": "long"}, {"name": "s", "type": "string"}], "rows": [[1, "a"], [2, "é"]]}
    made = api.call("POST", "/tables", table)
    assert made.status == 201, made
    table_id = made.document["id"]
    read = api.call("GET", f"/tables/{table_id}").document
    assert (read["columns"], read["rows"]) == (table["columns"], table["rows"])
    assert layout.original_file_path(server.data, table_id).is_file()
    socket = server.runtime.instance.run_directory / "Tables-0.sock"
    assert local_request(socket, "POST", f"/tables/{table_id}/rows", {"rows": [[3, "c"]]}, timeout=10)[0] == 200
    assert api.call("GET", f"/tables/{table_id}").document["rows"][-1] == [3, "c"]


def test_all_servers_stop_when_asked(server: LiveServer) -> None:
    for kind, server_id in WORKERS:
        process = process_of(server, server_id)
        assert process.stop() == 0, (kind, process.tail())
        server.runtime.start(kind, server_id, wait=False)
    for _, server_id in WORKERS:
        process_of(server, server_id).wait_ready()
