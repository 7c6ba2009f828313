"""Forms of JSON values in few words: what they return is JSON Schema of draft 7."""

from __future__ import annotations

from typing import Any

Form = dict[str, Any]

ANYTHING: Form = {}


def text(pattern: str = "") -> Form:
    """A string that isn't empty.

    :param pattern: what it must match as a whole, in syntax that Python and JavaScript share
    """
    return {"type": "string", "pattern": f"^({pattern})$"} if pattern else {"type": "string", "minLength": 1}


def number(minimum: int, maximum: int) -> Form:
    """A whole number."""
    return {"type": "integer", "minimum": minimum, "maximum": maximum}


def array(items: Form, fewest: int = 0) -> Form:
    """A list of items of one form."""
    return {"type": "array", "items": items, "minItems": fewest}


def row(*cells: Form, fewest: int | None = None) -> Form:
    """A list whose items have a form each; the last ones may be missing where ``fewest`` says so."""
    return {
        "type": "array",
        "items": list(cells),
        "minItems": len(cells) if fewest is None else fewest,
        "additionalItems": False,
    }


def record(needed: dict[str, Form], possible: dict[str, Form] | None = None, others: bool = False) -> Form:
    """An object with given names.

    :param needed: what it must have
    :param possible: what it may have
    :param others: whether it may have more than that
    """
    return {
        "type": "object",
        "properties": {**needed, **(possible or {})},
        "required": list(needed),
        "additionalProperties": others,
    }


def table(values: Form, needed: tuple[str, ...] = ()) -> Form:
    """An object whose values are of one form, under names that the admin chooses.

    :param needed: names that it must have
    """
    return {"type": "object", "additionalProperties": values, "required": list(needed)}


def either(*forms: Form) -> Form:
    """Any one of several forms."""
    return {"anyOf": list(forms)}


EMPTY_ARRAY: Form = {"type": "array", "maxItems": 0}
EMPTY_OBJECT: Form = {"type": "object", "maxProperties": 0}
