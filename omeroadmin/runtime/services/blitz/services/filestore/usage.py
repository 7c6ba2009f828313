"""How much room data takes: the files of objects, counted once each, by what they are, whose, and in which group.

One statement finds all files; planes and thumbnails, whose sizes no table has, are looked up on the disk while its rows
arrive, so that memory doesn't grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.repository.layout import pixels_path, pyramid_path, thumbnail_path
from omeroadmin.runtime.services.blitz.database import Connection, Database, Row
from omeroadmin.runtime.services.blitz.services.actor import Actor, visible
from omeroadmin.runtime.services.blitz.services.filestore.places import NO_CONTENT
from omeroadmin.runtime.services.blitz.services.problems import invalid

_OWNED = {
    "Project": "project",
    "Dataset": "dataset",
    "Screen": "screen",
    "Plate": "plate",
    "Image": "image",
    "Fileset": "fileset",
    "Pixels": "pixels",
    "Annotation": "annotation",
    "Job": "job",
    "OriginalFile": "originalfile",
}
TYPES = ("Experimenter", "ExperimenterGroup", *_OWNED)
"""Types whose usage can be asked for."""
COMPONENTS = ("Annotation", "FilesetEntry", "Job", "OriginalFile", "Pixels", "Thumbnail")
"""What a file may be, by OMERO's names."""
_PAGE = 2000


def _chosen(kind: str, *further: str) -> str:
    """A named subquery: objects of a type that are meant themselves, by their owners, groups or containers."""
    table = _OWNED[kind]
    conditions = [
        f"o.id = ANY(%({kind})s)",
        f"%(all_{kind})s",
        "%(all_Experimenter)s",
        "%(all_ExperimenterGroup)s",
        "o.owner_id = ANY(%(Experimenter)s)",
        "o.group_id = ANY(%(ExperimenterGroup)s)",
        *further,
    ]
    # Names are constants of this module; values are parameters.
    return f"{table}s AS (SELECT o.id FROM {table} o WHERE {visible('o')} AND ({' OR '.join(conditions)}))"  # noqa: S608


def _in_container(link: str, container: str) -> str:
    return f"o.id IN (SELECT l.child FROM {link} l WHERE l.parent IN (SELECT id FROM {container}s))"  # noqa: S608


_ANNOTATED = ("project", "dataset", "screen", "plate", "image", "fileset", "originalfile")
_STATEMENT = f"""
WITH {_chosen("Project")},
{_chosen("Dataset", _in_container("projectdatasetlink", "project"))},
{_chosen("Screen")},
{_chosen("Plate", _in_container("screenplatelink", "screen"))},
{_chosen("Image", _in_container("datasetimagelink", "dataset"), "o.fileset = ANY(%(Fileset)s)", "%(all_Fileset)s")},
{_chosen("Fileset", "o.id IN (SELECT i.fileset FROM image i WHERE i.id IN (SELECT id FROM images))")},
{_chosen("Pixels", "o.image IN (SELECT id FROM images)")},
{_chosen("Job", "o.id IN (SELECT l.child FROM filesetjoblink l WHERE l.parent IN (SELECT id FROM filesets))")},
{_chosen("OriginalFile")},
{_chosen("Annotation", *(_in_container(f"{one}annotationlink", one) for one in _ANNOTATED))},
found AS (
    SELECT 1 AS rank, 'FilesetEntry' AS component, x.originalfile AS id FROM filesetentry x
     WHERE x.fileset IN (SELECT id FROM filesets)
    UNION ALL SELECT 2, 'Job', l.child FROM joboriginalfilelink l WHERE l.parent IN (SELECT id FROM jobs)
    UNION ALL SELECT 3, 'Annotation', a.file FROM annotation a
     WHERE a.file IS NOT NULL AND a.id IN (SELECT id FROM annotations)
    UNION ALL SELECT 4, 'Pixels', m.parent FROM pixelsoriginalfilemap m WHERE m.child IN (SELECT id FROM pixelss)
    UNION ALL SELECT 5, 'OriginalFile', o.id FROM originalfiles o),
files AS (SELECT DISTINCT ON (id) id, component FROM found ORDER BY id, rank)
SELECT f.component, o.owner_id, o.group_id, NULL::bigint AS id, count(*) AS files,
       coalesce(sum(o.size), 0)::bigint AS size
  FROM files f JOIN originalfile o ON o.id = f.id
 WHERE {visible("o")} AND coalesce(o.mimetype, '') <> ALL(%(no_content)s)
 GROUP BY f.component, o.owner_id, o.group_id
UNION ALL
SELECT 'Pixels', p.owner_id, p.group_id, p.id, 0, 0 FROM pixels p WHERE p.id IN (SELECT id FROM pixelss)
UNION ALL
SELECT 'Thumbnail', t.owner_id, t.group_id, t.id, 0, 0 FROM thumbnail t WHERE t.pixels IN (SELECT id FROM pixelss)
"""  # noqa: S608
_NAMES = """
SELECT 'user' AS kind, e.id, e.omename AS name FROM experimenter e WHERE e.id = ANY(%(users)s)
UNION ALL SELECT 'group', g.id, g.name FROM experimentergroup g WHERE g.id = ANY(%(groups)s)
"""


