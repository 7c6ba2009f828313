"""``admin reindex --full``, ``--events`` and ``--class``: indexing in a process of its own, while no indexer runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from omeroadmin.errors import AdminError, ExitStatus, configuration_error, failed_error
from omeroadmin.profiles.store import load_settings
from omeroadmin.repository import fulltext
from omeroadmin.schema.instance import Instance
from omeroadmin.system import process
from omeroadmin.system.clock import monotonic
from omeroadmin.workflows.reindex_all import Listener, Pace

MODULE = "omeroadmin.runtime.services.indexer"


@dataclass(frozen=True)
class ForegroundWish:
    """What is to be indexed.

    :param what: ``events``, ``full`` or ``class``
    :param classes: OMERO's names of types; none: all that are indexed
    :param dry_run: only count
    """

    what: str
    classes: tuple[str, ...] = ()
    dry_run: bool = False


@dataclass(frozen=True)
class Indexed:
    """What was indexed.

    :param objects: how many
    :param counts: objects, or rows of the eventlog, by type; only of a dry run
    """

    objects: int = 0
    counts: dict[str, int] = field(default_factory=dict)


def index_now(instance: Instance, wish: ForegroundWish, listener: Listener | None = None) -> Indexed:
    """Index in the foreground.

    :raises AdminError: ``distribution``, ``index-in-use`` while an indexer runs, ``class-unknown``,
        ``index-unreadable``, ``indexing-failed``, and those of the database
    """
    if instance.is_distribution:
        raise configuration_error(
            "distribution", "the index of Java's server is its own to write", "omero admin reindex --all"
        )
    settings = load_settings(instance)
    directory = fulltext.index_directory(settings)
    if not wish.dry_run and directory.is_dir():
        with fulltext.index_held(directory):
            # Whoever has it open is named; the process below takes the lock itself.
            pass
    orders = {
        "settings": settings.explicit(),
        "what": wish.what,
        "classes": list(wish.classes),
        "dry_run": wish.dry_run,
    }
    return _followed(process.module_command(MODULE), json.dumps(orders), listener or Listener())


def _followed(arguments: Sequence[str], orders: str, listener: Listener) -> Indexed:
    began = monotonic()
    current = ""
    last_words = ""
    for line in process.lines_of(arguments, orders):
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            last_words = line.strip() or last_words
            continue
        if "progress" in answer:
            what, done, total = answer["progress"]
            if what != current:
                listener.step(str(what))
                current, began = what, monotonic()
            listener.pace(Pace(int(done), int(total), monotonic() - began))
        elif "error" in answer:
            error = answer["error"]
            raise AdminError(
                error["code"], error["message"], hint=error["hint"], exit_status=ExitStatus(error["exit_status"])
            )
        elif "finished" in answer:
            return Indexed(**answer["finished"])
    raise failed_error("indexing-failed", f"the process that indexes has ended: {last_words or 'it said nothing'}")
