"""How long the phases of an import took, from its jobs and events, kept with the fileset if asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from omeroadmin.runtime.services.blitz.database import Connection, Database, Row
from omeroadmin.runtime.services.blitz.services.actor import Actor, visible
from omeroadmin.runtime.services.blitz.services.model.lookup import entity_named
from omeroadmin.runtime.services.blitz.services.objects import values, writing
from omeroadmin.runtime.services.blitz.services.problems import conflict, not_found

NAMESPACE = "openmicroscopy.org/omero/import/metrics"
NAMES = (
    "upload (ms)",
    "# files",
    "setId (ms)",
    "metadata (ms)",
    "pixeldata (ms)",
    "# planes",
    "overlays (ms)",
    "rnd defs (ms)",
    "# settings",
    "thumbnails (ms)",
    "# thumbnails",
)
"""OMERO's names of what is measured, in its order; overlays and rendering settings this server doesn't make."""

# Conditions come from visible() and from constants here; values are parameters.
_FACTS = f"""
SELECT s.id, s.group_id, v.time AS read,
       (SELECT count(*) FROM filesetentry x WHERE x.fileset = s.id) AS files,
       (SELECT coalesce(sum(p.sizez::bigint * p.sizec * p.sizet), 0)::bigint
          FROM image i JOIN pixels p ON p.image = i.id WHERE i.fileset = s.id) AS planes,
       (SELECT count(*) FROM image i JOIN pixels p ON p.image = i.id JOIN thumbnail t ON t.pixels = p.id
         WHERE i.fileset = s.id) AS thumbnails,
       (SELECT max(e.time) FROM image i JOIN pixels p ON p.image = i.id JOIN channel c ON c.pixels = p.id
          JOIN statsinfo t ON t.id = c.statsinfo JOIN event e ON e.id = t.creation_id
         WHERE i.fileset = s.id) AS pixels_end,
       (SELECT max(e.time) FROM image i JOIN pixels p ON p.image = i.id JOIN thumbnail t ON t.pixels = p.id
          JOIN event e ON e.id = t.creation_id WHERE i.fileset = s.id) AS thumbnails_end
  FROM fileset s JOIN event v ON v.id = s.creation_id
 WHERE s.id = %(id)s AND {visible("s")}
"""  # noqa: S608
_JOBS = """
SELECT j.type, t.value AS status, j.started, j.finished
  FROM filesetjoblink k JOIN job j ON j.id = k.child JOIN jobstatus t ON t.id = j.status WHERE k.parent = %(id)s
"""
_KEPT = f"""
SELECT l.parent AS id, array_agg(ARRAY[m.name, m.value] ORDER BY m.index) AS pairs
  FROM (SELECT l.parent, max(l.child) AS child FROM filesetannotationlink l
          JOIN annotation a ON a.id = l.child JOIN fileset s ON s.id = l.parent
         WHERE a.ns = %(namespace)s AND {{condition}} AND {visible("s")} AND {visible("a")}
         GROUP BY l.parent ORDER BY l.parent LIMIT %(limit)s) l
  JOIN annotation_mapvalue m ON m.annotation_id = l.child
 GROUP BY l.parent ORDER BY l.parent
"""  # noqa: S608


@dataclass(frozen=True)
class Times:
    """Of one fileset.

    :param metrics: milliseconds and numbers by :data:`NAMES`
    :param kept: whether they were kept with the fileset
    """

    fileset_id: int
    metrics: dict[str, int]
    kept: bool


class ImportTimes:
    """Measures imports that are complete."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, actor: Actor, fileset_id: int, *, keep: bool = False) -> Times:
        """How long an import took: what was kept, else from jobs and events.

        :param keep: annotate the fileset with it, unless that has been done
        :raises AdminError: ``not-found``, ``import-unfinished``, ``permission-denied``
        """
        parameters = {"id": fileset_id, "namespace": NAMESPACE, "limit": 1, **actor.visibility()}
        with self._database.transaction() as connection:
            facts = connection.execute(_FACTS.encode(), parameters).fetchone()
            if facts is None:
                raise not_found("fileset", fileset_id)
            kept = connection.execute(_KEPT.format(condition="s.id = %(id)s").encode(), parameters).fetchone()
            if kept is not None:
                return Times(fileset_id, _numbers(kept["pairs"]), kept=True)
            jobs = {row["type"]: row for row in connection.execute(_JOBS, parameters).fetchall()}
            metrics = measured(facts, jobs)
            if keep:
                _keep(connection, actor, facts, metrics)
        return Times(fileset_id, metrics, kept=keep)

    def kept(self, actor: Actor, after: int, limit: int) -> list[Times]:
        """What was kept of filesets, in the order of their ids.

        :param after: id to continue after
        """
        parameters = {"after": after, "namespace": NAMESPACE, "limit": limit, **actor.visibility()}
        rows = self._database.rows(_KEPT.format(condition="s.id > %(after)s"), parameters)
        return [Times(row["id"], _numbers(row["pairs"]), kept=True) for row in rows]


def measured(facts: Row, jobs: dict[str, Row]) -> dict[str, int]:
    """The times between the ends of an import's phases.

    :param facts: counts and the times of events
    :param jobs: by their types
    :raises AdminError: ``import-unfinished``
    """
    upload, metadata = jobs.get("UploadJob"), jobs.get("MetadataImportJob")
    waiting = [name for name, job in jobs.items() if job["status"] not in ("Finished", "Cancelled", "Error")]
    if upload is None or metadata is None or waiting:
        raise conflict(
            "import-unfinished",
            f"the import of Fileset:{facts['id']} isn't finished: {', '.join(sorted(waiting)) or 'it has no jobs'}",
        )
    found = {
        "upload (ms)": _between(upload["started"], upload["finished"]),
        "# files": int(facts["files"]),
        "setId (ms)": _between(upload["finished"], facts["read"]),
        "metadata (ms)": _between(facts["read"], metadata["finished"]),
    }
    end = metadata["finished"]
    if _is_done(jobs, "PixelDataJob") and facts["pixels_end"] is not None:
        found |= {"pixeldata (ms)": _between(end, facts["pixels_end"]), "# planes": int(facts["planes"])}
        end = max(end, facts["pixels_end"])
    if _is_done(jobs, "ThumbnailGenerationJob") and facts["thumbnails_end"] is not None:
        found["thumbnails (ms)"] = _between(end, facts["thumbnails_end"])
        found["# thumbnails"] = int(facts["thumbnails"])
    return found


def _is_done(jobs: dict[str, Row], name: str) -> bool:
    return name in jobs and jobs[name]["status"] == "Finished"


def _between(start: datetime, end: datetime) -> int:
    return max(0, round((end - start).total_seconds() * 1000))


def _numbers(pairs: list[list[str]]) -> dict[str, int]:
    return {name: int(value) for name, value in pairs if name in NAMES and value.isascii() and value.isdigit()}


def _keep(connection: Connection, actor: Actor, facts: Row, metrics: dict[str, int]) -> None:
    annotation, link = entity_named("MapAnnotation"), entity_named("FilesetAnnotationLink")
    pairs = {
        values.known_map(annotation, "mapValue"): values.parse_pairs(
            "mapValue", [[name, str(metrics[name])] for name in NAMES if name in metrics]
        )
    }
    fields = values.parse_fields(annotation, {"ns": NAMESPACE})
    annotation_id = writing.insert(connection, actor, annotation, fields, pairs, facts["group_id"])
    ends = {"parent": f"Fileset:{facts['id']}", "child": f"MapAnnotation:{annotation_id}"}
    writing.insert(connection, actor, link, values.parse_fields(link, ends), {})
