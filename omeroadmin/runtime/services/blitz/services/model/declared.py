"""Every type that this server keeps, each declared once."""

from __future__ import annotations

from omeroadmin.runtime.services.blitz.services.model.entity import Column, ColumnKind, Entity, LinkEnds, MapColumn

_NAME = Column("name", ColumnKind.NAME, required=True)
_DESCRIPTION = Column("description", ColumnKind.TEXT)
_NAMED = (_NAME, _DESCRIPTION)
_ANNOTATED = ("Project", "Dataset", "Screen", "Plate", "Image", "Fileset", "OriginalFile", "Roi", "Annotation")
"""Types that annotations can be linked to."""


def _text(name: str, *, required: bool = False, fixed: bool = False) -> Column:
    return Column(name, ColumnKind.TEXT, required=required, fixed=fixed)


def _number(name: str, *, fixed: bool = False) -> Column:
    return Column(name, ColumnKind.INTEGER, fixed=fixed)


def _reference(name: str, target: str, *, required: bool = False, fixed: bool = False) -> Column:
    return Column(name, ColumnKind.REFERENCE, target, required=required, fixed=fixed)


def _annotation(name: str, discriminator: str, *own: Column, between: tuple[str, ...] = ()) -> Entity:
    common = (Column("name", ColumnKind.NAME), Column("ns", ColumnKind.NAME), _DESCRIPTION)
    pairs = (MapColumn("mapValue", "annotation_mapvalue", "annotation_id"),) if name == "MapAnnotation" else ()
    return Entity(
        name, "annotations", "annotation", (*common, *own), pairs, discriminator, ancestors=(*between, "Annotation")
    )


def _link(parent: str, child: str, package: str) -> Entity:
    ends = (_reference("parent", parent, required=True), _reference("child", child, required=True))
    name = f"{parent}{child}Link"
    return Entity(name, package, name.lower(), ends, link=LinkEnds(parent, child))


