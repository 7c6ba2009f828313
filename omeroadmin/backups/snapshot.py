"""``snapshot.json``: what a snapshot is. It is written last, so that a snapshot without it doesn't exist."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from omeroadmin.backups.faults import Fault
from omeroadmin.backups.manifest import MANIFEST_NAME, Checksum
from omeroadmin.errors import AdminError, failed_error
from omeroadmin.system import files

SCHEMA = "omeroadmin/snapshot/1"
DOCUMENT_NAME = "snapshot.json"


@dataclass(frozen=True)
class Snapshot:
    """A finished snapshot.

    :param id: sorts by time
    :param tag: the admin's own words
    :param started: seconds since 1970
    :param finished: seconds since 1970
    :param consistent: whether every file that the dump names is in the manifest as recorded
    :param files: number of files, unchanged ones among them
    :param size: their bytes
    :param copied_files: files whose content was new to the pool
    :param copied_bytes: bytes of these
    :param rows: rows of the database that were reconciled
    :param manifest_lines: lines of the manifest
    :param manifest_checksum: size and BLAKE3 of the manifest
    :param parts: all other files of the snapshot (dump, configuration) by relative path
    :param roots: where each root of the manifest was
    :param repositories: which root or directory of the manifest each repository's UUID stands for
    :param versions: of the toolkit, of PostgreSQL, of the schema
    :param database: name, UUID
    :param sealed_to: who can open the parts: public keys of age, ``passphrase``; empty where they are in the clear.
        Parts are then the sealed files
    :param physical: the physical backup that was taken with it: label, kind, repository (relative to the target, if it
        lies there), version of PostgreSQL; empty without one
    :param fault_count: how many faults were found
    :param faults: the first of them
    :param warnings: what is odd without making the snapshot inconsistent
    """

    id: str
    tag: str
    started: float
    finished: float
    consistent: bool
    files: int
    directories: int
    size: int
    read_files: int
    copied_files: int
    copied_bytes: int
    rows: int
    manifest_lines: int
    manifest_checksum: Checksum
    omerodir: str
    parts: Mapping[str, Checksum] = field(default_factory=dict)
    roots: Mapping[str, str] = field(default_factory=dict)
    repositories: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    database: Mapping[str, str] = field(default_factory=dict)
    sealed_to: tuple[str, ...] = ()
    physical: Mapping[str, str] = field(default_factory=dict)
    fault_count: int = 0
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.finished - self.started


def write_snapshot(directory: Path, snapshot: Snapshot) -> None:
    """Finish a snapshot: all that it consists of is on the disk before its document is.

    :raises AdminError: ``file-not-written``
    """
    try:
        files.sync_filesystem(directory)
    except OSError as error:
        raise files.file_error("written", directory, error) from error
    files.write_atomically(directory / DOCUMENT_NAME, snapshot_text(snapshot), mode=files.SECRET_MODE)


def snapshot_text(snapshot: Snapshot) -> str:
    """A snapshot's document with its checksum."""
    document = {"schema": SCHEMA, **asdict(snapshot)}
    document["manifest_checksum"] = snapshot.manifest_checksum._asdict()
    document["parts"] = {path: part._asdict() for path, part in snapshot.parts.items()}
    document["checksum"] = _checksum(document)
    return json.dumps(document, indent=1) + "\n"


def read_snapshot(directory: Path) -> Snapshot:
    """The snapshot in a directory.

    :raises AdminError: ``snapshot-damaged``, ``file-not-read``
    """
    path = directory / DOCUMENT_NAME
    return parse_snapshot(files.read_bytes(path), str(path))


def parse_snapshot(content: bytes, path: str) -> Snapshot:
    """The snapshot of a document.

    :param path: where it is, for messages
    :raises AdminError: ``snapshot-damaged``
    """
    try:
        document = json.loads(content)
        checksum = document.pop("checksum")
        if document["schema"] != SCHEMA:
            raise snapshot_damaged(path, f"its schema is {document['schema']!r}, this version reads {SCHEMA!r}")
        if checksum != _checksum(document):
            raise snapshot_damaged(path, "its checksum is wrong")
        return _from_document(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise snapshot_damaged(path, f"it can't be understood ({error})") from error


def _from_document(document: dict[str, Any]) -> Snapshot:
    known = {field.name for field in fields(Snapshot)}
    values = {name: value for name, value in document.items() if name in known}
    values["manifest_checksum"] = Checksum(**values["manifest_checksum"])
    values["parts"] = {path: Checksum(**part) for path, part in values["parts"].items()}
    for name in ("faults", "warnings"):
        values[name] = tuple(Fault(**fault) for fault in values[name])
    values["sealed_to"] = tuple(values.get("sealed_to", ()))
    return Snapshot(**values)


def _checksum(document: Mapping[str, Any]) -> str:
    from blake3 import blake3

    return str(blake3(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest())


def manifest_path(directory: Path) -> Path:
    """The manifest of the snapshot in a directory."""
    return directory / MANIFEST_NAME


def snapshot_damaged(path: str, why: str) -> AdminError:
    """The one line for a snapshot whose own document is wrong."""
    return failed_error("snapshot-damaged", f"{path} is damaged: {why}", "use another snapshot: omero backup list")
