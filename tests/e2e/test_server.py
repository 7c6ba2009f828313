"""What the running server shows: eleven servers, honest states, TLS, images, search, DropBox."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from omeroadmin.system.clock import wait_until
from tests.support.components import require_program
from tests.support.omero import Omero

ALWAYS_ACTIVE = (
    "Blitz-0",
    "DropBox",
    "FileServer",
    "Indexer-0",
    "MonitorServer",
    "OMERO.Glacier2",
    "OMERO.IceStorm",
    "PixelData-0",
    "Processor-0",
    "Tables-0",
)
"""Servers that run; Tables-0 does because the tests have PyTables."""


def server_lines(omero: Omero) -> dict[str, str]:
    """States as diagnostics prints them, by server."""
    output = omero.ok("admin", "diagnostics", "--no-logs")
    return dict(re.findall(r"^Server: +(\S+) +(.*?)\s*$", output, re.MULTILINE))


def pid_of(omero: Omero, server: str) -> int | None:
    """Pid of an active server."""
    match = re.match(r"active \(pid = (\d+), enabled\)", server_lines(omero).get(server, ""))
    return int(match.group(1)) if match else None


def test_status_is_zero(server: Omero) -> None:
    done = server.run("admin", "status")
    assert (done.returncode, done.stdout) == (0, "")


def test_diagnostics_lists_the_eleven_servers(server: Omero) -> None:
    states = server_lines(server)
    for name in ALWAYS_ACTIVE:
        assert re.fullmatch(r"active \(pid = \d+, enabled\)", states[name]), (name, states[name])
    assert states["TestDropBox"] == "inactive (enabled)"
    assert len(states) - ("icegridnode" in states) == 11


def test_diagnostics_as_json_agrees(server: Omero) -> None:
    document = server.json("admin", "diagnostics", "--json")
    assert document["schema"] == "omeroadmin/diagnostics/1"
    assert "Blitz-0" in str(document)


@pytest.mark.parametrize("name", ALWAYS_ACTIVE)
def test_a_killed_server_comes_back(server: Omero, name: str) -> None:
    before = pid_of(server, name)
    assert before is not None
    os.kill(before, signal.SIGKILL)

    def replaced() -> bool:
        return pid_of(server, name) not in (None, before)

    assert wait_until(replaced, timeout=10)
    assert wait_until(lambda: server.run("admin", "status").returncode == 0, timeout=10)


def test_status_tells_the_truth_while_blitz_is_down(server: Omero) -> None:
    pid = pid_of(server, "Blitz-0")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    statuses = [server.run("admin", "status").returncode]
    assert wait_until(lambda: server.run("admin", "status").returncode == 0, timeout=10)
    # A new Blitz takes longer to start than the first status to be asked.
    assert statuses == [1]


def test_openssl_accepts_the_certificate(server: Omero) -> None:
    openssl = require_program("openssl", package="openssl")
    done = subprocess.run(
        [openssl, "s_client", "-connect", f"localhost:{server.prefix}4064", "-verify_return_error",
         "-CAfile", str(server.data / "certs" / "server.pem")],
        input="", capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"TLSv1\.[23]", done.stdout)
    assert "Verify return code: 0 (ok)" in done.stdout


def test_a_wrong_password_is_one_line_and_throttled(server: Omero, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not the password\n")
    times = []
    for user in ("root", "nobody-of-this-name", "root"):
        began = time.monotonic()
        done = server.run("login", f"{user}@localhost:{server.prefix}4064", "--password-file", str(wrong), "-C")
        times.append(time.monotonic() - began)
        assert done.returncode in range(2, 7)
        assert len([line for line in done.stderr.splitlines() if not line.startswith("  ->")]) == 1, done.stderr
        assert "Traceback" not in done.stderr
    assert times[2] >= 3, f"the second failure for root is delayed by 3 s: {times}"


def test_images_lists_every_sample(server: Omero, samples: Path) -> None:
    document = server.json("fs", "images", "--style", "json")
    listed = {image["name"]: image for image in document["images"]}
    for sample in samples.iterdir():
        image = listed[sample.name]
        assert image["size"] == sample.stat().st_size
        assert image["fileset"]


def test_search_finds_a_sample_by_its_name(server: Omero, samples: Path) -> None:
    name = min(path.stem for path in samples.iterdir())
    word = re.split(r"[^A-Za-z]+", name)[0]

    def found() -> bool:
        return name in server.ok("search", word)

    assert wait_until(found, timeout=10), server.run("search", word)


def test_pyramid_and_thumbnails_are_on_disk(server: Omero, samples: Path) -> None:
    def made() -> bool:
        thumbnails = [path for path in (server.data / "Thumbnails").rglob("*") if path.is_file()]
        pyramids = list((server.data / "Pixels").rglob("*_pyramid"))
        return bool(pyramids) and len(thumbnails) >= len(list(samples.iterdir()))

    assert wait_until(made, timeout=60), sorted(server.data.rglob("*"))


def test_a_file_in_dropbox_becomes_an_image(server: Omero, samples: Path) -> None:
    source = min(samples.glob("*.png"))
    target = server.data / "DropBox" / "root" / "from_dropbox.png"
    target.parent.mkdir(exist_ok=True)
    shutil.copy(source, target)

    def imported() -> bool:
        return "from_dropbox.png" in server.ok("fs", "images", "--style", "csv")

    assert wait_until(imported, timeout=30)


def test_the_plain_port_takes_no_password(server: Omero) -> None:
    password_file = server.omerodir / "etc" / "root_password"
    done = server.run("login", f"root@tcp://localhost:{server.prefix}4063", "--password-file", str(password_file), "-C")
    assert done.returncode in range(2, 7)
    assert "TLS" in done.stderr


def test_who_shows_root_and_no_keys(server: Omero) -> None:
    output = server.ok("sessions", "who")
    assert "root" in output
    keys = [path.name for path in (server.home / "omero" / "sessions").rglob("*") if len(path.name) == 36]
    assert keys
    assert not any(key in output for key in keys)


def test_no_secret_is_in_a_log_or_command_line(server: Omero) -> None:
    secrets = {
        (server.omerodir / "etc" / "root_password").read_text().strip(),
        server.ok("config", "get", "omero.db.pass").strip(),
        *(path.name for path in (server.home / "omero" / "sessions").rglob("*") if len(path.name) == 36),
    }
    for log in (server.omerodir / "var" / "log").iterdir():
        text = log.read_text(errors="replace")
        assert not any(secret in text for secret in secrets), log
    for command_line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = command_line.read_text(errors="replace")
        except OSError:
            continue
        assert not any(secret in text for secret in secrets)


def test_metrics_show_the_servers(server: Omero) -> None:
    assert "omero_" in server.ok("metrics", "show")
