"""Versions of Python packages are compared as pip compares them."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from omeroadmin.provisioning.agent.requirements import normal_name, parse_requirement
from omeroadmin.provisioning.agent.versions import parse_specifiers, parse_version, satisfies

NUMBERS = st.integers(0, 3)
RELEASES = st.lists(NUMBERS, min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))


@st.composite
def versions(draw: st.DrawFn, local: bool = True) -> str:
    text = draw(st.sampled_from(["", "", "", "1!"])) + draw(RELEASES)
    kinds = ["", "", "a1", "b2", ".rc0", "-alpha", "c1", "_pre_1", "preview3"]
    text += draw(st.sampled_from(kinds)) + draw(st.sampled_from(["", "", ".post1", "-2", "rev"]))
    text += draw(st.sampled_from(["", "", ".dev0", "-dev3"]))
    return text + (draw(st.sampled_from(["", "", "+local.1", "+2", "+a"])) if local else "")


@st.composite
def specifiers(draw: st.DrawFn) -> str:
    operator = draw(st.sampled_from(["==", "!=", "<", ">", "<=", ">=", "~=", "==*", "!=*"]))
    if operator.endswith("*"):
        return operator[:2] + draw(RELEASES) + ".*"
    if operator == "~=":
        return f"~={draw(NUMBERS)}.{draw(versions(local=False)).rpartition('!')[2]}"
    return operator + draw(versions(local=operator in {"==", "!="}))


@given(versions(), versions())
def test_order(one: str, other: str) -> None:
    first, second = parse_version(one), parse_version(other)
    assert first is not None
    assert second is not None
    assert (first.key < second.key) == (Version(one) < Version(other))
    assert (first.key == second.key) == (Version(one) == Version(other))


@given(versions(), st.lists(specifiers(), max_size=2))
@example("2.2.post1", [">2.2.dev0"])
@example("1.0.post1", [">1.0a1"])
@example("1.0a1.post1", [">1.0a1"])
def test_wished_versions(installed: str, wished: list[str]) -> None:
    parsed = parse_specifiers(",".join(wished))
    assert parsed is not None, wished
    expected = SpecifierSet(",".join(wished)).contains(installed, prereleases=True)
    assert satisfies(installed, parsed) == expected, (installed, wished)


@given(
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,6}[A-Za-z0-9])?", fullmatch=True), st.lists(specifiers(), max_size=2)
)
def test_requirements(name: str, wished: list[str]) -> None:
    text = name + ",".join(wished)
    found = parse_requirement(text)
    assert Requirement(text).name == name
    assert found.name == canonicalize_name(name) == normal_name(name)
    assert found.plain
    assert SpecifierSet(",".join(f"{operator}{version}" for operator, version in found.specifiers)) == (
        Requirement(text).specifier
    )


@given(st.text(max_size=40))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    parse_version(text)
    found = parse_requirement(text)
    assert found.text == text.strip()
    assert not (found.plain and not found.name)
