"""A config.xml may hold anything: it is read and kept whole, or refused in words and left as it is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import quoteattr

from hypothesis import example, given
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.profiles.document import Document
from omeroadmin.profiles.export import ExportFormat, export_text
from omeroadmin.profiles.reader import ACTIVE, Content, read_content
from omeroadmin.profiles.store import activate_profile, drop_profile, read_profile, update_profile, upgrade_profiles
from tests.property.test_config_xml import names, values
from tests.support.attempts import attempt

PIECES = [
    b"<icegrid>", b"</icegrid>", b"<icegrid />", b"<properties>", b"</properties>", b'<properties id="default">',
    b'<properties id="__ACTIVE__">', b"<property />", b'<property name="a" value="1" />', b'<property name="a" />',
    b'<property value="x" />', b'<property name="omero.config.profile" value="other" />',
    b'<property name="omero.config.version" value="4.2.0" />', b'<include file="templates.xml" />', b"<a>", b"</a>",
    b"<!-- x -->", b"<!--", b"-->", b"<?x y?>", b"<![CDATA[<]]>", b"&amp;", b"&x;", b"&#0;", b"text", b"\n", b"\0",
    b"\xff", b"\xef\xbb\xbf", b"<!DOCTYPE icegrid>", b'<!DOCTYPE x [<!ENTITY x "y">]>', b'<?xml version="1.0"?>',
    b'<?xml version="1.0" encoding="utf-16"?>', b'<?xml version="1.0" encoding="x"?>',
]  # fmt: skip
ACTIVE_NAMELESS = b'<properties id="__ACTIVE__"><property name="omero.config.profile" value="" /></properties>'
attributes = st.dictionaries(st.sampled_from(["id", "name", "value", "more"]), values, max_size=3)


def element(tag: str, given_attributes: dict[str, str], children: list[str]) -> str:
    """An element as text."""
    written = "".join(f" {name}={_quoted(value)}" for name, value in given_attributes.items())
    return f"<{tag}{written}>{''.join(children)}</{tag}>"


def _quoted(value: str) -> str:
    return quoteattr(value, {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})


identities = st.fixed_dictionaries({}, optional={"id": st.sampled_from(["default", "other", ACTIVE, "", "a b"])})
settings_ = st.builds(
    element,
    st.sampled_from(["property", "property", "property", "other"]),
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(["a", "omero.config.version", "omero.config.profile"]) | values,
            "value": st.sampled_from(["4.2.0", "4.2.1", "5.1.0", "other", ACTIVE]) | values,
            "more": values,
        },
    ),
    st.just([]),
)
others = st.recursive(
    st.sampled_from(["text", "<!-- mine -->", "<?keep this?>", "\n\t"]),
    lambda inner: st.builds(element, st.sampled_from(["node", "properties", "include"]), attributes, st.lists(inner)),
    max_leaves=4,
)
blocks = st.builds(element, st.just("properties"), identities, st.lists(settings_ | others, max_size=4))
well_formed = st.builds(element, st.just("icegrid"), attributes, st.lists(blocks | others, max_size=4)).map(str.encode)
contents = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from(PIECES), max_size=10).map(b"".join),
    st.lists(st.sampled_from(PIECES), max_size=8).map(lambda pieces: b"<icegrid>%b</icegrid>" % b"".join(pieces)),
    well_formed,
)


@contextmanager
def a_file(content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "config.xml")
        file.write_bytes(content)
        yield file


@given(contents, names, values)
@example(b"<icegrid>" + b"<a>" * 5_000 + b"</a>" * 5_000 + b"</icegrid>", "a", "1")
@example(b"<icegrid>%s</icegrid>" % ACTIVE_NAMELESS, "a", "1")
def test_any_content_is_changed_as_a_whole_or_refused_in_words(content: bytes, name: str, value: str) -> None:
    with a_file(content) as file:
        before = attempt(lambda: read_content(file))
        changes = attempt(lambda: update_profile(file, {name: value}))
        if isinstance(before, AdminError):
            # Who reads and who writes say the same.
            assert isinstance(changes, AdminError)
            assert (changes.code, changes.message) == (before.code, before.message)
        if isinstance(changes, AdminError):
            assert file.read_bytes() == content
            assert {path.name for path in file.parent.iterdir()} <= {"config.xml", "config.xml.lock"}
            return
        assert isinstance(before, Content)
        after = read_content(file)
        assert after.active == before.active
        profile = changes.profile
        assert after.profile(profile).values == {**before.profile(profile).values, name: value}
        assert {other: after.profile(other).values for other in before.names() if other != profile} == {
            other: before.profile(other).values for other in before.names() if other != profile
        }
        assert Document(file, file.read_bytes()).finish() is None


@given(contents)
@example(b'<icegrid><properties id="a&#10;b\x7f" /></icegrid>')
def test_no_verb_stumbles_over_any_content(content: bytes) -> None:
    for verb in (
        lambda file: export_text(read_profile(file).values, ExportFormat.JSON),
        lambda file: activate_profile(file, "third"),
        lambda file: drop_profile(file, "default"),
        upgrade_profiles,
    ):
        with a_file(content) as file:
            done = attempt(lambda verb=verb, file=file: verb(file))  # type: ignore[misc]
            if isinstance(done, AdminError):
                assert file.read_bytes() == content
            else:
                read_content(file)


@given(st.text() | names, st.text() | values)
@example("a", "\ud800")
@example("omero.config.version", "5.1.0")
def test_any_name_and_value_is_stored_as_it_is_or_refused_in_words(name: str, value: str) -> None:
    with a_file(
        b'<icegrid><properties id="default"><property name="present" value="1"/></properties></icegrid>'
    ) as file:
        before = file.read_bytes()
        done = attempt(lambda: update_profile(file, {name: value}))
        if isinstance(done, AdminError):
            assert file.read_bytes() == before
        else:
            assert read_profile(file).values == {"present": "1", name: value}
