"""Trees of YAML, inventories, patterns: any text is read or refused in words, and selecting is set algebra."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.provisioning.inventory_file import read_inventory
from omeroadmin.provisioning.patterns import ALL, select
from omeroadmin.provisioning.secrets import Redactor, is_too_short
from omeroadmin.schema.tree import native
from omeroadmin.system.yaml_reader import Elsewhere, read_yaml

T = TypeVar("T")
ELSEWHERE = Elsewhere(Path("/nowhere"), {"A": "swordfish"})
words = st.text(alphabet="ab1.-_\u00e9 :#'\"{}[]&*!|>%@`\\\n\t", max_size=8)
scalars = st.one_of(words, st.integers(), st.booleans(), st.none())
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=12
)
names = st.sampled_from(["h1", "h2", "h3", "g1", "g2", "g3", "all", "none", "h*"])
several = st.lists(names, max_size=3) | names
connections = st.dictionaries(
    st.sampled_from(["user", "port", "jump", "become", "python", "key", "x"]), scalars | names, max_size=2
)
inventories = st.fixed_dictionaries(
    {"hosts": st.dictionaries(names, connections | st.none(), min_size=1, max_size=3)},
    optional={
        "groups": st.dictionaries(
            names,
            st.fixed_dictionaries({}, optional={"hosts": several, "groups": several, "variables": trees}),
            max_size=3,
        ),
        "defaults": connections,
    },
)


def some(*choices: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(choices), max_size=3)


sound = st.fixed_dictionaries(
    {
        "defaults": st.fixed_dictionaries({}, optional={"jump": st.sampled_from(["h1", "none"])}),
        "groups": st.dictionaries(
            st.sampled_from(["g1", "g2", "g3", "g4"]),
            st.fixed_dictionaries({"hosts": some("h1", "h2", "h3")}, optional={"groups": some("g1", "g2", "g3", "g4")}),
        ),
        "hosts": st.fixed_dictionaries(
            {
                name: st.fixed_dictionaries({}, optional={"jump": st.sampled_from(["h1", "h2", "none"])})
                for name in ("h1", "h2", "h3")
            }
        ),
    }
)
"""Mostly without faults but circles and groups that aren't there."""
HOSTS = ("h1", "h2", "h3", "web1", "web2")
members = st.dictionaries(
    st.sampled_from(["web", "db", "site", "empty"]), st.frozensets(st.sampled_from(HOSTS)), min_size=1
).map(lambda groups: {**{host: frozenset({host}) for host in HOSTS}, **groups, ALL: frozenset(HOSTS)})


def outcome(action: Callable[[], T]) -> tuple[T | None, AdminError | None]:
    """What an action gives, or how it is refused."""
    try:
        return action(), None
    except AdminError as error:
        return None, error


@given(st.one_of(st.text(max_size=40), words, st.text(alphabet="a:-[]{},!&*\n #'\"<%@?|>~", max_size=30)))
def test_any_text_is_a_tree_or_refused_with_its_place(text: str) -> None:
    _, error = outcome(lambda: native(read_yaml(text, "f", ELSEWHERE)))
    assert error is None or error.message.startswith("f:")


@given(trees)
def test_what_others_write_is_read_as_it_was(tree: Any) -> None:
    written = yaml.safe_dump(_texts(tree), allow_unicode=True, default_style='"')
    assert native(read_yaml(written, "f", ELSEWHERE)) == _texts(tree)


def _texts(tree: Any) -> Any:
    """The same with texts only, in whose writing all of YAML's readers agree."""
    match tree:
        case list():
            return [_texts(item) for item in tree]
        case dict():
            return {name: _texts(item) for name, item in tree.items()}
    return str(tree)


@given(
    st.one_of(
        sound.map(yaml.safe_dump), inventories.map(yaml.safe_dump), trees.map(yaml.safe_dump), st.text(max_size=20)
    )
)
def test_any_inventory_is_read_or_refused_in_words(text: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "hosts.yml"
        file.write_text(text, "utf-8")
        inventory, error = outcome(lambda: read_inventory(file, {}))
    if inventory is None:
        assert error is not None
        assert error.message.startswith(str(file))
        return
    everybody = {host.name for host in inventory.hosts}
    for group in inventory.groups:
        assert set(group.members) <= everybody
        assert set(group.members) == {host.name for host in inventory.hosts if group.name in host.groups}
        assert set(group.members) == {host.name for host in inventory.select(group.name)}
    for host in inventory.hosts:
        assert host not in (inventory.way_to(host) or ())
        order = {name: number for number, name in enumerate(host.groups)}
        for group in inventory.groups:
            inner = [child for child in group.groups if child in order]
            assert all(order[group.name] < order[child] for child in inner)


@given(members, st.data())
def test_patterns_are_set_algebra(groups: dict[str, frozenset[str]], data: st.DataObject) -> None:
    known = st.sampled_from(sorted(groups))
    a, b, c = (data.draw(known) for _ in range(3))
    assert select(f"{a},{b}", groups) == groups[a] | groups[b] == select(f"{b},{a}", groups)
    assert select(f"{a},&{b}", groups) == groups[a] & groups[b]
    assert select(f"{a},!{b}", groups) == groups[a] - groups[b] == select(f"!{b},{a}", groups)
    assert select(f"!{a}", groups) == groups[ALL] - groups[a]
    assert select(f"{a},!{b},{c},&{b}", groups) == frozenset()
    assert select(f"{a},{a}", groups) == select(a, groups) == groups[a]


@given(members, st.text(max_size=12))
def test_any_pattern_selects_or_is_refused(groups: dict[str, frozenset[str]], text: str) -> None:
    found, error = outcome(lambda: select(text, groups))
    if found is None:
        assert error is not None
        assert error.code in ("pattern-invalid", "host-unknown")
    else:
        assert found <= groups[ALL]


without_stars = words.filter(lambda word: "*" not in word)


@given(st.lists(without_stars, max_size=4), without_stars)
def test_no_line_of_a_secret_is_left(secrets: list[str], around: str) -> None:
    shown = Redactor(secrets).hide("\n".join([around, *secrets, around]))
    lines = {line.strip() for secret in secrets for line in secret.splitlines() if not is_too_short(line)}
    assert not any(line in shown for line in lines)
