"""Files that can't be imported: one line for each, the right status, the others imported, nothing left behind."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.server.test_blitz_imports import stored_files
from tests.integration.test_access_live import omero, root
from tests.support.flipping import flipping
from tests.support.liveserver import LiveServer, live_server
from tests.support.omero import Omero

__all__ = ["live_server", "omero", "root"]


def picture(path: Path, seed: int = 1) -> bytes:
    import pyvips

    pyvips.Image.gaussnoise(40, 30, seed=seed).cast("uchar").write_to_file(str(path))
    return path.read_bytes()


def lines_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What was said of files that failed."""
    return [line for line in done.stderr.splitlines() if line.startswith("omero: ")]


def huge_tiff(width: int = 100_000) -> bytes:
    """A TIFF file of 200 bytes that says that it has 100,000 x 100,000 pixels."""
    entries = {256: (4, width), 257: (4, width), 258: (3, 8), 259: (3, 1), 262: (3, 1), 273: (4, 8), 277: (3, 1)}
    entries |= {278: (4, width), 279: (4, 2**32 - 1)}
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, (kind, value) in sorted(entries.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + struct.pack("<I", 0)


def deep_png() -> bytes:
    """A PNG header of 2^30 x 2^30 pixels with nothing behind it."""
    import zlib

    header = struct.pack(">IIBBBBB", 2**30, 2**30, 16, 6, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(header)) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images and everything that is wrong with files."""
    if os.geteuid() == 0:
        pytest.skip("root may read anything; the unprivileged run of this suite covers this")
    directory = tmp_path / "images"
    directory.mkdir()
    whole = picture(directory / "good.tif")
    picture(directory / "two\nlines.png", 2)
    picture(directory / f"{'ü' * 60}\N{MICROSCOPE}{'x' * 127}.png", 3)
    (directory / "cut.tif").write_bytes(whole[: len(whole) // 2])
    (directory / "empty.tif").write_bytes(b"")
    (directory / "huge.tif").write_bytes(huge_tiff())
    (directory / "deep.png").write_bytes(deep_png())
    with (directory / "sparse.tif").open("wb") as stream:
        stream.truncate(2 << 30)
    (directory / "colon:.png").write_bytes(picture(directory / "x.png", 4))
    (directory / "x.png").unlink()
    (directory / "secret").mkdir(mode=0)
    return directory


def test_every_bad_file_is_one_line_and_the_others_are_imported(
    live_server: LiveServer, root: Omero, folder: Path
) -> None:
    before = stored_files(live_server)
    done = root.run("import", str(folder))
    (folder / "secret").chmod(0o700)
    assert (done.returncode, done.stdout.count("Image:")) == (5, 3), done.stderr
    said = {line.split(": ")[1].rpartition("/")[2]: line for line in lines_of(done)}
    assert set(said) == {"cut.tif", "empty.tif", "huge.tif", "deep.png", "sparse.tif", "colon:.png", "secret"}
    assert len(lines_of(done)) == len(said)
    for name, words in {
        "cut.tif": "not an image that can be read",
        "empty.tif": "it is empty",
        "sparse.tif": "unknown format",
        "colon:.png": "forbids the character :",
        "secret": "Permission denied",
    }.items():
        assert words in said[name], said[name]
    names = {path.name for path in live_server.imported_files() if path not in before}
    assert len(names) == 3
    assert {"good.tif", "two_lines.png"} < names
    assert not list((live_server.managed / ".omero" / "imports").rglob("*.json"))
    assert [len(name.encode()) for name in names if "\N{MICROSCOPE}" in name] == [255]


def test_a_name_of_255_bytes_survives(live_server: LiveServer, root: Omero, tmp_path: Path) -> None:
    content = picture(tmp_path / "a.png", 5)
    for name in ("n" * 251, "\N{MICROSCOPE}" * 62 + "abc"):
        path = tmp_path / f"{name}.png"
        path.write_bytes(content)
        assert len(path.name.encode()) == 255
        for transfer in ("upload", "cp"):
            done = root.json("import", "--json", f"--transfer={transfer}", str(path))
            [(stored,)] = live_server.sql(
                "SELECT name FROM image WHERE id = %s", done["imported"][0]["images"][0]["id"]
            )
            assert stored == path.name


def test_only_bad_files_change_nothing(live_server: LiveServer, root: Omero, tmp_path: Path) -> None:
    before, images = stored_files(live_server), live_server.sql("SELECT count(*) FROM image")
    for name, content in (("a.tif", b""), ("b.tif", huge_tiff()), ("c.jpg", b"\xff\xd8\xff\xe0" + bytes(100))):
        (tmp_path / name).write_bytes(content)
        done = root.run("import", str(tmp_path / name))
        assert (done.returncode, done.stdout, len(lines_of(done))) == (5, "", 1), done.stderr
    assert stored_files(live_server) == before
    assert live_server.sql("SELECT count(*) FROM image") == images
    assert live_server.tls().call("GET", "/status").document["status"] == "up"


def test_a_byte_that_changes_on_its_way_is_found_out(live_server: LiveServer, root: Omero, tmp_path: Path) -> None:
    content = picture(tmp_path / "a.png", 6)
    before, images = stored_files(live_server), live_server.sql("SELECT count(*) FROM image")
    key = live_server.tls().login().key
    with flipping(live_server.tcp_port, content[:24]) as proxy:
        for algorithm in ("SHA1-160", "MD5-128", "Murmur3-128", "Murmur3-32", "CRC-32", "Adler-32"):
            done = root.run(
                "import", "-s", f"tcp://127.0.0.1:{proxy.port}", "-k", "-", "--checksum-algorithm", algorithm,
                str(tmp_path / "a.png"), input_text=f"{key}\n",
            )  # fmt: skip
            assert (done.returncode, done.stdout) == (5, ""), done.stderr
            assert "the server stored other bytes" in lines_of(done)[0]
    assert proxy.flipped == 6
    assert stored_files(live_server) == before
    assert live_server.sql("SELECT count(*) FROM image") == images
    assert not list((live_server.managed / ".omero" / "imports").rglob("*.json"))


def test_a_full_disk(tmp_path: Path) -> None:
    """In a user namespace of its own, where this user may mount a file system of 3 MB."""
    command = ("unshare", "--user", "--mount", "--map-current-user", "--keep-caps")
    if os.geteuid() == 0:
        pytest.skip("servers refuse to run as root; the unprivileged run of this suite covers this")
    possible = shutil.which("unshare") and subprocess.run(
        [*command, "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if not possible or possible.returncode:
        pytest.skip("this machine allows no user namespaces that mount a small file system")
    done = subprocess.run(
        [*command, sys.executable, "-m", "tests.support.disk_full", str(tmp_path)],
        cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
