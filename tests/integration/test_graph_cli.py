"""``omero delete``, ``chgrp`` and ``chown`` as a user runs them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.graph import Person, joins, person
from tests.support.liveserver import PASSWORD, LiveServer, command_line, live_server  # noqa: F401 - a fixture
from tests.support.omero import Omero


@pytest.fixture
def user(live_server: LiveServer) -> Person:  # noqa: F811 - the fixture's name
    return person(live_server)


@pytest.fixture
def omero(live_server: LiveServer, user: Person, tmp_path: Path) -> Omero:  # noqa: F811
    """Logged in as the user."""
    made = command_line(live_server, tmp_path)
    made.extra["OMERO_PASSWORD"] = PASSWORD
    made.ok("login", f"{user.name}@localhost")
    return made


def exists(user: Person, table: str, object_id: int) -> bool:
    return bool(user.server.sql(f"SELECT 1 FROM {table} WHERE id = %s", object_id))


def test_off_a_terminal_a_delete_is_a_dry_run(omero: Omero, user: Person) -> None:
    dataset = user.make("Dataset")
    done = omero.run("delete", f"Dataset:{dataset}")
    assert (done.returncode, done.stdout) == (0, f"omero.cmd.Delete2 Dataset {dataset}... ok\n")
    assert "nothing was deleted: without --force" in done.stderr
    assert exists(user, "dataset", dataset)
    assert omero.run("delete", f"Dataset:{dataset}", "--dry-run").stderr == "Dry run: nothing was changed.\n"
    assert omero.run("delete", f"Dataset:{dataset}", "--dry-run", "--force").returncode == 2
    done = omero.run("delete", f"Dataset:{dataset}", "--force")
    assert (done.returncode, done.stderr) == (0, "")
    assert not exists(user, "dataset", dataset)
    done = omero.run("delete", f"Dataset:{dataset}", "--yes")
    assert done.returncode == 5
    assert done.stderr.endswith(f"there is no Dataset {dataset}\n")


def test_reports(omero: Omero, user: Person) -> None:
    project, dataset, tag = user.make("Project"), user.make("Dataset"), user.make("TagAnnotation")
    user.link("Project", project, "Dataset", dataset)
    user.link("Dataset", dataset, "Annotation", tag)
    lines = omero.ok("delete", f"Project:{project}", "--dry-run", "--report").splitlines()
    assert lines[0] == f"omero.cmd.Delete2 Project {project}... ok"
    assert [line.partition(":")[0] for line in lines[1:4]] == ["Steps", "Elapsed time", "Flags"]
    assert lines[4] == "Deleted objects"
    assert {f"  Dataset:{dataset}", f"  Project:{project}"} < set(lines[5:])
    assert lines[-2:] == ["Kept objects", f"  TagAnnotation:{tag} (kept unless it is included)"]
    kept = omero.json("delete", f"Project:{project}", "--dry-run", "--json")["plans"][0]["kept"]
    assert kept == [{"type": "TagAnnotation", "ids": str(tag), "count": 1, "reason": "kept unless it is included"}]
    document = omero.json(
        "delete", f"Project:{project}", "--include", "TagAnnotation,TermAnnotation", "--force", "--json"
    )
    assert document["schema"] == "omeroadmin/graph/1"
    assert {"type": "TagAnnotation", "ids": str(tag), "count": 1, "reason": ""} in document["plans"][0]["deleted"]
    assert not exists(user, "annotation", tag)


def test_in_order_and_below(omero: Omero, user: Person) -> None:
    project, dataset = user.make("Project"), user.make("Dataset")
    user.link("Project", project, "Dataset", dataset)
    done = omero.ok("delete", f"Project/Dataset:{project}", f"Project:{project}", "--ordered", "--force")
    assert done == f"omero.cmd.Delete2 Project/Dataset {project}... ok\nomero.cmd.Delete2 Project {project}... ok\n"
    assert not exists(user, "dataset", dataset)


@pytest.mark.parametrize(
    "arguments",
    [
        ("delete", "Image"), ("delete", "Image:"), ("delete", "Image:1,"), ("delete", "Image:-1"), ("delete", "5"),
        ("delete", "Pixels:5"), ("delete", "Image:5-3"), ("delete", "Image:1", "--include", "Nonsense"),
        ("chgrp", "User:0", "Image:1"), ("chown", "Group:0", "Image:1"), ("delete",), ("chgrp", "0"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(omero: Omero, arguments: tuple[str, ...]) -> None:
    done = omero.run(*arguments, *(["--force"] if arguments[0] == "delete" else []))
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""


def test_a_fileset_is_not_split(omero: Omero, user: Person) -> None:
    first, second = user.image("a", "b")
    done = omero.run("delete", f"Image:{first}", "--force")
    assert done.returncode == 5
    assert f"Image:{second} would stay" in done.stderr
    assert omero.ok("delete", f"Image:{first}-{second}", "--force")


def test_moves(omero: Omero, user: Person, live_server: LiveServer) -> None:  # noqa: F811
    other = person(live_server)
    project, dataset, shared = user.make("Project"), user.make("Dataset"), user.make("Dataset")
    for one in (dataset, shared):
        user.link("Project", project, "Dataset", one)
    user.link("Project", user.make("Project"), "Dataset", shared)
    name = f"group-of-{other.name}"
    done = omero.run("chgrp", name, f"Project:{project}")
    assert done.returncode == 5
    assert f"you may not move anything to group {name}" in done.stderr
    joins(live_server, user, other.group)
    done = omero.run("chgrp", name, f"Project:{project}", "--dry-run", "--report")
    assert done.returncode == 0, done.stderr
    assert f"  Dataset:{dataset}\n" in done.stdout
    assert f"  Dataset:{shared} (also in another Project)\n" in done.stdout
    for text in (str(other.group), f"Group:{other.group}", f"ExperimenterGroup:{other.group}", name):
        assert omero.ok("chgrp", text, f"Project:{project}").startswith(f"omero.cmd.Chgrp2 Project {project}... ok")
    assert live_server.sql("SELECT group_id FROM dataset WHERE id = %s", dataset) == [(other.group,)]
    assert omero.run("chgrp", "no-such-group", f"Project:{project}").returncode == 5


def test_changes_of_ownership(live_server: LiveServer, user: Person, tmp_path: Path) -> None:  # noqa: F811
    heir = person(live_server, group=f"group-of-{user.name}")
    root = command_line(live_server, tmp_path)
    root.ok("login", "root@localhost", "--password-file", "password")
    dataset, project = user.make("Dataset"), user.make("Project")
    assert root.ok("chown", heir.name, f"Dataset:{dataset}", "--report").startswith("omero.cmd.Chown2 Dataset")
    assert live_server.sql("SELECT owner_id FROM dataset WHERE id = %s", dataset) == [(heir.id,)]
    done = root.json("chown", f"User:{heir.id}", f"Experimenter:{user.id}", f"Dataset:{dataset}", "--json")
    assert {"type": "Project", "ids": str(project), "count": 1, "reason": ""} in done["plans"][0]["included"]
    assert len(done["plans"]) == 2
    stranger = person(live_server)
    warned = root.run("chown", stranger.name, f"Dataset:{dataset}", "--dry-run")
    assert f"warning: user {stranger.name} is not a member of group" in warned.stderr


def on_terminal(omero: Omero, *arguments: str, answer: str) -> tuple[int, str]:
    """Run a command on a terminal and answer its question."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "omeroadmin", *arguments],
        stdin=slave, stdout=slave, stderr=slave, env={**omero.environment, "TERM": "xterm"}, cwd=omero.home,
    )  # fmt: skip
    os.close(slave)
    shown = ""
    while True:
        try:
            shown += os.read(master, 4096).decode(errors="replace")
        except OSError:
            break
        if answer and "Go ahead?" in shown:
            os.write(master, f"{answer}\n".encode())
            answer = ""
    os.close(master)
    return process.wait(timeout=20), shown


