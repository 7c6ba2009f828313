"""Values of objects' properties: from what clients send to what the database keeps, and back. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from omeroadmin.runtime.services.blitz.services.model.entity import Column, ColumnKind, Entity, MapColumn
from omeroadmin.runtime.services.blitz.services.problems import invalid
from omeroadmin.runtime.services.blitz.services.times import milliseconds

LONGEST_NAME = 255
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_REFERENCE = re.compile(r"([A-Za-z]{1,60}):([0-9]{1,19})")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_EARLIEST = int(datetime(1, 1, 1, tzinfo=UTC).timestamp()) * 1000
_LATEST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) * 1000
_MOST_PAIRS = 10_000

Pair = tuple[str, str]


@dataclass(frozen=True)
class Reference:
    """An object that a value names.

    :param type: as it was written, or the type that the column is for
    """

    type: str
    id: int

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"


def parse_reference(text: str, what: str) -> Reference:
    """``Project:51``.

    :param what: names the value in a failure
    :raises AdminError: ``request-invalid``
    """
    match = _REFERENCE.fullmatch(text)
    if match is None or int(match[2]) > _HIGHEST:
        raise invalid(f"{what} is not an object such as Project:51, but {text[:80]!r}")
    return Reference(match[1], int(match[2]))


def parse(column: Column, value: Any) -> Any:
    """A value as the database keeps it; a reference as a :class:`Reference`.

    :param value: of JSON's type for the column, or its text: ``"5"``, ``"true"``; ``None`` stays
    :raises AdminError: ``request-invalid``
    """
    if value is None:
        return None
    match column.kind:
        case ColumnKind.NAME:
            return checked_text(column.name, value, longest=LONGEST_NAME)
        case ColumnKind.TEXT | ColumnKind.ENUMERATION:
            return checked_text(column.name, value)
        case ColumnKind.INTEGER:
            return _whole(column.name, value)
        case ColumnKind.REAL:
            return _real(column.name, value)
        case ColumnKind.FLAG:
            return _flag(column.name, value)
        case ColumnKind.TIME:
            return _time(column.name, value)
        case ColumnKind.REFERENCE:
            return _reference(column, value)


def show(column: Column, value: Any) -> Any:
    """A value of the database for clients; references are texts already."""
    if value is not None and column.kind is ColumnKind.TIME:
        return milliseconds(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def parse_fields(entity: Entity, fields: Mapping[str, Any]) -> dict[Column, Any]:
    """The properties that a client sets, each checked by itself.

    :raises AdminError: ``request-invalid``
    """
    values: dict[Column, Any] = {}
    for name, value in fields.items():
        column = known_column(entity, name)
        if column.fixed:
            raise invalid(f"{name} of {entity.one} can't be set")
        if value is None and column.required:
            raise invalid(f"{entity.one} can't be without {name}")
        values[column] = parse(column, value)
    return values


def require_all(entity: Entity, values: Mapping[Column, Any]) -> None:
    """Make sure that nothing is missing that a new object needs.

    :raises AdminError: ``request-invalid``
    """
    missing = [column.name for column in entity.columns if column.required and column not in values]
    if missing:
        raise invalid(f"required arguments: {', '.join(missing)}")


def known_column(entity: Entity, name: str) -> Column:
    """A property by its name.

    :raises AdminError: ``request-invalid``
    """
    column = entity.column(name)
    if column is None:
        if entity.map(name) is not None:
            raise invalid(f"{name} of {entity.one} is a list of pairs; set it with map-set")
        raise invalid(f"{entity.one} has no {name[:80]!r}; it has {_names(entity)}")
    return column


def known_map(entity: Entity, name: str) -> MapColumn:
    """A property of pairs by its name.

    :raises AdminError: ``request-invalid``
    """
    column = entity.map(name)
    if column is None:
        raise invalid(f"{entity.one} has no pairs {name[:80]!r}; it has {_names(entity)}")
    return column


def parse_pairs(name: str, pairs: Sequence[Any]) -> list[Pair]:
    """Names and values in order; a name may come more than once.

    :raises AdminError: ``request-invalid``
    """
    if len(pairs) > _MOST_PAIRS:
        raise invalid(f"{name} has at most {_MOST_PAIRS} pairs")
    result: list[Pair] = []
    for pair in pairs:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise invalid(f"{name} is not a list of pairs")
        result.append((checked_text(f"a name in {name}", pair[0]), checked_text(f"a value in {name}", pair[1])))
    return result


def checked_text(what: str, value: Any, *, longest: int | None = None) -> str:
    """A text that can be stored.

    :raises AdminError: ``request-invalid``
    """
    if not isinstance(value, str):
        raise invalid(f"{what} is not a text")
    if longest is not None and len(value) > longest:
        raise invalid(f"{what} has {len(value)} characters; {longest} are possible")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise invalid(f"{what} has characters that can't be stored")
    return value


def _names(entity: Entity) -> str:
    names = [*(column.name for column in entity.columns), *(column.name for column in entity.maps)]
    return ", ".join(names) or "no properties"


def _whole(name: str, value: Any) -> int:
    number = int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value
    if isinstance(number, bool) or not isinstance(number, int) or not _LOWEST <= number <= _HIGHEST:
        raise invalid(f"{name} is not a whole number of 64 bits")
    return number


def _real(name: str, value: Any) -> float:
    number = float(value) if isinstance(value, str) and _REAL.fullmatch(value) else value
    if isinstance(number, int) and not isinstance(number, bool) and _LOWEST <= number <= _HIGHEST:
        number = float(number)
    if not isinstance(number, float) or not math.isfinite(number):
        raise invalid(f"{name} is not a number")
    return number


def _flag(name: str, value: Any) -> bool:
    flag = _FLAGS.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(flag, bool):
        raise invalid(f"{name} is neither true nor false")
    return flag


def _time(name: str, value: Any) -> datetime:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        except (ValueError, OverflowError):
            raise invalid(f"{name} is neither milliseconds since 1970 nor a time such as 2026-11-28T12:00:00") from None
    number = _whole(name, value)
    if not _EARLIEST <= number <= _LATEST:
        raise invalid(f"{name} is not a time between the years 1 and 9999")
    whole, rest = divmod(number, 1000)
    return datetime.fromtimestamp(whole, UTC).replace(tzinfo=None, microsecond=rest * 1000)


def _reference(column: Column, value: Any) -> Reference:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        return parse_reference(value, column.name)
    number = _whole(column.name, value)
    if number < 0:
        raise invalid(f"{column.name} is not an object such as {column.target}:51")
    return Reference(column.target, number)
