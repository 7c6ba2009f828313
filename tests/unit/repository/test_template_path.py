from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.repository.path_rules import parse_path_rules, safe_name, safe_relative_paths
from omeroadmin.repository.template_path import TemplateContext, expand_below, expand_template

DEFAULT = "%user%_%userId%//%year%-%month%/%day%/%time%"
RULES = parse_path_rules("Windows required, UNIX required")
CONTEXT = TemplateContext(
    user="bob",
    user_id=4,
    group="bobLab",
    group_id=3,
    permissions="rw----",
    session="c3fdd5d8-831a-40ff-80f2-0ba5baef448a",
    session_id=592,
    moment=datetime(2011, 1, 1, 15, 13, 54, 14000),  # noqa: DTZ001 - local time is what the path shows
    rules=RULES,
    institution=None,
    thread="Blitz-0-Ice.ThreadPool.Server-3",
    client_paths=("/a/b.tif", "/a/c.tif"),
)


def test_the_default_template() -> None:
    expanded = expand_template(DEFAULT, CONTEXT)
    assert expanded.root_owned == ("bob_4",)
    assert expanded.user_owned == ("2011-01", "01", "15-13-54.014")
    assert expanded.prefix == "bob_4/2011-01/01/15-13-54.014/"


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("%group%-%groupId%/%perms%", "bobLab-3/rw----"),
        ("%session%/%sessionId%", "c3fdd5d8-831a-40ff-80f2-0ba5baef448a/592"),
        ("%thread%/%monthname%", "Blitz-0-Ice.ThreadPool.Server-3/January"),
        ("x/%institution%/y", "x/y"),
        ("x/%institution:State College of Florida, Manatee%/y", "x/State College of Florida, Manatee/y"),
        ("a//b//%user%", "a/b/bob"),
        ("/x/y/", "x/y"),
        ("50%/x", "50%/x"),
    ],
)  # fmt: skip
def test_terms(template: str, path: str) -> None:
    assert str(expand_template(template, CONTEXT).path) == path


def test_the_last_double_slash_divides() -> None:
    expanded = expand_template("a//%user%//c/d", CONTEXT)
    assert expanded.root_owned == ("a", "bob")
    assert expanded.user_owned == ("c", "d")


def test_hash_is_constant_for_the_files_and_can_be_cut() -> None:
    whole = str(expand_template("%hash%", CONTEXT).path)
    assert len(whole) == 8
    assert whole == whole.upper()
    cut = expand_template("hash-%hash:3,3,2%", CONTEXT).user_owned
    assert cut == (f"hash-{whole[:3]}", whole[3:6], whole[6:])
    assert str(expand_template("%hash%", replace(CONTEXT, client_paths=("/a/b.tif",))).path) != whole


def test_time_goes_on_until_it_is_free() -> None:
    taken = {PurePosixPath("15-13-54.014"), PurePosixPath("15-13-54.015")}
    assert str(expand_template("%time%", CONTEXT, exists=taken.__contains__).path) == "15-13-54.016"


def test_increment_takes_the_next_number(tmp_path: Path) -> None:
    for number in range(1, 25):
        (tmp_path / f"inc-{number:03d}").mkdir()
    assert str(expand_below(tmp_path, "inc-%increment:3%", CONTEXT).path) == "inc-025"
    assert str(expand_below(tmp_path, "inc-%increment%", CONTEXT).path) == "inc-1"


def test_subdirs_appear_when_a_directory_is_full(tmp_path: Path) -> None:
    template = "example/below-%subdirs:1%/inc-%increment%"

    def expand_and_make() -> str:
        path = expand_below(tmp_path, template, CONTEXT).path
        (tmp_path / path).mkdir(parents=True)
        return str(path)

    made = [expand_and_make() for _ in range(10 + 100 + 3)]
    assert made[:10] == [f"example/inc-{number}" for number in range(1, 11)]
    assert made[10] == "example/below-0/inc-1"
    assert made[20] == "example/below-1/inc-1"
    assert made[109] == "example/below-9/inc-10"
    assert made[110:] == [f"example/below-0/0/inc-{number}" for number in (1, 2, 3)]


def test_subdirs_alone_leave_nothing_to_the_user_while_there_is_room() -> None:
    with pytest.raises(AdminError, match="leaves no directory"):
        expand_template("%subdirs%", CONTEXT)


