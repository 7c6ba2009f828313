"""Carries a plan out in the transaction of a connection: rows, events, and the record of files to be removed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from omeroadmin.repository.layout import original_file_path, pixels_path, pyramid_path, thumbnail_path
from omeroadmin.runtime.services.blitz.database import Connection
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.graph.plan import GraphPlan
from omeroadmin.runtime.services.blitz.services.graph.shape import TARGETS, entity_of, is_annotation
from omeroadmin.runtime.services.blitz.services.graph.wish import Operation
from omeroadmin.runtime.services.blitz.services.model.declared import SEARCHED
from omeroadmin.runtime.services.blitz.services.problems import conflict

_FIRST = ("Thumbnail", "Channel", "LogicalChannel", "StatsInfo", "Roi")
_LAST = ("Pixels", "Image", "Fileset", "OriginalFile", "Plate", "Dataset", "Screen", "Project")
_JOB_TABLES = (
    "uploadjob_versioninfo", "uploadjob", "metadataimportjob_versioninfo", "metadataimportjob", "pixeldatajob",
    "thumbnailgenerationjob", "integritycheckjob", "indexingjob", "importjob", "parsejob", "scriptjob",
)  # fmt: skip
_LOG_FILES = """
INSERT INTO _fs_deletelog (event_id, file_id, owner_id, group_id, path, name, repo, params)
SELECT %(event)s, id, owner_id, group_id, path, name, repo, params FROM originalfile
 WHERE id = ANY(%(ids)s) AND repo IS NOT NULL
"""
_LOG_OWN = """
INSERT INTO _fs_deletelog (event_id, file_id, owner_id, group_id, path, name, repo)
SELECT %(event)s, n.file_id, %(owner)s, %(group)s, n.path, n.name, %(repo)s
  FROM unnest(%(ids)s::bigint[], %(paths)s::text[], %(names)s::text[]) AS n (file_id, path, name)
"""


def apply_plan(
    connection: Connection, changes: Changes, plan: GraphPlan, *, destination_id: int = 0, data_repository: str
) -> None:
    """Do what the plan says.

    :param changes: the event of this change
    :param destination_id: of the group or the user that objects go to
    :param data_repository: uuid of the repository whose root is the data directory
    :raises AdminError: ``changed-meanwhile`` if an object isn't there any more
    """
    _record_files(connection, changes, plan.deleted, data_repository)
    _delete(connection, plan.deleted)
    column = "group_id" if plan.operation is Operation.CHGRP else "owner_id"
    for name, ids in plan.changed.items():
        statement = f"UPDATE {entity_of(name).table} SET {column} = %s, update_id = %s WHERE id = ANY(%s)"  # noqa: S608
        done = connection.execute(statement.encode(), (destination_id, changes.event_id, list(ids)))
        _check_count(name, ids, done.rowcount)
    for name, ids in plan.deleted.items():
        changes.log("DELETE", name, ids, notify=_is_news(name))
    for name, ids in plan.changed.items():
        changes.log(plan.operation.value.upper(), name, ids, notify=_is_news(name))
    for name in SEARCHED:
        # A search goes by groups, owners and annotations.
        changes.log("REINDEX", name, (*plan.changed.get(name, ()), *plan.reindexed.get(name, ())))


def _delete(connection: Connection, deleted: Mapping[str, Sequence[int]]) -> None:
    names = sorted(deleted, key=_turn)
    for name in names:
        ids = list(deleted[name])
        entity = entity_of(name)
        if entity.table == "annotation":
            connection.execute("DELETE FROM annotation_mapvalue WHERE annotation_id = ANY(%s)", (ids,))
        elif entity.table == "job":
            for table in _JOB_TABLES:
                key = f"{table.removesuffix('_versioninfo')}_id" if table.endswith("_versioninfo") else "job_id"
                connection.execute(f"DELETE FROM {table} WHERE {key} = ANY(%s)".encode(), (ids,))  # noqa: S608
        elif name == "Pixels":
            connection.execute("UPDATE pixels SET relatedto = NULL WHERE relatedto = ANY(%s)", (ids,))
        done = connection.execute(f"DELETE FROM {entity.table} WHERE id = ANY(%s)".encode(), (ids,))  # noqa: S608
        _check_count(name, ids, done.rowcount)


def _turn(name: str) -> tuple[int, int, str]:
    """What refers to something goes before it: links and entries, parts, annotations and jobs, then the rest."""
    if name.endswith(("Link", "Entry", "Map")):
        return 0, 0, name
    if name in _FIRST:
        return 1, _FIRST.index(name), name
    if name in _LAST:
        return 3, _LAST.index(name), name
    return 2, 0, name


def _record_files(
    connection: Connection, changes: Changes, deleted: Mapping[str, Sequence[int]], data_repository: str
) -> None:
    """Rows that say which files are to be removed; they are committed together with the deletion itself."""
    files = list(deleted.get("OriginalFile", ()))
    connection.execute(_LOG_FILES, {"event": changes.event_id, "ids": files})
    without = connection.execute("SELECT id FROM originalfile WHERE id = ANY(%s) AND repo IS NULL", (files,))
    places = [(row["id"], original_file_path(Path(), row["id"])) for row in without]
    places += [(0, thumbnail_path(Path(), one)) for one in deleted.get("Thumbnail", ())]
    for one in deleted.get("Pixels", ()):
        places += [(0, pixels_path(Path(), one)), (0, pyramid_path(Path(), one))]
    connection.execute(
        _LOG_OWN,
        {
            "event": changes.event_id,
            "owner": changes.owner_id,
            "group": changes.group_id,
            "repo": data_repository,
            "ids": [file_id for file_id, _ in places],
            "paths": [f"{path.parent}/" for _, path in places],
            "names": [path.name for _, path in places],
        },
    )


def _is_news(name: str) -> bool:
    """Parts and links go without saying: there are twenty of them for each image."""
    return name in TARGETS or is_annotation(name)


def _check_count(name: str, ids: Collection[int], count: int) -> None:
    if count != len(ids):
        raise conflict("changed-meanwhile", f"{len(ids) - count} of {len(ids)} {name} are gone meanwhile; try again")
