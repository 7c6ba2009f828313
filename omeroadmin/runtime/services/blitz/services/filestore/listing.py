"""Lists filesets and images as ``omero fs`` shows them: filtered, in several orders, page by page.

A page continues after the last row of the one before, so that each costs the same, however long the list is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.repository.layout import pixels_path, pyramid_path
from omeroadmin.runtime.services.blitz.database import Connection, Database, Row
from omeroadmin.runtime.services.blitz.services.actor import Actor, visible
from omeroadmin.runtime.services.blitz.services.problems import not_found
from omeroadmin.schema.transfers import TRANSFER_NAMESPACE, Transfer

_SYMBOLS = {transfer.recorded_as: transfer.value for transfer in Transfer}

# Conditions come from visible() and from constants here; values are parameters.
_TRANSFER = (
    "SELECT a.textvalue FROM filesetannotationlink l JOIN annotation a ON a.id = l.child"
    " WHERE l.parent = s.id AND a.ns = %(transfer_namespace)s ORDER BY l.id LIMIT 1"
)
_FILESETS = f"""
SELECT s.id, s.templateprefix AS prefix, e.omename AS owner, g.name AS "group", v.time AS imported,
       (SELECT count(*) FROM image i WHERE i.fileset = s.id) AS images, f.number AS files, f.size,
       ({_TRANSFER}) AS transfer
  FROM ({{page}}) s
  JOIN experimenter e ON e.id = s.owner_id
  JOIN experimentergroup g ON g.id = s.group_id
  JOIN event v ON v.id = s.creation_id
  CROSS JOIN LATERAL (
       SELECT count(*) AS number, coalesce(sum(o.size), 0)::bigint AS size
         FROM filesetentry x JOIN originalfile o ON o.id = x.originalfile WHERE x.fileset = s.id) f
 ORDER BY {{order}}
"""  # noqa: S608
_FILES_OF_IMAGE = """
SELECT o.id, o.size FROM filesetentry x JOIN originalfile o ON o.id = x.originalfile WHERE x.fileset = i.fileset
UNION ALL
SELECT o.id, o.size FROM pixels p JOIN pixelsoriginalfilemap m ON m.child = p.id JOIN originalfile o ON o.id = m.parent
 WHERE p.image = i.id
"""
_IMAGES = f"""
SELECT i.id, i.name, i.fileset AS fileset_id, e.omename AS owner, g.name AS "group",
       p.id AS pixels_id, p.sizex AS size_x, p.sizey AS size_y, p.sizez AS size_z, p.sizec AS size_c,
       p.sizet AS size_t, t.value AS pixel_type, coalesce(c.names, ARRAY[]::varchar[]) AS channels,
       f.number AS files, f.size
  FROM ({{page}}) i
  JOIN experimenter e ON e.id = i.owner_id
  JOIN experimentergroup g ON g.id = i.group_id
  LEFT JOIN pixels p ON p.image = i.id AND p.image_index = 0
  LEFT JOIN pixelstype t ON t.id = p.pixelstype
  LEFT JOIN LATERAL (
       SELECT array_agg(coalesce(l.name, '') ORDER BY n.pixels_index) AS names
         FROM channel n JOIN logicalchannel l ON l.id = n.logicalchannel WHERE n.pixels = p.id) c ON true
  CROSS JOIN LATERAL (
       SELECT count(*) AS number, coalesce(sum(u.size), 0)::bigint AS size FROM ({_FILES_OF_IMAGE}) u) f
 ORDER BY {{order}}