def test_a_terminal_is_asked(omero: Omero, user: Person) -> None:
    dataset = user.make("Dataset")
    status, shown = on_terminal(omero, "delete", f"Dataset:{dataset}", answer="n")
    assert (status, f"1 Dataset: {dataset}" in shown) == (130, True), shown
    assert exists(user, "dataset", dataset)
    status, shown = on_terminal(omero, "delete", f"Dataset:{dataset}", answer="y")
    assert status == 0, shown
    assert not exists(user, "dataset", dataset)


def test_ten_thousand_objects(omero: Omero, user: Person) -> None:
    first = user.make("Dataset")
    rows = user.server.sql(
        "INSERT INTO dataset (id, name, permissions, creation_id, update_id, group_id, owner_id)"
        " SELECT ome_nextval('seq_dataset'), 'many', -120, 0, 0, %s, %s FROM generate_series(1, 10000) RETURNING id",
        user.group, user.id,
    )  # fmt: skip
    ids = sorted(row[0] for row in rows)
    document = json.loads(omero.ok("delete", f"Dataset:{first},{','.join(map(str, ids))}", "--force", "--json"))
    assert document["plans"][0]["deleted"] == [
        {"type": "Dataset", "ids": f"{first}-{ids[-1]}", "count": 10001, "reason": ""}
    ]
