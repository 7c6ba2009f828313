"""Expressions and templates of playbooks: types that stay, strictness, and places in messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.provisioning.expressions import Expressions, has_template
from omeroadmin.schema.tree import Node, ScalarNode
from omeroadmin.system.yaml_reader import Elsewhere, read_yaml

CONTEXT = {
    "name": "web1", "port": 4080, "on": True, "none": None, "names": ["a", "b"], "release": "3.10",
    "base": {"family": "debian", "items": 3, "memory": {"total": 5}},
}  # fmt: skip


def node(text: str) -> Node:
    return read_yaml(text, "web.yml", Elsewhere(Path(), {"TOKEN": "{{ name }}"}))


def value(text: str) -> Any:
    return Expressions(Path("/nowhere")).value(node(text), CONTEXT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'{{ names }}'", ["a", "b"]),
        ("'{{names}}'", ["a", "b"]),
        ("'{{ port }}'", 4080),
        ("'{{ port + 1 }}'", 4081),
        ("'{{ on }}'", True),
        ("'{{ none }}'", None),
        ("'{{ release }}'", "3.10"),
        ("'{{ base.memory.total }}'", 5),
        ("'{{ base[\"items\"] }}'", 3),
        ('\'{{ {"a": {"b": port}} }}\'', {"a": {"b": 4080}}),
        ("'{{ name }}:{{ port }}'", "web1:4080"),
        ("'{{ name | upper }}:{{ port }}'", "WEB1:4080"),
        ("'a {{ on }} b'", "a true b"),
        ("'a {{ on and 1 == 1 }} b'", "a true b"),
        ("'{% for one in names %}<{{ one }}>{% endfor %}'", "<a><b>"),
        ("'{{ name }}{# a remark #}'", "web1"),
        ("[1.10, '{{ name }}', {x: '{{ port }}'}]", [1.1, "web1", {"x": 4080}]),
        ("!env TOKEN", "{{ name }}"),
        ("'it costs {5}'", "it costs {5}"),
    ],
)
def test_values(text: str, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("'{{ nam }}'", "variable-unknown", "web.yml:1: '{{ nam }}': 'nam' is undefined"),
        ("'x {{ base.familie }}'", "variable-unknown", "familie"),
        ("'{{ none }} x'", "expression-invalid", "gives nothing"),
        ("'{{ port + }}'", "expression-invalid", "web.yml:1"),
        ("'{{ 1 // 0 }}'", "expression-invalid", "by zero"),
        ("'{{ port + name }}'", "expression-invalid", "unsupported operand"),
        ("'{{ names.append(1) }}'", "expression-invalid", "unsafe"),
        ("'{{ name.__class__ }}'", "expression-invalid", "unsafe"),
        ("'{{ range(10000000) | list }}'", "expression-invalid", "Range too big"),
    ],
)
def test_faults_have_their_place(text: str, code: str, said: str) -> None:
    with pytest.raises(AdminError) as caught:
        value(text)
    assert caught.value.code == code
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_conditions() -> None:
    expressions = Expressions(Path("/nowhere"))

    def holds(text: str) -> bool:
        return expressions.condition(ScalarNode(text, "web.yml:3", plain=True), CONTEXT)

    assert holds("true")
    assert holds("port > 1024 and base.family == 'debian'")
    assert holds("missing is not defined")
    assert not holds("none")
    for wrong in ("{{ on }}", "name", "port >", "on }} and {{ on", "missing"):
        with pytest.raises(AdminError, match=r"web\.yml:3"):
            holds(wrong)


def test_items() -> None:
    expressions = Expressions(Path("/nowhere"))
    assert expressions.items(node("names"), CONTEXT) == ["a", "b"]
    assert expressions.items(node("'{{ names }}'"), CONTEXT) == ["a", "b"]
    assert expressions.items(node("[x, '{{ name }}']"), CONTEXT) == ["x", "web1"]
    assert expressions.items(node("{x: 1}"), CONTEXT) == [{"key": "x", "value": 1}]
    with pytest.raises(AdminError, match="takes a list or a map"):
        expressions.items(node("port"), CONTEXT)


def test_template_files_are_found_and_their_lines_named(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.j2").write_text("one\n{% if on %}\ntwo {{ name | shell }}\n{% endif %}\n")
    (tmp_path / "b.j2").write_text("one\n{% include 'a.j2' %}\n{{ nam }}\n")
    expressions = Expressions(tmp_path)
    assert expressions.file("a.j2", CONTEXT, "web.yml:1") == "one\ntwo web1\n"
    assert expressions.file(str(tmp_path / "templates" / "a.j2"), CONTEXT, "web.yml:1") == "one\ntwo web1\n"
    with pytest.raises(AdminError) as caught:
        expressions.file("b.j2", CONTEXT, "web.yml:7")
    assert caught.value.message == "web.yml:7: b.j2:3: 'nam' is undefined"
    assert caught.value.hint == "did you mean name?"
    with pytest.raises(AdminError) as caught:
        expressions.file("c.j2", CONTEXT, "web.yml:7")
    assert caught.value.code == "template-missing"


def test_secrets_are_no_templates() -> None:
    assert not has_template(node("!env TOKEN"))
    assert has_template(node("[a, {b: '{{ c }}'}]"))
