"""Makes sure that what a client sent is of the forms that an operation declares.

Validators are compiled when an operation is first used: the whole API would cost the start of a server a second.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from omeroadmin.runtime.services.blitz.http.operation import Operation
from omeroadmin.runtime.services.blitz.services.problems import invalid
from omeroadmin.schema.forms import Form, record

_PARAMETERS = "parameters"
_WHOLE = re.compile(r"-?\d{1,19}", re.ASCII)
_REAL = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d{1,3})?", re.ASCII)
_FLAGS = {"true": True, "false": False}
_NOT_STORED = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
"""Escapes of NUL and of half a character; without an escape neither is JSON in UTF-8."""

Validate = Callable[[Any], Any]


class Validator:
    """Checks requests of one operation."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._forms = {name: operation.form_of(name) for name in operation.in_path}
        self._query = {parameter.name: parameter for parameter in operation.in_query}
        self._forms |= {name: parameter.form for name, parameter in self._query.items()}

    def path(self, given: Mapping[str, str | int]) -> dict[str, Any]:
        """Parameters of the path.

        :raises AdminError: ``request-invalid``
        """
        values = {name: _converted(name, [str(given[name])], self._forms[name]) for name in given}
        self._check_path(values)
        return values

    def query(self, given: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """Parameters of the query, with their defaults.

        :raises AdminError: ``request-invalid``
        """
        texts: dict[str, list[str]] = {}
        for name, text in given:
            if name not in self._query:
                raise invalid(f"there is no parameter {name[:100]!r} here")
            texts.setdefault(name, []).append(text)
        values = {name: _converted(name, given, self._forms[name]) for name, given in texts.items()}
        self._check_query(values)
        return {name: values.get(name) for name in self._query}

    def body(self, content: bytes | bytearray) -> Any:
        """The JSON document, with the defaults of what it lacks.

        :raises AdminError: ``request-invalid``
        """
        if not content:
            raise invalid("a body of JSON is missing")
        document = parse(content)
        return self._check_body(document)

    @functools.cached_property
    def _check_path(self) -> Validate:
        return _compiled(record({name: self._forms[name] for name in self._operation.in_path}), _PARAMETERS)

    @functools.cached_property
    def _check_query(self) -> Validate:
        needed = {name: parameter.form for name, parameter in self._query.items() if parameter.needed}
        others = {name: parameter.form for name, parameter in self._query.items() if not parameter.needed}
        return _compiled(record(needed, others), _PARAMETERS)

    @functools.cached_property
    def _check_body(self) -> Validate:
        form = self._operation.body
        if not isinstance(form, dict):
            raise TypeError(f"{self._operation.id} takes no document")
        check = _compiled(form, "body")

        def checked(document: Any) -> Any:
            return whole_numbers(form, check(document))

        return checked


def _compiled(form: Form, name: str) -> Validate:
    import fastjsonschema

    check = fastjsonschema.compile(form)

    def checked(value: Any) -> Any:
        try:
            return check(value, name_prefix=name)
        except fastjsonschema.JsonSchemaValueException as error:
            raise invalid(str(error.message).removeprefix(f"{_PARAMETERS}.")) from None

    return checked


def parse(content: bytes | bytearray) -> Any:
    """A JSON document whose texts and numbers can be stored.

    :raises AdminError: ``request-invalid``
    """
    try:
        document = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise invalid("the body is not JSON") from None
    if _NOT_STORED.search(content):
        for text in _texts(document):
            _check_text("the body", text)
    return document


def whole_numbers(form: Form, value: Any) -> Any:
    """A document in which 1.0 is 1 where a whole number belongs: JSON knows no difference."""
    if isinstance(value, float) and form.get("type") in ("integer", ["integer", "null"]):
        return int(value)
    if isinstance(value, dict) and "properties" in form:
        for name, inner in form["properties"].items():
            if name in value:
                value[name] = whole_numbers(inner, value[name])
    elif isinstance(value, list) and isinstance(form.get("items"), dict):
        items = form["items"]
        value[:] = [whole_numbers(items, item) for item in value]
    return value


def _converted(name: str, texts: list[str], form: Form) -> Any:
    """A parameter of the type that its form names."""
    kind = form.get("type")
    if kind == "array":
        return [_converted(name, [text], form["items"]) for text in texts]
    if len(texts) > 1:
        raise invalid(f"{name} is given more than once")
    text = texts[0]
    if kind == "integer" and _WHOLE.fullmatch(text):
        return int(text)
    if kind == "number" and _REAL.fullmatch(text):
        return float(text)
    if kind == "boolean":
        return _FLAGS.get(text, text)
    _check_text(name, text)
    return text


def _check_text(where: str, text: str) -> None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise invalid(f"{where} has a text with characters that can't be stored")


def _texts(document: Any) -> Iterable[str]:
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value


def _no_number(_: str) -> None:
    raise ValueError
