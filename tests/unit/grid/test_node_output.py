"""Files that are replaced before they grow too long."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.grid.node.output import Output, redirect
from omeroadmin.grid.node.watch import HUNG_AFTER, HUNG_TIMEOUT, hung_timeout
from omeroadmin.schema.catalog import default_of
from tests.support.specifications import specification


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    path = tmp_path / "node.out"
    number = os.open(os.devnull, os.O_WRONLY)
    redirect(number, path)
    yield number, path
    os.close(number)


def test_rotation(stream: tuple[int, Path]) -> None:
    number, path = stream
    output = Output(number, path, largest=10, older=2)
    for text in (b"one 67890\n", b"two\n", b"three\n", b"four 7890\n", b"five\n"):
        output.write(text)
    found = {one.name: one.read_bytes() for one in path.parent.iterdir()}
    assert found == {"node.out": b"five\n", "node.out.1": b"four 7890\n", "node.out.2": b"two\nthree\n"}
    assert path.stat().st_mode & 0o777 == 0o600


def test_lines_stay_whole_unless_they_have_no_end(stream: tuple[int, Path]) -> None:
    number, path = stream
    output = Output(number, path, largest=10)
    output.write(b"12345678")
    output.write(b"90 the rest\n")
    output.write(b"x" * 30)
    output.write(b"y")
    first = path.with_name("node.out.2").read_bytes()
    assert first == b"1234567890 the rest\n"
    assert path.with_name("node.out.1").read_bytes() == b"x" * 30
    assert path.read_bytes() == b"y"


def test_one_write_longer_than_a_file(stream: tuple[int, Path]) -> None:
    number, path = stream
    Output(number, path, largest=10).write(b"a long first line\n")
    assert path.read_bytes() == b"a long first line\n"
    assert list(path.parent.iterdir()) == [path]


def test_what_is_not_ours_is_left_alone(stream: tuple[int, Path]) -> None:
    number, path = stream
    output = Output(number, None, largest=1)
    output.write(b"one\n")
    output.write(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"


def test_nobody_reads_any_more() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    Output(writing).write(b"lost")
    os.close(writing)


def test_patience() -> None:
    assert float(default_of(HUNG_TIMEOUT) or 0) == HUNG_AFTER
    assert hung_timeout(specification()) == HUNG_AFTER
    for text, seconds in (("0", 0), ("2.5", 2.5), ("-1", 0), ("soon", HUNG_AFTER), ("", HUNG_AFTER)):
        assert hung_timeout(specification(properties=((HUNG_TIMEOUT, text),))) == seconds
