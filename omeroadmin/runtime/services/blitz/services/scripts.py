"""Scripts below ``lib/scripts`` as rows of originalfile, and the jobs that run them."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omeroadmin.database.advisory import AdvisoryLock
from omeroadmin.errors import failed_error
from omeroadmin.runtime.services.blitz.database import Connection, Database, Row, next_id
from omeroadmin.runtime.services.blitz.services import storedfiles
from omeroadmin.runtime.services.blitz.services.actor import Actor, visible
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.permissions import require_data_group
from omeroadmin.runtime.services.blitz.services.problems import invalid, not_found
from omeroadmin.runtime.services.blitz.services.repositories import SCRIPT_REPOSITORY

_LOG = logging.getLogger("ome.services.blitz.scripts")
_MIMETYPE = "text/x-python"
_LARGEST_INPUTS = 1024 * 1024
_LONGEST_MESSAGE = 4096
_ENDED = "job-ended"
_END_STATES = ("Finished", "Error", "Cancelled")

_INSERT_SCRIPT = """
INSERT INTO originalfile (id, path, name, repo, hash, hasher, size, mimetype, mtime,
                          permissions, creation_id, update_id, group_id, owner_id)
SELECT %(id)s, %(path)s, %(name)s, %(repo)s, %(hash)s, h.id, %(size)s, %(mimetype)s, timezone('UTC', now()),
       -52, %(event_id)s, %(event_id)s, 1, 0
  FROM checksumalgorithm h WHERE h.value = 'SHA1-160'
"""
_INSERT_JOB = """
INSERT INTO job (id, type, status, username, groupname, submitted, scheduledfor, message,
                 permissions, creation_id, update_id, group_id, owner_id)
SELECT %(id)s, 'ScriptJob', s.id, %(user)s, %(group)s, timezone('UTC', now()), timezone('UTC', now()), '',
       %(permissions)s, %(event_id)s, %(event_id)s, %(group_id)s, %(owner_id)s
  FROM jobstatus s WHERE s.value = 'Submitted'
"""
_INSERT_LINK = """
INSERT INTO joboriginalfilelink (id, parent, child, permissions, creation_id, update_id, group_id, owner_id)
VALUES (%(id)s, %(job)s, %(file)s, %(permissions)s, %(event_id)s, %(event_id)s, %(group_id)s, %(owner_id)s)
"""
_CLAIM = """
SELECT j.id, j.username, j.groupname, j.owner_id, j.group_id
  FROM job j JOIN scriptjob x ON x.job_id = j.id JOIN jobstatus s ON s.id = j.status
 WHERE s.value = 'Submitted' ORDER BY j.id LIMIT 1 FOR UPDATE OF j SKIP LOCKED
"""
_SET_STATUS = """
UPDATE job SET status = (SELECT id FROM jobstatus WHERE value = %(status)s), message = %(message)s,
       started = coalesce(started, timezone('UTC', now())),
       finished = CASE WHEN %(ended)s THEN timezone('UTC', now()) END, update_id = %(event_id)s
 WHERE id = %(id)s
"""
# A job that runs is scheduled no more: the time says until when its Processor must be heard of.
_RENEW = """
UPDATE job SET scheduledfor = timezone('UTC', now()) + make_interval(secs => %(seconds)s)
 WHERE id IN (SELECT j.id FROM job j JOIN scriptjob x ON x.job_id = j.id JOIN jobstatus s ON s.id = j.status
               WHERE s.value = 'Running' AND (%(id)s::bigint IS NULL OR j.id = %(id)s)
                 AND (%(message)s::text IS NULL OR j.message = %(message)s))
"""
_OVERDUE = """
SELECT j.id, j.message FROM job j JOIN scriptjob x ON x.job_id = j.id JOIN jobstatus s ON s.id = j.status
 WHERE s.value = 'Running' AND j.scheduledfor < timezone('UTC', now()) FOR UPDATE OF j SKIP LOCKED
"""
_JOB = f"""
SELECT j.id, s.value AS status, j.message FROM job j JOIN jobstatus s ON s.id = j.status
 WHERE j.id = %(id)s AND {visible("j")}
"""  # noqa: S608 - visible() knows constants only
_JOB_FILES = """
SELECT o.id, o.path, o.name, o.mimetype FROM joboriginalfilelink l JOIN originalfile o ON o.id = l.child
 WHERE l.parent = %(id)s ORDER BY l.id
