"""What hangs on the targets of a request: read level by level, one query for each type, never row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from psycopg.rows import tuple_row

from omeroadmin.runtime.services.blitz.database import Connection
from omeroadmin.runtime.services.blitz.services.graph.shape import (
    ANNOTATION_LINKS,
    CONTAINMENT,
    PARTS,
    USES,
    Use,
    table_of,
)
from omeroadmin.runtime.services.blitz.services.model.entity import Entity
from omeroadmin.runtime.services.blitz.services.problems import conflict

MOST_ROWS = 600_000
"""Rows that one request may reach: what they take is a small part of a server's memory."""

Ids = dict[str, set[int]]
"""Objects by their types."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Owner and group of an object."""

    owner: int
    group: int


@dataclass(frozen=True, slots=True)
class Link:
    """A link between two objects."""

    id: int
    parent: int
    child: int
    owner: int
    group: int


@dataclass
class Facts:
    """The surroundings of the targets, as far as a decision depends on them.

    :param targets: what the request names
    :param objects: everything that may be changed and has an owner of interest, by type and id
    :param links: every link of a type that begins or ends at one of the objects, by type and id
    :param parts: part → whole and owner, by type
    :param filesets: image → fileset, for all images of each fileset of which one is among the objects
    :param uses: for each thing that several may use: its users, as type and id
    :param kinds: annotation → discriminator
    :param jobs: job → OMERO's type of it
    :param files: annotation → its file
    :param levels: permissions of groups, as bit masks
    """

    targets: Ids
    objects: dict[str, dict[int, Whose]] = field(default_factory=lambda: defaultdict(dict))
    links: dict[str, dict[int, Link]] = field(default_factory=lambda: defaultdict(dict))
    parts: dict[str, dict[int, tuple[int, int]]] = field(default_factory=lambda: defaultdict(dict))
    filesets: dict[int, int] = field(default_factory=dict)
    uses: dict[str, dict[int, set[tuple[str, int]]]] = field(default_factory=lambda: defaultdict(dict))
    kinds: dict[int, str] = field(default_factory=dict)
    jobs: dict[int, str] = field(default_factory=dict)
    files: dict[int, int] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)


def gather(connection: Connection, targets: Ids, *, not_below: frozenset[str] = frozenset()) -> Facts:
    """Read everything that the targets bring with them.

    :param targets: by type, all kinds of annotations as ``Annotation``; they exist
    :param not_below: types that aren't looked for inside containers, because they are excluded
    :raises AdminError: ``request-too-large``
    """
    reader = _Reader(connection, Facts(targets))
    reader.containers(not_below)
    reader.images_and_filesets()
    reader.parts()
    reader.used()
    reader.annotations()
    reader.levels()
    return reader.facts