@pytest.mark.parametrize(
    "template",
    [
        "", "/", "a//", "%nothing%", "a%b-c%", "%time%//a", "%hash%//a", "%increment%//a", "%subdirs%//a",
        "%time%%increment%", "%time%-%subdirs%", "%hash:9%", "%hash:4,4,1%", "%hash:x%", "%increment:x%",
        "%user:x%", "../a", "a/../b", "a/./b", "a\n", "a/b\0c",
    ],
)  # fmt: skip
def test_templates_that_cannot_work_are_refused(template: str) -> None:
    with pytest.raises(AdminError) as caught:
        expand_template(template if template != "a\n" else "a\nb", CONTEXT)
    assert caught.value.code == "template-invalid"
    assert "\n" not in caught.value.message.replace(template, "") or template == "a\n"


def test_names_of_people_are_made_safe() -> None:
    context = replace(CONTEXT, user="../../etc", group="..", institution="A/B\0C")
    assert expand_template("%user%/%group%/%institution%", context).user_owned == (".._.._etc", "__", "A_B_C")


def test_a_user_name_that_looks_like_a_term_is_not_expanded() -> None:
    assert str(expand_template("%user%", replace(CONTEXT, user="%group%")).path) == "%group%"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("my file.tif", "my file.tif"),
        ("a:b?.tif", "a_b_.tif"),
        ("$recycle", "_$recycle"),
        ("con", "_con"),
        ("COM1.tif", "_COM1.tif"),
        ("console.tif", "console.tif"),
        (".hidden", ".hidden"),
        ("..", "__"),
        ("tab\tnew\nline", "tab_new_line"),
        ("x" * 300 + ".ome.tif", "x" * 251 + ".tif"),
    ],
)
def test_file_names(name: str, safe: str) -> None:
    assert safe_name(name, RULES) == safe


def test_optional_rules() -> None:
    rules = parse_path_rules("UNIX optional,Windows optional , local required")
    assert safe_name("-rf.", rules) == "_-rf._"
    assert safe_name("a:b", rules) == "a:b"


def test_unknown_rules_are_refused() -> None:
    for text in ("", "Amiga required"):
        with pytest.raises(AdminError, match="no rules named"):
            parse_path_rules(text)


def test_shared_directories_are_left_out() -> None:
    paths = safe_relative_paths(["/data/run/a/1.tif", "/data/run/b/1.tif", "/data/run/readme"], RULES)
    assert [str(path) for path in paths] == ["a/1.tif", "b/1.tif", "readme"]
    assert [str(path) for path in safe_relative_paths(["C:\\data\\x.tif"], RULES)] == ["x.tif"]
    assert [str(path) for path in safe_relative_paths(["C:\\x\\1.tif", "D:\\x\\1.tif"], RULES)] == [
        "C/x/1.tif",
        "D/x/1.tif",
    ]
    assert [str(path) for path in safe_relative_paths(["/d/a\nb", "/d/a\tb", "/d/A_B"], RULES)] == [
        "a_b",
        "a_b_2",
        "A_B_3",
    ]


@pytest.mark.parametrize(
    "path",
    ["", "/", "dir/", *(f"a{character}b.tif" for character in '"*:<>?\\|'), "$a.tif", "CON", "nul.tif", "Lpt1.a.tif"],
)
def test_paths_that_the_rules_forbid_are_refused(path: str) -> None:
    with pytest.raises(AdminError) as caught:
        safe_relative_paths([path], RULES)
    assert caught.value.code == "file-name-invalid"
    for clash in (["/a/x.tif", "/a/x.tif/y.tif"], ["/a/X/y/z.tif", "/a/x"]):
        with pytest.raises(AdminError, match="another file of the import has its directory's name"):
            safe_relative_paths(clash, RULES)
    assert safe_relative_paths(["/folders: not stored?/a.tif"], RULES) == (PurePosixPath("a.tif"),)


@pytest.mark.parametrize("path", ["..", "/a/../b.tif", "../../etc/passwd"])
def test_paths_that_go_up_are_refused(path: str) -> None:
    with pytest.raises(AdminError) as caught:
        safe_relative_paths([path], RULES)
    assert caught.value.code == "path-escapes"


def test_optional_rules_are_enforced_when_chosen() -> None:
    rules = parse_path_rules("UNIX optional, Windows optional")
    for name in (".hidden", "-rf", "end.", "end "):
        with pytest.raises(AdminError):
            safe_relative_paths([name], rules)
        assert safe_relative_paths([name], RULES)
    assert safe_relative_paths(["a:b?.tif"], rules) == (PurePosixPath("a:b?.tif"),)
