"""What ``omero fs`` prints: sizes, rows while they arrive, and options that take several values."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.cli.main import load_command
from omeroadmin.cli.output import Style
from omeroadmin.cli.views.files import size_text
from omeroadmin.cli.views.import_records import print_summary, time_lines
from omeroadmin.cli.views.rows import Column, print_rows
from omeroadmin.errors import AdminError
from omeroadmin.workflows.import_records import Times
from omeroadmin.workflows.usage import Part, Usage, parse_targets, summed

COLUMNS = (Column("Name", lambda item: item["name"]), Column("Size", lambda item: item["size"], right=True))


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (235, "235 B"),
        (1023, "1023 B"),
        (1024, "1.0 KB"),
        (445_542, "435.1 KB"),
        (1_782_580, "1.7 MB"),
        (1_181_116_006, "1.1 GB"),
        (2**40, "1.0 TB"),
        (2**60, "1024.0 PB"),
    ],
)
def test_sizes_as_omero_prints_them(size: int, text: str) -> None:
    assert size_text(size) == text


def test_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    items: list[dict[str, Any]] = [{"name": "a", "size": 5}, {"name": "long\nname", "size": None}]
    print_rows("images", COLUMNS, items, Style.SQL, place=", starting at 0 of approx. 7")
    assert capsys.readouterr().out == (
        " # | Name         | Size\n"
        "---+--------------+------\n"
        " 0 | a            |    5\n"
        " 1 | long\\x0aname |\n"
        "(2 rows, starting at 0 of approx. 7)\n"
    )


def test_rows_are_printed_while_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    def items() -> Iterator[dict[str, Any]]:
        yield {"name": "first", "size": 1}
        assert "first" in capsys.readouterr().out
        yield {"name": "second", "size": 2}

    print_rows("images", COLUMNS, items(), Style.PLAIN, numbered=False)
    assert capsys.readouterr().out == "second,2\n"


@given(st.lists(st.fixed_dictionaries({"name": st.text(), "size": st.none() | st.integers()}), max_size=5))
def test_json_is_one_document_whatever_the_names(items: list[dict[str, Any]]) -> None:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        print_rows("images", COLUMNS, items, Style.JSON)
    assert json.loads(output.getvalue()) == {"schema": "omeroadmin/images/1", "images": items}


@given(st.lists(st.text(), max_size=4))
def test_a_row_of_csv_is_a_line(names: list[str]) -> None:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        print_rows("images", COLUMNS, [{"name": name, "size": 1} for name in names], Style.CSV)
    assert len(list(csv.reader(io.StringIO(output.getvalue())))) == len(names) + 1


@pytest.mark.parametrize(
    ("words", "taken", "objects"),
    [
        (["--sum-by", "user", "group", "Image:1"], ["user", "group"], ["Image:1"]),
        (["--sum-by=user", "group"], ["user", "group"], []),
        (["--sum-by", "user", "--sum-by", "component", "--report", "Image:1"], ["user", "component"], ["Image:1"]),
        (["Image:1", "--sort-by", "size", "--sum-by", "user"], ["user"], ["Image:1"]),
        (["--sum-by", "user", "--", "group"], ["user"], ["group"]),
    ],
)
def test_several_values_of_an_option(words: list[str], taken: list[str], objects: list[str]) -> None:
    context = load_command("fs", "usage").make_context("usage", words)
    assert [str(value) for value in context.params["sum_by"]] == taken
    assert list(context.params["objects"] or ()) == objects


def test_times_as_omero_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    times = Times(7, {"upload (ms)": 1500, "# files": 3, "setId (ms)": 20, "metadata (ms)": 12345}, kept=True)
    assert list(time_lines(times)) == [
        "   upload time of   1.50s for 3 files (0.500s/file)",
        "    setId time of   0.02s",
        " metadata time of  12.35s",
    ]
    print_summary([times])
    header, row = capsys.readouterr().out.splitlines()
    assert header.startswith('"fileset","upload (ms)","# files","setId (ms)"')
    assert row == "7,1500,3,20,12345,,,,,,,"
    print_summary([])
    assert capsys.readouterr() == ("", "no import times to report\n")


def test_sums() -> None:
    found = Usage(
        (
            Part("Job", 1, "a", 5, "g", 10, 1),
            Part("Pixels", 1, "a", 6, "h", 30, 2),
            Part("Job", 2, "b", 5, "g", 5, 4),
        )
    )
    assert (found.size, found.files) == (45, 7)
    assert summed(found, ["component"], []) == [
        {"component": "Job", "size": 15, "files": 5},
        {"component": "Pixels", "size": 30, "files": 2},
    ]
    assert [item["user"] for item in summed(found, ["user"], ["group", "size"], reverse=True)] == [1, 2]


def test_objects_as_they_are_typed() -> None:
    targets = parse_targets(["Image:1,2", "image:3", "Dataset:*", "Dataset:*"])
    assert (targets.ids, targets.types) == ({"Image": (1, 2, 3)}, ("Dataset",))
    for text in ("Image", "Image:", "Image:1,", "Image:x", "Well:1", "Image:-1", "Image:1\n"):
        with pytest.raises(AdminError) as caught:
            parse_targets([text])
        assert caught.value.code == "object-invalid"
