"""The commands that talk to a server, as processes: statuses, messages, files, and no secrets anywhere."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.system.clock import monotonic
from tests.support.access import PASSWORD, Handler, Server, write_certificate
from tests.support.omero import Omero
from tests.support.ports import free_port


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture
def server(certificate: tuple[Path, Path]) -> Iterator[Server]:
    with Server(certificate) as running:
        yield running


@pytest.fixture
def omero(tmp_path: Path, certificate: tuple[Path, Path]) -> Omero:
    """The command line of a user who has no instance."""
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    return Omero(tmp_path, extra={"OMERO_CA_FILE": str(certificate[0]), "OMERODIR": ""})


@pytest.fixture
def user(omero: Omero, server: Server) -> Omero:
    """The same, logged in."""
    omero.ok("login", f"root@localhost:{server.port}", "--password-file", str(omero.home / "password"))
    return omero


@pytest.fixture
def images(tmp_path: Path) -> Path:
    directory = tmp_path / "images"
    directory.mkdir()
    for number in range(3):
        (directory / f"cell {number}.tif").write_bytes(b"II*\0" + os.urandom(996 + number))
    return directory


def keys(omero: Omero) -> list[str]:
    """Keys in the store."""
    return [
        path.name for path in (omero.home / "omero" / "sessions").rglob("*") if re.fullmatch("[0-9a-f-]{36}", path.name)
    ]


def test_login_says_what_omero_says(omero: Omero, server: Server) -> None:
    where = f"root@localhost:{server.port}"
    done = omero.run("login", where, "--password-file", "password")
    line = f"session for {where}. Idle timeout: 10 min. Current group: system\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"Created {line}")
    assert len(keys(omero)) == 1
    assert omero.run("login", where).stderr == f"Using {line}"
    assert omero.run("login").stderr == f"Using {line}"
    done = omero.run("login", "-C", "-q", where, environment={"OMERO_PASSWORD": PASSWORD})
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert len(keys(omero)) == 2


@pytest.mark.parametrize("way", ["stdin", "environment", "option"])
def test_ways_to_give_the_password(omero: Omero, server: Server, way: str) -> None:
    arguments = {"stdin": ["--password-file", "-"], "environment": [], "option": ["-w", PASSWORD]}[way]
    done = omero.run(
        "login", "-s", "localhost", "-p", str(server.port), "-u", "root", *arguments,
        input_text=f"{PASSWORD}\n" if way == "stdin" else "",
        environment={"OMERO_PASSWORD": PASSWORD} if way == "environment" else {},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_joining_by_key_on_both_ports(omero: Omero, server: Server) -> None:
    key = str(uuid.uuid4())
    server.state.sessions[key] = "user-1"
    done = omero.run("login", f"localhost:{server.port}", "-k", "-", input_text=f"{key}\n")
    assert done.stderr.startswith(f"Joined session for user-1@localhost:{server.port}.")
    assert key not in done.stderr
    with Server(None) as plain:
        plain.state.sessions[key] = "user-2"
        done = omero.run("login", f"tcp://localhost:{plain.port}", "-k", key)
        assert done.stderr.startswith(f"Joined session for user-2@tcp://localhost:{plain.port}.")
        assert "user-2" in omero.ok("sessions", "who")
    assert len(omero.json("sessions", "list", "--style", "json")["sessions"]) == 2


@pytest.mark.parametrize(
    ("arguments", "environment", "status", "message"),
    [
        (["root@localhost:{port}"], {"OMERO_PASSWORD": "wrong"}, 3, "wrong user name or password: root"),
        (["root@localhost:{port}"], {}, 3, "no password for root@localhost:{port}, and no terminal to ask at"),
        (["root@tcp://localhost:{port}"], {"OMERO_PASSWORD": "x"}, 3, "a password is sent with TLS only"),
        (["root@127.0.0.1:{port}"], {"OMERO_PASSWORD": "x"}, 4, "is not trusted"),
        (["root@localhost:{port}"], {"OMERO_PASSWORD": "x", "OMERO_CA_FILE": ""}, 4, "self-signed certificate"),
        (["root@localhost:{port}"], {"OMERO_PASSWORD": "x", "OMERO_CA_FILE": "/gone"}, 3, "/gone can't be read"),
        (["root@localhost:{free}"], {"OMERO_PASSWORD": "x"}, 4, "localhost:{free} can't be reached"),
        (["root@localhost:{port}", "-u", "other"], {}, 2, "says root and an option says other"),
        (["root@localhost", "-s", "elsewhere"], {}, 2, "two servers are named"),
        (["http://localhost"], {}, 2, "does not name a server"),
        (["localhost", "-p", "0"], {}, 2, "0 is not a port number"),
        (["localhost:{port}", "-k", "../../x"], {}, 2, "that is not a session key"),
        (["localhost:{port}", "-k", "-"], {}, 2, "stdin has no key"),
        (["localhost:{port}", "-k", "00000000-0000-0000-0000-000000000000"], {}, 3, "has expired"),
        (["root@localhost:{port}", "--password-file", "/gone"], {}, 3, "/gone can't be read"),
    ],
)
def test_failed_logins_are_one_line(
    omero: Omero, server: Server, arguments: list[str], environment: dict[str, str], status: int, message: str
) -> None:
    values = {"port": server.port, "free": free_port()}
    done = omero.run("login", *(word.format(**values) for word in arguments), environment=environment)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("  ->")]
    assert (done.returncode, done.stdout, len(lines)) == (status, "", 1), done.stderr
    assert message.format(**values) in lines[0]
    assert keys(omero) == []


def test_without_a_session(omero: Omero) -> None:
    for command in (("fs", "images"), ("search", "x"), ("sessions", "who"), ("import", "password")):
        done = omero.run(*command)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr == (
            "omero: there is no session to use, and no password was given\n  -> log in first: omero login\n"
        )
    done = omero.run("logout")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "There is no session to log out of.\n")
    assert omero.json("sessions", "list", "--style", "json")["sessions"] == []


def test_a_key_is_used_without_being_stored(omero: Omero, server: Server) -> None:
    key = str(uuid.uuid4())
    server.state.sessions[key] = "user-1"
    done = omero.run("fs", "repos", "-s", f"localhost:{server.port}", "-k", "-", input_text=f"{key}\n")
    assert done.returncode == 0, done.stderr
    assert keys(omero) == []


def test_a_server_that_is_away_costs_no_session(user: Omero, server: Server) -> None:
    server.shutdown()
    server.server_close()
    assert user.run("fs", "repos").returncode == 4
    assert len(keys(user)) == 1


def test_an_expired_session_is_said_and_forgotten(user: Omero, server: Server) -> None:
    server.state.sessions.clear()
    done = user.run("fs", "images")
    where = f"localhost:{server.port}"
    assert done.returncode == 3
    assert done.stderr == (f"omero: the session on {where} has expired\n  -> log in again: omero login {where}\n")
    assert keys(user) == []


def test_an_expired_session_is_replaced_where_a_password_is_at_hand(user: Omero, server: Server) -> None:
    server.state.sessions.clear()
    done = user.run("sessions", "who", "--style", "csv", environment={"OMERO_PASSWORD": PASSWORD})
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("7,root,system,OMERO.cli,127.0.0.1,2023-11-14T22:13:20Z,")
    assert len(keys(user)) == 1


def test_logout_closes_the_session_on_the_server(user: Omero, server: Server) -> None:
    done = user.run("logout")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"Logged out: root@localhost:{server.port}\n"
    assert server.state.sessions == {}
    assert keys(user) == []


def test_logout_keeps_what_it_could_not_close(user: Omero, server: Server) -> None:
    server.shutdown()
    server.server_close()
    assert user.run("logout").returncode == 4
    assert len(keys(user)) == 1
    states = user.json("sessions", "list", "--style", "json")["sessions"]
    assert [state["active"] for state in states] == ["Server unreachable"]


def test_sessions_list_tells_their_states(user: Omero, server: Server) -> None:
    where = f"root@localhost:{server.port}"
    dead = keys(user)[0]
    for name in ("user-1", "root"):
        user.ok("login", f"{name}@{where.partition('@')[2]}", "-C", "--password-file", "password")
    del server.state.sessions[dead]
    states = user.json("sessions", "list", "--style", "json")["sessions"]
    assert sorted((state["user"], state["active"]) for state in states) == [
        ("root", "Expired"),
        ("root", "Logged in"),
        ("user-1", "True"),
    ]
    assert dead not in keys(user)
    assert user.ok("fs", "images", "-u", "user-1")
    assert user.run("fs", "images", "-u", "user-2").returncode == 3


def test_import_prints_images_and_can_be_repeated(user: Omero, server: Server, images: Path) -> None:
    done = user.run("import", str(images))
    assert (done.returncode, done.stdout) == (0, "Image:1\nImage:2\nImage:3\n"), done.stderr
    assert re.fullmatch(
        r"3 files uploaded, 3 filesets created, 3 images imported, 0 skipped, 0 errors in 0:00:\d\d(\.\d+)?\n",
        done.stderr,
    )
    assert sorted(server.state.content.values()) == sorted(path.read_bytes() for path in images.iterdir())
    (images / "new.tif").write_bytes(b"II*\0new")
    done = user.run("import", "--exclude", "clientpath", "--json", str(images))
    document = json.loads(done.stdout)
    assert document["schema"] == "omeroadmin/import/1"
    assert [entry["path"] for entry in document["imported"]] == [str(images / "new.tif")]
    assert document["imported"][0]["images"] == [{"id": 4, "name": "new.tif", "pixels_id": None}]
    assert len(document["skipped"]) == 3
    done = user.run("import", "--exclude", "clientpath", str(images))
    assert (done.returncode, done.stdout) == (0, "")
    assert "0 files uploaded" in done.stderr
    assert "4 skipped" in done.stderr


def test_one_bad_file_does_not_stop_the_others(user: Omero, server: Server, images: Path) -> None:
    (images / "cell 1.tif").write_bytes(b"II*\0not an image")
    (images / "notes.txt").write_bytes(b"not an image")
    (images / ".hidden").write_bytes(b"")
    (images / "a" / "b").mkdir(parents=True)
    done = user.run("import", "--depth", "1", "--name", "one name", str(images))
    assert (done.returncode, done.stdout) == (5, "Image:1\nImage:2\n")
    assert done.stderr.splitlines()[:4] == [
        f"omero: {images / 'cell 1.tif'}: this is not an image of a known format",
        f"{images / '.hidden'}: hidden and left out",
        f"{images / 'a' / 'b'}: deeper than --depth and not looked into",
        f"{images / 'notes.txt'}: no image and left out",
    ]
    assert "2 files uploaded, 2 filesets created, 2 images imported, 0 skipped, 1 error in" in done.stderr
    assert {image["name"] for image in server.state.images} == {"one name"}


def test_a_server_that_goes_away_ends_the_import(user: Omero, server: Server, images: Path) -> None:
    def gone(handler: Handler) -> bool:
        if handler.route != "POST /imports":
            return False
        server.socket.close()
        handler.close_connection = True
        return True

    server.state.fault = gone
    done = user.run("import", str(images))
    assert (done.returncode, done.stdout) == (5, "")
    lines = done.stderr.splitlines()
    assert "closed the connection before it answered" in lines[0]
    assert "can't be reached" in lines[1]
    assert lines[2] == "1 file not tried, because the import stopped before"
    assert "2 errors" in lines[3]


def test_what_would_be_imported(omero: Omero, images: Path) -> None:
    done = omero.run("import", "-f", str(images))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    files = [str(images / f"cell {number}.tif") for number in range(3)]
    assert [line for line in lines if not line.startswith("#")] == files
    assert lines[:2] == [
        "#======================================",
        f"# Group: {files[0]} SPW: false Reader: loci.formats.in.TiffReader",
    ]
    (images / "broken.tif").symlink_to("gone")
    done = omero.run("import", "-f", str(images))
    assert done.returncode == 5
    assert done.stderr.splitlines()[0] == f"omero: {images / 'broken.tif'}: can't be read: No such file or directory"


def test_nothing_to_import(user: Omero, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = user.run("import", str(tmp_path / "empty"))
    assert done.returncode == 5
    assert done.stderr.startswith("omero: there are no files to import\n")


def test_lists(user: Omero, server: Server, images: Path) -> None:
    user.ok("import", str(images))
    document = user.json("fs", "images", "--style", "json")
    assert document["schema"] == "omeroadmin/images/1"
    assert [(image["name"], image["size"], image["fileset"]) for image in document["images"]] == [
        (f"cell {number}.tif", 1000 + number, number + 1) for number in (2, 1, 0)
    ]
    assert user.ok("fs", "images", "--style", "plain", "--offset", "1", "--limit", "1") == "0,2,cell 1.tif,2,1,1001 B\n"
    assert user.ok("fs", "images", "--style", "csv", "--limit", "0") == "#,Image,Name,FS,# Files,Size\n"
    assert user.ok("fs", "sets", "--style", "csv", "--order", "oldest") == (
        "#,Id,Prefix,Images,Files,Transfer\n0,1,root_0/,1,1,\n1,2,root_0/,1,1,\n2,3,root_0/,1,1,\n"
    )
    assert user.ok("fs", "repos").splitlines()[0].split() == ["#", "|", "Id", "|", "UUID", "|", "Type", "|", "Path"]
    found = user.json("search", "cell", "--limit", "2", "--style", "json")["hits"]
    assert [hit["name"] for hit in found] == ["cell 0.tif", "cell 1.tif"]
    assert user.ok("search", "nothing").splitlines()[-1] == "(0 rows)"


def test_no_secret_is_shown(user: Omero, server: Server, images: Path) -> None:
    said = ""
    for command in (
        ("login",), ("sessions", "list"), ("sessions", "list", "--style", "json"), ("sessions", "who"),
        ("import", "--json", str(images)), ("fs", "images"), ("logout", "-u", "nobody"), ("logout",),
    ):  # fmt: skip
        stored = keys(user)
        done = user.run(*command)
        said += done.stdout + done.stderr
        assert stored
        assert not any(key in said for key in stored)
    assert PASSWORD not in said


def test_an_unusable_store_is_one_line_without_the_key(omero: Omero, server: Server, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    done = omero.run(
        "login", f"root@localhost:{server.port}", "--password-file", "password",
        environment={"OMERO_SESSIONDIR": str(tmp_path / "store")},
    )  # fmt: skip
    assert done.returncode == 5
    assert str(tmp_path / "store") in done.stderr
    assert not any(key in done.stderr for key in server.state.sessions)
    assert "OMERO_SESSIONDIR" in done.stderr


def test_the_session_directory_can_be_chosen(omero: Omero, server: Server, tmp_path: Path) -> None:
    where = {"OMERO_USERDIR": str(tmp_path / "elsewhere")}
    omero.run("login", f"root@localhost:{server.port}", "--password-file", "password", environment=where)
    assert keys(omero) == []
    assert (tmp_path / "elsewhere" / "sessions" / "localhost" / "root").is_dir()


def on_terminal(omero: Omero, *arguments: str, answers: list[tuple[str, str]]) -> tuple[int, str]:
    """Run a command on a terminal and answer its questions."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "omeroadmin", *arguments],
        stdin=slave, stdout=slave, stderr=slave, env={**omero.environment, "TERM": "xterm"}, cwd=omero.home,
        start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    shown, deadline = "", monotonic() + 30
    while monotonic() < deadline and select.select([master], [], [], 10)[0]:
        try:
            shown += os.read(master, 4096).decode(errors="replace")
        except OSError:
            break
        if answers and answers[0][0] in shown:
            os.write(master, f"{answers.pop(0)[1]}\n".encode())
    os.close(master)
    return process.wait(timeout=20), shown


def test_questions_on_a_terminal(omero: Omero, server: Server, images: Path) -> None:
    answers = [("Username:", "root"), ("Password for root@", PASSWORD)]
    status, shown = on_terminal(omero, "login", f"localhost:{server.port}", answers=answers)
    assert status == 0, shown
    assert "Created session for root@" in shown
    assert PASSWORD not in shown
    status, shown = on_terminal(omero, "import", str(images), answers=[])
    assert status == 0, shown
    assert "Image:3" in shown
    assert "\x1b[" in shown, "there is a progress bar on a terminal"
