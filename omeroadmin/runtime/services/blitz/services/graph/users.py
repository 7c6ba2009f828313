"""A change of ownership of everything that users have: whole tables, without a look at what hangs on what."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from psycopg.rows import tuple_row

from omeroadmin.errors import failed_error
from omeroadmin.runtime.services.blitz.database import Connection
from omeroadmin.runtime.services.blitz.services.graph.facts import MOST_ROWS, Facts, Ids
from omeroadmin.runtime.services.blitz.services.graph.plan import GraphPlan
from omeroadmin.runtime.services.blitz.services.graph.reach import kind_of, taker_may_have
from omeroadmin.runtime.services.blitz.services.graph.wish import Operation, Wish
from omeroadmin.runtime.services.blitz.services.model.declared import ENTITIES, INTERNAL
from omeroadmin.runtime.services.blitz.services.permissions import Holding, require
from omeroadmin.runtime.services.blitz.services.problems import conflict, denied

_TABLES = {
    ("Annotation" if entity.is_a("Annotation") else "Job" if entity.is_a("Job") else entity.name): entity.table
    for entity in (*ENTITIES.values(), *INTERNAL.values())
    if entity.owned
}
_PAIRED = frozenset({"FilesetJobLink", "JobOriginalFileLink", "PixelsOriginalFileMap"}) | {
    name for name, entity in ENTITIES.items() if entity.link is not None
}
"""Types of which an owner has one between two objects at most."""


def plan_of_users(connection: Connection, wish: Wish, users: frozenset[int]) -> GraphPlan:
    """Everything of some users goes to another one.

    :raises AdminError: ``permission-denied``, ``not-found``, ``request-too-large``
    """
    _check(connection, wish, users)
    where = wish.destination
    assert where is not None  # noqa: S101 - a change of ownership has one
    givers = list(users - {where.id})
    changed: Ids = defaultdict(set)
    lost: Ids = defaultdict(set)
    kinds = Facts({})
    for name, table in sorted(_TABLES.items()):
        condition = " AND mimetype IS DISTINCT FROM 'Repository'" if name == "OriginalFile" else ""
        column = {"Annotation": "discriminator", "Job": "type"}.get(name, "''")
        rows = _rows(connection, f"SELECT id, {column} FROM {table} WHERE owner_id = ANY(%s){condition}", givers)  # noqa: S608
        if name in ("Annotation", "Job"):
            (kinds.kinds if name == "Annotation" else kinds.jobs).update(rows)
        for object_id, _ in rows:
            changed[kind_of(kinds, name, object_id)].add(object_id)
        if name in _PAIRED:
            lost[name] = _doubles(connection, table, givers, where.id)
            changed[name] -= lost[name]
    return GraphPlan(
        Operation.CHOWN, _sorted(lost), _sorted({k: v for k, v in changed.items() if k not in wish.exclude})
    )


def _check(connection: Connection, wish: Wish, users: frozenset[int]) -> None:
    known = {row[0] for row in _rows(connection, "SELECT id FROM experimenter WHERE id = ANY(%s)", list(users))}
    for user in sorted(users - known):
        raise failed_error("not-found", f"there is no Experimenter {user}")
    pairs: dict[tuple[int, int], int] = {}
    for table in _TABLES.values():
        statement = (
            f"SELECT DISTINCT o.owner_id, o.group_id, g.permissions FROM {table} o"  # noqa: S608
            " JOIN experimentergroup g ON g.id = o.group_id WHERE o.owner_id = ANY(%s)"
        )
        pairs |= {(owner, group): level for owner, group, level in _rows(connection, statement, list(users))}
    if wish.actor is not None:
        for (owner, group), level in sorted(pairs.items()):
            if not taker_may_have(wish, group):
                raise denied(f"you may not give away what user {owner} has in group {group}: the new owner isn't in it")
            require(
                wish.actor, wish.operation.action, f"everything of Experimenter:{owner}", Holding(owner, group, level)
            )


def _doubles(connection: Connection, table: str, givers: list[int], taker: int) -> set[int]:
    """Links that would be the second ones of their new owner between two objects."""
    statement = (
        f"SELECT l.id FROM {table} l WHERE l.owner_id = ANY(%(givers)s) AND EXISTS (SELECT 1 FROM {table} o"  # noqa: S608
        " WHERE o.parent = l.parent AND o.child = l.child"
        " AND (o.owner_id = %(taker)s OR (o.owner_id = ANY(%(givers)s) AND o.id < l.id)))"
    )
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(statement.encode(), {"givers": givers, "taker": taker})
        return {row[0] for row in cursor}


def _rows(connection: Connection, statement: str, users: list[int]) -> list[tuple[Any, ...]]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(f"{statement} LIMIT {MOST_ROWS + 1}".encode(), (users,)).fetchall()
    if len(rows) > MOST_ROWS:
        raise conflict("request-too-large", f"these users have more than {MOST_ROWS} objects of one type")
    return rows


def _sorted(ids: Ids) -> dict[str, tuple[int, ...]]:
    return {name: tuple(sorted(ids[name])) for name in sorted(ids) if ids[name]}
