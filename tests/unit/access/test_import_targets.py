"""Targets as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.workflows.import_targets import ByPath, Container, Named, parse_target, target_of_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dataset:2", Named(Container("Dataset", 2))),
        ("Dataset:id:2", Named(Container("Dataset", 2))),
        ("dataset:id:2", Named(Container("Dataset", 2))),
        ("Screen:3", Named(Container("Screen", 3))),
        ("Dataset:name:Sample01", Named(Container("Dataset", name="Sample01"))),
        ("Dataset:+name:Sample01", Named(Container("Dataset", name="Sample01"))),
        ("Dataset:-name:Sample01", Named(Container("Dataset", name="Sample01", choice="oldest"))),
        ("Dataset:%name:Sample01", Named(Container("Dataset", name="Sample01", choice="unique"))),
        ("Dataset:@name:Sample01", Named(Container("Dataset", name="Sample01", choice="new"))),
        ("Dataset:name:a:b/c: d", Named(Container("Dataset", name="a:b/c: d"))),
        ("Screen:+name:Pathway", Named(Container("Screen", name="Pathway"))),
        (
            "Project:name:Proj1/Dataset:name:New Dataset",
            Named(Container("Dataset", name="New Dataset"), Container("Project", name="Proj1")),
        ),
        ("Project:7/Dataset:@name:x", Named(Container("Dataset", name="x", choice="new"), Container("Project", 7))),
        ("Project:name:a/b/Dataset:2", Named(Container("Dataset", 2), Container("Project", name="a/b"))),
    ],
)
def test_containers(text: str, expected: Named) -> None:
    assert parse_target(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "Dataset", "Dataset:", "Dataset:x", "Dataset:-1", "Dataset:+id:2", "Dataset:name:", "Dataset:label:x",
     "Image:1", "Project:name:x", "Project:1/Screen:2", "regex:", "regex:name:(", "regex:^.*$", "Dataset:name",
     "Dataset:\u0663"],
)  # fmt: skip
def test_what_can_not_be_meant(text: str) -> None:
    with pytest.raises(AdminError) as caught:
        parse_target(text)
    assert (caught.value.code, caught.value.exit_status) == ("target-invalid", ExitStatus.USAGE)


@pytest.mark.parametrize(
    ("text", "folder", "name", "choice"),
    [
        ("regex:^.*images/(?<Container1>.*?)", "/data/images/dv", "dv", "newest"),
        ("regex:+name:^.*images/(?<Container1>.*?)", "/data/images/dv", "dv", "newest"),
        ("regex:-name:^.*images/(?<Container1>.*?)", "/data/images/dv", "dv", "oldest"),
        ("regex:%name:^.*images/(?<Container1>.*?)", "/data/images/dv", "dv", "unique"),
        ("regex:@name:^.*images/(?<Container1>.*?)", "/data/images/dv", "dv", "new"),
        (
            "regex:+name:^.*bd-pathway/(?<Container1>[^/]*)/.*",
            "/d/bd-pathway/week-1/2015-12-01_000",
            "week-1",
            "newest",
        ),
        ("regex:.*/(?:a:)?(?<Container1>[^/]+)", "/x/a:b", "b", "newest"),
        (r"regex:\Q/a.b/\E(?<Container1>\w++)", "/a.b/c", "c", "newest"),
        ("regex:(?<!x)/(?<Container1>.+)", "/é ü", "é ü", "newest"),
    ],
)
def test_names_from_paths(text: str, folder: str, name: str, choice: str) -> None:
    wish = parse_target(text)
    assert isinstance(wish, ByPath)
    assert wish.container(Path(folder), is_plate=False) == Container("Dataset", name=name, choice=choice)
    assert wish.container(Path(folder), is_plate=True).kind == "Screen"


def test_a_path_that_does_not_match_is_no_target() -> None:
    wish = parse_target("regex:^/images/(?<Container1>[^/]*)")
    assert isinstance(wish, ByPath)
    for folder in ("/images/a/b", "/other", "/images/"):
        with pytest.raises(AdminError) as caught:
            wish.container(Path(folder), is_plate=False)
        assert caught.value.code == "target-unmatched"


def test_ids() -> None:
    assert target_of_id("Dataset", "5") == target_of_id("Dataset", "Dataset:5") == Named(Container("Dataset", 5))
    for text in ("x", "Screen:5", "", "Dataset:"):
        with pytest.raises(AdminError):
            target_of_id("Dataset", text)


@given(st.text(max_size=60))
def test_any_text_is_a_target_or_one_line(text: str) -> None:
    for candidate in (text, f"Dataset:{text}", f"regex:{text}", f"Project:{text}/Dataset:name:{text}"):
        try:
            parse_target(candidate)
        except AdminError as error:
            assert error.code == "target-invalid"  # noqa: PT017 - both outcomes are fine
