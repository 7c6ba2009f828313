"""Properties whose value is a JSON list: one item more or less, as OMERO's own `config append` and `remove` do it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError, configuration_error, usage_error
from omeroadmin.profiles.changes import Changes
from omeroadmin.profiles.store import WAIT, change_profile
from omeroadmin.schema.catalog import default_of, is_secret
from omeroadmin.schema.validation import check_name, check_value

_WEB = "omero.web."
"""Beginning of the names whose lists, while they are unset, are what is declared: OMERO.web adds nothing to a value."""


def append_item(
    config_xml: Path,
    name: str,
    item: str,
    *,
    once: bool = False,
    force: bool = False,
    cause: str = "",
    wait: float = WAIT,
) -> Changes:
    """Append an item to the list that a property of the active profile holds.

    :param item: JSON
    :param once: whether an item that is in the list already stays the only one
    :param force: whether a value that isn't of the property's kind is taken
    :raises AdminError: as :func:`with_item` and :func:`omeroadmin.profiles.store.change_profile`;
        ``property-name-invalid``, ``value-invalid``
    """

    def decide(present: Mapping[str, str]) -> Mapping[str, str | None]:
        value = with_item(name, present.get(name), item, once=once)
        return {} if value is None else {name: _checked(name, value, force)}

    check_name(name)
    return change_profile(config_xml, decide, cause=cause, wait=wait)


def remove_item(
    config_xml: Path, name: str, item: str, *, force: bool = False, cause: str = "", wait: float = WAIT
) -> Changes:
    """Remove an item from the list that a property of the active profile holds.

    :param item: JSON
    :param force: whether a value that isn't of the property's kind is taken
    :raises AdminError: as :func:`without_item` and :func:`omeroadmin.profiles.store.change_profile`;
        ``property-name-invalid``, ``value-invalid``
    """

    def decide(present: Mapping[str, str]) -> Mapping[str, str | None]:
        return {name: _checked(name, without_item(name, present.get(name), item), force)}

    check_name(name)
    return change_profile(config_xml, decide, cause=cause, wait=wait)


def _checked(name: str, value: str, force: bool) -> str:
    if not force:
        check_value(name, value)
    return value


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
