"""Loads many properties into a profile: all of them, or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.profiles.changes import Changes
from omeroadmin.profiles.entries import Entry, check_entry
from omeroadmin.profiles.store import WAIT, change_profile
from omeroadmin.schema.catalog import is_secret


def load_properties(
    config_xml: Path,
    entries: Iterable[Entry],
    *,
    overwrite: bool,
    force: bool,
    profile: str | None = None,
    cause: str = "",
    wait: float = WAIT,
) -> Changes:
    """Set all entries as one change.

    :param overwrite: whether an entry may change a property that is set, or an earlier entry
    :param force: whether values of a wrong kind are taken
    :raises AdminError: ``property-conflict``, or as :func:`omeroadmin.profiles.entries.check_entry`, with file and
        line; else as :func:`omeroadmin.profiles.store.change_profile`
    """
    checked = list(entries)
    for entry in checked:
        check_entry(entry, force=force)

    def decide(present: Mapping[str, str]) -> Mapping[str, str | None]:
        values = dict(present)
        for entry in checked:
            old = values.setdefault(entry.name, entry.value)
            if old != entry.value and not overwrite:
                raise _conflict(entry, old)
            values[entry.name] = entry.value
        return {entry.name: values[entry.name] for entry in checked}

    return change_profile(config_xml, decide, profile, cause=cause, wait=wait)


def _conflict(entry: Entry, old: str) -> AdminError:
    change = "" if is_secret(entry.name) else f" ({old!r} => {entry.value!r})"
    return configuration_error(
        "property-conflict",
        f"{entry.origin}: {entry.name} has another value already{change}",
        "load -q takes the new values",
    )
