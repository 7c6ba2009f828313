"""Values that are JSON, of any form or a given one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

_ROOT = "data"
"""What the library calls the whole value."""


def json_problem(form: Mapping[str, Any] | None, text: str) -> str | None:
    """What is wrong with a text of JSON.

    :param form: JSON Schema of what it must be; any JSON will do without one
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        return f"{error.msg} at character {error.pos + 1}"
    except (ValueError, RecursionError):
        return "this has numbers or lists that are too large for it"
    return None if form is None else form_problem(form, value)


def form_problem(form: Mapping[str, Any], value: Any) -> str | None:
    """Where a value isn't of a form."""
    from fastjsonschema import JsonSchemaValueException

    try:
        _validator(json.dumps(form, sort_keys=True))(value)
    except JsonSchemaValueException as error:
        where = str(error.name).removeprefix(_ROOT)
        return f"{where or 'the whole'} {str(error.message).removeprefix(str(error.name)).strip()}"
    except RecursionError:
        return "this is too deep"
    return None


@cache
def _validator(form: str) -> Callable[[Any], Any]:
    import fastjsonschema

    validator: Callable[[Any], Any] = fastjsonschema.compile(json.loads(form), use_default=False)
    return validator


def _refuse(constant: str) -> Any:
    raise json.JSONDecodeError(f"{constant} is no number of JSON", "", 0)
