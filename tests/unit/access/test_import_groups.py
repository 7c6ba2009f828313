"""Files of one image go together; what is no image is left out, or told where it was named."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.access.walk import find_files
from omeroadmin.repository.tiff_description import embedded_ome_xml, first_description
from omeroadmin.workflows.import_groups import Grouped, group_files
from tests.support.ome import write_set

NAMES = ("a.ome.tif", "b.ome.tif", "c.ome.tif")


def grouped(*paths: Path) -> Grouped:
    return group_files(find_files(list(paths)), paths)


def names(result: Grouped) -> list[list[str]]:
    return [[file.path.name for file in group.files] for group in result.groups]


@pytest.mark.parametrize("companion", ["", "z.companion.ome"])
def test_a_set_is_one_group_whichever_file_is_named(tmp_path: Path, companion: str) -> None:
    files = write_set(tmp_path, NAMES, companion=companion)
    everything = grouped(tmp_path)
    assert sorted(map(sorted, names(everything))) == [sorted(path.name for path in files)]
    assert names(everything)[0][0] == files[0].name
    assert everything.groups[0].reader == "loci.formats.in.OMETiffReader"
    for path in files:
        one = grouped(path)
        assert [sorted(group) for group in names(one)] == [sorted(file.name for file in files)]
        assert one.groups[0].size == sum(file.stat().st_size for file in files)


def test_a_set_with_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    files = write_set(tmp_path, NAMES)
    files[1].unlink()
    result = grouped(tmp_path)
    assert not result.groups
    assert all("b.ome.tif, which is not beside it" in error.message for _, error in result.problems)


def test_a_plate_is_told(tmp_path: Path) -> None:
    write_set(tmp_path, ("a.ome.tif",), plate="p")
    assert grouped(tmp_path).groups[0].is_plate


def test_a_renamed_file_is_its_own(tmp_path: Path) -> None:
    [path] = write_set(tmp_path, ("a.ome.tif",))
    path.rename(tmp_path / "renamed.tif")
    assert names(grouped(tmp_path)) == [["renamed.tif"]]


def test_what_is_no_image(tmp_path: Path) -> None:
    for name, content in (("notes.txt", b"hello"), ("empty.tif", b""), ("text.png", b"hello"), ("nothing", b"")):
        (tmp_path / name).write_bytes(content)
    result = grouped(tmp_path)
    assert [path.name for path in result.ignored] == ["notes.txt", "nothing"]
    assert [(path.name, error.code) for path, error in result.problems] == [
        ("empty.tif", "unreadable-image"), ("text.png", "unreadable-image"),
    ]  # fmt: skip
    assert "it is empty" in result.problems[0][1].message
    named = grouped(tmp_path / "notes.txt")
    assert [path.name for path, _ in named.problems] == ["notes.txt"]


def test_names_that_lead_elsewhere_are_refused(tmp_path: Path) -> None:
    companion, *_ = write_set(tmp_path, ("a.ome.tif",), companion="all.companion.ome")
    companion.write_text(companion.read_text().replace('FileName="a.ome.tif"', 'FileName="../../etc/passwd"'))
    result = grouped(companion)
    assert not result.groups
    assert "its metadata names the file '../../etc/passwd'" in result.problems[0][1].message


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_descriptions_are_found(tmp_path: Path, big: bool, order: str) -> None:
    import numpy as np
    import tifffile

    for text in ("ab", "x" * 1000, "<OME></OME>"):
        path = tmp_path / "x.tif"
        tifffile.imwrite(
            path, np.zeros((2, 2), np.uint8), description=text, metadata=None, bigtiff=big,
            byteorder="<" if order == "<" else ">",
        )  # fmt: skip
        assert first_description(path) == text
        assert embedded_ome_xml(path) == (text if "OME" in text else "")
        content = path.read_bytes()
        for end in range(0, len(content), 7):
            path.write_bytes(content[:end])
            first_description(path)
