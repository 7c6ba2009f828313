"""Reads playbooks and checks them against the operations that there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omeroadmin.errors import usage_error
from omeroadmin.provisioning.operations.catalog import declarations
from omeroadmin.provisioning.playbook import (
    Playbook,
    PlaybookList,
    Requirement,
    Stage,
)
from omeroadmin.provisioning.playbook_entries import read_entry
from omeroadmin.provisioning.playbook_faults import check_names, check_triggers
from omeroadmin.provisioning.playbook_shape import PLAYBOOK, PLAYBOOK_LIST
from omeroadmin.provisioning.playbook_variables import VariableReader
from omeroadmin.resources import playbooks_directory
from omeroadmin.schema.shapes import checked
from omeroadmin.schema.tree import ListNode, MapNode, Node, ScalarNode, scalars
from omeroadmin.system.yaml_reader import read_yaml_file

_HINT = "a playbook has the keys playbook, title, hosts and stages"


def find_playbook(name: str) -> Path:
    """The file of a playbook: the one named, else the one of the package.

    :raises AdminError: ``playbook-missing``
    """
    given = Path(name)
    if given.is_file():
        return given
    own = playbooks_directory()
    if given.name == name:
        for candidate in (own / name, own / f"{name}.yml"):
            if candidate.is_file():
                return candidate
    there = ", ".join(sorted(path.name for path in own.glob("*.yml"))) or "none"
    raise usage_error(
        "playbook-missing", f"there is no playbook {name}", f"name a file, or one of the package: {there}"
    )


def read_playbooks(path: Path, environment: Mapping[str, str]) -> tuple[Playbook, ...]:
    """The playbook of a file, or all that it names, in their order.

    :param environment: variables for ``!env``
    :raises AdminError: as :func:`read_playbook_file`; ``playbooks-in-circles``, ``playbook-twice``
    """
    return require_once(_collect(path, environment, ()))


def require_once(playbooks: Sequence[Playbook]) -> tuple[Playbook, ...]:
    """The same playbooks, none of which is there twice.

    :raises AdminError: ``playbook-twice``
    """
    places: dict[str, Path] = {}
    for playbook in playbooks:
        if playbook.name in places:
            raise usage_error(
                "playbook-twice",
                f"{playbook.path}: the playbook {playbook.name} is carried out twice: {places[playbook.name]}",
                "give it another name, or name it once",
            )
        places[playbook.name] = playbook.path
    return tuple(playbooks)


def _collect(path: Path, environment: Mapping[str, str], above: tuple[Path, ...]) -> tuple[Playbook, ...]:
    if path.resolve() in above:
        raise usage_error("playbooks-in-circles", f"{path}: it names itself, or others that name it")
    found = read_playbook_file(path, environment)
    if isinstance(found, Playbook):
        return (found,)
    collected: list[Playbook] = []
    for inner, origin in zip(found.paths, found.origins, strict=True):
        if not inner.is_file():
            raise usage_error("playbook-missing", f"{origin}: there is no playbook {inner}")
        collected += _collect(inner, environment, (*above, path.resolve()))
    return tuple(collected)


def read_playbook_file(path: Path, environment: Mapping[str, str]) -> Playbook | PlaybookList:
    """What one file says.

    :param environment: variables for ``!env``
    :raises AdminError: ``yaml-invalid``, ``value-invalid``, ``key-unknown``, ``key-missing``, ``operation-unknown``,
        ``trigger-unknown`` …, each with file and line
    """
    tree = read_yaml_file(path, environment, hint=_HINT)
    if isinstance(tree, MapNode) and "playbooks" in tree.members:
        return _playbook_list(tree, path)
    found: dict[str, Any] = checked(tree, PLAYBOOK)
    assert isinstance(tree, MapNode)  # noqa: S101 - it has no faults
    playbook = Playbook(
        found["playbook"],
        path,
        found["title"],
        found.get("description", "").strip(),
        found["hosts"],
        found.get("serial", 0),
        VariableReader(environment).variables(tree, path),
        tuple(_requirements(tree)),
        tuple(_stage(stage, number) for number, stage in enumerate(_items(tree, "stages"), 1)),
        frozenset(scalar.text for scalar in scalars(tree) if scalar.is_secret and scalar.text),
    )
    check_names(playbook)
    check_triggers(playbook)
    return playbook


def _playbook_list(tree: MapNode, path: Path) -> PlaybookList:
    found: dict[str, Any] = checked(tree, PLAYBOOK_LIST)
    names = [node for node in _items(tree, "playbooks") if isinstance(node, ScalarNode)]
    return PlaybookList(
        found["playbook"],
        path,
        found["title"],
        found.get("description", "").strip(),
        tuple(path.parent / Path(name.text).expanduser() for name in names),
        tuple(name.origin for name in names),
    )


def _items(tree: MapNode, key: str) -> tuple[Node, ...]:
    node = tree.members.get(key)
    return node.items if isinstance(node, ListNode) else ()


def _requirements(tree: MapNode) -> list[Requirement]:
    found = []
    for node in _items(tree, "requires"):
        assert isinstance(node, MapNode)  # noqa: S101 - it has no faults
        that, message = node.members["that"], node.members["message"]
        assert isinstance(that, ScalarNode)  # noqa: S101
        assert isinstance(message, ScalarNode)  # noqa: S101
        found.append(Requirement(that, message.text))
    return found


def _stage(node: Node, number: int) -> Stage:
    assert isinstance(node, MapNode)  # noqa: S101 - it has no faults
    values = {key: member for key, member in node.members.items() if isinstance(member, ScalarNode)}
    tags = frozenset(scalar.text for scalar in scalars(node.members["tags"])) if "tags" in node.members else frozenset()
    conditions = tuple(scalars(node.members["when"])) if "when" in node.members else ()
    known = declarations()
    entries = tuple(read_entry(entry, place, tags, known) for place, entry in enumerate(_items(node, "operations"), 1))
    undo = "on_failure" in values and values["on_failure"].text == "undo"
    return Stage(values["stage"].text, node.names["stage"] or f"{node.origin} {number}", conditions, undo, entries)
