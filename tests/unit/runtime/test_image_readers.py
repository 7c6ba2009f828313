"""Images are read in processes of their own: what ends such a process, or holds it up, is an unreadable image."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.reading.readers import ImageReaders
from tests.support.ome import write_set


@pytest.fixture
def readers() -> Iterator[ImageReaders]:
    made = ImageReaders()
    yield made
    made.close()


def one(path: Path, content: bytes) -> list[Path]:
    path.write_bytes(content)
    return [path]


def test_contents_arrive_as_they_were_read(readers: ImageReaders, tmp_path: Path) -> None:
    files = write_set(tmp_path, ("a.ome.tif", "b.ome.tif"), plate="one")
    contents = readers.read(files)
    [image] = contents.images
    assert (image.file, image.metadata.name, image.metadata.channel_names) == (0, "spread", ("C0", "C1"))
    assert image.metadata.place(files[0], 0, 1, 0) == (files[1], 0, 0)
    assert [plate.name for plate in contents.plates] == ["one"]


def test_a_file_that_is_no_image_is_told_in_one_line(readers: ImageReaders, tmp_path: Path) -> None:
    for number in range(3):
        with pytest.raises(AdminError, match=r"a\.png is not an image") as caught:
            readers.read(one(tmp_path / "a.png", b"no" * number))
        assert caught.value.code == "unreadable-image"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import os, sys; sys.stdin.readline(); os.kill(os.getpid(), 11)", "by signal 11"),
        ("import sys; sys.stdin.readline(); sys.exit(7)", "with status 7"),
        ("import sys, time; sys.stdin.readline(); time.sleep(60)", "more than"),
        ("import sys, time; sys.stdin.readline(); print('{', end='', flush=True); time.sleep(60)", "more than"),
        ("", "the process that reads it ended"),
    ],
)
def test_a_reader_that_ends_or_hangs_is_replaced(tmp_path: Path, program: str, words: str) -> None:
    flag = tmp_path / "second"
    script = tmp_path / "reader.py"
    good = "import runpy, sys; sys.argv = ['reading', str(2 << 30)]"
    good += "; runpy.run_module('omeroadmin.runtime.services.blitz.reading', run_name='__main__')"
    script.write_text(
        f"import os\nif os.path.exists({str(flag)!r}):\n    {good}\nelse:\n    open({str(flag)!r}, 'w').close()\n    "
        + (program or "pass")
    )
    readers = ImageReaders((sys.executable, str(script)), seconds=1)
    files = write_set(tmp_path / "set", ("a.ome.tif",))
    with pytest.raises(AdminError, match=words) as caught:
        readers.read(files)
    assert caught.value.code == "unreadable-image"
    assert len(readers.read(files).images) == 1
    readers.close()


def test_a_file_that_wants_all_memory_is_unreadable(tmp_path: Path) -> None:
    """100,000 x 100,000 pixels in 200 bytes: the process that reads it may use 256 MB."""
    import struct

    entries = {
        256: (4, 100_000),
        257: (4, 100_000),
        258: (3, 8),
        259: (3, 1),
        262: (3, 1),
        277: (3, 1),
        278: (4, 100_000),
    }
    entries |= {273: (4, 8), 279: (4, 2**32 - 1)}
    body = struct.pack("<H", len(entries))
    for tag in sorted(entries):
        kind, value = entries[tag]
        body += struct.pack("<HHII", tag, kind, 1, value)
    files = one(tmp_path / "huge.tif", b"II*\0" + struct.pack("<I", 8) + body + struct.pack("<I", 0))
    readers = ImageReaders((sys.executable, "-m", "omeroadmin.runtime.services.blitz.reading", str(256 << 20)))
    with pytest.raises(AdminError) as caught:
        readers.read(files)
    assert caught.value.code == "unreadable-image"
    readers.close()


def test_readers_leave_no_process(tmp_path: Path) -> None:
    import psutil

    before = psutil.Process().children()
    readers = ImageReaders()
    readers.read(write_set(tmp_path, ("a.ome.tif",)))
    assert len(psutil.Process().children()) == len(before) + 1
    readers.close()
    assert psutil.Process().children() == before