"""  # noqa: S608
_SIZE = f"(SELECT coalesce(sum(u.size), 0)::bigint FROM ({_FILES_OF_IMAGE}) u)"  # noqa: S608
_PREFIX_OF_IMAGE = "coalesce((SELECT s.templateprefix FROM fileset s WHERE s.id = i.fileset), '')"
_ARCHIVED = "EXISTS (SELECT FROM pixels p JOIN pixelsoriginalfilemap m ON m.child = p.id WHERE p.image = i.id)"
_WITHOUT_IMAGES = "NOT EXISTS (SELECT FROM image i WHERE i.fileset = s.id)"


@dataclass(frozen=True)
class _Order:
    """An order of rows in which none are equal.

    :param key: SQL that sorts before the id; empty: the id alone
    """

    key: str = ""
    descending: bool = False

    def by(self) -> str:
        direction = "DESC" if self.descending else "ASC"
        return ", ".join(f"{column} {direction}" for column in (self.key, "{alias}.id") if column)

    def beyond(self) -> str:
        """Condition for what comes after the row ``after``."""
        sign = "<" if self.descending else ">"
        if not self.key:
            return f"{{alias}}.id {sign} %(after)s"
        key = f"(SELECT {self.key} FROM {{table}} {{alias}} WHERE {{alias}}.id = %(after)s)"  # noqa: S608 - constants
        return f"({self.key}, {{alias}}.id) {sign} ({key}, %(after)s)"


_BY_ID = {"oldest": _Order(), "newest": _Order(descending=True)}
FILESET_ORDERS = {**_BY_ID, "prefix": _Order("s.templateprefix")}
"""Orders of filesets by the names of ``--order``."""
IMAGE_ORDERS = {
    **_BY_ID,
    "prefix": _Order(_PREFIX_OF_IMAGE),
    "largest": _Order(_SIZE, descending=True),
}
"""Orders of images by the names of ``--order``."""


@dataclass(frozen=True)
class Part:
    """Which part of a list.

    :param after: id of the last row of the page before; ``None``: from the beginning
    :param offset: rows to pass over after that
    :param count: whether to count all rows of the list
    """

    order: str = "oldest"
    after: int | None = None
    offset: int = 0
    limit: int = 100
    count: bool = False


@dataclass(frozen=True)
class Listed:
    """A page of a list.

    :param next: id to continue after; ``None`` at the end
    :param total: rows of the whole list; ``None`` where nobody asked
    """

    rows: list[Row] = field(default_factory=list)
    next: int | None = None
    total: int | None = None


class Listing:
    """Lists what an actor may see."""

    def __init__(self, database: Database, data_directory: Path) -> None:
        self._database = database
        self._data_directory = data_directory

    def filesets(
        self, actor: Actor, part: Part, *, without_images: bool = False, transfers: Sequence[str] = ()
    ) -> Listed:
        """Filesets.

        :param without_images: only those that have none
        :param transfers: only those whose files came in one of these ways
        :raises AdminError: ``not-found`` if the row to continue after is gone
        """
        conditions = [_WITHOUT_IMAGES] if without_images else []
        if transfers:
            known = f"coalesce(({_TRANSFER}), %(usual)s)"
            conditions.append(f"{known} = ANY(%(transfers)s)")
        values = {
            "transfer_namespace": TRANSFER_NAMESPACE,
            "usual": Transfer.UPLOAD.recorded_as,
            "transfers": [Transfer(name).recorded_as for name in transfers],
        }
        listed = self._list(actor, ("fileset", "s", _FILESETS), FILESET_ORDERS[part.order], part, conditions, values)
        for row in listed.rows:
            row["transfer"] = _SYMBOLS.get(row["transfer"], row["transfer"]) or Transfer.UPLOAD.value
        return listed

    def images(self, actor: Actor, part: Part, *, archived: bool = False, extended: bool = False) -> Listed:
        """Images, with the number and size of the files that they came from.

        :param archived: only those of OMERO 4, whose original files were archived with them
        :param extended: also look at the disk: sizes of planes (``Pixels``) and pyramids
        :raises AdminError: ``not-found`` if the row to continue after is gone
        """
        conditions = [_ARCHIVED] if archived else []
        listed = self._list(actor, ("image", "i", _IMAGES), IMAGE_ORDERS[part.order], part, conditions, {})
        for row in listed.rows:
            pixels_id = row.pop("pixels_id")
            if extended:
                row["pixels_size"] = (
                    0 if pixels_id is None else _size_on_disk(pixels_path(self._data_directory, pixels_id))
                )
                row["pyramid_size"] = (
                    0 if pixels_id is None else _size_on_disk(pyramid_path(self._data_directory, pixels_id))
                )
        return listed

    def _list(
        self,
        actor: Actor,
        source: tuple[str, str, str],
        order: _Order,
        part: Part,
        conditions: Sequence[str],
        values: Row,
    ) -> Listed:
        table, alias, statement = source
        names = {"table": table, "alias": alias}
        known = " AND ".join([visible(alias), *conditions])
        by = order.by().format(**names)
        beyond = f" AND {order.beyond().format(**names)}" if part.after is not None else ""
        page = (
            f"SELECT {alias}.* FROM {table} {alias} WHERE {known}{beyond}"  # noqa: S608 - constants
            f" ORDER BY {by} LIMIT %(limit)s OFFSET %(offset)s"
        )
        parameters = {
            **values,
            **actor.visibility(),
            "after": part.after,
            "limit": part.limit + 1,
            "offset": part.offset,
        }
        with self._database.transaction() as connection:
            if part.after is not None and order.key:
                _require(connection, table, part.after)
            rows = connection.execute(statement.format(page=page, order=by).encode(), parameters).fetchall()
            total = None
            if part.count:
                counting = f"SELECT count(*) AS number FROM {table} {alias} WHERE {known}"  # noqa: S608 - constants
                counted = connection.execute(counting.encode(), parameters).fetchone()
                total = None if counted is None else int(counted["number"])
        following = rows[part.limit - 1]["id"] if len(rows) > part.limit else None
        return Listed(rows[: part.limit], following, total)


def _require(connection: Connection, table: str, object_id: int) -> None:
    statement = f"SELECT id FROM {table} WHERE id = %s"  # noqa: S608 - a constant
    if connection.execute(statement.encode(), (object_id,)).fetchone() is None:
        raise not_found(f"{table} to continue after, number", object_id)


def _size_on_disk(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
