"""How the types of the model hang together: what contains what, what is part of what, what several may use.

Declared once; facts, plan and changes of the graph go by it. Names of tables and columns are constants of this file
and of the declared model.
"""

from __future__ import annotations

from dataclasses import dataclass

from omeroadmin.runtime.services.blitz.services.model.declared import ANNOTATED, ENTITIES, INTERNAL
from omeroadmin.runtime.services.blitz.services.model.entity import Entity


@dataclass(frozen=True)
class Part:
    """A type whose objects exist only with their whole.

    :param whole: type of the whole
    :param column: of the part's table, with the whole's id
    """

    name: str
    whole: str
    column: str


@dataclass(frozen=True)
class Use:
    """A column by which objects of one type use those of another; what nothing uses any more goes.

    :param user: type of the user
    :param table: of the user
    :param column: with the id of what is used
    :param follows: whether what is used goes with its last user; otherwise it only is kept by it
    """

    user: str
    table: str
    column: str
    used: str
    follows: bool = True


CONTAINMENT: tuple[Entity, ...] = tuple(
    ENTITIES[name] for name in ("ProjectDatasetLink", "DatasetImageLink", "ScreenPlateLink")
)
"""Links by which containers hold what goes with them, from the top down."""

ANNOTATION_LINKS: tuple[Entity, ...] = tuple(ENTITIES[f"{parent}AnnotationLink"] for parent in ANNOTATED)

PARTS: tuple[Part, ...] = (
    Part("Pixels", "Image", "image"),
    Part("Roi", "Image", "image"),
    Part("Channel", "Pixels", "pixels"),
    Part("Thumbnail", "Pixels", "pixels"),
    Part("PixelsOriginalFileMap", "Pixels", "child"),
    Part("FilesetEntry", "Fileset", "fileset"),
    Part("FilesetJobLink", "Fileset", "parent"),
)
"""Wholes before their parts."""

USES: tuple[Use, ...] = (
    Use("Channel", "channel", "logicalchannel", "LogicalChannel"),
    Use("Channel", "channel", "statsinfo", "StatsInfo"),
    Use("FilesetJobLink", "filesetjoblink", "child", "Job"),
    Use("FilesetEntry", "filesetentry", "originalfile", "OriginalFile"),
    Use("JobOriginalFileLink", "joboriginalfilelink", "child", "OriginalFile"),
    Use("Annotation", "annotation", "file", "OriginalFile"),
    Use("Roi", "roi", "source", "OriginalFile", follows=False),
    Use("PixelsOriginalFileMap", "pixelsoriginalfilemap", "parent", "OriginalFile", follows=False),
)

TARGETS: frozenset[str] = frozenset(
    {"Project", "Dataset", "Screen", "Plate", "Image", "Fileset", "OriginalFile", "Roi"}
)
"""Types, besides annotations and links, that can be deleted, moved and given away by name."""

KEPT_ANNOTATIONS: frozenset[str] = frozenset({"FileAnnotation", "TagAnnotation", "TermAnnotation"})
"""Kinds that stay when what they are linked to is deleted (manual, 1.2: Deleting objects)."""

CHOOSABLE: frozenset[str] = frozenset({"Dataset", "Image", "Plate", "OriginalFile"})
"""Types, besides annotations, that can be included and excluded; all else is bound to what it is part of."""


def entity_of(name: str) -> Entity:
    """A type by its own name."""
    return INTERNAL[name] if name in INTERNAL else ENTITIES[name]


def is_annotation(name: str) -> bool:
    """Whether a type is a kind of annotation."""
    return ENTITIES[name].is_a("Annotation") if name in ENTITIES else False


def node_type(name: str) -> str:
    """The type under which facts keep objects: one for all kinds of annotations."""
    return "Annotation" if name == "Annotation" or is_annotation(name) else name


def table_of(node: str) -> str:
    """Table of a type of :func:`node_type`."""
    return "annotation" if node == "Annotation" else entity_of(node).table
