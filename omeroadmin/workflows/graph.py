"""Deletes objects, moves them to another group and gives them to another user, in the words of OMERO's commands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from omeroadmin.access.client import Client
from omeroadmin.access.problems import not_understood
from omeroadmin.errors import AdminError, ExitStatus, usage_error
from omeroadmin.workflows.people import Selection, find_groups, find_users

_TARGET = re.compile(
    r"([A-Za-z]{1,60}(?:/[A-Za-z]{1,60}){0,9}):([0-9]{1,18}(?:-[0-9]{1,18})?(?:,[0-9]{1,18}(?:-[0-9]{1,18})?)*)"
)
_DESTINATION = re.compile(r"(User|Experimenter|Group|ExperimenterGroup):([0-9]{1,18})", re.IGNORECASE)
_REFUSED_AS_USAGE = frozenset({"request-invalid"})


@dataclass(frozen=True)
class Target:
    """Objects as they are typed: ``Project/Image:51,53-56``."""

    type: str
    ids: str

    def __str__(self) -> str:
        return f"{self.type} {self.ids}"


@dataclass(frozen=True)
class GraphWish:
    """What is to be done.

    :param include: types that go even where they usually stay
    :param exclude: types that stay
    :param ordered: each target for itself, in the order given
    :param timeout: seconds to wait for the answer
    """

    operation: str
    targets: tuple[Target, ...]
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ordered: bool = False
    timeout: float = 3600.0


@dataclass(frozen=True)
class Objects:
    """Objects of one type.

    :param ids: with ranges, e.g. ``51,53-56``
    :param reason: why they stay; empty for those that don't
    """

    type: str
    ids: str
    count: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Part:
    """What was decided together.

    :param deleted: objects that don't exist any more
    :param included: objects that were moved or given away
    :param kept: objects that stay although something next to them went
    """

    deleted: tuple[Objects, ...]
    included: tuple[Objects, ...]
    kept: tuple[Objects, ...]
    warnings: tuple[str, ...]
    steps: int


@dataclass(frozen=True)
class GraphOutcome:
    """What was done, or would be.

    :param files_removed: files that are gone from the server's disk
    """

    operation: str
    dry_run: bool
    plans: tuple[Part, ...]
    files_removed: int
    elapsed_ms: int


def parse_targets(texts: Sequence[str]) -> tuple[Target, ...]:
    """``Type:ids`` each; several of a type are one, unless they are typed apart.

    :raises AdminError: ``object-invalid``
    """
    targets = []
    for text in texts:
        match = _TARGET.fullmatch(text)
        if match is None:
            raise usage_error(
                "object-invalid",
                f"{text[:80]!r} names no objects",
                "name a type and ids, e.g. Image:51,53-56 or Project/Image:51",
            )
        name = match[1] if match[1].lower() != "user" else "Experimenter"
        targets.append(Target(name, match[2]))
    return tuple(targets)


def parse_types(texts: Sequence[str]) -> tuple[str, ...]:
    """Types of ``--include`` and ``--exclude``, with commas in between or one by one."""
    return tuple(name for text in texts for name in re.split(r"[,\s]+", text) if name)


def run(client: Client, wish: GraphWish, *, dry_run: bool, destination: str = "") -> GraphOutcome:
    """Have it done, all or nothing, or learn what would be done.

    :param destination: the group of a move, the user of a change of ownership, by id or name or as ``Group:5``
    :raises AdminError: ``object-invalid``, ``group-unknown``, ``user-unknown``, the server's own codes such as
        ``permission-denied`` and ``fileset-split``, and what :meth:`Client.post` raises
    """
    document = {
        "targets": [{"type": target.type, "ids": target.ids} for target in wish.targets],
        "include": list(wish.include),
        "exclude": list(wish.exclude),
        "ordered": wish.ordered,
        "dry_run": dry_run,
        **_destination(client, wish.operation, destination),
    }
    try:
        answer = client.post(f"/{wish.operation}", document, timeout=wish.timeout)
    except AdminError as error:
        if error.code in _REFUSED_AS_USAGE:
            raise AdminError(error.code, error.message, hint=error.hint, exit_status=ExitStatus.USAGE) from None
        raise
    return _outcome(client, answer)


def _destination(client: Client, operation: str, text: str) -> dict[str, int]:
    if operation == "delete":
        return {}
    match = _DESTINATION.fullmatch(text)
    kinds = ("group", "experimentergroup") if operation == "chgrp" else ("user", "experimenter")
    if match is not None and match[1].lower() not in kinds:
        raise usage_error("object-invalid", f"{text} is no {kinds[0]}", f"name one: {kinds[0].title()}:{match[2]}")
    selection = Selection(ids=(match[2],)) if match is not None else Selection(either=(text,))
    if operation == "chgrp":
        return {"group_id": find_groups(client, selection)[0].id}
    return {"user_id": find_users(client, selection)[0].id}


def _outcome(client: Client, answer: Any) -> GraphOutcome:
    try:
        return GraphOutcome(
            str(answer["operation"]),
            bool(answer["dry_run"]),
            tuple(
                Part(
                    _objects(plan["deleted"]),
                    _objects(plan["included"]),
                    _objects(plan["kept"]),
                    tuple(str(warning) for warning in plan["warnings"]),
                    int(plan["steps"]),
                )
                for plan in answer["plans"]
            ),
            int(answer["files_removed"]),
            int(answer["elapsed_ms"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise not_understood(client.address, "what it did is not as expected") from error


def _objects(items: Any) -> tuple[Objects, ...]:
    return tuple(
        Objects(str(one["type"]), str(one["ids"]), int(one.get("count", 0)), str(one.get("reason", "")))
        for one in items
    )
