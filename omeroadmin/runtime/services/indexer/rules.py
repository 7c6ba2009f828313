"""What ``omero.search.*`` says of the index, read once."""

from __future__ import annotations

from dataclasses import dataclass

from omeroadmin.runtime.services.indexer.documents import included
from omeroadmin.schema.settings import Settings

_OLDER_LOADER = "persistentEventLogLoader"


@dataclass(frozen=True)
class Rules:
    """The properties of Indexer.

    :param types: names of types that can be found
    :param excluded: OMERO's full names of types whose changes don't count
    :param actions: of the eventlog's rows
    :param batch: rows at a time
    :param rounds: batches in one go; ``None``: until nothing is left
    :param window: objects of which it is remembered that they are up to date
    :param most_files: file names of an image
    :param largest_file: bytes of an attached file
    :param buffer_bytes: memory for documents that aren't on the disk yet
    :param report_every: batches after which the progress is logged
    """

    types: frozenset[str]
    excluded: tuple[str, ...]
    actions: tuple[str, ...]
    batch: int
    rounds: int | None
    window: int
    most_files: int
    largest_file: int
    buffer_bytes: int
    report_every: int

    @classmethod
    def from_settings(cls, settings: Settings) -> Rules:
        """The rules in force.

        :raises AdminError: ``setting-invalid``
        """
        is_older = settings.text("omero.search.event_log_loader").strip() == _OLDER_LOADER
        return cls(
            types=included(_listed(settings, "omero.search.include_types")),
            excluded=_listed(settings, "omero.search.excludes"),
            actions=_listed(settings, "omero.search.include_actions"),
            batch=max(1, settings.number("omero.search.batch")),
            rounds=max(1, settings.number("omero.search.repetitions")) if is_older else None,
            window=0 if is_older else max(0, settings.number("omero.search.max_partition_size")),
            most_files=max(0, settings.number("omero.search.max_fileset_size")),
            largest_file=max(0, settings.number("omero.search.max_file_size")),
            buffer_bytes=settings.number("omero.search.ram_buffer_size") * 2**20,
            report_every=max(1, settings.number("omero.search.reporting_loops")),
        )


def _listed(settings: Settings, name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in settings.text(name).split(",") if part.strip())
