"""Deletes, moves between groups and changes of ownership: facts, plan and change in one transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import psycopg

from omeroadmin.database.advisory import AdvisoryLock
from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.database import Connection, Database
from omeroadmin.runtime.services.blitz.services.actor import USER_GROUP, Actor
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.graph.apply import apply_plan
from omeroadmin.runtime.services.blitz.services.graph.facts import gather
from omeroadmin.runtime.services.blitz.services.graph.plan import GraphPlan, make_plan
from omeroadmin.runtime.services.blitz.services.graph.shape import table_of
from omeroadmin.runtime.services.blitz.services.graph.targets import Target, find_targets
from omeroadmin.runtime.services.blitz.services.graph.users import plan_of_users
from omeroadmin.runtime.services.blitz.services.graph.wish import Destination, Operation, Wish
from omeroadmin.runtime.services.blitz.services.problems import conflict, denied, invalid, not_found
from omeroadmin.runtime.services.blitz.services.removals import Removals
from omeroadmin.runtime.services.blitz.services.repositories import Repositories

_LOG = logging.getLogger("omero.cmd.graphs")
_ATTEMPTS = 5
_LOCKED = ("Project", "Dataset", "Screen", "Plate", "Image", "Fileset", "OriginalFile", "Pixels", "Roi", "Annotation")
"""Types that something may be linked to meanwhile; in this order rows are locked."""


@dataclass(frozen=True)
class GraphRequest:
    """A delete, a move or a change of ownership.

    :param ordered: each target for itself, one after the other
    :param dry_run: find out what would happen, and change nothing
    :param destination_id: of the group or the user that objects go to
    """

    operation: Operation
    targets: tuple[Target, ...]
    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    ordered: bool = False
    dry_run: bool = False
    destination_id: int = 0


@dataclass(frozen=True)
class GraphResult:
    """What happened, or would.

    :param plans: one, or one for each target where they were to be done in order
    :param files_removed: files that are gone from the disk
    :param seconds: how long it took
    """

    plans: tuple[GraphPlan, ...]
    files_removed: int = 0
    seconds: float = field(default=0.0)


class Graph:
    """Everything that removes objects or gives them to others.

    :param removals: takes files away after the commit
    """

    def __init__(self, database: Database, repositories: Repositories, removals: Removals) -> None:
        self._database = database
        self._data_repository = next(one.uuid for one in repositories.all if one.kind == "Public")
        self._removals = removals

    def run(self, actor: Actor, request: GraphRequest) -> GraphResult:
        """Do it, all or nothing, or say what would be done.

        :raises AdminError: ``request-invalid``, ``not-found``, ``permission-denied``, ``fileset-split``,
            ``file-in-use``, ``request-too-large``, ``changed-meanwhile``
        """
        began = time.monotonic()
        plans = self._again(actor, request)
        if request.dry_run:
            return GraphResult(tuple(plans), 0, time.monotonic() - began)
        _LOG.info("%s by user %d: %s", request.operation.value, actor.user_id, _summary(plans))
        return GraphResult(tuple(plans), self._remove_files(plans), time.monotonic() - began)

    def _again(self, actor: Actor, request: GraphRequest) -> list[GraphPlan]:
        """Try until nobody changes the same objects in between."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._database.transaction() as connection:
                    plans = self._all(connection, _wish(connection, actor, request), request)
                    if request.dry_run:
                        connection.rollback()
                    return plans
            except (psycopg.errors.ForeignKeyViolation, psycopg.errors.DeadlockDetected):
                _LOG.info("%s is planned anew: something was linked meanwhile (%d)", request.operation.value, attempt)
            except AdminError as error:
                if error.code != "changed-meanwhile" or attempt == _ATTEMPTS:
                    raise
        raise conflict("changed-meanwhile", "others link these objects all the time; try again")

    def _all(self, connection: Connection, wish: Wish, request: GraphRequest) -> list[GraphPlan]:
        commands = _commands(request)
        if request.dry_run and len(commands) == 1:
            return [_plan(connection, wish, commands[0])]
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (AdvisoryLock.GRAPHS,))
        return [self._do(connection, wish, command) for command in commands]

    def _do(self, connection: Connection, wish: Wish, targets: Sequence[Target]) -> GraphPlan:
        # What is to be deleted and gets linked meanwhile can't be deleted: the database sees to that.
        deletes = wish.operation is Operation.DELETE
        plan = _plan(connection, wish, targets) if deletes else _settled(connection, wish, targets)
        assert wish.actor is not None  # noqa: S101 - a request has one
        if plan.steps:
            apply_plan(
                connection,
                Changes(connection, wish.actor),
                plan,
                destination_id=wish.destination.id if wish.destination else 0,
                data_repository=self._data_repository,
            )
        return plan

    def _remove_files(self, plans: Sequence[GraphPlan]) -> int:
        """What was deleted is deleted, whatever becomes of its files now: they are recorded."""
        if not any(plan.deleted.keys() & {"OriginalFile", "Pixels", "Thumbnail"} for plan in plans):
            return 0
        try:
            return self._removals.run()
        except (AdminError, psycopg.Error) as error:
            _LOG.warning("Files of deleted objects are removed later: %s", type(error).__name__)
            return 0


