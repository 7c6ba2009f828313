"""Finds the objects that a request names: by type and id, by ranges of ids, and by what they are below."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import tuple_row

from omeroadmin.errors import failed_error
from omeroadmin.runtime.services.blitz.database import Connection
from omeroadmin.runtime.services.blitz.services.actor import Actor, visible
from omeroadmin.runtime.services.blitz.services.graph.facts import Ids, gather
from omeroadmin.runtime.services.blitz.services.graph.plan import make_plan
from omeroadmin.runtime.services.blitz.services.graph.shape import TARGETS, is_annotation, node_type
from omeroadmin.runtime.services.blitz.services.graph.wish import Operation, Wish
from omeroadmin.runtime.services.blitz.services.model.entity import Entity
from omeroadmin.runtime.services.blitz.services.model.lookup import entities_named
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from omeroadmin.runtime.services.blitz.services.problems import conflict, denied, invalid
from omeroadmin.runtime.services.blitz.services.repositories import SCRIPT_REPOSITORY

MOST_TARGETS = 100_000


@dataclass(frozen=True)
class Target:
    """Objects as OMERO's command line names them, e.g. ``Project/Image:51,53-56``.

    :param path: types; what is meant is of the last one, below objects of the first one
    :param ids: of the first type, as ranges with their ends
    """

    path: tuple[str, ...]
    ids: tuple[tuple[int, int], ...]

    @property
    def text(self) -> str:
        """The target as it is written."""
        ids = ",".join(str(low) if low == high else f"{low}-{high}" for low, high in self.ids[:20])
        return f"{'/'.join(self.path)}:{ids}"


def find_targets(connection: Connection, actor: Actor, operation: Operation, targets: Sequence[Target]) -> Ids:
    """The objects, by type; all kinds of annotations as one.

    :raises AdminError: ``request-invalid``, ``not-found``, ``request-too-large``, ``permission-denied``
    """
    found: Ids = defaultdict(set)
    for target in targets:
        wanted = _types(operation, target.path[-1])
        if len(target.path) == 1:
            for entity, ids in _named(connection, actor, target, wanted).items():
                found[node_type(entity)] |= ids
            continue
        for name in target.path[1:-1]:
            entities_named(name)
        heads = _named(connection, actor, target, _types(Operation.DELETE, target.path[0]))
        for name, below in _below(connection, heads, wanted).items():
            found[node_type(name)] |= below
    if sum(len(ids) for ids in found.values()) > MOST_TARGETS:
        raise _too_many()
    _check_files(connection, actor, operation, found.get("OriginalFile", set()))
    return {name: ids for name, ids in found.items() if ids}


def _types(operation: Operation, name: str) -> tuple[Entity, ...]:
    entities = entities_named(name)
    for entity in entities:
        is_link = entity.link is not None
        if entity.name not in TARGETS and not is_annotation(entity.name) and not is_link:
            raise invalid(f"{operation.value} can't be asked for {entity.name}: name what it belongs to")
        if is_link and operation is not Operation.DELETE:
            raise invalid(f"{operation.value} can't be asked for {entity.name}: links follow what they link")
    return entities


def _named(connection: Connection, actor: Actor, target: Target, entities: Sequence[Entity]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for entity in entities:
        statement = (
            f"SELECT DISTINCT o.id FROM {entity.table} o"  # noqa: S608 - the declared model's own names
            " JOIN unnest(%(lows)s::bigint[], %(highs)s::bigint[]) AS r (low, high) ON o.id BETWEEN r.low AND r.high"
            f" WHERE {entity.condition} AND {visible('o')} LIMIT %(limit)s"
        )
        with connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(
                statement.encode(),
                {
                    "lows": [low for low, _ in target.ids],
                    "highs": [high for _, high in target.ids],
                    "limit": MOST_TARGETS + 1,
                    **actor.visibility(),
                },
            )
            found[entity.name] = {row[0] for row in cursor}
        if len(found[entity.name]) > MOST_TARGETS:
            raise _too_many()
    everything = set().union(*found.values())
    for low, high in target.ids:
        if low == high and low not in everything:
            raise failed_error("not-found", f"there is no {target.path[0]} {low}")
    if not everything:
        raise failed_error("not-found", f"there is nothing like {Target(target.path[:1], target.ids).text}")
    return found


def _below(connection: Connection, heads: dict[str, set[int]], wanted: Sequence[Entity]) -> dict[str, set[int]]:
    """What would go with the heads, of the types that are wanted."""
    names = {entity.name for entity in wanted}
    targets: Ids = defaultdict(set)
    for name, ids in heads.items():
        targets[node_type(name)] |= ids
    wish = Wish(Operation.DELETE, None, followed=frozenset(name for name in names if is_annotation(name)))
    plan = make_plan(gather(connection, {name: ids for name, ids in targets.items() if ids}), wish)
    return {name: set(plan.deleted[name]) for name in names & plan.deleted.keys()}


def _check_files(connection: Connection, actor: Actor, operation: Operation, files: set[int]) -> None:
    """Directories and repositories aren't data, and scripts are the server's."""
    if not files:
        return
    rows = connection.execute(
        "SELECT id, mimetype, repo FROM originalfile WHERE id = ANY(%s)"
        " AND (mimetype IN ('Directory', 'Repository') OR repo = %s) ORDER BY id",
        (list(files), SCRIPT_REPOSITORY),
    ).fetchall()
    for row in rows:
        what = f"OriginalFile:{row['id']}"
        if row["repo"] != SCRIPT_REPOSITORY or row["mimetype"] in ("Directory", "Repository"):
            raise conflict("file-in-use", f"{what} is a {row['mimetype'].lower()} of the server's")
        if operation is not Operation.DELETE or Privilege.DELETE_SCRIPT_REPO not in actor.privileges:
            raise denied(f"you may not {operation.action.value} {what}: it is a script of the server's")


def _too_many() -> Exception:
    return conflict("request-too-large", f"a request names at most {MOST_TARGETS} objects; do it in several parts")
