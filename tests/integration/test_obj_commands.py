"""``omero obj``: the manual's examples against the reference server, as scripts use them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.profiles.store import update_profile
from tests.support.liveserver import PASSWORD, LiveServer, live_server  # noqa: F401 - a fixture
from tests.support.omero import Omero


@pytest.fixture(scope="module")
def user(live_server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Omero]:  # noqa: F811
    """Somebody who is logged in."""
    instance = live_server.runtime.instance
    instance.grid_directory.mkdir(parents=True, exist_ok=True)
    properties = {**live_server.runtime.properties, "omero.ports.ssl": str(live_server.ssl_port)}
    update_profile(instance.config_xml, {**properties, "omero.ports.tcp": str(live_server.tcp_port)})
    home = tmp_path_factory.mktemp("home")
    (home / "password").write_text(PASSWORD)
    omero = Omero(home, extra={"OMERODIR": str(instance.omerodir)})
    omero.ok("login", f"{live_server.add_user()}@localhost", "--password-file", "password")
    yield omero
    omero.run("logout")


def obj(user: Omero, *arguments: str) -> str:
    """What a command prints, without its line end."""
    return user.ok("obj", *arguments).removesuffix("\n")


def refusal(user: Omero, status: int, *arguments: str) -> str:
    """The one line of a command that fails."""
    done = user.run("obj", *arguments)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("  ->")]
    assert (done.returncode, done.stdout, len(lines)) == (status, "", 1), done
    return lines[0]


def test_containers(user: Omero) -> None:
    dataset = obj(user, "new", "Dataset", "name=NewDVSet")
    assert dataset.startswith("Dataset:")
    assert obj(user, "update", dataset, "description=A dataset for new DV images") == dataset
    assert obj(user, "get", dataset, "description") == "A dataset for new DV images"
    project = obj(user, "new", "Project", "name=NewImages")
    link = obj(user, "new", "ProjectDatasetLink", f"parent={project}", f"child={dataset}")
    assert obj(user, "list-get", project, "datasetLinks", "0") == link
    assert obj(user, "list-get", dataset, "projectLinks") == link
    assert obj(user, "get", link, "parent") == project
    assert obj(user, "new", "Screen", "name=Screen001", "description=A short description").startswith("Screen:")
    assert obj(user, "null", dataset, "description") == dataset
    assert obj(user, "get", dataset, "description") == ""


def test_annotations(user: Omero) -> None:
    dataset = obj(user, "new", "dataset", "name=a=b, c")
    assert obj(user, "get", dataset, "name") == "a=b, c"
    comment = obj(user, "new", "CommentAnnotation", "textValue=Hello World!\nö")
    link = obj(user, "new", "DatasetAnnotationLink", f"parent={dataset}", f"child={comment}")
    assert obj(user, "get", link, "child") == comment
    assert obj(user, "get", comment, "textValue") == "Hello World!\nö"
    assert "textValue=Hello World!\\nö" in obj(user, "get", comment).splitlines()
    flag = obj(user, "new", "BooleanAnnotation", "boolValue=true")
    assert obj(user, "get", flag, "boolValue") == "True"
    time = obj(user, "new", "TimestampAnnotation", "timeValue=2026-11-28T12:00:00+01:00")
    assert obj(user, "get", time, "timeValue") == "1795863600000"


def test_pairs(user: Omero) -> None:
    pairs = obj(user, "new", "MapAnnotation", "ns=openmicroscopy.org/omero/client/mapAnnotation")
    assert obj(user, "map-set", pairs, "mapValue", "colour", "green") == pairs
    obj(user, "map-set", pairs, "mapValue", "size", "")
    obj(user, "map-set", pairs, "mapValue", "colour", "red")
    assert obj(user, "map-get", pairs, "mapValue", "colour") == "red"
    assert obj(user, "get", pairs, "mapValue") == "(colour,red),(size,)"
    assert obj(user, "list-get", pairs, "mapValue", "1") == "(size,)"
    assert obj(user, "map-set", pairs, "mapValue", "size") == pairs
    assert obj(user, "list-get", pairs, "mapValue") == "(colour,red)"
    assert "has no 'size'" in refusal(user, 5, "map-get", pairs, "mapValue", "size")
    assert "there is no number 1" in refusal(user, 5, "list-get", pairs, "mapValue", "1")


def test_styles(user: Omero) -> None:
    dataset = obj(user, "new", "Dataset", "name=styled")
    lines = obj(user, "get", dataset).splitlines()
    assert lines == sorted(lines)
    assert {"name=styled", "description=", f"id={dataset[8:]}", "version=0", "details.permissions=rw----"} <= set(lines)
    document = user.json("obj", "get", dataset, "--style", "json")
    assert (document["schema"], document["fields"]) == (
        "omeroadmin/object/1",
        {"name": "styled", "description": None},
    )
    assert "name,styled" in user.ok("obj", "get", dataset, "--style", "csv")


def test_a_script_of_the_manual(user: Omero) -> None:
    script = """
        set -eu
        dataset=$(omero obj new Dataset name=dataset-1)
        project=$(omero obj new Project name=project-1)
        omero obj new ProjectDatasetLink parent=$project child=$dataset
    """
    done = subprocess.run(
        ["bash", "-c", script],
        env=user.environment, cwd=user.home, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("ProjectDatasetLink:")


def test_user_and_group(user: Omero, live_server: LiveServer) -> None:  # noqa: F811
    [(me,)] = live_server.sql("SELECT max(id) FROM experimenter")
    assert obj(user, "update", f"Experimenter:{me}", "institution=Dundee") == f"Experimenter:{me}"
    assert obj(user, "get", f"Experimenter:{me}", "institution") == "Dundee"
    assert "may not change" in refusal(user, 5, "update", "Experimenter:0", "institution=Dundee")
    assert "may not edit" in refusal(user, 5, "map-set", f"Experimenter:{me}", "config", "a", "b")
    assert obj(user, "get", "ExperimenterGroup:0", "name") == "system"


def test_what_can_not_be_meant(user: Omero, tmp_path: Path) -> None:
    dataset = obj(user, "new", "Dataset", "name=x")
    for arguments, text in (
        (("new", "Dataset", "name"), "is not FIELD=VALUE"),
        (("new", "Dataset", "name=a", "name=b"), "name is set twice"),
        (("new", "Data set", "name=a"), "is no type"),
        (("update", "Dataset", "name=a"), "is no object"),
        (("get", f"{dataset}:1"), "is no object"),
        (("list-get", dataset, "../../images"), "is no name of a property"),
        (("map-set", dataset, "a/b", "c", "d"), "is no name of a property"),
    ):
        assert text in refusal(user, 2, *arguments)
    for arguments, text in (
        (("new", "Dataset"), "required arguments: name"),
        (("new", "Dataset", "nam=a"), "a Dataset has no 'nam'; it has name, description"),
        (("new", "Nothing", "name=a"), "is not a type"),
        (("new", "ProjectDatasetLink", "parent=Project:999999", f"child={dataset}"), "there is no Project 999999"),
        (("get", "Dataset:999999"), "there is no Dataset 999999"),
        (("get", dataset, "nam"), "unknown field 'nam'"),
        (("null", dataset, "name"), "can't be without name"),
        (("list-get", dataset, "name"), "has no list 'name'"),
    ):
        assert text in refusal(user, 5, *arguments), arguments
