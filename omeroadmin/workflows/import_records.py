"""What a server still knows of an import: its log, and how long its phases took."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from omeroadmin.access import content
from omeroadmin.access.client import Client
from omeroadmin.access.content import RemoteFile
from omeroadmin.repository.checksums import new_hasher

PHASES = (
    ("upload", "upload (ms)", "# files", "file"),
    ("setId", "setId (ms)", "", ""),
    ("metadata", "metadata (ms)", "", ""),
    ("pixels", "pixeldata (ms)", "# planes", "plane"),
    ("overlays", "overlays (ms)", "", ""),
    ("rdefs", "rnd defs (ms)", "# settings", "rendering setting"),
    ("thumbnail", "thumbnails (ms)", "# thumbnails", "thumbnail"),
)
"""Phases: OMERO's word, the names of time and number, and what is counted."""

METRICS = tuple(name for _, time, number, _ in PHASES for name in (time, number) if name)
"""Names of all that is measured, in OMERO's order."""


@dataclass(frozen=True)
class Times:
    """How long an import took.

    :param metrics: milliseconds and numbers, by the names of :data:`METRICS`
    :param kept: whether they are kept with the fileset
    """

    fileset_id: int
    metrics: dict[str, int]
    kept: bool


def find_log(client: Client, fileset_id: int) -> RemoteFile:
    """The log of a fileset's import.

    :raises AdminError: ``not-found``, ``log-missing`` and what :meth:`Client.get` raises
    """
    found = client.get(f"/filesets/{fileset_id}/log")
    return content.read_file(client, client.get(f"/files/{int(found['id'])}"))


def read_log(client: Client, log: RemoteFile, sink: Callable[[bytes], object]) -> None:
    """The content of a log, piece by piece.

    :raises AdminError: ``checksum-mismatch`` and what :meth:`Client.download` raises
    """
    content.download(client, log, sink, new_hasher)


def import_times(client: Client, fileset_id: int, *, keep: bool = False) -> Times:
    """How long the import of a fileset took.

    :param keep: annotate the fileset with it
    :raises AdminError: ``not-found``, ``import-unfinished``, ``permission-denied`` and what :meth:`Client.get` raises
    """
    path = f"/filesets/{fileset_id}/import-times"
    return _times(client.post(path) if keep else client.get(path))


def kept_times(client: Client) -> Iterator[Times]:
    """What was kept of filesets, in the order of their ids.

    :raises AdminError: what :meth:`Client.get` raises
    """
    return (_times(item) for item in client.pages("/import-times", "import_times"))


def _times(document: dict[str, Any]) -> Times:
    metrics = {str(name): int(value) for name, value in document["metrics"].items()}
    return Times(int(document["id"]), metrics, bool(document["kept"]))
