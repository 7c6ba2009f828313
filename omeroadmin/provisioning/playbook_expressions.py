"""Looks through all expressions of a playbook before any host is connected to."""

from __future__ import annotations

from collections.abc import Collection

from omeroadmin.provisioning.expressions import Expressions
from omeroadmin.provisioning.operations.catalog import declarations
from omeroadmin.provisioning.operations.field import FieldType
from omeroadmin.provisioning.playbook import Entry, Playbook


def check_expressions(playbook: Playbook, expressions: Expressions) -> None:
    """Compile them all, and look whether their names are declared and the files are there that they name.

    :raises AdminError: ``expression-invalid``, ``variable-unknown``, ``template-missing``, each with file and line
    """
    known = ["base", "host", "hosts"]
    for variable in playbook.variables.values():
        if variable.default is not None:
            expressions.check(variable.default, known)
        known.append(variable.name)
    for requirement in playbook.requirements:
        expressions.check(requirement.that, known, expression=True)
    for stage in playbook.stages:
        for condition in stage.conditions:
            expressions.check(condition, known, expression=True)
        for entry in stage.entries:
            _check_entry(entry, expressions, known)


def _check_entry(entry: Entry, expressions: Expressions, known: Collection[str]) -> None:
    if entry.for_each is not None:
        expressions.check(entry.for_each, known, expression=True)
        known = [*known, "item"]
    for condition in entry.conditions:
        expressions.check(condition, known, expression=True)
    for node in (*entry.dynamic.values(), *((entry.words,) if entry.words is not None else ())):
        expressions.check(node, known)
    for field in declarations()[entry.kind].fields:
        name = entry.constants.get(field.name)
        if field.type is not FieldType.LOCAL_PATH or not name:
            continue
        if field.name == "template":
            expressions.check_file(name, known, entry.origin)
        else:
            expressions.path_of(name, entry.origin)
