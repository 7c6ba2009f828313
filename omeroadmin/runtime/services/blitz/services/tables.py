"""Tables: Tables-N keeps their content in HDF5, Blitz their rows in originalfile and who may read them."""

from __future__ import annotations

import hashlib
from typing import Any

from omeroadmin.repository.layout import original_file_path
from omeroadmin.runtime.kernel.client import local_request
from omeroadmin.runtime.services.blitz.database import Database, next_id
from omeroadmin.runtime.services.blitz.services import storedfiles
from omeroadmin.runtime.services.blitz.services.actor import Actor, visible
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.permissions import require_data_group
from omeroadmin.runtime.services.blitz.services.problems import invalid, not_found, unavailable
from omeroadmin.runtime.services.blitz.services.servertypes import TABLES
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings

_SECONDS = 120.0
_PIECE = 1 << 20
_TABLE = f"SELECT o.id FROM originalfile o WHERE o.id = %(id)s AND o.mimetype = %(mimetype)s AND {visible('o')}"  # noqa: S608


class Tables:
    """The table service."""

    def __init__(self, database: Database, instance: Instance, settings: Settings) -> None:
        self._database = database
        self._instance = instance
        self._data_directory = settings.data_directory

    def create(self, actor: Actor, columns: Any, rows: Any) -> int:
        """Store a table.

        :param columns: objects with ``name`` and ``type``
        :return: its id
        :raises AdminError: ``permission-denied``, ``tables-unavailable``, ``request-invalid``
        """
        require_data_group(actor)
        with self._database.transaction() as connection:
            table_id = next_id(connection, "originalfile")
        self._ask("PUT", f"/tables/{table_id}", {"columns": columns, "rows": rows})
        path = original_file_path(self._data_directory, table_id)
        digest = hashlib.sha1(usedforsecurity=False)
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
        with self._database.transaction() as connection:
            changes = Changes(connection, actor)
            storedfiles.record(
                connection,
                changes,
                table_id,
                name=f"table_{table_id}.h5",
                mimetype=TABLES,
                size=path.stat().st_size,
                sha1=digest.hexdigest(),
                owner=changes.details(),
            )
        return table_id

    def read(self, actor: Actor, table_id: int) -> Any:
        """Columns and rows of a table.

        :raises AdminError: ``not-found``, ``tables-unavailable``
        """
        if self._database.row(_TABLE, {"id": table_id, "mimetype": TABLES, **actor.visibility()}) is None:
            raise not_found("table", table_id)
        return self._ask("GET", f"/tables/{table_id}", None)

    def _ask(self, method: str, target: str, body: Any) -> Any:
        for path in sorted(self._instance.run_directory.glob("Tables-*.sock")):
            try:
                status, answer = local_request(path, method, target, body, timeout=_SECONDS)
            except (OSError, ValueError):
                continue
            if status < 400:
                return answer
            if status < 500 and isinstance(answer, dict):
                raise invalid(str(answer.get("error", {}).get("message", "Tables refuses the request")))
        raise unavailable("tables-unavailable", "no Tables server answers; it may be disabled or not installed")