@dataclass(frozen=True)
class Part:
    """What one kind of files takes that belong to one user in one group.

    :param size: bytes
    :param files: their number
    """

    component: str
    user_id: int
    user: str
    group_id: int
    group: str
    size: int
    files: int


@dataclass
class _Sum:
    size: int = 0
    files: int = 0


@dataclass
class _Sums:
    by_part: dict[tuple[str, int, int], _Sum] = field(default_factory=dict)

    def add(self, row: Row, size: int, files: int) -> None:
        if files:
            total = self.by_part.setdefault((row["component"], row["owner_id"], row["group_id"]), _Sum())
            total.size += size
            total.files += files


class Usage:
    """Adds sizes up.

    :param data_directory: ``omero.data.dir``
    """

    def __init__(self, database: Database, data_directory: Path) -> None:
        self._database = database
        self._on_disk: dict[str, tuple[Callable[[int], Path], ...]] = {
            "Pixels": (lambda one: pixels_path(data_directory, one), lambda one: pyramid_path(data_directory, one)),
            "Thumbnail": (lambda one: thumbnail_path(data_directory, one),),
        }

    def of(self, actor: Actor, objects: Mapping[str, Sequence[int]], types: Sequence[str] = ()) -> list[Part]:
        """What the files of objects take, of those that the actor may see.

        :param objects: ids by type
        :param types: types of which all objects are meant
        :raises AdminError: ``request-invalid``
        """
        unknown = sorted({*objects, *types} - set(TYPES))
        if unknown:
            raise invalid(f"the usage of {unknown[0][:80]!r} is not known; of {', '.join(TYPES)} it is")
        values: Row = {"no_content": list(NO_CONTENT), **actor.visibility()}
        for kind in TYPES:
            values[kind] = list(objects.get(kind, ()))
            values[f"all_{kind}"] = kind in types
        sums = _Sums()
        with self._database.transaction() as connection:
            with connection.cursor(name="usage") as cursor:
                cursor.itersize = _PAGE
                for row in cursor.execute(_STATEMENT.encode(), values):
                    self._take(row, sums)
            return _named(connection, sums)

    def _take(self, row: Row, sums: _Sums) -> None:
        if row["id"] is None:
            sums.add(row, row["size"], row["files"])
            return
        for place in self._on_disk[row["component"]]:
            try:
                sums.add(row, place(row["id"]).stat().st_size, 1)
            except OSError:
                continue


def _named(connection: Connection, sums: _Sums) -> list[Part]:
    ids = {
        "users": list({user for _, user, _ in sums.by_part}),
        "groups": list({group for _, _, group in sums.by_part}),
    }
    names = {(row["kind"], row["id"]): row["name"] for row in connection.execute(_NAMES, ids).fetchall()}
    return [
        Part(component, user, names[("user", user)], group, names[("group", group)], total.size, total.files)
        for (component, user, group), total in sorted(sums.by_part.items())
    ]
