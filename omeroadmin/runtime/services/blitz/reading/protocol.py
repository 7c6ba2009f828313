"""What Blitz and the process that reads images say to each other: a line of JSON each way."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.repository.filesets import FilesetImage
from omeroadmin.repository.images import ImageMetadata
from omeroadmin.repository.ome_xml import OmePlate


@dataclasses.dataclass(frozen=True)
class Contents:
    """What a fileset holds.

    :param plates: those that its metadata tells of
    """

    images: tuple[FilesetImage, ...]
    plates: tuple[OmePlate, ...] = ()


def request_line(paths: Sequence[Path]) -> bytes:
    """A question: what do these files hold?"""
    return json.dumps([str(path) for path in paths]).encode() + b"\n"


def paths_of(line: bytes) -> list[Path]:
    """The files of a question."""
    return [Path(path) for path in json.loads(line)]


def contents_line(contents: Contents) -> bytes:
    """The answer."""
    images = [{"file": image.file, **dataclasses.asdict(image.metadata)} for image in contents.images]
    return json.dumps({"images": images, "plates": [dataclasses.asdict(one) for one in contents.plates]}).encode()


def failure_line(error: AdminError) -> bytes:
    """The answer for files that can't be read."""
    return json.dumps({"code": error.code, "message": error.message, "hint": error.hint}).encode()


def contents_of(line: bytes) -> Contents:
    """The contents of an answer.

    :raises AdminError: the failure that it tells of
    :raises ValueError: if it is none
    """
    document = json.loads(line)
    if "code" in document:
        raise failed_error(document["code"], document["message"], document["hint"])
    return Contents(
        tuple(FilesetImage(image.pop("file"), _metadata(image)) for image in document["images"]),
        tuple(OmePlate(**plate) for plate in document["plates"]),
    )


def _metadata(fields: dict[str, Any]) -> ImageMetadata:
    own: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    return ImageMetadata(**own)
