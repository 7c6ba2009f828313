"""One operation of a playbook: what it is, and its fields, checked as far as they are the same for every host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omeroadmin.errors import usage_error
from omeroadmin.provisioning.expressions import has_template
from omeroadmin.provisioning.operations.catalog import default_of
from omeroadmin.provisioning.operations.field import REQUIRED, Declaration, Field, FieldType
from omeroadmin.provisioning.operations.values import ValueFault, field_value
from omeroadmin.provisioning.playbook import Entry
from omeroadmin.provisioning.playbook_shape import ENTRY
from omeroadmin.schema.shapes import checked, misfit, nearest, unknown_key
from omeroadmin.schema.tree import MapNode, Node, ScalarNode, native, scalars


def read_entry(node: Node, number: int, tags: frozenset[str], known: Mapping[str, Declaration]) -> Entry:
    """One operation.

    :param number: its place in the stage, from 1
    :param tags: those of the stage
    :raises AdminError: ``operation-unknown``, ``operation-missing``, ``key-unknown``, ``key-missing``,
        ``value-invalid``, each with file and line
    """
    assert isinstance(node, MapNode)  # noqa: S101 - its shape is checked
    kind = _kind(node, known)
    for key, shape in ENTRY.items():
        if key in node.members:
            checked(node.members[key], shape.shape, key)
    constants, dynamic = _fields(node.members[kind], node.names[kind], known[kind])
    own_tags = {scalar.text for scalar in _scalars(node, "tags")}
    identifier = next((scalar.text for scalar in _scalars(node, "id")), "")
    if identifier and "for_each" in node.members:
        raise usage_error(
            "value-invalid", f"{node.names['for_each']}: an operation with an id is done once, and not for_each"
        )
    return Entry(
        number,
        kind,
        node.names[kind],
        node.members.get("name"),
        constants,
        dynamic,
        _scalars(node, "when"),
        tags | own_tags,
        node.members.get("for_each"),
        tuple(dict.fromkeys(scalar.text for scalar in _scalars(node, "triggers"))),
        identifier,
    )


def _kind(node: MapNode, known: Mapping[str, Declaration]) -> str:
    """The operation that the entry is."""
    kinds = []
    for key in node.members:
        if key in known:
            kinds.append(key)
        elif key not in ENTRY:
            near = nearest(key, (*known, *ENTRY))
            hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
            raise usage_error("operation-unknown", f"{node.names[key]}: {key!r} is no operation", hint)
    if len(kinds) != 1:
        words = "is no operation" if not kinds else f"is two operations: {' and '.join(kinds[:2])}"
        raise usage_error(
            "operation-missing", f"{node.origin}: the entry {words}", "write one operation each: - file: {path: …}"
        )
    return kinds[0]


def _fields(node: Node, origin: str, declaration: Declaration) -> tuple[dict[str, Any], dict[str, Node]]:
    """Fields that are the same for every host, and those that aren't."""
    members = _members(node, declaration)
    constants, dynamic = {}, dict[str, Node]()
    for name, value in members.items():
        field = declaration.field(name)
        if field is None:
            names = {known.name: known for known in declaration.fields}
            place = node.names[name] if isinstance(node, MapNode) else node.origin
            raise unknown_key(place, declaration.kind, name, names)
        if has_template(value):
            dynamic[name] = value
        else:
            constants[name] = constant(field, value, f"{declaration.kind}.{name}")
    for field in declaration.fields:
        if field.name in members:
            continue
        default = default_of(field)
        if default is REQUIRED:
            raise usage_error("key-missing", f"{origin}: {declaration.kind} has no {field.name!r}")
        constants[field.name] = default
    if not dynamic:
        refine(declaration, constants, origin)
    return constants, dynamic


def _members(node: Node, declaration: Declaration) -> Mapping[str, Node]:
    if isinstance(node, MapNode) and not _is_main_map(node, declaration):
        return node.members
    if isinstance(node, ScalarNode) and node.is_null:
        return {}
    if not declaration.main:
        raise misfit(node, declaration.kind, f"a map: {', '.join(field.name for field in declaration.fields)}")
    return {declaration.main: node}


def _is_main_map(node: MapNode, declaration: Declaration) -> bool:
    """Whether a map is the main field's value and not one of fields."""
    main = declaration.field(declaration.main)
    takes_map = main is not None and main.type is FieldType.MAP
    return takes_map and not any(declaration.field(name) for name in node.members)


def constant(field: Field, node: Node, where: str) -> Any:
    """The value of a field that has no template.

    :raises AdminError: ``value-invalid``
    """
    try:
        return field_value(field, native(node))
    except ValueFault as fault:
        raise misfit(node, where, fault.takes) from fault


def rendered(field: Field, value: Any, node: Node, where: str) -> Any:
    """The value of a field that a template gave for a host.

    :param value: never shown: it may be secret
    :raises AdminError: ``value-invalid``
    """
    try:
        return field_value(field, value)
    except ValueFault as fault:
        text = f" ({node.text})" if isinstance(node, ScalarNode) and len(node.text) <= 60 else ""
        raise usage_error(
            "value-invalid", f"{node.origin}: {where}{text} gives something else than {fault.takes}"
        ) from fault


def refine(declaration: Declaration, fields: Mapping[str, Any], origin: str) -> None:
    """Check fields together.

    :raises AdminError: ``value-invalid``
    """
    words = declaration.check(dict(fields)) if declaration.check is not None else ""
    if words:
        raise usage_error("value-invalid", f"{origin}: {declaration.kind}: {words}")


def _scalars(node: MapNode, key: str) -> tuple[ScalarNode, ...]:
    return tuple(scalars(node.members[key])) if key in node.members else ()
