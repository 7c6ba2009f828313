"""The description of a TIFF file's first plane, read without more than the bytes that lead to it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO

_DESCRIPTION = 270
_ASCII = 2
_MOST_ENTRIES = 4096
_LONGEST = 64 << 20
_COMPANION = ".companion.ome"


def embedded_ome_xml(path: Path) -> str:
    """The OME-XML of a TIFF or companion file; empty where there is none.

    :raises OSError: as the system says
    """
    if path.name.lower().endswith(_COMPANION):
        with path.open("rb") as stream:
            text = stream.read(_LONGEST).decode("utf-8", "replace")
    else:
        text = first_description(path)
    return text if text.rstrip().endswith("OME>") else ""


def first_description(path: Path) -> str:
    """The text of the tag ImageDescription; empty for what is no TIFF file, is broken or has none.

    :raises OSError: as the system says
    """
    with path.open("rb") as stream:
        try:
            return _description(stream)
        except (struct.error, OverflowError, ValueError):
            return ""


def _description(stream: IO[bytes]) -> str:
    order = {b"II": "<", b"MM": ">"}.get(stream.read(2))
    if order is None:
        return ""
    (version,) = struct.unpack(order + "H", stream.read(2))
    if version == 43:
        _, _, directory = struct.unpack(order + "HHQ", stream.read(12))
        count_form, entry_form = order + "Q", order + "HHQ8s"
    elif version == 42:
        (directory,) = struct.unpack(order + "I", stream.read(4))
        count_form, entry_form = order + "H", order + "HHI4s"
    else:
        return ""
    stream.seek(directory)
    (count,) = struct.unpack(count_form, stream.read(struct.calcsize(count_form)))
    size = struct.calcsize(entry_form)
    for _ in range(min(count, _MOST_ENTRIES)):
        tag, kind, length, value = struct.unpack(entry_form, stream.read(size))
        if tag == _DESCRIPTION and kind == _ASCII:
            return _text(stream, order, length, value)
    return ""


def _text(stream: IO[bytes], order: str, length: int, value: bytes) -> str:
    if length > _LONGEST:
        return ""
    if length <= len(value):
        content = value[:length]
    else:
        (offset,) = struct.unpack(order + ("I" if len(value) == 4 else "Q"), value)
        stream.seek(offset)
        content = stream.read(length)
    return content.rstrip(b"\0").decode("utf-8", "replace")
