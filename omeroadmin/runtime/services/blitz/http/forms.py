"""Forms of the API's values, in addition to the words of :mod:`omeroadmin.schema.forms`.

A form with a title becomes a schema of its own in the description of the API.
"""

from __future__ import annotations

from typing import Any

from omeroadmin.runtime.services.blitz.http.operation import Parameter
from omeroadmin.schema.forms import Form, array, number, record

HIGHEST = 2**63 - 1

ID: Form = number(0, HIGHEST)
WHOLE: Form = number(0, HIGHEST)
"""A size in bytes, a count, an index."""
TIME: Form = {"type": "integer", "minimum": -HIGHEST, "maximum": HIGHEST}
"""Milliseconds since 1970 UTC."""
REAL: Form = {"type": "number"}
FLAG: Form = {"type": "boolean"}
OBJECT: Form = {"type": "object"}
"""An object with any names."""


def words(longest: int = 0, fewest: int = 0) -> Form:
    """A text, which may be empty.

    :param longest: characters at most; 0: any number
    """
    form: Form = {"type": "string"}
    if fewest:
        form["minLength"] = fewest
    return {**form, "maxLength": longest} if longest else form


TEXT: Form = words()


def one_of(*values: str) -> Form:
    """One of some texts."""
    return {"type": "string", "enum": [str(value) for value in values]}


def maybe(form: Form) -> Form:
    """A value or ``null``; the form must be of one type."""
    possible = {**form, "type": [form["type"], "null"]}
    return {**possible, "enum": [*form["enum"], None]} if "enum" in form else possible


def default(form: Form, value: Any) -> Form:
    """A value that may be left out."""
    return {**form, "default": value}


def few(items: Form, most: int, fewest: int = 0) -> Form:
    """A list that isn't long."""
    return {**array(items, fewest), "maxItems": most}


def named(name: str, form: Form) -> Form:
    """A form that the description names."""
    return {**form, "title": name}


def page(name: str, items: Form) -> Form:
    """Rows of a listing, and the id to continue after."""
    return record({name: array(items), "next": maybe(ID)})


AFTER = Parameter("after", default(ID, 0), "The id to continue after.")
LIMIT = Parameter("limit", default(number(1, 1000), 100), "How many at most.")
PAGE = (AFTER, LIMIT)
