"""Makes, reads and changes single objects on a server, in the words of OMERO's ``obj`` command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from omeroadmin.access.client import Client
from omeroadmin.errors import failed_error, usage_error

_ASSIGNMENT = re.compile(r"([A-Za-z][A-Za-z0-9]*)=(.*)", re.DOTALL)
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9]{0,59}")
_OBJECT = re.compile(r"([A-Za-z]+):([0-9]{1,19})")
_TYPE = re.compile(r"[A-Za-z]{1,60}")


@dataclass(frozen=True)
class Named:
    """An object as it is typed: ``Dataset:51``."""

    type: str
    id: int

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"

    @property
    def path(self) -> str:
        """Where the API has it."""
        return f"/objects/{self.type}/{self.id}"


def parse_object(text: str) -> Named:
    """``Dataset:51``.

    :raises AdminError: ``object-invalid``
    """
    match = _OBJECT.fullmatch(text)
    if match is None:
        raise usage_error("object-invalid", f"{text[:80]!r} is no object", "name its type and id, e.g. Dataset:51")
    return Named(match[1], int(match[2]))


def parse_assignments(texts: Sequence[str]) -> dict[str, str]:
    """``name=value`` each; a value may be empty and have any characters.

    :raises AdminError: ``assignment-invalid``
    """
    fields: dict[str, str] = {}
    for text in texts:
        match = _ASSIGNMENT.fullmatch(text)
        if match is None:
            raise usage_error("assignment-invalid", f"{text[:80]!r} is not FIELD=VALUE", "e.g. name=dataset-1")
        if match[1] in fields:
            raise usage_error("assignment-invalid", f"{match[1]} is set twice", "say it once")
        fields[match[1]] = match[2]
    return fields


def new(client: Client, kind: str, assignments: Sequence[str]) -> Named:
    """Make an object.

    :param kind: its type, e.g. ``Dataset``
    :param assignments: ``name=value`` each
    :raises AdminError: ``object-invalid``, ``assignment-invalid`` and what :meth:`Client.post` raises
    """
    if not _TYPE.fullmatch(kind):
        raise usage_error("object-invalid", f"{kind[:80]!r} is no type", "e.g. Dataset, TagAnnotation")
    made = client.post(f"/objects/{kind}", {"fields": parse_assignments(assignments)})
    return Named(str(made["type"]), int(made["id"]))


def update(client: Client, named: Named, assignments: Sequence[str]) -> Named:
    """Change properties of an object.

    :param assignments: ``name=value`` each
    :raises AdminError: ``assignment-invalid`` and what :meth:`Client.patch` raises
    """
    return _changed(client, named, dict(parse_assignments(assignments)))


def set_null(client: Client, named: Named, field: str) -> Named:
    """Make a property empty.

    :raises AdminError: what :meth:`Client.patch` raises
    """
    return _changed(client, named, {field: None})


def get(client: Client, named: Named) -> dict[str, Any]:
    """An object: ``type``, ``id``, ``version``, ``fields``, ``maps``, ``details``.

    :raises AdminError: what :meth:`Client.get` raises
    """
    document: dict[str, Any] = client.get(named.path)
    return document


def get_list(client: Client, named: Named, field: str) -> list[str]:
    """The items of a property that is a list: links as ``Type:id``, pairs as ``(name,value)``.

    :raises AdminError: ``field-invalid`` and what :meth:`Client.get` raises
    """
    _checked(field)
    maps = get(client, named)["maps"]
    if field in maps:
        return [pair_text(pair) for pair in maps[field]]
    return [str(item) for item in client.get(f"{named.path}/lists/{field}")["items"]]


def get_item(client: Client, named: Named, field: str, index: int) -> str:
    """One item of a property that is a list.

    :param index: from 0
    :raises AdminError: ``index-missing`` and what :func:`get_list` raises
    """
    items = get_list(client, named, field)
    if index >= len(items):
        raise failed_error("index-missing", f"{field} of {named} has {len(items)} items; there is no number {index}")
    return items[index]


def get_pair(client: Client, named: Named, field: str, key: str) -> str:
    """The value of a property of pairs for a name: the last one's where there are several.

    :raises AdminError: ``key-missing`` and what :meth:`Client.get` raises
    """
    values = [value for name, value in client.get(_map(named, field))["pairs"] if name == key]
    if not values:
        raise failed_error("key-missing", f"{field} of {named} has no {key!r}")
    return str(values[-1])


def set_pair(client: Client, named: Named, field: str, key: str, value: str | None) -> Named:
    """Set the value for a name in a property of pairs; ``None`` takes all pairs of the name away.

    :raises AdminError: what :meth:`Client.patch` raises
    """
    client.patch(_map(named, field), {"key": key, "value": value})
    return named


def flattened(document: dict[str, Any]) -> dict[str, Any]:
    """All properties of an object by name, sorted: its own, its id and version, and whose it is."""
    values = {"id": document["id"], "version": document["version"], **document["fields"], **document["maps"]}
    values |= {f"details.{name}": value for name, value in (document["details"] or {}).items()}
    return dict(sorted(values.items()))


def value_of(document: dict[str, Any], field: str) -> Any:
    """One property of an object.

    :raises AdminError: ``field-unknown``
    """
    values = flattened(document)
    if field not in values:
        what = f"{document['type']}:{document['id']}"
        raise failed_error("field-unknown", f"unknown field {field!r} of {what}", f"it has {', '.join(values)}")
    return values[field]


def value_text(value: Any) -> str:
    """A property as OMERO's command prints it."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(pair_text(pair) for pair in value)
    return str(value)


def pair_text(pair: Sequence[str]) -> str:
    """A pair as OMERO's command prints it."""
    return f"({pair[0]},{pair[1]})"


def _changed(client: Client, named: Named, fields: dict[str, str | None]) -> Named:
    done = client.patch(named.path, {"fields": fields})
    return Named(str(done["type"]), int(done["id"]))


def _map(named: Named, field: str) -> str:
    return f"{named.path}/maps/{_checked(field)}"


def _checked(field: str) -> str:
    """A property's name that may stand in a path."""
    if not _FIELD.fullmatch(field):
        raise usage_error("field-invalid", f"{field[:80]!r} is no name of a property", "e.g. imageLinks, mapValue")
    return field
