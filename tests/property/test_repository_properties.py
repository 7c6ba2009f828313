from __future__ import annotations

import contextlib
import hashlib
import tempfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.repository import checksums, layout, path_rules
from omeroadmin.repository.template_path import TemplateContext, expand_below, expand_template

RULES = path_rules.parse_path_rules("Windows required, UNIX required")
ALL_RULES = path_rules.parse_path_rules("Windows required, Windows optional, UNIX required, UNIX optional")


@contextlib.contextmanager
def refused(*codes: str) -> Iterator[None]:
    """The block may succeed, or fail with just one of these codes."""
    try:
        yield
    except AdminError as error:
        if error.code not in codes:
            raise


def path_by_definition(object_id: int) -> str:
    """The rule in words: leading groups of three digits become directories, each but the last three digits' group."""
    digits = str(object_id)
    groups = []
    while len(digits) > 3:
        digits = digits[:-3]
        groups.append(f"Dir-{int(digits) % 1000:03d}")
    return "/".join([*reversed(groups), str(object_id)])


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_id_paths_follow_the_definition(object_id: int) -> None:
    assert str(layout.id_path(object_id)) == path_by_definition(object_id)


@given(st.text())
def test_markers_survive_java(text: str) -> None:
    assert layout.decode_java_text(layout.encode_java_text(text)) == text


@given(st.binary(max_size=40))
def test_any_marker_is_read_or_refused(content: bytes) -> None:
    with refused("marker-invalid"):
        layout.decode_java_text(content)


@given(st.lists(st.binary(max_size=200), max_size=12))
def test_checksums_do_not_depend_on_the_pieces(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    for algorithm in checksums.ALGORITHMS:
        one, many = checksums.new_hasher(algorithm), checksums.new_hasher(algorithm)
        one.update(whole)
        for piece in pieces:
            many.update(memoryview(piece))
        assert one.hexdigest() == many.hexdigest()


@given(st.binary(max_size=2000))
def test_checksums_are_the_libraries(content: bytes) -> None:
    expected = {
        "SHA1-160": hashlib.sha1(content).hexdigest(),  # noqa: S324 - OMERO's algorithm
        "MD5-128": hashlib.md5(content).hexdigest(),  # noqa: S324 - OMERO's algorithm
        "CRC-32": f"{zlib.crc32(content):08x}",
        "Adler-32": f"{zlib.adler32(content):08x}",
        "File-Size-64": f"{len(content):016x}",
    }
    for algorithm, value in expected.items():
        hasher = checksums.new_hasher(algorithm)
        hasher.update(content)
        assert hasher.hexdigest() == value


names = st.text(min_size=1, max_size=300)


@given(names)
def test_safe_names_are_single_allowed_components(name: str) -> None:
    safe = path_rules.safe_name(name, ALL_RULES)
    assert safe not in ("", ".", "..")
    assert not set(safe) & set('"*/:<>?\\|\0')
    assert len(safe.encode()) <= 255
    assert not safe.startswith(("$", ".", "-"))


@given(names)
def test_allowed_names_stay(name: str) -> None:
    once = path_rules.safe_name(name, RULES)
    assert path_rules.safe_name(once, RULES) == once


@given(st.lists(st.text(alphabet="aA/._\\:é", min_size=1, max_size=12), min_size=1, max_size=8))
def test_imported_paths_stay_below_and_differ(client_paths: list[str]) -> None:
    paths: tuple[PurePosixPath, ...] = ()
    with refused("file-name-invalid", "path-escapes"):
        paths = path_rules.safe_relative_paths(client_paths, RULES)
    if not paths:
        return
    assert len({str(path).lower() for path in paths}) == len(client_paths)
    for path in paths:
        assert not path.is_absolute()
        assert ".." not in path.parts


components = st.lists(
    st.sampled_from(
        [
            "a", "%user%", "%userId%", "%group%", "%groupId%", "%perms%", "%institution%", "%institution:X Y, Z%",
            "%year%", "%month%", "%monthname%", "%day%", "%session%", "%sessionId%", "%thread%", "-", "..", "%user",
            "%time%", "%hash%", "%hash:3,3,2%", "%increment%", "%increment:3%", "%subdirs%", "%subdirs:1%", "%bad%",
        ]
    ),
    min_size=1,
    max_size=3,
).map("".join)  # fmt: skip
templates = st.lists(st.one_of(components, st.just("")), min_size=1, max_size=5).map("/".join)


@given(template=templates, user=names, group=names, institution=st.none() | st.text(max_size=20), thread=names)
@settings(max_examples=300)
def test_expanded_templates_never_leave_the_repository(
    template: str, user: str, group: str, institution: str | None, thread: str
) -> None:
    context = TemplateContext(
        user=user,
        user_id=7,
        group=group,
        group_id=3,
        permissions="rw----",
        session="6c2dae43-cfad-48ce-af6f-025569f9e6df",
        session_id=592,
        moment=datetime(2014, 8, 4, 13, 49, 7, 727000),  # noqa: DTZ001 - local time is what the path shows
        rules=RULES,
        institution=institution,
        thread=thread,
        client_paths=("/data/a.tif",),
    )
    expanded = None
    with refused("template-invalid"):
        expanded = expand_template(template, context)
    if expanded is None:
        return
    assert expanded.user_owned
    for name in (*expanded.root_owned, *expanded.user_owned):
        assert name not in ("", ".", "..")
        assert "/" not in name
        assert "\0" not in name
    assert not PurePosixPath(expanded.path).is_absolute()
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        if all(len(name.encode()) <= 255 for name in expanded.path.parts):
            first = root / expand_below(root, template, context).path
            first.mkdir(parents=True)
            assert first.resolve().is_relative_to(root.resolve())


@pytest.mark.parametrize(
    ("content", "murmur32", "murmur128"),
    [
        (b"", "00000000", "00000000000000000000000000000000"),
        (b"abc", "fa93ddb3", "6778ad3f3f3f96b4522dca264174a23b"),
        (b"The quick brown fox jumps over the lazy dog", "23f74f2e", "6c1b07bc7bbc4be347939ac4a93c437a"),
    ],
)
def test_murmur_has_the_published_values(content: bytes, murmur32: str, murmur128: str) -> None:
    for algorithm, expected in (("Murmur3-32", murmur32), ("Murmur3-128", murmur128)):
        hasher = checksums.new_hasher(algorithm)
        hasher.update(content)
        assert hasher.hexdigest() == expected
