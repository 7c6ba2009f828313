"""What a client wants of an import besides its files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Skip(StrEnum):
    """What PixelData needn't make."""

    MINMAX = "minmax"
    THUMBNAILS = "thumbnails"


@dataclass(frozen=True)
class TargetId:
    """Where images or plates go.

    :param kind: ``Dataset`` or ``Screen``
    """

    kind: str
    id: int


@dataclass(frozen=True)
class Comment:
    """A comment on each image.

    :param namespace: empty: none
    """

    namespace: str
    text: str


@dataclass(frozen=True)
class ImportOptions:
    """Wishes for one import.

    :param name: for the images, instead of their own
    :param description: for the images, instead of their own
    :param comments: annotations of each image
    :param annotation_ids: annotations that are there already, and are linked to each image
    """

    name: str | None = None
    description: str | None = None
    target: TargetId | None = None
    comments: tuple[Comment, ...] = ()
    annotation_ids: tuple[int, ...] = ()
    skip: frozenset[Skip] = frozenset()
