"""The files of a fileset: listed, and compared with the checksums that their import recorded."""

from __future__ import annotations

from dataclasses import dataclass

from omeroadmin.errors import AdminError
from omeroadmin.repository.file_faults import Recorded, file_fault
from omeroadmin.runtime.services.blitz.database import Database, Row
from omeroadmin.runtime.services.blitz.services.actor import Actor, visible
from omeroadmin.runtime.services.blitz.services.filestore.places import Places
from omeroadmin.runtime.services.blitz.services.problems import denied, not_found

_MOST_FAULTS = 100

# Conditions come from visible(), which knows constants only.
_FILESET = f"SELECT s.templateprefix AS prefix FROM fileset s WHERE s.id = %(id)s AND {visible('s')}"  # noqa: S608
_FILES = f"""
SELECT o.id, o.path, o.name, o.repo, o.size, o.hash, h.value AS hasher, o.mimetype, x.clientpath AS client_path
  FROM filesetentry x
  JOIN originalfile o ON o.id = x.originalfile
  LEFT JOIN checksumalgorithm h ON h.id = o.hasher
 WHERE x.fileset = %(id)s AND {visible("o")} ORDER BY x.fileset_index
"""  # noqa: S608


@dataclass(frozen=True)
class Fault:
    """A file that isn't what was imported."""

    file_id: int
    path: str
    problem: str


@dataclass(frozen=True)
class Checked:
    """What a check found.

    :param files: how many were looked at
    :param faulty: how many of them have faults
    :param faults: the first of them
    """

    files: int
    faulty: int = 0
    faults: tuple[Fault, ...] = ()


class Checks:
    """Looks at the files of filesets."""

    def __init__(self, database: Database, places: Places) -> None:
        self._database = database
        self._places = places

    def files(self, actor: Actor, fileset_id: int) -> tuple[str, list[Row]]:
        """The directory of a fileset below its repository, and its files in their order.

        :raises AdminError: ``not-found``
        """
        values = {"id": fileset_id, **actor.visibility()}
        fileset = self._database.row(_FILESET, values)
        if fileset is None:
            raise not_found("fileset", fileset_id)
        return str(fileset["prefix"]), self._database.rows(_FILES, values)

    def check(self, actor: Actor, fileset_id: int) -> Checked:
        """Compute the checksums of all files anew, in constant memory.

        :raises AdminError: ``permission-denied`` for others than administrators, ``not-found``
        """
        if not actor.is_admin:
            raise denied("only administrators may have checksums computed")
        _, rows = self.files(actor, fileset_id)
        faults = [fault for row in rows if (fault := self._fault(row)) is not None]
        return Checked(len(rows), len(faults), tuple(faults[:_MOST_FAULTS]))

    def _fault(self, row: Row) -> Fault | None:
        try:
            recorded = Recorded(row["size"], row["hash"], row["hasher"])
            found = file_fault(self._places.of(row), recorded)
        except AdminError as error:
            return Fault(row["id"], f"{row['path']}{row['name']}", error.message)
        return Fault(row["id"], f"{row['path']}{row['name']}", found.words) if found else None
