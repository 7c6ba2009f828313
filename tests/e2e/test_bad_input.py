"""Bad input: one clear line, a status from 2 to 6, and nothing changed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.omero import Omero, free_prefix


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Omero]:
    """An installed instance that isn't running."""
    if os.geteuid() == 0:
        pytest.skip("servers refuse to run as root; the unprivileged run of this suite covers this")
    omero = Omero(tmp_path_factory.mktemp("stopped"), free_prefix(2))
    omero.ok("install", "--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--db", "embedded",
             "--ports-prefix", omero.prefix, "--yes")  # fmt: skip
    yield omero
    omero.run("admin", "stop")


def clear_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """One line that says what is wrong, perhaps one more with the next step."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("  ->", "WARNING"))]
    assert 2 <= done.returncode <= 6, done
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0], (word, lines[0])


def tree(directory: Path) -> dict[str, bytes]:
    """All files below a directory with their content, but for lock files and logs."""
    return {
        str(path): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.suffix not in (".lock", ".log") and "postgresql" not in path.parts
    }


def test_omerodir_unset(tmp_path: Path) -> None:
    omero = Omero(tmp_path)
    done = omero.run("admin", "status", environment={"OMERODIR": ""})
    clear_line(done, "OMERODIR", "not set")


def test_omerodir_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "OMERO.server").write_text("a file")
    done = Omero(tmp_path).run("admin", "start")
    clear_line(done, str(tmp_path / "OMERO.server"), "not a directory")


def test_property_name_with_a_space(stopped: Omero) -> None:
    before = tree(stopped.omerodir / "etc")
    done = stopped.run("config", "set", "omero.db host", "x")
    clear_line(done, "omero.db host")
    assert tree(stopped.omerodir / "etc") == before


def test_start_when_started(server: Omero) -> None:
    clear_line(server.run("admin", "start"), "already running")
    assert server.run("admin", "status").returncode == 0


def test_stop_when_stopped(stopped: Omero) -> None:
    done = stopped.run("admin", "stop")
    assert done.returncode == 0
    assert "Server not running" in done.stderr


def test_config_xml_unparsable(stopped: Omero) -> None:
    config = stopped.omerodir / "etc" / "grid" / "config.xml"
    good = config.read_bytes()
    config.write_bytes(good[: len(good) // 2])
    try:
        for command in (("admin", "start"), ("config", "get"), ("config", "set", "a", "b")):
            clear_line(stopped.run(*command), str(config))
        assert config.read_bytes() == good[: len(good) // 2]
    finally:
        config.write_bytes(good)


def test_data_directory_missing(stopped: Omero) -> None:
    aside = stopped.data.with_name("aside")
    stopped.data.rename(aside)
    try:
        clear_line(stopped.run("admin", "start"), str(stopped.data))
        assert not stopped.data.exists()
    finally:
        aside.rename(stopped.data)


def test_data_directory_not_writable(stopped: Omero) -> None:
    stopped.data.chmod(0o555)
    try:
        clear_line(stopped.run("admin", "start"), str(stopped.data))
    finally:
        stopped.data.chmod(0o755)


def test_port_taken(stopped: Omero) -> None:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", int(f"{stopped.prefix}4064")))
        holder.listen()
        clear_line(stopped.run("admin", "start"), f"{stopped.prefix}4064", str(os.getpid()))


def test_database_down(stopped: Omero, tmp_path: Path) -> None:
    copy = Omero(tmp_path, stopped.prefix)
    shutil.copytree(stopped.omerodir, copy.omerodir, ignore=shutil.ignore_patterns("postgresql"))
    copy.ok("config", "set", "omero.db.embedded", "false")
    copy.ok("config", "set", "omero.db.host", "127.0.0.1")
    copy.ok("config", "set", "omero.db.port", "9")
    done = copy.run("admin", "start", timeout=30)
    clear_line(done, "127.0.0.1", "9")
    assert done.returncode == 4


def test_start_as_it_should_be(stopped: Omero) -> None:
    """After all these faults nothing is broken."""
    stopped.ok("admin", "start")
    assert stopped.run("admin", "status").returncode == 0
    stopped.ok("admin", "stop")
    assert stopped.run("admin", "status").returncode == 1
