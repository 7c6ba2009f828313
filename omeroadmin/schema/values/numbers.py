"""Values that are numbers."""

from __future__ import annotations

import re

from omeroadmin.schema.kinds import Kind, ValueType

WHOLE_NUMBER = r"[+-]?[0-9]+"
_NUMBER = re.compile(WHOLE_NUMBER)
_LONGEST = 19
"""Digits of Java's largest number, which is 64 bits wide."""
_FACTORS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def is_whole_number(value_type: ValueType, text: str) -> bool:
    """Whether a text is a whole number within the limits."""
    stripped = text.strip()
    digits = stripped.lstrip("+-0")
    if not _NUMBER.fullmatch(stripped) or len(digits) > _LONGEST:
        return False
    return _is_within(value_type, int(digits or 0) * (-1 if stripped.startswith("-") else 1))


def is_size(value_type: ValueType, text: str) -> bool:
    """Whether a text is a number of bytes, perhaps with a letter, within the limits."""
    stripped = text.strip()
    letter = stripped[-1:].upper()
    if not letter or letter not in value_type.suffixes.upper():
        return is_whole_number(value_type, text)
    digits = stripped[:-1].lstrip("0")
    if not stripped[:-1].isascii() or not stripped[:-1].isdigit() or len(digits) > _LONGEST:
        return False
    return _is_within(value_type, int(digits or 0) * _FACTORS[letter] // _FACTORS.get(value_type.unit[:1], 1))


def number_words(value_type: ValueType) -> str:
    """What a number is called, e.g. ``a whole number of ms from 1 to 100``."""
    unit = value_type.unit
    if value_type.kind is Kind.PORT:
        text = "a port number"
    elif value_type.kind is Kind.BYTES and unit in ("", "bytes"):
        text = "a number of bytes"
    else:
        text = f"a whole number of {unit}" if unit else "a whole number"
    if value_type.suffixes:
        *others, last = list(value_type.suffixes)
        letters = f"{', '.join(others)} or {last}" if others else last
        text += f" (with or without {letters} behind it)"
    return text + _limits(value_type)


def _limits(value_type: ValueType) -> str:
    match value_type.minimum, value_type.maximum:
        case None, None:
            return ""
        case low, None:
            return f", {low} or more"
        case None, high:
            return f", {high} or less"
        case low, high:
            return f" from {low} to {high}"


def _is_within(value_type: ValueType, number: int) -> bool:
    low, high = value_type.minimum, value_type.maximum
    return (low is None or number >= low) and (high is None or number <= high)
