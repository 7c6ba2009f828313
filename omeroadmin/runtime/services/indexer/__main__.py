"""Indexes in the foreground for ``omero admin reindex``, as a process of its own.

Usage: python -m omeroadmin.runtime.services.indexer < ORDERS

The orders are one JSON document: ``settings`` (properties), ``what`` (``events``, ``full`` or ``class``), ``classes``
and ``dry_run``. The answers are lines of JSON with one of the keys ``progress``, ``finished`` and ``error``.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import IO, Any

import psycopg

from omeroadmin.errors import AdminError
from omeroadmin.runtime.kernel.database import connection_string, why_not
from omeroadmin.runtime.services.indexer.foreground import Foreground
from omeroadmin.runtime.services.indexer.rules import Rules
from omeroadmin.schema.settings import Settings

_PR_SET_PDEATHSIG = 1
_NAME = "omero-reindex"


def main(orders: dict[str, Any], answers: IO[str]) -> None:
    """Carry out the orders; failures are answers, too."""

    def answer(**document: Any) -> None:
        answers.write(json.dumps(document) + "\n")
        answers.flush()

    settings = Settings(orders["settings"])
    try:
        answer(finished=_carry_out(orders, settings, lambda *facts: answer(progress=facts)))
    except psycopg.OperationalError as error:
        answer(error=_failure(why_not(settings, error)))
    except AdminError as error:
        answer(error=_failure(error))


def _carry_out(orders: dict[str, Any], settings: Settings, tell: Any) -> dict[str, Any]:
    with psycopg.connect(connection_string(settings, server_id=_NAME), autocommit=True) as connection:
        foreground = Foreground(settings, Rules.from_settings(settings), connection, tell)
        what, classes = orders["what"], orders["classes"]
        if orders["dry_run"]:
            return {"counts": foreground.counts(what, classes)}
        return {"objects": foreground.run(what, classes)}


def _failure(error: AdminError) -> dict[str, Any]:
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "exit_status": int(error.exit_status),
    }


if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    given = json.load(sys.stdin)
    with os.fdopen(os.dup(1), "w") as stream:
        # Whatever a library prints must not look like an answer.
        os.dup2(2, 1)
        main(given, stream)
