"""Operations are declared so that playbooks can be checked and the reference made."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from omeroadmin.provisioning.operations.catalog import complete, declarations
from omeroadmin.provisioning.operations.field import REQUIRED, Declaration, Field, FieldType

ALL = list(declarations().values())
BESIDE = {"name", "id", "when", "tags", "triggers", "for_each"}
TYPES: dict[FieldType, tuple[type, ...]] = {
    FieldType.BOOLEAN: (bool,),
    FieldType.INTEGER: (int,),
    FieldType.PORT: (int,),
    FieldType.NUMBER: (int, float),
    FieldType.NAMES: (list, str),
    FieldType.TEXTS: (list,),
    FieldType.MAP: (dict,),
}


def fits(field: Field, value: Any) -> bool:
    if field.type is FieldType.CHOICE:
        return value in field.choices
    return isinstance(value, TYPES.get(field.type, (str,)))


@pytest.mark.parametrize("declaration", ALL, ids=lambda declaration: declaration.kind)
def test_example_is_a_wish(declaration: Declaration) -> None:
    read = yaml.safe_load(declaration.example)
    assert set(read) - BESIDE == {declaration.kind}
    fields = read[declaration.kind]
    if not isinstance(fields, dict):
        fields = {declaration.main: fields}
    assert all((field := declaration.field(name)) and fits(field, value) for name, value in fields.items())
    wish = complete(declaration.kind, **fields)
    assert declaration.check is None or declaration.check(wish) == ""


@pytest.mark.parametrize("declaration", ALL, ids=lambda declaration: declaration.kind)
def test_fields_are_whole(declaration: Declaration) -> None:
    names = [field.name for field in declaration.fields]
    assert len(set(names)) == len(names)
    assert not {"key", "kind", "id", "triggers", "only_triggered", "digest", "size"} & set(names)
    assert not declaration.main or declaration.main in names
    assert declaration.summary.endswith(".")
    for field in declaration.fields:
        assert field.description.endswith("."), field.name
        assert "|" not in field.description, field.name
        assert (field.type is FieldType.CHOICE) == bool(field.choices), field.name
        assert field.default in ("", None) or field.default is REQUIRED or fits(field, field.default), field.name