def _commands(request: GraphRequest) -> list[tuple[Target, ...]]:
    """Targets that are decided upon together."""
    if request.ordered:
        return [(target,) for target in request.targets]
    users = tuple(target for target in request.targets if _names_users(target))
    others = tuple(target for target in request.targets if not _names_users(target))
    return [one for one in (users, others) if one]


def _names_users(target: Target) -> bool:
    return target.path[-1].lower() == "experimenter"


def _settled(connection: Connection, wish: Wish, targets: Sequence[Target]) -> GraphPlan:
    """A plan of what can't change any more: its objects are locked, and it still is the plan.

    :raises AdminError: ``changed-meanwhile`` and what planning raises
    """
    plan = _plan(connection, wish, targets)
    for _ in range(_ATTEMPTS):
        _lock(connection, plan)
        again = _plan(connection, wish, targets)
        if (again.deleted, again.changed) == (plan.deleted, plan.changed):
            return again
        plan = again
    raise conflict("changed-meanwhile", "others change these objects all the time; try again")


def _plan(connection: Connection, wish: Wish, targets: Sequence[Target]) -> GraphPlan:
    users = [target for target in targets if _names_users(target)]
    if users:
        if wish.operation is not Operation.CHOWN or any(len(target.path) > 1 for target in users):
            raise invalid("users can't be named here: only a change of ownership takes all that they have")
        ids = {one for target in users for low, high in target.ids for one in range(low, min(high, low + 10_000) + 1)}
        return plan_of_users(connection, wish, frozenset(ids))
    assert wish.actor is not None  # noqa: S101 - a request has one
    found = find_targets(connection, wish.actor, wish.operation, targets)
    return make_plan(gather(connection, found, not_below=wish.exclude), wish)


def _lock(connection: Connection, plan: GraphPlan) -> None:
    for name in _LOCKED:
        for kind, ids in sorted({**plan.deleted, **plan.changed}.items()):
            if kind == name or (name == "Annotation" and kind.endswith("Annotation")):
                statement = f"SELECT count(*) FROM (SELECT id FROM {table_of(name)} WHERE id = ANY(%s)"  # noqa: S608
                connection.execute(f"{statement} ORDER BY id FOR UPDATE) AS locked".encode(), (list(ids),))


def _wish(connection: Connection, actor: Actor, request: GraphRequest) -> Wish:
    """The request with its destination.

    :raises AdminError: ``not-found``, ``permission-denied``
    """
    wish = Wish(request.operation, actor, request.include, request.exclude)
    privileged = request.operation.privilege in actor.privileges
    match request.operation:
        case Operation.DELETE:
            return wish
        case Operation.CHGRP:
            where = _group(connection, request.destination_id)
            if not privileged and actor.user_id not in where.members:
                raise denied(f"you may not move anything to group {where.name}: you are not a member of it")
        case Operation.CHOWN:
            where = _user(connection, request.destination_id)
            own = {one.group_id for one in actor.memberships if one.is_leader}
            if not privileged and not own & where.members:
                raise denied(f"you may not give anything to {where.name}: you own no group that this user is in")
            if not privileged:
                # What is given away is then in a group of the actor's own, and the user must be in the same.
                where = replace(where, members=frozenset(own & where.members))
    return replace(wish, destination=where)


def _group(connection: Connection, group_id: int) -> Destination:
    row = connection.execute(
        "SELECT g.id, g.name, g.permissions, coalesce(array_agg(m.child) FILTER (WHERE m.child IS NOT NULL), '{}')"
        " AS members FROM experimentergroup g LEFT JOIN groupexperimentermap m ON m.parent = g.id"
        " WHERE g.id = %s GROUP BY g.id",
        (group_id,),
    ).fetchone()
    if row is None:
        raise not_found("ExperimenterGroup", group_id)
    if group_id == USER_GROUP:
        raise invalid(f"group {row['name']} holds no data: it is for logging in")
    return Destination(row["id"], row["name"], frozenset(row["members"]), row["permissions"])


def _user(connection: Connection, user_id: int) -> Destination:
    row = connection.execute(
        "SELECT e.id, e.omename, coalesce(array_agg(m.parent) FILTER (WHERE m.parent IS NOT NULL), '{}') AS groups"
        " FROM experimenter e LEFT JOIN groupexperimentermap m ON m.child = e.id WHERE e.id = %s GROUP BY e.id",
        (user_id,),
    ).fetchone()
    if row is None:
        raise not_found("Experimenter", user_id)
    return Destination(row["id"], row["omename"], frozenset(row["groups"]))


def _summary(plans: Sequence[GraphPlan]) -> str:
    counts: dict[str, int] = {}
    for plan in plans:
        for name, ids in (*plan.deleted.items(), *plan.changed.items()):
            counts[name] = counts.get(name, 0) + len(ids)
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "nothing"
