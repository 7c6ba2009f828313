"""All operations by name: found in the modules of ``declared``."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import Any

from omeroadmin.provisioning.operations import declared
from omeroadmin.provisioning.operations.field import REQUIRED, Declaration, Field, FieldType

_LISTS = (FieldType.NAMES, FieldType.TEXTS)


@functools.cache
def declarations() -> dict[str, Declaration]:
    """Declarations by the name that playbooks use, in the order of their modules."""
    found: dict[str, Declaration] = {}
    for module in sorted(pkgutil.iter_modules(declared.__path__), key=lambda entry: entry.name):
        content = importlib.import_module(f"{declared.__name__}.{module.name}")
        found.update({declaration.kind: declaration for declaration in content.DECLARED})
    return found


def default_of(field: Field) -> Any:
    """The value of a field that a playbook doesn't give; :data:`REQUIRED` where it must."""
    if field.default == "" and field.type in _LISTS:
        return []
    if field.default == "" and field.type is FieldType.MAP:
        return {}
    if field.default == "" and field.type in (FieldType.INTEGER, FieldType.NUMBER, FieldType.PORT):
        return None
    return field.default


def complete(kind: str, **fields: Any) -> dict[str, Any]:
    """A wish with all its fields, as the agent gets it.

    :param fields: those that differ from their defaults
    :raises KeyError: for an operation or a required field that is missing
    """
    declaration = declarations()[kind]
    wish: dict[str, Any] = {"kind": kind}
    for field in declaration.fields:
        value = fields.get(field.name, default_of(field))
        if value is REQUIRED:
            raise KeyError(field.name)
        wish[field.name] = value
    return wish