class _Reader:
    def __init__(self, connection: Connection, facts: Facts) -> None:
        self.facts = facts
        self._connection = connection
        self._rows = 0

    def containers(self, not_below: frozenset[str]) -> None:
        """Targets, what containers hold, and in which other containers that is."""
        for name, ids in self.facts.targets.items():
            if name.endswith("Link"):
                self._links(name, "id", ids)
            else:
                self._objects(name, ids)
        for link in CONTAINMENT:
            assert link.link is not None  # noqa: S101 - by declaration
            parent, child = link.link.parent, link.link.child
            self._links(link.name, "parent", self.facts.objects[parent])
            if child not in not_below:
                self._objects(child, {one.child for one in self.facts.links[link.name].values()})
            self._links(link.name, "child", self.facts.objects[child])

    def images_and_filesets(self) -> None:
        """Filesets of the images, and images of the filesets; those that are nobody's target are only counted."""
        named = self.facts.targets.get("Fileset", set())
        rows = self._select("SELECT id, fileset, owner_id, group_id FROM image WHERE fileset = ANY(%s)", named)
        for image_id, _, owner, group in rows:
            self.facts.objects["Image"][image_id] = Whose(owner, group)
        # Their containers' links go with them.
        self._links("DatasetImageLink", "child", (row[0] for row in rows))
        images = self.facts.objects["Image"]
        found = self._select("SELECT DISTINCT fileset FROM image WHERE id = ANY(%s) AND fileset IS NOT NULL", images)
        filesets = {row[0] for row in found}
        self._objects("Fileset", filesets)
        siblings = self._select("SELECT id, fileset FROM image WHERE fileset = ANY(%s)", filesets)
        self.facts.filesets.update(siblings)

    def parts(self) -> None:
        """What exists only with an image or a fileset."""
        for part in PARTS:
            wholes = self.facts.objects.get(part.whole) or self.facts.parts.get(part.whole) or {}
            self._parts(part.name, part.column, wholes)
        for roi in self.facts.objects.get("Roi", {}):
            # A target for itself isn't a part of anything here.
            self.facts.parts["Roi"].pop(roi, None)

    def used(self) -> None:
        """What parts use, and everybody else who uses it."""
        for use in USES:
            if use.follows and use.used != "OriginalFile":
                self._used(use)
        jobs = self.facts.uses["Job"]
        self.facts.jobs.update(self._select("SELECT id, type FROM job WHERE id = ANY(%s)", jobs))
        self._parts("JobOriginalFileLink", "parent", jobs)
        for name in ("FilesetEntry", "JobOriginalFileLink"):
            use = next(one for one in USES if one.user == name and one.used == "OriginalFile")
            rows = self._select(f"SELECT {use.column} FROM {use.table} WHERE id = ANY(%s)", self.facts.parts[name])  # noqa: S608
            self._files({row[0] for row in rows})
        self._files(set(self.facts.targets.get("OriginalFile", ())))

    def annotations(self) -> None:
        """Annotations of all objects, theirs in turn, and what else is annotated by them."""
        seen: set[int] = set()
        annotated: Ids = {}
        while True:
            fresh: set[int] = set(self.facts.objects["Annotation"]) - seen
            for link in ANNOTATION_LINKS:
                assert link.link is not None  # noqa: S101 - by declaration
                parents = self._annotated(link) - annotated.get(link.name, set())
                annotated.setdefault(link.name, set()).update(parents)
                self._links(link.name, "parent", parents)
                fresh |= {one.child for one in self.facts.links[link.name].values()} - seen
            if not fresh:
                return
            seen |= fresh
            self._annotations(fresh)
            for link in ANNOTATION_LINKS:
                self._links(link.name, "child", fresh)

    def levels(self) -> None:
        """Permissions of all groups that something belongs to."""
        groups = {whose.group for objects in self.facts.objects.values() for whose in objects.values()}
        groups |= {link.group for links in self.facts.links.values() for link in links.values()}
        self.facts.levels.update(
            self._select("SELECT id, permissions FROM experimentergroup WHERE id = ANY(%s)", groups)
        )

    def _annotated(self, link: Entity) -> set[int]:
        assert link.link is not None  # noqa: S101 - by declaration
        parent = link.link.parent
        return set(self.facts.objects.get(parent, ())) | set(self.facts.parts.get(parent, ()))

    def _annotations(self, ids: set[int]) -> None:
        rows = self._select(
            "SELECT id, owner_id, group_id, discriminator, file FROM annotation WHERE id = ANY(%s)", ids
        )
        for annotation, owner, group, kind, file in rows:
            self.facts.objects["Annotation"][annotation] = Whose(owner, group)
            self.facts.kinds[annotation] = kind
            if file is not None:
                self.facts.files[annotation] = file
        self._files({row[4] for row in rows if row[4] is not None})

    def _objects(self, name: str, ids: Iterable[int]) -> None:
        known = self.facts.objects[name]
        missing = [one for one in ids if one not in known]
        rows = self._select(f"SELECT id, owner_id, group_id FROM {table_of(name)} WHERE id = ANY(%s)", missing)  # noqa: S608
        for object_id, owner, group in rows:
            known[object_id] = Whose(owner, group)

    def _links(self, name: str, column: str, ids: Iterable[int]) -> None:
        statement = f"SELECT id, parent, child, owner_id, group_id FROM {table_of(name)} WHERE {column} = ANY(%s)"  # noqa: S608
        self.facts.links[name].update((row[0], Link(*row)) for row in self._select(statement, ids))

    def _parts(self, name: str, column: str, wholes: Iterable[int]) -> None:
        statement = f"SELECT id, {column}, owner_id FROM {table_of(name)} WHERE {column} = ANY(%s)"  # noqa: S608
        self.facts.parts[name].update((row[0], (row[1], row[2])) for row in self._select(statement, wholes))

    def _used(self, use: Use) -> None:
        ids = self._select(
            f"SELECT DISTINCT {use.column} FROM {use.table} WHERE id = ANY(%s) AND {use.column} IS NOT NULL",  # noqa: S608
            self.facts.parts[use.user],
        )
        self._users(use, {row[0] for row in ids})

    def _files(self, ids: set[int]) -> None:
        fresh = ids - self.facts.uses["OriginalFile"].keys()
        self._objects("OriginalFile", fresh)
        for file in fresh:
            self.facts.uses["OriginalFile"].setdefault(file, set())
        for use in USES:
            if use.used == "OriginalFile":
                self._users(use, fresh)

    def _users(self, use: Use, ids: set[int]) -> None:
        users = self.facts.uses[use.used]
        for used, user in self._select(
            f"SELECT {use.column}, id FROM {use.table} WHERE {use.column} = ANY(%s)",  # noqa: S608
            ids,
        ):
            users.setdefault(used, set()).add((use.user, user))

    def _select(self, statement: str, ids: Iterable[int]) -> list[tuple[Any, ...]]:
        wanted = list(ids)
        if not wanted:
            return []
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(statement.encode(), (wanted,)).fetchall()
        self._rows += len(rows)
        if self._rows > MOST_ROWS:
            raise conflict("request-too-large", f"this reaches more than {MOST_ROWS} objects; do it in several parts")
        return rows