"""


@dataclass(frozen=True)
class Job:
    """A job of a script.

    :param status: OMERO's, e.g. ``Running``
    """

    id: int
    status: str
    message: str
    outputs: Any
    output: str
    error_output: str


class Scripts:
    """The script service.

    :param root: ``lib/scripts``
    :param lease_seconds: how long a job may go without a sign of life from its Processor
    """

    def __init__(self, database: Database, root: Path, data_directory: Path, lease_seconds: int) -> None:
        self._database = database
        self._root = root
        self._data_directory = data_directory
        self._lease_seconds = lease_seconds

    def register(self) -> int:
        """Make rows for the scripts on disk; changed ones get their new checksum.

        :return: number of scripts
        """
        with self._database.transaction() as connection:
            # Another Blitz may be starting as well.
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (AdvisoryLock.SCRIPTS,))
            rows = connection.execute(
                "SELECT id, path, name, hash FROM originalfile WHERE repo = %s AND mimetype = %s",
                (SCRIPT_REPOSITORY, _MIMETYPE),
            ).fetchall()
            known = {f"{row['path']}{row['name']}": row for row in rows}
            on_disk = self._on_disk()
            changed = [path for path in on_disk if path not in known or known[path]["hash"] != on_disk[path][0]]
            if changed:
                changes = Changes(connection, None, "Internal")
                for path in changed:
                    self._register(connection, changes, path, on_disk[path], known.get(path))
        return len(on_disk)

    def listing(self) -> list[tuple[int, str]]:
        """Ids and paths of the scripts that exist."""
        rows = self._database.rows(
            "SELECT id, path || name AS path FROM originalfile WHERE repo = %(repo)s AND mimetype = %(mimetype)s"
            " ORDER BY path || name",
            {"repo": SCRIPT_REPOSITORY, "mimetype": _MIMETYPE},
        )
        return [(row["id"], row["path"]) for row in rows if (self._root / row["path"].lstrip("/")).is_file()]

    def submit(self, actor: Actor, script_id: int, inputs: dict[str, Any]) -> int:
        """Have a script run.

        :return: id of the job
        :raises AdminError: ``not-found``, ``permission-denied``, ``request-invalid``
        """
        if script_id not in {number for number, _ in self.listing()}:
            raise not_found("script", script_id)
        require_data_group(actor)
        content = json.dumps(inputs).encode()
        if len(content) > _LARGEST_INPUTS:
            raise invalid(f"the inputs of a script have at most {_LARGEST_INPUTS} bytes")
        with self._database.transaction() as connection:
            changes = Changes(connection, actor, "Processing")
            job_id = next_id(connection, "job")
            details = changes.details()
            connection.execute(_INSERT_JOB, {"id": job_id, "user": actor.user, "group": actor.group.name, **details})
            connection.execute("INSERT INTO scriptjob (job_id) VALUES (%s)", (job_id,))
            _link(connection, job_id, script_id, details)
            self._attach(connection, changes, job_id, "inputs.json", content, details)
            changes.log("INSERT", "ScriptJob", [job_id])
        return job_id

    def job(self, actor: Actor, job_id: int) -> Job:
        """How a job stands.

        :raises AdminError: ``not-found``
        """
        row = self._database.row(_JOB, {"id": job_id, **actor.visibility()})
        if row is None:
            raise not_found("job", job_id)
        texts = {
            file["name"]: storedfiles.read(self._data_directory, file["id"])
            for file in self._database.rows(_JOB_FILES, {"id": job_id})
            if file["name"] in ("outputs.json", "stdout.txt", "stderr.txt")
        }
        return Job(
            row["id"],
            row["status"],
            row["message"],
            json.loads(texts.get("outputs.json") or "{}"),
            texts.get("stdout.txt", ""),
            texts.get("stderr.txt", ""),
        )

    def claim(self, processor: str) -> Row | None:
        """Give the oldest waiting job to a Processor.

        A Processor runs one job at a time: one that it had claimed and not ended was its former life's, and failed.

        :return: ``job_id``, ``script_id``, ``path`` (below lib/scripts), ``inputs``, ``user`` and ``group``;
            ``None`` where no job waits
        """
        self._end_lost(processor)
        with self._database.transaction() as connection:
            job = connection.execute(_CLAIM).fetchone()
            if job is None:
                return None
            changes = Changes(connection, None, "Processing")
            self._set_status(connection, changes, job["id"], "Running", _running_at(processor))
            connection.execute(_RENEW, {"id": job["id"], "message": None, "seconds": self._lease_seconds})
            files = connection.execute(_JOB_FILES, {"id": job["id"]}).fetchall()
        script = next(file for file in files if file["mimetype"] == _MIMETYPE)
        inputs = next((file["id"] for file in files if file["name"] == "inputs.json"), None)
        return {
            "job_id": job["id"],
            "script_id": script["id"],
            "path": f"{script['path']}{script['name']}".lstrip("/"),
            "inputs": json.loads(storedfiles.read(self._data_directory, inputs) or "{}") if inputs else {},
            "user": job["username"],
            "group": job["groupname"],
            "lease_seconds": self._lease_seconds,
        }

    def renew(self, job_id: int, processor: str) -> None:
        """Note that a job still runs.

        :raises AdminError: ``job-ended`` if it doesn't, as far as Blitz is concerned
        """
        with self._database.transaction() as connection:
            renewed = connection.execute(
                _RENEW, {"id": job_id, "message": _running_at(processor), "seconds": self._lease_seconds}
            )
            if not renewed.rowcount:
                raise failed_error(_ENDED, f"the job {job_id} does not run at {processor} any more")

    def renew_all(self) -> None:
        """Be patient with all jobs: while no Blitz ran, no Processor could be heard of."""
        with self._database.transaction() as connection:
            connection.execute(_RENEW, {"id": None, "message": None, "seconds": self._lease_seconds})

    def end_overdue(self) -> int:
        """End the jobs of Processors that weren't heard of for too long.

        :return: how many
        """
        with self._database.transaction() as connection:
            rows = connection.execute(_OVERDUE).fetchall()
            if rows:
                changes = Changes(connection, None, "Processing")
                for row in rows:
                    where = row["message"].removeprefix(_running_at(""))
                    reason = f"{where} was not heard of for {self._lease_seconds} s while it ran"
                    self._set_status(connection, changes, row["id"], "Error", reason)
        return len(rows)

    def finish(self, job_id: int, *, status: str, message: str, outputs: Any, output: str, error_output: str) -> None:
        """Record how a job ended.

        :param status: ``Finished``, ``Error`` or ``Cancelled``
        :raises AdminError: ``not-found``, ``request-invalid``, ``job-ended`` if it has ended already
        """
        if status not in _END_STATES:
            raise invalid(f"status {status!r} is not one in which a job ends")
        with self._database.transaction() as connection:
            job = connection.execute(
                "SELECT j.id, j.owner_id, j.group_id, s.value AS status FROM job j"
                " JOIN scriptjob x ON x.job_id = j.id JOIN jobstatus s ON s.id = j.status WHERE j.id = %s"
                " FOR UPDATE OF j",
                (job_id,),
            ).fetchone()
            if job is None:
                raise not_found("job", job_id)
            if job["status"] in _END_STATES:
                raise failed_error(_ENDED, f"the job {job_id} has ended as {job['status']}")
            changes = Changes(connection, None, "Processing")
            details = changes.details(owner_id=job["owner_id"], group_id=job["group_id"])
            for name, content in (
                ("outputs.json", json.dumps(outputs or {})),
                ("stdout.txt", output),
                ("stderr.txt", error_output),
            ):
                self._attach(connection, changes, job_id, name, content.encode("utf-8", "replace"), details)
            self._set_status(connection, changes, job_id, status, message[:_LONGEST_MESSAGE])

    def _end_lost(self, processor: str) -> None:
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT j.id FROM job j JOIN jobstatus s ON s.id = j.status JOIN scriptjob x ON x.job_id = j.id"
                " WHERE s.value = 'Running' AND j.message = %s FOR UPDATE OF j",
                (_running_at(processor),),
            ).fetchall()
            if rows:
                changes = Changes(connection, None, "Processing")
                for row in rows:
                    self._set_status(connection, changes, row["id"], "Error", f"{processor} ended while it ran")

    def _set_status(self, connection: Connection, changes: Changes, job_id: int, status: str, message: str) -> None:
        connection.execute(
            _SET_STATUS,
            {
                "id": job_id,
                "status": status,
                "message": message,
                "ended": status in _END_STATES,
                "event_id": changes.event_id,
            },
        )
        changes.log("UPDATE", "ScriptJob", [job_id])

    def _attach(
        self, connection: Connection, changes: Changes, job_id: int, name: str, content: bytes, details: Row
    ) -> None:
        mimetype = "application/json" if name.endswith(".json") else "text/plain"
        file_id = storedfiles.store(
            connection, changes, self._data_directory, name=name, mimetype=mimetype, content=content, owner=details
        )
        _link(connection, job_id, file_id, details)

    def _on_disk(self) -> dict[str, tuple[str, int]]:
        found: dict[str, tuple[str, int]] = {}
        for path in sorted(self._root.rglob("*.py")):
            relative = path.relative_to(self._root)
            if path.is_file() and not any(part.startswith((".", "_")) for part in relative.parts):
                content = path.read_bytes()
                found[f"/{relative}"] = (hashlib.sha1(content, usedforsecurity=False).hexdigest(), len(content))
        return found

    def _register(
        self, connection: Connection, changes: Changes, path: str, facts: tuple[str, int], known: Row | None
    ) -> None:
        digest, size = facts
        if known is not None:
            connection.execute(
                "UPDATE originalfile SET hash = %s, size = %s, mtime = timezone('UTC', now()), update_id = %s"
                " WHERE id = %s",
                (digest, size, changes.event_id, known["id"]),
            )
            changes.log("UPDATE", "OriginalFile", [known["id"]])
            return
        file_id = next_id(connection, "originalfile")
        folder, _, name = path.rpartition("/")
        connection.execute(
            _INSERT_SCRIPT,
            {
                "id": file_id,
                "path": f"{folder}/",
                "name": name,
                "repo": SCRIPT_REPOSITORY,
                "hash": digest,
                "size": size,
                "mimetype": _MIMETYPE,
                "event_id": changes.event_id,
            },
        )
        changes.log("INSERT", "OriginalFile", [file_id])
        _LOG.info("Registered script %s", path)


def _running_at(processor: str) -> str:
    return f"Running at {processor}"


def _link(connection: Connection, job_id: int, file_id: int, details: Row) -> None:
    connection.execute(
        _INSERT_LINK, {"id": next_id(connection, "joboriginalfilelink"), "job": job_id, "file": file_id, **details}
    )
