"""Imports into a repository on a file system of 3 MB; run in a namespace where mounting is possible.

Usage: python -m tests.support.disk_full DIRECTORY
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from omeroadmin.profiles.store import update_profile
from tests.support.database import ROOT_PASSWORD
from tests.support.liveserver import LiveServer, live, start_all
from tests.support.omero import Omero


def main(directory: Path) -> None:
    """Fill the disk, see what is said and what is left, make room and go on."""
    with live(directory / "server") as server:
        server.managed.mkdir(exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", "size=3m,nr_inodes=400", "tmpfs", str(server.managed)]
        subprocess.run(mount, check=True)
        start_all(server)
        check(server, directory)


def check(server: LiveServer, directory: Path) -> None:
    """The checks themselves."""
    omero = client_of(server, directory)
    images = directory / "images"
    images.mkdir()
    small = {f"{number}.tif": os.urandom(100_000) for number in (1, 3)}
    for name, noise in {**small, "2.tif": os.urandom(4_000_000)}.items():
        write_tiff(images / name, noise)
    done = omero.run("import", "--exclude", "clientpath", str(images))
    failed = [line for line in done.stderr.splitlines() if line.startswith("omero: ")]
    assert (done.returncode, done.stdout.count("Image:")) == (5, 2), done.stderr
    assert len(failed) == 1, failed
    assert "2.tif" in failed[0], failed
    assert "No space left on device" in failed[0], failed
    assert_only(server, set(small))
    ballast = server.managed / "ballast"
    ballast.mkdir()
    fill(ballast)
    more = images / "4.tif"
    write_tiff(more, os.urandom(1000))
    done = omero.run("import", str(more))
    assert (done.returncode, done.stdout) == (5, ""), done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("omero: ")]) == 1, done.stderr
    assert server.tls().call("GET", "/status").document["status"] == "up"
    for path in ballast.iterdir():
        path.unlink()
    ballast.rmdir()
    assert_only(server, set(small))
    assert omero.ok("import", str(more)).startswith("Image:")


def client_of(server: LiveServer, directory: Path) -> Omero:
    """A user who is logged in."""
    instance = server.runtime.instance
    instance.grid_directory.mkdir(parents=True, exist_ok=True)
    update_profile(instance.config_xml, {**server.runtime.properties, "omero.ports.ssl": str(server.ssl_port)})
    home = directory / "home"
    home.mkdir()
    (home / "password").write_text(ROOT_PASSWORD)
    omero = Omero(home, extra={"OMERODIR": str(instance.omerodir)})
    omero.ok("login", "root@localhost", "--password-file", "password")
    return omero


def write_tiff(path: Path, noise: bytes) -> None:
    """An image with these samples, which nothing makes smaller."""
    import numpy as np
    import tifffile

    tifffile.imwrite(path, np.frombuffer(noise, np.uint8).reshape(100, -1))


def fill(directory: Path) -> None:
    """Use up the last byte and the last inode."""
    with (directory / "bytes").open("wb", buffering=0) as stream:
        try:
            while stream.write(bytes(4096)):
                pass
        except OSError:
            pass
    try:
        for number in range(1000):
            (directory / str(number)).touch()
    except OSError:
        pass


def assert_only(server: LiveServer, names: set[str]) -> None:
    """The repository and the database hold these files and nothing else."""
    stored = server.imported_files()
    assert not list((server.managed / ".omero" / "imports").rglob("*.json"))
    assert {path.name for path in stored} == names, stored
    rows = server.sql("SELECT count(*) FROM fileset"), server.sql("SELECT count(*) FROM image")
    assert rows == ([(len(names),)], [(len(names),)]), rows


if __name__ == "__main__":
    main(Path(sys.argv[1]))
