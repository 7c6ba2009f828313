"""Removes filesets without images, by the server: what hangs on them goes with them, and their files after that."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from omeroadmin.access.client import Client
from omeroadmin.database.stored import EmptyFileset
from omeroadmin.errors import AdminError
from omeroadmin.repository.orphans.findings import Problem
from omeroadmin.workflows.cleanse_scope import MANAGED
from omeroadmin.workflows.graph import GraphWish, Target, run

_BATCH = 100
_OF_THE_FILESET = frozenset({"changed-meanwhile", "fileset-split", "permission-denied"})
"""Refusals that are about one fileset."""


def remove_filesets(client: Client, filesets: Sequence[EmptyFileset]) -> tuple[int, list[Problem]]:
    """Have filesets deleted.

    :return: how many are gone, and what stays
    :raises AdminError: what :func:`omeroadmin.workflows.graph.run` raises, but for refusals of single filesets
    """
    removed, problems = 0, []
    iterator = iter(filesets)
    while batch := list(itertools.islice(iterator, _BATCH)):
        try:
            _delete(client, batch)
            removed += len(batch)
        except AdminError as error:
            if error.code not in _OF_THE_FILESET:
                raise
            done, more = _one_by_one(client, batch)
            removed += done
            problems += more
    return removed, problems


def _one_by_one(client: Client, batch: Iterable[EmptyFileset]) -> tuple[int, list[Problem]]:
    removed, problems = 0, []
    for fileset in batch:
        try:
            _delete(client, [fileset])
            removed += 1
        except AdminError as error:
            if error.code not in _OF_THE_FILESET:
                raise
            problems.append(Problem(MANAGED, fileset.prefix, f"Fileset:{fileset.id} stays: {error.message}"))
    return removed, problems


def _delete(client: Client, batch: Sequence[EmptyFileset]) -> None:
    ids = ",".join(str(fileset.id) for fileset in batch)
    run(client, GraphWish("delete", (Target("Fileset", ids),)), dry_run=False)