_CONTAINERS = (
    Entity("Project", "containers", "project", _NAMED),
    Entity("Dataset", "containers", "dataset", _NAMED),
    Entity("Screen", "screen", "screen", _NAMED),
    Entity("Plate", "screen", "plate", _NAMED),
)
_DATA = (
    Entity(
        "Image",
        "core",
        "image",
        (
            *_NAMED,
            Column("acquisitionDate", ColumnKind.TIME),
            Column("archived", ColumnKind.FLAG),
            _number("series", fixed=True),
            _reference("fileset", "Fileset", fixed=True),
            Column("format", ColumnKind.ENUMERATION, "format", fixed=True),
        ),
        creatable=False,
    ),
    Entity("Fileset", "fs", "fileset", (_text("templatePrefix", required=True, fixed=True),), creatable=False),
    Entity(
        "OriginalFile",
        "core",
        "originalfile",
        (
            Column("name", ColumnKind.NAME, required=True),
            _text("path", required=True, fixed=True),
            Column("mimetype", ColumnKind.NAME),
            _number("size", fixed=True),
            Column("hash", ColumnKind.NAME, fixed=True),
            Column("hasher", ColumnKind.ENUMERATION, "checksumalgorithm", fixed=True),
            _text("repo", fixed=True),
        ),
        creatable=False,
    ),
    Entity(
        "Pixels",
        "core",
        "pixels",
        (
            _reference("image", "Image", required=True, fixed=True),
            *(_number(f"size{axis}", fixed=True) for axis in "XYZCT"),
            Column("pixelsType", ColumnKind.ENUMERATION, "pixelstype", fixed=True),
            Column("dimensionOrder", ColumnKind.ENUMERATION, "dimensionorder", fixed=True),
            _text("sha1", fixed=True),
        ),
        creatable=False,
    ),
    Entity(
        "Channel",
        "core",
        "channel",
        (
            _reference("pixels", "Pixels", required=True, fixed=True),
            _reference("logicalChannel", "LogicalChannel", required=True, fixed=True),
            _reference("statsInfo", "StatsInfo", fixed=True),
            *(_number(colour) for colour in ("red", "green", "blue", "alpha")),
        ),
        creatable=False,
    ),
    Entity("LogicalChannel", "core", "logicalchannel", (Column("name", ColumnKind.NAME),), creatable=False),
    Entity("StatsInfo", "stats", "statsinfo", creatable=False),
    Entity(
        "Thumbnail",
        "display",
        "thumbnail",
        (
            _reference("pixels", "Pixels", required=True, fixed=True),
            _number("sizeX", fixed=True),
            _number("sizeY", fixed=True),
        ),
        creatable=False,
    ),
    Entity("Roi", "roi", "roi", (Column("name", ColumnKind.NAME), _DESCRIPTION, _reference("image", "Image"))),
)
_ANNOTATIONS = (
    _annotation("BooleanAnnotation", "/basic/bool/", Column("boolValue", ColumnKind.FLAG)),
    _annotation("LongAnnotation", "/basic/num/long/", _number("longValue"), between=("NumericAnnotation",)),
    _annotation(
        "DoubleAnnotation", "/basic/num/double/", Column("doubleValue", ColumnKind.REAL), between=("NumericAnnotation",)
    ),
    _annotation("TermAnnotation", "/basic/term/", _text("termValue")),
    _annotation("TimestampAnnotation", "/basic/time/", Column("timeValue", ColumnKind.TIME)),
    _annotation("TagAnnotation", "/basic/text/tag/", _text("textValue"), between=("TextAnnotation",)),
    _annotation("CommentAnnotation", "/basic/text/comment/", _text("textValue"), between=("TextAnnotation",)),
    _annotation("XmlAnnotation", "/basic/text/xml/", _text("textValue"), between=("TextAnnotation",)),
    _annotation("MapAnnotation", "/map/"),
    _annotation("ListAnnotation", "/list/"),
    _annotation(
        "FileAnnotation", "/type/OriginalFile/", _reference("file", "OriginalFile"), between=("TypeAnnotation",)
    ),
)
_LINKS = (
    _link("Project", "Dataset", "containers"),
    _link("Dataset", "Image", "containers"),
    _link("Screen", "Plate", "screen"),
    *(_link(parent, "Annotation", "annotations") for parent in _ANNOTATED),
)
_PEOPLE = (
    Entity(
        "Experimenter",
        "meta",
        "experimenter",
        (
            Column("omeName", ColumnKind.NAME, required=True),
            Column("firstName", ColumnKind.NAME, required=True),
            Column("middleName", ColumnKind.NAME),
            Column("lastName", ColumnKind.NAME, required=True),
            Column("email", ColumnKind.NAME),
            Column("institution", ColumnKind.NAME),
            Column("ldap", ColumnKind.FLAG),
        ),
        (MapColumn("config", "experimenter_config", "experimenter_id"),),
        creatable=False,
        owned=False,
    ),
    Entity(
        "ExperimenterGroup",
        "meta",
        "experimentergroup",
        (Column("name", ColumnKind.NAME, required=True), _DESCRIPTION, Column("ldap", ColumnKind.FLAG)),
        (MapColumn("config", "experimentergroup_config", "experimentergroup_id"),),
        creatable=False,
        owned=False,
    ),
    Entity("GroupExperimenterMap", "meta", "groupexperimentermap", creatable=False, owned=False),
    Entity("Node", "meta", "node", creatable=False, owned=False),
)
_JOBS = tuple(
    Entity(name, "jobs", "job", ancestors=("Job",), creatable=False)
    for name in ("ImportJob", "IndexingJob", "MetadataImportJob", "PixelDataJob", "ScriptJob")
) + tuple(
    Entity(name, "jobs", "job", ancestors=("Job",), creatable=False) for name in ("ThumbnailGenerationJob", "UploadJob")
)

ENTITIES: dict[str, Entity] = {
    entity.name: entity for entity in (*_CONTAINERS, *_DATA, *_ANNOTATIONS, *_LINKS, *_PEOPLE, *_JOBS)
}
"""All types by name."""

INTERNAL: dict[str, Entity] = {
    name: Entity(name, package, name.lower(), creatable=False)
    for name, package in (
        ("FilesetEntry", "fs"),
        ("FilesetJobLink", "fs"),
        ("JobOriginalFileLink", "jobs"),
        ("PixelsOriginalFileMap", "core"),
        ("Job", "jobs"),
        ("Annotation", "annotations"),
    )
}
"""Types that no client names, but that come and go with others; ``Job`` and ``Annotation`` are of unknown kinds."""

ABSTRACT: frozenset[str] = frozenset(name for entity in ENTITIES.values() for name in entity.ancestors)
"""Types that only stand for others."""

ANNOTATED: tuple[str, ...] = _ANNOTATED

SEARCHED: tuple[str, ...] = ("Project", "Dataset", "Screen", "Plate", "Image")
"""Types that a search finds, also by their annotations."""
