"""Sessions of a server that doesn't write to its database: what the table ``session`` would hold is in memory.

They end with their Blitz. Users, groups and privileges come from the database with each request, as ever: queries see
the rows as a table of that name.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from omeroadmin.runtime.services.blitz.database import Database, Row
from omeroadmin.runtime.services.blitz.services import sessionrows
from omeroadmin.runtime.services.blitz.services.sessions import Sessions
from omeroadmin.runtime.services.blitz.services.times import now
from omeroadmin.schema.settings import Settings

_AS_TABLE = """
WITH session AS (
  SELECT *, NULL::timestamp AS closed FROM jsonb_to_recordset(%(session_rows)s::jsonb) AS r (
    id bigint, uuid text, owner bigint, sudoer bigint, started timestamp, timetoidle bigint, timetolive bigint,
    useragent text, userip text, message text))
"""
_COLUMNS = {
    "key": "uuid",
    "owner": "owner",
    "sudoer": "sudoer",
    "started": "started",
    "idle": "timetoidle",
    "live": "timetolive",
    "agent": "useragent",
    "ip": "userip",
    "message": "message",
}
_USED = re.compile(r"(?:; )?last used .*$")


class MemorySessions(Sessions):
    """Opens, finds and closes sessions without a trace."""

    def __init__(self, database: Database, settings: Settings) -> None:
        super().__init__(database, settings, 0)
        self._ids = itertools.count(1)
        self._open: dict[int, dict[str, Any]] = {}
        self._changes: dict[str, Callable[[Mapping[str, Any]], int]] = {
            sessionrows.SWITCH: self._switch,
            sessionrows.LIMIT: self._set_limit,
            sessionrows.CLOSE: self._remove,
            sessionrows.CLOSE_OF: self._remove_of,
            sessionrows.CLOSE_EXPIRED: self._remove_expired,
        }

    def _rows(self, statement: str, parameters: Mapping[str, object]) -> list[Row]:
        with self._lock:
            rows = [row for row in self._open.values() if parameters.get("key", row["uuid"]) == row["uuid"]]
            text = json.dumps(rows, default=datetime.isoformat)
        return super()._rows(f"{_AS_TABLE}{statement}", {**parameters, "session_rows": text})

    def _insert(self, values: Mapping[str, object]) -> int:
        row = {column: values[name] for name, column in _COLUMNS.items()}
        with self._lock:
            number = next(self._ids)
            self._open[number] = {"id": number, **row}
        return number

    def _write_used(self, used: list[tuple[str, int]]) -> None:
        with self._lock:
            for moment, number in used:
                if number in self._open:
                    row = self._open[number]
                    group = _USED.sub("", row["message"] or "")
                    row["message"] = "; ".join(part for part in (group, f"last used {moment}") if part)

    def _execute(self, statement: str, parameters: Mapping[str, object]) -> int:
        with self._lock:
            return self._changes[statement](parameters)

    def _switch(self, parameters: Mapping[str, Any]) -> int:
        row = self._open.get(parameters["id"])
        if row is not None:
            row["message"] = f"group {parameters['group']}"
        return int(row is not None)

    def _set_limit(self, parameters: Mapping[str, Any]) -> int:
        row = self._open.get(parameters["id"])
        if row is not None:
            row["timetoidle"] = parameters["idle"]
        return int(row is not None)

    def _remove(self, parameters: Mapping[str, Any]) -> int:
        return int(self._open.pop(parameters["id"], None) is not None)

    def _remove_of(self, parameters: Mapping[str, Any]) -> int:
        row = self._open.get(parameters["id"])
        mine = row is not None and parameters["user"] in (row["owner"], row["sudoer"])
        return self._remove(parameters) if parameters["everybody"] or mine else 0

    def _remove_expired(self, parameters: Mapping[str, Any]) -> int:
        over = [number for number, row in self._open.items() if number not in parameters["in_use"] and _is_over(row)]
        for number in over:
            del self._open[number]
        return len(over)


def _is_over(row: Mapping[str, Any]) -> bool:
    """Whether a session that isn't in use has ended; no other server can know of a later use."""
    moment, live, idle = now(), row["timetolive"], row["timetoidle"]
    if live and row["started"] + timedelta(milliseconds=live) < moment:
        return True
    _, _, used = (row["message"] or "").partition("last used ")
    latest = datetime.fromisoformat(used) if used else row["started"]
    return bool(idle) and latest + timedelta(milliseconds=idle) < moment
