"""Properties whose value is a JSON list: one item more or less, as OMERO's own `config append` and `remove` do it."""

from __future__ import annotations

import json
from typing import Any

from omeroadmin.errors import AdminError, configuration_error, usage_error
from omeroadmin.schema.catalog import default_of, is_secret

_WEB = "omero.web."
"""Beginning of the names whose lists, while they are unset, are what is declared: OMERO.web adds nothing to a value."""


def with_item(name: str, present: str | None, item: str, *, once: bool = False) -> str | None:
    """The value with an item at its end.

    :param present: the property's value; ``None`` where it isn't set
    :param item: JSON
    :param once: whether an item that is in the list already stays the only one
    :return: ``None`` where that is so
    :raises AdminError: ``item-not-json``, ``value-not-json``, ``value-not-list``
    """
    added = _item(name, item)
    items = _start(name) if present is None else _items(name, present, "its value")
    if once and added in items:
        return None
    return json.dumps([*items, added])


def without_item(name: str, present: str | None, item: str) -> str:
    """The value without the first item that is equal to this one.

    :param present: the property's value; ``None`` where it isn't set
    :param item: JSON
    :raises AdminError: ``item-not-json``, ``value-not-json``, ``value-not-list``, ``property-unset``,
        ``item-not-in-list``
    """
    removed = _item(name, item)
    if present is None and not name.startswith(_WEB):
        raise configuration_error("property-unset", f"{name} is not set, so there is no list to remove from")
    items = _start(name) if present is None else _items(name, present, "its value")
    if removed not in items:
        shown = "this item" if is_secret(name) else item
        raise configuration_error(
            "item-not-in-list", f"the list {name} doesn't hold {shown}", f"see what it holds: omero config get {name}"
        )
    items.remove(removed)
    return json.dumps(items)


def _item(name: str, item: str) -> Any:
    try:
        return json.loads(item)
    except (ValueError, RecursionError):
        raise _not_json(name, item) from None


def _not_json(name: str, item: str) -> AdminError:
    shown = "the item" if is_secret(name) else repr(item)
    return usage_error(
        "item-not-json",
        f"{shown} for the list {name} is not JSON",
        """quote text twice, once for the shell: '"text"'""",
    )


def _start(name: str) -> list[Any]:
    """What an unset list begins with."""
    default = default_of(name) if name.startswith(_WEB) else None
    return [] if default is None else _items(name, default, "its default")


def _items(name: str, value: str, what: str) -> list[Any]:
    hint = f"see it: omero config get {name}; start anew: omero config set {name} '[]'"
    try:
        items = json.loads(value)
    except (ValueError, RecursionError):
        raise configuration_error("value-not-json", f"{name} is not a list: {what} is not JSON", hint) from None
    if not isinstance(items, list):
        raise configuration_error("value-not-list", f"{name} is not a list: {what} is JSON of another kind", hint)
    return items
