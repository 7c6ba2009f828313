"""A start that can't succeed says why, and what mends it, within ten seconds of the moment when that can be known."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omeroadmin.database import embedded
from omeroadmin.grid import client
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import monotonic
from omeroadmin.workflows import lifecycle
from omeroadmin.workflows.diagnostics import diagnose
from tests.support.omero import Omero
from tests.support.start_faults import FailedStart, Fault, Faulty, small_grid

LIMIT = 10.0
NODE = "starting the node"
PASSWORD = "ALTER ROLE omero PASSWORD '{}'"
RENAME = "ALTER DATABASE {} RENAME TO {}"
VERSION = "UPDATE dbpatch SET currentversion = '{}'"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Omero:
    """An instance that was installed and never started."""
    if os.geteuid() == 0:
        pytest.skip("PostgreSQL refuses root; the unprivileged run of this suite covers this")
    omero = Omero(tmp_path_factory.mktemp("causes"))
    omero.ok("install", "--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--db", "embedded", "--yes")
    small_grid(Instance(omero.omerodir))
    return omero


@pytest.fixture
def faulty(made: Omero) -> Iterator[Faulty]:
    """The instance, stopped before and after."""
    yield Faulty(Instance(made.omerodir))
    lifecycle.stop(Instance(made.omerodir))


def password(faulty: Faulty) -> Fault:
    return faulty.sql(PASSWORD.format("another"), PASSWORD.format(faulty.settings.text("omero.db.pass")))


def dropped(faulty: Faulty) -> Fault:
    return faulty.sql(RENAME.format("omero", "gone"), RENAME.format("gone", "omero"))


def version(faulty: Faulty) -> Fault:
    return faulty.sql(VERSION.format("OMERO5.3"), VERSION.format("OMERO5.4"), as_superuser=False)


def emptied(faulty: Faulty) -> Fault:
    rename = "ALTER TABLE {} RENAME TO {}"
    return faulty.sql(rename.format("dbpatch", "x"), rename.format("x", "dbpatch"), as_superuser=False)


BEFORE: dict[str, tuple[Callable[[Faulty], Fault], str, str]] = {
    "password": (password, "database-password", "refuses the password of user omero"),
    "database": (dropped, "database-missing", "has no database omero"),
    "version": (version, "database-version", "DB version (OMERO5.3__0) does not match"),
    "schema": (emptied, "database-empty", "dbpatch"),
    "port": (lambda f: f.port_held("ssl"), "port-taken", f"is taken by process {os.getpid()} ("),
    "registry": (lambda f: f.port_held("registry"), "port-taken", "(omero.ports.registry) is taken by process"),
    "data-missing": (lambda f: f.moved(f.settings.data_directory), "directory-missing", "(omero.data.dir)"),
    "data-closed": (lambda f: f.mode(f.settings.data_directory, 0o500), "directory-not-writable", "(omero.data.dir)"),
    "var-closed": (lambda f: f.mode(f.instance.log_directory, 0o500), "directory-not-writable", "var/log"),
    "no-certificate": (lambda f: f.moved(f.bundle), "certificate-missing", "server.p12"),
    "closed-certificate": (lambda f: f.mode(f.bundle, 0), "certificate-unreadable", "Permission denied"),
    "damaged-certificate": (lambda f: f.content(f.bundle, b"PEM"), "certificate-password", "damaged"),
    "certificate-password": (
        lambda f: f.properties(omero__glacier2__IceSSL__Password="wrong"),
        "certificate-password",
        "omero.glacier2.IceSSL.Password",
    ),
    "old-certificate": (lambda f: f.content(f.bundle, f.old_bundle(40, 30)), "certificate-expired", " ended on 20"),
    "new-certificate": (lambda f: f.content(f.bundle, f.old_bundle(-2, 30)), "certificate-expired", "not valid before"),
    "heap": (
        lambda f: f.properties(omero__jvmcfg__heap_size__blitz="4000g"),
        "heap-too-large",
        "blitz may use a heap of 4000g",
    ),
    "value": (lambda f: f.properties(omero__db__port="fifty"), "setting-invalid", "omero.db.port is 'fifty'"),
}


@pytest.mark.parametrize("name", BEFORE)
def test_what_is_wrong_before(faulty: Faulty, name: str) -> None:
    fault, code, words = BEFORE[name]
    failed = faulty.fail(fault(faulty))
    assert (failed.error.code, failed.error.exit_status) == (code, 3), failed.error.message
    assert words in failed.error.message
    assert failed.error.hint
    assert failed.seconds < LIMIT
    assert client.node_process(faulty.instance) is None


def junk(faulty: Faulty) -> Fault:
    return faulty.content(faulty.bundle, b"junk")


DURING: dict[str, tuple[Callable[[Faulty], Fault], str, str, str]] = {
    "password": (password, "Blitz-0", "database-password", "omero config set omero.db.pass"),
    "database": (dropped, "Blitz-0", "database-missing", "createdb --encoding UTF8 --owner ROLE omero"),
    "version": (version, "Blitz-0", "database-version", "omero.db.version"),
    "schema": (emptied, "Blitz-0", "database-empty", "omero db init"),
    "database-down": (lambda f: f.database_down(), "Blitz-0", "database-unreachable", "start PostgreSQL"),
    "port": (lambda f: f.port_held("ssl"), "OMERO.Glacier2", "port-taken", "ss -ltnp 'sport = :"),
    "certificate": (junk, "OMERO.Glacier2", "certificate-password", "omero certificates"),
    "no-certificate": (lambda f: f.moved(f.bundle), "OMERO.Glacier2", "certificate-missing", "omero certificates"),
    "data-missing": (
        lambda f: f.moved(f.settings.data_directory),
        "OMERO.Glacier2",
        "directory-missing",
        "mount or restore it",
    ),
    "data-closed": (
        lambda f: f.mode(f.settings.data_directory, 0),
        "OMERO.Glacier2",
        "directory-not-writable",
        "ls -ld",
    ),
}


def check(failed: FailedStart, server: str, code: str, mend: str) -> None:
    """A failure of a server, with its cause, its mend and its last lines."""
    said = "\n".join([*failed.said, failed.error.message, failed.error.hint])
    assert (failed.error.code, failed.error.exit_status) == ("start-failed", 5), said
    assert failed.error.message.startswith(f"{server} did not start: "), said
    assert failed.cause == code, said
    assert mend in failed.error.hint, said
    assert any(line.startswith(f"{server}.log: ") for line in failed.said), said
    assert failed.said[-1] == 'Calling "stop" on remaining components'
    assert failed.seconds < LIMIT


@pytest.mark.parametrize("name", DURING)
def test_what_goes_wrong_meanwhile(faulty: Faulty, name: str) -> None:
    fault, server, code, mend = DURING[name]
    check(faulty.fail(fault(faulty), at=NODE), server, code, mend)
    assert client.node_process(faulty.instance) is None


def test_a_value_that_only_its_server_understands(faulty: Faulty) -> None:
    failed = faulty.fail(faulty.properties(omero__checksum__supported="SHA-9"))
    check(failed, "Blitz-0", "value-invalid", "omero config set omero.checksum.supported")
    assert not embedded.status(faulty.instance).running


def test_kept_for_inspection(faulty: Faulty) -> None:
    failed = faulty.fail(junk(faulty), at=NODE, keep=True)
    assert failed.cause == "certificate-password"
    assert 'Calling "stop" on remaining components' not in failed.said
    state = client.grid_state(faulty.instance)
    assert [server.has_failed for server in state.servers] == [True, False]
    assert embedded.status(faulty.instance).running
    items = {
        item.name: item
        for category in diagnose(faulty.instance, {}, faulty.instance.var, parse_logs=False).categories
        if category.id == "servers"
        for item in category.items
    }
    assert "omero certificates" in items["OMERO.Glacier2"].hint


def test_a_package_is_missing(made: Omero, faulty: Faulty, tmp_path: Path) -> None:
    (tmp_path / "h11.py").write_text("raise ModuleNotFoundError(\"No module named 'h11'\", name='h11')\n")
    search_path = os.pathsep.join((str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])))
    began = monotonic()
    done = made.run("admin", "start", environment={"PYTHONPATH": search_path})
    assert monotonic() - began < LIMIT
    assert done.returncode == 5, done.stderr
    assert "omero: OMERO.Glacier2 did not start: " in done.stderr
    assert "Likely cause: A Python package is missing. (package-missing)" in done.stderr
    assert "pip install h11" in done.stderr
    assert client.node_process(faulty.instance) is None


def test_memory_runs_out_while_starting(made: Omero, faulty: Faulty, tmp_path: Path) -> None:
    made.ok("admin", "rewrite")
    limited = tmp_path / "python"
    limited.write_text(f'#!/bin/sh\nulimit -d 32768\nexec {sys.executable} "$@"\n')
    limited.chmod(0o755)
    descriptor = faulty.instance.grid_directory / "limited.xml"
    text = faulty.instance.default_xml.read_text()
    descriptor.write_text(re.sub(r'(<variable name="PYTHON" value=")[^"]*', rf"\g<1>{limited}", text))
    began = monotonic()
    done = made.run("admin", "start", str(descriptor))
    assert monotonic() - began < LIMIT
    assert done.returncode == 5, done.stderr
    assert "Likely cause: The server ran out of memory. (out-of-memory)" in done.stderr, done.stderr
    assert "omero.jvmcfg.heap_size" in done.stderr
    assert client.node_process(faulty.instance) is None


FULL = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"tmpfs", os.fsencode(sys.argv[1]), b"tmpfs", 0, b"size=64k,mode=700"):
    sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
with open(os.path.join(sys.argv[1], "filler"), "wb", buffering=0) as stream:
    try:
        while stream.write(bytes(4096)):
            pass
    except OSError:
        pass
os.execv(sys.executable, [sys.executable, "-m", "omeroadmin", "admin", "start"])
"""


def test_the_disk_is_full(made: Omero, faulty: Faulty) -> None:
    own = ["unshare", "--user", "--map-current-user", "--keep-caps", "--mount"]
    probe = subprocess.run([*own, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"no file systems of one's own on this machine: {probe.stderr.strip()}")
    done = subprocess.run(
        [*own, sys.executable, "-c", FULL, str(faulty.settings.data_directory)],
        env=made.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert f"the data directory (omero.data.dir) {faulty.settings.data_directory} has no room left" in done.stderr
    assert "df -h" in done.stderr
